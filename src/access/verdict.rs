//! Whether scenarios and invariants hold.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexSet;

use super::condition::Because;
use super::counterexample;
use super::demand::{Check, Demand, Whom, demands};
use super::estate::{Estate, EstateError};
use super::people::Directory;
use super::policy::{Enforcement, Policy, control_name};
use super::region;
use super::sign_in::SignIn;
use super::symbolic::Mask;
use super::symbolic::{Facet, Found, Reading, Space, SpaceError, Subject, Wanted};
use super::truth::Truth;
use crate::model::configuration::{Configuration, EmergencyAccess};
use crate::model::expectation::{Expectation, ExpectationKind, Facts};
use crate::model::value::Value;
use crate::model::{Kind, Reference, rules};

/// Why expectations can't be decided.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum VerdictError {
    /// The policies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Estate(#[from] EstateError),
    /// All sign-ins.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Space(#[from] SpaceError),
}

/// Whether an expectation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ruling {
    /// It holds: of the sign-in, or of every sign-in of the region.
    Holds,
    /// It does not.
    Fails,
    /// Policies hold conditions that capol does not know, and it depends on them.
    Undecided,
}

/// What came of an expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether it holds.
    pub ruling: Ruling,
    /// What is wrong; empty when it holds.
    pub wrong: Vec<String>,
    /// The policies that it comes from, with why they don't apply, or nothing when they do.
    pub policies: Vec<(String, Option<Because>)>,
    /// A sign-in of the region for which it does not hold, as a scenario that fails.
    pub counterexample: Option<Expectation>,
}

impl Estate {
    /// The estate that a configuration asks for, emergency access excluded where that is not switched off.
    pub fn of(configuration: &Configuration) -> Result<Self, EstateError> {
        let mut estate = Self::default();
        for (address, resource) in &configuration.resources {
            let mut object = resource.object.clone();
            if let Some(emergency) = &configuration.emergency_access
                && object.kind == Kind::Policy
                && resource.includes_emergency_access.is_none()
                && rules::has_user_audience(&object)
            {
                for (wire, more) in [
                    ("conditions.users.excludeUsers", &emergency.users),
                    ("conditions.users.excludeGroups", &emergency.groups),
                ] {
                    let mut all: IndexSet<Reference> = object.reference_set(wire).cloned().collect();
                    all.extend(more.iter().cloned());
                    object.set(wire, (!all.is_empty()).then_some(Value::References(all.into())));
                }
            }
            let has_unknown = object
                .raw
                .as_ref()
                .is_some_and(|raw| raw.get("conditions").is_some());
            estate.add(&address.to_string(), &object, has_unknown)?;
        }
        Ok(estate)
    }
}

/// Decides expectations, in their order. Without a directory anybody may be in any groups and hold any roles.
///
/// Emergency accounts are outside of every invariant that does not name them.
pub fn decide(
    expectations: &[Expectation],
    estate: &Estate,
    emergency: Option<&EmergencyAccess>,
    directory: Option<&Directory>,
) -> Result<Vec<Verdict>, VerdictError> {
    let mut regions = Regions {
        estate: estate.clone(),
        policies: Vec::new(),
    };
    let mut asked = Vec::new();
    for (number, expectation) in expectations.iter().enumerate() {
        if expectation.kind == ExpectationKind::Invariant {
            let mut excepts = expectation.except.clone();
            excepts.extend(emergency.and_then(|emergency| apart(emergency, &expectation.facts)));
            let region = regions.add(&expectation.facts, &format!("where {number}"))?;
            let mut except = Vec::new();
            for (place, facts) in excepts.iter().enumerate() {
                except.push(regions.add(facts, &format!("except {number} {place}"))?);
            }
            asked.push(Some((region, except)));
        } else {
            asked.push(None);
        }
    }
    let count = estate.policies().len() + regions.policies.len();
    let decider = Decider {
        estate,
        regions: &regions,
        directory,
        expectations,
        asked: &asked,
    };
    match count {
        0..=64 => decider.decide::<1>(),
        65..=256 => decider.decide::<4>(),
        257..=1024 => decider.decide::<16>(),
        _ => decider.decide::<64>(),
    }
}

/// The emergency accounts as a region, unless the facts name them.
fn apart(emergency: &EmergencyAccess, facts: &Facts) -> Option<Facts> {
    let is_named = |reference: &Reference| {
        facts
            .conditions
            .references()
            .iter()
            .any(|(_, named)| *named == reference)
    };
    let all = || emergency.users.iter().chain(&emergency.groups);
    if all().next().is_none() || all().any(is_named) {
        return None;
    }
    let mut facts = Facts::default();
    for (wire, references) in [
        ("conditions.users.includeUsers", &emergency.users),
        ("conditions.users.includeGroups", &emergency.groups),
    ] {
        if !references.is_empty() {
            facts.conditions.set(
                wire,
                Some(Value::References(references.iter().cloned().collect())),
            );
        }
    }
    Some(facts)
}

