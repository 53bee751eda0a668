//! Lines of text whose parts have a role, and how they are laid out in a width.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::visible::visible;

/// What a piece of text is for. Its colour is decided here and nowhere else; the text must say the
/// same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// The start of a section.
    Heading,
    /// What is or gets there.
    Added,
    /// What becomes something else.
    Changed,
    /// What goes.
    Removed,
    /// What wants to be looked at.
    Warning,
    /// What is wrong.
    Error,
    /// What is only there for those who look for it.
    Muted,
}

impl Role {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Added => AnsiColor::Green.on_default(),
            Self::Changed => AnsiColor::Yellow.on_default(),
            Self::Removed => AnsiColor::Red.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default().bold(),
            Self::Error => AnsiColor::Red.on_default().bold(),
            Self::Muted => Style::new().dimmed(),
        }
    }

    /// The text in the colour of the role, if there is colour.
    pub fn paint(self, text: &str, color: bool) -> String {
        let style = self.style();
        if !color || style.is_plain() || text.is_empty() {
            return text.to_owned();
        }
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}

/// How many bytes of a page are laid out before they are handed on.
const SOME: usize = 1 << 16;

/// A space at which no line ends. It never comes from outside: there it is made visible.
const GLUE: &str = "\u{a0}";

/// Text whose parts have a role. Whatever is added is made visible first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    text: String,
    /// The role of each part, and where it ends.
    parts: Vec<(Role, usize)>,
}

impl Text {
    /// Ordinary text.
    pub fn plain(text: &str) -> Self {
        Self::default().with(Role::Plain, text)
    }

    /// Text in a role.
    pub fn of(role: Role, text: &str) -> Self {
        Self::default().with(role, text)
    }

    /// The same with more at its end.
    #[must_use]
    pub fn with(mut self, role: Role, text: &str) -> Self {
        self.push(role, text);
        self
    }

    /// Adds to its end.
    pub fn push(&mut self, role: Role, text: &str) {
        self.add(role, &visible(text));
    }

    /// Adds text that is not broken over lines where it fits one.
    pub fn push_whole(&mut self, role: Role, text: &str) {
        self.add(role, &visible(text).replace(' ', GLUE));
    }

    fn add(&mut self, role: Role, text: &str) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.parts.last_mut() {
            Some((last, ends)) if *last == role => *ends = end,
            _ => self.parts.push((role, end)),
        }
    }

    /// The parts with their roles.
    fn parts(&self) -> impl Iterator<Item = (Role, &str)> {
        let mut start = 0;
        self.parts.iter().map(move |(role, end)| {
            let part = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            (*role, part)
        })
    }

    /// Adds another text to its end.
    pub fn append(&mut self, other: Self) {
        for (role, part) in other.parts() {
            self.add(role, part);
        }
    }

    /// How many columns it takes on one line.
    pub fn width(&self) -> usize {
        self.parts().map(|(_, part)| part.width()).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text without its roles.
    pub fn bare(&self) -> String {
        self.text.replace(GLUE, " ")
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(&text)
    }
}

/// What a page is laid out on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    /// Columns.
    pub width: usize,
    /// Whether there is colour.
    pub color: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    indent: usize,
    hang: usize,
    text: Text,
}

/// Lines to be read from top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    lines: Vec<Line>,
}

impl Page {
    /// Adds a line that begins after `indent` columns and goes on after as many.
    pub fn line(&mut self, indent: usize, text: impl Into<Text>) {
        self.hanging(indent, indent, text);
    }

    /// Adds a line that begins after `indent` columns and goes on after `hang`.
    pub fn hanging(&mut self, indent: usize, hang: usize, text: impl Into<Text>) {
        self.lines.push(Line {
            indent,
            hang,
            text: text.into(),
        });
    }

    /// Adds an empty line, unless there is one or nothing is above it.
    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.text.is_empty()) {
            self.line(0, Text::default());
        }
    }

    /// Adds lines of a table: the first column padded to the widest cell, up to `widest` columns.
    /// A row without a label goes on with the one above it.
    pub fn rows(&mut self, indent: usize, widest: usize, rows: Vec<(Text, Text)>) {
        let column = rows
            .iter()
            .map(|(label, _)| label.width())
            .filter(|width| *width <= widest)
            .max()
            .unwrap_or(0);
        for (mut label, rest) in rows {
            let gap = column.saturating_sub(label.width()) + 2;
            label.push(Role::Plain, &" ".repeat(gap));
            label.append(rest);
            self.hanging(indent, indent + column + 2, label);
        }
    }

    /// Adds the lines of another page.
    pub fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    /// Whether there is nothing on it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The page as text; every line ends with a newline and none is wider than the canvas.
    pub fn render(&self, canvas: Canvas) -> String {
        let mut all = String::new();
        self.render_to(canvas, |some| all.push_str(some));
        all
    }

    /// The same, some lines at a time.
    pub fn render_to(&self, canvas: Canvas, mut take: impl FnMut(&str)) {
        let mut some = String::new();
        for line in &self.lines {
            Layout::new(canvas, line.hang).lay(line, &mut some);
            if some.len() > SOME {
                take(&some);
                some.clear();
            }
        }
        take(&some);
    }
}

/// A run of text without a space in it, with the spaces before it.
struct Word<'a> {
    spaces: usize,
    parts: Vec<(Role, &'a str)>,
}

