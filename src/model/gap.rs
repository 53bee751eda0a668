//! The rules about the policies of a tenant together, one row each, and what a project says about what they find.

use super::{Address, Origin};

/// `accept "gap::…" { reason = "…" }`: what a rule finds is meant so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The code: `gap::legacy_authentication`, or a lint of one policy, `rules::all_and_more`.
    pub code: String,
    /// Why.
    pub reason: String,
    /// Only where it is about one of these policies; about anything when there are none.
    pub policies: Vec<Address>,
    /// The head of its block.
    pub origin: Origin,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Probably not what was meant.
    Warning,
    /// Nothing may be written.
    Error,
}

impl Severity {
    /// Its word in messages and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a rule must know beside the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Nothing: it is asked of a configuration without the network.
    Nothing,
    /// The tenant, or an export of it.
    Tenant,
}

/// A rule about the policies of one tenant, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Somebody gets in with a client that can do nothing of what is asked for.
    LegacyAuthentication,
    /// Somebody is in the audience of no policy.
    UsersNeverIncluded,
    /// Guests of whom nothing is asked.
    GuestsUncovered,
    /// A platform that the service does not know escapes.
    UnknownPlatforms,
    /// Admins get in with something that can be phished.
    AdminsPhishable,
    /// A policy that can catch nobody, because of what it excludes.
    ExcludeVoidsPolicy,
    /// A policy of which everything is done by others already.
    ShadowedPolicy,
    /// A policy that says what another one says.
    DuplicatePolicy,
    /// The account that synchronises the directory is asked for what it can't do.
    SynchronisationAccount,
    /// A policy that has only watched for long.
    LongReportOnly,
    /// An excluded group that people can put themselves into.
    OpenExclusionGroup,
    /// A policy that refers to something that is not there.
    DanglingReference,
}

/// What is fixed about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRow {
    /// The rule.
    pub rule: Rule,
    /// Its code, which stays the same when the wording is improved.
    pub code: &'static str,
    /// How bad what it finds is at most.
    pub severity: Severity,
    /// What it must know.
    pub needs: Needs,
    /// Whether it is about the estate as a whole, and a policy more can only mend it.
    pub is_hole: bool,
    /// What it looks for, in a sentence without a full stop.
    pub title: &'static str,
}

const fn row(
    rule: Rule,
    code: &'static str,
    severity: Severity,
    needs: Needs,
    is_hole: bool,
    title: &'static str,
) -> RuleRow {
    RuleRow {
        rule,
        code,
        severity,
        needs,
        is_hole,
        title,
    }
}

const ROWS: [RuleRow; 12] = [
    row(
        Rule::LegacyAuthentication,
        "gap::legacy_authentication",
        Severity::Warning,
        Needs::Nothing,
        true,
        "Somebody gets in with an older protocol, which can do nothing that a policy asks for",
    ),
    row(
        Rule::UsersNeverIncluded,
        "gap::users_never_included",
        Severity::Warning,
        Needs::Nothing,
        true,
        "Somebody is in the audience of no policy in force",
    ),
    row(
        Rule::GuestsUncovered,
        "gap::guests_uncovered",
        Severity::Warning,
        Needs::Nothing,
        true,
        "Guests are in the audience of no policy in force that blocks or asks for something",
    ),
    row(
        Rule::UnknownPlatforms,
        "gap::unknown_platforms",
        Severity::Warning,
        Needs::Nothing,
        false,
        "A device that says it runs something unknown escapes a policy on platforms",
    ),
    row(
        Rule::AdminsPhishable,
        "gap::admins_phishable",
        Severity::Warning,
        Needs::Nothing,
        true,
        "Holders of an admin role get in without a phishing-resistant method",
    ),
    row(
        Rule::ExcludeVoidsPolicy,
        "gap::exclude_voids_policy",
        Severity::Warning,
        Needs::Nothing,
        false,
        "A policy excludes everything that it includes",
    ),
    row(
        Rule::ShadowedPolicy,
        "gap::shadowed_policy",
        Severity::Note,
        Needs::Nothing,
        false,
        "Everything that a policy does is done by others already",
    ),
    row(
        Rule::DuplicatePolicy,
        "gap::duplicate_policy",
        Severity::Warning,
        Needs::Nothing,
        false,
        "Two policies catch the same and ask for the same",
    ),
    row(
        Rule::SynchronisationAccount,
        "gap::synchronisation_account",
        Severity::Warning,
        Needs::Nothing,
        false,
        "The directory synchronisation account is asked for multifactor authentication, which it can't do",
    ),
    row(
        Rule::LongReportOnly,
        "gap::long_report_only",
        Severity::Note,
        Needs::Tenant,
        false,
        "A policy has been report-only for long",
    ),
    row(
        Rule::OpenExclusionGroup,
        "gap::open_exclusion_group",
        Severity::Warning,
        Needs::Tenant,
        false,
        "A policy excludes a group that people can join by themselves, or that its owners fill",
    ),
    row(
        Rule::DanglingReference,
        "gap::dangling_reference",
        Severity::Warning,
        Needs::Tenant,
        false,
        "A policy refers to something that is not there",
    ),
];

impl RuleRow {
    /// Every rule.
    pub fn all() -> &'static [Self] {
        &ROWS
    }

    /// The rule of a code.
    pub fn by_code(code: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.code == code)
    }
}

impl Acceptance {
    /// Whether what a rule found is meant by it: `policy` is the one that it is about.
    pub fn covers(&self, code: &str, policy: Option<&Address>) -> bool {
        self.code == code
            && (self.policies.is_empty()
                || policy.is_some_and(|policy| self.policies.iter().any(|one| one.covers(policy))))
    }
}

impl Rule {
    /// What is fixed about it.
    pub fn row(self) -> &'static RuleRow {
        let [first, ..] = &ROWS;
        ROWS.iter().find(|row| row.rule == self).unwrap_or(first)
    }

    /// Its code: `gap::legacy_authentication`.
    pub fn code(self) -> &'static str {
        self.row().code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_row() {
        for row in RuleRow::all() {
            assert_eq!(row.rule.row(), row);
            assert_eq!(RuleRow::by_code(row.code), Some(row));
        }
    }
}
