//! Filling a tenant from files: objects as they are, or stand-ins for whatever policies refer to.

use serde_json::Value;
use serde_json::json;

use super::SandboxError;
use super::directory;
use super::policies;
use super::schema;
use super::schema::odata_type;
use super::seed;
use super::sign_ins;
use super::strengths;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::is_guid;
use super::tenant::strings;
use super::tenant::text;

/// What a load put into the tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Objects added or replaced, by the name of their collection.
    pub added: std::collections::BTreeMap<String, usize>,
}

impl LoadReport {
    fn count(&mut self, name: &str) {
        *self.added.entry(name.to_owned()).or_default() += 1;
    }
}

/// The lists that a document to load may have.
const LISTS: [(&str, Kind); 14] = [
    ("policies", Kind::Policies),
    ("namedLocations", Kind::NamedLocations),
    ("authenticationStrengths", Kind::AuthenticationStrengths),
    ("authenticationContexts", Kind::AuthenticationContexts),
    ("agreements", Kind::Agreements),
    ("groups", Kind::Groups),
    ("users", Kind::Users),
    ("servicePrincipals", Kind::ServicePrincipals),
    ("applications", Kind::Applications),
    ("roleDefinitions", Kind::RoleDefinitions),
    ("directoryAudits", Kind::DirectoryAudits),
    ("signIns", Kind::SignIns),
    ("deletedPolicies", Kind::DeletedPolicies),
    ("userRegistrationDetails", Kind::Registrations),
];

