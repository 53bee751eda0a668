//! Journals of applies that are over, kept for `undo`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::failed;
use super::record::ApplyBegin;
use super::record::Record;
use super::record::parse;
use super::record::salvage;
use crate::state::LocalFile;
use crate::state::StateError;
use crate::state::history;

pub(super) const ENDING: &str = ".journal.ndjson";

/// An apply that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastApply {
    /// What it set out from.
    pub begin: ApplyBegin,
    /// The addresses it wrote to.
    pub addresses: BTreeSet<String>,
}

/// The applies whose journals are kept, newest first.
pub fn past_applies(store: &LocalFile) -> Result<Vec<PastApply>, StateError> {
    let mut applies = Vec::new();
    for name in names(store)? {
        let records = read(store, &name)?;
        let Some(Record::ApplyBegin(begin)) = records.first() else {
            continue;
        };
        let addresses = records
            .iter()
            .filter_map(|record| match record {
                Record::Begin(begin) => Some(begin.address.clone()),
                _ => None,
            })
            .collect();
        applies.push(PastApply {
            begin: begin.clone(),
            addresses,
        });
    }
    let order = |apply: &PastApply| (apply.begin.at, apply.begin.serial, apply.begin.apply.clone());
    applies.sort_by_key(|apply| std::cmp::Reverse(order(apply)));
    Ok(applies)
}

/// Every record of one apply that is over, by its id or the beginning of it.
pub fn read_past(store: &LocalFile, apply: &str) -> Result<Vec<Record>, StateError> {
    let found: Vec<String> = names(store)?
        .into_iter()
        .filter(|name| {
            name.split_once('-')
                .is_some_and(|(_, rest)| !apply.is_empty() && rest.starts_with(apply))
        })
        .collect();
    match found.as_slice() {
        [name] => read(store, name),
        _ => Err(StateError::NoSuchApply {
            apply: apply.to_owned(),
        }),
    }
}

/// What a journal tells, as far as it can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tale {
    /// The apply.
    pub apply: ApplyBegin,
    /// Its records; the first is the beginning of the apply.
    pub records: Vec<Record>,
    /// The lines that cannot be read, from 1.
    pub damaged_lines: Vec<usize>,
}

impl Tale {
    /// The serial of the last state that the apply saved; 0 when it saved none.
    pub fn saved(&self) -> u64 {
        let serials = self.records.iter().map(|record| match record {
            Record::StateSaved(version) => version.serial,
            _ => 0,
        });
        serials.max().unwrap_or(0)
    }
}

/// What the journals of the applies that are over tell, oldest first. One that does not tell its apply is passed over.
pub fn tales(store: &LocalFile) -> Result<Vec<Tale>, StateError> {
    let mut tales = Vec::new();
    for name in names(store)? {
        tales.extend(tale(store, &store.place().history.join(name))?);
    }
    tales.sort_by_key(|tale| (tale.apply.at, tale.apply.serial, tale.apply.apply.clone()));
    Ok(tales)
}

/// What the journal of the apply under way, or of one that was interrupted, tells.
pub fn tale_left(store: &LocalFile) -> Result<Option<Tale>, StateError> {
    tale(store, &store.place().journal)
}

fn tale(store: &LocalFile, path: &Path) -> Result<Option<Tale>, StateError> {
    let bytes = store.files().read(path);
    let bytes = bytes
        .map_err(|source| failed("read", path, source))?
        .unwrap_or_default();
    let (records, damaged_lines) = salvage(&bytes);
    let Some(Record::ApplyBegin(apply)) = records.first() else {
        return Ok(None);
    };
    Ok(Some(Tale {
        apply: apply.clone(),
        damaged_lines,
        records,
    }))
}

fn names(store: &LocalFile) -> Result<Vec<String>, StateError> {
    let folder = &store.place().history;
    let found = history::numbered(&**store.files(), folder, ENDING)
        .map_err(|source| failed("read", folder, source))?;
    Ok(found.into_iter().map(|(_, name)| name).collect())
}

fn read(store: &LocalFile, name: &str) -> Result<Vec<Record>, StateError> {
    let path = store.place().history.join(name);
    let bytes = store
        .files()
        .read(&path)
        .map_err(|source| failed("read", &path, source))?
        .unwrap_or_default();
    Ok(parse(&path, &bytes)?.records)
}
