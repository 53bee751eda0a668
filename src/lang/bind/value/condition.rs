//! What stands in a list of references without being one: kinds of guests, and rules that filter.

use indexmap::IndexSet;

use super::{Binder, Outcome, advice, elements, leaf};
use crate::lang::value::{Constructed, Evaluated, Value};
use crate::model::filter_rule::{FilterRule, Scope};
use crate::model::properties;
use crate::model::reference::is_guid;
use crate::model::value::{ExternalTenants, Filter, FilterMode, Guests};

/// `guests([…], tenants = […])`.
pub(super) fn guests(
    dsl: &str,
    call: &Constructed,
    value: &Evaluated,
    outcome: &mut Outcome,
) -> Option<Guests> {
    let mut binder = Binder { dsl, outcome };
    let kinds: IndexSet<String> = call
        .positional
        .iter()
        .flat_map(elements)
        .filter_map(|each| binder.symbol(properties::guest_kinds(), each))
        .collect();
    let tenants = match call.named.get("tenants") {
        None => ExternalTenants::All,
        Some(list) if matches!(list.value, Value::Null) => ExternalTenants::All,
        Some(list) => {
            let mut members = IndexSet::new();
            for each in elements(list) {
                match each.as_text() {
                    Some(id) if is_guid(id) => {
                        members.insert(id.to_ascii_lowercase());
                    }
                    _ => binder.wrong(
                        "tenant ids in quotes",
                        "write the tenant's id, a GUID, in quotes",
                        each,
                    ),
                }
            }
            ExternalTenants::Enumerated(members)
        }
    };
    if kinds.is_empty() {
        binder.wrong(
            "kinds of guests",
            "write `guests([b2b_collaboration_guest])`",
            value,
        );
        return None;
    }
    Some(Guests { kinds, tenants })
}

/// `filter("…")`, in the mode that the attribute says.
pub(super) fn filter(
    dsl: &str,
    call: &Constructed,
    value: &Evaluated,
    outcome: &mut Outcome,
) -> Option<Filter> {
    let mut binder = Binder { dsl, outcome };
    let text = binder.argument(call, value)?;
    let rule = text.as_text()?;
    let scope = if dsl.starts_with("devices") {
        Scope::Devices
    } else {
        Scope::ServicePrincipals
    };
    match FilterRule::parse(rule) {
        Err(error) => {
            binder.unfit(error.to_string(), advice(&error), text.span);
            return None;
        }
        Ok(parsed) => {
            for error in parsed.refusals(rule, scope) {
                binder.doubtful(error.to_string(), advice(&error), text.span);
            }
        }
    }
    let mode = if leaf(dsl) == "exclude" {
        FilterMode::Exclude
    } else {
        FilterMode::Include
    };
    Some(Filter {
        mode,
        rule: rule.to_owned(),
    })
}
