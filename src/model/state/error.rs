//! Why a state document cannot be used.

use miette::Diagnostic;
use thiserror::Error;

/// Why a state document cannot be read, written or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[non_exhaustive]
pub enum DocumentError {
    /// The bytes stop before the document does.
    #[error("the state ends in the middle of the document, at line {line}")]
    #[diagnostic(
        code(state::truncated),
        help("take the newest whole version back: `capol state repair`")
    )]
    Truncated {
        /// Line at which the text stops, from 1.
        line: usize,
    },

    /// The bytes are not JSON.
    #[error("the state is not JSON, at line {line} column {column}: {reason}")]
    #[diagnostic(
        code(state::corrupt),
        help("take the newest whole version back: `capol state repair`")
    )]
    Corrupt {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
        /// What the JSON reader objects to.
        reason: String,
    },

    /// JSON, but something else than a capol state document.
    #[error("this is {what}, not the state of capol")]
    #[diagnostic(code(state::foreign), help("{help}"))]
    Foreign {
        /// What it looks like.
        what: String,
        /// What to do.
        help: String,
    },

    /// A later form of the document than this version knows.
    #[error(
        "the state has format version {found}, written by capol {written_by}; this capol {CAPOL_VERSION} reads version {FORMAT_VERSION}",
        CAPOL_VERSION = super::CAPOL_VERSION,
        FORMAT_VERSION = super::FORMAT_VERSION
    )]
    #[diagnostic(
        code(state::newer_format),
        help("install capol {written_by} or later, and run the command again")
    )]
    NewerFormat {
        /// The document's format version.
        found: u64,
        /// The version of capol that wrote it, as far as it says.
        written_by: String,
    },

    /// A form of the document that no released version wrote.
    #[error(
        "the state has format version {found}, which no version of capol has written; this one reads version {FORMAT_VERSION}",
        FORMAT_VERSION = super::FORMAT_VERSION
    )]
    #[diagnostic(
        code(state::unknown_format),
        help("take the newest whole version back: `capol state repair`")
    )]
    UnknownFormat {
        /// The document's format version.
        found: u64,
    },

    /// Fields that this version would lose if it wrote the document back.
    #[error("the state holds {fields}, which capol {CAPOL_VERSION} does not know and would lose by writing", fields = quoted(.fields), CAPOL_VERSION = super::CAPOL_VERSION)]
    #[diagnostic(
        code(state::not_fully_read),
        help(
            "install capol {written_by} or later; until then `capol state list` and `capol show` still read the rest"
        )
    )]
    NotFullyRead {
        /// Paths of the unknown fields.
        fields: Vec<String>,
        /// The version of capol that wrote the document.
        written_by: String,
    },

    /// A known field with the wrong content.
    #[error("the state is damaged at `{at}`: {reason}")]
    #[diagnostic(
        code(state::damaged),
        help("take the newest whole version back: `capol state repair`")
    )]
    Damaged {
        /// Where in the document.
        at: String,
        /// What is wrong there.
        reason: String,
    },

    /// The document cannot be turned into text.
    #[error("the state cannot be written as JSON: {reason}")]
    #[diagnostic(
        code(state::unwritable),
        help("this is a fault in capol; report it with the output of `capol version`")
    )]
    Unwritable {
        /// What the JSON writer objects to.
        reason: String,
    },

    /// The state of another tenant.
    #[error("the state belongs to tenant `{found}`, but the sign-in is to tenant `{expected}`")]
    #[diagnostic(
        code(state::wrong_tenant),
        help("sign in to `{found}`, or name the tenant whose state this is with `--tenant NAME`")
    )]
    WrongTenant {
        /// The document's tenant.
        found: String,
        /// The tenant signed in to.
        expected: String,
    },

    /// A document of another tenant than the one it would replace.
    #[error("the state given belongs to tenant `{found}`, the one in place to tenant `{expected}`")]
    #[diagnostic(
        code(state::other_tenant),
        help("give it where the state of `{found}` is kept: in its own project, or with `--tenant NAME`")
    )]
    OtherTenant {
        /// The given document's tenant.
        found: String,
        /// The tenant of the one in place.
        expected: String,
    },

    /// Two documents of different histories.
    #[error("the states have different histories: lineage `{found}` was given, `{expected}` is there")]
    #[diagnostic(
        code(state::lineage_mismatch),
        help("if it shall replace what is there, run `capol state push --force FILE`")
    )]
    LineageMismatch {
        /// The lineage given.
        found: String,
        /// The lineage in place.
        expected: String,
    },

    /// A document to be pushed is not newer than the one in place.
    #[error("serial {found} was given, but the state is at serial {current} with other content")]
    #[diagnostic(
        code(state::behind),
        help(
            "look at what would be lost with `capol state history`; to replace it all the same, run `capol state push --force FILE`"
        )
    )]
    Behind {
        /// The serial given.
        found: u64,
        /// The serial in place.
        current: u64,
    },

    /// No such address in the state.
    #[error("nothing in the state has the address `{address}`")]
    #[diagnostic(code(state::unknown_address), help("{help}"))]
    UnknownAddress {
        /// The address as written.
        address: String,
        /// Near names, or how to list them.
        help: String,
    },

    /// The new address is already in use.
    #[error("`{address}` is already in the state, as the object `{id}`")]
    #[diagnostic(
        code(state::address_taken),
        help("choose another address, or first run `capol state rm '{address}'`")
    )]
    AddressTaken {
        /// The address.
        address: String,
        /// The Graph id of the object that has it.
        id: String,
    },

    /// The two addresses cannot name the same thing.
    #[error("`{from}` cannot become `{to}`: {reason}")]
    #[diagnostic(code(state::unlike_addresses), help("{help}"))]
    UnlikeAddresses {
        /// The old address.
        from: String,
        /// The new address.
        to: String,
        /// Why not.
        reason: String,
        /// What to write instead.
        help: String,
    },

    /// Text that is not an address.
    #[error("`{text}` is not an address")]
    #[diagnostic(
        code(state::not_an_address),
        help(
            "write it as `capol state list` does, for example `policy.mfa`, `module.base`, or `'location.office[\"berlin\"]'`"
        )
    )]
    NotAnAddress {
        /// The text as written.
        text: String,
    },
}

impl DocumentError {
    /// Whether what was read is no longer a document at all, so that an earlier version is the only way on.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Truncated { .. }
                | Self::Corrupt { .. }
                | Self::Foreign { .. }
                | Self::UnknownFormat { .. }
                | Self::Damaged { .. }
        )
    }
}

fn quoted(fields: &[String]) -> String {
    let shown: Vec<String> = fields.iter().take(3).map(|field| format!("`{field}`")).collect();
    match fields.len() {
        0..=3 => shown.join(", "),
        many => format!("{} and {} more fields", shown.join(", "), many - 3),
    }
}
