//! Bytes into JSON values: encodings, comments, trailing commas, several documents in one file, YAML.

use std::fmt;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

use crate::export::error::Rejection;

/// The JSON documents of a file; most hold one, line-delimited ones many.
pub(super) fn documents(path: &str, bytes: &[u8]) -> Result<Vec<Json>, Rejection> {
    let text = decoded(bytes)?;
    let is_yaml = path
        .rsplit_once('.')
        .is_some_and(|(_, end)| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
    if is_yaml { yaml(&text) } else { json(&text) }
}

fn decoded(bytes: &[u8]) -> Result<String, Rejection> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or_else(|| (guessed(bytes), 0));
    let body = bytes.get(mark..).unwrap_or_default();
    encoding
        .decode_without_bom_handling_and_without_replacement(body)
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| Rejection::NotText {
            byte: std::str::from_utf8(body).map_or_else(|error| mark + error.valid_up_to(), |_| mark),
        })
}

/// The encoding of text without a byte-order mark: JSON begins with two ASCII characters.
fn guessed(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0, second, ..] if *second != 0 => UTF_16BE,
        [first, 0, ..] if *first != 0 => UTF_16LE,
        _ => UTF_8,
    }
}

fn json(text: &str) -> Result<Vec<Json>, Rejection> {
    let plain = without_comments(text);
    let documents: Vec<Json> = serde_json::Deserializer::from_str(&plain)
        .into_iter::<Document>()
        .map(|document| document.map(|Document(json)| json))
        .collect::<Result<_, _>>()
        .map_err(|error| Rejection::NotJson {
            line: error.line(),
            column: error.column(),
            problem: without_place(&error.to_string()),
        })?;
    if documents.is_empty() {
        return Err(Rejection::NotJson {
            line: 1,
            column: 1,
            problem: "the file is empty".into(),
        });
    }
    Ok(documents)
}

fn without_place(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

fn yaml(text: &str) -> Result<Vec<Json>, Rejection> {
    serde_norway::Deserializer::from_str(text)
        .map(|document| Document::deserialize(document).map(|Document(json)| json))
        .filter(|document| !matches!(document, Ok(Json::Null)))
        .collect::<Result<_, _>>()
        .map_err(|error| Rejection::NotYaml {
            problem: error.to_string(),
        })
}

/// What is being read, while looking for comments.
enum Place {
    Code,
    Text,
    Escape,
    LineComment,
    BlockComment,
}

/// The text with comments and trailing commas blanked out, so that places in it stay what they are.
fn without_comments(text: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut place = Place::Code;
    let mut comma = None;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.peek().copied();
        match place {
            Place::Code => match (byte, next) {
                (b'/', Some(b'/')) => {
                    place = Place::LineComment;
                    out.push(b' ');
                }
                (b'/', Some(b'*')) => {
                    place = Place::BlockComment;
                    bytes.next();
                    out.extend_from_slice(b"  ");
                }
                _ => {
                    match byte {
                        b',' => comma = Some(out.len()),
                        b'}' | b']' => blank(&mut out, comma.take()),
                        b' ' | b'\t' | b'\r' | b'\n' => {}
                        _ => comma = None,
                    }
                    if byte == b'"' {
                        place = Place::Text;
                    }
                    out.push(byte);
                }
            },
            Place::Text => {
                place = match byte {
                    b'\\' => Place::Escape,
                    b'"' => Place::Code,
                    _ => Place::Text,
                };
                out.push(byte);
            }
            Place::Escape => {
                place = Place::Text;
                out.push(byte);
            }
            Place::LineComment => {
                if byte == b'\n' {
                    place = Place::Code;
                }
                out.push(if byte == b'\n' { byte } else { b' ' });
            }
            Place::BlockComment => {
                out.push(if byte == b'\n' { byte } else { b' ' });
                if byte == b'*' && next == Some(b'/') {
                    bytes.next();
                    out.push(b' ');
                    place = Place::Code;
                }
            }
        }
    }
    // INVARIANT: only whole characters were replaced, so the bytes are still UTF-8.
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn blank(out: &mut [u8], at: Option<usize>) {
    if let Some(byte) = at.and_then(|at| out.get_mut(at)) {
        *byte = b' ';
    }
}

/// A JSON value in which no object has a member twice: which of the two is meant can't be told,
/// unless the first is null.
struct Document(Json);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Document)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(Document(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Map::new();
        while let Some(member) = map.next_key::<String>()? {
            let Document(value) = map.next_value()?;
            if members
                .get(&member)
                .is_some_and(|first| !first.is_null() && *first != value)
            {
                return Err(A::Error::custom(format_args!(
                    "the member `{member}` is written twice"
                )));
            }
            members.insert(member, value);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn utf_16(text: &str, big_endian: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if big_endian {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn every_encoding_that_tools_write_is_read() {
        let text = "{ \"displayName\": \"Kontor København\" }\r\n";
        let expected = json!({ "displayName": "Kontor København" });
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf_16(&format!("\u{feff}{text}"), false),
            utf_16(&format!("\u{feff}{text}"), true),
            utf_16(text, false),
            utf_16(text, true),
        ] {
            assert_eq!(
                documents("a.json", &bytes).unwrap(),
                std::slice::from_ref(&expected)
            );
        }
    }

    #[test]
    fn comments_and_trailing_commas_are_no_errors() {
        let text = r#"// exported
            { "a": "// no comment, /* none */ \" ,]", /* one */ "b": [1, 2, /* c */ ], // end
            }"#;
        assert_eq!(
            documents("a.json", text.as_bytes()).unwrap(),
            [json!({ "a": "// no comment, /* none */ \" ,]", "b": [1, 2] })]
        );
        assert_eq!(
            documents("a.json", br#"{ "a": null, "b": 1, "a": 2 }"#).unwrap(),
            [json!({ "a": 2, "b": 1 })]
        );
    }

    #[test]
    fn a_broken_file_is_refused_at_its_place() {
        for (text, line, column) in [
            ("{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3),
            ("{\n // note\n \"a\": }", 3, 7),
            ("", 1, 1),
            ("{ \"a\": 1, \"a\": 2 }", 1, 18),
            ("{ \"a\": [1,,2] }", 1, 11),
        ] {
            let Err(Rejection::NotJson {
                line: at,
                column: and,
                ..
            }) = documents("a.json", text.as_bytes())
            else {
                panic!("{text} is accepted");
            };
            assert_eq!((at, and), (line, column), "{text}");
        }
        assert_eq!(
            documents("a.json", b"{ \"a\": \"\xe6\" }"),
            Err(Rejection::NotText { byte: 8 })
        );
    }

    #[test]
    fn lines_of_json_and_yaml_are_documents() {
        assert_eq!(
            documents("a.ndjson", b"{\"a\":1}\n{\"a\":2}\n").unwrap(),
            [json!({"a": 1}), json!({"a": 2})]
        );
        assert_eq!(
            documents("a.yml", b"---\nState: enabled\nCountries: [NO, DK]\n---\n").unwrap(),
            [json!({"State": "enabled", "Countries": ["NO", "DK"]})]
        );
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let text = "[".repeat(100_000);
        assert!(matches!(
            documents("a.json", text.as_bytes()),
            Err(Rejection::NotJson { .. })
        ));
    }
}
