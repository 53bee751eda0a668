//! Lists and maps.

use indexmap::IndexMap;

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::value::{Evaluated, Seen, Value, by_key};

pub(super) const FUNCTIONS: &[Function] = functions! { "collections":
    "alltrue" (1) "alltrue(list)" "Whether every element is true; true for an empty list." = |a| Ok(Value::Bool(truths(a)?.into_iter().all(|truth| truth)));
    "anytrue" (1) "anytrue(list)" "Whether some element is true; false for an empty list." = |a| Ok(Value::Bool(truths(a)?.into_iter().any(|truth| truth)));
    "chunklist" (2) "chunklist(list, size)" "The list cut into lists of at most this size." = chunklist;
    "coalesce" (1, any) "coalesce(values…)" "The first value that is neither null nor an empty string." = coalesce;
    "coalescelist" (1, any) "coalescelist(lists…)" "The first list that is not empty." = coalescelist;
    "compact" (1) "compact(list)" "The list without nulls and empty strings." = |a| kept(a, |item| !is_blank(&item.value));
    "concat" (1, any) "concat(lists…)" "One list of the elements of all." = concat;
    "contains" (2) "contains(list, value)" "Whether the list has an element equal to the value." = |a| Ok(Value::Bool(a.list(0)?.iter().any(|item| item.value == *a.value(1))));
    "distinct" (1) "distinct(list)" "The list without repetitions, in its order." = |a| Ok(Value::from(distinct(a.list(0)?)));
    "element" (2) "element(list, index)" "The element at the index, starting over at the end of the list." = element;
    "flatten" (1) "flatten(list)" "The elements of the list and of the lists in it, however deep." = |a| { let mut out = Vec::new(); flatten(a.list(0)?, &mut out); Ok(Value::from(out)) };
    "index" (2) "index(list, value)" "The position of the first element equal to the value." = index_of;
    "keys" (1) "keys(map)" "The keys of the map, sorted." = |a| Ok(a.texts_here(by_key(a.object(0)?).into_iter().map(|(key, _)| key.as_str())));
    "length" (1) "length(value)" "How many elements, entries or characters there are." = length;
    "lookup" (2..3) "lookup(map, key, default)" "The value at the key, or the default." = lookup;
    "matchkeys" (3) "matchkeys(values, keys, search)" "The values whose key, at the same position, is in the search list." = matchkeys;
    "merge" (0, any) "merge(maps…)" "One map of the entries of all; later ones win." = merge;
    "one" (1) "one(list)" "The only element of a list, or null if the list is empty." = one;
    "range" (1..3) "range(start, limit, step)" "The numbers from the start (0) up to but without the limit." = range;
    "reverse" (1) "reverse(list)" "The list in reverse order." = |a| Ok(Value::from(a.list(0)?.iter().rev().cloned().collect::<Vec<_>>()));
    "slice" (3) "slice(list, start, end)" "The elements from one position up to but without another." = slice;
    "sort" (1) "sort(list)" "The strings in order." = sort;
    "sum" (1) "sum(list)" "The sum of the numbers." = sum;
    "transpose" (1) "transpose(map)" "From a map of lists of strings, the map with keys and elements swapped." = transpose;
    "values" (1) "values(map)" "The values of the map, in the order of their keys." = |a| Ok(Value::from(by_key(a.object(0)?).into_iter().map(|(_, value)| value.clone()).collect::<Vec<_>>()));
    "zipmap" (2) "zipmap(keys, values)" "A map from two lists, of keys and of values." = zipmap;
};

fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_text() == Some("")
}

/// The elements without repetitions, in their order.
pub(crate) fn distinct(items: &[Evaluated]) -> Vec<Evaluated> {
    let mut seen = Seen::default();
    let new = items.iter().filter(|item| seen.insert(&item.value));
    new.cloned().collect()
}

fn kept(arguments: &Arguments<'_>, keep: impl Fn(&Evaluated) -> bool) -> Outcome {
    Ok(Value::from(
        arguments
            .list(0)?
            .iter()
            .filter(|item| keep(item))
            .cloned()
            .collect::<Vec<_>>(),
    ))
}

fn truths(arguments: &Arguments<'_>) -> Result<Vec<bool>, Refusal> {
    arguments
        .list(0)?
        .iter()
        .map(|item| match &item.value {
            Value::Bool(truth) => Ok(*truth),
            Value::Null => Ok(false),
            Value::String { text, .. } if text == "true" || text == "false" => Ok(text == "true"),
            _ => Err(arguments.wrong(0, "a list of bools")),
        })
        .collect()
}

