//! Modules: where they lie, what they declare, their instances.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::source::{Source, parse_source};
use super::{Children, Computed, Declarations, Engine, Expansion, Given, Inputs, Module, Node};
use crate::lang::declarations::{attribute, label_span};
use crate::lang::error::{Code, Diagnostic, Diagnostics};
use crate::lang::evaluate::Evaluator;
use crate::lang::functions::shown_path;
use crate::lang::loader::{LoadError, RemoteSource, folded};
use crate::lang::nearest::write_one_of;
use crate::lang::scope::{ModuleId, Scope};
use crate::model::address::ModuleStep;
use crate::syntax::{self, Block, Body, Parsed, Span};

/// The attributes of a `module` block that are no inputs.
const META: [&str; 3] = ["source", "for_each", "depends_on"];

impl Engine {
    /// Reads one file; problems with its text go to `diagnostics`.
    pub(crate) fn read_file(&self, path: &Path, diagnostics: &mut Diagnostics) -> Option<Body> {
        let name = shown_path(path.strip_prefix(&self.root).unwrap_or(path));
        let bytes = match self.loader.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                diagnostics.error(
                    Code::File,
                    Span::SYNTHETIC,
                    format!("`{name}` could not be read: {error}"),
                    "check that the file exists and may be read",
                );
                return None;
            }
        };
        let file = self.state().sources.add_bytes(&name, &bytes);
        match file {
            Ok(file) => {
                let parsed = syntax::parse(&file);
                for error in &parsed.errors {
                    diagnostics.push(Diagnostic::syntax(error));
                }
                Some(parsed.tree)
            }
            Err(error) => {
                diagnostics.push(Diagnostic::syntax(&error));
                None
            }
        }
    }

    /// Reads a text that stands in no file, such as the value of a flag.
    pub(crate) fn read_text(&self, name: &str, text: &str) -> (Span, Parsed) {
        let file = self.state().sources.add(name, text);
        (Span::new(file.id(), 0, file.text().len()), syntax::parse(&file))
    }

    /// The names of the files of a folder that end so, sorted.
    pub(crate) fn files_of(&self, folder: &Path, ending: &str) -> Result<Vec<String>, LoadError> {
        let mut names: Vec<String> = self
            .loader
            .list_dir(folder)?
            .into_iter()
            .filter(|entry| !entry.is_dir && entry.name.ends_with(ending) && !entry.name.starts_with('.'))
            .map(|entry| entry.name)
            .collect();
        names.sort();
        Ok(names)
    }

    /// What the files of a folder declare; read once.
    fn declarations(&self, folder: &Path, is_root: bool, asked: Span) -> Arc<Declarations> {
        let key = (folder.to_owned(), is_root);
        if let Some(known) = self.state().folders.get(&key) {
            return known.clone();
        }
        let mut diagnostics = Diagnostics::new();
        let mut declarations = Declarations::of(folder);
        let shown = shown_path(folder.strip_prefix(&self.root).unwrap_or(folder));
        match self.files_of(folder, ".capol") {
            Ok(names) if names.is_empty() => diagnostics.error(
                Code::File,
                asked,
                format!("the folder `{shown}` holds no `.capol` files"),
                if is_root {
                    "write one, or name another folder with `--chdir DIR`"
                } else {
                    "name a folder that holds some"
                },
            ),
            Ok(names) => {
                for name in names {
                    if let Some(body) = self.read_file(&folder.join(name), &mut diagnostics) {
                        declarations.add(body, is_root, &mut diagnostics);
                    }
                }
            }
            Err(error) => diagnostics.error(
                Code::File,
                asked,
                if is_root {
                    format!("the folder `{}` could not be read: {error}", folder.display())
                } else {
                    format!("the folder `{shown}` could not be read: {error}")
                },
                if is_root {
                    "name another folder with `--chdir DIR`"
                } else {
                    "write a path from the folder of this file, such as `./modules/offices`"
                },
            ),
        }
        let declarations = Arc::new(declarations);
        let mut state = self.state();
        state.diagnostics.extend(diagnostics);
        state.folders.insert(key, declarations.clone());
        declarations
    }

    /// Reads the root module.
    pub(crate) fn open_root(&self) -> Arc<Declarations> {
        self.declarations(&self.root.clone(), true, Span::SYNTHETIC)
    }

    /// Makes the root module the first instance.
    pub(crate) fn add_root(&self, declarations: Arc<Declarations>, given: IndexMap<String, Given>) {
        self.add_module(Module {
            path: Vec::new(),
            declarations,
            inputs: Inputs::Given(given),
            folders: vec![self.root.clone()],
        });
    }
}

