//! The outputs of the last apply.

use serde_json::Value;

use super::SurgeryError;
use crate::model::state::{Document, OutputState};

/// One output, by name.
pub fn output<'d>(document: &'d Document, name: &str) -> Result<&'d OutputState, SurgeryError> {
    document.outputs.get(name).ok_or_else(|| {
        let near = document
            .outputs
            .keys()
            .map(|present| (strsim::jaro_winkler(present, name), present))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|(left, _), (right, _)| left.total_cmp(right));
        let help = match near {
            Some((_, present)) => format!("run `capol output {present}`"),
            None if document.outputs.is_empty() => {
                "write an `output` block, and run `capol apply`: outputs are known after it".to_owned()
            }
            None => "list what there is: `capol output`".to_owned(),
        };
        SurgeryError::NoSuchOutput {
            name: name.to_owned(),
            help,
        }
    })
}

/// The bare text of an output, for scripts.
pub fn raw(name: &str, output: &OutputState) -> Result<String, SurgeryError> {
    match &output.value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(output.value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(SurgeryError::NotRaw {
            name: name.to_owned(),
            what: match &output.value {
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
                _ => "null",
            },
        }),
    }
}
