//! What a project should make of a tenant, told without the engine: blocks as data, their text, and what the tenant must
//! then hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use capol::sandbox::Kind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::world::KINDS;

/// Users of the tenant who may be in groups.
const USERS: [&str; 5] = ["ada", "alan", "grace", "barbara", "edsger"];

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Spec {
    /// The blocks by address.
    pub(crate) blocks: BTreeMap<String, Block>,
    /// `moved` blocks: from, to.
    pub(crate) moved: Vec<(String, String)>,
    /// `removed` blocks.
    pub(crate) removed: BTreeSet<String>,
    /// `import` blocks: address and id.
    pub(crate) imports: BTreeMap<String, String>,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "block")]
pub(crate) enum Block {
    Policy {
        name: String,
        /// 0 report-only, 1 disabled, 2 enabled.
        state: u8,
        location: Option<String>,
        strength: Option<String>,
        group: Option<String>,
        context: Option<String>,
        /// Which sign-in frequency, in hours; 0 for none.
        hours: u8,
    },
    Ranges {
        name: String,
        ranges: u8,
        trusted: bool,
    },
    Countries {
        name: String,
        countries: u8,
    },
    Strength {
        name: String,
        combinations: u8,
        /// Which keys are allowed; 0 for no configuration.
        keys: u8,
    },
    Context {
        name: String,
        available: bool,
    },
    Group {
        name: String,
        members: BTreeSet<u8>,
    },
}

fn address(kind: &str, label: &str) -> String {
    format!("{kind}.{label}")
}

const KEYS: [&str; 2] = [
    "de1e552d-db1d-4423-a619-566b625cdc84",
    "90a3ccdf-635c-4729-a248-9b709135078f",
];

fn ranges(variant: u8) -> Vec<String> {
    (0..=variant % 3)
        .map(|part| format!("203.0.113.{}/32", 10 * (variant % 20) + part))
        .collect()
}

fn countries(variant: u8) -> Vec<&'static str> {
    [["DK", "SE"].as_slice(), &["NO"], &["FI", "IS", "DK"]][usize::from(variant % 3)].to_vec()
}

fn combinations(variant: u8) -> Vec<(&'static str, &'static str)> {
    let all = [
        ("fido2", "fido2"),
        ("x509_multi_factor", "x509CertificateMultiFactor"),
        ("windows_hello_for_business", "windowsHelloForBusiness"),
    ];
    all[..=usize::from(variant % 3)].to_vec()
}

impl Block {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Policy { name, .. }
            | Self::Ranges { name, .. }
            | Self::Countries { name, .. }
            | Self::Strength { name, .. }
            | Self::Context { name, .. }
            | Self::Group { name, .. } => name,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Policy { .. } => Kind::Policies,
            Self::Ranges { .. } | Self::Countries { .. } => Kind::NamedLocations,
            Self::Strength { .. } => Kind::AuthenticationStrengths,
            Self::Context { .. } => Kind::AuthenticationContexts,
            Self::Group { .. } => Kind::Groups,
        }
    }

    /// The address that a member of a policy refers to.
    pub(crate) fn reference(&self, member: &str) -> Option<&str> {
        let Self::Policy {
            location,
            strength,
            group,
            context,
            ..
        } = self
        else {
            return None;
        };
        let reference = match member {
            "location" => location,
            "strength" => strength,
            "group" => group,
            "context" => context,
            _ => &None,
        };
        reference.as_deref()
    }

    fn text(&self, address: &str) -> String {
        let (block, label) = address.split_once('.').unwrap();
        let mut text = format!("{block} \"{label}\" {{\n");
        let mut line = |line: String| writeln!(text, "  {line}").unwrap();
        match self {
            Self::Policy {
                name,
                state,
                location,
                strength,
                group,
                context,
                hours,
            } => {
                line(format!("name = \"{name}\""));
                line(format!(
                    "state = {}",
                    ["report_only", "disabled", "enabled"][usize::from(state % 3)]
                ));
                let who = group.as_deref().unwrap_or("all");
                line(format!("users {{ include = [{who}] }}"));
                let what = context.as_deref().unwrap_or("all");
                line(format!("apps {{ include = [{what}] }}"));
                if let Some(location) = location {
                    line(format!("locations {{ include = [all], exclude = [{location}] }}"));
                }
                line(format!("grant = {}", strength.as_deref().unwrap_or("mfa")));
                if *hours > 0 {
                    line(format!("session {{ sign_in_frequency = {hours}h }}"));
                }
            }
            Self::Ranges {
                name,
                ranges: variant,
                trusted,
            } => {
                line(format!("name = \"{name}\""));
                line(format!("ip_ranges = {:?}", ranges(*variant)));
                line(format!("trusted = {trusted}"));
            }
            Self::Countries {
                name,
                countries: variant,
            } => {
                line(format!("name = \"{name}\""));
                line(format!("countries = {:?}", countries(*variant)));
            }
            Self::Strength {
                name,
                combinations: variant,
                keys,
            } => {
                line(format!("name = \"{name}\""));
                let words: Vec<&str> = combinations(*variant).iter().map(|(word, _)| *word).collect();
                line(format!("combinations = [{}]", words.join(", ")));
                if *keys > 0 {
                    let key = KEYS[usize::from(keys % 2)];
                    line(format!(
                        "configurations {{\n    fido2 {{\n      applies_to = [fido2]\n      allowed_aaguids = [\"{key}\"]\n    }}\n  }}"
                    ));
                }
            }
            Self::Context { name, available } => {
                let number: usize = label.bytes().map(usize::from).sum::<usize>() % 90 + 5;
                line(format!("id = \"c{number}\""));
                line(format!("name = \"{name}\""));
                line(format!("available = {available}"));
            }
            Self::Group { name, members } => {
                line("managed = true".to_owned());
                line(format!("name = \"{name}\""));
                let members: Vec<String> = members
                    .iter()
                    .map(|member| format!("user(\"{}@contoso.com\")", USERS[usize::from(member % 5)]))
                    .collect();
                line(format!("members = [{}]", members.join(", ")));
            }
        }
        text + "}\n"
    }
}

