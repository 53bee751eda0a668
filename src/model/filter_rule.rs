//! Rules of device, application and agent filters, as trees.
//!
//! A rule is a text of the policy (`device.isCompliant -eq True -or
//! device.trustType -eq "ServerAD"`) in the language of Entra's dynamic groups.
//! The text itself is what goes over the wire; the tree is for checking it and
//! for telling which devices it catches.
//!
//! Sources: Microsoft's pages "Filter for devices as a condition" and "Filter for
//! applications", and rules of real tenants.

mod check;
mod error;
mod parse;

use std::fmt;

pub use check::Scope;
pub use error::FilterRuleError;
pub use error::FilterRuleWarning;

/// The longest rule that the service stores, in characters.
pub const LONGEST_RULE: usize = 3072;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRule {
    /// The whole of it.
    pub expression: Expression,
}

/// A condition that is true or false of a device or an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All of these; at least two.
    And(Vec<Expression>),
    /// Any of these; at least two.
    Or(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// One property against a value.
    Comparison(Comparison),
}

/// One property against a value.
///
/// Two comparisons are equal when they say the same, wherever they stand.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What is looked at.
    pub property: Property,
    /// How.
    pub operator: Operator,
    /// Against what.
    pub value: Literal,
    /// Where the three stand in the text of the rule.
    pub place: ComparisonPlace,
}

impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        (&self.property, self.operator, &self.value) == (&other.property, other.operator, &other.value)
    }
}

impl Eq for Comparison {}

/// Where the parts of a comparison stand in the text of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComparisonPlace {
    /// The property.
    pub property: Place,
    /// The operator.
    pub operator: Place,
    /// The value.
    pub value: Place,
}

/// A stretch of the text of a rule, in bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// What a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// `device.…`
    Device(DeviceProperty),
    /// `CustomSecurityAttribute.Set_Attribute`; holds `Set_Attribute`.
    SecurityAttribute(String),
    /// A property that this program does not know, as written.
    Other(String),
}

/// The device properties that filters know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceProperty {
    /// Object id of the device, a GUID.
    DeviceId,
    /// Name of the device; its user can change it.
    DisplayName,
    /// `Personal` or `Company`.
    DeviceOwnership,
    /// Intune enrollment profile.
    EnrollmentProfileName,
    /// Whether Intune, or a partner, calls the device compliant.
    IsCompliant,
    /// Maker of the device.
    Manufacturer,
    /// Application id of the device management.
    MdmAppId,
    /// Model of the device.
    Model,
    /// Operating system, as `Windows`.
    OperatingSystem,
    /// Version of the operating system.
    OperatingSystemVersion,
    /// Autopilot and similar ids; a collection.
    PhysicalIds,
    /// `RegisteredDevice`, `SecureVM`, `Printer`, `Shared`, `IoT`.
    ProfileType,
    /// Labels the system gives, as `CloudPC`; a collection.
    SystemLabels,
    /// `AzureAD` (joined), `ServerAD` (hybrid joined), `Workplace` (registered).
    TrustType,
    /// `extensionAttribute1` to `extensionAttribute15`.
    ExtensionAttribute(u8),
}

/// How a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `-eq`
    Equals,
    /// `-ne`
    NotEquals,
    /// `-startsWith`
    StartsWith,
    /// `-notStartsWith`
    NotStartsWith,
    /// `-endsWith`
    EndsWith,
    /// `-notEndsWith`
    NotEndsWith,
    /// `-contains`: a part of a text, or a whole member of a collection.
    Contains,
    /// `-notContains`
    NotContains,
    /// `-in`
    In,
    /// `-notIn`
    NotIn,
}

/// What a comparison compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `"text"`
    Text(String),
    /// `True` or `False`
    Boolean(bool),
    /// `null`
    Null,
    /// `["a", "b"]`
    List(Vec<String>),
}

impl FilterRule {
    /// Reads a rule. Errors tell where in `text` they are.
    ///
    /// Properties that this program does not know are read too: a tenant may
    /// hold newer ones. [`FilterRule::refusals`] is for text that somebody writes.
    pub fn parse(text: &str) -> Result<Self, FilterRuleError> {
        parse::rule(text)
    }

    /// All comparisons, from left to right.
    #[must_use]
    pub fn comparisons(&self) -> Vec<&Comparison> {
        let mut found = Vec::new();
        self.expression.gather(&mut found);
        found
    }
}

impl Expression {
    fn gather<'a>(&'a self, found: &mut Vec<&'a Comparison>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.gather(found)),
            Self::Not(inner) => inner.gather(found),
            Self::Comparison(comparison) => found.push(comparison),
        }
    }
}

