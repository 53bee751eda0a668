//! A tenant in memory that carries plans out, and short ways to write configurations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::model::configuration::{Configuration, EmergencyAccess, Lifecycle, Resource};
use crate::model::few::Few;
use crate::model::live::{Directory, LiveObject, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{self, Document, ResourceState};
use crate::model::{Address, Kind, Object, Origin, Reference, Target, Value, wire};
use crate::plan::step::fill;
use crate::plan::{Act, ObjectId, Plan, PlanErrors, PlanOptions, StepId, plan};

pub(super) const TENANT: &str = "99999999-0000-0000-0000-000000000000";
pub(super) const ADA: &str = "aaaaaaaa-0000-0000-0000-000000000001";
pub(super) const BOB: &str = "aaaaaaaa-0000-0000-0000-000000000002";
pub(super) const BREAK_GLASS: &str = "aaaaaaaa-0000-0000-0000-00000000000e";

pub(super) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(super) fn origin(start: u32) -> Origin {
    Origin {
        file: 0,
        start,
        end: start + 1,
    }
}

pub(super) fn object(kind: Kind, json: Json) -> Object {
    let mut decoded = wire::decode(kind, &json).unwrap();
    if kind == Kind::Context {
        let id = json.get("id").and_then(Json::as_str).unwrap();
        decoded.object.set("id", Some(Value::Text(id.to_owned())));
    }
    decoded.object
}

/// A policy that asks everybody for MFA, changed by `change`.
pub(super) fn policy(name: &str, change: Json) -> Object {
    let mut json = json!({
        "displayName": name,
        "state": "enabled",
        "conditions": {
            "users": { "includeUsers": ["All"] },
            "applications": { "includeApplications": ["All"] },
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
    });
    merge(&mut json, &change);
    object(Kind::Policy, json)
}

pub(super) fn location(name: &str, trusted: bool) -> Object {
    object(
        Kind::IpLocation,
        json!({ "displayName": name, "isTrusted": trusted, "ipRanges": [{ "cidrAddress": "192.0.2.0/24" }] }),
    )
}

pub(super) fn countries(name: &str) -> Object {
    object(
        Kind::CountryLocation,
        json!({ "displayName": name, "countriesAndRegions": ["DK", "SE"] }),
    )
}

pub(super) fn group(name: &str, members: Option<Vec<Reference>>) -> Object {
    let mut group = object(Kind::Group, json!({ "displayName": name }));
    group.set(
        "members",
        members.map(|members| Value::References(members.into_iter().collect())),
    );
    group
}

pub(super) fn managed(target: Target, to: &str) -> Reference {
    Reference::managed(target, address(to))
}

/// Adds references to a list of the object.
pub(super) fn with(
    mut object: Object,
    wire: &'static str,
    references: impl IntoIterator<Item = Reference>,
) -> Object {
    let mut all: indexmap::IndexSet<Reference> = object.reference_set(wire).cloned().collect();
    all.extend(references);
    object.set(wire, Some(Value::References(all.into())));
    object
}

pub(super) const LOCATIONS: &str = "conditions.locations.includeLocations";
pub(super) const NOT_LOCATIONS: &str = "conditions.locations.excludeLocations";
pub(super) const NOT_USERS: &str = "conditions.users.excludeUsers";
pub(super) const NOT_GROUPS: &str = "conditions.users.excludeGroups";

pub(super) fn configuration(resources: impl IntoIterator<Item = (&'static str, Object)>) -> Configuration {
    let mut configuration = Configuration::default();
    configuration.settings.no_emergency_access = Some("a test".into());
    for (number, (text, object)) in resources.into_iter().enumerate() {
        add(
            &mut configuration,
            text,
            object,
            u32::try_from(number).unwrap() * 100,
        );
    }
    configuration
}

pub(super) fn add(configuration: &mut Configuration, text: &str, object: Object, at: u32) {
    let reference_origins = object
        .references()
        .into_iter()
        .enumerate()
        .map(|(number, (_, reference))| {
            (
                reference.clone(),
                origin(at + 10 + u32::try_from(number).unwrap()),
            )
        })
        .collect();
    configuration.resources.insert(
        address(text),
        Resource {
            address: address(text),
            object,
            origin: origin(at),
            origins: Few::new(),
            reference_origins,
            depends_on: Vec::new(),
            lifecycle: Lifecycle::default(),
            includes_emergency_access: None,
        },
    );
}

pub(super) fn resource<'a>(configuration: &'a mut Configuration, text: &str) -> &'a mut Resource {
    configuration.resources.get_mut(&address(text)).unwrap()
}

pub(super) fn emergency(configuration: &mut Configuration, users: &[&str]) {
    configuration.settings.no_emergency_access = None;
    configuration.emergency_access = Some(EmergencyAccess {
        users: users.iter().map(|id| Reference::id(Target::User, id)).collect(),
        groups: Vec::new(),
        origin: origin(9000),
        reference_origins: Vec::new(),
    });
}

pub(super) fn options() -> PlanOptions {
    PlanOptions::new("2026-09-01T12:00:00Z".parse().unwrap())
}

/// The tenant, the directory and the state.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) objects: BTreeMap<String, (Kind, Json)>,
    pub(super) directory: Directory,
    pub(super) state: Document,
    pub(super) live: LiveTenant,
    next: u32,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            objects: BTreeMap::new(),
            directory: Directory::default(),
            state: Document::new(Uuid::nil(), TENANT),
            live: LiveTenant {
                tenant_id: TENANT.into(),
                complete: Kind::ALL.into_iter().collect(),
                ..LiveTenant::default()
            },
            next: 0,
        }
    }

    /// Makes an object as somebody in the portal would.
    pub(super) fn put(&mut self, object: &Object) -> String {
        let body = wire::encode(object, &mut |_| None).unwrap();
        self.create(object.kind, body.json)
    }

    fn create(&mut self, kind: Kind, mut json: Json) -> String {
        self.next += 1;
        let id = match json.get("id").and_then(Json::as_str) {
            Some(id) => id.to_owned(),
            None => format!("10000000-0000-0000-0000-{:012}", self.next),
        };
        json["id"] = json!(id);
        if kind == Kind::Group {
            json["members"] = json!([]);
        }
        if kind == Kind::Strength && json.get("combinationConfigurations").is_none() {
            json["combinationConfigurations"] = json!([]);
        }
        if let Some(configurations) = json
            .get_mut("combinationConfigurations")
            .and_then(Json::as_array_mut)
        {
            for (number, configuration) in configurations.iter_mut().enumerate() {
                configuration["id"] = json!(format!("configuration-{number}"));
            }
        }
        assert!(!self.objects.contains_key(&id), "{id} is taken");
        self.objects.insert(id.clone(), (kind, json));
        id
    }

    pub(super) fn patch(&mut self, id: &str, change: Json) {
        merge(&mut self.objects.get_mut(id).unwrap().1, &change);
    }

    pub(super) fn live(&self) -> LiveTenant {
        LiveTenant {
            objects: self
                .objects
                .values()
                .map(|(kind, json)| LiveObject::read(*kind, hidden(*kind, json), ApiVersion::V1).unwrap())
                .collect(),
            ..self.live.clone()
        }
    }

    pub(super) fn try_plan(
        &self,
        desired: &Configuration,
        options: &PlanOptions,
    ) -> Result<Plan, PlanErrors> {
        plan(desired, &self.live(), &self.directory, Some(&self.state), options)
    }

    #[track_caller]
    pub(super) fn plan(&self, desired: &Configuration) -> Plan {
        self.plan_with(desired, &options())
    }

    #[track_caller]
    pub(super) fn plan_with(&self, desired: &Configuration, options: &PlanOptions) -> Plan {
        let made = self
            .try_plan(desired, options)
            .unwrap_or_else(|errors| panic!("refused: {:#?}", errors.0));
        for step in &made.steps {
            assert!(step.after.iter().all(|earlier| *earlier < step.id), "{step:?}");
        }
        // A saved plan is the plan.
        assert_eq!(Plan::from_json(&made.to_json().unwrap()).unwrap(), made);
        made
    }

    #[track_caller]
    pub(super) fn refused(&self, desired: &Configuration) -> Vec<String> {
        self.refused_with(desired, &options())
    }

    #[track_caller]
    pub(super) fn refused_with(&self, desired: &Configuration, options: &PlanOptions) -> Vec<String> {
        match self.try_plan(desired, options) {
            Ok(plan) => panic!("not refused: {}", plan.verdict.sentence()),
            Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
        }
    }

    /// Plans and carries out, and finds nothing left to do.
    #[track_caller]
    pub(super) fn apply(&mut self, desired: &Configuration) -> Plan {
        let made = self.plan(desired);
        self.carry_out(&made);
        let again = self.plan(desired);
        assert!(
            !again.verdict.has_changes() && again.steps.is_empty(),
            "the second plan is not empty: {:#?}",
            again
                .changes
                .iter()
                .filter(|change| change.is_change())
                .collect::<Vec<_>>()
        );
        made
    }

    pub(super) fn carry_out(&mut self, plan: &Plan) {
        self.state.serial += 1;
        for step in &plan.steps {
            self.step(plan, step.id);
        }
        for change in &plan.changes {
            let Some(id) = self
                .state
                .resources
                .get(&change.address.to_string())
                .map(|known| known.id.clone())
            else {
                continue;
            };
            let requests = plan
                .steps
                .iter()
                .any(|step| change.steps.contains(&step.id) && step.act.requests() > 0);
            let remembers = plan
                .steps
                .iter()
                .any(|step| change.steps.contains(&step.id) && step.act == Act::Remember);
            let mut sent = change.sent.as_ref().map(state::Json::value);
            for place in &change.sent_pending {
                let id = self.id_of(&place.address);
                assert!(fill(sent.as_mut().unwrap(), place, &id));
            }
            let shown = self.objects.get(&id).map(|(kind, json)| hidden(*kind, json));
            let entry = self.state.resources.get_mut(&change.address.to_string()).unwrap();
            entry.dependencies = change.dependencies.iter().map(ToString::to_string).collect();
            entry.lifecycle = state::Lifecycle {
                prevent_destroy: change.lifecycle.prevent_destroy,
                reason: change.lifecycle.reason.clone(),
            };
            if requests || remembers {
                entry.sent = sent.map(Into::into);
                entry.answered = shown.map(Into::into);
            }
        }
    }

    fn id_of(&self, address: &Address) -> String {
        self.state.resources[&address.to_string()].id.clone()
    }

    fn known(&self, id: &ObjectId) -> String {
        match id {
            ObjectId::Known(id) => id.clone(),
            ObjectId::Of(address) => self.id_of(address),
        }
    }

    fn step(&mut self, plan: &Plan, id: StepId) {
        let step = plan.step(id).unwrap();
        let at = step.address.to_string();
        match &step.act {
            Act::Create {
                kind, body, pending, ..
            } => {
                let mut body = body.value();
                for place in pending {
                    assert!(fill(&mut body, place, &self.id_of(&place.address)));
                }
                let id = self.create(*kind, body);
                self.state.resources.insert(at, remembered(*kind, &id));
            }
            Act::Update {
                id, body, pending, ..
            } => {
                let mut body = body.value();
                for place in pending {
                    assert!(fill(&mut body, place, &self.id_of(&place.address)));
                }
                self.patch(id, body);
            }
            Act::Release { id, body, .. } => self.patch(id, body.value()),
            Act::Delete { id, .. } => {
                let (kind, gone) = self.objects.remove(id).unwrap();
                assert_ne!(
                    gone.get("isTrusted"),
                    Some(&json!(true)),
                    "a trusted location can't be deleted"
                );
                for (other, json) in self.objects.values() {
                    let refers = *other == Kind::Policy && json.to_string().contains(id.as_str());
                    assert!(!refers || kind == Kind::Policy, "{id} is in use: {json}");
                }
                if self.state.resources.get(&at).is_some_and(|known| known.id == *id) {
                    self.state.resources.remove(&at);
                }
            }
            Act::Restore { id, .. } => panic!("nothing is deleted for a while here, not even {id}"),
            Act::SetCombinations { id, combinations } => {
                self.patch(id, json!({ "allowedCombinations": combinations }));
            }
            Act::AddConfiguration { id, body } => {
                self.next += 1;
                let mut body = body.value();
                body["id"] = json!(format!("configuration-{}", self.next));
                let strength = &mut self.objects.get_mut(id).unwrap().1;
                strength["combinationConfigurations"]
                    .as_array_mut()
                    .unwrap()
                    .push(body);
            }
            Act::RemoveConfiguration { id, configuration } => {
                let strength = &mut self.objects.get_mut(id).unwrap().1;
                strength["combinationConfigurations"]
                    .as_array_mut()
                    .unwrap()
                    .retain(|one| one["id"] != json!(configuration));
            }
            Act::AddMembers { group, members } => {
                let members: Vec<Json> = members.iter().map(|member| json!(self.known(member))).collect();
                assert!(members.len() <= 20);
                let group = self.known(group);
                let all = self.objects.get_mut(&group).unwrap().1["members"]
                    .as_array_mut()
                    .unwrap();
                all.extend(members);
            }
            Act::RemoveMember { group, member } => {
                let group = self.known(group);
                let all = self.objects.get_mut(&group).unwrap().1["members"]
                    .as_array_mut()
                    .unwrap();
                all.retain(|one| one != member.as_str());
            }
            Act::Adopt { kind, id } => {
                self.state.resources.insert(at.clone(), remembered(*kind, id));
                let shown = self.objects.get(id).map(|(kind, json)| hidden(*kind, json));
                self.state.resources.get_mut(&at).unwrap().answered = shown.map(Into::into);
            }
            Act::Forget => {
                self.state.resources.remove(&at);
            }
            Act::Move { from } => {
                let known = self.state.resources.remove(&from.to_string()).unwrap();
                self.state.resources.insert(at, known);
            }
            Act::Remember => {}
        }
    }
}

