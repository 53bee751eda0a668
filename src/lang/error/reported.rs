//! Problems together with their text, as miette prints them.

use std::fmt;

use miette::LabeledSpan;

use super::{Diagnostic, Label, Severity, Sources};
use crate::syntax::SourceFile;

/// A problem together with the text it is about.
#[derive(Debug)]
pub struct Reported {
    diagnostic: Diagnostic,
    file: Option<SourceFile>,
    elsewhere: Vec<Elsewhere>,
}

impl Reported {
    /// The problem with the files that its labels point into, without the values of sensitive variables.
    pub fn new(diagnostic: Diagnostic, sources: &Sources) -> Self {
        let masks = &sources.masks;
        let diagnostic = masks.diagnostic(diagnostic);
        let file = sources.get(diagnostic.span().file).map(|file| masks.file(file));
        let elsewhere = diagnostic
            .labels
            .iter()
            .filter(|label| label.span.file != diagnostic.span().file)
            .filter_map(|label| {
                Some(Elsewhere {
                    label: label.clone(),
                    file: masks.file(sources.get(label.span.file)?),
                })
            })
            .collect();
        Self {
            diagnostic,
            file,
            elsewhere,
        }
    }

    /// The problem.
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.diagnostic
    }

    /// The file of the culprit, unless it stands in no text.
    pub fn file(&self) -> Option<&SourceFile> {
        self.file.as_ref()
    }
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Reported {}

impl miette::Diagnostic for Reported {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.diagnostic.help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.file.as_ref().map(|file| file as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let file = self.file.as_ref()?.id();
        let mut primary = true;
        Some(Box::new(
            self.diagnostic
                .labels
                .iter()
                .filter(move |label| label.span.file == file)
                .map(move |label| {
                    let text = Some(label.text.clone());
                    if std::mem::take(&mut primary) {
                        LabeledSpan::new_primary_with_span(text, label.span)
                    } else {
                        LabeledSpan::new_with_span(text, label.span)
                    }
                }),
        ))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(
            self.elsewhere
                .iter()
                .map(|other| other as &dyn miette::Diagnostic),
        ))
    }
}

/// A label in another file than the culprit's.
#[derive(Debug)]
struct Elsewhere {
    label: Label,
    file: SourceFile,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label.text)
    }
}

impl std::error::Error for Elsewhere {}

impl miette::Diagnostic for Elsewhere {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            None,
            self.label.span,
        ))))
    }
}
