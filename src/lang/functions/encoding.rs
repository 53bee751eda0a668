//! Encodings, hashes and document formats.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use sha2::{Digest, Sha256, Sha512};

use super::{Arguments, Function, Outcome, Refusal, functions, to_json, value_of_json};
use crate::lang::value::Value;

pub(super) const FUNCTIONS: &[Function] = functions! { "encoding":
    "base64decode" (1) "base64decode(string)" "The text that the Base64 string encodes." = base64decode;
    "base64encode" (1) "base64encode(string)" "The Base64 of the text's UTF-8." = |a| Ok(Value::text(STANDARD.encode(a.text(0)?.as_bytes())));
    "base64sha256" (1) "base64sha256(string)" "The Base64 of the SHA-256 of the text." = |a| Ok(Value::text(STANDARD.encode(Sha256::digest(a.text(0)?.as_bytes()))));
    "csvdecode" (1) "csvdecode(string)" "A list of objects, one a row, from CSV with a header line." = csvdecode;
    "jsondecode" (1) "jsondecode(string)" "The value of a JSON document." = jsondecode;
    "jsonencode" (1) "jsonencode(value)" "The value as JSON." = |a| Ok(Value::text(json(a)?.to_string()));
    "sha256" (1) "sha256(string)" "The SHA-256 of the text, in hexadecimal." = |a| Ok(Value::text(hexadecimal(&Sha256::digest(a.text(0)?.as_bytes()))));
    "sha512" (1) "sha512(string)" "The SHA-512 of the text, in hexadecimal." = |a| Ok(Value::text(hexadecimal(&Sha512::digest(a.text(0)?.as_bytes()))));
    "urlencode" (1) "urlencode(string)" "The text as it stands in the query of a URL." = |a| Ok(Value::text(url::form_urlencoded::byte_serialize(a.text(0)?.as_bytes()).collect::<String>()));
    "uuidv5" (2) "uuidv5(namespace, name)" "The UUID of the name in a namespace: `dns`, `url`, `oid`, `x500` or a UUID." = uuidv5;
    "yamldecode" (1) "yamldecode(string)" "The value of a YAML document." = yamldecode;
    "yamlencode" (1) "yamlencode(value)" "The value as YAML." = yamlencode;
};

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn base64decode(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let bytes = STANDARD.decode(text.trim()).map_err(|error| {
        Refusal::of(
            0,
            format!("the string is not Base64: {error}").to_lowercase(),
            "give what `base64encode` writes",
        )
    })?;
    String::from_utf8(bytes).map(Value::text).map_err(|_| {
        Refusal::of(
            0,
            "what the Base64 string encodes is not UTF-8 text",
            "give the Base64 of a text",
        )
    })
}

fn csvdecode(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let broken = |error: csv::Error| {
        Refusal::of(
            0,
            format!("the text is not CSV: {error}"),
            "give a header line and rows with as many fields",
        )
    };
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap_or(&text).as_bytes());
    let names: Vec<String> = reader
        .headers()
        .map_err(broken)?
        .iter()
        .map(str::to_owned)
        .collect();
    if let Some(twice) = names
        .iter()
        .enumerate()
        .find_map(|(at, name)| names.iter().take(at).any(|n| n == name).then_some(name))
    {
        return Err(Refusal::of(
            0,
            format!("the CSV names the column `{twice}` twice"),
            "give every column its own name",
        ));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let fields = names
            .iter()
            .zip(&record)
            .map(|(name, field)| (name.clone(), arguments.here(Value::text(field))));
        rows.push(arguments.here(Value::from(fields.collect::<IndexMap<_, _>>())));
    }
    Ok(Value::from(rows))
}

fn json(arguments: &Arguments<'_>) -> Result<serde_json::Value, Refusal> {
    to_json(arguments.value(0)).map_err(|what| {
        Refusal::of(
            0,
            format!("`{what}` has no value that could be encoded"),
            "encode only strings, numbers, bools, lists and objects",
        )
    })
}

fn jsondecode(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let parsed = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(|error| {
        Refusal::of(
            0,
            format!("the text is not JSON: {error}"),
            "give one complete JSON document",
        )
    })?;
    Ok(value_of_json(&parsed, arguments.span))
}

fn yamldecode(arguments: &Arguments<'_>) -> Outcome {
    let parsed: serde_json::Value = serde_norway::from_str(&arguments.text(0)?).map_err(|error| {
        Refusal::of(
            0,
            format!("the text is not YAML: {error}"),
            "give one YAML document whose keys are strings",
        )
    })?;
    Ok(value_of_json(&parsed, arguments.span))
}

fn yamlencode(arguments: &Arguments<'_>) -> Outcome {
    let json = json(arguments)?;
    serde_norway::to_string(&json).map(Value::text).map_err(|error| {
        Refusal::of(
            0,
            format!("the value cannot be written as YAML: {error}"),
            "encode a simpler value",
        )
    })
}

fn uuidv5(arguments: &Arguments<'_>) -> Outcome {
    use uuid::Uuid;
    let (namespace, name) = (arguments.text(0)?, arguments.text(1)?);
    let namespace = match &*namespace {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| {
            Refusal::of(
                0,
                format!("`{other}` is not a UUID namespace"),
                "write `dns`, `url`, `oid`, `x500` or a UUID",
            )
        })?,
    };
    Ok(Value::text(Uuid::new_v5(&namespace, name.as_bytes()).to_string()))
}
