//! The first words of references: variables, locals, modules, blocks, the built-in catalogues.

use super::Evaluator;
use super::access::{Instances, Place, block_value};
use crate::lang::blocks::{self, Role};
use crate::lang::engine::{Children, Expansion, Node};
use crate::lang::error::{Code, Diagnostic};
use crate::lang::functions::is_context_id;
use crate::lang::nearest::{nearest, write_one_of};
use crate::lang::scope::{Environment, ModuleId, Scope};
use crate::lang::types::with_article;
use crate::lang::value::{Evaluated, Value};
use crate::model::catalogue::{apps, roles, strengths};
use crate::model::{Address, Reference, Target, properties};
use crate::syntax::{Ident, Span};

/// Every word that a reference may start with.
pub(crate) const ROOTS: [&str; 22] = [
    "var",
    "local",
    "module",
    "each",
    "path",
    "policy",
    "location",
    "strength",
    "context",
    "terms",
    "group",
    "user",
    "app",
    "role",
    "service_principal",
    "agent_identity",
    "action",
    "rollout",
    "exception",
    "contingency",
    "notify",
    "tenant",
];

/// What `kind.name` means in every tenant without a block of that name.
pub(crate) fn built_in(kind: Target, name: &str) -> Option<Reference> {
    match kind {
        Target::Role => roles::by_name(name).map(|role| Reference::id(Target::Role, role.template_id)),
        Target::Strength => {
            strengths::by_name(name).map(|strength| Reference::id(Target::Strength, strength.id))
        }
        Target::App => apps::by_name(name).map(|app| match app.target {
            apps::AppTarget::Keyword(word) => Reference::keyword(word),
            apps::AppTarget::AppId(id) => Reference::id(Target::App, id),
        }),
        Target::Action => properties::user_actions()
            .by_word(name)
            .map(|action| Reference::Id {
                target: Target::Action,
                id: action.wire.to_owned(),
            }),
        Target::Context => is_context_id(name).then(|| Reference::id(Target::Context, name)),
        _ => None,
    }
}

/// The names that [`built_in`] knows for a kind.
fn built_in_names(kind: Target) -> Vec<&'static str> {
    match kind {
        Target::Role => roles::all().iter().map(|role| role.name).collect(),
        Target::Strength => strengths::all().iter().map(|strength| strength.name).collect(),
        Target::App => apps::all().iter().map(|app| app.name).collect(),
        Target::Action => properties::user_actions().words().collect(),
        _ => Vec::new(),
    }
}

