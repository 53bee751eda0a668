//! The tenant as data: collections of objects, who is a member of what, limits and licences.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::view::Replaced;
use super::view::View;

/// The kinds of object the tenant keeps in lists of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Conditional Access policies, in every state.
    Policies,
    /// Named locations of every type.
    NamedLocations,
    /// Authentication strengths, built-in and custom.
    AuthenticationStrengths,
    /// Authentication contexts `c1` to `c99`.
    AuthenticationContexts,
    /// Terms of use.
    Agreements,
    /// Groups.
    Groups,
    /// Users.
    Users,
    /// Service principals.
    ServicePrincipals,
    /// Application registrations.
    Applications,
    /// Directory role definitions.
    RoleDefinitions,
    /// Policies that were deleted and can be restored.
    DeletedPolicies,
    /// Named locations that were deleted and can be restored.
    DeletedNamedLocations,
    /// Groups that were deleted and can be restored.
    DeletedGroups,
    /// Audit records of writes.
    DirectoryAudits,
    /// Sign-ins; the tenant makes none of its own.
    SignIns,
    /// What users have registered for signing in, by the user's id.
    Registrations,
}

/// Limits, licences and manners of the tenant, all adjustable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Policies a tenant can hold in any state; Microsoft documents 240.
    pub policy_quota: usize,
    /// IP locations a tenant can hold; Microsoft documents 195.
    pub ip_location_quota: usize,
    /// Ranges an IP location can hold; Microsoft documents 2000.
    pub ip_range_quota: usize,
    /// Custom authentication strengths; Microsoft documents 15.
    pub strength_quota: usize,
    /// Objects on a page when the caller does not ask for fewer.
    pub page_size: usize,
    /// Objects on a page at the most, whatever the caller asks for.
    pub largest_page: usize,
    /// Whether the tenant has Entra ID P1.
    pub premium_p1: bool,
    /// Whether the tenant has Entra ID P2, which risk conditions need.
    pub premium_p2: bool,
    /// Whether the tenant has Workload Identities Premium.
    pub workload_identities: bool,
    /// Whether calls need the permissions that Microsoft documents; otherwise any token will do.
    pub enforce_permissions: bool,
    /// Permissions written into the tokens that the tenant gives out.
    pub permissions: Vec<String>,
    /// How long a token lasts, in seconds.
    pub token_seconds: i64,
    /// Audit records kept; the oldest go first.
    pub audits_kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy_quota: 240,
            ip_location_quota: 195,
            ip_range_quota: 2000,
            strength_quota: 15,
            page_size: 100,
            largest_page: 999,
            premium_p1: true,
            premium_p2: true,
            workload_identities: true,
            enforce_permissions: false,
            permissions: super::permissions::all(),
            token_seconds: 3600,
            audits_kept: 500,
        }
    }
}

/// A tenant. A pure state machine: identifiers follow from the seed, the time comes with each call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    format: u32,
    seed: Uuid,
    counter: u64,
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) domain: String,
    /// Limits, licences and manners.
    pub settings: Settings,
    pub(super) security_defaults: bool,
    collections: BTreeMap<Kind, IndexMap<String, Value>>,
    /// Members of groups and holders of roles, by the id of the group or role template.
    members: BTreeMap<String, Vec<String>>,
    #[serde(skip)]
    requests: u64,
    /// What stands in the place of the truth while one request is answered.
    #[serde(skip)]
    pub(super) view: View,
    /// What writes replaced, if somebody wants to know.
    #[serde(skip)]
    replaced: Option<Vec<Replaced>>,
    /// What was touched since it was last kept.
    #[serde(skip)]
    touched: BTreeSet<Touched>,
}

/// A part of the tenant that can be kept by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Object(Kind, String),
    Members(String),
}

/// What changed in a tenant: enough to bring an older copy up to date.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changes {
    counter: u64,
    security_defaults: bool,
    /// Objects by collection and id; nothing in place of one that is gone.
    objects: Vec<(Kind, String, Option<Value>)>,
    members: BTreeMap<String, Vec<String>>,
}

/// The version of the tenant's document that this program writes.
pub(super) const FORMAT: u32 = 1;

impl Tenant {
    /// Returns a tenant with nothing in it but what the service itself provides.
    pub fn empty(seed: Uuid, display_name: &str, domain: &str) -> Self {
        Self {
            format: FORMAT,
            seed,
            counter: 0,
            id: Uuid::new_v5(&seed, b"tenant").to_string(),
            display_name: display_name.to_owned(),
            domain: domain.to_owned(),
            settings: Settings::default(),
            security_defaults: false,
            collections: BTreeMap::new(),
            members: BTreeMap::new(),
            requests: 0,
            view: View::default(),
            replaced: None,
            touched: BTreeSet::new(),
        }
    }

