//! `rollout` blocks into what the model holds of them.

use std::collections::BTreeSet;

use super::error::BindError;
use super::expectation::elements;
use super::value;
use crate::lang::blocks::{Checked, CheckedBlock};
use crate::lang::error::{Code, Diagnostic, Diagnostics, origin, span_of};
use crate::lang::value::{Evaluated, Number, Value};
use crate::model::configuration::Configuration;
use crate::model::rollout::{
    self, Approver, Audience, Cohort, Gate, Length, OnBreach, Rollout, Share, Wave, WaveState, Written,
};
use crate::model::rules::Severity;
use crate::model::{Address, Kind, Object, Reference, properties};
use crate::syntax::Span;

/// The user properties by which a share may be spread, as they are written and as Graph calls them.
const STRATA: &[(&str, &str)] = &[
    ("city", "city"),
    ("company", "companyName"),
    ("country", "country"),
    ("department", "department"),
    ("employee_type", "employeeType"),
    ("job_title", "jobTitle"),
    ("office", "officeLocation"),
    ("usage_location", "usageLocation"),
    ("user_type", "userType"),
];

/// Binds a block that was held against its schema; what does not fit is reported.
pub(in crate::lang) fn rollout(
    address: Address,
    header: Span,
    checked: &Checked,
    diagnostics: &mut Diagnostics,
) -> Option<Rollout> {
    let mut errors = Vec::new();
    let mut binder = Binder { errors: &mut errors };
    let waves: Vec<Wave> = checked
        .blocks
        .iter()
        .filter(|block| block.name == "wave")
        .filter_map(|block| binder.wave(block))
        .collect();
    let policies: Vec<Written<Address>> = ["policy", "policies"]
        .into_iter()
        .filter_map(|name| checked.get(name))
        .flat_map(elements)
        .filter_map(|each| match &each.value {
            Value::Block(address) => Some(Written {
                value: (**address).clone(),
                origin: origin(each.span),
            }),
            _ => None,
        })
        .collect();
    if let Some(none) = checked.get("policies").filter(|_| policies.is_empty()) {
        binder.unfit(
            "a rollout of no policy",
            "name at least one: `policies = [policy.NAME]`",
            none.span,
        );
    }
    let is_sound = errors.is_empty() && !waves.is_empty() && !policies.is_empty();
    for error in errors {
        diagnostics.push(error.into());
    }
    is_sound.then(|| Rollout {
        address,
        origin: origin(header),
        policies,
        waves,
        window: texts(checked, "window").into_iter().next(),
        freezes: texts(checked, "freeze"),
        calendar: texts(checked, "calendar").into_iter().next(),
        not_before: texts(checked, "not_before").into_iter().next(),
        on_breach: match checked.text("on_breach").as_deref() {
            Some("rollback") => OnBreach::Rollback,
            _ => OnBreach::Pause,
        },
        observe_rest: checked.is_true("observe_rest"),
        approvers: of_list(checked, "approvers", |value| match value {
            Value::Reference(reference) => Some(Approver::Reference(reference.clone())),
            other => other.as_text().map(|text| Approver::Named(text.to_owned())),
        }),
        tenants: of_list(checked, "tenants", |value| match value {
            Value::Block(address) => Some(address.name.clone()),
            other => other.as_text().map(str::to_owned),
        })
        .into_iter()
        .map(|written| written.value)
        .collect(),
    })
}

fn of_list<T>(checked: &Checked, name: &str, of: impl Fn(&Value) -> Option<T>) -> Vec<Written<T>> {
    let all = checked.get(name).map(elements).unwrap_or_default();
    all.into_iter()
        .filter_map(|each| {
            Some(Written {
                value: of(&each.value)?,
                origin: origin(each.span),
            })
        })
        .collect()
}

fn texts(checked: &Checked, name: &str) -> Vec<Written<String>> {
    of_list(checked, name, |value| value.as_text().map(str::to_owned))
}

fn length(checked: &Checked, name: &str) -> Option<Length> {
    match &checked.get(name)?.value {
        Value::Duration(duration) => Some(Length {
            seconds: duration.seconds(),
            text: duration.to_string(),
        }),
        _ => None,
    }
}

fn share(checked: &Checked, name: &str) -> Option<Share> {
    let written = checked.get(name)?;
    let Value::Percent(percent) = written.value else {
        return None;
    };
    let millionths = (percent.as_f64() * 10_000.0).round().clamp(0.0, 1_000_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, from 0 to a million"
    )]
    let millionths = millionths as u32;
    Some(Share {
        millionths,
        text: written.value.to_string(),
    })
}

fn count(checked: &Checked, name: &str) -> Option<u64> {
    match checked.get(name)?.value {
        Value::Number(Number::Integer(number)) => u64::try_from(number).ok(),
        _ => None,
    }
}

struct Binder<'a> {
    errors: &'a mut Vec<BindError>,
}

