//! The objects in the files that people have: Graph answers, PowerShell output, exports of other
//! tools, hand-written JSON and YAML, tables of ids and names.

mod normal;
mod shapes;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::error::Rejection;
use super::known::KnownNames;
use crate::model::reference::is_guid;
use crate::model::wire::decode;
use crate::model::{Kind, Object};

/// What is in a set of files.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    /// The objects that are taken in, in the order of the files.
    pub objects: Vec<Found>,
    /// What the files say about the names of users, groups, applications and so on.
    pub names: KnownNames,
    /// What is not taken in, and why.
    pub rejected: Vec<Rejected>,
    /// Files that hold nothing of Conditional Access.
    pub ignored: Vec<Ignored>,
}

/// An object found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The file, as it was given.
    pub file: String,
    /// Where in the file: a JSON pointer, empty for the whole file.
    pub pointer: String,
    /// What it is.
    pub kind: Kind,
    /// Its id, if the file has one.
    pub id: Option<String>,
    /// Its properties; members that the property table does not know are its `raw`.
    pub object: Object,
    /// The object in Graph's spelling.
    pub json: Json,
    /// Whether it came from a real tenant: it has an id and a time of creation.
    pub has_identity: bool,
    /// What people wrote for each other beside the object, to be kept as comments.
    pub remarks: Vec<String>,
    /// Members of the file that are not part of the object.
    pub left_out: Vec<LeftOut>,
}

/// A member of the file that is not part of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The member.
    pub member: String,
    /// Why it is left out.
    pub why: &'static str,
}

/// A file, or an object in it, that is not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file, as it was given.
    pub file: String,
    /// Where in the file: a JSON pointer, empty for the whole file.
    pub pointer: String,
    /// Why.
    pub reason: Rejection,
}

/// A file that holds nothing of Conditional Access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The file, as it was given.
    pub file: String,
    /// What it is instead, as far as can be told.
    pub what: &'static str,
}

/// Finds the objects in files, each given as its path and its bytes.
///
/// The path serves messages, and its ending tells YAML from JSON. Files are read independently:
/// one that is refused does not touch the others. A piece of a file that is recognised but can't
/// be read whole is rejected, never taken in half.
pub fn read<P: AsRef<str>, B: AsRef<[u8]>>(files: &[(P, B)]) -> Intake {
    let mut intake = Intake::default();
    for (path, bytes) in files {
        intake.read_file(path.as_ref(), bytes.as_ref());
    }
    intake.settle_doubles();
    intake.settle_fixed();
    intake
}

impl Intake {
    fn read_file(&mut self, file: &str, bytes: &[u8]) {
        let documents = match text::documents(file, bytes) {
            Ok(documents) => documents,
            Err(reason) => {
                self.reject(file, "", reason);
                return;
            }
        };
        let before = (self.objects.len(), self.names.len(), self.rejected.len());
        let several = documents.len() > 1;
        let mut search = shapes::Search::default();
        for (number, document) in documents.iter().enumerate() {
            let pointer = if several {
                format!("/{number}")
            } else {
                String::new()
            };
            search.visit(document, &pointer);
        }
        let knows_something = search.knows_something;
        for (pointer, sighting) in search.sightings {
            match sighting {
                Ok(sighting) => self.take(file, pointer, sighting),
                Err(reason) => self.reject(file, &pointer, reason),
            }
        }
        for (target, id, name) in search.names {
            self.names.insert(target, &id, &name);
        }
        let after = (self.objects.len(), self.names.len(), self.rejected.len());
        if before == after && !knows_something {
            self.ignored.push(Ignored {
                file: file.to_owned(),
                what: search.noise.unwrap_or("nothing of Conditional Access"),
            });
        }
    }

    fn reject(&mut self, file: &str, pointer: &str, reason: Rejection) {
        self.rejected.push(Rejected {
            file: file.to_owned(),
            pointer: pointer.to_owned(),
            reason,
        });
    }

    fn take(&mut self, file: &str, pointer: String, sighting: shapes::Sighting) {
        match found(file, &pointer, sighting) {
            Ok(found) => self.objects.push(found),
            Err(reason) => self.reject(file, &pointer, reason),
        }
    }