    /// Returns the tenant's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn format(&self) -> u32 {
        self.format
    }

    /// Switches security defaults, without the checks a request goes through.
    pub fn set_security_defaults(&mut self, enabled: bool) {
        self.security_defaults = enabled;
    }

    /// Returns the id that this seed always gives to `name`.
    pub(super) fn named_id(&self, name: &str) -> String {
        Uuid::new_v5(&self.seed, name.as_bytes()).to_string()
    }

    pub(super) fn next_id(&mut self) -> String {
        self.counter += 1;
        self.named_id(&format!("object {}", self.counter))
    }

    pub(super) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        self.named_id(&format!("request {}", self.requests))
    }

    /// Returns the objects of a kind in the order they were made, as the tenant stores them.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        let older = self.view.listed(kind);
        let list = self.collections.get(&kind);
        let gone = older
            .into_iter()
            .flatten()
            .filter(move |(id, _)| list.is_none_or(|list| !list.contains_key(*id)))
            .filter_map(|(_, value)| value.as_ref());
        list.into_iter()
            .flat_map(IndexMap::iter)
            .filter_map(move |(id, value)| match older.and_then(|older| older.get(id)) {
                Some(older) => older.as_ref(),
                None => Some(value),
            })
            .chain(gone)
    }

    /// Returns one object by id; GUIDs are compared without regard to case.
    pub fn object(&self, kind: Kind, id: &str) -> Option<&Value> {
        let id = id.to_ascii_lowercase();
        match self.view.read(kind, &id) {
            Some(older) => older.as_ref(),
            None => self.collections.get(&kind)?.get(&id),
        }
    }

    pub(super) fn object_mut(&mut self, kind: Kind, id: &str) -> Option<&mut Value> {
        self.object(kind, id)?;
        let id = id.to_ascii_lowercase();
        self.touch_object(kind, &id);
        self.collections.get_mut(&kind)?.get_mut(&id)
    }

    /// Puts an object into its collection, replacing one of the same id. It is not validated.
    pub fn insert(&mut self, kind: Kind, value: Value) {
        let id = value
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.touch_object(kind, &id);
        self.collections.entry(kind).or_default().insert(id, value);
    }

    /// Takes an object out of its collection, whatever refers to it.
    pub fn remove(&mut self, kind: Kind, id: &str) -> Option<Value> {
        self.object(kind, id)?;
        let id = id.to_ascii_lowercase();
        self.touch_object(kind, &id);
        self.collections.get_mut(&kind)?.shift_remove(&id)
    }

    /// Notes that an object is about to change.
    fn touch_object(&mut self, kind: Kind, id: &str) {
        self.touched.insert(Touched::Object(kind, id.to_owned()));
        if let Some(replaced) = &mut self.replaced {
            let value = self.collections.get(&kind).and_then(|list| list.get(id));
            replaced.push(Replaced::Object(kind, id.to_owned(), value.cloned()));
        }
    }

    /// Remembers from now on what writes replace, or no longer.
    pub(super) fn watch(&mut self, watched: bool) {
        self.replaced = watched.then(Vec::new);
    }

    /// Returns what writes replaced since the last call, in their order.
    pub(super) fn take_replaced(&mut self) -> Vec<Replaced> {
        self.replaced.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn drop_oldest(&mut self, kind: Kind, keep: usize) {
        if let Some(list) = self.collections.get_mut(&kind) {
            let excess = list.len().saturating_sub(keep);
            for (id, _) in list.drain(..excess) {
                self.touched.insert(Touched::Object(kind, id));
            }
        }
    }

    /// Returns what was touched since the last call, as it is now.
    pub(super) fn take_changes(&mut self) -> Changes {
        let mut changes = Changes {
            counter: self.counter,
            security_defaults: self.security_defaults,
            ..Changes::default()
        };
        for touched in std::mem::take(&mut self.touched) {
            match touched {
                Touched::Object(kind, id) => {
                    let value = self
                        .collections
                        .get(&kind)
                        .and_then(|list| list.get(&id))
                        .cloned();
                    changes.objects.push((kind, id, value));
                }
                Touched::Members(id) => {
                    let members = self.members.get(&id).cloned().unwrap_or_default();
                    changes.members.insert(id, members);
                }
            }
        }
        changes
    }

    /// Brings the tenant up to date with changes that a later copy recorded.
    pub(super) fn apply_changes(&mut self, changes: Changes) {
        self.counter = changes.counter;
        self.security_defaults = changes.security_defaults;
        for (kind, id, value) in changes.objects {
            let list = self.collections.entry(kind).or_default();
            match value {
                Some(value) => {
                    list.insert(id, value);
                }
                None => {
                    list.shift_remove(&id);
                }
            }
        }
        self.members.extend(changes.members);
    }

    /// Forgets what was touched: all of it has been kept.
    pub(super) fn settle(&mut self) {
        self.touched.clear();
    }

    /// Returns how many objects of a kind there are, those included that a reader does not see yet.
    pub fn count(&self, kind: Kind) -> usize {
        self.collections.get(&kind).map_or(0, IndexMap::len)
    }

    /// Returns the direct members of a group or holders of a role.
    pub fn members(&self, id: &str) -> &[String] {
        let id = id.to_ascii_lowercase();
        match self.view.members(&id) {
            Some(older) => older,
            None => self.members.get(&id).map_or(&[], Vec::as_slice),
        }
    }

    pub(super) fn members_mut(&mut self, id: &str) -> &mut Vec<String> {
        let id = id.to_ascii_lowercase();
        self.touched.insert(Touched::Members(id.clone()));
        if let Some(replaced) = &mut self.replaced {
            let before = self.members.get(&id).cloned().unwrap_or_default();
            replaced.push(Replaced::Members(id.clone(), before));
        }
        self.members.entry(id).or_default()
    }

    pub(super) fn containers(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.members.iter()
    }
}

/// Returns a time as Graph writes it: seven digits of a second and `Z`.
pub(super) fn stamp(now: Timestamp) -> String {
    let fraction = now.subsec_nanosecond() / 100;
    format!("{}.{fraction:07}Z", now.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// Returns the text of a member, or nothing.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the strings of a list, or nothing.
pub(super) fn strings<'a>(value: &'a Value, path: &str) -> Vec<&'a str> {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map(|items| items.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Whether text is a GUID in its usual spelling.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}
