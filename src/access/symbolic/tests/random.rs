//! Random estates, directories and sign-ins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

pub(in crate::access) use super::policies::Random;
use super::policies::{ADDRESSES, KINDS, PLATFORMS, locations};
use crate::access::{ClientApp, Device, Directory, Estate, ExternalUser, Fact, Identity, Resource, SignIn};

const COUNTRIES: [&str; 4] = ["DK", "SE", "BR", "JP"];

impl Random {
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
                    user["externalUserType"] = json!(self.one(&KINDS));
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
                let kind = self.one(&KINDS).to_owned();
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
    for location in locations(has_moved) {
        estate.add_location(&location).unwrap();
    }
    for policy in policies {
        estate.add_policy(policy).unwrap();
    }
    estate
}
