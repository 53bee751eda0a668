//! Random policies over few names, so that they meet. Used from `tests/agreement.rs` as well.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

/// A stream of numbers, the same for the same seed (splitmix64).
pub(crate) struct Random(u64);

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
/// How somebody can be external, in Graph's words.
pub(crate) const KINDS: [&str; 6] = [
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
];
const RISKS: [&str; 4] = ["none", "low", "medium", "high"];
pub(crate) const PLATFORMS: [&str; 6] = ["android", "iOS", "windows", "windowsPhone", "macOS", "linux"];

pub(crate) const ADDRESSES: [&str; 8] = [
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
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    /// True in this many of a hundred cases.
    pub(crate) fn maybe(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Up to `most` of them, perhaps none.
    pub(crate) fn some(&mut self, of: &[&str], most: usize) -> Vec<String> {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| self.one(of).to_owned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// At least one of them.
    pub(crate) fn at_least_one(&mut self, of: &[&str], most: usize) -> Vec<String> {
        let mut all = self.some(of, most - 1);
        let one = self.one(of).to_owned();
        if !all.contains(&one) {
            all.push(one);
        }
        all
    }

    pub(crate) fn filter(&mut self, rules: &[&str]) -> Json {
        let mut rule = self.one(rules).to_owned();
        if self.maybe(30) {
            let word = self.one(&["-and", "-or"]);
            rule = format!("({rule}) {word} ({})", self.one(rules));
        }
        json!({ "mode": self.one(&["include", "exclude"]), "rule": rule })
    }

    fn guests(&mut self) -> Json {
        let kinds = self.at_least_one(&KINDS, 3).join(",");
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

    pub(crate) fn policy(&mut self, id: &str) -> Json {
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
}

/// The locations that random policies name, but for one that is gone; one of these may have moved.
pub(crate) fn locations(has_moved: bool) -> [Json; 4] {
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
    [
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
    ]
}
