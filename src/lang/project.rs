//! A project: its files read, its modules and `for_each` expanded, every name computed.

mod addresses;
mod inputs;
mod settings;
mod version;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use inputs::{Input, Inputs};

use super::blocks::{LabelRule, Role};
use super::declarations::{Declarations, attribute};
use super::engine::{Children, Engine, Expansion, Node, locals_in_order};
use super::error::{Code, Diagnostic, Diagnostics, Sources, origin};
use super::evaluate::Evaluator;
use super::loader::SourceLoader;
use super::scope::{Environment, ModuleId, Scope};
use super::value::{Evaluated, Value};
use crate::model::configuration::{
    Deferred, EmergencyAccess, Import, Move, Output, Removal, Settings, TenantSettings,
};
use crate::model::expectation::Expectation;
use crate::model::gap::Acceptance;
use crate::model::rollout::Rollout;
use crate::model::{Address, Reference};
use crate::syntax::{Block, Expression, ExpressionKind};

/// One instance of a block that describes an object: a `policy`, `location`, `strength`, `context`
/// or managed `group`.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its address; `address.kind` is the block type.
    pub address: Address,
    /// The block. Its `for_each` and `depends_on` are dealt with already, as is a group's `managed`.
    pub block: Arc<Block>,
    /// Where its expressions are to be evaluated.
    pub scope: Scope,
}

/// A loaded project. What is wrong with it is in [`Project::diagnostics`]; everything else holds
/// what could be made sense of.
#[derive(Debug)]
pub struct Project {
    engine: Engine,
    sources: Sources,
    diagnostics: Diagnostics,
    instances: Vec<Instance>,
    /// The `capol` block.
    pub settings: Settings,
    /// The `tenant` blocks, by label.
    pub tenants: BTreeMap<String, TenantSettings>,
    /// The `emergency_access` block.
    pub emergency_access: Option<EmergencyAccess>,
    /// The `import` blocks.
    pub imports: Vec<Import>,
    /// The `moved` blocks; one of a module is spread over the blocks inside.
    pub moves: Vec<Move>,
    /// The `removed` blocks.
    pub removals: Vec<Removal>,
    /// The root module's outputs.
    pub outputs: BTreeMap<String, Output>,
    /// The `scenario` and `invariant` blocks.
    pub expectations: Vec<Expectation>,
    /// The `accept` blocks.
    pub accepted: Vec<Acceptance>,
    /// The `rollout` blocks.
    pub rollouts: Vec<Rollout>,
    /// Blocks that were checked here and that a later part of the engine carries out.
    pub deferred: Vec<Deferred>,
}

/// Reads the project in a folder.
///
/// `root` is handed to the loader as it is; every other path is joined to it. Never fails: what is
/// wrong is in the project's diagnostics.
pub fn load(loader: Arc<dyn SourceLoader>, root: &Path, inputs: &Inputs) -> Project {
    let engine = Engine::new(loader, root, inputs.now);
    let mut diagnostics = Diagnostics::new();
    let declarations = engine.open_root();
    let given = inputs::given(&engine, &declarations, inputs, &mut diagnostics);
    engine.add_root(declarations, given);
    let mut project = Project {
        engine,
        sources: Sources::default(),
        diagnostics,
        instances: Vec::new(),
        settings: Settings::default(),
        tenants: BTreeMap::new(),
        emergency_access: None,
        imports: Vec::new(),
        moves: Vec::new(),
        removals: Vec::new(),
        outputs: BTreeMap::new(),
        expectations: Vec::new(),
        accepted: Vec::new(),
        rollouts: Vec::new(),
        deferred: Vec::new(),
    };
    project.expand();
    project.read_settings();
    project.sources = project.engine.sources();
    let mut diagnostics = project.engine.diagnostics();
    diagnostics.extend(std::mem::take(&mut project.diagnostics));
    diagnostics.sort();
    project.diagnostics = diagnostics;
    project
}

impl Project {
    /// The files that spans point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Everything that is wrong so far, in the order of the text.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// Every block instance that describes an object, module by module.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// The value of an expression of a block, in the scope of one of its instances.
    pub fn evaluate(
        &self,
        expression: &Expression,
        scope: &Scope,
        diagnostics: &mut Diagnostics,
    ) -> Evaluated {
        Evaluator::new(&self.engine, diagnostics).evaluate(expression, Environment::new(scope))
    }

    /// The value of an expression that somebody typed, in the root module, and what is wrong with it.
    /// The sources are the project's and the typed text.
    pub fn evaluate_text(&self, text: &str) -> (Evaluated, Diagnostics, Sources) {
        let mut diagnostics = Diagnostics::new();
        let (whole, parsed) = self.engine.read_text("console", &format!("it = {text}\n"));
        for error in &parsed.errors {
            diagnostics.push(Diagnostic::syntax(error));
        }
        let value = match parsed.tree.attributes().next() {
            Some(written) => self.evaluate(&written.value, &Scope::of(ModuleId::ROOT), &mut diagnostics),
            None => Evaluated::faulty(whole),
        };
        (value, diagnostics, self.engine.sources())
    }

