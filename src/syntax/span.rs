//! Where text comes from: files, and byte ranges in them.

use std::fmt;
use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Which file of a run a span lies in. Given out by whoever loads the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// The file of nodes that were made by code and stand in no text.
    pub const SYNTHETIC: Self = Self(u32::MAX);
}

/// A range of bytes in one file, end excluded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of a node that stands in no text.
    pub const SYNTHETIC: Self = Self {
        file: FileId::SYNTHETIC,
        start: 0,
        end: 0,
    };

    /// A span from byte offsets. Files are at most 10 MB, so offsets fit; larger ones saturate.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self {
            file,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    /// Whether the other span covers this one.
    pub fn lies_in(self, other: Self) -> bool {
        self.file == other.file && other.start <= self.start && self.end <= other.end
    }

    /// From the start of this span to the end of the other.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Whether the node was made by code and stands in no text.
    pub fn is_synthetic(self) -> bool {
        self.file == FileId::SYNTHETIC
    }

    /// The bytes as a range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_synthetic() {
            f.write_str("-")
        } else {
            write!(f, "{}:{}-{}", self.file.0, self.start, self.end)
        }
    }
}

impl From<Span> for SourceSpan {
    fn from(span: Span) -> Self {
        let range = span.range();
        SourceSpan::new(range.start.into(), range.len())
    }
}

/// One file's text under the name a person knows it by. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    id: FileId,
    name: Arc<str>,
    text: Arc<str>,
}

impl SourceFile {
    /// A file whose text is at hand. A byte-order mark is left out; spans count without it.
    pub fn new(id: FileId, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => Arc::from(rest),
            None => text,
        };
        Self {
            id,
            name: name.into(),
            text,
        }
    }

    /// Its id in this run.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The name shown in messages, usually a path relative to where the command ran.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text, without a byte-order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text under a span; empty when the span does not lie in this file.
    pub fn slice(&self, span: Span) -> &str {
        if span.file == self.id {
            self.text.get(span.range()).unwrap_or_default()
        } else {
            ""
        }
    }

    /// Line and column of a byte, both counted from one, columns in characters.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(..end).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        (line, column)
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {})", self.id.0, self.name)
    }
}

impl SourceCode for SourceFile {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        if inner
            .data()
            .split(|byte| *byte == b'\n')
            .any(|line| line.len() > SHOWN_LINE)
        {
            return Ok(Box::new(self.clipped(span)));
        }
        Ok(Box::new(self.named(
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

/// The longest line that is shown whole, in bytes.
const SHOWN_LINE: usize = 400;
/// How much is shown on either side of a place in a longer one.
const SHOWN_AROUND: usize = 60;

impl SourceFile {
    fn named<'a>(
        &self,
        data: &'a [u8],
        span: SourceSpan,
        line: usize,
        column: usize,
        lines: usize,
    ) -> MietteSpanContents<'a> {
        MietteSpanContents::new_named(self.name.to_string(), data, span, line, column, lines)
    }

    /// A place with a little of what stands around it on its line.
    fn clipped(&self, span: &SourceSpan) -> MietteSpanContents<'_> {
        let bytes = self.text.as_bytes();
        let boundary = |mut at: usize| {
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let end = (span.offset() + span.len().min(SHOWN_LINE)).min(bytes.len());
        let before = bytes.get(..span.offset()).unwrap_or_default();
        let after = bytes.get(end..).unwrap_or_default();
        let left = before
            .iter()
            .rev()
            .take(SHOWN_AROUND)
            .take_while(|byte| **byte != b'\n')
            .count();
        let right = after
            .iter()
            .take(SHOWN_AROUND)
            .take_while(|byte| **byte != b'\n')
            .count();
        let start = boundary(span.offset() - left);
        let end = boundary(end + right);
        let (line, column) = self.line_column(u32::try_from(start).unwrap_or(u32::MAX));
        let data = bytes.get(start..end).unwrap_or_default();
        self.named(data, (start, end - start).into(), line - 1, column - 1, 1)
    }
}
