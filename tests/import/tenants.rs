//! Random tenants, as odd as real ones get.

use capol::sandbox::{Kind, Tenant};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

/// A tenant beside what Contoso has.
#[derive(Debug, Clone)]
pub(super) struct Extra {
    users: Vec<Value>,
    groups: Vec<Value>,
    apps: Vec<Value>,
    locations: Vec<Value>,
    strengths: Vec<Value>,
    contexts: Vec<Value>,
    policies: Vec<Value>,
    security_defaults: bool,
}

/// Names that repeat, that look like something else, and that no file should be broken by.
const NAMES: [&str; 20] = [
    "Require MFA",
    "require mfa",
    "CA001 \"quoted\" ${x} %{if true} $${y}",
    "line\nbreak and\ttab",
    "🚀 emoji 👩‍💻",
    "قسم المالية",
    "\u{202e}desrever\u{202c}",
    " padded ",
    "c5",
    "all",
    "<BreakGlassGroup>",
    "REPLACE-WITH-GROUP-ID",
    "11111111-2222-4333-8444-555555555555",
    "O'Neil & sons",
    "back\\slash",
    "# comment */ // /*",
    "Multifactor authentication",
    "Global Administrator",
    "office365",
    "Microsoft-managed: Block legacy authentication",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&NAMES[..]).prop_map(str::to_owned),
        1 => "[A-Za-z0-9 _:|-]{1,40}".prop_map(|name| format!("N{name}")),
        1 => Just("very long ".repeat(24)),
    ]
}

fn id(kind: u32, number: usize) -> String {
    format!("{kind:08x}-aaaa-4bbb-8ccc-{number:012x}")
}

fn user(number: usize, name: &str, mail_of: Option<usize>) -> Value {
    let account = format!("user{number}@contoso.com");
    let mail = mail_of.map_or_else(|| account.clone(), |other| format!("user{other}@contoso.com"));
    json!({"id": id(1, number), "displayName": name, "userPrincipalName": account, "mail": mail,
        "accountEnabled": true, "userType": "Member", "createdDateTime": "2026-01-01T00:00:00Z"})
}

fn group(number: usize, name: &str) -> Value {
    json!({"id": id(2, number), "displayName": name, "mailEnabled": false, "mailNickname": format!("g{number}"),
        "securityEnabled": true, "groupTypes": [], "description": null})
}

fn app(number: usize, name: &str) -> Value {
    json!({"id": id(3, number), "appId": id(4, number), "displayName": name, "servicePrincipalType": "Application",
        "accountEnabled": true, "appOwnerOrganizationId": null})
}

fn location(number: usize, name: &str, form: usize) -> Value {
    let ip = |trusted: bool, ranges: &[&str]| {
        let ranges: Vec<Value> = ranges
            .iter()
            .map(|range| {
                let kind = if range.contains(':') {
                    "iPv6CidrRange"
                } else {
                    "iPv4CidrRange"
                };
                json!({"@odata.type": format!("#microsoft.graph.{kind}"), "cidrAddress": range})
            })
            .collect();
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": trusted, "ipRanges": ranges})
    };
    let mut location = match form % 4 {
        0 => ip(true, &["203.0.113.0/24", "2001:db8::/32"]),
        1 => ip(false, &["198.51.100.7/24"]),
        2 => {
            json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "countriesAndRegions": ["DK", "SE"],
            "countryLookupMethod": "clientIpAddress", "includeUnknownCountriesAndRegions": true})
        }
        _ => json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "countriesAndRegions": ["XK"],
            "countryLookupMethod": "authenticatorAppGps", "includeUnknownCountriesAndRegions": false}),
    };
    let map = location.as_object_mut().unwrap();
    map.insert("id".into(), json!(id(5, number)));
    map.insert("displayName".into(), json!(name));
    map.insert("createdDateTime".into(), json!("2026-01-01T00:00:00Z"));
    map.insert("modifiedDateTime".into(), json!("2026-01-01T00:00:00Z"));
    location
}

fn strength(number: usize, name: &str, configured: bool) -> Value {
    let configurations = if configured {
        json!([{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "id": id(7, number),
            "appliesToCombinations": ["fido2"], "allowedAAGUIDs": ["de1e552d-db1d-4423-a619-566b625cdc84"]}])
    } else {
        json!([])
    };
    json!({"id": id(6, number), "displayName": name, "description": "", "policyType": "custom",
        "requirementsSatisfied": "mfa", "allowedCombinations": ["fido2", "password,sms"],
        "combinationConfigurations": configurations,
        "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": "2026-01-01T00:00:00Z"})
}

/// What a policy may refer to.
#[derive(Debug, Clone)]
struct Ids {
    users: Vec<String>,
    groups: Vec<String>,
    apps: Vec<String>,
    principals: Vec<String>,
    locations: Vec<String>,
    strengths: Vec<String>,
    contexts: Vec<String>,
}

const ROLES: [&str; 3] = [
    "62e90394-69f5-4237-9190-012177145e10",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
    "d29b2b05-8046-44ba-8758-1e26182fcf32",
];

