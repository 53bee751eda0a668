//! Random policies and sign-ins over few names, so that they meet.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::access::{ClientApp, Device, Directory, Estate, ExternalUser, Fact, Identity, Resource, SignIn};

/// A stream of numbers, the same for the same seed (splitmix64).
pub(in crate::access) struct Random(u64);

const RULES: [&str; 14] = [
    "device.isCompliant -eq True",
    "device.isCompliant -ne True",
    "device.trustType -eq \"ServerAD\" -or device.isCompliant -eq True",
    "device.displayName -startsWith \"PAW-\"",
    "device.displayName -contains \"aw-x\" -and device.trustType -ne \"Workplace\"",
    "device.displayName -notEndsWith \"x\"",
    "device.model -in [\"Surface\", \"Mac\"]",
    "device.model -ne \"surface\"",
    "device.extensionAttribute1 -eq \"SAW\"",
    "-not (device.extensionAttribute1 -startsWith \"S\")",
    "device.physicalIds -contains \"[OrderId]:1\"",
    "device.systemLabels -notContains \"CloudPC\"",
    "device.newThing -eq \"x\"",
    "device.operatingSystem -eq null",
];
const ATTRIBUTES: [&str; 4] = [
    "CustomSecurityAttribute.Set_Tier -eq \"one\"",
    "CustomSecurityAttribute.Set_Tier -ne \"one\"",
    "CustomSecurityAttribute.Set_Tier -contains \"w\" -or CustomSecurityAttribute.Set_Area -eq \"hr\"",
    "CustomSecurityAttribute.Set_Area -in [\"hr\", \"it\"]",
];
const RISKS: [&str; 4] = ["none", "low", "medium", "high"];
const PLATFORMS: [&str; 6] = ["android", "iOS", "windows", "windowsPhone", "macOS", "linux"];
const COUNTRIES: [&str; 4] = ["DK", "SE", "BR", "JP"];
const ADDRESSES: [&str; 8] = [
    "10.0.0.1",
    "10.0.0.200",
    "10.0.1.1",
    "192.0.2.7",
    "203.0.113.9",
    "2001:db8::1",
    "2001:db8:1::1",
    "::ffff:10.0.0.1",
];