impl Spec {
    pub(crate) fn with(mut self, label: &str, block: Block) -> Self {
        let word = match &block {
            Block::Policy { .. } => "policy",
            Block::Ranges { .. } | Block::Countries { .. } => "location",
            Block::Strength { .. } => "strength",
            Block::Context { .. } => "context",
            Block::Group { .. } => "group",
        };
        self.blocks.insert(address(word, label), block);
        self
    }

    /// The project's text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (address, block) in &self.blocks {
            text.push_str(&block.text(address));
        }
        for (from, to) in &self.moved {
            writeln!(text, "moved {{\n  from = {from}\n  to = {to}\n}}").unwrap();
        }
        for from in &self.removed {
            writeln!(text, "removed {{ from = {from} }}").unwrap();
        }
        for (to, id) in &self.imports {
            writeln!(text, "import {{\n  to = {to}\n  id = \"{id}\"\n}}").unwrap();
        }
        text
    }

    /// Blocks whose references lead nowhere are let go of them.
    pub(crate) fn tidy(&mut self) {
        let there: BTreeSet<String> = self.blocks.keys().cloned().collect();
        for block in self.blocks.values_mut() {
            if let Block::Policy {
                location,
                strength,
                group,
                context,
                ..
            } = block
            {
                for reference in [location, strength, group, context] {
                    if reference.as_ref().is_some_and(|address| !there.contains(address)) {
                        *reference = None;
                    }
                }
            }
        }
        self.moved
            .retain(|(from, to)| !there.contains(from) && there.contains(to));
        self.removed.retain(|from| !there.contains(from));
        self.imports.retain(|to, _| there.contains(to));
    }
}

/// Tells capol's objects from everybody else's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Others {
    pub(crate) ids: BTreeSet<String>,
}

impl Others {
    /// Everything that is there now.
    pub(crate) fn all_of(stage: &Stage) -> Self {
        let mut ids = BTreeSet::new();
        for kind in KINDS {
            ids.extend(stage.objects(kind).iter().map(id));
        }
        Self { ids }
    }

    /// The objects of a kind that are not theirs.
    pub(crate) fn managed(&self, stage: &Stage, kind: Kind) -> Vec<Value> {
        let mut objects = stage.objects(kind);
        objects.retain(|object| !self.ids.contains(&id(object)));
        objects
    }
}

pub(crate) fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_ascii_lowercase()
}

pub(crate) fn name(object: &Value) -> &str {
    object["displayName"].as_str().unwrap_or_default()
}

fn set(value: &Value) -> BTreeSet<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// Everything in which the tenant is not what the project says; empty when it is.
pub(crate) fn differences(stage: &Stage, spec: &Spec, others: &Others) -> Vec<String> {
    let mut wrong = Vec::new();
    for kind in KINDS {
        let mut managed: Vec<String> = others
            .managed(stage, kind)
            .iter()
            .map(|object| name(object).to_owned())
            .collect();
        managed.sort();
        let mut wanted: Vec<String> = spec
            .blocks
            .values()
            .filter(|block| block.kind() == kind)
            .map(|block| block.name().to_owned())
            .collect();
        wanted.sort();
        if managed != wanted {
            wrong.push(format!("{kind:?}: {managed:?} instead of {wanted:?}"));
        }
    }
    for (address, block) in &spec.blocks {
        if let Some(object) = object_of(stage, block, others) {
            for member in differs(stage, spec, others, block, &object) {
                wrong.push(format!("{address}: {member}"));
            }
        } else {
            let mut of_name = others.managed(stage, block.kind());
            of_name.retain(|object| name(object) == block.name());
            wrong.push(match of_name.len() {
                0 => format!("{address}: no such object"),
                several => format!("{address}: {several} objects of that name"),
            });
        }
    }
    wrong
}

