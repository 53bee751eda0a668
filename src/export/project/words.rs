//! What stands for the ids that objects refer to: blocks, look-up blocks, variables.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exported, Options, UnsetVariable};
use crate::export::known::KnownNames;
use crate::export::naming::{Naming, Written, built_in, built_in_by_name};
use crate::export::placeholder::{Piece, is_placeholder, pieces, words};
use crate::model::properties::COMPLIANT_NETWORK;
use crate::model::reference::is_guid;
use crate::model::value::Control;
use crate::model::{Reference, Target, Value, names};

/// A block that names an object of the directory: `group "NAME" { id = "…" }`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LookUp {
    pub(super) target: Target,
    pub(super) label: String,
    pub(super) id: String,
    /// What people call the object, and why its name does not stand in its place.
    pub(super) comment: String,
}

/// A variable for what the objects do not say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) label: String,
    /// What it refers to; a text when it is none of these.
    pub(super) target: Option<Target>,
    /// What was there, where that can't serve as a value.
    pub(super) placeholder: String,
    /// The value that was there, where it may serve as one.
    pub(super) default: Option<String>,
    /// What was there, and where.
    pub(super) remark: Option<String>,
}

/// Everything that the objects refer to and that is not built in.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) naming: Naming,
    pub(super) look_ups: Vec<LookUp>,
    pub(super) variables: Vec<Variable>,
}

/// How often an id is included and excluded.
#[derive(Debug, Default, Clone, Copy)]
struct Uses {
    includes: usize,
    excludes: usize,
}

impl Uses {
    /// `in 2 policies, left out of 1 policy`.
    fn told(self) -> String {
        match self {
            Self {
                includes,
                excludes: 0,
            } => format!("in {}", counted(includes)),
            Self {
                includes: 0,
                excludes,
            } => format!("left out of {}", counted(excludes)),
            Self { includes, excludes } => {
                format!("in {}, left out of {}", counted(includes), counted(excludes))
            }
        }
    }
}

impl Words {
    pub(super) fn find<'a>(
        objects: impl Iterator<Item = &'a Exported> + Clone,
        labels: &'a [String],
        known: &KnownNames,
        options: &Options,
    ) -> Self {
        let mut words = Self::default();
        let mut unresolved: BTreeMap<(Target, String), Uses> = BTreeMap::new();
        let own = Own::new(objects.clone(), labels, options.live);
        let managed = |target: Target, id: &str| {
            let address = options.managed.get(&(target, id.to_ascii_lowercase()));
            address.cloned().map(Written::Managed)
        };
        let look_up = |target: Target, id: &str| {
            let name = known.look_up(target, id)?;
            Some(Written::LookUp(name.to_owned()))
        };
        for ((target, id), uses) in references(objects.clone()) {
            match own
                .label(target, &id)
                .map(Written::Block)
                .or_else(|| managed(target, &id))
                .or_else(|| everywhere(target, &id, known, options.live))
                .or_else(|| look_up(target, &id))
            {
                Some(written) => words.naming.insert(target, &id, written),
                None => {
                    unresolved.insert((target, id), uses);
                }
            }
        }
        let (unresolved, taken) = (&mut unresolved, &options.taken);
        words.add_look_ups(unresolved, known, taken);
        let placeholders = if options.live {
            BTreeSet::new()
        } else {
            text_placeholders(objects)
        };
        words.add_variables(placeholders, unresolved, known, taken);
        words
    }

    /// Names for what the import knows the name of. The block pins the id, for names may repeat.
    fn add_look_ups(
        &mut self,
        unresolved: &mut BTreeMap<(Target, String), Uses>,
        known: &KnownNames,
        taken: &BTreeMap<String, BTreeSet<String>>,
    ) {
        let mut found: BTreeMap<Target, BTreeMap<String, Pinned>> = BTreeMap::new();
        unresolved.retain(|(target, text), uses| {
            if !has_look_up_block(*target) {
                return true;
            }
            let pinned = pinned(*target, text, *uses, known);
            let is_pinned = pinned.is_some();
            found
                .entry(*target)
                .or_default()
                .extend(pinned.map(|pinned| (text.clone(), pinned)));
            !is_pinned
        });
        for (target, members) in found {
            let nothing = BTreeSet::new();
            let taken = taken.get(target.word()).unwrap_or(&nothing);
            let by_id: BTreeMap<&str, &str> = members
                .values()
                .map(|pinned| (pinned.id.as_str(), pinned.name.as_str()))
                .collect();
            let labels = names::assign(target.word(), by_id, taken);
            for (text, pinned) in &members {
                let Some(label) = labels.get(pinned.id.as_str()) else {
                    continue;
                };
                self.naming.insert(target, text, Written::Block(label.clone()));
                let look_up = LookUp {
                    target,
                    label: label.clone(),
                    id: pinned.id.clone(),
                    comment: pinned.comment.clone(),
                };
                if !self.look_ups.contains(&look_up) {
                    self.look_ups.push(look_up);
                }
            }
        }
        self.look_ups
            .sort_by(|one, other| (one.target, &one.label).cmp(&(other.target, &other.label)));
    }

    /// Variables for ids that nobody can resolve, and for placeholders.
    fn add_variables(
        &mut self,
        placeholders: BTreeSet<String>,
        unresolved: &BTreeMap<(Target, String), Uses>,
        known: &KnownNames,
        taken: &BTreeMap<String, BTreeSet<String>>,
    ) {
        let mut wanted: BTreeMap<(Option<Target>, String), (String, Variable)> = BTreeMap::new();
        for ((target, id), uses) in unresolved {
            if let Some((name, variable)) = variable(*target, id, *uses, known) {
                wanted.insert((Some(*target), id.clone()), (name, variable));
            }
        }
        for placeholder in placeholders {
            let variable = Variable {
                label: String::new(),
                target: None,
                placeholder: String::new(),
                default: Some(placeholder.clone()),
                remark: None,
            };
            wanted.insert(
                (None, placeholder.clone()),
                (placeholder_name(&placeholder, "text"), variable),
            );
        }
        let nothing = BTreeSet::new();
        let taken = taken.get("variable").unwrap_or(&nothing);
        let labels = names::assign(
            "variable",
            wanted.iter().map(|(key, (name, _))| (key.clone(), name.as_str())),
            taken,
        );
        for (key, (_, mut variable)) in wanted {
            let Some(label) = labels.get(&key) else { continue };
            variable.label.clone_from(label);
            match key {
                (Some(target), id) => self.naming.insert(target, &id, Written::Variable(label.clone())),
                (None, text) => self.naming.insert_text(&text, label),
            }
            self.variables.push(variable);
        }
        self.variables.sort_by(|one, other| one.label.cmp(&other.label));
    }

    pub(super) fn unset_variables(&self) -> Vec<UnsetVariable> {
        self.variables
            .iter()
            .filter(|variable| variable.default.is_none())
            .filter_map(|variable| {
                Some(UnsetVariable {
                    name: variable.label.clone(),
                    target: variable.target?,
                    placeholder: variable.placeholder.clone(),
                })
            })
            .collect()
    }
}

