//! `capol impact --csv`: whom to warn.

use std::io;

use csv::{Terminator, WriterBuilder};

use super::impact_text::sum;
use crate::access::Change;
use crate::ops::impact::{Counts, Tally, place_of};

/// The people to warn, as RFC 4180: those with sign-ins that are newly blocked or newly prompted, the most blocked first.
///
/// A cell that a spreadsheet would take for a formula begins with an apostrophe instead.
pub fn warned_csv(tally: &Tally) -> io::Result<String> {
    let at = |counts: &Counts, change: Change| sum(counts, &[place_of(change)]);
    let mut people: Vec<_> = tally
        .people
        .iter()
        .map(|(id, person)| {
            let counts = &person.counts;
            let blocked = at(counts, Change::NewlyBlocked);
            (blocked, at(counts, Change::NewlyPrompted), id, person)
        })
        .filter(|(blocked, prompted, ..)| blocked + prompted > 0)
        .collect();
    people.sort_by(|one, other| (other.0, other.1, one.2).cmp(&(one.0, one.1, other.2)));
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record([
        "userPrincipalName",
        "displayName",
        "id",
        "newlyBlocked",
        "newlyPrompted",
        "lastSignIn",
        "apps",
    ])?;
    for (blocked, prompted, id, person) in people {
        let apps = person.apps.join("; ");
        let (blocked, prompted) = (blocked.to_string(), prompted.to_string());
        let cells = [
            &person.name,
            &person.display_name,
            id,
            &blocked,
            &prompted,
            &person.last,
            &apps,
        ];
        writer.write_record(cells.map(|cell| harmless(cell)))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']);
    if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [
            ("ada@contoso.com", "ada@contoso.com"),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "'\t=1"),
            ("a, b", "a, b"),
            ("=\"x\"", "'=\"x\""),
            ("two\nlines", "two\nlines"),
        ] {
            assert_eq!(harmless(text), cell);
        }
    }
}
