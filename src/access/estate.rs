//! The policies of one tenant, with what they refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::network::Location;
use super::policy::{Policy, key, symbols};
use super::truth::Truth;
use crate::model::cidr::IpRangeError;
use crate::model::filter_rule::FilterRuleError;
use crate::model::reference::Target;
use crate::model::value::Control;
use crate::model::wire::{WireError, decode, location_kind};
use crate::model::{Kind, Object, Reference, catalogue};

/// Why policies can't be evaluated.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum EstateError {
    /// An object is not shaped as Graph shapes it.
    #[error("`{name}` can't be read: {source}")]
    #[diagnostic(
        code("access::object"),
        help("give it as Graph gives it: one object, or a list in `value`")
    )]
    Object {
        /// Its name or id.
        name: String,
        /// What is wrong.
        source: WireError,
    },
    /// An object has no id, so that no answer could name it.
    #[error("an object called `{name}` has no `id`")]
    #[diagnostic(code("access::no_id"), help("export it with its id"))]
    NoId {
        /// Its name.
        name: String,
    },
    /// Two objects have one id.
    #[error("two objects have the id `{id}`")]
    #[diagnostic(code("access::twice"), help("leave one of them out"))]
    Twice {
        /// The id.
        id: String,
    },
    /// A filter rule can't be read.
    #[error("the filter rule of `{name}` can't be read: {source}")]
    #[diagnostic(
        code("access::filter_rule"),
        help("mend the rule; what it catches can't be told as it is")
    )]
    FilterRule {
        /// The policy.
        name: String,
        /// What is wrong.
        source: FilterRuleError,
    },
    /// A range of addresses can't be read.
    #[error("a range of `{name}` can't be read: {source}")]
    #[diagnostic(
        code("access::ip_range"),
        help("mend the range; what it holds can't be told as it is")
    )]
    IpRange {
        /// The named location.
        name: String,
        /// What is wrong.
        source: IpRangeError,
    },
}

/// The policies of one tenant, with the locations and strengths that they refer to.
#[derive(Debug, Clone, Default)]
pub struct Estate {
    policies: Vec<Policy>,
    locations: BTreeMap<String, Location>,
    strengths: BTreeMap<String, BTreeSet<String>>,
    /// What people call them.
    strength_names: BTreeMap<String, String>,
    /// What keys stand for.
    references: BTreeMap<String, Reference>,
}

impl Estate {
    /// Adds an object under the key that references to it have: an id in lower case, or an address.
    ///
    /// `has_unknown_conditions` when a policy holds conditions that the property table does not know.
    pub fn add(
        &mut self,
        key: &str,
        object: &Object,
        has_unknown_conditions: bool,
    ) -> Result<(), EstateError> {
        let key = key.to_owned();
        for (_, reference) in object.references() {
            self.learn(reference);
        }
        let twice = match object.kind {
            Kind::Policy => {
                let is_there = self.policies.iter().any(|policy| policy.key == key);
                let policy = Policy::new(key.clone(), object, has_unknown_conditions).map_err(|source| {
                    EstateError::FilterRule {
                        name: object.name().to_owned(),
                        source,
                    }
                })?;
                self.policies.push(policy);
                is_there
            }
            Kind::IpLocation | Kind::CountryLocation | Kind::CompliantNetworkLocation => {
                let location = Location::of(object).map_err(|source| EstateError::IpRange {
                    name: object.name().to_owned(),
                    source,
                })?;
                self.locations.insert(key.clone(), location).is_some()
            }
            Kind::Strength => {
                let combinations = symbols(object, "allowedCombinations");
                self.strength_names.insert(key.clone(), object.name().to_owned());
                self.strengths.insert(key.clone(), combinations).is_some()
            }
            Kind::Context | Kind::Group => false,
        };
        if twice {
            return Err(EstateError::Twice { id: key });
        }
        Ok(())
    }

    /// Remembers what a key stands for.
    pub(super) fn learn(&mut self, reference: &Reference) {
        self.references
            .entry(self::key(reference))
            .or_insert_with(|| reference.clone());
    }