/// What the service never shows.
fn hidden(kind: Kind, json: &Json) -> Json {
    let mut json = json.clone();
    if kind == Kind::Policy {
        json.as_object_mut().unwrap().remove("description");
    }
    json
}

fn remembered(kind: Kind, id: &str) -> ResourceState {
    ResourceState {
        kind,
        id: id.to_owned(),
        api_version: ApiVersion::V1,
        sent: None,
        answered: None,
        dependencies: BTreeSet::new(),
        lifecycle: state::Lifecycle::default(),
        created_by_import: false,
        modified_date_time: None,
    }
}

/// PATCH as the service does it: members merge, lists are replaced, null clears.
pub(super) fn merge(into: &mut Json, from: &Json) {
    match (into, from) {
        (Json::Object(into), Json::Object(from)) => {
            for (member, value) in from {
                merge(into.entry(member).or_insert(Json::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

pub(super) fn acts(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let verb = match &step.act {
                Act::Create { .. } => "create",
                Act::Update { .. } => "update",
                Act::Release { .. } => "release",
                Act::Delete { .. } => "delete",
                Act::Restore { .. } => "restore",
                Act::SetCombinations { .. } => "set combinations",
                Act::AddConfiguration { .. } => "add configuration",
                Act::RemoveConfiguration { .. } => "remove configuration",
                Act::AddMembers { .. } => "add members",
                Act::RemoveMember { .. } => "remove member",
                Act::Adopt { .. } => "adopt",
                Act::Forget => "forget",
                Act::Move { .. } => "move",
                Act::Remember => "remember",
            };
            format!("{verb} {}", step.address)
        })
        .collect()
}
