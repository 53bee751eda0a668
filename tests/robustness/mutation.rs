//! Sound input, spoiled: cut, doubled, mixed, sprinkled with what matters to a parser.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// What means something to one of the readers.
const WORDS: [&str; 60] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "${",
    "%{",
    "$${",
    "=",
    "==",
    ",",
    ":",
    ";",
    "?",
    "=>",
    "...",
    ".",
    "*",
    "\n",
    "\r\n",
    "\t",
    " ",
    "#",
    "//",
    "/*",
    "*/",
    "<<EOT\n",
    "<<-EOT\n",
    "EOT\n",
    "!",
    "-",
    "+",
    "/",
    "%",
    "10%",
    "4h",
    "1e9",
    "for",
    "in",
    "if",
    "null",
    "true",
    "policy",
    "location \"a\" {",
    "locals {",
    "module \"m\" {",
    "source = \"./\"",
    "for_each = ",
    "each.key",
    "var.x",
    "local.x",
    "x = ",
    "\u{feff}",
    "\u{202e}",
    "\0",
    "é",
    "range(1000000)",
    "\u{1F600}",
];

/// Words of the language in any order.
pub(super) fn words() -> impl Strategy<Value = Vec<u8>> {
    vec(select(WORDS.to_vec()), 0..80).prop_map(|words| words.concat().into_bytes())
}

#[derive(Debug, Clone)]
enum Change {
    Cut(Index, u8),
    Double(Index, u8),
    Insert(Index, &'static str),
    Replace(Index, u8),
    Truncate(Index),
    Mix(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, length)| Change::Cut(at, length % 40)),
        1 => (at(), any::<u8>()).prop_map(|(at, length)| Change::Double(at, length)),
        3 => (at(), select(WORDS.to_vec())).prop_map(|(at, word)| Change::Insert(at, word)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        1 => at().prop_map(Change::Truncate),
        1 => (at(), at(), at()).prop_map(|(seed, from, at)| Change::Mix(seed, from, at)),
    ]
}

/// One of the seeds with a few changes.
pub(super) fn spoiled(seeds: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds = seeds.to_vec();
    (any::<Index>(), vec(change(), 1..6)).prop_map(move |(seed, changes)| {
        let mut bytes = seed.get(&seeds).clone();
        for change in changes {
            apply(&mut bytes, &change, &seeds);
        }
        bytes
    })
}

fn apply(bytes: &mut Vec<u8>, change: &Change, seeds: &[Vec<u8>]) {
    let length = bytes.len();
    let place = |at: &Index| at.index(length + 1);
    let end = |at: usize, more: u8| (at + usize::from(more)).min(length);
    match change {
        Change::Cut(at, more) => {
            let at = place(at);
            bytes.drain(at..end(at, *more));
        }
        Change::Double(at, more) => {
            let at = place(at);
            let part = bytes[at..end(at, *more)].to_vec();
            bytes.splice(at..at, part);
        }
        Change::Insert(at, word) => {
            let at = place(at);
            bytes.splice(at..at, word.bytes());
        }
        Change::Replace(at, byte) => {
            let at = place(at);
            if let Some(old) = bytes.get_mut(at) {
                *old = *byte;
            }
        }
        Change::Truncate(at) => bytes.truncate(place(at)),
        Change::Mix(seed, from, at) => {
            let other = seed.get(seeds);
            let from = from.index(other.len() + 1);
            let part = &other[from..(from + 200).min(other.len())];
            let at = place(at);
            bytes.splice(at..at, part.iter().copied());
        }
    }
}

/// How a JSON document is spoiled: which of its values, and what stands there instead.
#[derive(Debug, Clone)]
pub(super) struct Spoiling(Vec<(Index, u8)>);

impl Arbitrary for Spoiling {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        vec((any::<Index>(), any::<u8>()), 1..4).prop_map(Self).boxed()
    }
}

/// The document with some of its values replaced by ones of another kind, or left out.
pub(super) fn spoiled_json(json: &Value, spoiling: &Spoiling) -> Value {
    let mut json = json.clone();
    for (at, kind) in &spoiling.0 {
        let mut places = Vec::new();
        pointers(&json, "", &mut places);
        let place = at.get(&places).clone();
        if let Some(value) = json.pointer_mut(&place) {
            *value = instead(value, *kind);
        }
    }
    json
}

fn pointers(json: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(value, &format!("{here}/{name}"), found);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                pointers(value, &format!("{here}/{at}"), found);
            }
        }
        _ => {}
    }
}

fn instead(value: &Value, kind: u8) -> Value {
    match kind % 14 {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(""),
        4 => json!("\u{202e}\0 ${x} \"\n é \u{1F600}"),
        5 => json!(-1),
        6 => json!(1e308),
        7 => json!(u64::MAX),
        8 => json!(true),
        9 => json!([value, value, null, "x"]),
        10 => json!({ "value": value, "@odata.type": "#microsoft.graph.unheardOf" }),
        11 => json!("a".repeat(5_000)),
        12 => (0..100).fold(value.clone(), |inner, _| json!([inner])),
        _ => (0..100).fold(value.clone(), |inner, _| json!({ "conditions": inner })),
    }
}
