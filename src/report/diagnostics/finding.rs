//! One thing that is wrong, with everything that is shown of it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};

use super::super::visible::{hides, visible};

/// The part of a file that a finding points into. Places count from the start of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What people call it: a path.
    pub name: String,
    /// The part's text, every character that hides or turns text replaced by one as long.
    pub text: Arc<str>,
    /// The byte of the file with which the part begins.
    pub start: usize,
    /// The line on which it begins, from zero.
    pub line: usize,
    /// The character of that line with which it begins, from zero.
    pub column: usize,
}

/// One thing that is wrong. Owns its texts, and has made them visible.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its code: `lang::unknown_symbol`.
    pub code: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Why, from the nearest cause to the last.
    pub cause: Option<Box<Cause>>,
    /// What to do.
    pub help: Option<String>,
    /// The places; the first one is the one to look at.
    pub labels: Vec<LabeledSpan>,
    /// The file that the places are in.
    pub source: Option<Source>,
    /// What belongs to it, in other files.
    pub related: Vec<Finding>,
}

/// Why something is wrong.
#[derive(Debug, Clone)]
pub struct Cause {
    message: String,
    next: Option<Box<Cause>>,
}

impl Finding {
    /// Everything that a diagnostic says: one finding, or one for each that it bundles.
    ///
    /// A bundle is a diagnostic without code and place of its own that has others.
    pub fn all_of(diagnostic: &dyn Diagnostic) -> Vec<Self> {
        let bundles = diagnostic.code().is_none()
            && diagnostic
                .labels()
                .is_none_or(|mut labels| labels.next().is_none());
        let parts: Vec<Self> = match diagnostic.related() {
            Some(related) if bundles => related.flat_map(Self::all_of).collect(),
            _ => Vec::new(),
        };
        if parts.is_empty() {
            vec![Self::of(diagnostic)]
        } else {
            parts
        }
    }

    /// A diagnostic as one finding.
    pub fn of(diagnostic: &dyn Diagnostic) -> Self {
        let source = diagnostic.source_code();
        Self::within(diagnostic, source)
    }

    fn within(diagnostic: &dyn Diagnostic, parent: Option<&dyn SourceCode>) -> Self {
        let code = diagnostic.source_code().or(parent);
        let mut labels: Vec<LabeledSpan> = diagnostic.labels().into_iter().flatten().collect();
        // Stable: the order of the diagnostic, but the primary one first; without one, the first is.
        labels.sort_by_key(|label| !label.primary());
        let source = code.and_then(|code| Source::around(code, &labels));
        let labels: Vec<LabeledSpan> = labels
            .iter()
            .enumerate()
            .map(|(at, label)| shown_label(label, at == 0))
            .map(|label| {
                source
                    .as_ref()
                    .map_or_else(|| label.clone(), |source| source.clipped(&label))
            })
            .collect();
        Self {
            severity: diagnostic.severity().unwrap_or(Severity::Error),
            code: diagnostic.code().map(|code| visible(&code.to_string())),
            message: visible_lines(&diagnostic.to_string()),
            cause: causes(diagnostic),
            help: diagnostic.help().map(|help| visible_lines(&help.to_string())),
            source,
            labels,
            related: diagnostic
                .related()
                .into_iter()
                .flatten()
                .map(|related| Self::within(related, code))
                .collect(),
        }
    }

    /// A finding that lies nowhere: an error of the outer world, a warning of a plan.
    pub fn plain(severity: Severity, code: Option<&str>, message: &str, help: Option<&str>) -> Self {
        Self {
            severity,
            code: code.map(visible),
            message: visible_lines(message),
            cause: None,
            help: help.map(visible_lines),
            labels: Vec::new(),
            source: None,
            related: Vec::new(),
        }
    }

    /// The same, pointing into a file at `start..end`, in bytes. An end before the start is the start.
    #[must_use]
    pub fn at(mut self, source: &Source, start: usize, end: usize, label: Option<&str>) -> Self {
        let span = SourceSpan::new(start.into(), end.saturating_sub(start));
        let label = LabeledSpan::new_with_span(label.map(str::to_owned), span);
        self.labels.push(shown_label(&label, self.labels.is_empty()));
        self.source = Some(source.clone());
        self
    }

    /// The same with something that belongs to it elsewhere.
    #[must_use]
    pub fn with_related(mut self, related: Self) -> Self {
        self.related.push(related);
        self
    }

