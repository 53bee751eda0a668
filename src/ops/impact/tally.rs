//! What a replay counts.

use std::collections::{BTreeMap, HashMap};

use super::chunk::{Bad, BadKind};
use crate::access::log::Recorded;
use crate::access::{Change, Condition};

/// How many bad records are told of one by one.
const EXAMPLES: usize = 20;
/// How many apps are remembered of one person.
const APPS: usize = 5;

/// So many sign-ins of each [`Change`], in the order of [`Change::ALL`], and of those that can't be decided at last.
pub type Counts = [u64; Change::ALL.len() + 1];

/// The place of what can't be decided in [`Counts`].
pub const UNDECIDED: usize = Change::ALL.len();

/// The place of a change in [`Counts`].
pub fn place_of(change: Change) -> usize {
    Change::ALL
        .iter()
        .position(|one| *one == change)
        .unwrap_or(UNDECIDED)
}

/// One person or application, and what the change does to the sign-ins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The account name, or the name of the application.
    pub name: String,
    /// What people call the person.
    pub display_name: String,
    /// Whether it is a person.
    pub is_user: bool,
    /// The sign-ins.
    pub counts: Counts,
    /// When the last sign-in was that is newly blocked or prompted, as the log writes it.
    pub last: String,
    /// Some of the apps of those sign-ins.
    pub apps: Vec<String>,
}

impl Person {
    /// Remembers an app that is newly blocked or prompted.
    pub(super) fn remember(&mut self, app: &str, when: &str) {
        if self.last.as_str() < when {
            when.clone_into(&mut self.last);
        }
        if let Err(place) = self.apps.binary_search_by(|known| known.as_str().cmp(app)) {
            self.apps.insert(place, app.to_owned());
            self.apps.truncate(APPS);
        }
    }
}

/// How often capol and the log say the same of one policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreement {
    /// They say the same.
    pub agreed: u64,
    /// They do not.
    pub disagreed: u64,
    /// The line does not tell enough.
    pub undecided: u64,
}

/// What a replay counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Sign-ins that were read.
    pub sign_ins: u64,
    /// The first of them, as the log writes the time.
    pub first: String,
    /// The last of them.
    pub last: String,
    /// What the change does.
    pub counts: Counts,
    /// What is missing where it can't be decided; one sign-in may miss several things.
    pub missing: BTreeMap<Condition, u64>,
    /// Who signed in, by id.
    pub people: HashMap<String, Person>,
    /// By application, in the log's words.
    pub apps: HashMap<String, Counts>,
    /// By country.
    pub countries: HashMap<String, Counts>,
    /// By kind of client.
    pub clients: HashMap<String, Counts>,
    /// Sign-ins whose line says what became of each policy.
    pub told: u64,
    /// How often capol says the same, by the policy's place.
    pub agreement: BTreeMap<usize, Agreement>,
    /// Where it does not: the policy's place, what the log says, what capol says.
    pub disagreements: BTreeMap<(usize, Recorded, String), u64>,
    /// Policies that the log names and nobody gave, by id.
    pub strangers: BTreeMap<String, u64>,
    /// Lists of policies that can't be read.
    pub unreadable_lists: u64,
    /// Records that are no sign-ins.
    pub bad: BTreeMap<BadKind, u64>,
    /// The first of them.
    pub examples: Vec<Bad>,
}

/// Adds one set of counts to another.
pub(super) fn add(counts: &mut Counts, more: &Counts) {
    for (mine, more) in counts.iter_mut().zip(more) {
        *mine += more;
    }
}

impl Tally {
    /// Counts a record that is no sign-in.
    pub(super) fn spoil(&mut self, bad: Bad) {
        *self.bad.entry(bad.kind).or_default() += 1;
        self.example(bad);
    }

    fn example(&mut self, bad: Bad) {
        let place = self.examples.binary_search(&bad).unwrap_or_else(|place| place);
        if place < EXAMPLES {
            self.examples.insert(place, bad);
            self.examples.truncate(EXAMPLES);
        }
    }

    /// How many records were read, sign-ins or not.
    pub fn records(&self) -> u64 {
        self.sign_ins + self.bad.values().sum::<u64>()
    }

    /// How many people and applications have sign-ins that are counted at one of these places.
    pub fn people_with(&self, places: &[usize]) -> usize {
        self.people
            .values()
            .filter(|person| {
                places
                    .iter()
                    .any(|place| person.counts.get(*place).is_some_and(|count| *count > 0))
            })
            .count()
    }

    /// Takes in what another part of the replay counted.
    pub(super) fn merge(&mut self, other: Self) {
        self.sign_ins += other.sign_ins;
        if self.first.is_empty() || (!other.first.is_empty() && other.first < self.first) {
            self.first = other.first;
        }
        if self.last < other.last {
            self.last = other.last;
        }
        add(&mut self.counts, &other.counts);
        merge(&mut self.missing, other.missing);
        merge(&mut self.strangers, other.strangers);
        merge(&mut self.disagreements, other.disagreements);
        merge(&mut self.bad, other.bad);
        self.told += other.told;
        self.unreadable_lists += other.unreadable_lists;
        for (place, more) in other.agreement {
            let mine = self.agreement.entry(place).or_default();
            mine.agreed += more.agreed;
            mine.disagreed += more.disagreed;
            mine.undecided += more.undecided;
        }
        for bad in other.examples {
            self.example(bad);
        }
        for (mine, other) in [
            (&mut self.apps, other.apps),
            (&mut self.countries, other.countries),
            (&mut self.clients, other.clients),
        ] {
            for (name, more) in sorted(other) {
                add(mine.entry(name).or_default(), &more);
            }
        }
        for (id, more) in sorted(other.people) {
            let person = self.people.entry(id).or_insert_with(|| Person {
                name: more.name.clone(),
                display_name: more.display_name.clone(),
                is_user: more.is_user,
                ..Person::default()
            });
            // Which part saw somebody first is chance; the name must not be.
            if more.name > person.name {
                person.name.clone_from(&more.name);
            }
            if more.display_name > person.display_name {
                person.display_name.clone_from(&more.display_name);
            }
            add(&mut person.counts, &more.counts);
            for app in &more.apps {
                person.remember(app, &more.last);
            }
        }
    }
}

/// The entries of a map, in order.
pub(super) fn sorted<K: Ord, V>(map: impl IntoIterator<Item = (K, V)>) -> Vec<(K, V)> {
    let mut all: Vec<(K, V)> = map.into_iter().collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn merge<K: Ord>(mine: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    for (key, count) in other {
        *mine.entry(key).or_default() += count;
    }
}