impl Random {
    pub(in crate::access) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(in crate::access) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    /// True in this many of a hundred cases.
    pub(in crate::access) fn maybe(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(in crate::access) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Up to `most` of them, perhaps none.
    fn some(&mut self, of: &[&str], most: usize) -> Vec<String> {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| self.one(of).to_owned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// At least one of them.
    fn at_least_one(&mut self, of: &[&str], most: usize) -> Vec<String> {
        let mut all = self.some(of, most - 1);
        let one = self.one(of).to_owned();
        if !all.contains(&one) {
            all.push(one);
        }
        all
    }

    fn filter(&mut self, rules: &[&str]) -> Json {
        let mut rule = self.one(rules).to_owned();
        if self.maybe(30) {
            let word = self.one(&["-and", "-or"]);
            rule = format!("({rule}) {word} ({})", self.one(rules));
        }
        json!({ "mode": self.one(&["include", "exclude"]), "rule": rule })
    }

    fn guests(&mut self) -> Json {
        let kinds = self
            .at_least_one(&ExternalUser::kinds().collect::<Vec<_>>(), 3)
            .join(",");
        let tenants = if self.maybe(50) {
            json!({ "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all" })
        } else {
            json!({
                "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
                "membershipKind": "enumerated",
                "members": self.at_least_one(&["t1", "t2"], 2),
            })
        };
        json!({ "guestOrExternalUserTypes": kinds, "externalTenants": tenants })
    }

    fn users(&mut self) -> Json {
        let all = self.maybe(40);
        let mut users = json!({
            "includeUsers": if all { vec!["All".to_owned()] } else { self.some(&["u1", "u2", "GuestsOrExternalUsers"], 2) },
            "includeGroups": self.some(&["g1", "g2", "g3"], 2),
            "includeRoles": self.some(&["r1", "r2"], 1),
            "excludeUsers": self.some(&["u1", "u2", "u3", "GuestsOrExternalUsers"], 1),
            "excludeGroups": self.some(&["g1", "g2", "g3", "g4"], 2),
            "excludeRoles": self.some(&["r1", "r2"], 1),
        });
        if self.maybe(25) {
            users["includeGuestsOrExternalUsers"] = self.guests();
        }
        if self.maybe(20) {
            users["excludeGuestsOrExternalUsers"] = self.guests();
        }
        if self.maybe(10) {
            users["includeUsers"] = json!(["AllAgentIdUsers"]);
        }
        users
    }

    fn conditions(&mut self) -> Json {
        let mut conditions = json!({ "clientAppTypes": ["all"] });
        match self.below(10) {
            0 => {
                conditions["clientApplications"] = json!({
                    "includeServicePrincipals": self.some(&["ServicePrincipalsInMyTenant", "s1", "s2"], 2),
                    "excludeServicePrincipals": self.some(&["s1", "s2"], 1),
                });
                if self.maybe(40) {
                    conditions["clientApplications"]["servicePrincipalFilter"] = self.filter(&ATTRIBUTES);
                }
            }
            1 => {
                conditions["clientApplications"] = json!({
                    "includeAgentIdServicePrincipals": self.some(&["All", "x1", "x2"], 2),
                    "excludeAgentIdServicePrincipals": self.some(&["x1", "x2"], 1),
                });
            }
            _ => conditions["users"] = self.users(),
        }
        conditions["applications"] = match self.below(8) {
            0 => json!({ "includeUserActions": ["urn:user:registersecurityinfo"] }),
            1 => {
                json!({ "includeAuthenticationContextClassReferences": self.at_least_one(&["c1", "c2"], 2) })
            }
            _ => {
                let all = self.maybe(60);
                let mut applications = json!({
                    "includeApplications": if all { vec!["All".to_owned()] } else { self.at_least_one(&["a1", "a2", "Office365", "MicrosoftAdminPortals"], 2) },
                    "excludeApplications": self.some(&["a1", "a2", "a3", "Office365"], 1),
                });
                if self.maybe(15) {
                    applications["applicationFilter"] = self.filter(&ATTRIBUTES);
                }
                applications
            }
        };
        if self.maybe(25) {
            conditions["clientAppTypes"] = json!(self.at_least_one(
                &[
                    "browser",
                    "mobileAppsAndDesktopClients",
                    "exchangeActiveSync",
                    "other"
                ],
                4
            ));
        }
        if self.maybe(25) {
            let all = self.maybe(50);
            conditions["platforms"] = json!({
                "includePlatforms": if all { vec!["all".to_owned()] } else { self.at_least_one(&PLATFORMS, 3) },
                "excludePlatforms": self.some(&PLATFORMS, 3),
            });
        }
        if self.maybe(35) {
            let named = [
                "l1",
                "l2",
                "l3",
                "l4",
                "gone",
                "AllTrusted",
                "00000000-0000-0000-0000-000000000000",
            ];
            let all = self.maybe(50);
            conditions["locations"] = json!({
                "includeLocations": if all { vec!["All".to_owned()] } else { self.at_least_one(&named, 3) },
                "excludeLocations": self.some(&named, 2),
            });
        }
        if self.maybe(25) {
            conditions["devices"] = json!({ "deviceFilter": self.filter(&RULES) });
        }
        for (member, percent) in [
            ("userRiskLevels", 15),
            ("signInRiskLevels", 15),
            ("servicePrincipalRiskLevels", 8),
        ] {
            if self.maybe(percent) {
                conditions[member] = json!(self.at_least_one(&RISKS, 2));
            }
        }
        if self.maybe(6) {
            conditions["agentIdRiskLevels"] =
                json!(self.at_least_one(&["low", "medium", "high"], 2).join(","));
        }
        if self.maybe(10) {
            conditions["insiderRiskLevels"] =
                json!(self.at_least_one(&["minor", "moderate", "elevated"], 2).join(","));
        }
        if self.maybe(10) {
            let flows = self.at_least_one(&["deviceCodeFlow", "authenticationTransfer"], 2);
            conditions["authenticationFlows"] = json!({ "transferMethods": flows.join(",") });
        }
        if self.maybe(5) {
            conditions["brandNewCondition"] = json!({ "is": "here" });
        }
        conditions
    }

    pub(in crate::access) fn policy(&mut self, id: &str) -> Json {
        let mut policy = json!({
            "id": id,
            "displayName": format!("policy {id}"),
            "state": self.one(&["enabled", "enabled", "enabled", "enabledForReportingButNotEnforced", "disabled"]),
            "conditions": self.conditions(),
        });
        if self.maybe(85) {
            let controls = self.at_least_one(
                &["mfa", "compliantDevice", "domainJoinedDevice", "passwordChange"],
                2,
            );
            policy["grantControls"] = if self.maybe(25) {
                json!({ "operator": "OR", "builtInControls": ["block"] })
            } else if self.maybe(20) {
                json!({
                    "operator": self.one(&["AND", "OR"]),
                    "builtInControls": self.some(&["compliantDevice"], 1),
                    "authenticationStrength": { "id": self.one(&[
                        "00000000-0000-0000-0000-000000000002",
                        "00000000-0000-0000-0000-000000000003",
                        "00000000-0000-0000-0000-000000000004",
                    ]) },
                })
            } else {
                json!({ "operator": self.one(&["AND", "OR"]), "builtInControls": controls })
            };
        }
        if policy.get("grantControls").is_none() || self.maybe(15) {
            let hours = self.below(3) + 1;
            policy["sessionControls"] = json!({
                "signInFrequency": { "isEnabled": true, "type": "hours", "value": hours, "frequencyInterval": "timeBased", "authenticationType": "primaryAndSecondaryAuthentication" },
            });
        }
        policy
    }

    /// Up to seven policies, with the locations that they name; one location is gone.
    pub(in crate::access) fn estate(&mut self) -> Estate {
        let count = self.below(7) + 1;
        let policies: Vec<Json> = (0..count)
            .map(|place| self.policy(&format!("p{place}")))
            .collect();
        estate_of(&policies, false)
    }

    /// Policies, and what they may become: dropped, added, switched, or with other conditions, grants and sessions.
    pub(in crate::access) fn change(&mut self) -> (Vec<Json>, Vec<Json>) {
        let count = self.below(6) + 1;
        let before: Vec<Json> = (0..count)
            .map(|place| self.policy(&format!("p{place}")))
            .collect();
        let mut after = Vec::new();
        for (place, policy) in before.iter().enumerate() {
            let mut policy = policy.clone();
            let other = self.policy(&format!("p{place}"));
            match self.below(10) {
                0 => continue,
                1 => policy = other,
                2 => policy["grantControls"] = other["grantControls"].clone(),
                3 => policy["sessionControls"] = other["sessionControls"].clone(),
                4 => policy["state"] = other["state"].clone(),
                5 | 6 => {
                    let member = self.one(&[
                        "users",
                        "applications",
                        "locations",
                        "devices",
                        "platforms",
                        "clientAppTypes",
                        "userRiskLevels",
                    ]);
                    if let Some(condition) = other["conditions"].get(member) {
                        policy["conditions"][member] = condition.clone();
                    }
                }
                _ => {}
            }
            after.push(policy);
        }
        if self.maybe(20) {
            after.push(self.policy("new"));
        }
        (before, after)
    }

    /// A few people with known membership.
    pub(in crate::access) fn directory(&mut self) -> Directory {
        let users: Vec<Json> = (0..8)
            .map(|place| {
                let mut user = json!({
                    "id": format!("u{place}"),
                    "memberOf": self.some(&["g1", "g2", "g3", "g4"], 3),
                    "roles": self.some(&["r1", "r2"], 2),
                });
                if self.maybe(40) {
                    user["externalUserType"] = json!(self.one(&ExternalUser::kinds().collect::<Vec<_>>()));
                    user["externalTenantId"] = json!(self.one(&["t1", "t2", "t3"]));
                }
                user
            })
            .collect();
        let groups = ["g1", "g2", "g3", "g4"].map(|id| json!({ "id": id }));
        let principals = ["s1", "s2", "s3"].map(|id| json!({ "id": id }));
        Directory::from_json(&json!({ "users": users, "groups": groups, "servicePrincipals": principals }))
            .unwrap()
    }

    fn set(&mut self, of: &[&str], most: usize) -> Fact<BTreeSet<String>> {
        Fact::Is(self.some(of, most).into_iter().collect())
    }

    fn attributes(&mut self) -> Fact<BTreeMap<String, BTreeSet<String>>> {
        let mut all = BTreeMap::new();
        if self.maybe(60) {
            all.insert(
                "Set_Tier".to_owned(),
                self.some(&["one", "two", "ww"], 2).into_iter().collect(),
            );
        }
        if self.maybe(60) {
            all.insert(
                "Set_Area".to_owned(),
                BTreeSet::from([self.one(&["hr", "it", "x"]).to_owned()]),
            );
        }
        Fact::Is(all)
    }

    fn person(&mut self, directory: Option<&Directory>) -> Identity {
        if let Some(directory) = directory {
            let all: Vec<&Identity> = directory.users().collect();
            return all[self.below(all.len())].clone();
        }
        Identity::User {
            id: self.one(&["u1", "u2", "u3", "u4"]).to_owned(),
            groups: self.set(&["g1", "g2", "g3", "g4", "g5"], 3),
            roles: self.set(&["r1", "r2", "r3"], 2),
            external: if self.maybe(40) {
                let kind = self.one(&ExternalUser::kinds().collect::<Vec<_>>()).to_owned();
                let tenant = match kind.as_str() {
                    "internalGuest" => Fact::Absent,
                    _ => Fact::Is(self.one(&["t1", "t2", "t3"]).to_owned()),
                };
                Fact::Is(ExternalUser { kind, tenant })
            } else {
                Fact::Absent
            },
        }
    }

    fn device(&mut self) -> Fact<Device> {
        if self.maybe(20) {
            return Fact::Absent;
        }
        let mut device = Device::default().with("deviceId", "d");
        for (property, values) in [
            ("isCompliant", &["True", "False"][..]),
            ("trustType", &["ServerAD", "AzureAD", "Workplace"]),
            ("displayName", &["PAW-X1", "paw-y", "saw-x", "x", "paw-"]),
            ("model", &["surface", "Mac", "other"]),
            ("extensionAttribute1", &["SAW", "S", "t"]),
            ("physicalIds", &["[OrderId]:1", "[OrderId]:2"]),
            ("systemLabels", &["CloudPC", "x"]),
            ("mdmAppId", &["m"]),
            ("operatingSystem", &["Windows"]),
        ] {
            if self.maybe(50) {
                device = device.with(property, self.one(values));
                if property == "physicalIds" && self.maybe(30) {
                    device = device.with(property, self.one(values));
                }
            }
        }
        Fact::Is(device)
    }

    fn level(&mut self, words: &[&str], percent: usize) -> Fact<String> {
        if self.maybe(percent) {
            Fact::Is(self.one(words).to_owned())
        } else {
            Fact::Absent
        }
    }

    /// A sign-in of which everything is recorded.
    pub(in crate::access) fn sign_in(&mut self, directory: Option<&Directory>) -> SignIn {
        let resource = match self.below(8) {
            0 => Resource::Action(
                self.one(&["urn:user:registersecurityinfo", "urn:user:registerdevice"])
                    .to_owned(),
            ),
            1 => Resource::Context(self.one(&["c1", "c2"]).to_owned()),
            _ => {
                let id = self
                    .one(&[
                        "a1",
                        "a2",
                        "a3",
                        "a4",
                        "00000003-0000-0ff1-ce00-000000000000",
                        "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
                    ])
                    .to_owned();
                let attributes = match self.attributes() {
                    Fact::Is(all) if self.maybe(70) => Fact::Is([(id.clone(), all)].into()),
                    _ => Fact::Absent,
                };
                Resource::Applications {
                    ids: BTreeSet::from([id]),
                    attributes,
                }
            }
        };
        let kind = self.below(10);
        let identity = match kind {
            0 | 1 => match directory {
                Some(directory) => {
                    let all: Vec<&Identity> = directory.service_principals().collect();
                    all[self.below(all.len())].clone()
                }
                None => Identity::ServicePrincipal {
                    id: self.one(&["s1", "s2", "s3"]).to_owned(),
                    owned: if self.maybe(70) {
                        Fact::Is(())
                    } else {
                        Fact::Absent
                    },
                    attributes: self.attributes(),
                },
            },
            2 => Identity::Agent {
                id: self.one(&["x1", "x2", "x3"]).to_owned(),
                attributes: Fact::Absent,
            },
            3 => Identity::AgentUser {
                id: self.one(&["x1", "x2", "x3"]).to_owned(),
                attributes: Fact::Absent,
            },
            _ => self.person(directory),
        };
        let mut sign_in = SignIn::new(identity, resource);
        let network = &mut sign_in.network;
        network.told = self.set(&["gone"], 1);
        network.ip = Fact::Is(self.one(&ADDRESSES).parse().unwrap());
        network.country = if self.maybe(80) {
            Fact::Is(self.one(&COUNTRIES).to_owned())
        } else {
            Fact::Absent
        };
        network.gps_country = if self.maybe(50) {
            Fact::Is(self.one(&COUNTRIES).to_owned())
        } else {
            Fact::Absent
        };
        network.compliant = if self.maybe(20) {
            Fact::Is(())
        } else {
            Fact::Absent
        };
        network.mfa_trusted = if self.maybe(20) {
            Fact::Is(())
        } else {
            Fact::Absent
        };
        match kind {
            0 | 1 => sign_in.service_principal_risk = self.level(&["low", "medium", "high"], 50),
            2 | 3 => sign_in.agent_risk = self.level(&["low", "medium", "high"], 50),
            _ => {
                sign_in.client_app = Fact::Is(ClientApp::ALL[self.below(4)]);
                sign_in.platform = self.level(&PLATFORMS, 80);
                sign_in.device = self.device();
                sign_in.user_risk = self.level(&["low", "medium", "high"], 50);
                sign_in.sign_in_risk = self.level(&["low", "medium", "high"], 50);
                sign_in.insider_risk = self.level(&["minor", "moderate", "elevated"], 50);
                sign_in.authentication_flow = self.level(&["deviceCodeFlow", "authenticationTransfer"], 40);
            }
        }
        sign_in
    }
}

/// The estate of these policies and of the locations that random policies name; one of these may have moved.
pub(in crate::access) fn estate_of(policies: &[Json], has_moved: bool) -> Estate {
    let mut estate = Estate::default();
    let range = |range: &str| {
        let kind = if range.contains(':') {
            "iPv6CidrRange"
        } else {
            "iPv4CidrRange"
        };
        json!({ "@odata.type": format!("#microsoft.graph.{kind}"), "cidrAddress": range })
    };
    let ip = |id: &str, trusted: bool, ranges: &[&str]| {
        json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": id, "isTrusted": trusted,
            "ipRanges": ranges.iter().map(|text| range(text)).collect::<Vec<_>>(),
        })
    };
    let country = |id: &str, method: &str, unknown: bool, countries: &[&str]| {
        json!({
            "@odata.type": "#microsoft.graph.countryNamedLocation", "id": id, "displayName": id,
            "countriesAndRegions": countries, "includeUnknownCountriesAndRegions": unknown, "countryLookupMethod": method,
        })
    };
    for location in [
        ip(
            "l1",
            has_moved,
            if has_moved {
                &["10.0.0.0/26", "203.0.113.0/24"]
            } else {
                &["10.0.0.0/24", "2001:db8::/48"]
            },
        ),
        ip("l4", true, &["10.0.0.128/25", "192.0.2.0/24", "2001:db8:1::/48"]),
        country("l2", "clientIpAddress", true, &["DK", "BR"]),
        country("l3", "authenticatorAppGps", false, &["BR", "SE"]),
    ] {
        estate.add_location(&location).unwrap();
    }
    for policy in policies {
        estate.add_policy(policy).unwrap();
    }
    estate
}
