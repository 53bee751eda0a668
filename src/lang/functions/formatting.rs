//! `format` and `formatlist`, with the verbs of Terraform.

use super::{Arguments, Function, Outcome, Refusal, functions, to_json};
use crate::lang::value::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = functions! { "strings":
    "format" (1, any) "format(template, values…)" "The template with its verbs (`%s`, `%d`, `%03d`, `%q`, `%v`, `%.2f`, `%x`) filled in." = |a| {
        let values: Vec<&Value> = a.values.iter().skip(1).map(|value| &value.value).collect();
        Ok(Value::text(formatted(&a.text(0)?, &values)?))
    };
    "formatlist" (1, any) "formatlist(template, lists…)" "`format` once for every element of the lists, which are equally long; what is no list is repeated." = formatlist;
};

fn formatlist(arguments: &Arguments<'_>) -> Outcome {
    let template = arguments.text(0)?;
    let mut length = None;
    for (index, argument) in arguments.values.iter().enumerate().skip(1) {
        if let Value::List(items) = &argument.value {
            if length.is_some_and(|length| length != items.len()) {
                return Err(Refusal::of(
                    index,
                    format!(
                        "`formatlist` was given lists of {} and {} elements",
                        length.unwrap_or_default(),
                        items.len()
                    ),
                    "give lists that are equally long",
                ));
            }
            length = Some(items.len());
        }
    }
    let mut lines = Vec::new();
    for row in 0..length.unwrap_or(1) {
        let values: Vec<&Value> = arguments
            .values
            .iter()
            .skip(1)
            .filter_map(|argument| match &argument.value {
                Value::List(items) => items.get(row).map(|item| &item.value),
                other => Some(other),
            })
            .collect();
        lines.push(formatted(&template, &values)?);
    }
    Ok(arguments.texts_here(lines))
}

/// One verb: `%[2]-05.2f`.
#[derive(Debug, Default)]
struct Verb {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Widths and precisions beyond this are refused, so that a template cannot fill memory.
const WIDEST: usize = 1_000;

fn formatted(template: &str, values: &[&Value]) -> Result<String, Refusal> {
    let refuse = |message: String| {
        Refusal::of(
            0,
            message,
            "write verbs such as `%s`, `%d`, `%03d`, `%.2f`, `%q`, `%v`, and `%%` for a percent sign",
        )
    };
    let mut out = String::new();
    let mut next = 0;
    let mut named_one = false;
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | ' ' | '0' | '#')) {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                ' ' => verb.space = true,
                '0' => verb.zero = true,
                _ => verb.alternate = true,
            }
        }
        let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut number = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                number.push(digit);
            }
            number.parse::<usize>().ok()
        };
        verb.width = digits(&mut chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(&mut chars).unwrap_or(0));
        }
        if chars.next_if_eq(&'[').is_some() {
            let position = digits(&mut chars).filter(|position| *position > 0);
            let closed = chars.next_if_eq(&']').is_some();
            match position {
                Some(position) if closed => next = position - 1,
                _ => {
                    return Err(refuse(
                        "a position in the template is not written as `%[1]s`".into(),
                    ));
                }
            }
            named_one = true;
        }
        if verb.width > WIDEST || verb.precision.is_some_and(|precision| precision > WIDEST) {
            return Err(refuse(format!(
                "a verb in the template asks for more than {WIDEST} characters"
            )));
        }
        let Some(letter) = chars.next() else {
            return Err(refuse("the template ends in the middle of a verb".into()));
        };
        let Some(value) = values.get(next) else {
            return Err(refuse(format!(
                "the template has more verbs than the {} values given",
                values.len()
            )));
        };
        next += 1;
        let text = rendered(letter, &verb, value).ok_or_else(|| {
            refuse(format!(
                "`%{letter}` in the template cannot show {}",
                value.kind()
            ))
        })?;
        out.push_str(&padded(&text, &verb, letter));
    }
    if next < values.len() && !named_one {
        let message = format!("the template uses {next} of the {} values given", values.len());
        return Err(Refusal::of(
            next + 1,
            message,
            "add a verb for it, or leave the value out",
        ));
    }
    Ok(out)
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) | Value::Percent(number) => Some(*number),
        Value::String { text, .. } => Number::parse(text),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`%d` drops the fraction, as in Terraform"
)]
fn whole(value: &Value) -> Option<i64> {
    number(value).map(|number| {
        number
            .as_integer()
            .unwrap_or_else(|| number.as_f64().trunc() as i64)
    })
}

fn rendered(letter: char, verb: &Verb, value: &Value) -> Option<String> {
    let signed = |text: String| match text.starts_with('-') {
        false if verb.plus => format!("+{text}"),
        false if verb.space => format!(" {text}"),
        _ => text,
    };
    Some(match letter {
        's' => clipped(text(value)?, verb),
        'v' => text(value)?,
        'q' => Value::text(text(value)?).to_string(),
        't' => match value {
            Value::Bool(value) => value.to_string(),
            _ => return None,
        },
        'd' => signed(whole(value)?.to_string()),
        'b' => format!("{:b}", whole(value)?),
        'o' => format!("{:o}", whole(value)?),
        'x' | 'X' => {
            let hex = match (value, whole(value)) {
                (Value::Number(_), Some(whole)) => format!("{whole:x}"),
                _ => super::encoding::hexadecimal(text(value)?.as_bytes()),
            };
            let hex = if verb.alternate { format!("0x{hex}") } else { hex };
            if letter == 'X' { hex.to_uppercase() } else { hex }
        }
        'f' => signed(format!(
            "{:.*}",
            verb.precision.unwrap_or(6),
            number(value)?.as_f64()
        )),
        'e' => signed(format!(
            "{:.*e}",
            verb.precision.unwrap_or(6),
            number(value)?.as_f64()
        )),
        'g' => signed(number(value)?.to_string()),
        _ => return None,
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".into()),
        Value::List(_) | Value::Object(_) => to_json(value).ok().map(|json| json.to_string()),
        other => other.interpolated(),
    }
}

fn clipped(text: String, verb: &Verb) -> String {
    match verb.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    }
}

fn padded(text: &str, verb: &Verb, letter: char) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    if verb.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if verb.zero && matches!(letter, 'd' | 'f' | 'e' | 'g' | 'x' | 'X' | 'b' | 'o') {
        let (sign, digits) = match text.chars().next() {
            Some(sign @ ('-' | '+' | ' ')) => (sign.to_string(), text.chars().skip(1).collect()),
            _ => (String::new(), text.to_owned()),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}