/// The objects of the import themselves, by id and by name.
struct Own<'a> {
    by_id: BTreeMap<(Target, String), &'a str>,
    by_name: BTreeMap<(Target, &'a str), Option<&'a str>>,
}

impl<'a> Own<'a> {
    /// In a tenant ids refer, and names never do.
    fn new(objects: impl Iterator<Item = &'a Exported>, labels: &'a [String], live: bool) -> Self {
        let mut own = Self {
            by_id: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        for (exported, label) in objects.zip(labels) {
            let Some(target) = exported.object.kind.target() else {
                continue;
            };
            if let Some(id) = &exported.id {
                own.by_id.insert((target, id.to_ascii_lowercase()), label);
            }
            if live {
                continue;
            }
            own.by_name
                .entry((target, exported.object.name()))
                .and_modify(|label| *label = None)
                .or_insert(Some(label));
        }
        own
    }

    fn label(&self, target: Target, id: &str) -> Option<String> {
        self.by_id
            .get(&(target, id.to_ascii_lowercase()))
            .copied()
            .or_else(|| self.by_name.get(&(target, id)).copied().flatten())
            .map(str::to_owned)
    }
}

/// What every tenant has, under its id or under its name.
fn everywhere(target: Target, id: &str, known: &KnownNames, live: bool) -> Option<Written> {
    if target == Target::Location
        && (id == COMPLIANT_NETWORK || known.name(target, id) == Some(COMPLIANT_NETWORK))
    {
        return Some(Written::Word("compliant_network"));
    }
    built_in(target, id)
        .or_else(|| built_in_by_name(target, id).filter(|_| !live))
        .map(Written::BuiltIn)
}

fn references<'a>(objects: impl Iterator<Item = &'a Exported>) -> BTreeMap<(Target, String), Uses> {
    let mut found: BTreeMap<(Target, String), Uses> = BTreeMap::new();
    for exported in objects {
        for (property, reference) in exported.object.references() {
            if let Reference::Id { target, id } = reference {
                let uses = found.entry((*target, id.clone())).or_default();
                if property.wire.contains("exclude") {
                    uses.excludes += 1;
                } else {
                    uses.includes += 1;
                }
            }
        }
    }
    found
}

/// An id under a name of its own.
struct Pinned {
    id: String,
    /// What the label is made from.
    name: String,
    comment: String,
}