fn some(all: &[String]) -> BoxedStrategy<Vec<String>> {
    let most = all.len().min(4);
    subsequence(all.to_vec(), 0..=most).boxed()
}

fn guests() -> Value {
    json!({"guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest", "externalTenants":
        {"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated",
         "members": ["3d3d3d3d-0000-4000-8000-00000000000a"]}})
}

fn users(ids: &Ids) -> BoxedStrategy<Value> {
    let roles: Vec<String> = ROLES.iter().map(|role| (*role).to_owned()).collect();
    let excluded = (some(&ids.users), some(&ids.groups), some(&roles));
    (0..5_usize, some(&ids.users), some(&ids.groups), excluded)
        .prop_map(|(form, users, groups, (no_users, no_groups, no_roles))| {
            let mut value = json!({"includeUsers": ["All"], "excludeUsers": no_users, "includeGroups": [],
                "excludeGroups": no_groups, "includeRoles": [], "excludeRoles": no_roles});
            match form {
                0 | 1 => {}
                2 => {
                    value["includeUsers"] = json!(users);
                    value["includeGroups"] = json!(groups);
                    value["includeRoles"] = json!([ROLES[0]]);
                }
                3 => value["includeUsers"] = json!(["GuestsOrExternalUsers"]),
                _ => {
                    value["includeUsers"] = json!([]);
                    value["includeGuestsOrExternalUsers"] = guests();
                }
            }
            value
        })
        .boxed()
}

