//! From text to tree and errors: every error of a file, not the first one.
//!
//! A scan cuts the file into statements. Each is read whole; a block that cannot
//! be is cut into its own statements, and so on down, so that an error costs the
//! tree no more than the attribute it is in. What stands between the brackets of
//! such an attribute is read for its other errors. The grammar is asked only to
//! explain what could not be read.

mod elements;

use std::ops::Range;

use super::error::{ERROR_LIMIT, SyntaxError, SyntaxErrorKind};
use super::explain::{Failure, Place};
use super::grammar::Rule;
use super::read::{DEPTH_LIMIT, Reader, Stop, end_of_items, error_at};
use super::scan::{self, Separation, Statement};
use super::span::{FileId, SourceFile, Span};
use super::stack::with_deep_stack;
use super::tree::{Attribute, Block, Body, ItemKind};

/// The most bytes a file may have: 10 MB.
pub const FILE_LIMIT: usize = 10_000_000;

/// The reading of one file. There is always a tree; `errors` says how far to trust it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The file that was read.
    pub file: SourceFile,
    /// Its attributes and blocks. What could not be read is left out, or is an error node.
    pub tree: Body,
    /// What is wrong with it, in the order of the text.
    pub errors: Vec<SyntaxError>,
}

impl SourceFile {
    /// A file from its bytes. A byte-order mark is left out.
    ///
    /// Fails when the bytes are not UTF-8, or are more than [`FILE_LIMIT`].
    pub fn from_bytes(id: FileId, name: &str, bytes: &[u8]) -> Result<Self, SyntaxError> {
        if bytes.len() > FILE_LIMIT {
            let file = Self::new(id, name, "");
            let kind = SyntaxErrorKind::TooLarge {
                size: bytes.len(),
                limit: FILE_LIMIT,
            };
            return Err(SyntaxError::new(&file, Span::new(id, 0, 0), kind));
        }
        if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
            let file = Self::new(id, name, "");
            return Err(SyntaxError::new(
                &file,
                Span::new(id, 0, 0),
                SyntaxErrorKind::Utf16,
            ));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(id, name, text)),
            Err(error) => {
                let offset = error.valid_up_to();
                let before = bytes.get(..offset).unwrap_or_default();
                let line = 1 + before.split(|byte| *byte == b'\n').count().saturating_sub(1);
                let shown = offset - if before.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
                let file = Self::new(id, name, String::from_utf8_lossy(bytes));
                let span = Span::new(id, shown, shown + '\u{FFFD}'.len_utf8());
                let kind = SyntaxErrorKind::NotUtf8 { offset, line };
                Err(SyntaxError::new(&file, span, kind))
            }
        }
    }
}

/// Reads a file. Takes time linear in its size, and stack for the deepest text it accepts.
pub fn parse(file: &SourceFile) -> Parsed {
    with_deep_stack(|| read(file))
}

fn read(file: &SourceFile) -> Parsed {
    let scan = scan::scan_file(file);
    let mut errors = scan.errors;
    let mut reader = Reader::new(file, &scan.comments);
    let whole = Span::new(file.id(), 0, file.text().len());
    let tree = body(
        &mut reader,
        file,
        &scan.statements,
        Separation::Lines,
        whole,
        None,
    );
    errors.append(&mut reader.errors);
    errors.extend(control_character(file));
    if !errors.is_empty()
        && let Some(json) = json(file)
    {
        errors = vec![json];
    }
    errors.sort_by_key(|error| (error.span().start, error.span().end));
    errors.dedup();
    errors.truncate(ERROR_LIMIT);
    Parsed {
        file: file.clone(),
        tree,
        errors,
    }
}

/// The one thing to say of a file that begins as JSON does.
fn json(file: &SourceFile) -> Option<SyntaxError> {
    let at = file.text().find(|c: char| !c.is_whitespace())?;
    let first = file.text().as_bytes().get(at)?;
    let span = Span::new(file.id(), at, at + 1);
    matches!(first, b'{' | b'[').then(|| SyntaxError::new(file, span, SyntaxErrorKind::Json))
}

/// How many bytes are looked through at once.
const PIECE: usize = 256;

/// The first character that belongs in no text; where there is one, there are usually many.
fn control_character(file: &SourceFile) -> Option<SyntaxError> {
    let is_control = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7F;
    let bytes = file.text().as_bytes();
    // Whole pieces first, without leaving early, which the compiler turns into wide steps.
    let clean = |piece: &&[u8]| !piece.iter().fold(false, |found, byte| found | is_control(byte));
    let skipped = PIECE * bytes.chunks(PIECE).take_while(clean).count();
    let at = skipped + bytes.get(skipped..)?.iter().position(is_control)?;
    let code = bytes.get(at).copied().map_or(0, u32::from);
    let span = Span::new(file.id(), at, at + 1);
    Some(SyntaxError::new(
        file,
        span,
        SyntaxErrorKind::ControlCharacter { code },
    ))
}

