//! What the files of one folder declare, by name and before anything is evaluated.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::blocks::{self, LabelRule, Role};
use super::error::{Code, Diagnostic, Diagnostics};
use super::evaluate::built_in;
use super::nearest::nearest;
use crate::model::Target;
use crate::syntax::{
    Attribute, Block, Body, Expression, ExpressionKind, Ident, ItemKind, Label, Span, is_identifier,
};

/// The declarations of a module's folder, shared by all instances of the module.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// `variable` blocks.
    pub(crate) variables: IndexMap<String, Arc<Block>>,
    /// The attributes of `locals` blocks.
    pub(crate) locals: IndexMap<String, Arc<Attribute>>,
    /// `output` blocks.
    pub(crate) outputs: IndexMap<String, Output>,
    /// `module` blocks.
    pub(crate) modules: IndexMap<String, Arc<Block>>,
    /// Blocks that references can name, by kind and label.
    named: BTreeMap<String, IndexMap<String, Named>>,
    /// Blocks without a name: `capol`, `emergency_access`, `import`, `moved`, `removed`.
    pub(crate) unnamed: Vec<Arc<Block>>,
    /// Blocks whose label is a sentence.
    pub(crate) sentences: Vec<Arc<Block>>,
    /// The first of those by kind and sentence.
    first_sentences: BTreeMap<(&'static str, String), Arc<Block>>,
}

/// An `output` block and its name.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: Ident,
    pub(crate) block: Arc<Block>,
}

/// A block that references can name.
#[derive(Debug)]
pub(crate) struct Named {
    /// What it is for; a managed group is a resource, any other group a look-up.
    pub(crate) role: Role,
    /// The block.
    pub(crate) block: Arc<Block>,
}