impl Tenant {
    /// Adds the objects of a document: lists under the names of collections, `members` as a map of
    /// group or role id to ids, `settings`, `securityDefaults`. Objects without an id get one; they
    /// are not validated. What becomes of each policy is filled in for sign-ins that do not say so. A policy with `"$managed": true` counts as Microsoft-managed.
    ///
    /// # Errors
    /// The document has a member that is none of these, or of the wrong shape.
    pub fn load_objects(&mut self, document: &Value) -> Result<LoadReport, SandboxError> {
        let mut report = LoadReport::default();
        let wrong = |member: &str| SandboxError::Load {
            member: member.to_owned(),
        };
        let mut lists: Vec<(&String, &Value)> = document
            .as_object()
            .ok_or_else(|| wrong("the document"))?
            .iter()
            .collect();
        // Sign-ins come last: what becomes of them depends on everything else.
        lists.sort_by_key(|(name, _)| *name == "signIns");
        for (name, value) in lists {
            if let Some((_, kind)) = LISTS.iter().find(|(list, _)| list == name) {
                for item in value.as_array().ok_or_else(|| wrong(name))? {
                    let object = self.completed(*kind, item).ok_or_else(|| wrong(name))?;
                    self.insert(*kind, object);
                    report.count(name);
                }
                continue;
            }
            match name.as_str() {
                "members" => {
                    for (container, ids) in value.as_object().ok_or_else(|| wrong(name))? {
                        let ids = ids.as_array().ok_or_else(|| wrong(name))?;
                        let ids = ids.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase);
                        *self.members_mut(container) = ids.collect();
                        report.count(name);
                    }
                }
                "settings" => {
                    self.settings = serde_json::from_value(value.clone()).map_err(|_| wrong(name))?;
                }
                "securityDefaults" => {
                    self.security_defaults = value.as_bool().ok_or_else(|| wrong(name))?;
                }
                other => return Err(wrong(other)),
            }
        }
        Ok(report)
    }

    /// Gives an object what the service would have filled in.
    fn completed(&mut self, kind: Kind, item: &Value) -> Option<Value> {
        let id = match item.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.next_id(),
        };
        let name = text(item, "displayName").to_owned();
        let nickname: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let own = self.id.clone();
        let base = match kind {
            Kind::Users => seed::new_user(&id, &name, text(item, "userPrincipalName")),
            Kind::Groups => seed::group(&id, &name, &nickname),
            Kind::ServicePrincipals => directory::service_principal(&id, text(item, "appId"), &name, &own),
            Kind::Applications => seed::application(&id, text(item, "appId"), &name),
            Kind::RoleDefinitions => seed::role(&id, &name, true),
            Kind::Agreements => seed::agreement(&id, &name),
            Kind::AuthenticationContexts => seed::context(&id, &name, ""),
            Kind::Policies | Kind::DeletedPolicies => schema::empty("conditionalAccessPolicy"),
            _ => json!({}),
        };
        let mut object = match kind {
            Kind::Policies | Kind::DeletedPolicies => stored_policy(&base, item)?,
            Kind::NamedLocations => stored_location(item)?,
            Kind::AuthenticationStrengths => stored_strength(item)?,
            Kind::SignIns => sign_ins::complete(self, &id, item)?,
            _ => overlaid(base, item)?,
        };
        object.as_object_mut()?.insert("id".to_owned(), json!(id));
        Some(object)
    }

    /// Makes stand-ins for everything that policies and locations refer to and the tenant lacks, so
    /// that the policies can be created. Locations, strengths and contexts that are themselves among
    /// the values keep their own properties.
    pub fn stub_from(&mut self, values: &[Value]) -> LoadReport {
        let mut report = LoadReport::default();
        let mut objects = Vec::new();
        for value in values {
            flatten(value, &mut objects);
        }
        for object in &objects {
            self.stub_object(object, &mut report);
        }
        for object in objects {
            if object.get("conditions").is_some_and(Value::is_object) {
                self.stub_references(object, &mut report);
            }
        }
        report
    }

    /// Takes over a location, strength or group that a file holds with its id.
    fn stub_object(&mut self, object: &Value, report: &mut LoadReport) {
        let id = text(object, "id");
        if id.is_empty() {
            return;
        }
        let location = odata_type(object).is_some_and(|kind| kind.ends_with("NamedLocation"));
        let combinations = object.get("allowedCombinations").is_some_and(Value::is_array);
        let group = object.get("securityEnabled").is_some() && object.get("mailEnabled").is_some();
        let (kind, name) = if location {
            (Kind::NamedLocations, "namedLocations")
        } else if combinations {
            (Kind::AuthenticationStrengths, "authenticationStrengths")
        } else if group {
            (Kind::Groups, "groups")
        } else {
            return;
        };
        if self.object(kind, id).is_some() {
            return;
        }
        let object = if group {
            Some(seed::group(id, text(object, "displayName"), "stub"))
        } else {
            self.completed(kind, object)
        };
        if let Some(mut object) = object {
            if combinations {
                policies::put(&mut object, "/displayName", json!(stub_strength_name(id)));
            }
            self.insert(kind, object);
            report.count(name);
        }
    }

    fn stub_references(&mut self, policy: &Value, report: &mut LoadReport) {
        let short = |id: &str| id.chars().take(8).collect::<String>();
        let listed = |places: &[&str]| -> Vec<String> {
            let ids = places.iter().flat_map(|place| strings(policy, place));
            ids.map(str::to_owned).collect()
        };
        let mut wanted: Vec<(Kind, &str, String, Value)> = Vec::new();
        for id in listed(&["/conditions/users/includeUsers", "/conditions/users/excludeUsers"]) {
            if !matches!(
                id.as_str(),
                "All" | "None" | "GuestsOrExternalUsers" | "AllAgentIdUsers"
            ) {
                let user = seed::new_user(
                    &id,
                    &format!("Stub user {}", short(&id)),
                    &format!("stub-{id}@{}", self.domain),
                );
                wanted.push((Kind::Users, "users", id, user));
            }
        }
        for id in listed(&[
            "/conditions/users/includeGroups",
            "/conditions/users/excludeGroups",
        ]) {
            let group = seed::group(
                &id,
                &format!("Stub group {}", short(&id)),
                &format!("stub-{}", short(&id)),
            );
            wanted.push((Kind::Groups, "groups", id, group));
        }
        for id in listed(&["/conditions/users/includeRoles", "/conditions/users/excludeRoles"]) {
            let role = seed::role(&id, &format!("Stub role {}", short(&id)), true);
            wanted.push((Kind::RoleDefinitions, "roleDefinitions", id, role));
        }
        for id in listed(&[
            "/conditions/locations/includeLocations",
            "/conditions/locations/excludeLocations",
        ]) {
            if !matches!(
                id.as_str(),
                "All" | "AllTrusted" | "00000000-0000-0000-0000-000000000000"
            ) {
                wanted.push((
                    Kind::NamedLocations,
                    "namedLocations",
                    id.clone(),
                    stub_location(&id, &short(&id)),
                ));
            }
        }
        for id in listed(&["/conditions/applications/includeAuthenticationContextClassReferences"]) {
            wanted.push((
                Kind::AuthenticationContexts,
                "authenticationContexts",
                id.clone(),
                seed::context(&id, &format!("Stub context {id}"), ""),
            ));
        }
        for id in listed(&["/grantControls/termsOfUse"]) {
            let agreement = seed::agreement(&id, &format!("Stub terms {}", short(&id)));
            wanted.push((Kind::Agreements, "agreements", id, agreement));
        }
        for id in listed(&[
            "/conditions/clientApplications/includeServicePrincipals",
            "/conditions/clientApplications/excludeServicePrincipals",
        ]) {
            if is_guid(&id) {
                let app = self.named_id(&format!("stub application {id}"));
                let own = self.id.clone();
                let principal =
                    directory::service_principal(&id, &app, &format!("Stub workload {}", short(&id)), &own);
                wanted.push((Kind::ServicePrincipals, "servicePrincipals", id, principal));
            }
        }
        if let Some(strength) = policy
            .pointer("/grantControls/authenticationStrength")
            .filter(|strength| strength.is_object())
        {
            let id = text(strength, "id").to_owned();
            wanted.push((
                Kind::AuthenticationStrengths,
                "authenticationStrengths",
                id.clone(),
                stub_strength(&id, strength),
            ));
        }
        for (kind, name, id, object) in wanted {
            if !id.is_empty() && self.object(kind, &id).is_none() {
                self.insert(kind, object);
                report.count(name);
            }
        }
        for id in listed(&[
            "/conditions/applications/includeApplications",
            "/conditions/applications/excludeApplications",
        ]) {
            let known = matches!(
                id.as_str(),
                "All" | "None" | "Office365" | "MicrosoftAdminPortals" | "AllAgentIdResources"
            ) || self
                .objects(Kind::ServicePrincipals)
                .any(|principal| text(principal, "appId").eq_ignore_ascii_case(&id));
            if !known {
                let key = self.named_id(&format!("service principal {id}"));
                let own = self.id.clone();
                self.insert(
                    Kind::ServicePrincipals,
                    directory::service_principal(&key, &id, &format!("Stub app {}", short(&id)), &own),
                );
                report.count("servicePrincipals");
            }
        }
    }
}

