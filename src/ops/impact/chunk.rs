//! A piece of a log: some of its records, whole.

/// The longest record, in bytes. Sign-ins have some kilobytes; what is longer is something else.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

/// Some records of a log.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// Which log, in the order in which they were given.
    pub file: usize,
    /// The bytes of the records.
    pub bytes: Vec<u8>,
    /// Where the records are in it.
    pub layout: Layout,
    /// Records that can't be read for their length or their end.
    pub bad: Vec<Bad>,
}

/// Where the records of a chunk are.
#[derive(Debug, Clone)]
pub enum Layout {
    /// One a line; the number of the first, counted from one.
    Lines(u64),
    /// Each up to its end; the number of the first, counted from one.
    Ends(u64, Vec<usize>),
}

impl Default for Layout {
    fn default() -> Self {
        Self::Lines(1)
    }
}

/// A record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bad {
    /// Which log, in the order in which they were given.
    pub file: usize,
    /// Which line, or which record of a JSON list, counted from one.
    pub number: u64,
    /// Whether it is the number of a line.
    pub is_line: bool,
    /// What is wrong with it.
    pub kind: BadKind,
    /// What is wrong with it, in more words.
    pub why: String,
}

/// What can be wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BadKind {
    /// It ends in the middle.
    Cut,
    /// It is not JSON.
    NotJson,
    /// It is longer than any sign-in.
    TooLong,
    /// It is JSON, but no sign-in.
    NoSignIn,
    /// It names nobody who signs in.
    Nobody,
}

impl BadKind {
    /// Its word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::NotJson => "not_json",
            Self::TooLong => "too_long",
            Self::NoSignIn => "no_sign_in",
            Self::Nobody => "nobody",
        }
    }

    /// What is wrong, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Cut => "it ends in the middle",
            Self::NotJson => "it is not JSON",
            Self::TooLong => "it is longer than 16 MiB",
            Self::NoSignIn => "it is JSON, but no sign-in",
            Self::Nobody => "it names nobody who signs in",
        }
    }
}

impl Chunk {
    /// The records, each with its number.
    pub fn records(&self) -> Box<dyn Iterator<Item = (u64, &[u8])> + '_> {
        match &self.layout {
            Layout::Lines(first) => Box::new(
                Lines { rest: &self.bytes }
                    .zip(*first..)
                    .map(|(line, number)| (number, line)),
            ),
            Layout::Ends(first, ends) => {
                let starts = std::iter::once(0).chain(ends.iter().copied());
                Box::new(
                    starts.zip(ends).zip(*first..).map(|((start, end), number)| {
                        (number, self.bytes.get(start..*end).unwrap_or_default())
                    }),
                )
            }
        }
    }
}

struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        Some(line)
    }
}