fn body(
    reader: &mut Reader<'_>,
    file: &SourceFile,
    statements: &[Statement],
    separation: Separation,
    between: Span,
    stopped: Option<usize>,
) -> Body {
    let start = |statement: &Statement| statement.range.start;
    let mut body = reader.start_body(between, statements.first().map(start));
    let mut previous = between.range().start;
    for (index, current) in statements.iter().enumerate() {
        let next = statements.get(index + 1).map_or(between.range().end, start);
        let before = reader.before_item(previous.max(end_of_items(&body)), start(current));
        match statement(reader, file, current, separation, stopped) {
            Some(kind) => body.items.push(reader.item_with_comments(before, kind, next)),
            None => body.comments.extend(before.comments),
        }
        previous = current.range.end;
    }
    reader.finish_body(body)
}

/// Reads a statement. `stopped` is where the reader stopped in the statement around it: no block with that
/// place inside need be tried whole again.
fn statement(
    reader: &mut Reader<'_>,
    file: &SourceFile,
    statement: &Statement,
    separation: Separation,
    stopped: Option<usize>,
) -> Option<ItemKind> {
    let range = statement.range.clone();
    let inside = statement.braces.as_ref();
    let mut deep = None;
    let stopped = if statement.broken {
        None
    } else if let Some(at) = stopped.filter(|at| inside.is_some_and(|inside| inside.contains(at))) {
        Some(at)
    } else {
        match reader.statement(range.clone()) {
            Ok(kind) => return Some(kind),
            Err(Stop::Mismatch) => Some(reader.offset()),
            Err(Stop::TooDeep(at)) => {
                deep = Some(at);
                None
            }
        }
    };
    let errors_before = reader.errors.len();
    let place = Place::of(separation);
    let explained = |at: usize| Failure::of(Rule::statement, file, range.clone(), at);
    let recovered = if let Some((block, inside)) = header(reader, file, statement) {
        let block = (!statement.too_deep)
            .then(|| recover_block(reader, file, statement, inside.clone(), block, stopped));
        // What is wrong inside a block is reported there, unless nothing was found.
        let is_silent = reader.errors.len() == errors_before;
        if let Some(at) = stopped.filter(|at| is_silent || *at < inside.start) {
            reader.push(explained(at).explained(file, place));
        }
        block.map(ItemKind::Block)
    } else {
        if let Some(failure) = stopped.filter(|_| !reader.is_full()).map(explained) {
            elements::read_for_errors(reader, file, range.clone(), failure.at);
            let outside = inside.is_some_and(|inside| failure.at < inside.start);
            if outside || reader.errors.len() == errors_before {
                reader.push(failure.explained(file, place));
            }
        }
        recover_attribute(reader, file, range.clone()).map(ItemKind::Attribute)
    };
    if let Some(at) = deep.filter(|_| reader.errors.len() == errors_before) {
        let kind = SyntaxErrorKind::TooDeep { limit: DEPTH_LIMIT };
        reader.push(SyntaxError::new(file, at, kind));
    }
    recovered
}

/// The kind and labels of a block that cannot be read whole, with an empty body, and where that would be.
fn header(
    reader: &mut Reader<'_>,
    file: &SourceFile,
    statement: &Statement,
) -> Option<(Block, Range<usize>)> {
    let inside = statement.braces.clone()?;
    let range = statement.range.start..inside.start - 1;
    let (kind, labels) = reader.header(range.clone()).ok()?;
    let header = labels.last().map_or(kind.span, |last| kind.span.to(last.span));
    let nothing = Span::new(file.id(), range.end, range.end);
    let block = Block {
        kind,
        labels,
        body: Body {
            opening: None,
            items: Vec::new(),
            comments: Vec::new(),
            span: nothing,
        },
        one_line: false,
        header,
        braces: nothing,
        span: nothing,
    };
    Some((block, inside))
}

fn recover_block(
    reader: &mut Reader<'_>,
    file: &SourceFile,
    statement: &Statement,
    inside: Range<usize>,
    mut block: Block,
    stopped: Option<usize>,
) -> Block {
    let text = file.text().get(inside.clone()).unwrap_or_default();
    let line = text.split('\n').next().unwrap_or_default().trim();
    let over_lines = line.is_empty() || line.starts_with('#') || line.starts_with("//");
    let separation = if over_lines {
        Separation::Lines
    } else {
        Separation::Commas
    };
    let statements = scan::scan_inside(file, inside.clone(), separation, statement.broken);
    let end = statement.range.end.max(inside.end);
    let id = file.id();
    block.one_line = !over_lines;
    block.body = body(
        reader,
        file,
        &statements,
        separation,
        Span::new(id, inside.start, inside.end),
        stopped,
    );
    block.braces = Span::new(id, inside.start - 1, (inside.end + 1).min(end));
    block.span = Span::new(id, statement.range.start, end);
    block
}

/// `name = ` with an error node for its value.
fn recover_attribute(reader: &mut Reader<'_>, file: &SourceFile, range: Range<usize>) -> Option<Attribute> {
    let text = file.text().get(range.clone())?;
    let (before, rest) = text.split_once('=')?;
    let errors = reader.errors.len();
    let header = reader.header(range.start..range.start + before.len());
    reader.errors.truncate(errors);
    let (name, labels) = header.ok()?;
    if !labels.is_empty() {
        return None;
    }
    let value = Span::new(file.id(), range.end - rest.trim_start().len(), range.end);
    Some(Attribute {
        name,
        value: error_at(value),
        span: Span::new(file.id(), range.start, range.end),
    })
}
