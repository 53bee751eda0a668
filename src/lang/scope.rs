//! Where an expression stands: in which module, for which `for_each` element, under which `for`.

use std::sync::Arc;

use super::value::Evaluated;

/// One instance of a module; the root module is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) usize);

impl ModuleId {
    /// The root module.
    pub const ROOT: Self = Self(0);
}

/// What `each.key` and `each.value` are.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// The key.
    pub key: Evaluated,
    /// The value; the key again for a `for_each` over strings.
    pub value: Evaluated,
}

impl Each {
    /// The key as the address shows it.
    pub fn text(&self) -> &str {
        self.key.as_text().unwrap_or_default()
    }
}

/// The scope in which the expressions of a block are evaluated. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// The module that the block stands in.
    pub module: ModuleId,
    /// The element of the block's `for_each`.
    pub each: Option<Arc<Each>>,
}

impl Scope {
    /// The scope of a module's blocks without `for_each`.
    pub fn of(module: ModuleId) -> Self {
        Self { module, each: None }
    }
}

/// A scope and the names that `for` expressions have bound inside it.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) bound: Option<&'a Bound<'a>>,
}

/// A name that a `for` expression has bound, and those bound around it.
pub(crate) struct Bound<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Evaluated,
    pub(crate) outer: Option<&'a Bound<'a>>,
}

impl<'a> Environment<'a> {
    /// Without any bound name.
    pub(crate) fn new(scope: &'a Scope) -> Self {
        Self { scope, bound: None }
    }

    /// The value that a `for` expression gave to this name.
    pub(crate) fn find(&self, name: &str) -> Option<&'a Evaluated> {
        let mut next = self.bound;
        while let Some(bound) = next {
            if bound.name == name {
                return Some(&bound.value);
            }
            next = bound.outer;
        }
        None
    }

    /// Every bound name, innermost first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        std::iter::successors(self.bound, |bound| bound.outer).map(|bound| bound.name)
    }
}
