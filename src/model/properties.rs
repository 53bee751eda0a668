//! The one description of each Graph property: a row says where it stands in the language, where on
//! the wire, in which version of Graph, of what shape it is, and what it means.
//!
//! Binder, exporter, codec, difference, documentation and completion walk these tables. To teach
//! capol a property that Microsoft ships, add a row.

mod index;
mod location;
mod neighbours;
mod policy;
mod symbols;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::object::Kind;
use super::reference::{Reference, Target};
use super::value::{Control, Interval, Value};

pub use index::{Steps, by_dsl, steps};
pub use symbols::{SymbolRow, Symbols};

/// A version of Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum ApiVersion {
    /// `v1.0`, the supported one.
    #[default]
    #[serde(rename = "v1.0")]
    V1,
    /// `beta`, for what v1.0 lacks.
    #[serde(rename = "beta")]
    Beta,
}

impl ApiVersion {
    /// The path segment.
    pub fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.segment())
    }
}

/// Who may set a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The engineer, at any time.
    Written,
    /// The engineer, but the service never shows it again, so it is not compared.
    NeverRead,
    /// The engineer, when the object is created; a change needs a new object.
    CreateOnly,
    /// The service alone.
    ReadOnly,
}

/// The values that a list of references takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepts {
    /// What a reference may target; the first is what a bare id on the wire is.
    pub target: Target,
    /// Words with a meaning of their own.
    pub keywords: &'static Symbols,
}

/// The shape of a property: how it looks on the wire and in the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string; at most so many characters.
    Text {
        /// The most characters the service takes.
        max: usize,
    },
    /// `true` or `false`; `false` is off.
    Boolean,
    /// `{"isEnabled": true}`, written `on`.
    Toggle,
    /// A bare `true` on the wire, written as this word (`resilience_defaults = off`).
    Flag(&'static str),
    /// One member of an enumeration.
    Symbol(&'static Symbols),
    /// An array of members.
    SymbolSet(&'static Symbols),
    /// Members joined by commas in one string, in the order of the table.
    Flags(&'static Symbols),
    /// An object with one member that holds a symbol, and perhaps `isEnabled: true` beside it.
    Mode {
        /// The name of that member.
        member: &'static str,
        /// Its symbols.
        symbols: &'static Symbols,
        /// Whether `isEnabled: true` stands beside it.
        toggled: bool,
    },
    /// An object with one text member and `isEnabled: true` beside it.
    TextMode {
        /// The name of that member.
        member: &'static str,
    },
    /// An array of strings.
    Texts(TextKind),
    /// An array of ids and keywords.
    References(Accepts),
    /// `conditionalAccessGuestsOrExternalUsers`.
    Guests,
    /// `conditionalAccessFilter`; a bare rule filters devices or applications.
    Filter,
    /// `conditionalAccessGrantControls`.
    Grant,
    /// `signInFrequencySessionControl`.
    SignInFrequency,
    /// Combinations of authentication methods, each one string joined by commas.
    Combinations,
    /// `combinationConfigurations`, written one by one.
    CombinationConfigurations,
}

/// What the strings of a [`Shape::Texts`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// ISO 3166-1 alpha-2 codes.
    Countries,
    /// IP ranges, on the wire objects with a type of their own.
    IpRanges,
    /// Words without further rules.
    Plain,
}

/// One property of one kind of object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Property {
    /// Where it is written: block path and attribute joined by dots. Empty for what only the service sets.
    pub dsl: &'static [&'static str],
    /// Where it stands in Graph's JSON: member names joined by dots.
    pub wire: &'static str,
    /// The first version of Graph that has it.
    pub version: ApiVersion,
    /// Who may set it.
    pub access: Access,
    /// Its shape.
    pub shape: Shape,
    /// The value that leaving it out means, as the wire spells it; that value is never kept.
    pub default: Option<&'static str>,
    /// Whether it must be written.
    pub required: bool,
    /// What it is, in a sentence.
    pub doc: &'static str,
}

