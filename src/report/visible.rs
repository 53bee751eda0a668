//! Characters that nobody sees, or that change how others are seen, written out.

use std::fmt::Write as _;

/// The text with every control character, direction override and invisible character spelled out
/// as `\n`, `\t` or `\u{202e}`.
///
/// Joiners stay: scripts need them.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if hides(c) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Whether a character is not seen, or moves what is.
pub(super) fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text in double quotes, as the language writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_hides_or_turns_text_gets_through() {
        assert_eq!(
            visible("a\u{1b}[31mb\u{202e}c\u{200b}\n"),
            "a\\u{1b}[31mb\\u{202e}c\\u{200b}\\n"
        );
        assert_eq!(visible("Ærø 東京 👩‍💻"), "Ærø 東京 👩‍💻");
        assert_eq!(quoted("say \"no\" \\"), "\"say \\\"no\\\" \\\\\"");
    }
}