/// The id behind a reference, and what to say of it.
fn pinned(target: Target, text: &str, uses: Uses, known: &KnownNames) -> Option<Pinned> {
    let remark = known.remark_on(target, text);
    match known.name(target, text) {
        Some(name) if is_guid(text) => Some(Pinned {
            id: text.to_owned(),
            name: name.to_owned(),
            comment: match remark {
                Some(remark) => format!("{name}: {remark}"),
                None => name.to_owned(),
            },
        }),
        None if is_guid(text) && remark.is_some() => Some(Pinned {
            id: text.to_owned(),
            name: format!("missing {}", text.split('-').next().unwrap_or(text)),
            comment: format!("{}: {}", remark.unwrap_or_default(), uses.told()),
        }),
        _ => known.id(target, text).filter(|id| is_guid(id)).map(|id| Pinned {
            id: id.to_owned(),
            name: text.to_owned(),
            comment: text.to_owned(),
        }),
    }
}

/// Whether the language has a block that names such an object without managing it.
fn has_look_up_block(target: Target) -> bool {
    matches!(
        target,
        Target::User | Target::Group | Target::App | Target::ServicePrincipal | Target::Role | Target::Terms
    )
}

/// The variable for an id that is not known, with the name that it would like to have; none for
/// what can be looked up by its name.
fn variable(target: Target, id: &str, uses: Uses, known: &KnownNames) -> Option<(String, Variable)> {
    let (name, default) = if is_guid(id) {
        let name = match known.name(target, id) {
            Some(name) => name.to_owned(),
            None => format!("{} {}", target.word(), id.split('-').next().unwrap_or(id)),
        };
        (name, Some(id.to_owned()))
    } else if is_placeholder(id) {
        (placeholder_name(id, target.word()), None)
    } else {
        return None;
    };
    let uses = uses.told();
    let remark = if default.is_some() {
        uses
    } else {
        format!("{id}: {uses}")
    };
    let variable = Variable {
        label: String::new(),
        target: Some(target),
        placeholder: id.to_owned(),
        default,
        remark: Some(remark),
    };
    Some((name, variable))
}

fn counted(number: usize) -> String {
    match number {
        1 => "1 policy".into(),
        more => format!("{more} policies"),
    }
}

/// The placeholders inside names, descriptions and rules.
fn text_placeholders<'a>(objects: impl Iterator<Item = &'a Exported>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut look = |text: &str| {
        found.extend(pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Placeholder(text) => Some(text.to_owned()),
            Piece::Text(_) => None,
        }));
    };
    for exported in objects {
        for (_, value) in exported.object.iter() {
            match value {
                Value::Text(text) => look(text),
                Value::Texts(texts) => texts.iter().for_each(|text| look(text)),
                Value::Filter(filter) => look(&filter.rule),
                Value::Grant(grant) => grant.controls.iter().for_each(|control| {
                    if let Control::Custom(id) = control {
                        look(id);
                    }
                }),
                _ => {}
            }
        }
    }
    found
}

/// The name of a placeholder without the words that only ask for a value.
fn placeholder_name(placeholder: &str, otherwise: &str) -> String {
    const ASKING: [&str; 12] = [
        "your", "replace", "with", "insert", "enter", "change", "me", "the", "todo", "tbd", "this", "id",
    ];
    const ENDING: [&str; 8] = [
        "here",
        "id",
        "ids",
        "guid",
        "value",
        "placeholder",
        "object",
        "name",
    ];
    let text = placeholder
        .strip_suffix(" will be excluded")
        .unwrap_or(placeholder);
    let all = words(text).to_lowercase();
    let mut rest: Vec<&str> = all.split_whitespace().collect();
    while rest.first().is_some_and(|word| ASKING.contains(word)) {
        rest.remove(0);
    }
    while rest.len() > 1 && rest.last().is_some_and(|word| ENDING.contains(word)) {
        rest.pop();
    }
    let says_nothing = rest.iter().all(|word| {
        word.chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, 'x' | 'y' | 'z'))
    });
    let is_id = placeholder.split('-').count() == 5;
    if is_id || says_nothing {
        let first = placeholder.split('-').next().unwrap_or_default();
        format!("{otherwise} {}", first.to_lowercase())
    } else {
        rest.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_named_after_what_it_asks_for() {
        for (placeholder, name) in [
            ("<ExclusionTempGroup>", "exclusion temp group"),
            ("%CA504ExclGroupId%", "ca504 excl group"),
            ("REPLACE-WITH-BREAK-GLASS-GROUP-ID", "break glass group"),
            ("your-break-glass-account-id-here", "break glass account"),
            ("Current administrator will be excluded", "current administrator"),
            ("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "group xxxxxxxx"),
            ("602b7044-910a-xxxx-xxxx-bd36ae7d1e1a", "group 602b7044"),
            ("<RING>", "ring"),
            ("<GroupName>", "group"),
            ("REPLACE-ME", "group replace"),
        ] {
            assert_eq!(placeholder_name(placeholder, "group"), name, "{placeholder}");
        }
    }
}