fn chunklist(arguments: &Arguments<'_>) -> Outcome {
    let size = arguments.size(1)?.max(1);
    let chunks = arguments.list(0)?.chunks(size);
    Ok(Value::from(
        chunks
            .map(|chunk| arguments.here(Value::from(chunk.to_vec())))
            .collect::<Vec<_>>(),
    ))
}

fn nothing_left(arguments: &Arguments<'_>) -> Refusal {
    Refusal::whole(
        format!("`{}` was given nothing but empty values", arguments.name),
        "add a last argument that stands when the others are empty",
    )
}

fn coalesce(arguments: &Arguments<'_>) -> Outcome {
    let first = arguments
        .values
        .iter()
        .find(|argument| !is_blank(&argument.value));
    first
        .map(|argument| argument.value.clone())
        .ok_or_else(|| nothing_left(arguments))
}

fn coalescelist(arguments: &Arguments<'_>) -> Outcome {
    let first = arguments
        .values
        .iter()
        .find(|argument| argument.value.children().next().is_some());
    first
        .map(|argument| argument.value.clone())
        .ok_or_else(|| nothing_left(arguments))
}

fn concat(arguments: &Arguments<'_>) -> Outcome {
    let mut out = Vec::new();
    for index in 0..arguments.count() {
        out.extend_from_slice(arguments.list(index)?);
    }
    Ok(Value::from(out))
}

fn element(arguments: &Arguments<'_>) -> Outcome {
    let items = arguments.list(0)?;
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Err(Refusal::of(
            0,
            "`element` was given an empty list",
            "give a list that has elements",
        ));
    }
    let index = usize::try_from(arguments.integer(1)?.rem_euclid(count)).unwrap_or_default();
    Ok(items.get(index).map_or(Value::Null, |item| item.value.clone()))
}

fn flatten(items: &[Evaluated], out: &mut Vec<Evaluated>) {
    for item in items {
        match &item.value {
            Value::List(inner) => flatten(inner, out),
            _ => out.push(item.clone()),
        }
    }
}

fn index_of(arguments: &Arguments<'_>) -> Outcome {
    let position = arguments
        .list(0)?
        .iter()
        .position(|item| item.value == *arguments.value(1));
    position.map(Value::count).ok_or_else(|| {
        Refusal::of(
            1,
            format!("the list has no element `{}`", arguments.value(1)),
            "ask with `contains(list, value)` first",
        )
    })
}

fn length(arguments: &Arguments<'_>) -> Outcome {
    match arguments.value(0) {
        Value::List(items) => Ok(Value::count(items.len())),
        Value::Object(entries) => Ok(Value::count(entries.len())),
        Value::String { text, .. } => Ok(Value::count(text.chars().count())),
        _ => Err(arguments.wrong(0, "a list, an object or a string")),
    }
}

fn lookup(arguments: &Arguments<'_>) -> Outcome {
    let (map, key) = (arguments.object(0)?, arguments.text(1)?);
    match map.get(&*key) {
        Some(value) => Ok(value.value.clone()),
        None if arguments.count() > 2 => Ok(arguments.value(2).clone()),
        None => Err(Refusal::of(
            1,
            format!("the map has no key `{key}`"),
            format!("add a default: `lookup(map, {key:?}, null)`"),
        )),
    }
}

fn matchkeys(arguments: &Arguments<'_>) -> Outcome {
    let (values, keys, search) = (arguments.list(0)?, arguments.list(1)?, arguments.list(2)?);
    if values.len() != keys.len() {
        return Err(unequal(arguments, 1, values.len(), keys.len()));
    }
    let search = Seen::of(search);
    let pairs = values
        .iter()
        .zip(keys)
        .filter(|(_, key)| search.contains(&key.value));
    Ok(Value::from(
        pairs.map(|(value, _)| value.clone()).collect::<Vec<_>>(),
    ))
}

fn unequal(arguments: &Arguments<'_>, index: usize, left: usize, right: usize) -> Refusal {
    Refusal::of(
        index,
        format!(
            "`{}` was given lists of {left} and {right} elements",
            arguments.name
        ),
        "give lists that are equally long",
    )
}

