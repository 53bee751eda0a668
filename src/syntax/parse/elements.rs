//! The errors between the brackets of an attribute that cannot be read whole.

use std::ops::Range;

use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::explain::{Failure, Place};
use crate::syntax::grammar::Rule;
use crate::syntax::read::{DEPTH_LIMIT, Reader, Stop};
use crate::syntax::scan::{self, Separation};
use crate::syntax::span::SourceFile;

/// Reads each element around a place where the reader stopped, so that all of them report their errors.
pub(super) fn read_for_errors(
    reader: &mut Reader<'_>,
    file: &SourceFile,
    range: Range<usize>,
    failed_at: usize,
) {
    let Some((open, inside)) = scan::outermost(file, range, failed_at) else {
        return;
    };
    let text = file.text().get(inside.clone()).unwrap_or_default();
    if text.trim_start().starts_with("for ") {
        return;
    }
    let (separation, rule) = if open == b'{' {
        (Separation::Commas, Rule::one_entry)
    } else {
        (Separation::Elements, Rule::one_argument)
    };
    for element in scan::scan_inside(file, inside, separation, false) {
        if reader.is_full() {
            return;
        }
        let range = element.range;
        let read = if rule == Rule::one_entry {
            reader.one_entry(range.clone())
        } else {
            reader.one_argument(range.clone())
        };
        let errors_before = reader.errors.len();
        let error = match read {
            Ok(()) => continue,
            Err(Stop::TooDeep(at)) => {
                let kind = SyntaxErrorKind::TooDeep { limit: DEPTH_LIMIT };
                SyntaxError::new(file, at, kind)
            }
            Err(Stop::Mismatch) => {
                let failure = Failure::of(rule, file, range.clone(), reader.offset());
                read_for_errors(reader, file, range, failure.at);
                failure.explained(file, Place::Element)
            }
        };
        if reader.errors.len() == errors_before {
            reader.push(error);
        }
    }
}