/// The object of a block, found by its name.
pub(crate) fn object_of(stage: &Stage, block: &Block, others: &Others) -> Option<Value> {
    let mut found = others.managed(stage, block.kind());
    found.retain(|object| name(object) == block.name());
    (found.len() == 1).then(|| found.remove(0))
}

const NOT_FOUND: &str = "not found";

/// What of an object is not as its block says.
fn differs(stage: &Stage, spec: &Spec, others: &Others, block: &Block, object: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |member: &str, found: Value, wanted: Value| {
        // What cannot be found is told of its own block.
        if found != wanted && wanted != json!([NOT_FOUND]) && wanted != json!(NOT_FOUND) {
            wrong.push(format!("{member} is {found} instead of {wanted}"));
        }
    };
    let list = |items: BTreeSet<String>| json!(items);
    let target = |address: &Option<String>| -> Option<String> {
        let block = spec.blocks.get(address.as_ref()?)?;
        let found = object_of(stage, block, others);
        Some(found.map_or_else(|| NOT_FOUND.to_owned(), |object| id(&object)))
    };
    match block {
        Block::Policy {
            state,
            location,
            strength,
            group,
            context,
            hours,
            ..
        } => {
            let states = ["enabledForReportingButNotEnforced", "disabled", "enabled"];
            check(
                "state",
                object["state"].clone(),
                json!(states[usize::from(state % 3)]),
            );
            let conditions = &object["conditions"];
            let one = |id: Option<String>| json!(id.into_iter().collect::<BTreeSet<String>>());
            if location.is_some() {
                let shown = set(&conditions["locations"]["excludeLocations"]);
                check("location", list(shown), one(target(location)));
            } else {
                check(
                    "location",
                    json!(set(&conditions["locations"]["excludeLocations"]).is_empty()),
                    json!(true),
                );
            }
            check(
                "group",
                list(set(&conditions["users"]["includeGroups"])),
                one(target(group)),
            );
            let contexts = set(&conditions["applications"]["includeAuthenticationContextClassReferences"]);
            check("context", list(contexts), one(target(context)));
            let shown = object["grantControls"]["authenticationStrength"]["id"].as_str();
            check("strength", json!(shown), json!(target(strength)));
            check(
                "excluded users",
                list(set(&conditions["users"]["excludeUsers"])),
                json!([]),
            );
            let frequency = &object["sessionControls"]["signInFrequency"]["value"];
            let wanted = if *hours > 0 { json!(hours) } else { Value::Null };
            check("hours", frequency.clone(), wanted);
        }
        Block::Ranges {
            ranges: variant,
            trusted,
            ..
        } => {
            let shown: BTreeSet<String> = object["ipRanges"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|range| range["cidrAddress"].as_str().map(str::to_owned))
                .collect();
            check(
                "ranges",
                list(shown),
                list(ranges(*variant).into_iter().collect()),
            );
            check("trusted", object["isTrusted"].clone(), json!(trusted));
        }
        Block::Countries {
            countries: variant, ..
        } => {
            let wanted = countries(*variant).into_iter().map(str::to_owned).collect();
            check(
                "countries",
                list(set(&object["countriesAndRegions"])),
                list(wanted),
            );
        }
        Block::Strength {
            combinations: variant,
            keys,
            ..
        } => {
            let wanted = combinations(*variant)
                .into_iter()
                .map(|(_, wire)| wire.to_owned())
                .collect();
            check(
                "combinations",
                list(set(&object["allowedCombinations"])),
                list(wanted),
            );
            let configurations: Vec<BTreeSet<String>> = object["combinationConfigurations"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|configuration| set(&configuration["allowedAAGUIDs"]))
                .collect();
            let wanted = if *keys > 0 {
                json!([[KEYS[usize::from(keys % 2)]]])
            } else {
                json!([])
            };
            check("keys", json!(configurations), wanted);
        }
        Block::Context { available, .. } => {
            check("available", object["isAvailable"].clone(), json!(available));
        }
        Block::Group { members, .. } => {
            let users = stage.objects(Kind::Users);
            let wanted: BTreeSet<String> = members
                .iter()
                .map(|member| format!("{}@contoso.com", USERS[usize::from(member % 5)]))
                .collect();
            let shown: BTreeSet<String> = stage
                .tenant
                .with_tenant(|tenant| tenant.members(&id(object)).to_vec())
                .iter()
                .map(|member| {
                    let user = users.iter().find(|user| id(user) == *member.to_ascii_lowercase());
                    user.map_or(member.clone(), |user| {
                        user["userPrincipalName"].as_str().unwrap().to_owned()
                    })
                })
                .collect();
            check("members", list(shown), list(wanted));
        }
    }
    wrong
}
