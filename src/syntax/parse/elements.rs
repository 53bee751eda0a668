//! The errors between the brackets of an attribute that cannot be read whole.

use std::ops::Range;

use pest::Parser;

use crate::syntax::explain::{self, Place};
use crate::syntax::grammar::{CapolParser, Rule};
use crate::syntax::read::Reader;
use crate::syntax::scan::{self, Separation};
use crate::syntax::span::SourceFile;

/// Reads each element around a place where the grammar stopped, so that all of them report their errors.
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
        let text = file.text().get(element.range.clone()).unwrap_or_default();
        reader.set_base(element.range.start);
        match CapolParser::parse(rule, text) {
            Ok(pairs) => pairs.for_each(|pair| reader.element(pair)),
            Err(failure) => {
                let errors_before = reader.errors.len();
                let failed_at = element.range.start + explain::offset(&failure);
                read_for_errors(reader, file, element.range.clone(), failed_at);
                if reader.errors.len() == errors_before {
                    let error = explain::explain(file, element.range, Place::Element, &failure);
                    reader.errors.push(error);
                }
            }
        }
    }
}
