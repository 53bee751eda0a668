//! Every policy that is there before some writes or after them, as it stands in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::live::{LiveObject, LiveTenant};
use crate::model::{Kind, Object};
use crate::plan::build::Draft;
use crate::plan::effect::has_unknown_conditions;
use crate::plan::order::{Touch, Write};

/// A policy and the writes to it.
pub(super) struct Subject<'s> {
    pub(super) key: String,
    pub(super) before: Option<&'s Object>,
    /// As it was when it was deleted, where it is brought back.
    pub(super) restored: Option<&'s Object>,
    pub(super) after: Option<&'s Object>,
    pub(super) has_unknown: (bool, bool),
    pub(super) own: Vec<(usize, Touch)>,
}

impl Subject<'_> {
    pub(super) fn at(&self, done: &BTreeSet<usize>) -> Option<(&Object, bool)> {
        let mut now = (self.before, self.has_unknown.0);
        for (write, touch) in &self.own {
            if done.contains(write) {
                now = match touch {
                    Touch::Made | Touch::Changed | Touch::Joined | Touch::Left => {
                        (self.after, self.has_unknown.1)
                    }
                    Touch::Restored => (self.restored.or(self.after), self.has_unknown.1),
                    Touch::Gone => (None, false),
                };
            }
        }
        Some((now.0?, now.1))
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        [self.before, self.restored, self.after].into_iter().flatten()
    }
}

/// Every policy that is there before the writes or after them.
pub(super) fn subjects<'s>(
    drafts: &'s [Draft<'_>],
    live: &'s LiveTenant,
    writes: &[Write],
) -> Vec<Subject<'s>> {
    let mut own: BTreeMap<usize, Vec<(usize, Touch)>> = BTreeMap::new();
    for (place, write) in writes.iter().enumerate() {
        own.entry(write.draft).or_default().push((place, write.touch));
    }
    let written: BTreeMap<&str, usize> = own
        .keys()
        .filter_map(|draft| Some((drafts.get(*draft)?.live?.id.as_str(), *draft)))
        .collect();
    let mut subjects = Vec::new();
    for policy in live.policies() {
        let draft = written.get(policy.id.as_str());
        let change = draft
            .and_then(|draft| drafts.get(*draft))
            .map(|draft| &draft.change);
        let mut own: Vec<(usize, Touch)> = draft
            .and_then(|draft| own.get(draft))
            .cloned()
            .unwrap_or_default();
        own.retain(|(_, touch)| matches!(touch, Touch::Changed | Touch::Gone));
        let is_changed = own.iter().any(|(_, touch)| *touch == Touch::Changed);
        let after = change
            .and_then(|change| change.after.as_ref())
            .filter(|_| is_changed);
        subjects.push(Subject {
            key: policy.id.clone(),
            before: Some(&policy.object),
            restored: None,
            after,
            has_unknown: (
                policy.unknown.get("conditions").is_some(),
                change
                    .zip(after)
                    .is_some_and(|(change, after)| has_unknown_conditions(change, after)),
            ),
            own,
        });
    }
    for (draft, own) in &own {
        let Some(change) = drafts.get(*draft).map(|draft| &draft.change) else {
            continue;
        };
        let is_made = own
            .iter()
            .any(|(_, touch)| matches!(touch, Touch::Made | Touch::Restored));
        let (Kind::Policy, true, Some(after)) = (change.kind, is_made, &change.after) else {
            continue;
        };
        let mut own = own.clone();
        own.retain(|(_, touch)| *touch != Touch::Gone);
        let deleted = live.deleted.iter().flatten();
        let mut deleted = deleted.filter(|deleted: &&LiveObject| Some(&deleted.id) == change.id.as_ref());
        let is_edited = own.iter().any(|(_, touch)| *touch == Touch::Changed);
        subjects.push(Subject {
            key: change.address.to_string(),
            before: None,
            restored: deleted
                .next()
                .map(|deleted| &deleted.object)
                .filter(|_| is_edited),
            after: Some(after),
            has_unknown: (false, has_unknown_conditions(change, after)),
            own,
        });
    }
    // The service lists them in the order in which they were made.
    subjects.sort_by(|one, other| {
        let name = |subject: &Subject<'_>| subject.objects().next().map(|object| object.name().to_owned());
        (name(one), &one.key).cmp(&(name(other), &other.key))
    });
    subjects
}
