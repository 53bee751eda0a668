//! Bringing state back: from its history and its journals, and where those do not reach from the tenant.

mod binding;
mod report;
mod tenant;

use std::collections::{BTreeMap, BTreeSet};

pub use self::report::{Bound, Candidate, Evidence, Left, Repaired, Unknown, WhyLeft};
use super::{SurgeryError, name_of};
use crate::model::state::{CAPOL_VERSION, Document};
use crate::state::journal::{self, Journal, Record, Recovery, Tale};
use crate::state::{Change, Guard, LocalFile, StateError, StateStore as _, Stored, Wreck};

/// A repair that is worked out and not written.
#[derive(Debug)]
pub struct Repair {
    /// What it would do.
    pub report: Repaired,
    /// The state in place, when it can be read.
    current: Option<Stored>,
    wreck: Option<Wreck>,
    /// What would be written.
    document: Option<Document>,
    evidence: BTreeMap<String, Evidence>,
    /// Creates of which nobody knows what became, by address.
    open: BTreeSet<String>,
    /// Whether there is no state yet because the first apply of all was interrupted: it goes on from its journal.
    is_first: bool,
}

impl Repair {
    /// Works out what history and journals tell. Called under the lock; nothing is written.
    pub async fn of(store: &LocalFile) -> Result<Self, SurgeryError> {
        let (is_journal_left, is_journal_damaged) = match Journal::resume(store) {
            Ok(left) => (left.is_some(), false),
            Err(StateError::JournalDamaged { .. }) => (true, true),
            Err(other) => return Err(other.into()),
        };
        let wreck = store.wreck()?;
        let current = match &wreck {
            Some(_) => None,
            None => store.load().await?,
        };
        let mut repair = Self {
            report: Repaired {
                damaged_journal: is_journal_damaged,
                unfinished_apply: is_journal_left && !is_journal_damaged,
                ..Repaired::default()
            },
            document: current.as_ref().map(|stored| stored.document.clone()),
            current,
            wreck,
            evidence: BTreeMap::new(),
            open: BTreeSet::new(),
            is_first: false,
        };
        repair.take_newest();
        repair.take_journals(store)?;
        repair.tell();
        Ok(repair)
    }

    /// Whether neither state nor history can be read, so that only the tenant can tell.
    pub fn needs_tenant(&self) -> bool {
        let is_unknown = self.wreck.as_ref().is_some_and(|wreck| wreck.newest.is_none());
        is_unknown && !self.is_first
    }

    /// Whether there is something to write.
    pub fn has_changes(&self) -> bool {
        let before = self.current.as_ref().map(|stored| &stored.document);
        let is_new = self.document.as_ref() != before;
        self.report.damaged_journal || self.is_broken() || is_new
    }

    fn is_broken(&self) -> bool {
        self.wreck.as_ref().is_some_and(|wreck| wreck.fault.is_some())
    }

    fn take_newest(&mut self) {
        let Some(wreck) = &self.wreck else { return };
        self.report.fault = wreck.fault.as_ref().map(ToString::to_string);
        let Some((kept, document)) = &wreck.newest else {
            return;
        };
        self.report.restored_serial = Some(kept.serial);
        self.report.restored_at = Some(kept.at);
        for address in document.resources.keys() {
            self.evidence.insert(address.clone(), Evidence::History);
        }
        self.document = Some(document.clone());
    }

    /// Brings in what applies did and what the document does not hold, the oldest first.
    fn take_journals(&mut self, store: &LocalFile) -> Result<(), StateError> {
        let left = journal::tale_left(store)?;
        if let Some(left) = &left {
            self.take_open(left);
        }
        let Some(wreck) = &self.wreck else {
            if let (Some(left), Some(document)) = (left, &mut self.document)
                && self.report.damaged_journal
                && left.apply.lineage == document.lineage
            {
                let settled = settle(&left, document);
                self.tell_settled(settled);
            }
            return Ok(());
        };
        let tales = journal::tales(store)?;
        let remains = &wreck.remains;
        self.is_first = !self.report.damaged_journal
            && wreck.fault.is_none()
            && wreck.newest.is_none()
            && remains.is_empty()
            && tales.is_empty()
            && left.as_ref().is_some_and(|left| left.saved() == 0);
        if self.is_first {
            return Ok(());
        }
        let begun = tales.iter().chain(&left).next_back().map(|tale| {
            let lineage = remains.iter().find_map(|left| left.lineage);
            Document::new(
                lineage.unwrap_or(tale.apply.lineage),
                tale.apply.tenant_id.clone(),
            )
        });
        let Some(mut document) = self.document.take().or(begun) else {
            return Ok(());
        };
        let serials = remains.iter().filter_map(|left| left.serial);
        let mut serial = serials.fold(document.serial, u64::max);
        let is_ours = |tale: &&Tale| tale.apply.lineage == document.lineage;
        let ours: Vec<&Tale> = tales.iter().filter(is_ours).collect();
        let last = left.as_ref().filter(is_ours);
        let mut settled = Vec::new();
        for tale in ours {
            serial = serial.max(tale.saved());
            // The line that says that the document holds it may be among those that are missing.
            if tale.damaged_lines.is_empty() || tale.apply.serial >= document.serial {
                settled.extend(settle(tale, &mut document));
            }
        }
        if let Some(last) = last {
            serial = serial.max(last.saved());
            settled.extend(settle(last, &mut document));
        }
        self.report.later_serial = (serial > document.serial).then_some(serial);
        document.serial = serial;
        // Applies that did nothing saved no state.
        let is_something =
            self.report.restored_serial.is_some() || serial > 0 || !document.resources.is_empty();
        self.document = is_something.then_some(document);
        self.tell_settled(settled);
        Ok(())
    }

