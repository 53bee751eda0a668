//! What the evidence must show before a wave is left: each condition passes, fails, or has not enough evidence yet.
//!
//! A rate is an estimate from the sign-ins that were seen, so it is shown with Wilson's interval for 95 %: a limit is kept
//! when the whole interval is within it, broken when the whole interval is above it, and undecided in between. Then none of
//! 12 sign-ins failing is no proof of anything (the interval ends at 24 %), and three of 100 failing breaks no limit of 2 %.
//! For an undecided limit it is worked out how many sign-ins like those seen would decide it. The interval takes sign-ins
//! for independent of each other; where a few people sign in much more often than others, look at the people as well.

mod rate;
mod told;

pub use rate::Rate;
pub use told::Told;

use serde::{Deserialize, Serialize};

use super::evidence::{Counts, PolicyEvidence};
use crate::model::rollout::{Gate, Share};

/// What a condition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// Nobody knows yet.
    NotEnough,
    /// It does not hold.
    Fail,
}

/// Which condition it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// `min_sign_ins`.
    SignIns,
    /// `max_failure_rate`.
    FailureRate,
    /// `max_interruption_rate`.
    InterruptionRate,
    /// `min_registered`.
    Registered,
    /// `webhook`.
    Webhook,
    /// `command`.
    Command,
    /// One of `invariants`.
    Invariant,
}

impl Condition {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignIns => "min_sign_ins",
            Self::FailureRate => "max_failure_rate",
            Self::InterruptionRate => "max_interruption_rate",
            Self::Registered => "min_registered",
            Self::Webhook => "webhook",
            Self::Command => "command",
            Self::Invariant => "invariants",
        }
    }
}

/// What one condition came to, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The condition.
    pub condition: Condition,
    /// The policy that it is about, by its address; none for what is not about one policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What it came to.
    pub outcome: Outcome,
    /// Why, as a sentence's part without a full stop.
    pub why: String,
    /// The rate, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many more sign-ins like those seen would decide it, where any number would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
}

impl Answer {
    /// Whether it shows that the wave in force does harm; people who are not ready for the next one do not.
    pub fn is_breach(&self) -> bool {
        self.outcome == Outcome::Fail && !matches!(self.condition, Condition::SignIns | Condition::Registered)
    }
}

/// How many of the next wave's people can do what the policy asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Those who can.
    pub registered: u64,
    /// All of them.
    pub people: u64,
}

/// What is known when a gate is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The evidence of each policy, by address.
    pub evidence: &'a [(String, PolicyEvidence)],
    /// Who can do what is asked for; none when it was not looked up.
    pub coverage: Option<Coverage>,
    /// What the webhook answered.
    pub webhook: Option<&'a Told>,
    /// What the command answered.
    pub command: Option<&'a Told>,
    /// Whether each invariant holds, by its text, and why not.
    pub invariants: &'a [(String, Result<(), String>)],
}

/// Asks every condition of a gate; they all must pass.
pub fn ask(gate: &Gate, known: &Known<'_>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let needs_evidence = gate.min_sign_ins.is_some()
        || gate.max_failure_rate.is_some()
        || gate.max_interruption_rate.is_some();
    if needs_evidence && known.evidence.is_empty() {
        answers.push(plain(
            Condition::SignIns,
            Outcome::NotEnough,
            "no sign-ins were read".to_owned(),
        ));
    }
    for (policy, evidence) in known.evidence {
        let counts = evidence.counts;
        let mut of = |answer: Answer| {
            answers.push(Answer {
                policy: Some(policy.clone()),
                ..answer
            });
        };
        if let Some(least) = gate.min_sign_ins {
            of(sign_ins(least, counts));
        }
        if let Some(limit) = &gate.max_failure_rate {
            let failed = (counts.failure, evidence.people.failure, "failed");
            of(rate(Condition::FailureRate, limit, failed, evidence));
        }
        if let Some(limit) = &gate.max_interruption_rate {
            let interrupted = (
                counts.interrupted,
                evidence.people.interrupted,
                "were interrupted",
            );
            of(rate(Condition::InterruptionRate, limit, interrupted, evidence));
        }
    }
    if let Some(least) = &gate.min_registered {
        answers.push(registered(least, known.coverage));
    }
    if gate.webhook.is_some() {
        answers.push(told(Condition::Webhook, known.webhook));
    }
    if gate.command.is_some() {
        answers.push(told(Condition::Command, known.command));
    }
    for text in &gate.invariants {
        let found = known.invariants.iter().find(|(name, _)| name == text);
        let (outcome, why) = match found.map(|(_, holds)| holds) {
            None => (
                Outcome::NotEnough,
                format!("the invariant \"{text}\" was not looked at"),
            ),
            Some(Ok(())) => (Outcome::Pass, format!("the invariant \"{text}\" holds")),
            Some(Err(why)) => (
                Outcome::Fail,
                format!("the invariant \"{text}\" does not hold: {why}"),
            ),
        };
        answers.push(plain(Condition::Invariant, outcome, why));
    }
    answers
}

