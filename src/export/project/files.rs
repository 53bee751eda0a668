//! One file a concern.

use std::collections::BTreeMap;

use super::words::{LookUp, Variable, Words};
use super::{Exported, NO_ACCOUNTS, Options};
use crate::export::block::block_with;
use crate::model::names::block_name;
use crate::model::{Kind, Target};
use crate::syntax::{Attribute, Block, Body, Expression, Item, print};

/// More policies than this are split over several files.
const ONE_FILE: usize = 20;

/// Comments are broken before they are longer than this.
const COMMENT_WIDTH: usize = 96;

pub(super) struct Files<'a> {
    /// The objects, and why a policy includes the emergency accounts where it does.
    pub(super) objects: &'a [(Exported, Option<&'static str>)],
    pub(super) labels: &'a [String],
    pub(super) words: &'a Words,
    pub(super) options: &'a Options,
}

impl Files<'_> {
    pub(super) fn write(&self) -> Vec<(String, String)> {
        let mut files: Vec<(String, Vec<Item>)> = vec![
            ("capol.capol".into(), self.settings()),
            ("variables.capol".into(), self.variables()),
            ("directory.capol".into(), self.directory()),
        ];
        for (name, kinds) in [
            ("groups.capol", &[Kind::Group][..]),
            ("locations.capol", &[Kind::IpLocation, Kind::CountryLocation]),
            ("strengths.capol", &[Kind::Strength]),
            ("contexts.capol", &[Kind::Context]),
        ] {
            let members = self.members(|kind| kinds.contains(&kind));
            files.push((
                name.into(),
                members.into_iter().filter_map(|at| self.item(at)).collect(),
            ));
        }
        for (name, members) in self.policies() {
            files.push((name, members.into_iter().filter_map(|at| self.item(at)).collect()));
        }
        files.push(("imports.capol".into(), self.imports()));
        files
            .into_iter()
            .filter(|(_, items)| !items.is_empty())
            .map(|(name, items)| (self.free(name), print(&Body::new(items))))
            .collect()
    }

    /// The name, or the first of `name-2`, `name-3`, … that nothing has.
    fn free(&self, name: String) -> String {
        let stem = name.strip_suffix(".capol").unwrap_or(&name).to_owned();
        let mut free = name;
        let mut number = 2_u32;
        while self.options.existing.contains(&free) {
            free = format!("{stem}-{number}.capol");
            number += 1;
        }
        free
    }

    /// Objects of some kinds, in the order of what people call them.
    fn members(&self, wanted: impl Fn(Kind) -> bool) -> Vec<usize> {
        let mut members: Vec<(&str, &str, usize)> = self
            .objects
            .iter()
            .zip(self.labels)
            .enumerate()
            .filter(|(_, ((exported, _), _))| wanted(exported.object.kind))
            .map(|(at, ((exported, _), label))| (exported.object.name(), label.as_str(), at))
            .collect();
        members.sort_unstable();
        members.into_iter().map(|(_, _, at)| at).collect()
    }

    fn item(&self, at: usize) -> Option<Item> {
        let (exported, include) = self.objects.get(at)?;
        let block = block_with(
            self.labels.get(at)?,
            &exported.object,
            &self.words.naming,
            *include,
        );
        let remarks: Vec<String> = exported
            .remarks
            .iter()
            .flat_map(|remark| wrapped(remark))
            .collect();
        Some(Item::from(block).with_comments(remarks.iter().map(String::as_str)))
    }

    fn settings(&self) -> Vec<Item> {
        let has_policies = self
            .objects
            .iter()
            .any(|(exported, _)| exported.object.kind == Kind::Policy);
        let mut items = Vec::new();
        if let Some(tenant) = &self.options.tenant {
            let label = block_name("tenant", &tenant.name);
            let id = Attribute::new("id", Expression::string(&tenant.id)).into();
            let block = Block::new("tenant", &[&label], vec![id]).on_one_line();
            items.push(Item::from(block).with_trailing(&tenant.name));
        }
        if self.options.has_settings || self.options.emergency_access.is_some() || !has_policies {
            return items;
        }
        let reason = Expression::call("none", [Expression::string(NO_ACCOUNTS)]);
        let block = Block::new(
            "capol",
            &[],
            vec![Attribute::new("emergency_access", reason).into()],
        );
        items.push(Item::from(block).apart());
        items
    }

    fn directory(&self) -> Vec<Item> {
        let mut before: Option<Target> = None;
        self.words
            .look_ups
            .iter()
            .map(|look_up| {
                let item = look_up_block(look_up);
                let is_first = before.replace(look_up.target) != Some(look_up.target);
                if is_first { item.apart() } else { item }
            })
            .enumerate()
            .map(|(at, mut item)| {
                item.blank_before &= at > 0;
                item
            })
            .collect()
    }

    fn variables(&self) -> Vec<Item> {
        self.words.variables.iter().map(variable_block).collect()
    }

    fn imports(&self) -> Vec<Item> {
        if !self.options.import_blocks {
            return Vec::new();
        }
        let mut adopted: Vec<(&str, &str, &str)> = self
            .objects
            .iter()
            .zip(self.labels)
            .filter(|((exported, _), _)| exported.has_identity || exported.object.kind == Kind::Context)
            .filter_map(|((exported, _), label)| {
                Some((
                    exported.object.kind.block(),
                    label.as_str(),
                    exported.id.as_deref()?,
                ))
            })
            .collect();
        adopted.sort_unstable();
        adopted
            .into_iter()
            .map(|(block, label, id)| {
                let to = Expression::reference(&[block, label]);
                let items = vec![
                    Attribute::new("to", to).into(),
                    Attribute::new("id", Expression::string(id)).into(),
                ];
                Block::new("import", &[], items).on_one_line().into()
            })
            .collect()
    }

    /// The policies by file: all in one, or by what their names begin with.
    fn policies(&self) -> Vec<(String, Vec<usize>)> {
        let members = self.members(|kind| kind == Kind::Policy);
        if members.len() <= ONE_FILE {
            return vec![("policies.capol".into(), members)];
        }
        let names: Vec<&str> = members
            .iter()
            .filter_map(|at| self.objects.get(*at))
            .map(|(exported, _)| exported.object.name())
            .collect();
        let mut files: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, group) in members.into_iter().zip(grouping(&names)) {
            let name = group.map_or("policies.capol".into(), |group| format!("policies-{group}.capol"));
            files.entry(name).or_default().push(at);
        }
        files.into_iter().collect()
    }
}

