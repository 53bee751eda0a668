//! Where the records of a JSON list begin and end, byte by byte and in whatever pieces it comes.

/// How a log is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One record a line.
    Lines,
    /// A list, bare or wrapped, or objects over several lines.
    Elements,
}

/// The members that wrap a list of sign-ins: Graph's and Azure's.
const LISTS: [&[u8]; 2] = [b"value", b"records"];

/// Tells how a log is laid out from how it begins.
pub(super) fn shape(beginning: &[u8]) -> Shape {
    let mut rest = beginning.trim_ascii_start().iter().copied().peekable();
    if rest.peek() != Some(&b'{') {
        return if rest.peek() == Some(&b'[') {
            Shape::Elements
        } else {
            Shape::Lines
        };
    }
    let mut scan = Scan::default();
    while let Some(byte) = rest.next() {
        let in_text = scan.in_text;
        scan.step(byte);
        if scan.list.is_some_and(|depth| depth > 0) {
            return Shape::Elements;
        }
        if byte == b'\n' {
            // A line that is cut is followed by the next record, an object over several lines by a member of it.
            let goes_on = !in_text && scan.depth > 0 && rest.peek().is_some_and(|next| *next != b'{');
            return if goes_on { Shape::Elements } else { Shape::Lines };
        }
    }
    Shape::Lines
}

/// What a byte means for the record that it stands in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    /// It is the first of a record.
    pub(super) begins: bool,
    /// A record ends, with it or before it.
    pub(super) ends: Option<bool>,
}

/// Where in a JSON document one is.
#[derive(Debug, Clone, Default)]
pub(super) struct Scan {
    depth: usize,
    /// How deep the items of the list are, once one is in it.
    list: Option<usize>,
    in_text: bool,
    is_escaped: bool,
    /// The last text at the depth of the document's own members.
    text: Vec<u8>,
    in_item: bool,
    /// Whether the object at the top may be a record itself.
    is_record: bool,
}

impl Scan {
    /// A list may be in an object; objects without one are records themselves.
    pub(super) fn of(beginning: &[u8]) -> Self {
        let mut scan = Self::default();
        let wraps = beginning.iter().any(|byte| {
            scan.step(*byte);
            scan.list.is_some_and(|depth| depth > 0)
        });
        Self {
            is_record: !wraps,
            ..Self::default()
        }
    }

    /// Whether it is within a record.
    pub(super) fn is_within(&self) -> bool {
        self.in_item
    }

    /// Whether something is open.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0 || self.in_text
    }

    /// How many of these bytes are inside of a text and change nothing.
    pub(super) fn passes_over(&self, bytes: &[u8]) -> usize {
        if self.in_text && !self.is_escaped && self.depth > 1 {
            memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len())
        } else {
            0
        }
    }

    /// Takes the next byte.
    pub(super) fn step(&mut self, byte: u8) -> Step {
        let mut step = Step::default();
        if self.in_text {
            self.within_text(byte);
            return step;
        }
        let is_item_depth = self.list == Some(self.depth);
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return step,
            b',' if is_item_depth => {
                step.ends = self.in_item.then_some(false);
                self.in_item = false;
                return step;
            }
            b']' if is_item_depth && self.depth > 0 => {
                step.ends = self.in_item.then_some(false);
                (self.in_item, self.list) = (false, None);
                self.depth -= 1;
                return step;
            }
            _ => {}
        }
        if self.depth == 0 && self.list.is_none() {
            match byte {
                b'[' => {
                    (self.depth, self.list) = (1, Some(1));
                    return step;
                }
                b'{' if !self.is_record => {
                    self.depth = 1;
                    return step;
                }
                _ => {}
            }
        }
        let at_top = self.depth == 0 && self.list.is_none();
        if (is_item_depth || at_top) && !self.in_item {
            self.in_item = true;
            step.begins = true;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.text.clear();
            }
            b'[' if self.depth == 1
                && self.list.is_none()
                && !self.in_item
                && LISTS.contains(&self.text.as_slice()) =>
            {
                (self.depth, self.list) = (2, Some(2));
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 && self.list.is_none() && self.in_item {
                    self.in_item = false;
                    step.ends = Some(true);
                }
            }
            _ => {}
        }
        step
    }

    fn within_text(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => {
                self.in_text = false;
                return;
            }
            _ => {}
        }
        if self.depth == 1 && self.text.len() < 16 {
            self.text.push(byte);
        }
    }
}
