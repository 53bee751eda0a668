//! How references and texts are written: as blocks, variables, look-ups or built-in words.

use std::collections::BTreeMap;

use super::placeholder::{Piece, pieces};
use crate::model::catalogue::{apps, roles, strengths};
use crate::model::properties::{Symbols, user_actions};
use crate::model::{Address, Reference, Target};
use crate::syntax::{Expression, ExpressionKind, Literal, Template, TemplatePart};

/// How one object is written where it is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// `group.NAME`: a block of this label.
    Block(String),
    /// `var.NAME`.
    Variable(String),
    /// `role.NAME`: built in.
    BuiltIn(&'static str),
    /// A bare word of the place.
    Word(&'static str),
    /// `group("…")`: a look-up by this name.
    LookUp(String),
    /// An object that the project manages already.
    Managed(Address),
}

/// The words for the objects that others refer to.
///
/// What it does not know is written by what everybody knows (`role.global_administrator`), or by
/// its id: `group("…")`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    objects: BTreeMap<(Target, String), Written>,
    texts: BTreeMap<String, String>,
}

impl Naming {
    /// Says how an object is written where it is referred to.
    pub fn insert(&mut self, target: Target, id: &str, written: Written) {
        self.objects.insert((target, id.to_ascii_lowercase()), written);
    }

    /// Says which variable stands for a placeholder inside texts.
    pub fn insert_text(&mut self, placeholder: &str, variable: &str) {
        self.texts.insert(placeholder.to_owned(), variable.to_owned());
    }

    /// How an object is written where it is referred to, if that was said.
    pub fn get(&self, target: Target, id: &str) -> Option<&Written> {
        self.objects.get(&(target, id.to_ascii_lowercase()))
    }

    pub(super) fn reference(&self, reference: &Reference, keywords: Option<&Symbols>) -> Expression {
        match reference {
            Reference::Keyword(wire) => keyword(wire, keywords),
            Reference::Id { target, id } => self.id(*target, id),
            Reference::Managed { address, .. } => managed(address),
            Reference::Lookup(lookup) => {
                Expression::call(lookup.target.word(), vec![Expression::string(&lookup.name)])
            }
        }
    }

    fn id(&self, target: Target, id: &str) -> Expression {
        match self.get(target, id) {
            Some(Written::Block(label)) => Expression::reference(&[target.word(), label]),
            Some(Written::Variable(name)) => Expression::reference(&["var", name]),
            Some(Written::BuiltIn(name)) => Expression::reference(&[target.word(), name]),
            Some(Written::Word(word)) => Expression::name(word),
            Some(Written::LookUp(name)) => Expression::call(target.word(), [Expression::string(name)]),
            Some(Written::Managed(address)) => managed(address),
            None => match built_in(target, id) {
                Some(name) => Expression::reference(&[target.word(), name]),
                None if target == Target::Context => Expression::reference(&[target.word(), id]),
                None => Expression::call(target.word(), vec![Expression::string(id)]),
            },
        }
    }

    /// A text, with variables in the place of its placeholders.
    pub(super) fn text(&self, text: &str) -> Expression {
        let pieces = pieces(text);
        let variable = |placeholder: &str| {
            self.texts
                .get(placeholder)
                .map(|name| Expression::reference(&["var", name]))
        };
        if let [Piece::Placeholder(only)] = pieces.as_slice() {
            return variable(only).unwrap_or_else(|| Expression::string(text));
        }
        let mut parts: Vec<TemplatePart> = Vec::new();
        for piece in pieces {
            let (text, variable) = match piece {
                Piece::Text(text) => (text, None),
                Piece::Placeholder(text) => (text, variable(text)),
            };
            match (variable, parts.last_mut()) {
                (Some(variable), _) => parts.push(TemplatePart::Interpolation(variable)),
                (None, Some(TemplatePart::Literal(before))) => before.value.push_str(text),
                (None, _) => parts.push(literal(text)),
            }
        }
        ExpressionKind::String(Template { parts }).into()
    }
}

fn literal(text: &str) -> TemplatePart {
    TemplatePart::Literal(Literal {
        value: text.to_owned(),
        written: None,
    })
}

/// The name of an object that every tenant has.
pub(super) fn built_in(target: Target, id: &str) -> Option<&'static str> {
    match target {
        Target::Role => roles::by_template_id(id).map(|role| role.name),
        Target::App => apps::by_app_id(id).map(|app| app.name),
        Target::Strength => strengths::by_id(&id.to_ascii_lowercase()).map(|strength| strength.name),
        Target::Action => user_actions().by_wire(id).map(|row| row.word),
        _ => None,
    }
}

/// The name of an object that every tenant has, by what people call it.
pub(super) fn built_in_by_name(target: Target, name: &str) -> Option<&'static str> {
    match target {
        Target::Role => roles::by_display_name(name).map(|role| role.name),
        Target::App => apps::by_display_name(name).map(|app| app.name),
        Target::Strength => strengths::all()
            .iter()
            .find(|strength| strength.display_name.eq_ignore_ascii_case(name))
            .map(|strength| strength.name),
        _ => None,
    }
}

fn keyword(wire: &str, keywords: Option<&Symbols>) -> Expression {
    let Some(row) = keywords.and_then(|keywords| keywords.by_wire(wire)) else {
        return unknown_symbol(wire);
    };
    let app = apps::by_wire(wire).filter(|app| app.name == row.word);
    match app {
        Some(app) => Expression::reference(&[Target::App.word(), app.name]),
        None => Expression::name(row.word),
    }
}

/// The word for a member of an enumeration.
pub(super) fn symbol(symbols: &Symbols, wire: &str) -> Expression {
    match symbols.by_wire(wire) {
        Some(row) => Expression::name(row.word),
        None => unknown_symbol(wire),
    }
}

/// A member that the table does not know, in the service's own spelling: `raw("newControl")`.
fn unknown_symbol(wire: &str) -> Expression {
    Expression::call("raw", vec![Expression::string(wire)])
}

pub(super) fn managed(address: &Address) -> Expression {
    let block = Expression::reference(&[&address.kind, &address.name]);
    match &address.key {
        Some(key) => block.index(Expression::string(key)),
        None => block,
    }
}