/// What all conditions come to together: the worst of them.
pub fn overall(answers: &[Answer]) -> Outcome {
    answers
        .iter()
        .map(|answer| answer.outcome)
        .max()
        .unwrap_or(Outcome::Pass)
}

fn plain(condition: Condition, outcome: Outcome, why: String) -> Answer {
    Answer {
        condition,
        policy: None,
        outcome,
        why,
        rate: None,
        more: None,
    }
}

fn sign_ins(least: u64, counts: Counts) -> Answer {
    let seen = counts.all();
    if seen >= least {
        let why = format!("{seen} sign-ins, at least {least} are asked for");
        return plain(Condition::SignIns, Outcome::Pass, why);
    }
    let more = least - seen;
    Answer {
        more: Some(more),
        ..plain(
            Condition::SignIns,
            Outcome::NotEnough,
            format!("{seen} sign-ins of at least {least}: {more} more are needed"),
        )
    }
}

fn rate(
    condition: Condition,
    limit: &Share,
    (count, people, word): (u64, u64, &str),
    evidence: &PolicyEvidence,
) -> Answer {
    let rate = Rate::of(count, evidence.counts.all());
    let mut seen = format!("{count} of {} sign-ins {word}, {rate}", rate.of);
    if count > 0 {
        seen = format!("{seen}, {people} of {} people", evidence.people.all());
    }
    let asked = format!("at most {limit} is asked for");
    let most = limit.fraction();
    let (outcome, more, rest) = if rate.of == 0 {
        (Outcome::NotEnough, rate.more_for(most), String::new())
    } else if rate.high <= most && most > 0.0 {
        (Outcome::Pass, None, String::new())
    } else if rate.low > most {
        (Outcome::Fail, None, String::new())
    } else {
        (Outcome::NotEnough, rate.more_for(most), String::new())
    };
    let rest = match (outcome, more) {
        (Outcome::NotEnough, Some(more)) => format!(": {more} more like these would decide it"),
        (Outcome::NotEnough, None) if most <= 0.0 => {
            ": no number of sign-ins shows that none ever will; write the rate that you can live with"
                .to_owned()
        }
        (Outcome::NotEnough, None) => ": more sign-ins like these would not keep it".to_owned(),
        _ => rest,
    };
    Answer {
        condition,
        policy: None,
        outcome,
        why: format!("{seen}; {asked}{rest}"),
        rate: Some(rate),
        more,
    }
}

fn registered(least: &Share, coverage: Option<Coverage>) -> Answer {
    let Some(coverage) = coverage else {
        let why = "who can do what is asked for was not looked up".to_owned();
        return plain(Condition::Registered, Outcome::NotEnough, why);
    };
    let Coverage { registered, people } = coverage;
    if people == 0 {
        let why = "there is nobody in the next wave".to_owned();
        return plain(Condition::Registered, Outcome::NotEnough, why);
    }
    let enough = u128::from(registered) * 1_000_000 >= u128::from(people) * u128::from(least.millionths);
    let share = rate::percent(rate::part(registered, people));
    let why = format!(
        "{registered} of {people} people can do what is asked for ({share}), at least {least} is asked for"
    );
    let outcome = if enough { Outcome::Pass } else { Outcome::Fail };
    plain(Condition::Registered, outcome, why)
}

fn told(condition: Condition, told: Option<&Told>) -> Answer {
    let (outcome, why) = match told {
        None => (
            Outcome::NotEnough,
            format!("the {} was not asked", condition.word()),
        ),
        Some(Told::Pass { reason }) => (Outcome::Pass, said(condition, "pass", reason)),
        Some(Told::Fail { reason }) => (Outcome::Fail, said(condition, "fail", reason)),
        Some(Told::Hold { reason }) => (Outcome::NotEnough, said(condition, "hold", reason)),
        Some(Told::Nothing { why }) => (
            Outcome::NotEnough,
            format!("the {} gave no answer that counts: {why}", condition.word()),
        ),
    };
    plain(condition, outcome, why)
}

fn said(condition: Condition, word: &str, reason: &str) -> String {
    let said = format!("the {} says {word}", condition.word());
    if reason.is_empty() {
        said
    } else {
        format!("{said}: {reason}")
    }
}

#[cfg(test)]
mod tests;