impl DeviceProperty {
    /// All of them, with the name Microsoft's page gives; extension attributes apart.
    const NAMED: [(Self, &'static str); 14] = [
        (Self::DeviceId, "deviceId"),
        (Self::DisplayName, "displayName"),
        (Self::DeviceOwnership, "deviceOwnership"),
        (Self::EnrollmentProfileName, "enrollmentProfileName"),
        (Self::IsCompliant, "isCompliant"),
        (Self::Manufacturer, "manufacturer"),
        (Self::MdmAppId, "mdmAppId"),
        (Self::Model, "model"),
        (Self::OperatingSystem, "operatingSystem"),
        (Self::OperatingSystemVersion, "operatingSystemVersion"),
        (Self::PhysicalIds, "physicalIds"),
        (Self::ProfileType, "profileType"),
        (Self::SystemLabels, "systemLabels"),
        (Self::TrustType, "trustType"),
    ];

    /// Every device property, extension attributes included.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMED
            .into_iter()
            .map(|(property, _)| property)
            .chain((1..=15).map(Self::ExtensionAttribute))
    }

    /// The property that rules call `name`, in any case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|property| property.name().eq_ignore_ascii_case(name))
    }

    /// Its name behind `device.`.
    #[must_use]
    pub fn name(self) -> String {
        if let Self::ExtensionAttribute(number) = self {
            return format!("extensionAttribute{number}");
        }
        let named = Self::NAMED.into_iter().find(|(property, _)| *property == self);
        named.map_or_else(String::new, |(_, name)| name.to_owned())
    }

    /// The values that the service knows, where it knows them all.
    #[must_use]
    pub fn values(self) -> Option<&'static [&'static str]> {
        match self {
            Self::DeviceOwnership => Some(&["Company", "Personal"]),
            Self::TrustType => Some(&["AzureAD", "ServerAD", "Workplace"]),
            Self::ProfileType => Some(&["RegisteredDevice", "SecureVM", "Printer", "Shared", "IoT"]),
            Self::IsCompliant => Some(&["True", "False"]),
            _ => None,
        }
    }

    /// The operators that Microsoft's page lists for it.
    #[must_use]
    pub fn operators(self) -> &'static [Operator] {
        use Operator::{Contains, Equals, In, NotContains, NotEquals, NotIn};
        match self {
            Self::DeviceOwnership | Self::IsCompliant | Self::ProfileType | Self::TrustType => {
                &[Equals, NotEquals]
            }
            Self::DeviceId | Self::MdmAppId => &[Equals, NotEquals, In, NotIn],
            Self::PhysicalIds | Self::SystemLabels => &[Contains, NotContains],
            _ => &Operator::ALL,
        }
    }
}

impl Operator {
    /// All operators.
    pub const ALL: [Self; 10] = [
        Self::Equals,
        Self::NotEquals,
        Self::StartsWith,
        Self::NotStartsWith,
        Self::EndsWith,
        Self::NotEndsWith,
        Self::Contains,
        Self::NotContains,
        Self::In,
        Self::NotIn,
    ];

    /// The operator's text, with its dash.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Equals => "-eq",
            Self::NotEquals => "-ne",
            Self::StartsWith => "-startsWith",
            Self::NotStartsWith => "-notStartsWith",
            Self::EndsWith => "-endsWith",
            Self::NotEndsWith => "-notEndsWith",
            Self::Contains => "-contains",
            Self::NotContains => "-notContains",
            Self::In => "-in",
            Self::NotIn => "-notIn",
        }
    }

    /// The operator that is true where this one is false.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Equals => Self::NotEquals,
            Self::NotEquals => Self::Equals,
            Self::StartsWith => Self::NotStartsWith,
            Self::NotStartsWith => Self::StartsWith,
            Self::EndsWith => Self::NotEndsWith,
            Self::NotEndsWith => Self::EndsWith,
            Self::Contains => Self::NotContains,
            Self::NotContains => Self::Contains,
            Self::In => Self::NotIn,
            Self::NotIn => Self::In,
        }
    }

    /// Whether it is one that also catches devices without the property, such as
    /// devices that are not registered.
    #[must_use]
    pub fn is_negative(self) -> bool {
        matches!(
            self,
            Self::NotEquals | Self::NotStartsWith | Self::NotEndsWith | Self::NotContains | Self::NotIn
        )
    }
}

impl fmt::Display for FilterRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::And(parts) => (parts, "-and"),
            Self::Or(parts) => (parts, "-or"),
            Self::Not(inner) => return write!(f, "-not ({inner})"),
            Self::Comparison(comparison) => return comparison.fmt(f),
        };
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                write!(f, " {word} ")?;
            }
            match part {
                Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                Self::Not(_) | Self::Comparison(_) => part.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.property, self.operator, self.value)
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(property) => write!(f, "device.{}", property.name()),
            Self::SecurityAttribute(name) => write!(f, "CustomSecurityAttribute.{name}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Boolean(true) => f.write_str("True"),
            Self::Boolean(false) => f.write_str("False"),
            Self::Null => f.write_str("null"),
            Self::List(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
        }
    }
}

/// The text in double quotes; a backtick escapes, as in dynamic group rules.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('`', "``").replace('"', "`\""))
}

#[cfg(test)]
mod tests;
