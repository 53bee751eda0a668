//! Strings and regular expressions.

use indexmap::IndexMap;
use regex::{Captures, Regex};

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::value::Value;

pub(super) const FUNCTIONS: &[Function] = functions! { "strings":
    "chomp" (1) "chomp(string)" "The string without line ends at its end." = |a| text(a, |s| s.trim_end_matches(['\n', '\r']).to_owned());
    "endswith" (2) "endswith(string, suffix)" "Whether the string ends with the suffix." = |a| Ok(Value::Bool(a.text(0)?.ends_with(&*a.text(1)?)));
    "indent" (2) "indent(spaces, string)" "The string with every line but the first indented." = indent;
    "join" (2, any) "join(separator, list, …)" "The elements of the lists as one string, with the separator between." = join;
    "lower" (1) "lower(string)" "The string in lower case." = |a| text(a, str::to_lowercase);
    "regex" (2) "regex(pattern, string)" "The first match: the text, a list of its groups, or an object of its named groups." = first_match;
    "regexall" (2) "regexall(pattern, string)" "Every match, each as `regex` gives it." = all_matches;
    "replace" (3) "replace(string, search, replacement)" "The string with every occurrence replaced; `/…/` searches by regular expression, with `$1` for a group." = replace;
    "split" (2) "split(separator, string)" "The parts of the string between the separators." = split;
    "startswith" (2) "startswith(string, prefix)" "Whether the string starts with the prefix." = |a| Ok(Value::Bool(a.text(0)?.starts_with(&*a.text(1)?)));
    "strcontains" (2) "strcontains(string, part)" "Whether the string contains the part." = |a| Ok(Value::Bool(a.text(0)?.contains(&*a.text(1)?)));
    "strrev" (1) "strrev(string)" "The string with its characters in reverse order." = |a| text(a, |s| s.chars().rev().collect());
    "substr" (3) "substr(string, offset, length)" "A part of the string, counted in characters; a negative offset counts from the end, length -1 is the rest." = substr;
    "title" (1) "title(string)" "The string with the first letter of every word in upper case." = |a| text(a, title);
    "trim" (2) "trim(string, characters)" "The string without these characters at its ends." = |a| { let set: Vec<char> = a.text(1)?.chars().collect(); text(a, |s| s.trim_matches(&*set).to_owned()) };
    "trimprefix" (2) "trimprefix(string, prefix)" "The string without the prefix." = |a| { let prefix = a.text(1)?; text(a, |s| s.strip_prefix(&*prefix).unwrap_or(s).to_owned()) };
    "trimspace" (1) "trimspace(string)" "The string without white space at its ends." = |a| text(a, |s| s.trim().to_owned());
    "trimsuffix" (2) "trimsuffix(string, suffix)" "The string without the suffix." = |a| { let suffix = a.text(1)?; text(a, |s| s.strip_suffix(&*suffix).unwrap_or(s).to_owned()) };
    "upper" (1) "upper(string)" "The string in upper case." = |a| text(a, str::to_uppercase);
};

fn text(arguments: &Arguments<'_>, change: impl Fn(&str) -> String) -> Outcome {
    Ok(Value::text(change(&arguments.text(0)?)))
}

fn indent(arguments: &Arguments<'_>) -> Outcome {
    let spaces = arguments.size(0)?;
    if spaces > 1_000 {
        return Err(arguments.wrong(0, "a number up to 1000"));
    }
    Ok(Value::text(
        arguments
            .text(1)?
            .replace('\n', &format!("\n{}", " ".repeat(spaces))),
    ))
}

fn join(arguments: &Arguments<'_>) -> Outcome {
    let separator = arguments.text(0)?;
    let mut parts = Vec::new();
    for index in 1..arguments.count() {
        parts.extend(arguments.texts(index)?);
    }
    Ok(Value::text(parts.join(&separator)))
}

fn split(arguments: &Arguments<'_>) -> Outcome {
    let (separator, string) = (arguments.text(0)?, arguments.text(1)?);
    if string.is_empty() {
        return Ok(Value::from(Vec::new()));
    }
    if separator.is_empty() {
        return Ok(arguments.texts_here(string.chars()));
    }
    Ok(arguments.texts_here(string.split(&*separator)))
}

fn substr(arguments: &Arguments<'_>) -> Outcome {
    let characters: Vec<char> = arguments.text(0)?.chars().collect();
    let (offset, length) = (arguments.integer(1)?, arguments.integer(2)?);
    let start = match usize::try_from(offset) {
        Ok(offset) => offset,
        Err(_) => characters
            .len()
            .saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Value::text(
        characters
            .into_iter()
            .skip(start)
            .take(length)
            .collect::<String>(),
    ))
}

fn title(string: &str) -> String {
    let mut inside = false;
    string
        .chars()
        .flat_map(|c| {
            let starts = !inside && c.is_alphabetic();
            inside = c.is_alphanumeric() || c == '_' || c == '\'';
            if starts {
                c.to_uppercase().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

fn pattern(arguments: &Arguments<'_>, index: usize, source: &str) -> Result<Regex, Refusal> {
    Regex::new(source).map_err(|error| {
        let text = error.to_string();
        let reason = text
            .lines()
            .next_back()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        Refusal::of(
            index,
            format!("`{source}` is not a regular expression: {reason}"),
            format!(
                "write a pattern without look-around or back-references in `{}`",
                arguments.name
            ),
        )
    })
}

fn matched(arguments: &Arguments<'_>, regex: &Regex, captures: &Captures<'_>) -> Value {
    let group = |text: Option<regex::Match<'_>>| text.map_or(Value::Null, |m| Value::text(m.as_str()));
    let named: IndexMap<_, _> = regex
        .capture_names()
        .flatten()
        .map(|name| (name.to_owned(), arguments.here(group(captures.name(name)))))
        .collect();
    if !named.is_empty() {
        Value::from(named)
    } else if captures.len() > 1 {
        Value::from(
            captures
                .iter()
                .skip(1)
                .map(|m| arguments.here(group(m)))
                .collect::<Vec<_>>(),
        )
    } else {
        group(captures.get(0))
    }
}

fn first_match(arguments: &Arguments<'_>) -> Outcome {
    let (source, string) = (arguments.text(0)?, arguments.text(1)?);
    let regex = pattern(arguments, 0, &source)?;
    let captures = regex.captures(&string).ok_or_else(|| {
        Refusal::of(
            1,
            format!("`{string}` does not match `{source}`"),
            "wrap the call in `try(…, null)`, or ask with `can(…)` first",
        )
    })?;
    Ok(matched(arguments, &regex, &captures))
}

fn all_matches(arguments: &Arguments<'_>) -> Outcome {
    let (source, string) = (arguments.text(0)?, arguments.text(1)?);
    let regex = pattern(arguments, 0, &source)?;
    let matches = regex
        .captures_iter(&string)
        .map(|found| arguments.here(matched(arguments, &regex, &found)));
    Ok(Value::from(matches.collect::<Vec<_>>()))
}

fn replace(arguments: &Arguments<'_>) -> Outcome {
    let (string, search, replacement) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let regular = search
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'))
        .filter(|inner| !inner.is_empty());
    Ok(Value::text(match regular {
        Some(source) => pattern(arguments, 1, source)?
            .replace_all(&string, &*replacement)
            .into_owned(),
        None => string.replace(&*search, &replacement),
    }))
}