impl Declarations {
    /// Those of a folder of which nothing is read yet.
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..Self::default()
        }
    }

    /// The block of this kind and name.
    pub(crate) fn block(&self, kind: &str, name: &str) -> Option<&Named> {
        self.named.get(kind)?.get(name)
    }

    /// The names of the blocks of a kind.
    pub(crate) fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.named
            .get(kind)
            .into_iter()
            .flat_map(|names| names.keys().map(String::as_str))
    }

    /// Every named block: kind, name, block; kinds sorted, names in the order written.
    pub(crate) fn all_named(&self) -> impl Iterator<Item = (&str, &str, &Named)> {
        self.named.iter().flat_map(|(kind, names)| {
            names
                .iter()
                .map(move |(name, named)| (kind.as_str(), name.as_str(), named))
        })
    }

    /// Takes in what one file declares.
    pub(crate) fn add(&mut self, body: Body, is_root: bool, diagnostics: &mut Diagnostics) {
        for item in body.items {
            match item.kind {
                ItemKind::Attribute(attribute) => {
                    let name = &attribute.name.text;
                    diagnostics.error(
                        Code::Misplaced,
                        attribute.name.span,
                        format!("`{name}` stands outside of any block"),
                        format!("put it into `locals {{ {name} = … }}`, or into a `.capolvars` file if it gives a variable its value"),
                    );
                }
                ItemKind::Block(block) => self.add_block(block, is_root, diagnostics),
            }
        }
    }

    fn add_block(&mut self, block: Block, is_root: bool, diagnostics: &mut Diagnostics) {
        let Some(kind) = blocks::find(&block.kind.text) else {
            diagnostics.push(unknown_block(&block));
            return;
        };
        if kind.root_only && !is_root {
            diagnostics.error(
                Code::Misplaced,
                block.kind.span,
                format!("`{}` may stand only in the root module", kind.name),
                "move the block to the project's own folder",
            );
            return;
        }
        let Some(label) = label(&block, kind.label, diagnostics) else {
            if kind.label == LabelRule::None {
                self.add_unnamed(block, diagnostics);
            }
            return;
        };
        let (name, span) = (label.text.clone(), label.span);
        let header = block.header;
        let block = Arc::new(block);
        let earlier = match kind.name {
            "variable" => self.variables.insert(name.clone(), block),
            "module" => self.modules.insert(name.clone(), block),
            "output" => {
                let name = Ident {
                    text: name.clone(),
                    span,
                };
                self.outputs
                    .insert(name.text.clone(), Output { name, block })
                    .map(|output| output.block)
            }
            _ if kind.label == LabelRule::Text => {
                self.sentences.push(block.clone());
                // The label of these is a code, which several may name.
                if kind.role == Role::Setting {
                    return;
                }
                match self.first_sentences.entry((kind.name, name.clone())) {
                    Entry::Occupied(first) => Some(first.get().clone()),
                    Entry::Vacant(place) => {
                        place.insert(block);
                        None
                    }
                }
            }
            _ => {
                if let Some(target) =
                    Target::from_word(kind.name).filter(|target| built_in(*target, &name).is_some())
                    && target != Target::Context
                {
                    diagnostics.error(
                        Code::Shadowed,
                        span,
                        format!(
                            "`{}.{name}` is built in, so no block can have that name",
                            kind.name
                        ),
                        format!(
                            "rename the block, or use `{}.{name}` without declaring it",
                            kind.name
                        ),
                    );
                    return;
                }
                let role = if kind.name == "group" {
                    group_role(&block, diagnostics)
                } else {
                    kind.role
                };
                let names = self.named.entry(kind.name.to_owned()).or_default();
                names
                    .insert(name.clone(), Named { role, block })
                    .map(|named| named.block)
            }
        };
        if let Some(earlier) = earlier {
            let message = format!("there are two blocks `{} \"{name}\"`", kind.name);
            let first = if earlier.header.file == header.file && earlier.header.start > header.start {
                header
            } else {
                earlier.header
            };
            let diagnostic = Diagnostic::error(Code::Duplicate, span, message, "rename one of them");
            diagnostics.push(diagnostic.labelled("the second").also(first, "the first"));
        }
    }

    fn add_unnamed(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        if block.kind.text == "locals" {
            for inner in block.body.blocks() {
                diagnostics.error(
                    Code::UnknownBlock,
                    inner.kind.span,
                    "`locals` takes only `name = value`",
                    format!("write `{} = {{ … }}`", inner.kind.text),
                );
            }
            for item in block.body.items {
                let ItemKind::Attribute(attribute) = item.kind else {
                    continue;
                };
                let (name, span) = (attribute.name.text.clone(), attribute.name.span);
                if let Some(earlier) = self.locals.insert(name.clone(), Arc::new(attribute)) {
                    let message = format!("there are two locals `{name}`");
                    let diagnostic = Diagnostic::error(Code::Duplicate, span, message, "rename one of them");
                    diagnostics.push(
                        diagnostic
                            .labelled("the second")
                            .also(earlier.name.span, "the first"),
                    );
                }
            }
            return;
        }
        let only_one = matches!(block.kind.text.as_str(), "capol" | "emergency_access");
        let earlier = self
            .unnamed
            .iter()
            .find(|other| only_one && other.kind.text == block.kind.text);
        if let Some(earlier) = earlier {
            let message = format!("there are two blocks `{}`", block.kind.text);
            let diagnostic = Diagnostic::error(
                Code::Duplicate,
                block.header,
                message,
                "put everything into one block",
            );
            diagnostics.push(
                diagnostic
                    .labelled("the second")
                    .also(earlier.header, "the first"),
            );
            return;
        }
        self.unnamed.push(Arc::new(block));
    }
}

/// The label that names the block; nothing for blocks without one, and after a report.
fn label<'b>(block: &'b Block, rule: LabelRule, diagnostics: &mut Diagnostics) -> Option<&'b Label> {
    let kind = &block.kind.text;
    let allowed = usize::from(rule != LabelRule::None);
    if let Some(extra) = block.labels.get(allowed) {
        let message = format!(
            "`{kind}` takes {}",
            if allowed == 0 { "no label" } else { "one label" }
        );
        diagnostics.error(
            Code::Label,
            extra.span,
            message,
            format!("take `\"{}\"` away", extra.text),
        );
    }
    match (rule, block.labels.first()) {
        (LabelRule::None, _) => None,
        (_, None) => {
            diagnostics.error(
                Code::Label,
                block.kind.span,
                format!("`{kind}` needs a name"),
                format!("write `{kind} \"NAME\" {{ … }}`"),
            );
            None
        }
        (LabelRule::Name, Some(label)) if !is_identifier(&label.text) => {
            diagnostics.error(
                Code::Label,
                label.span,
                format!("`{}` is not a name", label.text),
                format!(
                    "write `\"{}\"`, and put what people call it into `name = …`",
                    as_identifier(&label.text)
                ),
            );
            None
        }
        (_, label) => label,
    }
}