impl Property {
    const fn new(dsl: &'static [&'static str], wire: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            dsl,
            wire,
            version: ApiVersion::V1,
            access: Access::Written,
            shape,
            default: None,
            required: false,
            doc,
        }
    }

    const fn beta(self) -> Self {
        Self {
            version: ApiVersion::Beta,
            ..self
        }
    }

    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    const fn default(self, wire: &'static str) -> Self {
        Self {
            default: Some(wire),
            ..self
        }
    }

    const fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    const fn read_only(wire: &'static str, doc: &'static str) -> Self {
        Self::new(&[], wire, Shape::Text { max: usize::MAX }, doc).access(Access::ReadOnly)
    }

    /// The first version of Graph that knows this value of the property.
    pub fn version_of(&self, value: &Value) -> ApiVersion {
        let of_symbols =
            |symbols: &Symbols, wire: &str| symbols.by_wire(wire).map_or(ApiVersion::V1, |row| row.version);
        let inner = match (&self.shape, value) {
            (Shape::Symbol(symbols) | Shape::Mode { symbols, .. }, Value::Symbol(wire)) => {
                of_symbols(symbols, wire)
            }
            (Shape::SymbolSet(symbols) | Shape::Flags(symbols), Value::Symbols(wires)) => wires
                .iter()
                .map(|wire| of_symbols(symbols, wire))
                .max()
                .unwrap_or(ApiVersion::V1),
            (Shape::References(accepts), Value::References(references)) => references
                .iter()
                .map(|reference| match reference {
                    Reference::Keyword(wire)
                    | Reference::Id {
                        target: Target::Action,
                        id: wire,
                    } => of_symbols(accepts.keywords, wire),
                    _ => ApiVersion::V1,
                })
                .max()
                .unwrap_or(ApiVersion::V1),
            (Shape::Grant, Value::Grant(grant)) => grant
                .controls
                .iter()
                .map(|control| match control {
                    Control::BuiltIn(wire) => of_symbols(&symbols::GRANT_CONTROLS, wire),
                    _ => ApiVersion::V1,
                })
                .max()
                .unwrap_or(ApiVersion::V1),
            _ => ApiVersion::V1,
        };
        inner.max(self.version)
    }

    /// The symbols that the property takes, if its shape has any.
    pub fn symbols(&self) -> Option<&'static Symbols> {
        match self.shape {
            Shape::Symbol(symbols)
            | Shape::SymbolSet(symbols)
            | Shape::Flags(symbols)
            | Shape::Mode { symbols, .. } => Some(symbols),
            Shape::References(accepts) => Some(accepts.keywords),
            Shape::Guests => Some(&symbols::GUEST_KINDS),
            Shape::Grant => Some(&symbols::GRANT_CONTROLS),
            Shape::Combinations | Shape::CombinationConfigurations => Some(&symbols::AUTHENTICATION_METHODS),
            _ => None,
        }
    }

    /// Whether this value is the default, which is not kept.
    pub fn is_default(&self, value: &Value) -> bool {
        match (self.default, value) {
            (Some(default), Value::Symbol(wire)) => wire == default,
            (Some(default), Value::Symbols(wires)) => wires.len() == 1 && wires.contains(default),
            (_, Value::Boolean(set)) => !set,
            _ => false,
        }
    }
}

/// The table of a kind of object, in the order in which people read and write it.
pub fn of(kind: Kind) -> &'static [Property] {
    match kind {
        Kind::Policy => policy::PROPERTIES,
        Kind::IpLocation => location::IP,
        Kind::CountryLocation => location::COUNTRY,
        Kind::CompliantNetworkLocation => location::COMPLIANT_NETWORK,
        Kind::Strength => neighbours::STRENGTH,
        Kind::Context => neighbours::CONTEXT,
        Kind::Group => neighbours::GROUP,
    }
}

/// The row of a wire path.
pub fn by_wire(kind: Kind, wire: &str) -> Option<&'static Property> {
    of(kind).iter().find(|property| property.wire == wire)
}

/// The symbols of grant controls.
pub fn grant_controls() -> &'static Symbols {
    &symbols::GRANT_CONTROLS
}

/// The symbols of guest kinds.
pub fn guest_kinds() -> &'static Symbols {
    &symbols::GUEST_KINDS
}

/// The symbols of authentication methods, of which combinations are made.
pub fn authentication_methods() -> &'static Symbols {
    &symbols::AUTHENTICATION_METHODS
}

/// A control or a method that somebody can do, in the service's word, from a word of the language or of the service;
/// none when it is neither, or is `block`.
pub fn done(word: &str) -> Option<&'static str> {
    [grant_controls(), authentication_methods()]
        .iter()
        .find_map(|symbols| symbols.by_word(word).or_else(|| symbols.by_wire(word)))
        .map(|row| row.wire)
        .filter(|wire| *wire != "block")
}

/// The symbols of user actions: `action.register_security_info`.
pub fn user_actions() -> &'static Symbols {
    &symbols::USER_ACTIONS
}

impl Interval {
    /// The number of hours between two sign-ins; zero for every time.
    pub fn hours(self) -> i64 {
        match self {
            Self::EveryTime => 0,
            Self::Hours(hours) => hours,
            Self::Days(days) => days.saturating_mul(24),
        }
    }
}

/// The display name under which the service makes its compliant network location (`FACTS` 3).
pub const COMPLIANT_NETWORK: &str = "All Compliant Network locations";
