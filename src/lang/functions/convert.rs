//! From one kind of value to another, and what to do when something cannot be evaluated.

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::types::{Type, convert};
use crate::lang::value::Value;

pub(super) const FUNCTIONS: &[Function] = functions! { "conversion":
    "can" (1) "can(expression)" "Whether the expression can be evaluated." = lazy;
    "issensitive" (1) "issensitive(value)" "Whether the value came out of something sensitive." = |a| Ok(Value::Bool(a.values.iter().any(crate::lang::value::Evaluated::is_sensitive)));
    "nonsensitive" (1) "nonsensitive(value)" "The value, which may be shown from here on." = |a| Ok(a.value(0).clone());
    "sensitive" (1) "sensitive(value)" "The value, which will not be shown." = |a| Ok(a.value(0).clone());
    "tobool" (1) "tobool(value)" "The value as a bool." = |a| to(a, &Type::Bool);
    "tolist" (1) "tolist(value)" "The value as a list." = |a| to(a, &Type::List(Box::new(Type::Any)));
    "tomap" (1) "tomap(value)" "The value as a map." = |a| to(a, &Type::Map(Box::new(Type::Any)));
    "tonumber" (1) "tonumber(value)" "The value as a number." = |a| to(a, &Type::Number);
    "toset" (1) "toset(value)" "The elements of the list without repetitions, sorted if they are strings." = |a| to(a, &Type::Set(Box::new(Type::Any)));
    "tostring" (1) "tostring(value)" "The value as a string." = |a| to(a, &Type::String);
    "try" (1, any) "try(expressions…)" "The first of the expressions that can be evaluated." = lazy;
};

/// `try` and `can` see expressions, not values: the evaluator answers them before it gets here.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table")]
fn lazy(arguments: &Arguments<'_>) -> Outcome {
    Ok(arguments.value(0).clone())
}

fn to(arguments: &Arguments<'_>, wanted: &Type) -> Outcome {
    let Some(argument) = arguments.values.first() else {
        return Ok(Value::Null);
    };
    convert(argument, wanted)
        .map(|converted| converted.value)
        .map_err(|errors| match errors.into_iter().next() {
            Some(error) => Refusal::of(0, error.message, error.help),
            None => arguments.wrong(0, "another value"),
        })
}
