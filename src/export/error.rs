//! Why a file, or an object in it, is not taken in.

use crate::model::wire::WireError;

/// Why an object of an exported file is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum Rejection {
    /// The bytes are in no encoding that says so or can be told.
    #[error("the file is not text: byte {byte} is neither UTF-8 nor announced as UTF-16")]
    #[diagnostic(code("export::not_text"), help("save the file as UTF-8 and import it again"))]
    NotText {
        /// The first byte that can't be read, from 0.
        byte: usize,
    },
    /// Not JSON, comments and trailing commas allowed.
    #[error("line {line}, column {column}: {problem}")]
    #[diagnostic(
        code("export::not_json"),
        help("correct the file there, or export it again; nothing is guessed from a half-read file")
    )]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the reader stumbled over.
        problem: String,
    },
    /// Not YAML.
    #[error("the YAML can't be read: {problem}")]
    #[diagnostic(code("export::not_yaml"), help("correct the file there and import it again"))]
    NotYaml {
        /// What the reader stumbled over, with its place.
        problem: String,
    },
    /// `ConvertTo-Json` wrote the type of a value instead of the value.
    #[error("`{member}` was cut off by the export: it says `{text}`")]
    #[diagnostic(
        code("export::cut_off"),
        help("export again with `ConvertTo-Json -Depth 10`: the values are not in this file")
    )]
    CutOff {
        /// The member.
        member: String,
        /// What stands there.
        text: String,
    },
    /// One member in two spellings with two values.
    #[error("`{member}` is there twice, in two spellings and with two values")]
    #[diagnostic(code("export::two_spellings"), help("delete the one that is not meant"))]
    TwoSpellings {
        /// The member, in Graph's spelling.
        member: String,
    },
    /// The form that the portal's own, undocumented interface uses.
    #[error("this is the portal's internal form of a policy, not Graph's")]
    #[diagnostic(
        code("export::portal_form"),
        help("export the policy from Graph: `GET /identity/conditionalAccess/policies`")
    )]
    PortalForm,
    /// A body that changes an object, or a piece of one.
    #[error("the {noun} is not whole: it has no `{missing}`")]
    #[diagnostic(
        code("export::fragment"),
        help("import the whole object, as Graph returns it or takes it on create")
    )]
    Fragment {
        /// What it is a part of.
        noun: &'static str,
        /// The member that every such object has.
        missing: &'static str,
    },
    /// A member holds something else than Graph's schema says.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wire(#[from] WireError),
    /// Two files disagree about one object.
    #[error("`{id}` is also in {other}, with other values")]
    #[diagnostic(code("export::conflict"), help("import only the newer of the two"))]
    Conflict {
        /// The object's id.
        id: String,
        /// The file that was read first.
        other: String,
    },
}
