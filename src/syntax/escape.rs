//! Escapes in strings, both ways.

/// What comes after a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// More text, or the end.
    Plain,
    /// `${`, which a `$` before it would turn into an escape.
    BeforeInterpolation,
}

/// The character that an escape stands for, if it is one.
pub(super) fn read(written: &str) -> Option<char> {
    let mut characters = written.chars();
    characters.next();
    match characters.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '"' => Some('"'),
        '\\' => Some('\\'),
        'u' | 'U' => {
            let digits = characters.as_str();
            if digits.is_empty() {
                return None;
            }
            u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
        }
        _ => None,
    }
}

/// A text as it is written, between double quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", write(text, Context::Plain))
}

/// Text as it is written between double quotes.
pub(super) fn write(value: &str, context: Context) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if next == Some('{') => {
                out.push(character);
                out.push(character);
            }
            '$' if next.is_none() && context == Context::BeforeInterpolation => {
                out.push_str("\\u0024");
            }
            _ if needs_code_point(character) => {
                // Every such character is below U+10000.
                out.push_str("\\u");
                let code = u32::from(character);
                for shift in [12, 8, 4, 0] {
                    let digit = char::from_digit((code >> shift) & 0xF, 16).unwrap_or('0');
                    out.push(digit.to_ascii_uppercase());
                }
            }
            _ => out.push(character),
        }
    }
    out
}

/// Characters that a reader of the file could not see, or that change how the line is shown.
pub(super) fn needs_code_point(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
        )
}
