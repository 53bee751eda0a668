//! Whether the text that an import would write is read back without an error.
//!
//! A tenant may hold what the service refuses today, or what this version has no words for: such an object
//! stays out, so that one of them does not spoil the project.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::export::{self, Exported, KnownNames, Options};
use crate::lang::memory::Memory;
use crate::lang::{self, Inputs, Severity};
use crate::model::Address;

/// The objects that can't be written, by their place in the list, and why.
pub(super) fn unsound(objects: &[Exported], now: Timestamp) -> BTreeMap<usize, String> {
    let options = Options {
        has_settings: true,
        live: true,
        ..Options::default()
    };
    let written = export::export(objects, &KnownNames::default(), &options);
    let files = written
        .files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let project = lang::load(Arc::new(Memory::new(files)), "".as_ref(), &Inputs::at(now));
    let (configuration, diagnostics) = lang::configuration(&project);
    let heads = heads(&written.files, &written.addresses);
    let mut found = BTreeMap::new();
    for diagnostic in diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
    {
        let span = diagnostic.span();
        let Some(file) = project.sources().get(span.file) else {
            continue;
        };
        let here = heads
            .iter()
            .filter(|head| head.file == file.name() && head.start <= span.start as usize)
            .max_by_key(|head| head.start);
        if let Some(head) = here {
            found
                .entry(head.object)
                .or_insert_with(|| diagnostic.message.clone());
        }
    }
    for (at, address) in written.addresses.iter().enumerate() {
        if !configuration.resources.contains_key(address) {
            found
                .entry(at)
                .or_insert_with(|| "the language has no words for it".to_owned());
        }
    }
    found
}

/// Where the block of an object begins.
struct Head<'a> {
    file: &'a str,
    start: usize,
    object: usize,
}

fn heads<'a>(files: &'a [(String, String)], addresses: &[Address]) -> Vec<Head<'a>> {
    let by_head: BTreeMap<String, usize> = addresses
        .iter()
        .enumerate()
        .map(|(at, address)| (format!("{} \"{}\" {{", address.kind, address.name), at))
        .collect();
    let mut heads = Vec::new();
    for (file, text) in files {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some(object) = by_head.get(line.trim_end()) {
                heads.push(Head {
                    file,
                    start,
                    object: *object,
                });
            }
            start += line.len();
        }
    }
    heads
}
