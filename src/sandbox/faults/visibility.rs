//! How far reads are behind writes.
//!
//! The service keeps copies that learn of a write one after the other. What a reader sees is
//! worked out from what was replaced of late and when.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::sandbox::call::Call;
use crate::sandbox::tenant::Kind;
use crate::sandbox::view::Replaced;
use crate::sandbox::view::View;

/// How long it takes until a write is seen; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    /// How long reading a new object by its id is answered with 404.
    pub unreadable: Duration,
    /// How long a new object is missing from lists.
    pub unlisted: Duration,
    /// How long nothing may refer to a new object: 1040 for a location, 404 for a member of a group.
    pub unusable: Duration,
    /// How long changing, deleting and restoring a new object is answered with 404.
    pub unwritable: Duration,
    /// How long after a create, change or delete every second read shows what was before, the first
    /// one beginning; the pages of one list agree.
    pub flapping: Duration,
    /// How old lists are.
    pub lists_behind: Duration,
    /// How old is what reading an object by its id shows.
    pub reads_behind: Duration,
}

impl Visibility {
    fn longest(&self) -> Duration {
        [
            self.unreadable,
            self.unlisted,
            self.unusable,
            self.unwritable,
            self.flapping,
            self.lists_behind,
            self.reads_behind,
        ]
        .into_iter()
        .max()
        .unwrap_or_default()
    }
}

/// What was replaced of late, oldest first.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Past {
    changes: Vec<(Timestamp, Replaced)>,
    /// New objects that the next so many requests do not see.
    counted: BTreeMap<(Kind, String), u32>,
    /// Reads of flapping things so far, by path.
    reads: BTreeMap<String, u32>,
}

impl Past {
    /// Notes what a write replaced, and forgets what everybody sees by now.
    pub(in crate::sandbox) fn record(
        &mut self,
        visibility: &Visibility,
        now: Timestamp,
        replaced: Vec<Replaced>,
    ) {
        let horizon = before(now, visibility.longest());
        self.changes.retain(|(at, _)| *at > horizon);
        let logs = [Kind::DirectoryAudits, Kind::SignIns];
        let kept = replaced
            .into_iter()
            .filter(|one| !matches!(one, Replaced::Object(kind, ..) if logs.contains(kind)));
        self.changes.extend(kept.map(|one| (now, one)));
    }

    /// Hides what was made just now from the next `requests` requests.
    pub(in crate::sandbox) fn hide(&mut self, replaced: &[Replaced], requests: u32) {
        for one in replaced {
            if let Replaced::Object(kind, id, None) = one {
                self.counted.insert((*kind, id.clone()), requests + 1);
            }
        }
    }

    /// Lets one request pass for everything hidden by count.
    pub(in crate::sandbox) fn tick(&mut self) {
        self.counted.retain(|_, left| {
            *left = left.saturating_sub(1);
            *left > 0
        });
    }

    /// Returns what a request sees.
    pub(in crate::sandbox) fn view(&mut self, visibility: &Visibility, call: &Call) -> View {
        let mut view = View::default();
        if call.method == "GET" {
            let flap = if self.turn(visibility, call) {
                visibility.flapping
            } else {
                Duration::ZERO
            };
            for (at, one) in &self.changes {
                if *at > before(call.now, visibility.lists_behind.max(flap)) {
                    view.lists_show(one);
                }
                if *at > before(call.now, visibility.reads_behind.max(flap)) {
                    view.reads_show(one);
                }
            }
            for id in self.fresh(call.now, visibility.unlisted) {
                view.hide_from_lists(id);
            }
            for id in self.fresh(call.now, visibility.unreadable) {
                view.hide_from_reads(id);
            }
        } else {
            let target = |id: &str| call.segments.iter().any(|part| part.eq_ignore_ascii_case(id));
            for (kind, id) in self.fresh(call.now, visibility.unusable) {
                if !target(id) {
                    view.hide_from_reads((kind, id));
                }
            }
            for (kind, id) in self.fresh(call.now, visibility.unwritable) {
                if target(id) {
                    view.hide_from_reads((kind, id));
                }
            }
        }
        for (kind, id) in self.counted.keys() {
            view.hide_from_lists((*kind, id));
            view.hide_from_reads((*kind, id));
        }
        view
    }

    /// Whether it is the turn of what was before.
    fn turn(&mut self, visibility: &Visibility, call: &Call) -> bool {
        let horizon = before(call.now, visibility.flapping);
        if !self.changes.iter().any(|(at, _)| *at > horizon) {
            self.reads.clear();
            return false;
        }
        let count = self.reads.entry(call.path.to_ascii_lowercase()).or_default();
        if call.option("skiptoken").is_none() {
            *count += 1;
        }
        *count % 2 == 1
    }

    /// Returns what was made within a time before now.
    fn fresh(&self, now: Timestamp, within: Duration) -> impl Iterator<Item = (Kind, &String)> {
        let horizon = before(now, within);
        let mut first: BTreeMap<(Kind, &String), bool> = BTreeMap::new();
        for (at, one) in &self.changes {
            if *at > horizon
                && let Replaced::Object(kind, id, value) = one
            {
                first.entry((*kind, id)).or_insert(value.is_none());
            }
        }
        first.into_iter().filter_map(|(key, new)| new.then_some(key))
    }
}

/// Returns the moment before which everybody knows of a write.
fn before(now: Timestamp, lag: Duration) -> Timestamp {
    now.checked_sub(lag).unwrap_or(Timestamp::MIN)
}