    /// The block that an address names, and the scope of that instance.
    pub fn locate(&self, address: &Address) -> Option<(Arc<Block>, Scope)> {
        self.engine.locate(address)
    }

    /// The value of an output of the root module, references and sensitivity included.
    pub fn output(&self, name: &str) -> Option<Evaluated> {
        let declarations = self.engine.module(ModuleId::ROOT).declarations.clone();
        let output = declarations.outputs.get(name)?;
        let mut unheard = Diagnostics::new();
        let node = Node::Output(ModuleId::ROOT, name.to_owned());
        Some(Evaluator::new(&self.engine, &mut unheard).forced(node, output.name.span))
    }

    /// What the `depends_on` of an instance, and of the modules around it, names.
    pub fn depends_on(&self, instance: &Instance, diagnostics: &mut Diagnostics) -> Vec<Address> {
        let mut all = Vec::new();
        if let Some(written) = attribute(&instance.block, "depends_on") {
            self.dependencies(&written.value, &instance.scope, diagnostics, &mut all);
            if all.contains(&instance.address) {
                diagnostics.error(
                    Code::Cycle,
                    written.value.span,
                    format!("`{}` depends on itself", instance.address),
                    "take it out of `depends_on`",
                );
            }
        }
        let mut module = ModuleId::ROOT;
        for step in &instance.address.module {
            let declarations = self.engine.module(module).declarations.clone();
            if let Some(written) = declarations
                .modules
                .get(&step.name)
                .and_then(|block| attribute(block, "depends_on"))
            {
                self.dependencies(&written.value, &Scope::of(module), diagnostics, &mut all);
            }
            let children =
                Evaluator::new(&self.engine, diagnostics).children(module, &step.name, instance.block.header);
            module = match (children, &step.key) {
                (Children::Single(child), _) => child,
                (Children::Each(children), Some(key)) => match children.get(key) {
                    Some(child) => *child,
                    None => break,
                },
                _ => break,
            };
        }
        all.sort();
        all.dedup();
        all.retain(|address| *address != instance.address);
        all
    }

    fn dependencies(
        &self,
        written: &Expression,
        scope: &Scope,
        diagnostics: &mut Diagnostics,
        out: &mut Vec<Address>,
    ) {
        let ExpressionKind::List(items) = &written.kind else {
            diagnostics.error(
                Code::WrongType,
                written.span,
                "`depends_on` takes a list of blocks",
                "write `[policy.NAME]`",
            );
            return;
        };
        for item in items.iter() {
            if let Some(path) = item
                .path()
                .filter(|path| path.first().is_some_and(|(word, _)| *word == "module") && path.len() == 2)
            {
                let name = path.last().map_or("", |(name, _)| *name);
                let inside = &self.engine.module(scope.module).path;
                let covered = self.instances.iter().filter(|instance| {
                    instance.address.module.starts_with(inside)
                        && instance
                            .address
                            .module
                            .get(inside.len())
                            .is_some_and(|step| step.name == name)
                });
                out.extend(covered.map(|instance| instance.address.clone()));
                self.evaluate(item, scope, diagnostics);
                continue;
            }
            let value = self.evaluate(item, scope, diagnostics);
            if value.is_faulty() {
                continue;
            }
            let before = out.len();
            addresses_in(&value.value, out);
            if out.len() == before {
                diagnostics.error(
                    Code::WrongType,
                    item.span,
                    format!(
                        "`depends_on` takes blocks that this project manages, not {}",
                        value.value.kind()
                    ),
                    "write `policy.NAME`, `location.NAME` or `module.NAME`",
                );
            }
        }
    }

    /// Walks all modules, those found on the way included, and computes every name.
    fn expand(&mut self) {
        let mut next = 0;
        while next < self.engine.module_count() {
            let module = ModuleId(next);
            let declarations = self.engine.module(module).declarations.clone();
            self.compute_names(module, &declarations);
            self.collect_blocks(module, &declarations);
            next += 1;
        }
    }

