//! Changes to the document that touch no tenant: rename, let go, take in.
//!
//! Each works on a document in memory and says what it did, so a dry run is the
//! same call without writing.

use serde::Serialize;

use super::Document;
use super::DocumentError;
use super::ResourceState;
use crate::model::Address;

/// What a rename did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Old address, new address and Graph id of each object.
    pub moved: Vec<(String, String, String)>,
}

/// What letting go did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Address and Graph id of each object that is no longer managed; all of them still exist.
    pub removed: Vec<(String, String)>,
}

impl Document {
    /// Gives an object, all members of a `for_each`, or a whole module another address.
    ///
    /// Dependencies on it follow. Refused when the kinds differ, when nothing has the old address, or when the
    /// new one is taken; then nothing has changed.
    pub fn move_address(&mut self, from: &str, to: &str) -> Result<Moved, DocumentError> {
        check_alike(from, to)?;
        let mut renames = Vec::new();
        for (old, resource) in &self.resources {
            if let Some(rest) = under(old, from) {
                renames.push((old.clone(), format!("{to}{rest}"), resource.id.clone()));
            }
        }
        if renames.is_empty() {
            return Err(self.unknown(from));
        }
        if let Some((new, holder)) = renames
            .iter()
            .find_map(|(_, new, _)| self.resources.get_key_value(new))
        {
            return Err(DocumentError::AddressTaken {
                address: new.clone(),
                id: holder.id.clone(),
            });
        }
        for (old, new, _) in &renames {
            if let Some(resource) = self.resources.remove(old) {
                self.resources.insert(new.clone(), resource);
            }
        }
        for resource in self.resources.values_mut() {
            resource.dependencies = std::mem::take(&mut resource.dependencies)
                .into_iter()
                .map(|dependency| match under(&dependency, from) {
                    Some(rest) => format!("{to}{rest}"),
                    None => dependency,
                })
                .collect();
        }
        Ok(Moved { moved: renames })
    }

    /// Lets objects go without deleting them: each address may name an object, a `for_each`, or a module.
    ///
    /// Refused as a whole when one of the addresses names nothing.
    pub fn remove_addresses(&mut self, addresses: &[String]) -> Result<Removed, DocumentError> {
        for wanted in addresses {
            if !self
                .resources
                .keys()
                .any(|present| under(present, wanted).is_some())
            {
                return Err(self.unknown(wanted));
            }
        }
        let chosen = |present: &str| addresses.iter().any(|wanted| under(present, wanted).is_some());
        let mut removed = Vec::new();
        self.resources.retain(|present, resource| {
            let keep = !chosen(present);
            if !keep {
                removed.push((present.clone(), resource.id.clone()));
            }
            keep
        });
        for resource in self.resources.values_mut() {
            resource.dependencies.retain(|dependency| !chosen(dependency));
        }
        Ok(Removed { removed })
    }

    /// The document to write when `self` is pushed over `current`.
    ///
    /// Without `force` it must be of the same history and newer, or say the same. Its tenant must be the same
    /// in any case.
    pub fn pushed_over(mut self, current: Option<&Self>, force: bool) -> Result<Self, DocumentError> {
        let Some(current) = current else {
            return Ok(self);
        };
        self.may_replace(current)?;
        if !force && self.lineage != current.lineage {
            return Err(DocumentError::LineageMismatch {
                found: self.lineage.to_string(),
                expected: current.lineage.to_string(),
            });
        }
        if !force && self.serial <= current.serial && !self.same_content(current) {
            return Err(DocumentError::Behind {
                found: self.serial,
                current: current.serial,
            });
        }
        self.serial = self.serial.max(current.serial);
        Ok(self)
    }

    /// What is remembered of exactly this address.
    pub fn resource(&self, address: &str) -> Result<(&str, &ResourceState), DocumentError> {
        match self.resources.get_key_value(address) {
            Some((address, resource)) => Ok((address, resource)),
            None => Err(self.unknown(address)),
        }
    }

    fn unknown(&self, address: &str) -> DocumentError {
        let near = self
            .resources
            .keys()
            .map(|present| (strsim::jaro_winkler(present, address), present))
            .filter(|(likeness, _)| *likeness > 0.85)
            .max_by(|(left, _), (right, _)| left.total_cmp(right));
        let help = match near {
            Some((_, present)) => format!("write `{present}`"),
            None => "list what is there: `capol state list`".to_owned(),
        };
        DocumentError::UnknownAddress {
            address: address.to_owned(),
            help,
        }
    }
}

fn check_alike(from: &str, to: &str) -> Result<(), DocumentError> {
    let kind_of = |text: &str| {
        text.parse::<Address>()
            .map(|address| address.kind)
            .map_err(|_| DocumentError::NotAnAddress {
                text: text.to_owned(),
            })
    };
    let (old, new) = (kind_of(from)?, kind_of(to)?);
    if old != new {
        return Err(DocumentError::UnlikeAddresses {
            from: from.to_owned(),
            to: to.to_owned(),
            reason: format!("one is a {old}, the other a {new}"),
            help: format!("write a new address that is a {old}, too"),
        });
    }
    let inside = under(to, from).is_some_and(|rest| rest.starts_with('.'));
    if inside {
        return Err(DocumentError::UnlikeAddresses {
            from: from.to_owned(),
            to: to.to_owned(),
            reason: "a module cannot move into itself".to_owned(),
            help: "write an address outside the old one".to_owned(),
        });
    }
    Ok(())
}

/// What follows `prefix` when `address` is it, one of its `for_each` members, or inside that module.
fn under<'a>(address: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = address.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('.') || rest.starts_with('[')).then_some(rest)
}
