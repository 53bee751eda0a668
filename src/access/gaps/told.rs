//! What only the tenant tells: when policies changed, who fills a group, what is not there.

use std::collections::BTreeMap;

use super::inquiry::{Asked, Inquiry};
use super::policies::excluded_groups;
use super::{Gap, Rule, Told, words};
use crate::access::policy::Enforcement;
use crate::model::Target;

const DAY: i64 = 24 * 60 * 60;

impl Inquiry<'_> {
    /// What there is to say about what the tenant told.
    pub(super) fn told(&self, found: &mut Vec<Gap>) {
        let all = || self.asked.iter().filter(|asked| asked.is_after());
        for asked in all() {
            let told = self.known.policies.and_then(|told| told.get(&asked.policy.key));
            let Some(told) = told else { continue };
            found.extend(self.long_report_only(asked, told));
            found.extend(self.dangling(asked, told));
        }
        let Some(open) = self.known.open_groups else {
            return;
        };
        let mut excluding: BTreeMap<&String, Vec<&Asked<'_>>> = BTreeMap::new();
        for asked in all() {
            for group in excluded_groups(asked) {
                if open.contains_key(group) {
                    excluding.entry(group).or_default().push(asked);
                }
            }
        }
        for (group, policies) in excluding {
            let Some(because) = open.get(group) else { continue };
            let names: Vec<String> = policies
                .iter()
                .map(|asked| format!("`{}`", asked.policy.name))
                .collect();
            found.push(Gap {
                rule: Rule::OpenExclusionGroup,
                severity: Rule::OpenExclusionGroup.row().severity,
                policies: policies.iter().map(|asked| asked.policy.key.clone()).collect(),
                message: format!(
                    "{} leave{} out the group {}, {because}",
                    words::joined(&names, "and"),
                    if policies.len() == 1 { "s" } else { "" },
                    words::called(Target::Group, group, self.estate, self.known)
                ),
                help: "exclude a role-assignable group, whose members only administrators of roles change"
                    .to_owned(),
                example: None,
                about: group.clone(),
                #[cfg(test)]
                sign_in: None,
            });
        }
    }

    fn long_report_only(&self, asked: &Asked<'_>, told: &Told) -> Option<Gap> {
        let (now, most) = self.known.patience?;
        let days = (now.as_second() - told.since?.as_second()) / DAY;
        if asked.policy.enforcement != Enforcement::ReportOnly || days <= most {
            return None;
        }
        Some(self.about(
            Rule::LongReportOnly,
            asked,
            format!(
                "`{}` is report-only and was last changed {days} days ago",
                asked.policy.name
            ),
            "enable it, or take it away",
            None,
        ))
    }

    fn dangling(&self, asked: &Asked<'_>, told: &Told) -> Option<Gap> {
        let missing: Vec<String> = told
            .missing
            .iter()
            .map(|reference| {
                let noun = reference.target().map_or("object", Target::noun);
                format!("the {noun} {}", words::named(reference, self.known))
            })
            .collect();
        if missing.is_empty() {
            return None;
        }
        Some(self.about(
            Rule::DanglingReference,
            asked,
            format!(
                "`{}` refers to {}, which {} not there",
                asked.policy.name,
                words::joined(&missing, "and"),
                if missing.len() == 1 { "is" } else { "are" }
            ),
            "take it out of the policy, or make it again",
            None,
        ))
    }
}
