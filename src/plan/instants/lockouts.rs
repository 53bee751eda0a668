//! The instants at which all emergency accounts, or whoever applies, would be locked out.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::{Subject, subjects};
use super::{Layout, Unclear};
use crate::access::{Forbidden, Truth};
use crate::model::live::SignedIn;
use crate::plan::emergency::{Emergency, Present};
use crate::plan::error::Problem;
use crate::plan::lockout::{Person, can_lock_out, locks_out, names_sets};
use crate::plan::order::Touch;
use crate::plan::people::{Belonging, Held, Membership};

/// What must not be at any instant, and what must not be at the end.
#[derive(Debug, Default)]
pub(super) struct Lockouts {
    pub(super) forbidden: Vec<Forbidden>,
    /// Of each that is forbidden, what is wrong.
    reasons: Vec<String>,
    /// What is wrong once all is done, with a draft by which it is.
    pub(super) ends: Vec<(usize, Problem)>,
}

impl Lockouts {
    /// What is wrong at a forbidden instant.
    pub(super) fn sentence(&self, place: usize) -> String {
        self.reasons.get(place).cloned().unwrap_or_default()
    }
}

/// Who must not be locked out.
#[derive(Debug, Clone, Copy)]
enum Whom<'w> {
    Accounts,
    Me(&'w SignedIn),
}

impl Whom<'_> {
    fn words(self) -> String {
        match self {
            Self::Accounts => "every emergency account".to_owned(),
            Self::Me(who) => format!("`{}`, as which this run is signed in,", who.name),
        }
    }

    fn reason(self, policy: &str, truth: Truth) -> String {
        let whom = self.words();
        if truth == Truth::Yes {
            format!("`{policy}` would block {whom} in between")
        } else {
            format!("nobody can tell whether `{policy}` would block {whom} in between")
        }
    }

    fn problem(self, policy: &str, truth: Truth) -> Problem {
        let name = policy.to_owned();
        match (self, truth) {
            (Self::Accounts, Truth::Yes) => Problem::EmergencyLockout { name },
            (Self::Accounts, _) => Problem::EmergencyUnclear { name },
            (Self::Me(who), Truth::Yes) => Problem::SelfLockout {
                name,
                who: who.name.clone(),
            },
            (Self::Me(who), _) => Problem::SelfUnclear {
                name,
                who: who.name.clone(),
            },
        }
    }
}

/// The emergency accounts and whoever applies, with the groups that they are in at an instant.
struct Moment {
    accounts: Option<Present>,
    me: Option<Held>,
}

/// Who must not be locked out, at the instants that there are.
struct Watch<'w> {
    belonging: Belonging<'w>,
    emergency: Option<&'w Emergency>,
    me: Option<(&'w SignedIn, Person)>,
    /// The writes to groups that move any of them.
    moves: BTreeSet<usize>,
    /// By those of these writes that are done.
    moments: BTreeMap<BTreeSet<usize>, Moment>,
}

impl Layout<'_, '_> {
    /// The instants at which a policy locks out whom it locks out neither before nor after.
    pub(super) fn lockouts(&self, emergency: Option<&Emergency>) -> Result<Lockouts, Unclear> {
        let mut watch = self.watch(emergency);
        let mut lockouts = Lockouts::default();
        for subject in subjects(self.drafts, self.live, self.writes) {
            if !subject.objects().any(can_lock_out) {
                continue;
            }
            let own: BTreeSet<usize> = subject.own.iter().map(|(write, _)| *write).collect();
            let goes_by_groups =
                subject.objects().any(names_sets) || emergency.is_some_and(Emergency::goes_by_groups);
            let mut writes = own.clone();
            if goes_by_groups {
                writes.extend(&watch.moves);
            }
            if writes.is_empty() {
                continue;
            }
            let states = self
                .states(&writes)
                .ok_or_else(|| Unclear::Many(subject.key.clone()))?;
            let me = watch.me.as_ref().map(|(who, _)| Whom::Me(who));
            for whom in [Some(Whom::Accounts).filter(|_| emergency.is_some()), me]
                .into_iter()
                .flatten()
            {
                self.judge(whom, &subject, &writes, &states, &mut watch, &mut lockouts);
            }
        }
        Ok(lockouts)
    }

