//! What can be wrong with a value for the place where it landed.

use crate::lang::error::{Code, Diagnostic, Severity};
use crate::lang::nearest::{either, nearest};
use crate::syntax::Span;

/// A value, attribute or block that does not fit where it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BindError {
    /// An attribute that the block does not have.
    #[error("`{block}` has no attribute `{name}`")]
    UnknownAttribute {
        /// The block's path: `policy`, `policy.users`.
        block: String,
        /// The name as written.
        name: String,
        /// The names that stand there.
        choices: Vec<String>,
        /// The name.
        at: Span,
    },
    /// A nested block that the block does not have.
    #[error("`{block}` has no block `{name}`")]
    UnknownBlock {
        /// The block's path.
        block: String,
        /// The name as written.
        name: String,
        /// The names that stand there.
        choices: Vec<String>,
        /// The name.
        at: Span,
    },
    /// An attribute or nested block written twice.
    #[error("`{name}` is written twice")]
    Repeated {
        /// The name.
        name: String,
        /// The first one.
        first: Span,
        /// The second one.
        at: Span,
    },
    /// Two attributes that exclude each other.
    #[error("{problem}")]
    Both {
        /// What is wrong, in a clause.
        problem: String,
        /// How to write it.
        help: String,
        /// The first one.
        first: Span,
        /// The second one.
        at: Span,
    },
    /// A word in a place for references, which is none of its keywords.
    #[error("`{place}` does not know the word `{word}`")]
    UnknownKeyword {
        /// The place: `users.include`.
        place: String,
        /// The word as written.
        word: String,
        /// The keywords.
        choices: Vec<String>,
        /// References by that name: `group("finance")`.
        references: Vec<String>,
        /// The word.
        at: Span,
    },
    /// A required attribute that is not there.
    #[error("`{name}` is missing")]
    Missing {
        /// The attribute.
        name: String,
        /// What to write.
        example: String,
        /// The head of the block.
        at: Span,
    },
    /// A word that the place does not know.
    #[error("`{word}` is not {noun}")]
    UnknownSymbol {
        /// The word as written.
        word: String,
        /// What would stand there: `a policy state`.
        noun: String,
        /// The words that stand there.
        choices: Vec<String>,
        /// The word.
        at: Span,
    },
    /// A value of the wrong kind.
    #[error("`{name}` takes {wanted}, not {found}")]
    WrongKind {
        /// The attribute.
        name: String,
        /// What it takes.
        wanted: String,
        /// What was found.
        found: String,
        /// How to write it.
        help: String,
        /// The value.
        at: Span,
    },
    /// A value of the right kind that can't stand.
    #[error("{problem}")]
    Unfit {
        /// What is wrong, in a clause.
        problem: String,
        /// How to write it.
        help: String,
        /// The value.
        at: Span,
    },
    /// A value that can stand, but that this version of capol does not know.
    #[error("{problem}")]
    Doubtful {
        /// What is doubtful, in a clause.
        problem: String,
        /// What to look at.
        help: String,
        /// The value.
        at: Span,
    },
}

impl BindError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownAttribute { .. } => Code::UnknownAttribute,
            Self::UnknownBlock { .. } => Code::UnknownBlock,
            Self::Repeated { .. } => Code::Duplicate,
            Self::Missing { .. } => Code::Missing,
            Self::Both { .. } => Code::Exclusive,
            Self::UnknownSymbol { .. } | Self::UnknownKeyword { .. } => Code::UnknownSymbol,
            Self::WrongKind { .. } => Code::WrongType,
            Self::Unfit { .. } | Self::Doubtful { .. } => Code::InvalidValue,
        }
    }

    fn span(&self) -> Span {
        match self {
            Self::UnknownAttribute { at, .. }
            | Self::UnknownBlock { at, .. }
            | Self::Repeated { at, .. }
            | Self::Missing { at, .. }
            | Self::Both { at, .. }
            | Self::UnknownSymbol { at, .. }
            | Self::UnknownKeyword { at, .. }
            | Self::WrongKind { at, .. }
            | Self::Unfit { at, .. }
            | Self::Doubtful { at, .. } => *at,
        }
    }

    fn label(&self) -> String {
        match self {
            Self::UnknownAttribute { .. } => "no such attribute".into(),
            Self::UnknownBlock { .. } => "no such block".into(),
            Self::Repeated { .. } | Self::Both { .. } => "the second".into(),
            Self::Missing { name, .. } => format!("needs `{name}`"),
            Self::UnknownSymbol { .. } | Self::UnknownKeyword { .. } => "not known here".into(),
            Self::WrongKind { found, .. } => format!("this is {found}"),
            Self::Unfit { .. } | Self::Doubtful { .. } => "here".into(),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::UnknownAttribute { name, choices, .. } | Self::UnknownBlock { name, choices, .. } => {
                foreign(name).map_or_else(|| suggestion(name, choices), str::to_owned)
            }
            Self::UnknownKeyword {
                word,
                choices,
                references,
                ..
            } => {
                if let Some(near) = nearest(word, choices.iter().map(String::as_str)) {
                    format!("write `{near}`")
                } else {
                    let all = references.iter().chain(choices).map(String::as_str);
                    format!("write {}", either(all, 12))
                }
            }
            Self::UnknownSymbol {
                word: name, choices, ..
            } => suggestion(name, choices),
            Self::Repeated { name, .. } => format!("keep one `{name}`"),
            Self::Missing { example, .. } => format!("add `{example}`"),
            Self::WrongKind { help, .. }
            | Self::Both { help, .. }
            | Self::Unfit { help, .. }
            | Self::Doubtful { help, .. } => help.clone(),
        }
    }
}

/// What to write for the words of Graph and Terraform that people try first.
fn foreign(name: &str) -> Option<&'static str> {
    Some(match name {
        "count" => "use `for_each` with a list or a map, and `each.key` inside",
        "dynamic" => "write the block itself: its lists take `for` expressions",
        "provider" => "leave it out: a `tenant` block says where to sign in",
        "display_name" | "displayName" => "write `name`",
        "conditions" => "write `users`, `apps`, `locations` and the others directly in the policy",
        "grant_controls" | "grantControls" => "write `grant = …`",
        "session_controls" | "sessionControls" => "write `session { … }`",
        "applications" => "write `apps`",
        "client_applications" => "write `workloads`",
        "included_users"
        | "included_groups"
        | "included_roles"
        | "included_applications"
        | "included_locations"
        | "included_platforms" => "write `include`",
        "excluded_users"
        | "excluded_groups"
        | "excluded_roles"
        | "excluded_applications"
        | "excluded_locations"
        | "excluded_platforms" => "write `exclude`",
        _ => return None,
    })
}

fn suggestion(name: &str, choices: &[String]) -> String {
    match nearest(name, choices.iter().map(String::as_str)) {
        Some(near) => format!("write `{near}`"),
        None if choices.is_empty() => format!("leave `{name}` out"),
        None => format!("write {}", either(choices.iter().map(String::as_str), 12)),
    }
}

impl From<BindError> for Diagnostic {
    fn from(error: BindError) -> Self {
        let severity = if matches!(error, BindError::Doubtful { .. }) {
            Severity::Warning
        } else {
            Severity::Error
        };
        let made =
            Self::error(error.code(), error.span(), error.to_string(), error.help()).labelled(error.label());
        let made = match error {
            BindError::Repeated { first, .. } | BindError::Both { first, .. } => {
                made.also(first, "the first")
            }
            _ => made,
        };
        Self { severity, ..made }
    }
}
