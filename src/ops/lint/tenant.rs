//! What the rules find of a tenant as a plan will leave it, told apart from what was there before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{Acceptances, LintError, MOST_POLICIES, PATIENCE_DAYS, diagnostic};
use crate::access::{Compared, Estate, Gap, Known, Told, compared};
use crate::graph::{GraphError, Operation, Request, Version};
use crate::lang::error::Diagnostic;
use crate::lang::{Diagnostics, Severity};
use crate::model::configuration::EmergencyAccess;
use crate::model::live::{Answer, LiveObject, LiveTenant};
use crate::model::reference::is_guid;
use crate::model::{Address, Kind, Object, Reference, Target, catalogue};
use crate::ops::connection::Connection;
use crate::ops::project::Loaded;
use crate::ops::what_if::View;
use crate::ops::workspace::Planned;
use crate::plan::{Action, Plan};

/// What the rules find of a plan.
#[derive(Debug, Default)]
pub struct Findings {
    /// What the plan opens, or what is wrong with what it writes.
    pub opened: Vec<Diagnostic>,
    /// What was there before and stays, and `accept` blocks that are of no use.
    pub stays: Vec<Diagnostic>,
    /// What was there before and is mended.
    pub closed: Vec<Diagnostic>,
}

impl Findings {
    /// Whether one of them refuses the plan: an error, or a warning where these are denied.
    pub fn refuse(&self, deny_warnings: bool) -> bool {
        self.opened
            .iter()
            .chain(&self.stays)
            .any(|one| match one.severity {
                Severity::Error => true,
                Severity::Warning => deny_warnings,
                Severity::Note => false,
            })
    }
}