impl Evaluator<'_> {
    /// A bare word: a name that a `for` bound, else a symbol.
    pub(super) fn name(&mut self, word: &str, span: Span, environment: Environment<'_>) -> Evaluated {
        if let Some(value) = environment.find(word) {
            return value.clone();
        }
        let help = match word {
            "var" | "local" | "module" => format!("write `{word}.NAME`"),
            "each" => "write `each.key` or `each.value`".into(),
            "path" => "write `path.module` or `path.root`".into(),
            _ => return Evaluated::new(Value::symbol(word), span),
        };
        self.error(
            Code::UnknownName,
            span,
            format!("`{word}` alone names nothing"),
            help,
        )
    }

    /// `word.name`, where `word` is bound by no `for`.
    pub(super) fn root(
        &mut self,
        word: &str,
        at: Span,
        name: &Ident,
        whole: Span,
        environment: Environment<'_>,
    ) -> Place {
        let module = environment.scope.module;
        Place::Value(match word {
            "var" => self.variable(module, name, whole),
            "local" => self.local(module, name, whole),
            "module" => return self.module(module, name, whole),
            "each" => self.each(name, whole, environment.scope),
            "path" => self.folder(module, name, whole),
            "action" => self.built_in_only(Target::Action, name, whole),
            _ => match blocks::find(word) {
                Some(kind) if kind.is_referable() => return self.block(module, word, name, whole),
                _ => self.unknown_root(word, at, name, environment),
            },
        })
    }

    fn unknown_root(
        &mut self,
        word: &str,
        at: Span,
        name: &Ident,
        environment: Environment<'_>,
    ) -> Evaluated {
        let help = match word {
            "data" => "look it up in place: `group(\"…\")`, `user(\"…\")`, `app(\"…\")`".into(),
            "count" => "use `for_each` with `each.key` and `each.value`".into(),
            "self" => "write the value itself, or name it with `locals`".into(),
            "terraform" => "name a variable for it: `var.environment`".into(),
            _ if word.starts_with("azuread_")
                || word.starts_with("azurerm_")
                || word.starts_with("microsoft365_") =>
            {
                "refer to blocks as `policy.NAME`, `location.NAME`, `group.NAME`".into()
            }
            _ => match nearest(word, environment.names().chain(ROOTS)) {
                Some(near) => format!("write `{near}.{}`", name.text),
                None => format!(
                    "start with `var.`, `local.`, `policy.`, `location.`, `group.`, …, or put `\"{word}.{}\"` in quotes",
                    name.text
                ),
            },
        };
        self.error(
            Code::UnknownName,
            at,
            format!("`{word}` names nothing here"),
            help,
        )
    }

    fn variable(&mut self, module: ModuleId, name: &Ident, whole: Span) -> Evaluated {
        let declarations = self.engine.module(module).declarations.clone();
        if declarations.variables.contains_key(&name.text) {
            return self.forced(Node::Variable(module, name.text.clone()), whole);
        }
        let help = write_one_of(
            &name.text,
            "var.",
            declarations.variables.keys().map(String::as_str),
            || format!("declare it: `variable \"{}\" {{}}`", name.text),
        );
        self.error(
            Code::UnknownName,
            name.span,
            format!("there is no variable `{}`", name.text),
            help,
        )
    }

    fn local(&mut self, module: ModuleId, name: &Ident, whole: Span) -> Evaluated {
        let declarations = self.engine.module(module).declarations.clone();
        if declarations.locals.contains_key(&name.text) {
            return self.forced(Node::Local(module, name.text.clone()), whole);
        }
        let help = write_one_of(
            &name.text,
            "local.",
            declarations.locals.keys().map(String::as_str),
            || format!("declare it: `locals {{ {} = … }}`", name.text),
        );
        self.error(
            Code::UnknownName,
            name.span,
            format!("there is no local `{}`", name.text),
            help,
        )
    }

    fn module(&mut self, module: ModuleId, name: &Ident, whole: Span) -> Place {
        let declarations = self.engine.module(module).declarations.clone();
        if !declarations.modules.contains_key(&name.text) {
            let help = write_one_of(
                &name.text,
                "module.",
                declarations.modules.keys().map(String::as_str),
                || format!("declare it: `module \"{}\" {{ source = \"./…\" }}`", name.text),
            );
            return Place::Value(self.error(
                Code::UnknownName,
                name.span,
                format!("there is no module `{}`", name.text),
                help,
            ));
        }
        match self.children(module, &name.text, whole) {
            Children::Single(child) => Place::Module(child),
            Children::Each(children) => Place::Modules(children),
            Children::Faulty => Place::Value(Evaluated::faulty(whole)),
        }
    }

    /// An output of a module instance.
    pub(super) fn output(&mut self, module: ModuleId, name: &Ident) -> Evaluated {
        let declarations = self.engine.module(module).declarations.clone();
        if declarations.outputs.contains_key(&name.text) {
            return self.forced(Node::Output(module, name.text.clone()), name.span);
        }
        let help = write_one_of(
            &name.text,
            "",
            declarations.outputs.keys().map(String::as_str),
            || {
                format!(
                    "declare it in the module: `output \"{}\" {{ value = … }}`",
                    name.text
                )
            },
        );
        self.error(
            Code::UnknownName,
            name.span,
            format!("the module has no output `{}`", name.text),
            help,
        )
    }

    fn each(&mut self, name: &Ident, whole: Span, scope: &Scope) -> Evaluated {
        let Some(each) = scope.each.clone() else {
            return self.error(
                Code::Misplaced,
                whole,
                "`each` means something only in a block with `for_each`",
                "add `for_each = …` to the block",
            );
        };
        match name.text.as_str() {
            "key" => each.key.clone(),
            "value" => each.value.clone(),
            other => self.error(
                Code::UnknownName,
                name.span,
                format!("`each` has no `{other}`"),
                "write `each.key` or `each.value`",
            ),
        }
    }

    fn folder(&mut self, module: ModuleId, name: &Ident, whole: Span) -> Evaluated {
        match name.text.as_str() {
            "module" => Evaluated::new(Value::text(self.engine.folder_of(module)), whole),
            "root" | "cwd" => Evaluated::new(Value::text("."), whole),
            other => self.error(
                Code::UnknownName,
                name.span,
                format!("`path` has no `{other}`"),
                "write `path.module` or `path.root`",
            ),
        }
    }

    fn built_in_only(&mut self, kind: Target, name: &Ident, whole: Span) -> Evaluated {
        if let Some(reference) = built_in(kind, &name.text) {
            return Evaluated::new(Value::Reference(reference), whole);
        }
        let help = write_one_of(
            &name.text,
            &format!("{}.", kind.word()),
            built_in_names(kind),
            String::new,
        );
        self.error(
            Code::UnknownName,
            name.span,
            format!("there is no {} `{}`", kind.word(), name.text),
            help,
        )
    }

    /// A block of this project, or a built-in object of that name.
    fn block(&mut self, module: ModuleId, kind: &str, name: &Ident, whole: Span) -> Place {
        let target = Target::from_word(kind);
        let declarations = self.engine.module(module).declarations.clone();
        if let Some(block) = declarations.block(kind, &name.text) {
            if block.role == Role::LookUp {
                let found = self.forced(Node::LookUp(module, kind.to_owned(), name.text.clone()), whole);
                return Place::Value(Evaluated { span: whole, ..found });
            }
            let address = Address::root(kind, &name.text).in_module(&self.engine.module(module).path);
            return match self.expansion(module, kind, &name.text, whole) {
                Expansion::Single => Place::Value(Evaluated::new(block_value(target, address), whole)),
                Expansion::Each(all) => Place::Instances(Instances {
                    target,
                    address,
                    all,
                    span: whole,
                }),
                Expansion::Faulty => Place::Value(Evaluated::faulty(whole)),
            };
        }
        if let Some(reference) = target.and_then(|target| built_in(target, &name.text)) {
            return Place::Value(Evaluated::new(Value::Reference(reference), whole));
        }
        let built_in = target.map(built_in_names).unwrap_or_default();
        let known = declarations.names(kind).chain(built_in.iter().copied());
        let prefix = format!("{kind}.");
        let help = match nearest(&name.text, known) {
            Some(near) => format!("write `{prefix}{near}`"),
            None => missing_block_help(kind, target, &name.text, declarations.names(kind)),
        };
        Place::Value(self.error(
            Code::UnknownName,
            name.span,
            format!("there is no {kind} `{}`", name.text),
            help,
        ))
    }

    /// The `name` attribute of a block, evaluated where the block stands.
    pub(super) fn name_of_block(&mut self, address: &Address, used: Span) -> Evaluated {
        let Some((block, scope)) = self.engine.locate(address) else {
            return Evaluated::faulty(used);
        };
        let Some(name) = block
            .body
            .attributes()
            .find(|attribute| attribute.name.text == "name")
        else {
            let diagnostic = Diagnostic::error(
                Code::UnknownAttribute,
                used,
                format!("`{address}` has no `name`"),
                "give the block a `name`",
            );
            self.diagnostics.push(diagnostic.also(block.header, "the block"));
            return Evaluated::faulty(used);
        };
        self.evaluate(&name.value, Environment::new(&scope))
    }
}

fn missing_block_help<'n>(
    kind: &str,
    target: Option<Target>,
    name: &str,
    declared: impl Iterator<Item = &'n str>,
) -> String {
    use Target as T;
    match target {
        Some(T::User | T::Group | T::App | T::ServicePrincipal | T::AgentIdentity | T::Terms) => {
            format!(
                "look it up by what people call it, `{kind}(\"…\")`, or declare `{kind} \"{name}\" {{ name = \"…\" }}`"
            )
        }
        Some(target @ (T::Role | T::Strength)) => {
            format!(
                "write {} by its name in the catalogue, or look it up: `{kind}(\"…\")`",
                with_article(target)
            )
        }
        _ => write_one_of(name, &format!("{kind}."), declared, || {
            format!("declare it: `{kind} \"{name}\" {{ … }}`")
        }),
    }
}
