//! One thread's part of a replay: records in, counts out.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use foldhash::fast::RandomState;

use super::Scene;
use super::chunk::{Bad, BadKind, Chunk, LONGEST};
use super::memo::Memo;
use super::tally::{Counts, Person, Tally, UNDECIDED, add, place_of};
use crate::access::log::{self, Line, LineKind, Recorded, applied};
use crate::access::{
    Because, ClientApp, Condition, Enforcement, Fact, IDENTITY, Identity, Joined, Judged, LEVELS, Replay,
    Resource, Share, SignIn, Truth,
};

/// How deep records may wrap records.
const WRAPS: usize = 3;

/// One thread's part of a replay.
pub(super) struct Worker<'r> {
    scene: &'r Scene<'r>,
    /// The places of the policies before, by id.
    places: HashMap<&'r str, usize>,
    tally: Tally,
    key: Vec<u8>,
    joined: Joined,
    who: Memo<Option<Who>>,
    what: Memo<Rc<Share>>,
    wherefrom: Memo<(Rc<Share>, usize)>,
    client: Memo<(Rc<Share>, usize, bool)>,
    device: Memo<(Rc<Share>, Rc<Share>)>,
    levels: Memo<Rc<Share>>,
    judged: HashMap<(Joined, bool), Judged, RandomState>,
    apps: Names,
    countries: Names,
    clients: Names,
    people: Vec<(String, Person)>,
    shares_kept: Kept,
}

/// Who signs in: what that means for the policies, and the place among the people.
struct Who {
    share: Rc<Share>,
    person: usize,
}

/// Each share once: most values of a part mean the same to all policies.
#[derive(Default)]
struct Kept(HashSet<Rc<Share>, RandomState>);

impl Kept {
    fn keep(&mut self, share: Share) -> Rc<Share> {
        if let Some(known) = self.0.get(&share) {
            return Rc::clone(known);
        }
        let share = Rc::new(share);
        self.0.insert(Rc::clone(&share));
        share
    }
}

/// Names and the counts of each.
#[derive(Default)]
struct Names {
    places: HashMap<Box<str>, usize, RandomState>,
    counts: Vec<Counts>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.counts.len();
        self.places.insert(name.into(), place);
        self.counts.push(Counts::default());
        place
    }

    fn count(&mut self, name: usize, place: usize) {
        bump(self.counts.get_mut(name), place);
    }

    fn tally(self) -> HashMap<String, Counts> {
        let mut all = HashMap::new();
        for (name, place) in super::tally::sorted(self.places) {
            if let Some(counts) = self.counts.get(place) {
                all.insert(name.into_string(), *counts);
            }
        }
        all
    }
}

fn bump(counts: Option<&mut Counts>, place: usize) {
    if let Some(count) = counts.and_then(|counts| counts.get_mut(place)) {
        *count += 1;
    }
}

/// A sign-in of which only the part that is looked at is filled in.
fn blank() -> SignIn {
    let nobody = Identity::User {
        id: String::new(),
        groups: Fact::Unrecorded,
        roles: Fact::Unrecorded,
        external: Fact::Unrecorded,
    };
    SignIn::new(nobody, Resource::Unrecorded)
}

impl<'r> Worker<'r> {
    pub(super) fn new(scene: &'r Scene<'r>) -> Self {
        let before = scene.replay.before().policies();
        Self {
            scene,
            places: before
                .iter()
                .enumerate()
                .map(|(place, policy)| (policy.key.as_str(), place))
                .collect(),
            tally: Tally::default(),
            key: Vec::new(),
            joined: Joined::default(),
            who: Memo::unbounded(),
            what: Memo::bounded(),
            wherefrom: Memo::bounded(),
            client: Memo::bounded(),
            device: Memo::bounded(),
            levels: Memo::bounded(),
            judged: HashMap::default(),
            apps: Names::default(),
            countries: Names::default(),
            clients: Names::default(),
            people: Vec::new(),
            shares_kept: Kept::default(),
        }
    }