    /// File and byte of the place to look at.
    pub fn place(&self) -> Option<(&str, usize)> {
        Some((self.source.as_ref()?.name.as_str(), self.labels.first()?.offset()))
    }

    /// The causes, from the nearest to the last.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(self.cause.as_deref(), |cause| cause.next.as_deref())
            .map(|cause| cause.message.as_str())
    }
}

fn shown_label(label: &LabeledSpan, is_primary: bool) -> LabeledSpan {
    let text = label.label().map(visible);
    let span = *label.inner();
    if is_primary {
        LabeledSpan::new_primary_with_span(text, span)
    } else {
        LabeledSpan::new_with_span(text, span)
    }
}

/// The causes that say more than what is above them.
fn causes(diagnostic: &dyn Diagnostic) -> Option<Box<Cause>> {
    let mut messages: Vec<String> = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = match diagnostic.diagnostic_source() {
        Some(inner) => {
            messages.push(visible_lines(&inner.to_string()));
            inner.source()
        }
        None => diagnostic.source(),
    };
    let said = diagnostic.to_string();
    while let Some(cause) = next {
        messages.push(visible_lines(&cause.to_string()));
        next = cause.source();
    }
    messages
        .into_iter()
        .filter(|message| !said.contains(message.as_str()))
        .rev()
        .fold(None, |next, message| Some(Box::new(Cause { message, next })))
}

/// Visible, but line by line as it was written.
fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

impl Source {
    /// A file whose text is at hand.
    pub fn new(name: &str, text: &str) -> Self {
        let text: String = text.chars().map(stand_in).collect();
        Self {
            name: visible(name),
            text: text.into(),
            start: 0,
            line: 0,
            column: 0,
        }
    }

    /// What is around the labels: a large file is not copied for each of its mistakes.
    fn around(code: &dyn SourceCode, labels: &[LabeledSpan]) -> Option<Self> {
        let start = labels.iter().map(LabeledSpan::offset).min()?;
        let end = labels.iter().map(|label| label.offset() + label.len()).max()?;
        let contents = code
            .read_span(&(start, end - start).into(), CONTEXT_LINES, CONTEXT_LINES)
            .ok()?;
        let text = String::from_utf8_lossy(contents.data());
        Some(Self {
            start: contents.span().offset(),
            line: contents.line(),
            column: contents.column(),
            ..Self::new(contents.name().unwrap_or_default(), &text)
        })
    }

    /// The label as far as it lies in the part.
    fn clipped(&self, label: &LabeledSpan) -> LabeledSpan {
        let last = self.start + self.text.len();
        let start = label.offset().clamp(self.start, last);
        let end = (label.offset() + label.len()).clamp(start, last);
        let (text, span) = (label.label().map(str::to_owned), (start, end - start));
        if label.primary() {
            LabeledSpan::new_primary_with_span(text, span)
        } else {
            LabeledSpan::new_with_span(text, span)
        }
    }

    /// Where a byte of the file lies in the part.
    pub(super) fn within(&self, byte: usize) -> usize {
        byte.saturating_sub(self.start).min(self.text.len())
    }
}

/// How many lines are shown above and below what a label is about.
pub(super) const CONTEXT_LINES: usize = 1;

/// A visible character that takes as many bytes, so that places stay where they are.
fn stand_in(c: char) -> char {
    match (c, c.len_utf8()) {
        ('\n' | '\r' | '\t', _) => c,
        (c, 1) if hides(c) => '?',
        (c, 2) if hides(c) => '\u{bf}',
        (c, 3) if hides(c) => '\u{fffd}',
        (c, _) if hides(c) => '\u{10330}',
        (c, _) => c,
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span
            .offset()
            .checked_sub(self.start)
            .ok_or(MietteError::OutOfBounds)?;
        let inner = self.text.read_span(&(start, span.len()).into(), before, after)?;
        let column = if inner.line() == 0 { self.column } else { 0 };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            (inner.span().offset() + self.start, inner.span().len()).into(),
            inner.line() + self.line,
            inner.column() + column,
            inner.line_count(),
        )))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Finding {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code
            .as_ref()
            .map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        // Without a text there is nothing to point into.
        self.source.as_ref()?;
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        (!self.related.is_empty()).then(|| {
            Box::new(self.related.iter().map(|related| related as &dyn Diagnostic))
                as Box<dyn Iterator<Item = _>>
        })
    }
}