    /// The same object in two files is one object; the same id with other values is a conflict,
    /// unless it is an id that documentation and tests give to everything.
    fn settle_doubles(&mut self) {
        let mut first: BTreeMap<(Kind, String), usize> = BTreeMap::new();
        let mut kept: Vec<Found> = Vec::new();
        for mut found in std::mem::take(&mut self.objects) {
            let key = found.id.clone().map(|id| (found.kind, id));
            let earlier = key
                .as_ref()
                .and_then(|key| first.get(key))
                .and_then(|at| kept.get(*at));
            let Some(earlier) = earlier else {
                first.extend(key.map(|key| (key, kept.len())));
                kept.push(found);
                continue;
            };
            // A strength inside a policy repeats one that is there by itself.
            if earlier.object == found.object || found.is_embedded() || earlier.is_embedded() {
                continue;
            }
            let id = found.id.clone().unwrap_or_default();
            if is_sample(&id) && earlier.object.name() != found.object.name() {
                found.id = None;
                found.has_identity = false;
                found.left_out.push(LeftOut {
                    member: "id".into(),
                    why: "several objects have this id, so it identifies none",
                });
                kept.push(found);
            } else {
                self.rejected.push(Rejected {
                    file: found.file,
                    pointer: found.pointer,
                    reason: Rejection::Conflict {
                        id,
                        other: earlier.file.clone(),
                    },
                });
            }
        }
        self.objects = kept;
    }

    /// What the service makes itself is known by name and not managed; a strength that a policy
    /// shows is the one of that name that is there by itself, for their names are unique.
    fn settle_fixed(&mut self) {
        let names = &mut self.names;
        let by_themselves: BTreeSet<String> = self
            .objects
            .iter()
            .filter(|found| found.kind == Kind::Strength && !found.is_embedded())
            .map(|found| found.object.name().to_owned())
            .collect();
        self.objects
            .retain(|found| !(found.is_embedded() && by_themselves.contains(found.object.name())));
        self.objects.retain(|found| {
            let is_managed = found.kind != Kind::CompliantNetworkLocation;
            if !is_managed && let (Some(target), Some(id)) = (found.kind.target(), &found.id) {
                names.insert(Some(target), id, crate::model::properties::COMPLIANT_NETWORK);
            }
            is_managed
        });
    }
}

impl Found {
    /// Whether the object was found inside a policy that refers to it.
    pub fn is_embedded(&self) -> bool {
        self.kind == Kind::Strength && self.pointer.ends_with("/authenticationStrength")
    }
}

/// Whether an id was plainly made up: at most two digits make up all of it.
fn is_sample(id: &str) -> bool {
    let mut digits: Vec<char> = id.chars().filter(|letter| *letter != '-').collect();
    digits.sort_unstable();
    digits.dedup();
    digits.len() <= 2 && is_guid(id)
}

fn found(file: &str, pointer: &str, sighting: shapes::Sighting) -> Result<Found, Rejection> {
    let normal = normal::normal(sighting.kind, &sighting.json)?;
    let decoded = decode(sighting.kind, &normal.json)?;
    let missing = sighting
        .kind
        .properties()
        .iter()
        .find(|property| property.required && decoded.object.get(property.wire).is_none());
    if let Some(missing) = missing {
        return Err(Rejection::Fragment {
            noun: sighting.kind.noun(),
            missing: missing.wire,
        });
    }
    let mut object = decoded.object;
    object.raw = Some(decoded.unknown).filter(|unknown| !unknown.is_null());
    let created = normal
        .json
        .get("createdDateTime")
        .is_some_and(|time| !time.is_null());
    let mut left_out = sighting.left_out;
    left_out.extend(normal.left_out);
    Ok(Found {
        file: file.to_owned(),
        pointer: pointer.to_owned(),
        kind: sighting.kind,
        has_identity: decoded.id.is_some() && created,
        id: decoded.id,
        object,
        json: normal.json,
        remarks: normal.remarks,
        left_out,
    })
}