    fn compute_names(&mut self, module: ModuleId, declarations: &Declarations) {
        let mut evaluator = Evaluator::new(&self.engine, &mut self.diagnostics);
        for (name, block) in &declarations.variables {
            evaluator.forced(Node::Variable(module, name.clone()), block.header);
        }
        for name in locals_in_order(declarations) {
            if let Some(local) = declarations.locals.get(&name) {
                evaluator.forced(Node::Local(module, name), local.name.span);
            }
        }
        for (name, block) in &declarations.variables {
            evaluator.validate(module, name, block);
        }
        for (name, block) in &declarations.modules {
            evaluator.children(module, name, block.header);
        }
        for (kind, name, named) in declarations.all_named() {
            if named.role == Role::LookUp {
                evaluator.forced(
                    Node::LookUp(module, kind.to_owned(), name.to_owned()),
                    named.block.header,
                );
            }
        }
        for (name, output) in &declarations.outputs {
            let value = evaluator.forced(Node::Output(module, name.clone()), output.name.span);
            if module == ModuleId::ROOT {
                let output = Output {
                    value: settings::json_of(&value.value),
                    ids: settings::ids_in(&value.value),
                    sensitive: value.is_sensitive(),
                };
                self.outputs.insert(name.clone(), output);
            }
        }
    }

    fn collect_blocks(&mut self, module: ModuleId, declarations: &Declarations) {
        let path = self.engine.module(module).path.clone();
        for (kind, name, named) in declarations.all_named() {
            if !matches!(named.role, Role::Resource | Role::Rollout | Role::Deferred) {
                continue;
            }
            let address = Address::root(kind, name).in_module(&path);
            let expansion = Evaluator::new(&self.engine, &mut self.diagnostics).expansion(
                module,
                kind,
                name,
                named.block.header,
            );
            let instances = match expansion {
                Expansion::Faulty => Vec::new(),
                Expansion::Single => vec![(address, Scope::of(module))],
                Expansion::Each(all) => all
                    .iter()
                    .map(|each| {
                        (
                            address.clone().with_key(each.text()),
                            Scope {
                                module,
                                each: Some(each.clone()),
                            },
                        )
                    })
                    .collect(),
            };
            for (address, scope) in instances {
                match named.role {
                    Role::Resource => self.instances.push(Instance {
                        address,
                        block: named.block.clone(),
                        scope,
                    }),
                    Role::Rollout => self.roll_out(address, &named.block, &scope),
                    _ => self.defer(address, &named.block, &scope),
                }
            }
        }
        for block in &declarations.sentences {
            let name = block.labels.first().map_or("", |label| label.text.as_str());
            let address = Address::root(block.kind.text.as_str(), name).in_module(&path);
            let scope = Scope::of(module);
            let checked = Evaluator::new(&self.engine, &mut self.diagnostics).check_block(block, &scope);
            if block.kind.text == "accept" {
                let bound = super::bind::acceptance(block, &checked, &mut self.diagnostics);
                self.accepted.extend(bound);
                continue;
            }
            let bound = super::bind::expectation(address, block.header, &checked, &mut self.diagnostics);
            self.expectations.extend(bound);
        }
    }

    fn roll_out(&mut self, address: Address, block: &Block, scope: &Scope) {
        let checked = Evaluator::new(&self.engine, &mut self.diagnostics).check_block(block, scope);
        let bound = super::bind::rollout(address, block.header, &checked, &mut self.diagnostics);
        self.rollouts.extend(bound);
    }

    fn defer(&mut self, address: Address, block: &Block, scope: &Scope) {
        let checked = Evaluator::new(&self.engine, &mut self.diagnostics).check_block(block, scope);
        if block.kind.text == "exception"
            && let Some(expires) = checked.get("expires")
        {
            self.not_past(expires);
        }
        let origin = origin(block.header);
        self.deferred.push(Deferred {
            kind: block.kind.text.clone(),
            address,
            origin,
        });
    }
}

impl Project {
    /// Reports an `expires` that is over already. A date lasts to its end, in UTC.
    fn not_past(&mut self, expires: &Evaluated) {
        let text = expires.as_text().unwrap_or_default();
        let end = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let tomorrow = text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
            Some(tomorrow.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        });
        if end.is_some_and(|end| end <= self.engine.world().now) {
            self.diagnostics.error(
                Code::InvalidValue,
                expires.span,
                format!("the exception expired at `{text}`"),
                "take the block away, or write a later moment",
            );
        }
    }
}

/// The addresses of managed blocks in a value.
fn addresses_in(value: &Value, out: &mut Vec<Address>) {
    match value {
        Value::Reference(Reference::Managed { address, .. }) | Value::Block(address) => {
            out.push((**address).clone());
        }
        other => {
            for child in other.children() {
                addresses_in(&child.value, out);
            }
        }
    }
}

/// Whether a block of this rule can be the target of an address.
pub(super) fn is_addressable(kind: &str) -> bool {
    super::blocks::find(kind).is_some_and(|kind| {
        kind.label == LabelRule::Name
            && (matches!(kind.role, Role::Resource | Role::Rollout) || kind.name == "group")
    })
}
