//! Policies, a directory and sign-ins from files: what would come out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{OpsError, files};
use crate::access::{Answer, Directory, DirectoryError, Estate, EstateError, Missing, RecordError, sign_in};
use crate::export;
use crate::model::Kind;

/// The longest line of a file of sign-ins, in bytes.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Why sign-ins can't be evaluated at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum WhatIfError {
    /// A file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ops(#[from] OpsError),
    /// The policies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Estate(#[from] EstateError),
    /// The directory.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Directory(#[from] DirectoryError),
    /// A file is no JSON.
    #[error("`{}` is not JSON: {source}", path.display())]
    #[diagnostic(code("ops::not_json"), help("give one JSON object, in UTF-8"))]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file of policies holds something that can't be read.
    #[error("`{file}` can't be read as policies: {reason}")]
    #[diagnostic(
        code("ops::unread_policy"),
        help("mend or leave out the file; a policy that is passed over would change every answer")
    )]
    Unread {
        /// The file, and the place in it.
        file: String,
        /// Why.
        reason: String,
    },
    /// No file holds a policy.
    #[error("no policy is among these files")]
    #[diagnostic(code("ops::no_policies"), help("name files or folders of exported policies"))]
    NoPolicies,
}

/// Why one line is no sign-in.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LineError {
    /// The line is no JSON.
    #[error("the line is not JSON: {0}")]
    #[diagnostic(code("ops::line_not_json"), help("write one JSON object a line"))]
    NotJson(#[source] serde_json::Error),
    /// The line is longer than any sign-in.
    #[error("the line is longer than 64 MiB")]
    #[diagnostic(code("ops::line_too_long"), help("write one JSON object a line"))]
    TooLong,
    /// The line is JSON, but no sign-in.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Record(#[from] RecordError),
    /// `satisfied` is no list of texts.
    #[error("`satisfied` is not a list of controls and methods")]
    #[diagnostic(
        code("ops::satisfied"),
        help("write Graph's words, for example `[\"mfa\", \"compliantDevice\"]`")
    )]
    Satisfied,
}

/// One line of a file of sign-ins, and what comes of it.
#[derive(Debug)]
pub struct Answered {
    /// The line, counted from one.
    pub line: usize,
    /// The `id` that it has, if any.
    pub id: Option<Json>,
    /// The answer.
    pub answer: Result<Answer, LineError>,
}

/// Policies that can be asked, and the people that sign in.
#[derive(Debug)]
pub struct WhatIf {
    /// The policies.
    pub estate: Estate,
    /// What they refer to and nobody gave.
    pub missing: Vec<Missing>,
    directory: Directory,
}

impl WhatIf {
    /// Reads exported policies, with any locations and strengths beside them, and a directory file.
    pub fn from_files(policies: &[PathBuf], directory: Option<&Path>) -> Result<Self, WhatIfError> {
        let intake = export::read(&files::below(policies, &["json", "yaml", "yml"])?);
        if let Some(rejected) = intake.rejected.first() {
            return Err(WhatIfError::Unread {
                file: format!("{}{}", rejected.file, rejected.pointer),
                reason: rejected.reason.to_string(),
            });
        }
        let mut estate = Estate::default();
        for found in &intake.objects {
            let has_unknown_conditions = found
                .object
                .raw
                .as_ref()
                .is_some_and(|raw| raw.get("conditions").is_some());
            let key = match &found.id {
                Some(id) => id.to_ascii_lowercase(),
                None => found.object.name().to_owned(),
            };
            estate.add(&key, &found.object, has_unknown_conditions)?;
        }
        if !intake.objects.iter().any(|found| found.kind == Kind::Policy) {
            return Err(WhatIfError::NoPolicies);
        }
        let people = match directory {
            None => Directory::default(),
            Some(path) => {
                let json: Json =
                    serde_json::from_slice(&files::read(path)?).map_err(|source| WhatIfError::NotJson {
                        path: path.to_owned(),
                        source,
                    })?;
                let people = Directory::from_json(&json)?;
                estate.add_neighbours(&json)?;
                people
            }
        };
        Ok(Self {
            missing: estate.missing(),
            estate,
            directory: people,
        })
    }

    /// Answers a file of sign-ins, one JSON object a line; empty lines are passed over.
    pub fn answers(&self, path: &Path) -> Result<impl Iterator<Item = Result<Answered, OpsError>>, OpsError> {
        let failed = {
            let path = path.to_owned();
            move |source| OpsError::File {
                path: path.clone(),
                source,
            }
        };
        let mut reader = BufReader::new(File::open(path).map_err(&failed)?);
        let mut number = 0;
        let mut bytes = Vec::new();
        Ok(std::iter::from_fn(move || {
            loop {
                bytes.clear();
                number += 1;
                match next_line(&mut reader, &mut bytes) {
                    Err(source) => return Some(Err(failed(source))),
                    Ok(Line::End) => return None,
                    Ok(Line::TooLong) => {
                        return Some(Ok(Answered {
                            line: number,
                            id: None,
                            answer: Err(LineError::TooLong),
                        }));
                    }
                    Ok(Line::Whole) if bytes.trim_ascii().is_empty() => {}
                    Ok(Line::Whole) => return Some(Ok(self.answer(number, &bytes))),
                }
            }
        }))
    }

    fn answer(&self, line: usize, bytes: &[u8]) -> Answered {
        let record: Json = match serde_json::from_slice(bytes.trim_ascii()) {
            Ok(record) => record,
            Err(error) => {
                return Answered {
                    line,
                    id: None,
                    answer: Err(LineError::NotJson(error)),
                };
            }
        };
        Answered {
            line,
            id: record.get("id").cloned(),
            answer: self.evaluate(&record),
        }
    }

    fn evaluate(&self, record: &Json) -> Result<Answer, LineError> {
        let satisfied = match record.get("satisfied") {
            None | Some(Json::Null) => None,
            Some(Json::Array(words)) => Some(
                words
                    .iter()
                    .map(|word| word.as_str().map(str::to_owned).ok_or(LineError::Satisfied))
                    .collect::<Result<BTreeSet<String>, _>>()?,
            ),
            Some(_) => return Err(LineError::Satisfied),
        };
        let sign_in = sign_in(record, &self.directory)?;
        Ok(self.estate.evaluate(&sign_in, satisfied.as_ref()))
    }
}

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads up to the end of a line; of one that is too long nothing is kept.
fn next_line(reader: &mut BufReader<File>, bytes: &mut Vec<u8>) -> std::io::Result<Line> {
    let read = std::io::Read::take(&mut *reader, LONGEST_LINE).read_until(b'\n', bytes)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if bytes.ends_with(b"\n") || reader.fill_buf()?.is_empty() {
        return Ok(Line::Whole);
    }
    bytes.clear();
    reader.skip_until(b'\n')?;
    Ok(Line::TooLong)
}
