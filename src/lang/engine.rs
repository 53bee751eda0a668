//! Names on demand: each variable, local, output, module and `for_each` is computed once, when it
//! is first asked for, with the problems that were met on the way kept beside it.

mod force;
mod modules;
mod order;
mod source;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

pub(crate) use order::locals as locals_in_order;

use super::declarations::Declarations;
use super::error::{Diagnostic, Diagnostics, Sources};
use super::functions::World;
use super::loader::SourceLoader;
use super::scope::{Each, ModuleId, Scope};
use super::value::Evaluated;
use crate::model::Address;
use crate::model::address::ModuleStep;
use crate::syntax::{Block, Expression, Span};

/// Something with a name that is computed on demand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// A variable of a module instance.
    Variable(ModuleId, String),
    /// A local.
    Local(ModuleId, String),
    /// An output.
    Output(ModuleId, String),
    /// The instances of a `module` block.
    Children(ModuleId, String),
    /// The `for_each` of a block: module, kind, label.
    Expansion(ModuleId, String, String),
    /// What a look-up block finds: module, kind, label.
    LookUp(ModuleId, String, String),
}

impl Node {
    /// As a cycle shows it.
    fn name(&self) -> String {
        match self {
            Self::Variable(_, name) => format!("var.{name}"),
            Self::Local(_, name) => format!("local.{name}"),
            Self::Output(_, name) => format!("output.{name}"),
            Self::Children(_, name) => format!("module.{name}"),
            Self::Expansion(_, kind, name) => format!("{kind}.{name} (for_each)"),
            Self::LookUp(_, kind, name) => format!("{kind}.{name}"),
        }
    }
}

/// A name under way, and where it was asked for.
#[derive(Debug)]
pub(crate) struct Pending {
    node: Node,
    asked: Span,
}

/// The instances of a `module` block.
#[derive(Debug, Clone)]
pub(crate) enum Children {
    /// Without `for_each`.
    Single(ModuleId),
    /// With `for_each`, by key.
    Each(Arc<IndexMap<String, ModuleId>>),
    /// They could not be told; the reason is reported.
    Faulty,
}

/// The instances of a block.
#[derive(Debug, Clone)]
pub(crate) enum Expansion {
    /// Without `for_each`.
    Single,
    /// With `for_each`, sorted by key.
    Each(Arc<Vec<Arc<Each>>>),
    /// They could not be told; the reason is reported.
    Faulty,
}

#[derive(Debug, Clone)]
enum Computed {
    Value(Evaluated),
    Children(Children),
    Expansion(Expansion),
}

/// One instance of a module.
#[derive(Debug)]
pub(crate) struct Module {
    /// The steps that lead to it.
    pub(crate) path: Vec<ModuleStep>,
    /// What its files declare.
    pub(crate) declarations: Arc<Declarations>,
    /// Where its variables get their values.
    inputs: Inputs,
    /// The folders of the modules around it, and its own.
    folders: Vec<PathBuf>,
}

/// Where the variables of a module get their values.
#[derive(Debug)]
enum Inputs {
    /// From files, flags and the environment: the root module.
    Given(IndexMap<String, Given>),
    /// From a `module` block, evaluated where that block stands.
    Block { block: Arc<Block>, scope: Scope },
}

/// A value given to a variable of the root module.
#[derive(Debug)]
pub(crate) struct Given {
    /// The value, if the text reads as an expression.
    pub(crate) expression: Option<Expression>,
    /// The text itself, for what comes from a flag or the environment.
    pub(crate) text: Option<String>,
    /// Where it stands.
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
struct State {
    sources: Sources,
    modules: Vec<Arc<Module>>,
    folders: BTreeMap<(PathBuf, bool), Arc<Declarations>>,
    computed: BTreeMap<Node, (Computed, Diagnostics)>,
    diagnostics: Diagnostics,
}

/// Everything that is known of a project while and after it is loaded.
pub(crate) struct Engine {
    loader: Arc<dyn SourceLoader>,
    root: PathBuf,
    now: jiff::Timestamp,
    state: Mutex<State>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn new(loader: Arc<dyn SourceLoader>, root: &Path, now: jiff::Timestamp) -> Self {
        Self {
            loader,
            root: root.to_owned(),
            now,
            state: Mutex::default(),
        }
    }

    /// The state. Nothing is evaluated while the lock is held, so it never nests.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn world(&self) -> World<'_> {
        World {
            loader: &*self.loader,
            now: self.now,
            root: &self.root,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn sources(&self) -> Sources {
        self.state().sources.clone()
    }

    /// Keeps a value, as it was written, out of everything that is told.
    pub(crate) fn hide(&self, written: &str) {
        self.state().sources.hide(written);
    }

    /// A problem that belongs to no single name.
    pub(crate) fn report(&self, diagnostic: Diagnostic) {
        self.state().diagnostics.push(diagnostic);
    }

    /// Every problem met so far, in the order of the text.
    pub(crate) fn diagnostics(&self) -> Diagnostics {
        let state = self.state();
        let mut all = state.diagnostics.clone();
        for (_, diagnostics) in state.computed.values() {
            all.extend(diagnostics.clone());
        }
        all.sort();
        all
    }

    /// A module instance that has been expanded.
    pub(crate) fn module(&self, id: ModuleId) -> Arc<Module> {
        let state = self.state();
        let module = state.modules.get(id.0).or_else(|| state.modules.first());
        module.map_or_else(Arc::default, Arc::clone)
    }

    /// How many module instances there are so far.
    pub(crate) fn module_count(&self) -> usize {
        self.state().modules.len()
    }

    fn add_module(&self, module: Module) -> ModuleId {
        let mut state = self.state();
        state.modules.push(Arc::new(module));
        ModuleId(state.modules.len() - 1)
    }

    /// The folder of a module as `path.module` shows it: from the project's folder, with `/`.
    pub(crate) fn folder_of(&self, module: ModuleId) -> String {
        let folder = self.module(module).declarations.folder.clone();
        let relative = folder.strip_prefix(&self.root).unwrap_or(&folder);
        super::functions::shown_path(relative)
    }

    /// The block of an address, and the scope of that instance.
    pub(crate) fn locate(&self, address: &Address) -> Option<(Arc<Block>, Scope)> {
        let mut module = ModuleId::ROOT;
        for step in &address.module {
            let state = self.state();
            let (Computed::Children(children), _) =
                state.computed.get(&Node::Children(module, step.name.clone()))?
            else {
                return None;
            };
            module = match (children, &step.key) {
                (Children::Single(child), None) => *child,
                (Children::Each(children), Some(key)) => *children.get(key)?,
                _ => return None,
            };
        }
        let block = self
            .module(module)
            .declarations
            .block(&address.kind, &address.name)?
            .block
            .clone();
        let each = match &address.key {
            None => None,
            Some(key) => {
                let node = Node::Expansion(module, address.kind.clone(), address.name.clone());
                let state = self.state();
                let (Computed::Expansion(Expansion::Each(all)), _) = state.computed.get(&node)? else {
                    return None;
                };
                let at = all.binary_search_by(|each| each.text().cmp(key)).ok()?;
                Some(all.get(at)?.clone())
            }
        };
        Some((block, Scope { module, each }))
    }
}

impl Default for Module {
    /// A module that declares nothing.
    fn default() -> Self {
        Self {
            path: Vec::new(),
            declarations: Arc::default(),
            inputs: Inputs::Given(IndexMap::new()),
            folders: Vec::new(),
        }
    }
}
