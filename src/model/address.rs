//! The name of a thing in a configuration, as people type it: `module.offices.location.hq["dk"]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One step into a module: its name and, with `for_each`, the instance's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleStep {
    /// The label of the `module` block.
    pub name: String,
    /// The `for_each` key of the instance.
    pub key: Option<String>,
}

/// The address of one instance of a block: module path, block kind, label and `for_each` key.
///
/// Displayed and parsed as `module.NAME["key"].kind.name["key"]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The modules that lead to the block, outermost first; empty in the root module.
    pub module: Vec<ModuleStep>,
    /// The block type: `policy`, `location`, `strength`, `context`, `group`, `rollout`, …
    pub kind: String,
    /// The block's label.
    pub name: String,
    /// The `for_each` key.
    pub key: Option<String>,
}

impl Address {
    /// The address of a block of the root module, without a key.
    pub fn root(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            module: Vec::new(),
            kind: kind.into(),
            name: name.into(),
            key: None,
        }
    }

    /// The same block with this `for_each` key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same address inside this module path.
    #[must_use]
    pub fn in_module(mut self, module: &[ModuleStep]) -> Self {
        self.module = module.to_vec();
        self
    }

    /// The address without its `for_each` key: the block itself.
    #[must_use]
    pub fn block(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    /// Whether `self` names `other`, the block that `other` is an instance of, or a module around it.
    ///
    /// This is what `--target` and `--exclude` mean by an address.
    pub fn covers(&self, other: &Self) -> bool {
        self.inside(other).is_some()
    }

    /// What `other` becomes when `self` is renamed to `to`, if `self` covers it.
    ///
    /// A module takes everything inside it along, a block all its instances.
    pub fn relocated(&self, to: &Self, other: &Self) -> Option<Self> {
        match self.inside(other)? {
            Inside::Itself => Some(to.clone()),
            Inside::Instance => Some(Self {
                key: other.key.clone(),
                ..to.clone()
            }),
            Inside::Module(key) => {
                let mut module = to.module.clone();
                module.push(ModuleStep {
                    name: to.name.clone(),
                    key: key.or_else(|| to.key.clone()),
                });
                module.extend(other.module.iter().skip(self.module.len() + 1).cloned());
                Some(Self {
                    module,
                    ..other.clone()
                })
            }
        }
    }

    fn inside(&self, other: &Self) -> Option<Inside> {
        if self == other {
            return Some(Inside::Itself);
        }
        if self.key.is_none() && *self == other.block() {
            return Some(Inside::Instance);
        }
        if self.kind != "module" || !other.module.starts_with(&self.module) {
            return None;
        }
        let step = other.module.get(self.module.len())?;
        let keyless = self.key.is_none();
        (step.name == self.name && (keyless || step.key == self.key))
            .then(|| Inside::Module(step.key.clone().filter(|_| keyless)))
    }
}

/// How one address covers another.
enum Inside {
    Itself,
    Instance,
    /// Everything in a module; the key of the instance when the covering address names none.
    Module(Option<String>),
}

fn write_key(f: &mut fmt::Formatter<'_>, key: Option<&str>) -> fmt::Result {
    match key {
        Some(key) => write!(f, "[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")),
        None => Ok(()),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{}", step.name)?;
            write_key(f, step.key.as_deref())?;
            f.write_str(".")?;
        }
        write!(f, "{}.{}", self.kind, self.name)?;
        write_key(f, self.key.as_deref())
    }
}

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not an address")]
#[diagnostic(
    code("model::address"),
    help("write `kind.name`, for example `policy.mfa_for_admins` or `module.offices.location.hq[\"dk\"]`")
)]
pub struct AddressError {
    text: String,
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text
        .char_indices()
        .find(|(_, c)| !(c.is_alphanumeric() || *c == '_' || *c == '-'))
        .map_or(text.len(), |(at, _)| at);
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then_some((name, rest))
}

fn key(text: &str) -> Option<(Option<String>, &str)> {
    let Some(inner) = text.strip_prefix("[\"") else {
        return Some((None, text));
    };
    let mut out = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?.1),
            '"' => return inner.get(at..)?.strip_prefix("\"]").map(|rest| (Some(out), rest)),
            _ => out.push(c),
        }
    }
    None
}

fn parse(text: &str) -> Option<Address> {
    let mut module = Vec::new();
    let mut rest = text;
    loop {
        let (kind, after) = identifier(rest)?;
        let (name, after) = identifier(after.strip_prefix('.')?)?;
        let (key, after) = key(after)?;
        if kind == "module" && !after.is_empty() {
            module.push(ModuleStep {
                name: name.into(),
                key,
            });
            rest = after.strip_prefix('.')?;
        } else if after.is_empty() {
            return Some(Address {
                module,
                kind: kind.into(),
                name: name.into(),
                key,
            });
        } else {
            return None;
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| AddressError { text: text.into() })
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for text in [
            "policy.mfa",
            "location.hq[\"dk\"]",
            "module.a.policy.b-c",
            "module.a[\"x.y\"].module.b.group.g[\"a \\\"quoted\\\" key\"]",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_module_covers_what_is_in_it_and_takes_it_along() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let moved = |from: &str, to: &str, what: &str| {
            address(from)
                .relocated(&address(to), &address(what))
                .map(|address| address.to_string())
        };
        assert_eq!(
            moved("module.a", "module.b", "module.a[\"k\"].policy.p").as_deref(),
            Some("module.b[\"k\"].policy.p")
        );
        assert_eq!(
            moved("policy.a", "policy.b", "policy.a[\"k\"]").as_deref(),
            Some("policy.b[\"k\"]")
        );
        assert_eq!(
            moved("module.a.location.l", "location.l", "module.a.location.l").as_deref(),
            Some("location.l")
        );
        assert!(moved("module.a", "module.b", "module.ab.policy.p").is_none());
        assert!(!address("module.a[\"x\"]").covers(&address("module.a[\"y\"].policy.p")));
    }

    #[test]
    fn half_an_address_is_refused() {
        for text in [
            "",
            "policy",
            "policy.",
            ".mfa",
            "policy.mfa[0]",
            "policy.mfa[\"x\"",
            "a.b.c",
            "module.a.b",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