fn targets(ids: &Ids) -> BoxedStrategy<Value> {
    let contexts = ids.contexts.clone();
    (0..5_usize, some(&ids.apps), some(&ids.apps))
        .prop_map(move |(form, mut apps, excluded)| match form {
            0 => json!({"includeApplications": ["All"], "excludeApplications": excluded}),
            1 => json!({"includeApplications": ["Office365", "797f4846-ba00-4fd7-ba43-dac1f8f63013"]}),
            2 if !contexts.is_empty() => {
                json!({"includeApplications": [], "includeAuthenticationContextClassReferences": contexts})
            }
            3 => json!({"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]}),
            _ => {
                apps.push("00000002-0000-0ff1-ce00-000000000000".to_owned());
                json!({"includeApplications": apps})
            }
        })
        .boxed()
}

fn controls(ids: &Ids) -> BoxedStrategy<(Value, Value)> {
    let strengths = ids.strengths.clone();
    let sessions = select(vec![
        Value::Null,
        json!({"signInFrequency": {"isEnabled": true, "value": 4, "type": "hours",
            "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased"}}),
        json!({"persistentBrowser": {"isEnabled": true, "mode": "never"}}),
    ]);
    (0..6_usize, any::<prop::sample::Index>(), sessions)
        .prop_map(move |(form, which, session)| {
            let built_in =
                |operator: &str, names: &[&str]| json!({"operator": operator, "builtInControls": names});
            let grant = match form {
                0 => built_in("OR", &["block"]),
                1 => built_in("AND", &["mfa", "compliantDevice"]),
                2 => built_in("OR", &["controlOfTomorrow"]),
                3 => json!({"operator": "OR", "builtInControls": [],
                    "authenticationStrength": {"id": strengths[which.index(strengths.len())]}}),
                4 => built_in("OR", &["mfa", "compliantDevice", "domainJoinedDevice"]),
                _ => built_in("OR", &["mfa"]),
            };
            (grant, session)
        })
        .boxed()
}

fn conditions(ids: &Ids) -> BoxedStrategy<Value> {
    let none: BoxedStrategy<Value> = Just(Value::Null).boxed();
    let places = some(&ids.locations)
        .prop_map(|mut places| {
            places.push("AllTrusted".to_owned());
            json!({"includeLocations": ["All"], "excludeLocations": places})
        })
        .boxed();
    let platforms = json!({"includePlatforms": ["all"], "excludePlatforms": ["linux", "android"]});
    let devices =
        json!({"deviceFilter": {"mode": "exclude", "rule": "device.displayName -eq \"a ${c} %{d}\""}});
    (
        prop_oneof![none.clone(), places],
        prop_oneof![none.clone(), Just(platforms)],
        prop_oneof![none, Just(devices)],
        select(vec![json!(["all"]), json!(["browser", "exchangeActiveSync"]), json!(["other", "easSupported"])]),
        select(vec![json!([]), json!(["high"]), json!(["medium", "low"])]),
    )
        .prop_map(|(locations, platforms, devices, clients, risk)| {
            json!({"locations": locations, "platforms": platforms, "devices": devices, "clientAppTypes": clients,
                "signInRiskLevels": risk, "userRiskLevels": []})
        })
        .boxed()
}

fn policy(ids: &Ids) -> BoxedStrategy<Value> {
    let state = prop_oneof![
        4 => Just("enabled"),
        2 => Just("disabled"),
        2 => Just("enabledForReportingButNotEnforced"),
        1 => Just("enabledForSomeOfTomorrow"),
    ];
    let bots = ids.principals.clone();
    let audience = prop_oneof![
        5 => (users(ids), targets(ids)).prop_map(|(users, apps)| (users, apps, Value::Null)),
        1 => Just((
            json!({"includeUsers": ["None"]}),
            json!({"includeApplications": ["All"]}),
            json!({"includeServicePrincipals": bots}),
        )),
    ];
    (name(), state, audience, controls(ids), conditions(ids), any::<bool>())
        .prop_map(|(name, state, (users, apps, workloads), (grant, session), conditions, templated)| {
            let mut conditions = conditions;
            conditions["users"] = users;
            conditions["applications"] = apps;
            let mut grant = grant;
            if !workloads.is_null() {
                conditions = json!({"users": conditions["users"], "applications": conditions["applications"],
                    "clientAppTypes": ["all"], "clientApplications": workloads});
                grant = json!({"operator": "OR", "builtInControls": ["block"]});
            }
            json!({"displayName": name, "state": state, "conditions": conditions,
                "grantControls": grant, "sessionControls": session,
                "templateId": templated.then_some("c7503427-338e-4c5e-902d-abe252abfb43"),
                "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": null})
        })
        .boxed()
}

fn numbered<T>(names: &[String], make: impl Fn(usize, &str) -> T) -> Vec<T> {
    names
        .iter()
        .enumerate()
        .map(|(number, name)| make(number, name))
        .collect()
}

fn ids(values: &[Value], member: &str) -> Vec<String> {
    values
        .iter()
        .map(|value| value[member].as_str().unwrap().to_owned())
        .collect()
}

/// Any tenant with at most so many policies.
pub(super) fn tenant(most: usize) -> impl Strategy<Value = Extra> {
    let names = |most: usize| prop::collection::vec(name(), 0..=most);
    let contexts = subsequence((1..=99_usize).collect::<Vec<_>>(), 0..4);
    (
        (names(4), prop::option::of(0..3_usize)),
        names(5),
        names(4),
        (names(5), 0..4_usize),
        (prop::collection::btree_set(name(), 0..=3), any::<bool>()),
        (contexts, names(4)),
        any::<bool>(),
    )
        .prop_flat_map(
            move |(
                (users, mail),
                groups,
                apps,
                (locations, form),
                (strengths, configured),
                contexts,
                defaults,
            )| {
                let users = numbered(&users, |number, name| {
                    user(number, name, mail.filter(|_| number == 1))
                });
                let groups = numbered(&groups, group);
                let apps = numbered(&apps, app);
                let locations = numbered(&locations, |number, name| location(number, name, form + number));
                let strengths: Vec<String> = strengths.into_iter().collect();
                let strengths = numbered(&strengths, |number, name| strength(number, name, configured));
                let contexts: Vec<Value> = contexts
                    .0
                    .iter()
                    .zip(contexts.1.iter().cycle())
                    .map(|(number, name)| {
                        json!({"id": format!("c{number}"), "displayName": name, "description": "",
                    "isAvailable": number % 2 == 0})
                    })
                    .collect();
                let gone = |mut ids: Vec<String>| {
                    ids.extend([id(9, 1), id(9, 2)]);
                    ids
                };
                let known = Ids {
                    users: gone(ids(&users, "id")),
                    groups: gone(ids(&groups, "id")),
                    apps: gone(ids(&apps, "appId")),
                    principals: gone(ids(&apps, "id")),
                    locations: ids(&locations, "id"),
                    strengths: {
                        let mut all = ids(&strengths, "id");
                        all.push("00000000-0000-0000-0000-000000000004".to_owned());
                        all
                    },
                    contexts: ids(&contexts, "id"),
                };
                let policies = prop::collection::vec(policy(&known), 0..=most);
                policies.prop_map(move |mut policies| {
                    for (number, policy) in policies.iter_mut().enumerate() {
                        policy["id"] = json!(id(8, number));
                    }
                    Extra {
                        users: users.clone(),
                        groups: groups.clone(),
                        apps: apps.clone(),
                        locations: locations.clone(),
                        strengths: strengths.clone(),
                        contexts: contexts.clone(),
                        policies,
                        security_defaults: defaults,
                    }
                })
            },
        )
}

impl Extra {
    /// Contoso with all of it.
    pub(super) fn tenant(&self) -> Tenant {
        let mut tenant = Tenant::contoso();
        for (kind, values) in [
            (Kind::Users, &self.users),
            (Kind::Groups, &self.groups),
            (Kind::ServicePrincipals, &self.apps),
            (Kind::NamedLocations, &self.locations),
            (Kind::AuthenticationStrengths, &self.strengths),
            (Kind::AuthenticationContexts, &self.contexts),
            (Kind::Policies, &self.policies),
        ] {
            for value in values {
                tenant.insert(kind, value.clone());
            }
        }
        tenant.set_security_defaults(self.security_defaults);
        tenant
    }
}
