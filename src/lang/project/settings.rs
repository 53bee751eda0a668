//! The blocks that say how capol shall work, as the model holds them.

use serde_json::Value as Json;

use super::Project;
use super::version::satisfies;
use crate::lang::blocks::Checked;
use crate::lang::declarations::attribute;
use crate::lang::engine::Expansion;
use crate::lang::error::{Code, Diagnostic, origin};
use crate::lang::evaluate::Evaluator;
use crate::lang::scope::{Environment, ModuleId, Scope};
use crate::lang::value::{Number, Value};
use crate::model::configuration::{EmergencyAccess, IdOf, Import, Move, Removal, Settings, TenantSettings};
use crate::model::reference::is_guid;
use crate::model::{Address, Origin, Reference};
use crate::syntax::{Attribute, Block, Span};

impl Project {
    pub(super) fn read_settings(&mut self) {
        let root = self.engine.module(ModuleId::ROOT).declarations.clone();
        for (kind, name, named) in root.all_named() {
            if kind == "tenant" {
                let checked = self.checked(&named.block, &Scope::of(ModuleId::ROOT));
                self.tenants
                    .insert(name.to_owned(), tenant(&checked, named.block.header));
            }
        }
        // First, because `emergency_access` is held against it.
        if let Some(block) = root.unnamed.iter().find(|block| block.kind.text == "capol") {
            self.capol(block, &Scope::of(ModuleId::ROOT));
        }
        for index in 0..self.engine.module_count() {
            let module = ModuleId(index);
            let declarations = self.engine.module(module).declarations.clone();
            for block in &declarations.unnamed {
                let scope = Scope::of(module);
                match block.kind.text.as_str() {
                    "emergency_access" => self.emergency_accounts(block, &scope),
                    "import" => self.import(block, module),
                    "moved" => self.moved(block, &scope),
                    "removed" => self.removed(block, &scope),
                    _ => {}
                }
            }
        }
    }

    fn evaluator(&mut self) -> Evaluator<'_> {
        Evaluator::new(&self.engine, &mut self.diagnostics)
    }

    fn checked(&mut self, block: &Block, scope: &Scope) -> Checked {
        self.evaluator().check_block(block, scope)
    }

    fn capol(&mut self, block: &Block, scope: &Scope) {
        let checked = self.checked(block, scope);
        let reason = checked
            .get("emergency_access")
            .and_then(|value| match &value.value {
                Value::Call(call) => call
                    .positional
                    .first()
                    .and_then(|reason| reason.as_text())
                    .map(str::to_owned),
                _ => None,
            });
        let lag = checked
            .get("visibility_lag")
            .and_then(|value| match &value.value {
                Value::Duration(duration) => u64::try_from(duration.seconds()).ok(),
                _ => None,
            });
        if let Some(required) = checked.get("required_version") {
            self.require_version(required.as_text().unwrap_or_default(), required.span);
        }
        self.settings = Settings {
            required_version: checked.text("required_version"),
            no_emergency_access: reason,
            visibility_lag_seconds: lag,
        };
    }

    fn require_version(&mut self, required: &str, span: Span) {
        let present = env!("CARGO_PKG_VERSION");
        let diagnostic = match satisfies(present, required) {
            Some(true) => return,
            Some(false) => Diagnostic::error(
                Code::Version,
                span,
                format!("the project asks for capol {required}, and this is {present}"),
                "install a version of capol that fits, or change `required_version`",
            ),
            None => Diagnostic::error(
                Code::InvalidValue,
                span,
                format!("`{required}` is not a range of versions"),
                "write `\">= 0.1\"` or `\"~> 0.1.0\"`; commas join several",
            ),
        };
        self.diagnostics.push(diagnostic);
    }

    fn emergency_accounts(&mut self, block: &Block, scope: &Scope) {
        let checked = self.checked(block, scope);
        let mut reference_origins = Vec::new();
        let mut listed = |name: &str| -> Vec<Reference> {
            let Some(Value::List(items)) = checked.attributes.get(name).map(|value| &value.value) else {
                return Vec::new();
            };
            let references = items.iter().filter_map(|item| match &item.value {
                Value::Reference(reference) => Some((reference.clone(), origin(item.span))),
                _ => None,
            });
            let found: Vec<(Reference, Origin)> = references.collect();
            reference_origins.extend(found.iter().cloned());
            found.into_iter().map(|(reference, _)| reference).collect()
        };
        let (users, groups) = (listed("users"), listed("groups"));
        if let Some(reason) = &self.settings.no_emergency_access {
            let message = format!(
                "the project has emergency accounts, and `capol` says that there are none: `{reason}`"
            );
            let help = "take `emergency_access = none(…)` away from the `capol` block";
            self.diagnostics
                .error(Code::Exclusive, block.header, message, help);
        }
        self.emergency_access = Some(EmergencyAccess {
            users,
            groups,
            origin: origin(block.header),
            reference_origins,
        });
    }

    fn import(&mut self, block: &Block, module: ModuleId) {
        let expansion = match attribute(block, "for_each") {
            Some(for_each) => self.evaluator().elements(for_each, &Scope::of(module)),
            None => Expansion::Single,
        };
        let scopes = match expansion {
            Expansion::Single => vec![Scope::of(module)],
            Expansion::Each(all) => all
                .iter()
                .map(|each| Scope {
                    module,
                    each: Some(each.clone()),
                })
                .collect(),
            Expansion::Faulty => Vec::new(),
        };
        for scope in scopes {
            let checked = self.checked(block, &scope);
            let to = self
                .address_of(attribute(block, "to"), &scope)
                .and_then(|to| self.a_block(to, block));
            if let (Some(to), Some(id)) = (to, self.id_of(&checked)) {
                self.imports.push(Import {
                    to,
                    id,
                    origin: origin(block.header),
                });
            }
        }
    }

    /// The id that an `import` block names: a GUID, or `c1` to `c99` for an authentication context.
    fn id_of(&mut self, checked: &Checked) -> Option<String> {
        let value = checked.get("id")?;
        let id = value.as_text()?;
        let is_context = id
            .strip_prefix('c')
            .is_some_and(|digits| digits.parse::<u8>().is_ok());
        if is_guid(id) || is_context {
            return Some(id.to_owned());
        }
        let help = "write the object's id, a GUID, as the portal and `capol import --all` show it";
        self.diagnostics.error(
            Code::InvalidValue,
            value.span,
            format!("`{id}` is not an id"),
            help,
        );
        None
    }

    fn moved(&mut self, block: &Block, scope: &Scope) {
        self.checked(block, scope);
        let from = self.address_of(attribute(block, "from"), scope);
        let to = self.address_of(attribute(block, "to"), scope);
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        let origin = origin(block.header);
        if from.kind != to.kind {
            let message = format!("`{from}` cannot become `{to}`, which is another kind of thing");
            let help = format!("name a `{}` in both", from.kind);
            let at = attribute(block, "to").map_or(block.header, |to| to.value.span);
            self.diagnostics.error(Code::InvalidValue, at, message, help);
        } else if from == to {
            let message = format!("`{from}` moves to where it is");
            self.diagnostics
                .error(Code::InvalidValue, block.header, message, "take the block away");
        } else if from.kind == "module" {
            let inner: Vec<Move> = self
                .instances
                .iter()
                .filter_map(|instance| {
                    let old = within(&instance.address, &to, &from)?;
                    Some(Move {
                        from: old,
                        to: instance.address.clone(),
                        origin,
                    })
                })
                .collect();
            self.moves.extend(inner);
        } else {
            self.moves.push(Move { from, to, origin });
        }
    }

    fn removed(&mut self, block: &Block, scope: &Scope) {
        self.checked(block, scope);
        let from = self
            .address_of(attribute(block, "from"), scope)
            .and_then(|from| self.a_block(from, block));
        let Some(from) = from else {
            return;
        };
        if self
            .instances
            .iter()
            .any(|instance| from.covers(&instance.address))
        {
            let message = format!("`{from}` is removed, and declared all the same");
            let help = "take its block away, or take this `removed` block away";
            self.diagnostics
                .error(Code::Exclusive, block.header, message, help);
        }
        self.removals.push(Removal {
            from,
            origin: origin(block.header),
        });
    }

    fn address_of(&mut self, written: Option<&Attribute>, scope: &Scope) -> Option<Address> {
        self.evaluator().address(&written?.value, Environment::new(scope))
    }

    fn a_block(&mut self, address: Address, block: &Block) -> Option<Address> {
        if address.kind == "module" {
            let message = format!(
                "`{}` takes a block, not the whole of `{address}`",
                block.kind.text
            );
            let help = format!("name the blocks inside one by one: `{address}.policy.NAME`");
            self.diagnostics
                .error(Code::InvalidValue, block.header, message, help);
            return None;
        }
        Some(address)
    }
}

