//! What stands in a list of references without being one: kinds of guests, and rules that filter.

use indexmap::IndexSet;

use super::{Binder, Outcome, advice, elements, leaf};
use crate::lang::value::{Constructed, Evaluated, Value};
use crate::model::filter_rule::{FilterRule, Place, Scope};
use crate::model::properties;
use crate::model::reference::is_guid;
use crate::model::set::Set;
use crate::model::value::{ExternalTenants, Filter, FilterMode, Guests};
use crate::syntax::Span;

/// `guests([…], tenants = […])`.
pub(super) fn guests(
    dsl: &str,
    call: &Constructed,
    value: &Evaluated,
    outcome: &mut Outcome,
) -> Option<Guests> {
    let mut binder = Binder { dsl, outcome };
    let kinds: Set<String> = call
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
                    Some(text) => binder.unfit(
                        format!("`{text}` is not the id of a tenant"),
                        "write the tenant's id, a GUID, in quotes",
                        each.span,
                    ),
                    None => binder.wrong(
                        "tenant ids in quotes",
                        "write the tenant's id, a GUID, in quotes",
                        each,
                    ),
                }
            }
            ExternalTenants::Enumerated(members.into())
        }
    };
    let given = call.positional.iter().flat_map(elements).count();
    if given == 0 {
        binder.unfit(
            "`guests` names no kind of guest",
            "write `guests([b2b_collaboration_guest])`",
            value.span,
        );
    }
    if kinds.is_empty() {
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
    // A place in the rule is one in the text where the text is written without escapes.
    let is_plain = text.span.range().len() == rule.len() + 2;
    let place = |place: Option<Place>| match place {
        Some(place) if is_plain => {
            let start = text.span.range().start + 1;
            Span::new(text.span.file, start + place.start, start + place.end)
        }
        _ => text.span,
    };
    let parsed = match FilterRule::parse(rule) {
        Ok(parsed) => parsed,
        Err(error) => {
            binder.unfit(error.to_string(), advice(&error), place(error.place()));
            return None;
        }
    };
    for error in parsed.refusals(rule, scope) {
        binder.unfit(error.to_string(), advice(&error), place(error.place()));
    }
    for warning in parsed.warnings(rule) {
        binder.doubtful(
            warning.to_string(),
            advice(&warning),
            place(Some(warning.place())),
        );
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