impl Word<'_> {
    fn width(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.width()).sum()
    }
}

fn words(text: &Text) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut spaces = 0;
    let mut fresh = true;
    for (role, span) in text.parts() {
        for (at, part) in span.split(' ').enumerate() {
            if at > 0 {
                spaces += 1;
                fresh = true;
            }
            if part.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some(word) if !fresh => word.parts.push((role, part)),
                _ => words.push(Word {
                    spaces,
                    parts: vec![(role, part)],
                }),
            }
            (fresh, spaces) = (false, 0);
        }
    }
    words
}

/// The letters of a text, each with the marks behind it, which may make it wider.
fn letters(text: &str) -> Vec<&str> {
    let begins = |(at, c): &(usize, char)| *at == 0 || c.width() != Some(0);
    let starts: Vec<usize> = text.char_indices().filter(begins).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| text.get(*start..end))
        .collect()
}

/// Puts words on lines.
struct Layout {
    canvas: Canvas,
    hang: usize,
    at: usize,
    begun: bool,
    run: Option<(Role, String)>,
}

impl Layout {
    fn new(canvas: Canvas, hang: usize) -> Self {
        // Too narrow a canvas leaves no room beside the indent; then there is none.
        let hang = if hang * 2 > canvas.width { 2 } else { hang };
        Self {
            canvas,
            hang,
            at: 0,
            begun: false,
            run: None,
        }
    }

    fn lay(mut self, line: &Line, out: &mut String) {
        self.indent(line.indent.min(self.hang.max(line.indent)), out);
        for word in words(&line.text) {
            self.word(&word, out);
        }
        self.flush(out);
        // An indent without a word is no text.
        let kept = out.trim_end_matches(' ').len();
        out.truncate(kept);
        out.push('\n');
    }

    fn indent(&mut self, columns: usize, out: &mut String) {
        out.push_str(&" ".repeat(columns));
        self.at = columns;
        self.begun = false;
    }

    fn word(&mut self, word: &Word<'_>, out: &mut String) {
        let width = word.width();
        let room = self.canvas.width.saturating_sub(self.hang).max(1);
        // A word that fits no line at all is begun here, if there is room for some of it.
        let needed = if width <= room { width } else { 2 };
        if self.begun && self.at + word.spaces + needed > self.canvas.width {
            self.wrap(out);
        } else if word.spaces > 0 {
            let role = self.run.as_ref().map_or(Role::Plain, |(role, _)| *role);
            self.put(role, &" ".repeat(word.spaces), out);
            self.at += word.spaces;
        }
        for (role, part) in &word.parts {
            if self.at + part.width() <= self.canvas.width {
                self.put(*role, part, out);
                self.at += part.width();
                continue;
            }
            for letter in letters(part) {
                let width = letter.width();
                if self.begun && self.at + width > self.canvas.width {
                    self.wrap(out);
                }
                self.put(*role, letter, out);
                self.at += width;
            }
        }
    }

    fn wrap(&mut self, out: &mut String) {
        self.flush(out);
        out.push('\n');
        self.indent(self.hang, out);
    }

    /// Collects what has one role, so that a colour is switched on once.
    fn put(&mut self, role: Role, text: &str, out: &mut String) {
        match &mut self.run {
            Some((current, run)) if *current == role => run.push_str(text),
            _ => {
                self.flush(out);
                self.run = Some((role, text.to_owned()));
            }
        }
        self.begun = true;
    }

    fn flush(&mut self, out: &mut String) {
        if let Some((role, run)) = self.run.take() {
            let kept = run.trim_end_matches(' ');
            out.push_str(&role.paint(&kept.replace(GLUE, " "), self.canvas.color));
            out.push_str(run.get(kept.len()..).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NARROW: Canvas = Canvas {
        width: 20,
        color: false,
    };

    #[test]
    fn long_lines_go_on_under_their_hanging_indent() {
        let mut page = Page::default();
        page.hanging(2, 6, "one two three four five six");
        assert_eq!(page.render(NARROW), "  one two three four\n      five six\n");
    }

    #[test]
    fn a_word_too_long_for_any_line_is_broken_by_columns_not_bytes() {
        let mut page = Page::default();
        page.line(0, "東京都新宿区西新宿二丁目八番一号");
        assert_eq!(page.render(NARROW), "東京都新宿区西新宿二\n丁目八番一号\n");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let mut page = Page::default();
        page.line(
            0,
            Text::of(Role::Added, "+ one").with(Role::Removed, " - two three four five"),
        );
        let plain = page.render(NARROW);
        let colored = page.render(Canvas {
            color: true,
            ..NARROW
        });
        assert_ne!(plain, colored);
        let mut bare = String::new();
        let mut escape = false;
        for c in colored.chars() {
            match (escape, c) {
                (false, '\u{1b}') => escape = true,
                (true, 'm') => escape = false,
                (false, c) => bare.push(c),
                (true, _) => {}
            }
        }
        assert_eq!(bare, plain);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_canvas_and_no_letter_is_lost(text in "\\PC{0,200}", width in 12usize..100, hang in 0usize..30) {
            let mut page = Page::default();
            page.hanging(0, hang, text.as_str());
            let shown = page.render(Canvas { width, color: false });
            for line in shown.lines() {
                prop_assert!(line.width() <= width, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&shown), letters(&super::super::visible::visible(&text)));
        }
    }
}
