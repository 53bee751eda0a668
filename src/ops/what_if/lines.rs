//! Sign-ins from a file, one JSON object a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::Value as Json;

use super::LineError;
use crate::ops::OpsError;

/// The longest line of a file of sign-ins, in bytes.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// One line of a file of sign-ins.
#[derive(Debug)]
pub struct Line {
    /// Which line, counted from one.
    pub number: usize,
    /// The record in it.
    pub record: Result<Json, LineError>,
}

/// The lines of a file; empty ones are passed over.
pub fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Line, OpsError>> + use<>, OpsError> {
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
            let record = match next_line(&mut reader, &mut bytes) {
                Err(source) => return Some(Err(failed(source))),
                Ok(Read::End) => return None,
                Ok(Read::TooLong) => Err(LineError::TooLong),
                Ok(Read::Whole) if bytes.trim_ascii().is_empty() => continue,
                Ok(Read::Whole) => serde_json::from_slice(bytes.trim_ascii()).map_err(LineError::NotJson),
            };
            return Some(Ok(Line { number, record }));
        }
    }))
}

enum Read {
    Whole,
    TooLong,
    End,
}

/// Reads up to the end of a line; of one that is too long nothing is kept.
fn next_line(reader: &mut BufReader<File>, bytes: &mut Vec<u8>) -> std::io::Result<Read> {
    let read = std::io::Read::take(&mut *reader, LONGEST_LINE).read_until(b'\n', bytes)?;
    if read == 0 {
        return Ok(Read::End);
    }
    if bytes.ends_with(b"\n") || reader.fill_buf()?.is_empty() {
        return Ok(Read::Whole);
    }
    bytes.clear();
    reader.skip_until(b'\n')?;
    Ok(Read::TooLong)
}
