//! The table of blocks: which there are, what labels they carry, where they may stand and, for
//! those that no property table describes, which attributes they take.

mod check;
mod conform;
mod tables;

pub use check::{Checked, CheckedBlock};

use crate::model::Target;

/// What a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Part of the language itself: `variable`, `locals`, `output`, `module`.
    Language,
    /// An object that this project manages; its property table describes it.
    Resource,
    /// A name for an object that exists elsewhere.
    LookUp,
    /// How capol shall work: `capol`, `tenant`, `emergency_access`, `import`, `moved`, `removed`.
    Setting,
    /// What must come of sign-ins: `scenario`, `invariant`.
    Expectation,
    /// How policies come into force, step by step.
    Rollout,
    /// Understood and checked here, carried out by a later part of the engine.
    Deferred,
}

/// What stands between a block's type and its brace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelRule {
    /// Nothing.
    None,
    /// A name that references use.
    Name,
    /// A sentence.
    Text,
}

/// One type of block.
#[derive(Debug)]
pub struct BlockKind {
    /// The word that starts it.
    pub name: &'static str,
    /// Its label.
    pub label: LabelRule,
    /// Whether it may stand only in the root module.
    pub root_only: bool,
    /// What it is for.
    pub role: Role,
    /// Its attributes and inner blocks; empty for resources.
    pub schema: &'static Schema,
    /// What it is, in a sentence.
    pub doc: &'static str,
}

impl BlockKind {
    /// Whether `kind.NAME` refers to such a block.
    pub fn is_referable(&self) -> bool {
        self.label == LabelRule::Name && self.role != Role::Language
    }
}

/// What may stand between the braces of a block.
#[derive(Debug)]
pub struct Schema {
    /// Its attributes.
    pub attributes: &'static [AttributeRule],
    /// Its inner blocks.
    pub blocks: &'static [InnerRule],
    /// What must or must not be written together.
    pub groups: &'static [Group],
}

/// One attribute of a block.
#[derive(Debug)]
pub struct AttributeRule {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Whether it must be written.
    pub required: bool,
    /// What it is, in a sentence.
    pub doc: &'static str,
}

/// One type of inner block.
#[derive(Debug)]
pub struct InnerRule {
    /// The word that starts it.
    pub name: &'static str,
    /// Whether it carries a label.
    pub labelled: bool,
    /// Whether at least one must be written.
    pub required: bool,
    /// Whether several may be written.
    pub several: bool,
    /// What may stand in it.
    pub schema: &'static Schema,
    /// What it is, in a sentence.
    pub doc: &'static str,
}

/// Attributes that depend on each other.
#[derive(Debug)]
pub enum Group {
    /// One of them, no more and no less.
    ExactlyOne(&'static [&'static str]),
    /// One of them or none.
    AtMostOne(&'static [&'static str]),
    /// At least one of them.
    AtLeastOne(&'static [&'static str]),
    /// The first needs the second.
    Needs(&'static str, &'static str),
}

/// What an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any value.
    Any,
    /// An expression that is not evaluated here: a type, an address, a `for_each`.
    Expression,
    /// A string.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number that is not negative.
    Count,
    /// A duration.
    Duration,
    /// A percentage from 0 % to 100 %.
    Percent,
    /// A moment: `2027-01-31` or RFC 3339.
    Moment,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of such.
    List(&'static Shape),
    /// A reference to one of these kinds of object.
    Reference(&'static [Target]),
    /// A reference to a block of one of these types.
    Block(&'static [&'static str]),
    /// A constructor of one of these names, or one of these words.
    Constructor(&'static [&'static str], &'static [&'static str]),
    /// One of several.
    Either(&'static [Shape]),
}

/// Every type of block.
pub fn all() -> &'static [BlockKind] {
    tables::KINDS
}

/// The type of block that starts with this word.
pub fn find(name: &str) -> Option<&'static BlockKind> {
    all().iter().find(|kind| kind.name == name)
}
