//! What can be wrong with a rule, and where.

use super::LONGEST_RULE;
use super::Place;

/// Why a text is no rule, or one that the service would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum FilterRuleError {
    /// Nothing in it.
    #[error("the filter rule is empty")]
    #[diagnostic(
        code("model::empty_filter_rule"),
        help("write a comparison like `device.isCompliant -eq True`")
    )]
    Empty,
    /// Something else should stand here.
    #[error("`{found}` stands where {expected} belongs")]
    #[diagnostic(code("model::filter_rule_syntax"), help("{help}"))]
    Unexpected {
        /// What stands there.
        found: String,
        /// What belongs there.
        expected: &'static str,
        /// What to write.
        help: String,
        /// Where.
        at: Place,
    },
    /// The rule stops in the middle.
    #[error("the filter rule ends where {expected} belongs")]
    #[diagnostic(code("model::filter_rule_syntax"), help("{help}"))]
    Unfinished {
        /// What belongs there.
        expected: &'static str,
        /// What to write.
        help: String,
        /// The end of the rule.
        at: Place,
    },
    /// A quote without its partner.
    #[error("the text that begins with `{text}` has no closing quote")]
    #[diagnostic(code("model::filter_rule_quote"), help("put `\"` behind the text"))]
    OpenQuote {
        /// The beginning of the text.
        text: String,
        /// The text, to the end of the rule.
        at: Place,
    },
    /// An operator of dynamic groups, or none at all.
    #[error("`{operator}` is not an operator of filter rules")]
    #[diagnostic(code("model::filter_rule_operator"), help("{help}"))]
    UnknownOperator {
        /// What was written.
        operator: String,
        /// Which operator to write.
        help: String,
        /// Where.
        at: Place,
    },
    /// Parentheses, or negations, too deep.
    #[error("the filter rule is nested deeper than {limit} levels")]
    #[diagnostic(
        code("model::filter_rule_depth"),
        help("write fewer parentheses inside one another")
    )]
    TooDeep {
        /// The limit.
        limit: usize,
        /// The first bracket too many.
        at: Place,
    },
    /// Longer than the service stores.
    #[error("the filter rule has {length} characters, and the service takes {LONGEST_RULE}")]
    #[diagnostic(
        code("model::filter_rule_length"),
        help("put the devices' common property into an extension attribute and compare that")
    )]
    TooLong {
        /// Its length in characters.
        length: usize,
    },
    /// A property that this kind of filter does not have.
    #[error("`{property}` is not a property of {scope}")]
    #[diagnostic(code("model::filter_rule_property"), help("{help}"))]
    UnknownProperty {
        /// What was written.
        property: String,
        /// Whose property it should be.
        scope: &'static str,
        /// Which property to write.
        help: String,
        /// Where.
        at: Place,
    },
    /// `-in` with one text, or `-eq` with a list.
    #[error("`{operator}` compares with {expected}, not with `{value}`")]
    #[diagnostic(code("model::filter_rule_value"), help("write {help}"))]
    WrongValue {
        /// The operator.
        operator: &'static str,
        /// What it compares with.
        expected: &'static str,
        /// What was written.
        value: String,
        /// What to write.
        help: String,
        /// Where the value stands.
        at: Place,
    },
}

impl FilterRuleError {
    /// Where in the text of the rule; `None` when it concerns the whole.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Unexpected { at, .. }
            | Self::Unfinished { at, .. }
            | Self::OpenQuote { at, .. }
            | Self::UnknownOperator { at, .. }
            | Self::TooDeep { at, .. }
            | Self::UnknownProperty { at, .. }
            | Self::WrongValue { at, .. } => Some(*at),
            Self::Empty | Self::TooLong { .. } => None,
        }
    }
}

/// What a rule says that its author hardly means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum FilterRuleWarning {
    /// An operator that Microsoft's page does not list for the property.
    #[error("`{operator}` is not documented for `{property}`")]
    #[diagnostic(
        code("model::filter_rule_operator_for_property"),
        severity(Warning),
        help("write one of {operators}")
    )]
    OperatorForProperty {
        /// The operator.
        operator: &'static str,
        /// The property.
        property: String,
        /// The operators that are documented, as a list.
        operators: String,
        /// Where the operator stands.
        at: Place,
    },
    /// A value that the property never has.
    #[error("`{property}` is never `{value}`")]
    #[diagnostic(
        code("model::filter_rule_value_of_property"),
        severity(Warning),
        help("{help}")
    )]
    ValueOfProperty {
        /// The property.
        property: String,
        /// The value.
        value: String,
        /// Which value to write.
        help: String,
        /// Where the value stands.
        at: Place,
    },
    /// `'text'`: dynamic group rules quote with `"`.
    #[error("`{text}` is in single quotes")]
    #[diagnostic(
        code("model::filter_rule_single_quotes"),
        severity(Warning),
        help("write {double}, or the service may compare with the quotes too")
    )]
    SingleQuotes {
        /// The text with its quotes.
        text: String,
        /// The same in double quotes.
        double: String,
        /// Where it stands.
        at: Place,
    },
}

impl FilterRuleWarning {
    /// Where in the text of the rule.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::OperatorForProperty { at, .. }
            | Self::ValueOfProperty { at, .. }
            | Self::SingleQuotes { at, .. } => *at,
        }
    }
}