    /// What a key stands for; an id where nobody said more.
    pub(super) fn reference(&self, target: Target, key: &str) -> Reference {
        let known = self.references.get(key).cloned();
        known.unwrap_or_else(|| Reference::id(target, key))
    }

    /// Adds a policy as Graph gives it.
    pub fn add_policy(&mut self, json: &Json) -> Result<(), EstateError> {
        self.add_json(Kind::Policy, json)
    }

    /// Adds a named location as Graph gives it; one of a kind that capol does not know holds nobody.
    pub fn add_location(&mut self, json: &Json) -> Result<(), EstateError> {
        match location_kind(json) {
            Some(kind) => self.add_json(kind, json),
            None => Err(EstateError::Object {
                name: name_of(json),
                source: WireError {
                    path: "@odata.type".to_owned(),
                    problem: "is no kind of named location that capol knows".to_owned(),
                },
            }),
        }
    }

    /// Adds an authentication strength as Graph gives it.
    pub fn add_strength(&mut self, json: &Json) -> Result<(), EstateError> {
        self.add_json(Kind::Strength, json)
    }

    fn add_json(&mut self, kind: Kind, json: &Json) -> Result<(), EstateError> {
        let decoded = decode(kind, json).map_err(|source| EstateError::Object {
            name: name_of(json),
            source,
        })?;
        let id = decoded
            .id
            .clone()
            .ok_or_else(|| EstateError::NoId { name: name_of(json) })?;
        if kind == Kind::Policy {
            self.learn_strength(json);
        }
        let unknown = decoded.unknown.get("conditions").is_some();
        self.add(&id.to_ascii_lowercase(), &decoded.object, unknown)
    }

    /// Learns of the strength that stands in a policy, as the service expands it.
    pub fn learn_strength(&mut self, policy: &Json) {
        if let Some(strength) = policy.pointer("/grantControls/authenticationStrength")
            && let Ok(strength) = decode(Kind::Strength, strength)
            && let Some(id) = strength.id
        {
            let combinations = symbols(&strength.object, "allowedCombinations");
            self.strength_names
                .entry(id.to_ascii_lowercase())
                .or_insert_with(|| strength.object.name().to_owned());
            if !combinations.is_empty() {
                self.strengths
                    .entry(id.to_ascii_lowercase())
                    .or_insert(combinations);
            }
        }
    }

    /// The policies, in the order in which they were added.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The keys of the groups that policies name.
    pub fn groups(&self) -> BTreeSet<String> {
        let sides = self.policies.iter().filter_map(|policy| policy.users.as_ref());
        sides
            .flat_map(super::who::UserCondition::sides_named)
            .flat_map(|side| side.groups.iter().cloned())
            .collect()
    }

    /// The keys of the groups that policies exclude.
    pub fn excluded_groups(&self) -> BTreeSet<String> {
        let all = self.policies.iter().filter_map(|policy| policy.users.as_ref());
        all.flat_map(|users| {
            let [_, out] = users.sides_named();
            out.groups.iter().cloned()
        })
        .collect()
    }

    /// The template ids of the roles that policies name.
    pub fn roles(&self) -> BTreeSet<String> {
        let sides = self.policies.iter().filter_map(|policy| policy.users.as_ref());
        sides
            .flat_map(super::who::UserCondition::sides_named)
            .flat_map(|side| side.roles.iter().cloned())
            .collect()
    }

    /// Keeps only those policies.
    #[cfg(test)]
    pub(super) fn keep(&mut self, is_kept: impl Fn(&Policy) -> bool) {
        self.policies.retain(is_kept);
    }

    pub(super) fn location(&self, key: &str) -> Option<&Location> {
        self.locations.get(key)
    }

    pub(super) fn locations(&self) -> impl Iterator<Item = &Location> {
        self.locations.values()
    }

    /// The combinations that a strength allows, in lower case.
    pub(super) fn combinations(&self, strength: &Reference) -> Option<BTreeSet<String>> {
        let key = key(strength);
        let built_in = || {
            catalogue::strengths::by_id(&key).map(|built_in| {
                built_in
                    .combinations
                    .iter()
                    .map(|combination| combination.to_ascii_lowercase())
                    .collect()
            })
        };
        self.strengths.get(&key).cloned().or_else(built_in)
    }