    fn watch<'w>(&'w self, emergency: Option<&'w Emergency>) -> Watch<'w> {
        let belonging = Belonging::of(&self.live.people, self.drafts);
        let mut people = emergency
            .map(|emergency| emergency.ever(&belonging))
            .unwrap_or_default();
        let me = self
            .live
            .signed_in
            .as_ref()
            .map(|who| (who, Person::signed_in(who)));
        if let Some((who, _)) = &me {
            people.insert(who.object_id.to_ascii_lowercase());
        }
        let drafts = belonging.drafts_that_move(&people);
        let writes = self.writes.iter().enumerate();
        let moves = writes.filter(|(_, write)| drafts.contains(&write.draft));
        Watch {
            moves: moves.map(|(place, _)| place).collect(),
            belonging,
            emergency,
            me,
            moments: BTreeMap::new(),
        }
    }

    fn judge<'w>(
        &self,
        whom: Whom<'w>,
        subject: &Subject<'_>,
        writes: &BTreeSet<usize>,
        states: &[BTreeSet<usize>],
        watch: &mut Watch<'w>,
        lockouts: &mut Lockouts,
    ) {
        let mut truth = |done: &BTreeSet<usize>| match subject.at(done) {
            Some((policy, _)) if can_lock_out(policy) => {
                let moment = watch.at(done, self);
                match whom {
                    Whom::Accounts => moment
                        .0
                        .accounts
                        .as_ref()
                        .map(|accounts| accounts.locked_out_by(policy)),
                    Whom::Me(_) => moment
                        .0
                        .me
                        .as_ref()
                        .zip(moment.1)
                        .map(|(held, person)| locks_out(policy, person, held)),
                }
                .unwrap_or(Truth::No)
            }
            _ => Truth::No,
        };
        let (start, end) = (truth(&BTreeSet::new()), truth(writes));
        let name = |done: &BTreeSet<usize>| subject.at(done).map(|(policy, _)| policy.name().to_owned());
        if end > start {
            let draft = writes.first().and_then(|write| self.writes.get(*write));
            let draft = draft.map_or(0, |write| write.draft);
            let name = name(writes).unwrap_or_default();
            lockouts.ends.push((draft, whom.problem(&name, end)));
            return;
        }
        for done in states.iter().filter(|done| !done.is_empty() && *done != writes) {
            let now = truth(done);
            if now > start.max(end) {
                lockouts
                    .reasons
                    .push(whom.reason(&name(done).unwrap_or_default(), now));
                lockouts.forbidden.push(Forbidden {
                    writes: writes.clone(),
                    done: done.clone(),
                });
            }
        }
    }
}

impl Watch<'_> {
    fn at(&mut self, done: &BTreeSet<usize>, layout: &Layout<'_, '_>) -> (&Moment, Option<&Person>) {
        let moved: BTreeSet<usize> = done.intersection(&self.moves).copied().collect();
        let person = self.me.as_ref().map(|(_, person)| person);
        let moment = self.moments.entry(moved).or_insert_with_key(|moved| {
            let is_done = |draft: usize, membership: Membership| {
                let touch = match membership {
                    Membership::Join => Touch::Joined,
                    Membership::Leave => Touch::Left,
                    Membership::Gone => Touch::Gone,
                };
                moved.iter().any(|write| {
                    let write = layout.writes.get(*write);
                    write.is_some_and(|write| write.draft == draft && write.touch == touch)
                })
            };
            Moment {
                accounts: self
                    .emergency
                    .map(|emergency| emergency.present(&self.belonging, &is_done)),
                me: person.map(|person| person.held(&self.belonging, &is_done)),
            }
        });
        (moment, person)
    }
}