    /// What it counted.
    pub(super) fn finish(mut self) -> Tally {
        self.tally.apps = self.apps.tally();
        self.tally.countries = self.countries.tally();
        self.tally.clients = self.clients.tally();
        for (id, person) in self.people {
            match self.tally.people.entry(id) {
                std::collections::hash_map::Entry::Vacant(free) => drop(free.insert(person)),
                // The same person with other facts, for example as a guest of another tenant.
                std::collections::hash_map::Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    add(&mut known.counts, &person.counts);
                    for app in &person.apps {
                        known.remember(app, &person.last);
                    }
                }
            }
        }
        self.tally
    }

    /// Takes the records of a chunk.
    pub(super) fn take(&mut self, chunk: &Chunk) {
        for bad in &chunk.bad {
            self.tally.spoil(bad.clone());
        }
        let is_line = matches!(chunk.layout, super::chunk::Layout::Lines(_));
        for (number, record) in chunk.records() {
            let record = record.trim_ascii();
            if record.is_empty() {
                continue;
            }
            let place = |kind: BadKind, why: String| Bad {
                file: chunk.file,
                number,
                is_line,
                kind,
                why,
            };
            if record.len() > LONGEST {
                let why = BadKind::TooLong.sentence().to_owned();
                self.tally.spoil(place(BadKind::TooLong, why));
                continue;
            }
            self.record(record, WRAPS, &place);
        }
    }

    fn record(&mut self, record: &[u8], wraps: usize, place: &dyn Fn(BadKind, String) -> Bad) {
        let line: Line<'_> = match serde_json::from_slice(record) {
            Ok(line) => line,
            Err(error) => {
                let (kind, why) = match error.classify() {
                    serde_json::error::Category::Eof => (BadKind::Cut, BadKind::Cut.sentence().to_owned()),
                    serde_json::error::Category::Data => {
                        (BadKind::NoSignIn, BadKind::NoSignIn.sentence().to_owned())
                    }
                    _ => (BadKind::NotJson, format!("it is not JSON: {error}")),
                };
                self.tally.spoil(place(kind, why));
                return;
            }
        };
        if line.kind() != LineKind::Other {
            if self.sign_in(&line).is_none() {
                let why = BadKind::Nobody.sentence().to_owned();
                self.tally.spoil(place(BadKind::Nobody, why));
            }
            return;
        }
        let wrapped: Option<Vec<&serde_json::value::RawValue>> = line
            .wrapped
            .filter(|_| wraps > 0)
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        if let Some(records) = wrapped {
            for record in records {
                self.record(record.get().as_bytes(), wraps - 1, place);
            }
        } else {
            let kind = if line.is_of_sign_ins() {
                BadKind::Nobody
            } else {
                BadKind::NoSignIn
            };
            self.tally.spoil(place(kind, kind.sentence().to_owned()));
        }
    }

    /// Counts one sign-in; nothing when it names nobody.
    fn sign_in(&mut self, line: &Line<'_>) -> Option<()> {
        fn raw(raw: Option<&serde_json::value::RawValue>) -> Option<&str> {
            raw.map(serde_json::value::RawValue::get)
        }
        let (scene, replay) = (self.scene, &self.scene.replay);
        self.key.clear();
        for part in [
            line.user_id.as_deref(),
            line.service_principal_id.as_deref(),
            line.category.as_deref(),
            line.user_type.as_deref(),
            line.home_tenant_id.as_deref(),
            line.resource_tenant_id.as_deref(),
            line.cross_tenant_access_type.as_deref(),
        ] {
            part_of_key(&mut self.key, part);
        }
        let (accounts, shares_kept) = (&mut self.people, &mut self.shares_kept);
        let who = self
            .who
            .get(&self.key, || who(line, scene, accounts, shares_kept))?
            .as_ref()?;
        self.key.clear();
        for part in [
            line.resource_id.as_deref(),
            line.app_id.as_deref(),
            raw(line.conditional_access_audiences),
            raw(line.authentication_contexts),
        ] {
            part_of_key(&mut self.key, part);
        }
        let what = self.what.get(&self.key, || {
            shares_kept.keep(replay.share_of_target(&log::target(line)))
        })?;
        self.key.clear();
        for part in [
            line.ip_address.as_deref(),
            line.country.as_deref(),
            raw(line.location),
            raw(line.network_location_details),
            line.is_through_global_secure_access.as_deref(),
        ] {
            part_of_key(&mut self.key, part);
        }
        let countries = &mut self.countries;
        let (wherefrom, country) = self.wherefrom.get(&self.key, || {
            let mut sign_in = blank();
            sign_in.network = log::network(line);
            let name = match &sign_in.network.country {
                Fact::Is(code) => code.as_str(),
                Fact::Absent => "unknown",
                Fact::Unrecorded => "not recorded",
            };
            let name = countries.place(name);
            (
                shares_kept.keep(replay.share(&[Condition::Locations], &sign_in, &sign_in)),
                name,
            )
        })?;
        self.key.clear();
        part_of_key(&mut self.key, line.client_app_used.as_deref());
        let clients = &mut self.clients;
        let (client, client_name, is_modern) = self.client.get(&self.key, || {
            let mut sign_in = blank();
            sign_in.client_app = log::client_app(line);
            let name = match line.client_app_used.as_deref() {
                None | Some("") => "not recorded",
                Some(name) => name,
            };
            let is_modern = !matches!(sign_in.client_app, Fact::Is(kind) if !ClientApp::is_modern(kind));
            (
                shares_kept.keep(replay.share(&[Condition::ClientApps], &sign_in, &sign_in)),
                clients.place(name),
                is_modern,
            )
        })?;
        self.key.clear();
        part_of_key(&mut self.key, raw(line.device_detail));
        let (device, platform) = self.device.get(&self.key, || {
            let mut sign_in = blank();
            sign_in.device = log::device(line);
            sign_in.platform = log::platform(line);
            (
                shares_kept.keep(replay.share(&[Condition::Devices], &sign_in, &sign_in)),
                shares_kept.keep(replay.share(&[Condition::Platforms], &sign_in, &sign_in)),
            )
        })?;
        self.key.clear();
        for part in [
            line.risk_level_during_sign_in.as_deref(),
            line.original_transfer_method.as_deref(),
            line.authentication_protocol.as_deref(),
        ] {
            part_of_key(&mut self.key, part);
        }
        let levels = self.levels.get(&self.key, || {
            let sign_in = log::with_levels(line, blank());
            shares_kept.keep(replay.share(&LEVELS, &sign_in, &sign_in))
        })?;
        let shares: [&Share; 7] = [&who.share, what, platform, client, wherefrom, device, levels];
        replay.join(shares, &mut self.joined);
        if let Some(list) = line.applied_policies {
            let beside = Beside {
                replay,
                places: &self.places,
                shares: &shares,
            };
            beside.compare(list, &mut self.joined, &mut self.tally);
        }
        if self.judged.len() > JUDGED {
            self.judged.clear();
        }
        let judgement = (std::mem::take(&mut self.joined), *is_modern);
        if !self.judged.contains_key(&judgement) {
            let judged = replay.judge(&judgement.0, judgement.1);
            self.judged.insert(judgement.clone(), judged);
        }
        let place = match self.judged.get(&judgement) {
            Some(Judged::Decided(change)) => place_of(*change),
            Some(Judged::Undecided(policies)) => {
                let mut missing: Vec<Condition> = policies
                    .iter()
                    .filter_map(|policy| match replay.because(&shares, *policy) {
                        Some(Because::Undecided(condition)) => Some(condition),
                        _ => None,
                    })
                    .collect();
                missing.sort_unstable();
                missing.dedup();
                for condition in missing {
                    *self.tally.missing.entry(condition).or_default() += 1;
                }
                UNDECIDED
            }
            None => UNDECIDED,
        };
        self.joined = judgement.0;
        self.tally.sign_ins += 1;
        bump(Some(&mut self.tally.counts), place);
        let app = line
            .app_display_name
            .as_deref()
            .or(line.resource_display_name.as_deref())
            .filter(|name| !name.is_empty())
            .or(line.app_id.as_deref())
            .unwrap_or("not recorded");
        let app_place = self.apps.place(app);
        self.apps.count(app_place, place);
        self.countries.count(*country, place);
        self.clients.count(*client_name, place);
        let when = line.created_date_time.as_deref().unwrap_or_default();
        if !when.is_empty() && (self.tally.first.is_empty() || when < self.tally.first.as_str()) {
            when.clone_into(&mut self.tally.first);
        }
        if self.tally.last.as_str() < when {
            when.clone_into(&mut self.tally.last);
        }
        if let Some((_, person)) = self.people.get_mut(who.person) {
            bump(Some(&mut person.counts), place);
            if WARNED.contains(&place) {
                person.remember(app, when);
            }
        }
        Some(())
    }
}

