//! What the rules find of a plan, for its three readers.

use serde_json::{Value as Json, json};

use super::Context;
use crate::lang::Diagnostics;
use crate::lang::error::Diagnostic;
use crate::ops::lint::Findings;
use crate::ops::project::Loaded;
use crate::report::diagnostics::finding_json;
use crate::report::sarif::sarif;
use crate::report::{Finding, FindingsView, Page, findings_text};

/// What is found, with the texts that it is about.
pub(super) struct Shown {
    lints: Vec<Finding>,
    opened: Vec<Finding>,
    stays: Vec<Finding>,
    closed: Vec<Finding>,
}

impl Shown {
    pub(super) fn of(context: &Context, loaded: &Loaded, found: &Findings) -> Self {
        let shown = |all: &[Diagnostic]| -> Vec<Finding> {
            let mut diagnostics = Diagnostics::new();
            for one in all {
                diagnostics.push(one.clone());
            }
            let reported = diagnostics.reported(&loaded.sources);
            reported.iter().map(|one| Finding::of(one)).collect()
        };
        Self {
            lints: context.found(loaded),
            opened: shown(&found.opened),
            stays: shown(&found.stays),
            closed: shown(&found.closed),
        }
    }

    pub(super) fn page(&self, full: bool) -> Page {
        findings_text(&FindingsView {
            opened: &self.opened,
            stays: &self.stays,
            closed: &self.closed,
            full,
        })
    }

    /// The findings, each with whether the plan opens it.
    pub(super) fn json(&self) -> Json {
        let with = |finding: &Finding, is_new: bool| {
            let mut json = finding_json(finding);
            if let Some(members) = json.as_object_mut() {
                members.insert("new".to_owned(), json!(is_new));
            }
            json
        };
        let opened = self.opened.iter().map(|one| with(one, true));
        opened
            .chain(self.stays.iter().map(|one| with(one, false)))
            .collect()
    }

    pub(super) fn sarif(&self, context: &Context) -> Json {
        let all = [
            (&self.opened, Some("new")),
            (&self.stays, Some("unchanged")),
            (&self.lints, None),
        ];
        let findings: Vec<Finding> = all.iter().flat_map(|(findings, _)| (*findings).clone()).collect();
        let states: Vec<Option<&str>> = all
            .iter()
            .flat_map(|(findings, state)| findings.iter().map(|_| *state))
            .collect();
        sarif(&findings, &states, &context.project)
    }
}
