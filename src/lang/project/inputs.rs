//! Values that are given to the root module's variables from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::lang::declarations::{Declarations, attribute};
use crate::lang::engine::{Engine, Given};
use crate::lang::error::{Code, Diagnostic, Diagnostics};
use crate::lang::nearest::write_one_of;
use crate::syntax::{Body, ExpressionKind, Ident, Span};

/// What a load is given from outside. All of it comes in as values.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// `--var` and `--var-file`, in the order of the command line; later ones win.
    pub command_line: Vec<Input>,
    /// The values of `CAPOL_VAR_NAME`, by `NAME`; anything else wins over them.
    pub environment: BTreeMap<String, String>,
    /// The tenant that is worked on, whose `TENANT.capolvars` is read by itself.
    pub tenant: Option<String>,
    /// The present moment, for `now()` and `timestamp()`.
    pub now: jiff::Timestamp,
}

impl Inputs {
    /// Nothing but the present moment.
    pub fn at(now: jiff::Timestamp) -> Self {
        Self {
            command_line: Vec::new(),
            environment: BTreeMap::new(),
            tenant: None,
            now,
        }
    }
}

/// One `--var` or `--var-file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// `--var name=value`.
    Value {
        /// The name.
        name: String,
        /// The value, an expression or else a string.
        value: String,
    },
    /// `--var` with a text that has no `=`.
    NoValue(String),
    /// `--var-file PATH`, counted from the project's folder.
    File(PathBuf),
}

/// The values given to the variables that the root module declares, by Terraform's order of
/// precedence: environment, `capol.capolvars`, `*.auto.capolvars`, the tenant's file, command line.
pub(super) fn given(
    engine: &Engine,
    declarations: &Declarations,
    inputs: &Inputs,
    diagnostics: &mut Diagnostics,
) -> IndexMap<String, Given> {
    let mut gathering = Gathering {
        engine,
        declarations,
        diagnostics,
        given: IndexMap::new(),
    };
    for (name, value) in &inputs.environment {
        if declarations.variables.contains_key(name) {
            gathering.text(&format!("CAPOL_VAR_{name}"), name, value);
        }
    }
    let files = engine.files_of(engine.root(), ".capolvars").unwrap_or_default();
    let tenant = inputs.tenant.as_ref().map(|tenant| format!("{tenant}.capolvars"));
    let first = files.iter().filter(|file| *file == "capol.capolvars");
    let automatic = files.iter().filter(|file| file.ends_with(".auto.capolvars"));
    let of_tenant = files
        .iter()
        .filter(|file| Some(*file) == tenant.as_ref() && *file != "capol.capolvars");
    for file in first.chain(automatic).chain(of_tenant) {
        gathering.file(&engine.root().join(file));
    }
    for input in &inputs.command_line {
        match input {
            Input::Value { name, value } => gathering.flag(name, value),
            Input::NoValue(text) => gathering.no_value(text),
            Input::File(path) => gathering.file(&engine.root().join(path)),
        }
    }
    gathering.given
}

struct Gathering<'g> {
    engine: &'g Engine,
    declarations: &'g Declarations,
    diagnostics: &'g mut Diagnostics,
    given: IndexMap<String, Given>,
}

impl Gathering<'_> {
    fn file(&mut self, path: &Path) {
        let Some(body) = self.engine.read_file(path, self.diagnostics) else {
            return;
        };
        for block in body.blocks() {
            self.diagnostics.error(
                Code::Misplaced,
                block.header,
                format!(
                    "a `.capolvars` file holds only `name = value`, no block `{}`",
                    block.kind.text
                ),
                "move the block to a `.capol` file",
            );
        }
        self.body(body);
    }

    fn body(&mut self, body: Body) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for item in body.items {
            let crate::syntax::ItemKind::Attribute(attribute) = item.kind else {
                continue;
            };
            if let Some(first) = seen.insert(attribute.name.text.clone(), attribute.name.span) {
                let message = format!("`{}` is given twice", attribute.name.text);
                let diagnostic = Diagnostic::error(
                    Code::Duplicate,
                    attribute.name.span,
                    message,
                    "keep one of the lines",
                );
                self.diagnostics
                    .push(diagnostic.labelled("the second").also(first, "the first"));
            }
            if self.declared(&attribute.name) {
                let span = attribute.value.span;
                if self.is_sensitive(&attribute.name.text) {
                    self.engine.hide(self.engine.sources().slice(span));
                }
                let given = Given {
                    expression: Some(attribute.value),
                    text: None,
                    span,
                };
                self.given.insert(attribute.name.text, given);
            }
        }
    }

    fn flag(&mut self, name: &str, value: &str) {
        let source = format!("--var {name}");
        if self.declarations.variables.contains_key(name) {
            self.text(&source, name, value);
            return;
        }
        let (span, _) = self.engine.read_text(&source, &format!("{name} = {value}"));
        let span = Span::new(span.file, 0, name.len());
        self.declared(&Ident {
            text: name.to_owned(),
            span,
        });
    }

    fn no_value(&mut self, text: &str) {
        let (span, _) = self.engine.read_text("--var", text);
        self.diagnostics.error(
            Code::InvalidValue,
            span,
            format!("`--var {text}` gives no value"),
            format!("write `--var {text}=VALUE`"),
        );
    }

    /// A value that is an expression if it reads as one, else a string.
    fn text(&mut self, source: &str, name: &str, value: &str) {
        if self.is_sensitive(name) {
            self.engine.hide(value);
        }
        let (whole, parsed) = self.engine.read_text(source, &format!("{name} = {value}"));
        let start = name.len() + " = ".len();
        let span = Span::new(whole.file, start, start + value.len());
        // The whole text is an expression, or none of it: `blue # sky` is a string.
        let expression = parsed
            .tree
            .attributes()
            .next()
            .filter(|written| {
                parsed.errors.is_empty() && parsed.file.slice(written.value.span) == value.trim()
            })
            .map(|written| written.value.clone());
        self.given.insert(
            name.to_owned(),
            Given {
                expression,
                text: Some(value.to_owned()),
                span,
            },
        );
    }

    /// Whether the variable is declared with `sensitive = true`.
    fn is_sensitive(&self, name: &str) -> bool {
        let block = self.declarations.variables.get(name);
        let written = block.and_then(|block| attribute(block, "sensitive"));
        written.is_some_and(|written| matches!(written.value.kind, ExpressionKind::Bool(true)))
    }

    fn declared(&mut self, name: &Ident) -> bool {
        let known = self.declarations.variables.contains_key(&name.text);
        if !known {
            let help = write_one_of(
                &name.text,
                "",
                self.declarations.variables.keys().map(String::as_str),
                || format!("declare it: `variable \"{}\" {{}}`", name.text),
            );
            let message = format!("there is no variable `{}`", name.text);
            self.diagnostics
                .error(Code::UnknownVariable, name.span, message, help);
        }
        known
    }
}