impl Binder<'_> {
    fn unfit(&mut self, problem: impl Into<String>, help: impl Into<String>, at: Span) {
        self.errors.push(BindError::Unfit {
            problem: problem.into(),
            help: help.into(),
            at,
        });
    }

    fn wave(&mut self, block: &CheckedBlock) -> Option<Wave> {
        let body = &block.body;
        let name = block.label.clone()?;
        let gate = body.blocks.iter().find(|inner| inner.name == "gate");
        Some(Wave {
            name,
            origin: origin(block.span),
            state: match body.text("state").as_deref() {
                Some("report_only") => WaveState::ReportOnly,
                _ => WaveState::Enabled,
            },
            audience: self.audience(body),
            soak: length(body, "soak"),
            approvals: count(body, "approvals").map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
            gate: gate.map(gate_of),
        })
    }

    fn audience(&mut self, body: &Checked) -> Audience {
        if let Some(written) = body.get("users") {
            return match self.people("users.include", written) {
                Some(people) => Audience::People(people),
                None => Audience::Whole,
            };
        }
        if let Some(written) = body.get("workloads") {
            return match self.people("workloads.include", written) {
                Some(people) => Audience::People(people),
                None => Audience::Whole,
            };
        }
        let (Some(written), Some(share), Some(of)) =
            (body.get("share"), share(body, "share"), body.get("of"))
        else {
            return Audience::Whole;
        };
        let Value::Reference(of) = &of.value else {
            return Audience::Whole;
        };
        Audience::Share(Cohort {
            share,
            origin: origin(written.span),
            of: of.clone(),
            stratify_by: self.strata(body),
            first: body
                .get("first")
                .and_then(|written| self.people("users.include", written)),
            last: body
                .get("last")
                .and_then(|written| self.people("users.include", written)),
        })
    }

    /// People as a policy includes them; nothing for `all`.
    fn people(&mut self, dsl: &str, written: &Evaluated) -> Option<Object> {
        let outcome = value::bind(dsl, properties::by_dsl(Kind::Policy, dsl), written);
        let is_sound = outcome.errors.is_empty();
        self.errors.extend(outcome.errors);
        let mut people = Object::new(Kind::Policy);
        for (row, bound) in outcome.values {
            people.set(row.wire, Some(bound));
        }
        if is_sound && people.iter().next().is_none() {
            self.unfit(
                "the wave is for nobody",
                "name somebody, or take the list away: then the wave is for everyone whom the policy is for",
                written.span,
            );
        }
        let all = Reference::keyword("All");
        let is_all = people
            .reference_set("conditions.users.includeUsers")
            .any(|reference| *reference == all);
        (!is_all).then_some(people)
    }

    fn strata(&mut self, body: &Checked) -> Vec<String> {
        let Some(written) = body.get("stratify_by") else {
            return Vec::new();
        };
        let mut strata = Vec::new();
        for each in elements(written) {
            let word = each.as_text().unwrap_or_default();
            match STRATA
                .iter()
                .find(|(ours, graphs)| *ours == word || *graphs == word)
            {
                Some((_, graphs)) => strata.push((*graphs).to_owned()),
                None => self.errors.push(BindError::UnknownSymbol {
                    word: word.to_owned(),
                    noun: "a property of users by which a share can be spread".into(),
                    choices: STRATA.iter().map(|(ours, _)| (*ours).to_owned()).collect(),
                    at: each.span,
                }),
            }
        }
        strata
    }
}

fn gate_of(block: &CheckedBlock) -> Gate {
    let body = &block.body;
    Gate {
        origin: origin(block.span),
        min_sign_ins: count(body, "min_sign_ins"),
        max_failure_rate: share(body, "max_failure_rate"),
        max_interruption_rate: share(body, "max_interruption_rate"),
        min_registered: share(body, "min_registered"),
        webhook: body.text("webhook"),
        command: body.text("command"),
        invariants: texts(body, "invariants")
            .into_iter()
            .map(|written| written.value)
            .collect(),
    }
}

/// Reports what the rollouts of a sound configuration may not say; the places of the `accept` blocks that say that
/// something is meant so are `used`.
pub(super) fn check(
    configuration: &Configuration,
    used: &mut BTreeSet<usize>,
    diagnostics: &mut Diagnostics,
) {
    if diagnostics.has_errors() {
        return;
    }
    for violation in rollout::check(configuration) {
        let by = configuration
            .accepted
            .iter()
            .position(|accepted| accepted.covers(violation.code, None));
        if let Some(by) = by.filter(|_| violation.severity == Severity::Lint) {
            used.insert(by);
            continue;
        }
        let code = Code::Rollout(violation.code.strip_prefix("rollout::").unwrap_or(violation.code));
        let span = span_of(violation.origin);
        let diagnostic = match violation.severity {
            Severity::Refused => Diagnostic::error(code, span, violation.message, violation.help),
            Severity::Lint => Diagnostic::warning(code, span, violation.message, violation.help),
        };
        diagnostics.push(match violation.also {
            Some((origin, text)) => diagnostic.also(span_of(origin), text),
            None => diagnostic,
        });
    }
}