impl Evaluator<'_> {
    /// The instances of a `module` block.
    pub(crate) fn children(&mut self, module: ModuleId, name: &str, asked: Span) -> Children {
        let node = Node::Children(module, name.to_owned());
        let computed = self.compute(node, asked, Computed::Children(Children::Faulty), |inner| {
            Computed::Children(inner.compute_children(module, name))
        });
        match computed {
            Computed::Children(children) => children,
            Computed::Value(_) | Computed::Expansion(_) => Children::Faulty,
        }
    }

    fn compute_children(&mut self, module: ModuleId, name: &str) -> Children {
        let parent = self.engine.module(module);
        let Some(block) = parent.declarations.modules.get(name).cloned() else {
            return Children::Faulty;
        };
        let Some((folder, asked)) = self.source_folder(&block, &parent) else {
            self.inputs_exist(&block, None);
            return Children::Faulty;
        };
        if parent.folders.contains(&folder) {
            self.error(
                Code::Cycle,
                asked,
                format!("the module `{name}` contains itself"),
                "name another folder, or take the inner `module` block away",
            );
            return Children::Faulty;
        }
        let declarations = self.engine.declarations(&folder, false, asked);
        self.inputs_exist(&block, Some(&declarations));
        let instance = |scope: Scope| {
            let key = scope.each.as_ref().map(|each| each.text().to_owned());
            let mut path = parent.path.clone();
            path.push(ModuleStep {
                name: name.to_owned(),
                key,
            });
            let mut folders = parent.folders.clone();
            folders.push(folder.clone());
            let inputs = Inputs::Block {
                block: block.clone(),
                scope,
            };
            self.engine.add_module(Module {
                path,
                declarations: declarations.clone(),
                inputs,
                folders,
            })
        };
        match self.expansion(module, "module", name, block.header) {
            Expansion::Faulty => Children::Faulty,
            Expansion::Single => Children::Single(instance(Scope::of(module))),
            Expansion::Each(all) => Children::Each(Arc::new(
                all.iter()
                    .map(|each| {
                        (
                            each.text().to_owned(),
                            instance(Scope {
                                module,
                                each: Some(each.clone()),
                            }),
                        )
                    })
                    .collect(),
            )),
        }
    }

    /// Holds the attributes of a `module` block against the module's variables. Of a module that
    /// could not be read, only words of Terraform are reported.
    fn inputs_exist(&mut self, block: &Block, declarations: Option<&Declarations>) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for input in block.body.attributes() {
            let (name, span) = (input.name.text.as_str(), input.name.span);
            if let Some(first) = seen.insert(name, span) {
                let message = format!("the module has `{name}` twice");
                let diagnostic = Diagnostic::error(Code::Duplicate, span, message, "keep one of them");
                self.diagnostics.push(diagnostic.also(first, "the first"));
            }
            if META.contains(&name) || declarations.is_some_and(|known| known.variables.contains_key(name)) {
                continue;
            }
            let message = format!("the module has no variable `{name}`");
            let terraform = match name {
                "count" => Some("use `for_each`, and `each.key` in the inputs"),
                "version" => Some("pin the revision in the source: `git::https://…?ref=v1.2.0`"),
                "providers" => Some("take it away; `tenant` blocks of the project say where to sign in"),
                _ => None,
            };
            if let Some(help) = terraform {
                self.error(Code::Terraform, span, message, help);
            } else if let Some(known) = declarations {
                let help = write_one_of(name, "", known.variables.keys().map(String::as_str), || {
                    "take it away; the module declares no variables".into()
                });
                self.error(Code::UnknownVariable, span, message, help);
            }
        }
        for inner in block.body.blocks() {
            let message = "`module` takes only `name = value`";
            let help = format!("write `{} = {{ … }}`", inner.kind.text);
            self.error(Code::UnknownBlock, inner.kind.span, message, help);
        }
    }

    fn source_folder(&mut self, block: &Block, parent: &Module) -> Option<(PathBuf, Span)> {
        let Some(source) = attribute(block, "source") else {
            let message = "the module does not say where it lies";
            let help =
                "add `source = \"./FOLDER\"`, a pinned `git::https://…?ref=v1.0.0`, or `capol:baseline/…`";
            self.error(Code::Missing, label_span(block), message, help);
            return None;
        };
        let span = source.value.span;
        let Some(text) = source.value.plain_string() else {
            self.error(
                Code::ModuleSource,
                span,
                "the source of a module must be written out, not computed",
                "write a string without `${…}`, such as `\"./modules/offices\"`",
            );
            return None;
        };
        let remote = match parse_source(text) {
            Ok(Source::Local(path)) => return Some((folded(&parent.declarations.folder.join(path)), span)),
            Ok(Source::Remote(remote)) => remote,
            Err((message, help)) => {
                self.error(Code::ModuleSource, span, message, help);
                return None;
            }
        };
        match self.engine.loader.fetch(&remote) {
            Ok(folder) => Some((folder, span)),
            Err(error) => {
                let help = match &remote {
                    RemoteSource::Git { url, .. } => {
                        format!("check that `git clone {url}` works from here and that the revision exists")
                    }
                    RemoteSource::Builtin { .. } => "see the names with `capol template list`".into(),
                };
                self.error(
                    Code::ModuleSource,
                    span,
                    format!("the module `{text}` could not be fetched: {error}"),
                    help,
                );
                None
            }
        }
    }
}