/// Asks every rule of the tenant as a plan will leave it. The directory is asked about excluded groups and about what
/// policies that are not managed refer to; what nobody may read is not claimed.
pub async fn of_plan(
    connection: &Connection,
    planned: &Planned,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<Findings, LintError> {
    let (plan, live) = (&planned.plan, &planned.refreshed.live);
    let before = View::live(live)?.estate;
    let after = View::planned(plan, live)?.estate;
    if before.policies().len() + after.policies().len() > 2 * MOST_POLICIES {
        return Ok(Findings::default());
    }
    let emergency = resolved(loaded, planned);
    let tenant = Tenant::read(connection, planned, [&before, &after], emergency.as_ref()).await?;
    let known = |policies| Known {
        emergency: emergency.as_ref(),
        directory: None,
        is_synchronised: connection.is_synchronised,
        policies: Some(policies),
        open_groups: Some(&tenant.open_groups),
        names: Some(&tenant.names),
        patience: Some((now, PATIENCE_DAYS)),
    };
    let (told_before, told_after) = (tenant.told(live, None), tenant.told(live, Some(plan)));
    let (found, closed) = compared((&before, &known(&told_before)), (&after, &known(&told_after)))?;
    Ok(findings(found, closed, plan, loaded))
}

fn findings(found: Vec<Compared>, closed: Vec<Gap>, plan: &Plan, loaded: &Loaded) -> Findings {
    let addresses: BTreeMap<&str, &Address> = plan
        .changes
        .iter()
        .filter_map(|change| Some((change.id.as_deref()?, &change.address)))
        .collect();
    let address_of = |key: &String| -> Option<Address> {
        let known = addresses.get(key.as_str()).map(|address| (*address).clone());
        known.or_else(|| key.parse().ok())
    };
    let mut acceptances = Acceptances::of(loaded);
    let mut findings = Findings {
        closed: closed.iter().map(|gap| diagnostic(gap, None, loaded)).collect(),
        ..Findings::default()
    };
    for Compared { mut gap, is_new } in found {
        for key in &mut gap.policies {
            if let Some(address) = address_of(key) {
                *key = address.to_string();
            }
        }
        let address = gap.policies.first().and_then(|key| key.parse().ok());
        if acceptances.cover(&gap, address.as_ref()) {
            continue;
        }
        let one = diagnostic(&gap, address.as_ref(), loaded);
        if is_new {
            findings.opened.push(one);
        } else {
            findings.stays.push(one);
        }
    }
    let mut unused = Diagnostics::new();
    acceptances.report_unused(|_| true, &mut unused);
    findings.stays.extend(unused.iter().cloned());
    findings
}

/// The emergency accounts by id, as policies of the tenant name them.
fn resolved(loaded: &Loaded, planned: &Planned) -> Option<EmergencyAccess> {
    let mut emergency = loaded.configuration.emergency_access.clone()?;
    let ids: BTreeMap<&Address, &String> = planned
        .plan
        .changes
        .iter()
        .filter_map(|change| Some((&change.address, change.id.as_ref()?)))
        .collect();
    for reference in emergency.users.iter_mut().chain(&mut emergency.groups) {
        let found = match &*reference {
            Reference::Lookup(lookup) => match planned.refreshed.directory.answers.get(lookup) {
                Some(Answer::Found(candidate)) => Some(Reference::id(lookup.target, &candidate.id)),
                _ => None,
            },
            Reference::Managed { target, address } => {
                ids.get(&**address).map(|id| Reference::id(*target, id))
            }
            _ => None,
        };
        if let Some(found) = found {
            *reference = found;
        }
    }
    Some(emergency)
}

/// What the tenant tells beside its policies.
struct Tenant {
    names: BTreeMap<String, String>,
    open_groups: BTreeMap<String, String>,
    /// Ids that were asked for and that nothing has.
    missing: BTreeSet<String>,
}

impl Tenant {
    async fn read(
        connection: &Connection,
        planned: &Planned,
        estates: [&Estate; 2],
        emergency: Option<&EmergencyAccess>,
    ) -> Result<Self, LintError> {
        let directory = &planned.refreshed.directory;
        let live = &planned.refreshed.live;
        let mut names = planned.plan.names.clone();
        names.extend(directory.names.clone());
        for object in &live.objects {
            names.insert(object.id.clone(), object.name().to_owned());
        }
        let asked: BTreeSet<(Target, String)> = unmanaged(&planned.plan, live)
            .flat_map(|policy| policy.object.references())
            .filter_map(|(_, reference)| match reference {
                Reference::Id { target, id } if is_worth_asking(*target, id) => {
                    Some((*target, id.to_ascii_lowercase()))
                }
                _ => None,
            })
            .filter(|(_, id)| !names.contains_key(id))
            .collect();
        let mut missing = directory.missing_ids.clone();
        if let Some(found) = permitted(connection.graph.names(&asked).await)? {
            for key in &asked {
                match found.get(key) {
                    Some(object) => drop(names.insert(key.1.clone(), object.display_name.clone())),
                    None => drop(missing.insert(key.1.clone())),
                }
            }
        }
        let mut excluded: BTreeSet<String> = estates
            .iter()
            .flat_map(|estate| estate.excluded_groups())
            .collect();
        for group in emergency.into_iter().flat_map(|emergency| &emergency.groups) {
            if let Reference::Id { id, .. } = group {
                excluded.insert(id.to_ascii_lowercase());
            }
        }
        let excluded: Vec<String> = excluded.into_iter().filter(|id| is_guid(id)).collect();
        let open_groups = open_groups(connection, &excluded, &mut names).await?;
        Ok(Self {
            names,
            open_groups,
            missing,
        })
    }

    /// What is known of each policy before the plan, or after it.
    fn told(&self, live: &LiveTenant, plan: Option<&Plan>) -> BTreeMap<String, Told> {
        let changes = || plan.into_iter().flat_map(|plan| &plan.changes);
        // What the plan brings back has its id already.
        let made: BTreeSet<&str> = changes()
            .filter(|change| change.after.is_some())
            .filter_map(|change| change.id.as_deref())
            .collect();
        let is_made = |reference: &Reference| matches!(reference, Reference::Id { id, .. } if made.contains(id.as_str()));
        let mut told = BTreeMap::new();
        let mut keep = |key: &str, object: &Object, since: Option<Timestamp>, is_managed: bool| {
            let missing = object
                .references()
                .into_iter()
                .map(|(_, reference)| reference)
                .filter(|reference| self.is_missing(reference, live, is_managed) && !is_made(reference))
                .collect::<BTreeSet<_>>();
            told.insert(
                key.to_owned(),
                Told {
                    since,
                    missing: missing.into_iter().cloned().collect(),
                },
            );
        };
        for policy in live.policies() {
            keep(&policy.id, &policy.object, since(policy), false);
        }
        for change in changes() {
            let Some(after) = change.after.as_ref().filter(|_| change.kind == Kind::Policy) else {
                continue;
            };
            let key = change.id.clone().unwrap_or_else(|| change.address.to_string());
            let known = live.policies().find(|policy| policy.id == key);
            let since = known
                .filter(|_| matches!(change.action, Action::NoOp | Action::Refresh | Action::Forget))
                .and_then(since);
            keep(&key, after, since, true);
        }
        told
    }

    /// Whether what is referred to is not there. What the directory lacks of a managed policy, the plan itself tells.
    fn is_missing(&self, reference: &Reference, live: &LiveTenant, is_managed: bool) -> bool {
        let Reference::Id { target, id } = reference else {
            return false;
        };
        match target {
            Target::Location => {
                is_guid(id)
                    && id != MFA_TRUSTED_IPS
                    && live.is_complete("location")
                    && live.find(Some(*target), id).is_none()
            }
            Target::Strength => {
                catalogue::strengths::by_id(id).is_none()
                    && live.is_complete("strength")
                    && live.find(Some(*target), id).is_none()
            }
            Target::Context => live.is_complete("context") && live.find(Some(*target), id).is_none(),
            _ => !is_managed && self.missing.contains(&id.to_ascii_lowercase()),
        }
    }
}

/// The MFA trusted IPs, which no list of locations has (`FACTS` 3).
const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

/// The policies that the plan does not manage.
fn unmanaged<'a>(plan: &'a Plan, live: &'a LiveTenant) -> impl Iterator<Item = &'a LiveObject> {
    let managed: BTreeSet<&str> = plan
        .changes
        .iter()
        .filter_map(|change| change.id.as_deref())
        .collect();
    live.policies()
        .filter(move |policy| !managed.contains(policy.id.as_str()))
}

/// Ids that the directory has, unless the catalogues know them.
fn is_worth_asking(target: Target, id: &str) -> bool {
    is_guid(id)
        && match target {
            Target::User | Target::Group | Target::ServicePrincipal => true,
            Target::App => catalogue::apps::by_wire(id).is_none(),
            _ => false,
        }
}

/// When a policy was last changed or, failing that, made.
fn since(policy: &LiveObject) -> Option<Timestamp> {
    let json = policy.json.value();
    let moment = |member: &str| json.get(member)?.as_str()?.parse().ok();
    moment("modifiedDateTime").or_else(|| moment("createdDateTime"))
}

/// What the one signed in may not read is not known.
fn permitted<T>(result: Result<T, GraphError>) -> Result<Option<T>, GraphError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_permission() || error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Of these groups, those that people get into without an administrator of roles, and how.
async fn open_groups(
    connection: &Connection,
    ids: &[String],
    names: &mut BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, LintError> {
    let mut open = BTreeMap::new();
    if ids.is_empty() {
        return Ok(open);
    }
    let Some(groups) = permitted(connection.graph.objects_by_id(ids, &["group"]).await)? else {
        return Ok(open);
    };
    let mut owned = Vec::new();
    for (id, group) in &groups {
        if let Some(name) = group.get("displayName").and_then(Json::as_str) {
            names.entry(id.clone()).or_insert_with(|| name.to_owned());
        }
        match openness(group) {
            Openness::Open(because) => drop(open.insert(id.clone(), because)),
            Openness::ByOwners => owned.push(id),
            Openness::Closed => {}
        }
    }
    let mut requests = Vec::new();
    for id in &owned {
        let path = format!("groups/{id}/owners");
        requests.push(Request::new(Operation::Read, Version::V1, path).query("$select", "id"));
    }
    let answers = permitted(connection.graph.batch(Version::V1, &requests).await)?;
    for ((id, request), answer) in owned.iter().zip(&requests).zip(answers.into_iter().flatten()) {
        let Some(page) = permitted(answer.into_result(request))? else {
            continue;
        };
        let owners = page.get("value").and_then(Json::as_array);
        let people = owners.into_iter().flatten().filter(|owner| {
            let kind = owner.get("@odata.type").and_then(Json::as_str);
            kind == Some("#microsoft.graph.user")
        });
        let because = match people.count() {
            0 => continue,
            1 => "whose owner adds whom they like".to_owned(),
            count => format!("whose {count} owners add whom they like"),
        };
        open.insert((*id).clone(), because);
    }
    Ok(open)
}

/// Who gets into a group.
#[derive(Debug, PartialEq, Eq)]
enum Openness {
    /// Nobody without an administrator.
    Closed,
    /// Whom its owners add, if it has any.
    ByOwners,
    /// Anybody, in this way.
    Open(String),
}

/// What people change of themselves, or choose when they invite a guest.
///
/// Source: "Default user permissions" of Microsoft Entra (own phone number and the like), and what an invitation sets.
const OWN_ATTRIBUTES: &[&str] = &[
    "displayname",
    "mail",
    "mobilephone",
    "othermails",
    "preferredlanguage",
    "proxyaddresses",
    "userprincipalname",
];

fn openness(group: &Json) -> Openness {
    let has_type = |wanted: &str| {
        let types = group.get("groupTypes").and_then(Json::as_array);
        types
            .into_iter()
            .flatten()
            .any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(wanted)))
    };
    let is = |member: &str| group.get(member).and_then(Json::as_bool) == Some(true);
    if is("isAssignableToRole") || is("onPremisesSyncEnabled") || is("isManagementRestricted") {
        return Openness::Closed;
    }
    if has_type("DynamicMembership") {
        let rule = group
            .get("membershipRule")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let rule = rule.to_ascii_lowercase();
        let own = rule.split("user.").skip(1).find_map(|rest| {
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            OWN_ATTRIBUTES.iter().find(|own| **own == name)
        });
        return own.map_or(Openness::Closed, |own| {
            Openness::Open(format!(
                "whose members follow from `{own}`, which people change themselves or choose for a guest"
            ))
        });
    }
    let visibility = group.get("visibility").and_then(Json::as_str).unwrap_or_default();
    if has_type("Unified") && visibility.eq_ignore_ascii_case("Public") {
        return Openness::Open("which anybody joins, as it is public".to_owned());
    }
    Openness::ByOwners
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_is_open_when_people_get_into_it_by_themselves() {
        let dynamic = |rule: &str| json!({ "groupTypes": ["DynamicMembership"], "membershipRule": rule });
        let cases = [
            (json!({ "groupTypes": [], "isAssignableToRole": true }), "closed"),
            (json!({ "groupTypes": [] }), "by owners"),
            (
                json!({ "groupTypes": [], "onPremisesSyncEnabled": true }),
                "closed",
            ),
            (
                json!({ "groupTypes": ["Unified"], "visibility": "Public" }),
                "open",
            ),
            (
                json!({ "groupTypes": ["Unified"], "visibility": "Private" }),
                "by owners",
            ),
            (dynamic("(user.department -eq \"IT\")"), "closed"),
            (dynamic("(user.mailNickname -eq \"x\")"), "closed"),
            (dynamic("(user.userPrincipalName -startsWith \"svc-\")"), "open"),
            (
                dynamic("(user.department -eq \"IT\") or (user.mobilePhone -eq \"1\")"),
                "open",
            ),
        ];
        for (group, expected) in cases {
            let found = match openness(&group) {
                Openness::Closed => "closed",
                Openness::ByOwners => "by owners",
                Openness::Open(_) => "open",
            };
            assert_eq!(found, expected, "{group}");
        }
    }
}
