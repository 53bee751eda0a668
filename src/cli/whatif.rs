//! `capol whatif`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Context, Failure, Outcome};
use crate::ops::what_if::WhatIf;
use crate::report::what_if_text::{answer_json, answer_text, missing_text};

pub(super) fn run(
    context: &Context,
    policies: &[PathBuf],
    directory: Option<&PathBuf>,
    sign_ins: &Path,
) -> Result<Outcome, Failure> {
    let what_if = WhatIf::from_files(policies, directory.map(PathBuf::as_path))?;
    context.aside(&missing_text(&what_if.missing));
    let mut outcome = Outcome::Done;
    for answered in what_if.answers(sign_ins)? {
        let answered = answered?;
        let title = match &answered.id {
            Some(serde_json::Value::String(id)) => id.clone(),
            _ => format!("line {}", answered.line),
        };
        match (&answered.answer, context.global.json) {
            (Ok(answer), true) => {
                let record = answer_json(&what_if.estate, answered.id.as_ref(), answer);
                context.out(&format!("{record}\n"));
            }
            (Ok(answer), false) => context.page(&answer_text(&what_if.estate, &title, answer)),
            (Err(error), true) => {
                let code = miette::Diagnostic::code(error).map(|code| code.to_string());
                let record = json!({
                    "id": answered.id,
                    "error": { "line": answered.line, "code": code, "message": error.to_string() },
                });
                context.out(&format!("{record}\n"));
                outcome = Outcome::Failed;
            }
            (Err(error), false) => {
                context.note(&format!("{}:{}: {error}", sign_ins.display(), answered.line));
                outcome = Outcome::Failed;
            }
        }
    }
    Ok(outcome)
}
