//! What the rules about all policies together find, as diagnostics of a project.

mod tenant;

use std::collections::BTreeSet;

use super::project::Loaded;
use super::what_if::WhatIfError;
use crate::access::{Estate, EstateError, Gap, Known, Needs, SpaceError, gaps};
use crate::lang::Diagnostics;
use crate::lang::error::{Code, Diagnostic, Severity, span_of};
use crate::model::gap::{self, Rule, RuleRow};
use crate::model::{Address, Origin};
use crate::syntax::Span;

pub use tenant::{Findings, of_plan};

/// Why the policies can't be judged together.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LintError {
    /// The policies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Estate(#[from] EstateError),
    /// All sign-ins.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Space(#[from] SpaceError),
    /// The policies of a plan.
    #[error(transparent)]
    #[diagnostic(transparent)]
    View(#[from] WhatIfError),
    /// Graph.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Graph(#[from] crate::graph::GraphError),
}

/// More policies than any tenant takes; together they are not judged.
const MOST_POLICIES: usize = 1000;

/// For how many days a policy may be report-only before that is told.
const PATIENCE_DAYS: i64 = 30;

/// What the rules find in a project by itself, without the network. Nothing of a project with errors.
pub fn of_project(loaded: &Loaded) -> Result<Diagnostics, LintError> {
    let configuration = &loaded.configuration;
    let mut found = Diagnostics::new();
    if loaded.diagnostics.has_errors() {
        return Ok(found);
    }
    let estate = Estate::of(configuration)?;
    if estate.policies().len() > MOST_POLICIES {
        return Ok(found);
    }
    let known = Known {
        emergency: configuration.emergency_access.as_ref(),
        ..Known::default()
    };
    let gaps = gaps(&estate, &known)?;
    let mut acceptances = Acceptances::of(loaded);
    for gap in &gaps {
        let address = gap.policies.first().and_then(|key| key.parse().ok());
        if !acceptances.cover(gap, address.as_ref()) {
            found.push(diagnostic(gap, address.as_ref(), loaded));
        }
    }
    // A policy that the project does not know can shadow one that it knows.
    let decided = |row: &RuleRow| {
        row.needs == Needs::Nothing && ![Rule::ShadowedPolicy, Rule::DuplicatePolicy].contains(&row.rule)
    };
    acceptances.report_unused(decided, &mut found);
    Ok(found)
}

/// The `accept` blocks of a project, and which of them were of use.
pub(super) struct Acceptances<'a> {
    loaded: &'a Loaded,
    used: BTreeSet<usize>,
}

impl<'a> Acceptances<'a> {
    pub(super) fn of(loaded: &'a Loaded) -> Self {
        Self {
            loaded,
            used: BTreeSet::new(),
        }
    }

    /// Whether one of them says that this is meant so.
    pub(super) fn cover(&mut self, gap: &Gap, address: Option<&Address>) -> bool {
        let all = &self.loaded.configuration.accepted;
        let by = all
            .iter()
            .position(|accepted| accepted.covers(gap.rule.code(), address));
        self.used.extend(by);
        by.is_some()
    }

    /// Those of the rules that were decided, but found nothing of the kind.
    pub(super) fn report_unused(&self, is_decided: impl Fn(&RuleRow) -> bool, found: &mut Diagnostics) {
        for (place, accepted) in self.loaded.configuration.accepted.iter().enumerate() {
            let Some(row) = RuleRow::by_code(&accepted.code) else {
                continue;
            };
            if is_decided(row) && !self.used.contains(&place) {
                found.warning(
                    Code::UnusedAcceptance,
                    span_of(accepted.origin),
                    format!("nothing is found that `{}` could accept", accepted.code),
                    "take the block away",
                );
            }
        }
    }
}

/// A gap as a diagnostic at the policy that it is about, if a block says that policy.
pub(super) fn diagnostic(gap: &Gap, address: Option<&Address>, loaded: &Loaded) -> Diagnostic {
    let code = gap.rule.code();
    let code = Code::Gap(code.strip_prefix("gap::").unwrap_or(code));
    let origin = |address: &Address| -> Option<Origin> {
        let resource = loaded.configuration.resources.get(address)?;
        Some(resource.origin)
    };
    let span = address.and_then(origin).map_or(Span::SYNTHETIC, span_of);
    let mut diagnostic = Diagnostic::error(code, span, gap.message.clone(), gap.help.clone());
    for other in gap.policies.iter().skip(1) {
        if let Some(origin) = other.parse().ok().as_ref().and_then(origin)
            && span != Span::SYNTHETIC
        {
            diagnostic = diagnostic.also(span_of(origin), "and this");
        }
    }
    diagnostic.of_severity(match gap.severity {
        gap::Severity::Error => Severity::Error,
        gap::Severity::Warning => Severity::Warning,
        gap::Severity::Note => Severity::Note,
    })
}
