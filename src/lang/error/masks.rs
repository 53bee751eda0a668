//! Values of sensitive variables, kept out of what is told about them.

use std::sync::Arc;

use super::{Diagnostic, Label};
use crate::syntax::SourceFile;

/// A shorter text is no secret, and would hide common words.
const SHORTEST: usize = 6;

/// Texts that nobody may see, the longest first.
#[derive(Clone, Default)]
pub(super) struct Masks(Arc<Vec<String>>);

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Masks {
    /// Takes in a value as it was written, with the texts inside it.
    pub(super) fn add(&mut self, written: &str) {
        let mut all = self.0.to_vec();
        let pieces = written.split(['"', '[', ']', '{', '}', ',', '\n']);
        for piece in pieces.clone().chain([written]) {
            let value = piece.rsplit_once(" = ").map_or(piece, |(_, value)| value);
            for text in [piece.trim(), value.trim()] {
                if text.chars().count() >= SHORTEST && !all.iter().any(|known| known == text) {
                    all.push(text.to_owned());
                }
            }
        }
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        self.0 = Arc::new(all);
    }

    /// The problem without the values.
    pub(super) fn diagnostic(&self, diagnostic: Diagnostic) -> Diagnostic {
        if self.0.is_empty() {
            return diagnostic;
        }
        let hidden = |text: &str| {
            let hide = |text: String, secret: &String| text.replace(secret, "(sensitive)");
            self.0.iter().fold(text.to_owned(), hide)
        };
        Diagnostic {
            message: hidden(&diagnostic.message),
            help: hidden(&diagnostic.help),
            labels: diagnostic
                .labels
                .iter()
                .map(|label| Label {
                    span: label.span,
                    text: hidden(&label.text),
                })
                .collect(),
            ..diagnostic
        }
    }

    /// The file with stars in the place of the values, as long as they are so that spans still fit.
    pub(super) fn file(&self, file: &SourceFile) -> SourceFile {
        if !self.0.iter().any(|secret| file.text().contains(secret)) {
            return file.clone();
        }
        let stars = |text: String, secret: &String| text.replace(secret, &"*".repeat(secret.len()));
        let text = self.0.iter().fold(file.text().to_owned(), stars);
        SourceFile::new(file.id(), file.name(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::error::Code;
    use crate::syntax::{FileId, Span};

    #[test]
    fn a_value_and_the_texts_inside_it_are_hidden_and_short_words_are_not() {
        let mut masks = Masks::default();
        masks.add("{ a = \"first one\", b = [\"second\", \"a\"], c = true }");
        let file = SourceFile::new(FileId(0), "x", "key = \"first one\" # å\n");
        assert_eq!(masks.file(&file).text(), "key = \"*********\" # å\n");
        let told = Diagnostic::error(
            Code::WrongType,
            Span::SYNTHETIC,
            "`second` is true",
            "not first one",
        );
        let told = masks.diagnostic(told);
        assert_eq!(told.message, "`(sensitive)` is true");
        assert_eq!(told.help, "not (sensitive)");
        assert_eq!(format!("{masks:?}"), "…");
    }
}
