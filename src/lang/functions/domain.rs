//! Look-ups of directory objects, and the constructors that only Conditional Access needs.

use super::{Arguments, Function, Outcome, Refusal, constructed};
use crate::lang::value::Value;
use crate::model::catalogue::roles;
use crate::model::reference::is_guid;
use crate::model::{Reference, Target};

macro_rules! look_up {
    ($name:literal $signature:literal $doc:literal = $target:ident) => {
        Function {
            name: $name,
            family: "look-ups",
            signature: $signature,
            doc: $doc,
            least: 1,
            most: Some(1),
            named: &[],
            evaluate: |arguments| look_up(arguments, Target::$target),
        }
    };
}

macro_rules! constructor {
    ($name:literal $least:literal $most:expr, [$($named:literal),*] $signature:literal $doc:literal) => {
        Function {
            name: $name,
            family: "conditions",
            signature: $signature,
            doc: $doc,
            least: $least,
            most: $most,
            named: &[$($named),*],
            evaluate: constructed,
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    look_up!("agent_identity" "agent_identity(name)" "The agent identity of this display name or object id." = AgentIdentity),
    look_up!("app" "app(name)" "The application of this display name or application id." = App),
    look_up!("group" "group(name)" "The group of this display name or object id." = Group),
    look_up!("location" "location(name)" "The named location of this display name or id." = Location),
    look_up!("role" "role(name)" "The directory role of this display name or template id." = Role),
    look_up!("service_principal" "service_principal(name)" "The service principal of this display name or object id." = ServicePrincipal),
    look_up!("strength" "strength(name)" "The authentication strength of this display name or id." = Strength),
    look_up!("terms" "terms(name)" "The terms of use of this display name or id." = Terms),
    look_up!("user" "user(name)" "The user of this user principal name, mail address or object id." = User),
    constructor!("all_of" 1 None, [] "all_of(controls…)" "A grant that needs every one of the controls."),
    constructor!("any_of" 1 None, [] "any_of(controls…)" "A grant that needs one of the controls."),
    constructor!("custom" 1 Some(1), [] "custom(name)" "A custom control of this name."),
    constructor!("filter" 1 Some(1), [] "filter(rule)" "What a filter rule selects."),
    constructor!("guests" 1 Some(1), ["tenants"] "guests(kinds, tenants = [...])" "Guests and external users of these kinds, from these tenants."),
    constructor!("include" 1 Some(1), [] "include(reason)" "Emergency access is included in this policy, for this reason."),
    constructor!("none" 1 Some(1), [] "none(reason)" "There is no emergency access, for this reason."),
    constructor!("raw" 1 Some(1), [] "raw(member)" "A member of an enumeration that capol does not know yet, in the service's spelling."),
];

fn look_up(arguments: &Arguments<'_>, target: Target) -> Outcome {
    let word = target.word();
    match arguments.value(0) {
        Value::String { text, symbol: false } if text.trim().is_empty() => Err(Refusal::of(
            0,
            format!("`{word}` was given an empty name"),
            format!("write what people call it: `{word}(\"…\")`"),
        )),
        Value::String { text, symbol: false } => Ok(Value::Reference(reference(target, text))),
        Value::Reference(reference) if reference.target() == Some(target) => {
            Ok(Value::Reference(reference.clone()))
        }
        Value::String { text, .. } => Err(Refusal::of(
            0,
            format!("`{word}` takes a name in quotes, not the word `{text}`"),
            format!("write `{word}({text:?})`"),
        )),
        _ => Err(arguments.wrong(0, "a name or id in quotes")),
    }
}

/// The reference of a text: a GUID is the id itself and is not looked up, nor are directory roles,
/// which are the same in every tenant; anything else is a name.
pub(crate) fn reference(target: Target, text: &str) -> Reference {
    let text = text.trim();
    if target == Target::Role
        && let Some(role) = roles::by_display_name(text)
    {
        return Reference::id(target, role.template_id);
    }
    if is_guid(text) || (target == Target::Context && is_context_id(text)) {
        Reference::id(target, text)
    } else {
        Reference::lookup(target, text)
    }
}

/// Whether the text is `c1` to `c99`.
pub(crate) fn is_context_id(text: &str) -> bool {
    text.strip_prefix('c')
        .filter(|digits| !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u8>().ok())
        .is_some_and(|number| (1..=99).contains(&number))
}