    /// What the journal that is left does not tell the end of.
    fn take_open(&mut self, left: &Tale) {
        let Some(recovery) = Recovery::of(&left.records) else {
            return;
        };
        let creates = recovery.open.iter().filter(|open| open.begin.chooses_no_id());
        self.open = creates.map(|open| open.begin.address.clone()).collect();
        if self.report.damaged_journal {
            let unknown = |open: &journal::Open| Unknown {
                address: open.begin.address.clone(),
                operation: open.begin.operation,
            };
            self.report.unknown = recovery.open.iter().map(unknown).collect();
            self.report.damaged_lines.clone_from(&left.damaged_lines);
        }
    }

    fn tell_settled(&mut self, settled: Vec<String>) {
        for address in settled {
            self.evidence.insert(address.clone(), Evidence::Journal);
            if !self.report.settled.contains(&address) {
                self.report.settled.push(address);
            }
        }
    }

    /// Writes it. State first, then the journal: cut short in between, the same call does the rest.
    pub async fn write(
        mut self,
        store: &LocalFile,
        guard: &Guard,
        change: &Change,
    ) -> Result<Repaired, SurgeryError> {
        if let Some(document) = self.document.take() {
            let current = self.current.as_ref().map(|stored| &stored.version);
            let stored = if self.wreck.is_some() {
                let (stored, kept) = store.put_back(guard, self.counted_on(document), change)?;
                self.report.state_kept = kept;
                stored
            } else {
                store.swap(guard, current, &document, change).await?
            };
            self.report.serial = Some(stored.version.serial).filter(|_| current != Some(&stored.version));
        }
        if self.report.damaged_journal
            && let Some(salvaged) = Journal::set_aside(store)?
        {
            self.report.journal_kept = Some(salvaged.kept);
            self.report.damaged_lines = salvaged.damaged_lines;
        }
        self.report.written = true;
        Ok(self.report)
    }

    /// The document with a serial that nothing else had, unless it is to the word a version that is kept.
    fn counted_on(&self, document: Document) -> Document {
        let newest = self.wreck.as_ref().and_then(|wreck| wreck.newest.as_ref());
        if newest.is_some_and(|(_, newest)| *newest == document) {
            return document;
        }
        Document {
            serial: document.serial.saturating_add(1),
            capol_version: CAPOL_VERSION.to_owned(),
            ..document
        }
    }

    /// Puts into the report what the document would hold and the state in place does not.
    fn tell(&mut self) {
        self.report.has_changes = self.has_changes();
        let before = self.current.as_ref().map(|stored| &stored.document.resources);
        let resources = self.document.iter().flat_map(|document| &document.resources);
        self.report.bound = resources
            .filter(|(address, resource)| before.and_then(|before| before.get(*address)) != Some(*resource))
            .map(|(address, resource)| Bound {
                address: address.clone(),
                id: resource.id.clone(),
                name: name_of(resource),
                evidence: self.evidence.get(address).copied().unwrap_or(Evidence::History),
            })
            .collect();
    }
}

/// Brings what an apply did and the document does not hold into it; says which addresses that were.
fn settle(tale: &Tale, document: &mut Document) -> Vec<String> {
    // Versions that were saved later are lost.
    let is_lost = |record: &&Record| match record {
        Record::StateSaved(version) => version.serial > document.serial,
        _ => false,
    };
    let kept = tale.records.iter().filter(|record| !is_lost(record));
    let kept: Vec<Record> = kept.cloned().collect();
    let done = Recovery::of(&kept).map_or_else(Vec::new, |recovery| recovery.done_not_in_state);
    let mut settled = Vec::new();
    for done in done {
        let address = &done.begin.address;
        done.settle(document);
        if let Some(made) = document.resources.get(address) {
            let (block, id) = (made.kind.block(), made.id.clone());
            // It may have had another address when the document was written.
            document.resources.retain(|other, resource| {
                other == address || resource.kind.block() != block || !resource.id.eq_ignore_ascii_case(&id)
            });
        }
        settled.push(address.clone());
    }
    settled
}