fn merge(arguments: &Arguments<'_>) -> Outcome {
    let mut out = IndexMap::new();
    for index in 0..arguments.count() {
        if !matches!(arguments.value(index), Value::Null) {
            out.extend(
                arguments
                    .object(index)?
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
    }
    Ok(Value::from(out))
}

fn one(arguments: &Arguments<'_>) -> Outcome {
    match arguments.list(0)? {
        [] => Ok(Value::Null),
        [only] => Ok(only.value.clone()),
        many => Err(Refusal::of(
            0,
            format!("`one` was given a list of {} elements", many.len()),
            "choose one with an index, as in `list[0]`",
        )),
    }
}

/// The longest list that `range` makes.
const LONGEST: usize = 10_000;

fn range(arguments: &Arguments<'_>) -> Outcome {
    let (start, limit) = match arguments.count() {
        1 => (0, arguments.integer(0)?),
        _ => (arguments.integer(0)?, arguments.integer(1)?),
    };
    let step = match arguments.count() {
        3 => arguments.integer(2)?,
        _ if limit < start => -1,
        _ => 1,
    };
    if step == 0 || (step > 0) != (limit >= start) {
        return Err(Refusal::whole(
            format!("`range` never reaches {limit} from {start} by steps of {step}"),
            "give a step that leads towards the limit",
        ));
    }
    let mut out = Vec::new();
    let mut at = start;
    while (step > 0 && at < limit) || (step < 0 && at > limit) {
        if out.len() == LONGEST {
            return Err(Refusal::whole(
                format!("`range` makes at most {LONGEST} numbers"),
                "give a nearer limit or a larger step",
            ));
        }
        out.push(arguments.here(Value::integer(at)));
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    Ok(Value::from(out))
}

fn slice(arguments: &Arguments<'_>) -> Outcome {
    let items = arguments.list(0)?;
    let (start, end) = (arguments.size(1)?, arguments.size(2)?);
    items
        .get(start..end)
        .map(|part| Value::from(part.to_vec()))
        .ok_or_else(|| {
            Refusal::whole(
                format!(
                    "a list of {} elements has no slice from {start} to {end}",
                    items.len()
                ),
                "give positions from 0 to the length of the list, the smaller one first",
            )
        })
}

fn sort(arguments: &Arguments<'_>) -> Outcome {
    arguments.texts(0)?;
    let mut items = arguments.list(0)?.to_vec();
    items.sort_by_cached_key(|item| item.value.interpolated());
    Ok(Value::from(items))
}

fn sum(arguments: &Arguments<'_>) -> Outcome {
    let mut total = None;
    for item in arguments.list(0)? {
        let Value::Number(number) = item.value else {
            return Err(arguments.wrong(0, "a list of numbers"));
        };
        total = match total {
            None => Some(number),
            Some(so_far) => Some(number.plus(so_far).ok_or_else(|| {
                Refusal::of(0, "the sum is too large", "give numbers whose sum is below 2^63")
            })?),
        };
    }
    total.map(Value::Number).ok_or_else(|| {
        Refusal::of(
            0,
            "`sum` was given an empty list",
            "write `sum(concat([0], list))`",
        )
    })
}

fn transpose(arguments: &Arguments<'_>) -> Outcome {
    let mut out: IndexMap<String, Vec<Evaluated>> = IndexMap::new();
    for (key, value) in by_key(arguments.object(0)?) {
        let Value::List(items) = &value.value else {
            return Err(arguments.wrong(0, "a map of lists of strings"));
        };
        for item in items.iter() {
            let text = item
                .value
                .interpolated()
                .ok_or_else(|| arguments.wrong(0, "a map of lists of strings"))?;
            out.entry(text)
                .or_default()
                .push(Evaluated::new(Value::text(key), value.span));
        }
    }
    out.sort_keys();
    Ok(Value::from(
        out.into_iter()
            .map(|(key, items)| (key, arguments.here(Value::from(items))))
            .collect::<IndexMap<_, _>>(),
    ))
}

fn zipmap(arguments: &Arguments<'_>) -> Outcome {
    let (keys, values) = (arguments.texts(0)?, arguments.list(1)?);
    if keys.len() != values.len() {
        return Err(unequal(arguments, 1, keys.len(), values.len()));
    }
    Ok(Value::from(
        keys.into_iter()
            .zip(values.iter().cloned())
            .collect::<IndexMap<_, _>>(),
    ))
}