/// The places of what people are warned of: newly blocked and newly prompted.
pub(super) const WARNED: [usize; 2] = [0, 1];

/// How many judgements are remembered.
const JUDGED: usize = 20_000;

fn part_of_key(key: &mut Vec<u8>, part: Option<&str>) {
    match part {
        Some(text) => key.extend_from_slice(text.as_bytes()),
        None => key.push(0xfe),
    }
    key.push(0xff);
}

fn who(
    line: &Line<'_>,
    scene: &Scene<'_>,
    people: &mut Vec<(String, Person)>,
    shares_kept: &mut Kept,
) -> Option<Who> {
    let identity = log::identity(line, scene.directory)?;
    let (id, is_user) = match &identity {
        Identity::User { id, .. } => (id.clone(), true),
        Identity::ServicePrincipal { id, .. }
        | Identity::Agent { id, .. }
        | Identity::AgentUser { id, .. } => (id.clone(), false),
    };
    let mut sign_in = blank();
    sign_in.identity = identity;
    let after = scene.after.seen(&sign_in);
    let before = scene.before.seen(&sign_in);
    let name = if is_user {
        &line.user_principal_name
    } else {
        &line.service_principal_name
    };
    people.push((
        id,
        Person {
            name: name.as_deref().unwrap_or_default().to_owned(),
            display_name: line.user_display_name.as_deref().unwrap_or_default().to_owned(),
            is_user,
            ..Person::default()
        },
    ));
    Some(Who {
        share: shares_kept.keep(scene.replay.share(&IDENTITY, &before, &after)),
        person: people.len() - 1,
    })
}

