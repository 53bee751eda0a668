//! Type expressions: `list(object({ name = string, soak = optional(duration, 3d) }))`.

use indexmap::IndexMap;

use super::{CONSTRUCTORS, Field, REFERENCES, SIMPLE, Type, convert};
use crate::lang::error::{Code, Diagnostics};
use crate::lang::nearest::write_one_of;
use crate::lang::value::Evaluated;
use crate::syntax::{Call, EntryKey, Expression, ExpressionKind};

/// Reads a type; what is no type becomes `any` after the reason is reported.
///
/// `evaluate` gives the values of defaults inside `optional(T, default)`.
pub fn parse(
    expression: &Expression,
    evaluate: &mut dyn FnMut(&Expression, &mut Diagnostics) -> Evaluated,
    diagnostics: &mut Diagnostics,
) -> Type {
    match &expression.unparenthesised().kind {
        ExpressionKind::Name(word) => Type::simple(word).unwrap_or_else(|| {
            if CONSTRUCTORS.contains(&word.as_str()) {
                if matches!(word.as_str(), "list" | "set" | "map") {
                    return constructed(word, Type::Any);
                }
                diagnostics.error(
                    Code::UnknownType,
                    expression.span,
                    format!("`{word}` needs to say of what"),
                    example(word),
                );
                return Type::Any;
            }
            unknown(word, expression, diagnostics);
            Type::Any
        }),
        ExpressionKind::Call(call) => of_call(call, expression, evaluate, diagnostics),
        ExpressionKind::String(template)
            if template.plain().is_some_and(|text| Type::simple(text).is_some()) =>
        {
            let text = template.plain().unwrap_or_default();
            diagnostics.error(
                Code::UnknownType,
                expression.span,
                format!("the type `{text}` stands in quotes"),
                format!("write `{text}` without quotes"),
            );
            Type::Any
        }
        ExpressionKind::Error => Type::Any,
        _ => {
            diagnostics.error(
                Code::UnknownType,
                expression.span,
                "this is not a type",
                "write a type such as `string`, `list(group)` or `object({ name = string })`",
            );
            Type::Any
        }
    }
}

fn constructed(word: &str, of: Type) -> Type {
    let of = Box::new(of);
    match word {
        "list" => Type::List(of),
        "set" => Type::Set(of),
        _ => Type::Map(of),
    }
}

fn example(word: &str) -> &'static str {
    match word {
        "list" => "write `list(string)`",
        "set" => "write `set(string)`",
        "map" => "write `map(string)`",
        "tuple" => "write `tuple([string, number])`",
        "object" => "write `object({ name = string, owner = optional(string) })`",
        _ => "write `one_of(enabled, report_only)`",
    }
}

fn unknown(word: &str, expression: &Expression, diagnostics: &mut Diagnostics) {
    let known = SIMPLE.into_iter().chain(CONSTRUCTORS).chain(REFERENCES);
    diagnostics.error(
        Code::UnknownType,
        expression.span,
        format!("`{word}` is not a type"),
        write_one_of(word, "", known, String::new),
    );
}

fn of_call(
    call: &Call,
    expression: &Expression,
    evaluate: &mut dyn FnMut(&Expression, &mut Diagnostics) -> Evaluated,
    diagnostics: &mut Diagnostics,
) -> Type {
    let word = call.name.text.as_str();
    let arguments: Vec<&Expression> = call.arguments.iter().map(|argument| &argument.value).collect();
    match (word, arguments.as_slice()) {
        ("list" | "set" | "map", [of]) => constructed(word, parse(of, evaluate, diagnostics)),
        ("tuple", [of]) => {
            if let ExpressionKind::List(items) = &of.kind {
                return Type::Tuple(
                    items
                        .iter()
                        .map(|item| parse(item, evaluate, diagnostics))
                        .collect(),
                );
            }
            diagnostics.error(
                Code::UnknownType,
                of.span,
                "`tuple` takes a list of types",
                example(word),
            );
            Type::Any
        }
        ("object", [of]) => object(of, evaluate, diagnostics),
        ("one_of", [_, ..]) => Type::OneOf(
            arguments
                .iter()
                .filter_map(|argument| {
                    let text = argument.bare_word().or_else(|| argument.plain_string());
                    if text.is_none() {
                        diagnostics.error(
                            Code::UnknownType,
                            argument.span,
                            "`one_of` takes words",
                            example(word),
                        );
                    }
                    text.map(str::to_owned)
                })
                .collect(),
        ),
        ("optional", _) => {
            diagnostics.error(
                Code::Misplaced,
                expression.span,
                "`optional` stands only inside `object({ … })`",
                "take `optional` away, and write a `default` or `nullable = true` beside the type",
            );
            Type::Any
        }
        (_, _) if CONSTRUCTORS.contains(&word) => {
            diagnostics.error(
                Code::UnknownType,
                expression.span,
                format!("`{word}` needs to say of what"),
                example(word),
            );
            Type::Any
        }
        _ => {
            unknown(word, expression, diagnostics);
            Type::Any
        }
    }
}

fn object(
    of: &Expression,
    evaluate: &mut dyn FnMut(&Expression, &mut Diagnostics) -> Evaluated,
    diagnostics: &mut Diagnostics,
) -> Type {
    let ExpressionKind::Object(entries) = &of.kind else {
        diagnostics.error(
            Code::UnknownType,
            of.span,
            "`object` takes names with types",
            example("object"),
        );
        return Type::Any;
    };
    let mut fields = IndexMap::new();
    for entry in entries.iter() {
        let name = match &entry.key {
            EntryKey::Name(name) => name.text.clone(),
            EntryKey::Expression(key) => key.plain_string().unwrap_or_default().to_owned(),
        };
        let field = field(&entry.value, evaluate, diagnostics);
        if fields.insert(name.clone(), field).is_some() {
            diagnostics.error(
                Code::KeyTwice,
                entry.key.span(),
                format!("the type has two attributes `{name}`"),
                "rename one of them, or take it away",
            );
        }
    }
    Type::Object(fields)
}

fn field(
    value: &Expression,
    evaluate: &mut dyn FnMut(&Expression, &mut Diagnostics) -> Evaluated,
    diagnostics: &mut Diagnostics,
) -> Field {
    let ExpressionKind::Call(call) = &value.kind else {
        return Field {
            of: parse(value, evaluate, diagnostics),
            optional: false,
            default: None,
        };
    };
    let arguments: Vec<&Expression> = call.arguments.iter().map(|argument| &argument.value).collect();
    match (call.name.text.as_str(), arguments.as_slice()) {
        ("optional", [of]) => Field {
            of: parse(of, evaluate, diagnostics),
            optional: true,
            default: None,
        },
        ("optional", [of, default]) => {
            let of = parse(of, evaluate, diagnostics);
            let default = evaluate(default, diagnostics);
            let default = match convert(&default, &of) {
                Ok(converted) => converted,
                Err(errors) => {
                    for error in errors {
                        diagnostics.error(Code::WrongType, error.span, error.message, error.help);
                    }
                    Evaluated::faulty(default.span)
                }
            };
            Field {
                of,
                optional: true,
                default: Some(default),
            }
        }
        ("optional", _) => {
            diagnostics.error(
                Code::UnknownType,
                value.span,
                "`optional` takes a type and perhaps a default",
                "write `optional(string)` or `optional(string, \"none\")`",
            );
            Field {
                of: Type::Any,
                optional: true,
                default: None,
            }
        }
        _ => Field {
            of: parse(value, evaluate, diagnostics),
            optional: false,
            default: None,
        },
    }
}