fn as_identifier(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let name = out.trim_end_matches('_');
    match name.chars().next() {
        Some(first) if first.is_alphabetic() => name.to_owned(),
        _ => format!("name_{name}").trim_end_matches('_').to_owned(),
    }
}

/// Whether the group is managed is part of the structure, so it must be told without evaluation.
fn group_role(block: &Block, diagnostics: &mut Diagnostics) -> Role {
    let managed = block
        .body
        .attributes()
        .find(|attribute| attribute.name.text == "managed");
    match managed.map(|attribute| &attribute.value) {
        None
        | Some(Expression {
            kind: ExpressionKind::Bool(false) | ExpressionKind::Error,
            ..
        }) => Role::LookUp,
        Some(Expression {
            kind: ExpressionKind::Bool(true),
            ..
        }) => Role::Resource,
        Some(other) => {
            diagnostics.error(
                Code::WrongType,
                other.span,
                "`managed` must be written out, not computed",
                "write `managed = true` or `managed = false`",
            );
            Role::LookUp
        }
    }
}

fn unknown_block(block: &Block) -> Diagnostic {
    let kind = block.kind.text.as_str();
    let label = |index: usize| block.labels.get(index).map(|label| label.text.as_str());
    let terraform = match kind {
        "resource" => Some(match label(0) {
            Some("azuread_conditional_access_policy") => {
                format!("write `policy \"{}\" {{ … }}`", label(1).unwrap_or("NAME"))
            }
            Some("azuread_named_location") => {
                format!("write `location \"{}\" {{ … }}`", label(1).unwrap_or("NAME"))
            }
            Some("azuread_group") => {
                format!(
                    "write `group \"{}\" {{ managed = true … }}`",
                    label(1).unwrap_or("NAME")
                )
            }
            Some("azuread_authentication_strength_policy") => {
                format!("write `strength \"{}\" {{ … }}`", label(1).unwrap_or("NAME"))
            }
            _ => "name the kind of object itself: `policy \"NAME\" { … }`, `location \"NAME\" { … }`".into(),
        }),
        "data" => Some("look it up in place: `group(\"…\")`, `user(\"…\")`, `app(\"…\")`".into()),
        "provider" => Some("write `tenant \"NAME\" { … }` to say which tenant and how to sign in".into()),
        "terraform" => Some("write `capol { required_version = \"…\" }`".into()),
        "check" => Some("write `invariant \"…\" { … }` or a `validation` block in the variable".into()),
        _ => None,
    };
    if let Some(help) = terraform {
        return Diagnostic::error(
            Code::Terraform,
            block.kind.span,
            format!("`{kind}` blocks are Terraform's"),
            help,
        );
    }
    let names = || blocks::all().iter().map(|kind| kind.name);
    let help = match nearest(kind, names()) {
        Some(near) => format!("write `{near}`"),
        None => format!("write one of {}", super::nearest::listed(names(), 40)),
    };
    Diagnostic::error(
        Code::UnknownBlock,
        block.kind.span,
        format!("there is no block `{kind}`"),
        help,
    )
}

/// The attribute of this name, and where a message about its absence points.
pub(crate) fn attribute<'b>(block: &'b Block, name: &str) -> Option<&'b Attribute> {
    block
        .body
        .attributes()
        .find(|attribute| attribute.name.text == name)
}

/// Where a block is named: its label, or else its head.
pub(crate) fn label_span(block: &Block) -> Span {
    block.labels.first().map_or(block.header, |label| label.span)
}