/// What the service itself recorded, beside what capol says.
struct Beside<'b, 'r> {
    replay: &'b Replay<'r>,
    places: &'b HashMap<&'r str, usize>,
    shares: &'b [&'b Share],
}

impl Beside<'_, '_> {
    /// Counts where the two agree, and settles what capol can't decide and the service recorded.
    fn compare(&self, list: &serde_json::value::RawValue, joined: &mut Joined, tally: &mut Tally) {
        let mut told = false;
        let mut settled: Vec<(usize, bool)> = Vec::new();
        let is_read = applied(list, |entry| {
            told = true;
            let place = self.places.get(entry.id.as_ref()).copied().or_else(|| {
                let lower = entry.id.to_ascii_lowercase();
                self.places.get(lower.as_str()).copied()
            });
            let Some(place) = place else {
                // The list of strangers is bounded by the policies of one tenant, unless the log is of something else.
                if tally.strangers.len() < STRANGERS || tally.strangers.contains_key(entry.id.as_ref()) {
                    *tally.strangers.entry(entry.id.into_owned()).or_default() += 1;
                }
                return;
            };
            let truth = self.replay.stands(joined, place);
            match entry.recorded {
                Recorded::Applied | Recorded::ReportOnlyApplied => settled.push((place, true)),
                Recorded::NotApplied | Recorded::ReportOnlyNotApplied => settled.push((place, false)),
                Recorded::NotEnabled | Recorded::Unknown => {}
            }
            self.count(place, entry.recorded, truth, tally);
        });
        tally.told += u64::from(told);
        tally.unreadable_lists += u64::from(!is_read);
        for (place, matched) in settled {
            self.replay.settle(joined, place, matched);
        }
    }

    fn count(&self, place: usize, recorded: Recorded, truth: Truth, tally: &mut Tally) {
        let Some(policy) = self.replay.before().policies().get(place) else {
            return;
        };
        let (state, matched) = match recorded {
            Recorded::Unknown => return,
            Recorded::NotEnabled => (Enforcement::Off, false),
            Recorded::Applied => (Enforcement::Enforced, true),
            Recorded::NotApplied => (Enforcement::Enforced, false),
            Recorded::ReportOnlyApplied => (Enforcement::ReportOnly, true),
            Recorded::ReportOnlyNotApplied => (Enforcement::ReportOnly, false),
        };
        let agreement = tally.agreement.entry(place).or_default();
        let why = if policy.enforcement != state {
            "its state is another now".to_owned()
        } else if state == Enforcement::Off || truth == Truth::from(matched) {
            agreement.agreed += 1;
            return;
        } else if truth == Truth::Undecided {
            agreement.undecided += 1;
            return;
        } else {
            self.replay
                .because(self.shares, place)
                .map_or_else(|| "it applies".to_owned(), |because| because.to_string())
        };
        agreement.disagreed += 1;
        *tally.disagreements.entry((place, recorded, why)).or_default() += 1;
    }
}

/// How many policies that nobody gave are told apart.
const STRANGERS: usize = 1000;