    /// A control as records give it, with the name of an authentication strength in the place of its id.
    pub fn control_words(&self, control: &str) -> String {
        let Some((kind, id)) = control.split_once(':') else {
            return control.to_owned();
        };
        if kind != "authenticationStrength" {
            return control.to_owned();
        }
        let own = self.strength_names.get(id).map(String::as_str);
        let built_in = || catalogue::strengths::by_id(id).map(|built_in| built_in.display_name);
        match own.filter(|name| !name.is_empty()).or_else(built_in) {
            Some(name) => format!("{kind} \"{name}\""),
            None => control.to_owned(),
        }
    }

    /// Adds the `namedLocations` and `authenticationStrengths` of a directory file.
    pub fn add_neighbours(&mut self, whole: &Json) -> Result<(), EstateError> {
        let all = |collection: &str| {
            whole
                .get(collection)
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
        };
        for location in all("namedLocations") {
            self.add_location(location)?;
        }
        for strength in all("authenticationStrengths") {
            self.add_strength(strength)?;
        }
        Ok(())
    }

    /// What policies in force refer to and nobody gave. A location that was deleted in the tenant stays in its policies,
    /// and can't be told from one that was merely not given.
    pub fn missing(&self) -> Vec<Missing> {
        let mut missing = BTreeSet::new();
        for policy in &self.policies {
            if policy.enforcement == super::Enforcement::Off {
                continue;
            }
            let mut miss = |what: Target, id: String| {
                missing.insert(Missing {
                    policy: policy.name.clone(),
                    what: what.noun(),
                    id,
                });
            };
            for location in policy
                .locations
                .iter()
                .flat_map(super::network::LocationCondition::named)
            {
                if !self.locations.contains_key(location) {
                    miss(Target::Location, location.clone());
                }
            }
            for control in policy.grant.iter().flat_map(|grant| &grant.controls) {
                if let Control::Strength(strength) = control
                    && self.combinations(strength).is_none()
                {
                    miss(Target::Strength, key(strength));
                }
            }
        }
        missing.into_iter().collect()
    }
}

/// Something that a policy refers to and nobody gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The policy's name.
    pub policy: String,
    /// What it is: `location`, `authentication strength`.
    pub what: &'static str,
    /// Its id.
    pub id: String,
}

fn name_of(json: &Json) -> String {
    ["displayName", "id"]
        .into_iter()
        .find_map(|member| json.get(member)?.as_str())
        .unwrap_or("an object without a name")
        .to_owned()
}

/// The suites that stand in policies by a keyword, with their members' application ids.
///
/// Source: Microsoft's pages on the Office 365 suite and the admin portals name the applications; the ids are
/// those of first-party applications. `67ad5377-…` is the Office 365 of Graph's What-If (`FACTS` 8).
const SUITES: &[(&str, &[&str])] = &[
    (
        "office365",
        &[
            "67ad5377-2d78-4ac2-a867-6300cda00e85",
            "00000002-0000-0ff1-ce00-000000000000",
            "00000003-0000-0ff1-ce00-000000000000",
            "00000004-0000-0ff1-ce00-000000000000",
            "00000005-0000-0ff1-ce00-000000000000",
            "00000006-0000-0ff1-ce00-000000000000",
            "00000007-0000-0ff1-ce00-000000000000",
            "7557eb47-c689-4224-abcf-aef9bd7573df",
            "905fcf26-4eb7-48a0-9ff0-8dcc7194b5ba",
            "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87",
            "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
        ],
    ),
    (
        "microsoftadminportals",
        &[
            "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
            "80ccca67-54bd-44ab-8625-4b79c4dc7775",
        ],
    ),
];

/// The application ids of the suite that a keyword names; none for anything else.
pub(super) fn members(keyword: &str) -> &'static [&'static str] {
    SUITES
        .iter()
        .find(|(suite, _)| *suite == keyword)
        .map_or(&[], |(_, members)| members)
}

/// Whether an application belongs to the suite that a keyword names.
pub(super) fn suite(keyword: &str, app_id: &str) -> Truth {
    members(keyword).contains(&app_id).into()
}