/// The address with the module `from` in the place of the module `to`, if it lies inside `to`.
fn within(address: &Address, to: &Address, from: &Address) -> Option<Address> {
    let depth = to.module.len();
    let step = address.module.get(depth)?;
    let inside = address.module.starts_with(&to.module)
        && step.name == to.name
        && (to.key.is_none() || step.key == to.key);
    let mut module = from.module.clone();
    module.push(crate::model::address::ModuleStep {
        name: from.name.clone(),
        key: if to.key.is_none() && from.key.is_none() {
            step.key.clone()
        } else {
            from.key.clone()
        },
    });
    module.extend(address.module.iter().skip(depth + 1).cloned());
    inside.then(|| Address {
        module,
        ..address.clone()
    })
}

fn tenant(checked: &Checked, header: Span) -> TenantSettings {
    TenantSettings {
        id: checked.text("id"),
        cloud: checked.text("cloud"),
        sign_in: checked.text("sign_in"),
        client_id: checked.text("client_id"),
        origin: Some(origin(header)),
    }
}

/// The value as JSON; what is not known before the apply is `null`.
pub(super) fn json_of(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(Number::Integer(integer)) => Json::from(*integer),
        Value::Number(Number::Decimal(decimal)) => Json::from(*decimal),
        Value::List(items) => Json::Array(items.iter().map(|item| json_of(&item.value)).collect()),
        Value::Object(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), json_of(&value.value)))
                .collect(),
        ),
        Value::Null | Value::Faulty | Value::Block(_) | Value::Call(_) => Json::Null,
        other => other.interpolated().map_or(Json::Null, Json::String),
    }
}

/// The places in the JSON of a value where an id goes that only the tenant knows, and whose it is.
pub(super) fn ids_in(value: &Value) -> Vec<(String, IdOf)> {
    let mut found = Vec::new();
    collect_ids(value, &mut String::new(), &mut found);
    found
}

fn collect_ids(value: &Value, pointer: &mut String, found: &mut Vec<(String, IdOf)>) {
    let length = pointer.len();
    match value {
        Value::Block(address) | Value::Reference(Reference::Managed { address, .. }) => {
            found.push((pointer.clone(), IdOf::Block((**address).clone())));
        }
        Value::Reference(Reference::Lookup(lookup)) => {
            found.push((pointer.clone(), IdOf::Lookup(lookup.clone())));
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&at.to_string());
                collect_ids(&item.value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries.iter() {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                collect_ids(&entry.value, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
