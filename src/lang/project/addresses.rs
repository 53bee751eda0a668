//! Addresses written in `import`, `moved` and `removed`, which may name what no longer exists.

use super::is_addressable;
use crate::lang::error::Code;
use crate::lang::evaluate::Evaluator;
use crate::lang::nearest::write_one_of;
use crate::lang::scope::Environment;
use crate::model::Address;
use crate::model::address::ModuleStep;
use crate::syntax::{Expression, ExpressionKind, Span};

/// One step of a path: a name, and the key after it.
struct Named {
    name: String,
    span: Span,
    key: Option<String>,
}

impl Evaluator<'_> {
    /// The address that an expression writes, inside the module it stands in; nothing after a report.
    ///
    /// A whole module comes out with the kind `module`.
    pub(super) fn address(
        &mut self,
        expression: &Expression,
        environment: Environment<'_>,
    ) -> Option<Address> {
        let mut steps = Vec::new();
        if !self.steps(expression, environment, &mut steps) {
            return None;
        }
        let mut module = self.engine.module(environment.scope.module).path.clone();
        let mut rest = steps.into_iter().peekable();
        while let Some(kind) = rest.next() {
            let Some(name) = rest.next().filter(|_| kind.key.is_none()) else {
                break;
            };
            let last = rest.peek().is_none();
            if kind.name == "module" && !last {
                module.push(ModuleStep {
                    name: name.name,
                    key: name.key,
                });
                continue;
            }
            if last && (kind.name == "module" || is_addressable(&kind.name)) {
                return Some(Address {
                    module,
                    kind: kind.name,
                    name: name.name,
                    key: name.key,
                });
            }
            if last {
                let kinds = ["policy", "location", "strength", "context", "group", "module"];
                let help = write_one_of(&kind.name, "", kinds, String::new);
                self.error(
                    Code::UnknownName,
                    kind.span,
                    format!("`{}` is no kind of block that is managed", kind.name),
                    help,
                );
                return None;
            }
            break;
        }
        self.not_an_address(expression.span);
        None
    }

    fn not_an_address(&mut self, span: Span) {
        let help = "write `policy.NAME`, `location.NAME[\"key\"]` or `module.NAME.policy.NAME`";
        self.error(
            Code::InvalidValue,
            span,
            "this is not the address of a block",
            help,
        );
    }

    /// The steps of a path, first step first; false after a report.
    fn steps(&mut self, expression: &Expression, environment: Environment<'_>, out: &mut Vec<Named>) -> bool {
        match &expression.kind {
            ExpressionKind::Name(name) => out.push(Named {
                name: name.clone(),
                span: expression.span,
                key: None,
            }),
            ExpressionKind::Attribute(base, name) => {
                if !self.steps(base, environment, out) {
                    return false;
                }
                out.push(Named {
                    name: name.text.clone(),
                    span: name.span,
                    key: None,
                });
            }
            ExpressionKind::Index(base, index) => {
                if !self.steps(base, environment, out) {
                    return false;
                }
                let Some(key) = self.key(index, environment) else {
                    return false;
                };
                match out.last_mut() {
                    Some(last) if last.key.is_none() => last.key = Some(key),
                    _ => {
                        self.not_an_address(expression.span);
                        return false;
                    }
                }
            }
            ExpressionKind::Error => return false,
            _ => {
                self.not_an_address(expression.span);
                return false;
            }
        }
        true
    }
}