/// Regions as policies that name just them, with the locations that they need.
struct Regions {
    estate: Estate,
    policies: Vec<Policy>,
}

impl Regions {
    /// Adds a region; it is where all policies of these places catch.
    fn add(&mut self, facts: &Facts, prefix: &str) -> Result<Vec<usize>, EstateError> {
        let first = self.policies.len();
        self.policies
            .extend(region::policies(facts, prefix, &mut self.estate)?);
        for (_, reference) in facts.conditions.references() {
            self.estate.learn(reference);
        }
        Ok((first..self.policies.len()).collect())
    }
}

/// The places of the policies of a region, and of each region that is left out.
type Asked = Option<(Vec<usize>, Vec<Vec<usize>>)>;

struct Decider<'a> {
    estate: &'a Estate,
    regions: &'a Regions,
    directory: Option<&'a Directory>,
    expectations: &'a [Expectation],
    asked: &'a [Asked],
}

/// Both readings of all sign-ins.
struct Spaces<const W: usize> {
    possible: Space<W>,
    certain: Space<W>,
}

impl Decider<'_> {
    fn decide<const W: usize>(&self) -> Result<Vec<Verdict>, VerdictError> {
        let spaces = if self.asked.iter().any(Option::is_some) {
            let subjects: Vec<Subject<'_>> = self
                .estate
                .policies()
                .iter()
                .chain(&self.regions.policies)
                .map(|policy| Subject {
                    policy,
                    estate: &self.regions.estate,
                })
                .collect();
            Some(Spaces::<W> {
                possible: Space::new(&subjects, self.directory, Reading::Possible)?,
                certain: Space::new(&subjects, self.directory, Reading::Certain)?,
            })
        } else {
            None
        };
        let each = self.expectations.iter().zip(self.asked);
        Ok(each
            .map(|(expectation, asked)| match (asked, &spaces) {
                (Some((region, except)), Some(spaces)) => self.invariant(expectation, region, except, spaces),
                _ => self.scenario(expectation),
            })
            .collect())
    }

    fn satisfied(expectation: &Expectation) -> Option<BTreeSet<String>> {
        let satisfied = expectation.facts.satisfied.as_ref()?;
        Some(satisfied.iter().map(control_name).collect())
    }

    fn scenario(&self, expectation: &Expectation) -> Verdict {
        let sign_in = region::sign_in(&expectation.facts, self.estate, self.directory);
        let satisfied = Self::satisfied(expectation);
        let whom = Whom {
            kind: expectation.kind,
            is_modern: sign_in.is_modern(),
            satisfied: satisfied.as_ref(),
        };
        let all = self.estate.policies().iter();
        let truths: Vec<Truth> = all
            .map(|policy| policy.matches(&sign_in, self.estate).0)
            .collect();
        let meets = |places: &BTreeSet<usize>, least: Truth| {
            places
                .iter()
                .any(|place| truths.get(*place).is_some_and(|truth| *truth >= least))
        };
        let (mut failing, mut undecided) = (Vec::new(), Vec::new());
        for demand in demands(&expectation.expected, self.estate, &whom) {
            let (surely, perhaps) = match &demand.check {
                Check::Some(places) => (meets(places, Truth::Yes), meets(places, Truth::Undecided)),
                Check::None(places) => (!meets(places, Truth::Undecided), !meets(places, Truth::Yes)),
            };
            match (surely, perhaps) {
                (true, _) => {}
                (false, true) => undecided.push(demand),
                (false, false) => failing.push(demand),
            }
        }
        let (ruling, demands) = match (failing.is_empty(), undecided.is_empty()) {
            (true, true) => (Ruling::Holds, Vec::new()),
            (true, false) => (Ruling::Undecided, undecided),
            (false, _) => (Ruling::Fails, failing),
        };
        Verdict {
            ruling,
            policies: self.responsible(&sign_in, &demands),
            wrong: demands.into_iter().map(|demand| demand.wrong).collect(),
            counterexample: None,
        }
    }

    fn invariant<const W: usize>(
        &self,
        expectation: &Expectation,
        region: &[usize],
        except: &[Vec<usize>],
        spaces: &Spaces<W>,
    ) -> Verdict {
        let satisfied = Self::satisfied(expectation);
        let clients: &[Option<bool>] = match expectation.expected.access {
            Some(_) => &[Some(true), Some(false)],
            None => &[None],
        };
        let offset = self.estate.policies().len();
        let region: Mask<W> = region.iter().map(|place| place + offset).collect();
        let mut undecided = None;
        for client in clients {
            let whom = Whom {
                kind: expectation.kind,
                is_modern: client.unwrap_or(true),
                satisfied: satisfied.as_ref(),
            };
            let may = |facet: &Facet| match (facet, client) {
                (Facet::ClientApp(kind), Some(is_modern)) => kind.is_modern() == *is_modern,
                _ => true,
            };
            for demand in demands(&expectation.expected, self.estate, &whom) {
                let (sure, doubtful) = match demand.check {
                    Check::Some(_) => (&spaces.possible, &spaces.certain),
                    Check::None(_) => (&spaces.certain, &spaces.possible),
                };
                let search = |space: &Space<W>| {
                    wanted(&demand.check, region, except, offset)
                        .iter()
                        .find_map(|wanted| space.find(wanted, &may))
                };
                if let Some(found) = search(sure) {
                    return self.refuted(expectation, &found, demand, Ruling::Fails);
                }
                if undecided.is_none()
                    && let Some(found) = search(doubtful)
                {
                    undecided = Some(self.refuted(expectation, &found, demand, Ruling::Undecided));
                }
            }
        }
        undecided.unwrap_or(Verdict {
            ruling: Ruling::Holds,
            wrong: Vec::new(),
            policies: Vec::new(),
            counterexample: None,
        })
    }

    fn refuted<const W: usize>(
        &self,
        expectation: &Expectation,
        found: &Found<W>,
        demand: Demand,
        ruling: Ruling,
    ) -> Verdict {
        let mut facts = counterexample::facts(&found.facets, &self.regions.estate);
        facts.satisfied.clone_from(&expectation.facts.satisfied);
        let mut address = expectation.address.clone();
        ExpectationKind::Scenario.word().clone_into(&mut address.kind);
        address.name = format!("counterexample: {}", address.name);
        let demands = [demand];
        let policies = self.responsible(&found.sign_in, &demands);
        Verdict {
            ruling,
            policies,
            wrong: demands.into_iter().map(|demand| demand.wrong).collect(),
            counterexample: Some(Expectation {
                address,
                kind: ExpectationKind::Scenario,
                facts,
                except: Vec::new(),
                ..expectation.clone()
            }),
        }
    }

    /// The policies that a failure comes from: those in force that apply, and those that would have met a demand.
    fn responsible(&self, sign_in: &SignIn, demands: &[Demand]) -> Vec<(String, Option<Because>)> {
        let mut found: BTreeMap<usize, Option<Because>> = BTreeMap::new();
        for demand in demands {
            let (Check::Some(places) | Check::None(places)) = &demand.check;
            for place in places {
                let Some(policy) = self.estate.policies().get(*place) else {
                    continue;
                };
                match (&demand.check, policy.matches(sign_in, self.estate)) {
                    (_, (Truth::Yes, _)) => drop(found.insert(*place, None)),
                    (Check::Some(_), (_, because)) | (Check::None(_), (Truth::Undecided, because)) => {
                        found.insert(*place, because);
                    }
                    (Check::None(_), _) => {}
                }
            }
        }
        // What applies instead, and does not do enough.
        let lacks = demands
            .iter()
            .any(|demand| matches!(demand.check, Check::Some(_)));
        if found.is_empty() || lacks {
            for (place, policy) in self.estate.policies().iter().enumerate() {
                if policy.enforcement == Enforcement::Enforced
                    && policy.grant.is_some()
                    && policy.matches(sign_in, self.estate).0 == Truth::Yes
                {
                    found.insert(place, None);
                }
            }
        }
        found
            .into_iter()
            .filter_map(|(place, because)| Some((self.estate.policies().get(place)?.key.clone(), because)))
            .collect()
    }
}

/// What to look for, any of which breaks the demand.
fn wanted<const W: usize>(
    check: &Check,
    region: Mask<W>,
    except: &[Vec<usize>],
    offset: usize,
) -> Vec<Wanted<W>> {
    let mut all: Vec<Wanted<W>> = match check {
        Check::Some(places) => vec![Wanted {
            all: region,
            none: places.iter().copied().collect(),
        }],
        Check::None(places) => places
            .iter()
            .map(|place| Wanted {
                all: region | Mask::from_iter([*place]),
                none: Mask::default(),
            })
            .collect(),
    };
    // A region is left when one of its policies does not catch.
    for places in except {
        all = all
            .into_iter()
            .flat_map(|wanted| {
                places.iter().map(move |place| Wanted {
                    all: wanted.all,
                    none: wanted.none | Mask::from_iter([place + offset]),
                })
            })
            .collect();
    }
    all
}
