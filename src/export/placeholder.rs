//! Text that stands for a value that somebody shall fill in: `<RING>`, `%Name%`, `REPLACE-WITH-…`.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::reference::is_guid;

/// A piece of text cut at its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// A placeholder with its marks.
    Placeholder(&'a str),
}

fn pattern(source: &str) -> Option<Regex> {
    Regex::new(source).ok()
}

/// A placeholder inside other text.
static INSIDE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?x)
        < [A-Za-z] [^<>\n]* >
        | % [A-Za-z] [A-Za-z0-9_.-]* %
        | \{\{ \s* [A-Za-z0-9_.-]+ \s* \}\}
        | \$\{ \s* [A-Za-z0-9_.-]+ \s* \}
        | \#\{ [A-Za-z0-9_.-]+ \}\#?
        | \b (?: REPLACE | CHANGE | INSERT ) [-_\ ]? (?: WITH | ME | HERE | THIS ) \b [A-Za-z0-9_-]*
        ",
    )
});

/// A text that as a whole is no id and no name, but a request to write one.
static WHOLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?ix)
        ^ (?:
            [0-9a-z]{8} - (?: [0-9a-z]{4} - ){3} [0-9a-z]{12}
            | (?: your | replace | insert | enter | todo | tbd | placeholder ) [-_\ ] .*
            | .* [-_\ ] (?: here | placeholder )
            | placeholder | todo | tbd | xxx+ | \.\.\. | guid | object-?id
            | current\ administrator\ will\ be\ excluded
        ) $
        ",
    )
});

/// Cuts a text at its placeholders.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for found in INSIDE.iter().flat_map(|pattern| pattern.find_iter(text)) {
        if let Some(before) = text.get(from..found.start()).filter(|before| !before.is_empty()) {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Placeholder(found.as_str()));
        from = found.end();
    }
    if let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Whether what stands in the place of an id asks for one to be written there.
pub(super) fn is_placeholder(id: &str) -> bool {
    !is_guid(id)
        && (WHOLE.iter().any(|pattern| pattern.is_match(id))
            || INSIDE.iter().any(|pattern| pattern.is_match(id)))
}

/// The words of a placeholder, without its marks, for a name: `<ExclusionTempGroup>` is
/// `Exclusion Temp Group`.
pub(super) fn words(placeholder: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    let mut letters = placeholder.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_lower = letters.peek().is_some_and(|next| next.is_lowercase());
        let begins_word =
            letter.is_uppercase() && (before.is_lowercase() || (before.is_alphanumeric() && next_is_lower));
        if begins_word {
            words.push(' ');
        }
        words.push(if letter.is_alphanumeric() { letter } else { ' ' });
        before = letter;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_to_be_filled_in_is_told_from_ids_and_names() {
        for text in [
            "<ExclusionTempGroup>",
            "%CA504ExclGroupId%",
            "{{break_glass}}",
            "REPLACE-WITH-BREAK-GLASS-GROUP-ID",
            "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            "602b7044-910a-xxxx-xxxx-bd36ae7d1e1a",
            "your-break-glass-account-id-here",
            "Current administrator will be excluded",
            "<group id>",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "62e90394-69f5-4237-9190-012177145e10",
            "00000000-0000-0000-0000-000000000000",
            "CA-Exclusions",
            "Emergency access accounts",
            "ada@contoso.com",
            "ToU",
            "Example Ltd",
            "AzurePortal",
            "c4",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_at_its_placeholders() {
        assert_eq!(
            pieces("100 - <RING> - Admins %Env%"),
            [
                Piece::Text("100 - "),
                Piece::Placeholder("<RING>"),
                Piece::Text(" - Admins "),
                Piece::Placeholder("%Env%")
            ]
        );
        for text in [
            "a < b and c > d",
            "50% of all, 10% more",
            "Replacement policy",
            "CA001: if <30 days",
        ] {
            assert_eq!(pieces(text), [Piece::Text(text)]);
        }
    }

    #[test]
    fn the_words_of_a_placeholder_make_a_name() {
        for (placeholder, expected) in [
            ("<ExclusionTempGroup>", "Exclusion Temp Group"),
            ("%CA504ExclGroupId%", "CA504 Excl Group Id"),
            ("<RING>", "RING"),
            ("<AADP2Group>", "AADP2 Group"),
            ("REPLACE-WITH-BREAK_GLASS", "REPLACE WITH BREAK GLASS"),
        ] {
            assert_eq!(words(placeholder), expected);
        }
    }
}