/// Finds the objects in a file: alone, in an array, in an envelope.
fn flatten<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, found)),
        Value::Object(object) => match object.get("value") {
            Some(Value::Array(items)) => items.iter().for_each(|item| flatten(item, found)),
            _ => found.push(value),
        },
        _ => {}
    }
}

fn overlaid(mut base: Value, item: &Value) -> Option<Value> {
    let given = item.as_object()?;
    base.as_object_mut()?
        .extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    Some(base)
}

fn stored_policy(base: &Value, item: &Value) -> Option<Value> {
    let mut plain = item.clone();
    let marks: Vec<(String, Value)> = [policies::MANAGED, policies::BETA_ONLY]
        .into_iter()
        .filter_map(|mark| Some((mark.to_owned(), plain.as_object_mut()?.remove(mark)?)))
        .collect();
    let accepted = schema::accept("conditionalAccessPolicy", &plain, super::call::Version::Beta).ok()?;
    let mut policy = schema::merge("conditionalAccessPolicy", base, &accepted);
    if strings(&policy, "/conditions/clientAppTypes").is_empty() {
        policies::put(&mut policy, "/conditions/clientAppTypes", json!(["all"]));
    }
    super::normalise::policy(&mut policy);
    let object = policy.as_object_mut()?;
    object.entry("createdDateTime").and_modify(|time| {
        if time.is_null() {
            *time = json!("2026-01-01T00:00:00.0000000Z");
        }
    });
    object.extend(marks);
    Some(policy)
}

fn stored_location(item: &Value) -> Option<Value> {
    let accepted = schema::accept("namedLocation", item, super::call::Version::Beta).ok()?;
    let mut location = schema::merge("namedLocation", &Value::Null, &accepted);
    let created = location
        .get("createdDateTime")
        .filter(|time| !time.is_null())
        .cloned();
    let created = created.unwrap_or_else(|| json!("2026-01-01T00:00:00.0000000Z"));
    policies::put(&mut location, "/createdDateTime", created.clone());
    if location.get("modifiedDateTime").is_none_or(Value::is_null) {
        policies::put(&mut location, "/modifiedDateTime", created);
    }
    Some(location)
}

fn stored_strength(item: &Value) -> Option<Value> {
    let accepted = schema::accept("authenticationStrengthPolicy", item, super::call::Version::Beta).ok()?;
    let mut strength = schema::merge("authenticationStrengthPolicy", &Value::Null, &accepted);
    let satisfied = strengths::satisfied(&strength);
    for (name, value) in [
        ("policyType", json!("custom")),
        ("requirementsSatisfied", json!(satisfied)),
        ("createdDateTime", json!("2026-01-01T00:00:00.0000000Z")),
        ("modifiedDateTime", json!("2026-01-01T00:00:00.0000000Z")),
    ] {
        if strength.get(name).is_none_or(Value::is_null) {
            policies::put(&mut strength, &format!("/{name}"), value);
        }
    }
    Some(strength)
}

fn stub_location(id: &str, short: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": id,
        "displayName": format!("Stub location {short}"),
        "createdDateTime": "2026-01-01T00:00:00.0000000Z",
        "modifiedDateTime": "2026-01-01T00:00:00.0000000Z",
        "deletedDateTime": null,
        "isTrusted": false,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
    })
}

/// A name of its own: names of strengths are unique, and the one in the file shall still be free for
/// whoever makes the strength from it.
fn stub_strength_name(id: &str) -> String {
    format!("Stub strength {}", id.chars().take(8).collect::<String>())
}

fn stub_strength(id: &str, strength: &Value) -> Value {
    let mut given = strength.clone();
    let bare = given
        .get("allowedCombinations")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    if let (true, Some(object)) = (bare, given.as_object_mut()) {
        object.insert(
            "allowedCombinations".to_owned(),
            json!(["windowsHelloForBusiness", "fido2"]),
        );
    }
    let mut stored = stored_strength(&given)
        .unwrap_or_else(|| json!({"allowedCombinations": ["fido2"], "policyType": "custom"}));
    policies::put(
        &mut stored,
        "/displayName",
        json!(format!(
            "Stub strength {}",
            id.chars().take(8).collect::<String>()
        )),
    );
    policies::put(&mut stored, "/id", json!(id));
    stored
}