/// The text in lines that fit a page, each a whole number of words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for written in text.lines() {
        let mut line = String::new();
        for word in written.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > COMMENT_WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn look_up_block(look_up: &LookUp) -> Item {
    let id = Attribute::new("id", Expression::string(&look_up.id)).into();
    let block = Block::new(look_up.target.word(), &[&look_up.label], vec![id]).on_one_line();
    Item::from(block).with_trailing(&look_up.comment)
}

fn variable_block(variable: &Variable) -> Item {
    let kind = variable.target.map_or("string", Target::word);
    let mut items = vec![Attribute::new("type", Expression::name(kind)).into()];
    if let Some(default) = &variable.default {
        items.push(Attribute::new("default", Expression::string(default)).into());
    }
    let block = Block::new("variable", &[&variable.label], items).on_one_line();
    match &variable.remark {
        Some(remark) => Item::from(block).with_trailing(remark),
        None => block.into(),
    }
}

/// What a group of policies may be named after, best first.
const CUTS: [fn(&str) -> Option<String>; 3] = [letters, persona, hundreds];

/// The group of each policy, by its display name: what most names begin with.
///
/// Takes the first cut that puts at least half of the policies into two or more groups of at
/// least two; without one, no policy has a group.
fn grouping(names: &[&str]) -> Vec<Option<String>> {
    for cut in CUTS {
        let keys: Vec<Option<String>> = names.iter().map(|name| cut(name)).collect();
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for key in keys.iter().flatten() {
            *sizes.entry(key).or_default() += 1;
        }
        sizes.retain(|_, size| *size > 1);
        let grouped: usize = sizes.values().sum();
        let largest = sizes.values().max().copied().unwrap_or_default();
        if sizes.len() > 1 && grouped * 2 >= names.len() && largest * 10 <= names.len() * 9 {
            let kept: Vec<String> = sizes.keys().map(|key| (*key).to_owned()).collect();
            return keys
                .into_iter()
                .map(|key| key.filter(|key| kept.contains(key)))
                .collect();
        }
    }
    vec![None; names.len()]
}

/// `CAU` of `CAU002-All: …`: the letters before a number.
fn letters(name: &str) -> Option<String> {
    let end = name.find(|letter: char| !letter.is_ascii_alphabetic())?;
    let (letters, rest) = name.split_at_checked(end)?;
    (!letters.is_empty() && rest.starts_with(|next: char| next.is_ascii_digit()))
        .then(|| letters.to_ascii_lowercase())
}

/// `admins` of `CA101-Admins-BaseProtection-…` or `101 - <RING> - Admins - …`: the first part that
/// is neither number nor placeholder.
fn persona(name: &str) -> Option<String> {
    let part = name
        .split(['-', '–', ':', '|', '_', '/'])
        .map(str::trim)
        .filter(|part| !part.is_empty() && !part.starts_with(['<', '%', '{', '[']))
        .find(|part| part.chars().all(|letter| !letter.is_ascii_digit()))?;
    let words: Vec<String> = part
        .split_whitespace()
        .take(3)
        .map(|word| {
            word.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .map(|word| word.to_ascii_lowercase())
        .collect();
    (!words.is_empty()).then(|| words.join("-"))
}

/// `1xx` of `CA101`: the number without its last two digits.
fn hundreds(name: &str) -> Option<String> {
    let digits: String = name
        .chars()
        .skip_while(|letter| !letter.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let head = digits.get(..digits.len().checked_sub(2)?)?;
    (!head.is_empty() && name.len() < 400).then(|| format!("{head}xx"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Vec<String> {
        grouping(names)
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect()
    }

    #[test]
    fn policies_are_grouped_by_what_their_names_begin_with() {
        assert_eq!(
            groups(&[
                "CAD001-O365: a",
                "CAD002-O365: b",
                "CAU001-All: c",
                "CAU002-All: d",
                "Other"
            ]),
            ["cad", "cad", "cau", "cau", ""]
        );
        assert_eq!(
            groups(&[
                "CA101-Admins-X",
                "CA102-Admins-Y",
                "CA201-Internals-X",
                "CA202-Internals-Y"
            ]),
            ["admins", "admins", "internals", "internals"]
        );
        assert_eq!(
            groups(&[
                "100 - <RING> - Admin protection - A",
                "101 - <RING> - Admin protection - B",
                "200 - <RING> - Base protection - A",
                "201 - <RING> - Base protection - B"
            ]),
            [
                "admin-protection",
                "admin-protection",
                "base-protection",
                "base-protection"
            ]
        );
        assert_eq!(groups(&["One", "Two", "Three"]), ["", "", ""]);
    }
}
