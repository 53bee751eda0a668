//! Making a value fit the shape that its attribute takes.

use super::Shape;
use crate::lang::error::Code;
use crate::lang::nearest::{either, nearest};
use crate::lang::types::{Type, convert, with_article};
use crate::lang::value::{Evaluated, Number, Value};
use crate::model::Reference;
use crate::syntax::Span;

/// Why a value does not fit a shape.
pub(super) struct Misfit {
    pub(super) code: Code,
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: String,
}

/// The value in this shape.
pub(super) fn conform(value: &Evaluated, shape: Shape) -> Result<Evaluated, Misfit> {
    let as_type = |of: &Type| convert(value, of).map_err(|_| misfit(value, shape));
    match shape {
        Shape::Any | Shape::Expression => Ok(value.clone()),
        Shape::Text => as_type(&Type::String),
        Shape::Bool => as_type(&Type::Bool),
        Shape::Duration => match as_type(&Type::Duration)? {
            ok @ Evaluated {
                value: Value::Duration(duration),
                ..
            } if duration.amount > 0 => Ok(ok),
            _ => Err(misfit(value, shape)),
        },
        Shape::Count => {
            let number = as_type(&Type::Number)?;
            match number.value {
                Value::Number(Number::Integer(0..)) => Ok(number),
                _ => Err(misfit(value, shape)),
            }
        }
        Shape::Percent => {
            let percent = as_type(&Type::Percent)?;
            match percent.value {
                Value::Percent(number) if number >= Number::Integer(0) && number <= Number::Integer(100) => {
                    Ok(percent)
                }
                _ => Err(misfit(value, shape)),
            }
        }
        Shape::Moment => match value.as_text().filter(|text| is_moment(text)) {
            Some(_) => Ok(value.clone()),
            None => Err(misfit(value, shape)),
        },
        Shape::Word(words) => match value.as_text() {
            Some(text) if words.contains(&text) => Ok(value.clone()),
            _ => Err(misfit(value, shape)),
        },
        Shape::List(of) => match &value.value {
            Value::List(items) => {
                let items = items
                    .iter()
                    .filter(|item| !matches!(item.value, Value::Faulty))
                    .map(|item| conform(item, *of))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Evaluated {
                    value: Value::from(items),
                    ..value.clone()
                })
            }
            _ => Err(misfit(value, shape)),
        },
        Shape::Reference(targets) => match &value.value {
            Value::Reference(Reference::Keyword(_)) => Ok(value.clone()),
            Value::Reference(reference)
                if reference.target().is_some_and(|target| targets.contains(&target)) =>
            {
                Ok(value.clone())
            }
            Value::String { text, symbol: false }
                if crate::model::reference::is_guid(text) && targets.len() == 1 =>
            {
                let reference = targets.iter().map(|target| Reference::id(*target, text)).next();
                Ok(Evaluated {
                    value: reference.map_or(Value::Faulty, Value::Reference),
                    ..value.clone()
                })
            }
            _ => Err(misfit(value, shape)),
        },
        Shape::Block(kinds) => match &value.value {
            Value::Block(address) if kinds.contains(&address.kind.as_str()) => Ok(value.clone()),
            _ => Err(misfit(value, shape)),
        },
        Shape::Constructor(names, words) => match &value.value {
            Value::Call(call) if names.contains(&call.name.as_str()) => Ok(value.clone()),
            Value::String { text, .. } if words.contains(&text.as_str()) => Ok(value.clone()),
            _ => Err(misfit(value, shape)),
        },
        Shape::Either(shapes) => {
            if let (Value::List(_), Some(list)) = (
                &value.value,
                shapes.iter().find(|shape| matches!(shape, Shape::List(_))),
            ) {
                return conform(value, *list);
            }
            shapes
                .iter()
                .find_map(|shape| conform(value, *shape).ok())
                .ok_or_else(|| misfit(value, shape))
        }
    }
}

fn is_moment(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10
}

/// The words that a shape knows.
fn words(shape: Shape) -> Vec<&'static str> {
    match shape {
        Shape::Word(words) | Shape::Constructor(_, words) => words.to_vec(),
        Shape::Either(shapes) => shapes.iter().flat_map(|shape| words(*shape)).collect(),
        _ => Vec::new(),
    }
}

fn misfit(value: &Evaluated, shape: Shape) -> Misfit {
    let noun = noun(shape);
    if let Value::String { text, symbol: true } = &value.value {
        let words = words(shape);
        if !words.is_empty() {
            let help = match nearest(text, words.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("write {}", either(words.iter().copied(), 14)),
            };
            return Misfit {
                code: Code::UnknownSymbol,
                span: value.span,
                message: format!("does not know the word `{text}`"),
                help,
            };
        }
    }
    let found = match &value.value {
        Value::String { text, .. } if !value.sensitive => format!("`{text}`"),
        Value::Reference(_)
        | Value::Block(_)
        | Value::Call(_)
        | Value::Number(_)
        | Value::Percent(_)
        | Value::Duration(_)
            if !value.sensitive =>
        {
            format!("`{}`", value.value)
        }
        other => other.kind().to_owned(),
    };
    let help = match (&value.value, shape) {
        (Value::Object(_), Shape::Block(_) | Shape::Reference(_)) => {
            "choose one instance with its key: `[\"key\"]`".into()
        }
        (_, Shape::List(_)) if !matches!(value.value, Value::List(_)) => {
            format!(
                "put it in brackets: `[{}]`",
                if value.is_sensitive() {
                    "…".into()
                } else {
                    value.to_string()
                }
            )
        }
        _ => format!("write {noun}"),
    };
    Misfit {
        code: Code::WrongType,
        span: value.span,
        message: format!("takes {noun}, not {found}"),
        help,
    }
}

/// What a shape takes, as a message says it.
fn noun(shape: Shape) -> String {
    match shape {
        Shape::Any | Shape::Expression => "a value".into(),
        Shape::Text => "a string".into(),
        Shape::Bool => "`true` or `false`".into(),
        Shape::Count => "a whole number that is not negative".into(),
        Shape::Duration => "a duration such as `4h`".into(),
        Shape::Percent => "a percentage from `0%` to `100%`".into(),
        Shape::Moment => {
            "a date such as `\"2027-01-31\"` or a moment such as `\"2027-01-31T08:00:00Z\"`".into()
        }
        Shape::Word(words) => either(words.iter().copied(), 12),
        Shape::List(Shape::Text) => "a list of strings".into(),
        Shape::List(of) => format!("a list of {}", noun(*of)),
        Shape::Reference(targets) => {
            let kinds: Vec<String> = targets.iter().map(|target| with_article(*target)).collect();
            match kinds.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                None => "a reference".into(),
            }
        }
        Shape::Block(kinds) => either(
            kinds.iter().copied().map(|kind| match kind {
                "policy" => "policy.NAME",
                "tenant" => "tenant.NAME",
                other => other,
            }),
            12,
        ),
        Shape::Constructor(names, words) => {
            let calls: Vec<String> = names.iter().map(|name| format!("{name}(…)")).collect();
            either(words.iter().copied().chain(calls.iter().map(String::as_str)), 14)
        }
        Shape::Either([one, Shape::List(of)]) if one == *of => format!("{}, or a list of such", noun(*one)),
        Shape::Either(shapes) => {
            let nouns: Vec<String> = shapes.iter().map(|shape| noun(*shape)).collect();
            nouns.join(", or ")
        }
    }
}
