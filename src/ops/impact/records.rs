//! A log cut into its records, without reading more of it than a few chunks at a time.

use std::io::Read;

use super::chunk::{Bad, BadKind, Chunk, LONGEST, Layout};
use super::scan::{Scan, Shape, shape};

/// How many bytes of a log are handed on at once.
const CHUNK: usize = 1024 * 1024;
/// How much of a log is looked at to tell how it is laid out.
const LOOK: usize = 64 * 1024;

/// The records of one log.
pub struct Records<R> {
    from: R,
    file: usize,
    /// Read, and not handed on yet.
    held: Vec<u8>,
    is_at_end: bool,
    state: State,
}

enum State {
    Unknown,
    Lines {
        /// The number of the next line.
        next: u64,
        /// Whether the rest of a line that is too long is being passed over.
        skipping: bool,
    },
    Elements {
        scan: Scan,
        /// The number of the next record.
        next: u64,
        /// How much of what is held has been looked at.
        seen: usize,
        /// Whether the rest of a record that is too long is being passed over.
        skipping: bool,
    },
}

impl<R: Read> Records<R> {
    /// The records of a log; `file` tells which one it is.
    pub fn new(from: R, file: usize) -> Self {
        Self {
            from,
            file,
            held: Vec::new(),
            is_at_end: false,
            state: State::Unknown,
        }
    }

    /// The next records; none at the end. A log whose compression is broken ends there, and the break is a bad record.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        if matches!(self.state, State::Unknown) {
            let broken = self.fill(LOOK).err();
            let text = self.held.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec);
            if let Some(text) = text {
                self.held = text;
            }
            self.state = match shape(&self.held) {
                Shape::Lines => State::Lines {
                    next: 1,
                    skipping: false,
                },
                Shape::Elements => State::Elements {
                    scan: Scan::of(&self.held),
                    next: 1,
                    seen: 0,
                    skipping: false,
                },
            };
            if let Some(error) = broken {
                return Some(self.broken(&error));
            }
        }
        match self.state {
            State::Elements { .. } => self.elements(),
            _ => self.lines(),
        }
    }

    /// Reads until so much is held, or the log ends.
    fn fill(&mut self, wanted: usize) -> std::io::Result<()> {
        while self.held.len() < wanted && !self.is_at_end {
            let missing = u64::try_from(wanted - self.held.len()).unwrap_or(u64::MAX);
            let read = self.from.by_ref().take(missing).read_to_end(&mut self.held);
            match read {
                Ok(0) => self.is_at_end = true,
                Ok(_) => {}
                Err(error) => {
                    self.is_at_end = true;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn bad(&self, number: u64, kind: BadKind, why: &str) -> Bad {
        Bad {
            file: self.file,
            number,
            is_line: !matches!(self.state, State::Elements { .. }),
            kind,
            why: why.to_owned(),
        }
    }

    fn number(&self) -> u64 {
        match &self.state {
            State::Unknown => 1,
            State::Lines { next, .. } | State::Elements { next, .. } => *next,
        }
    }

    /// A log that can't be read to its end.
    fn broken(&mut self, error: &std::io::Error) -> Chunk {
        let lines = memchr::memchr_iter(b'\n', &self.held).count();
        let number = self.number() + u64::try_from(lines).unwrap_or_default();
        Chunk {
            file: self.file,
            bad: vec![self.bad(
                number,
                BadKind::Cut,
                &format!("the file can't be read further: {error}"),
            )],
            ..Chunk::default()
        }
    }

    fn lines(&mut self) -> Option<Chunk> {
        let mut wanted = CHUNK;
        loop {
            let broken = self.fill(wanted).err();
            let State::Lines { next, skipping } = &mut self.state else {
                return None;
            };
            if *skipping {
                match memchr::memchr(b'\n', &self.held) {
                    Some(end) => {
                        self.held.drain(..=end);
                        *skipping = false;
                        *next += 1;
                    }
                    None => self.held.clear(),
                }
                if self.held.is_empty() && self.is_at_end {
                    return None;
                }
                continue;
            }
            if let Some(error) = broken {
                return Some(self.broken(&error));
            }
            let first = *next;
            let whole = match memchr::memrchr(b'\n', &self.held) {
                Some(end) => end + 1,
                None if self.is_at_end => self.held.len(),
                None if self.held.len() > LONGEST => {
                    *skipping = true;
                    self.held.clear();
                    let bad = self.bad(first, BadKind::TooLong, BadKind::TooLong.sentence());
                    return Some(Chunk {
                        file: self.file,
                        bad: vec![bad],
                        ..Chunk::default()
                    });
                }
                None => {
                    wanted = self.held.len() * 2;
                    continue;
                }
            };
            if whole == 0 {
                return None;
            }
            let rest = self.held.split_off(whole);
            let bytes = std::mem::replace(&mut self.held, rest);
            *next += u64::try_from(memchr::memchr_iter(b'\n', &bytes).count()).unwrap_or_default();
            return Some(Chunk {
                file: self.file,
                bytes,
                layout: Layout::Lines(first),
                bad: Vec::new(),
            });
        }
    }

    fn elements(&mut self) -> Option<Chunk> {
        let mut chunk = Chunk {
            file: self.file,
            layout: Layout::Ends(self.number(), Vec::new()),
            ..Chunk::default()
        };
        loop {
            let mut broken = None;
            if self.held.len() < CHUNK || self.seen() >= self.held.len() {
                broken = self.fill(self.held.len() + CHUNK).err();
            }
            let State::Elements {
                scan,
                next,
                seen,
                skipping,
            } = &mut self.state
            else {
                return None;
            };
            let Layout::Ends(_, ends) = &mut chunk.layout else {
                return None;
            };
            let mut start = 0;
            let mut too_long = false;
            loop {
                *seen += scan.passes_over(self.held.get(*seen..).unwrap_or_default());
                let Some(byte) = self.held.get(*seen) else { break };
                let step = scan.step(*byte);
                *seen += 1;
                if step.begins {
                    start = *seen - 1;
                }
                if let Some(ends_with_it) = step.ends {
                    let end = if ends_with_it { *seen } else { *seen - 1 };
                    let element = self.held.get(start..end).unwrap_or_default().trim_ascii();
                    if !std::mem::take(skipping) && !element.is_empty() {
                        chunk.bytes.extend_from_slice(element);
                        ends.push(chunk.bytes.len());
                        *next += 1;
                    }
                    start = *seen;
                    if chunk.bytes.len() >= CHUNK {
                        break;
                    }
                }
            }
            // What is held further is the beginning of the next record at most.
            self.held.drain(..start.min(self.held.len()));
            *seen -= start;
            if !scan.is_within() || *skipping {
                self.held.drain(..(*seen).min(self.held.len()));
                *seen = 0;
            } else if self.held.len() > LONGEST {
                self.held.clear();
                *seen = 0;
                *skipping = true;
                too_long = true;
            }
            let number = *next;
            let is_done = self.is_at_end && *seen >= self.held.len();
            let is_cut = is_done && scan.is_open() && !*skipping;
            if too_long {
                *next += 1;
                chunk
                    .bad
                    .push(self.bad(number, BadKind::TooLong, BadKind::TooLong.sentence()));
                return Some(chunk);
            }
            if let Some(error) = broken {
                chunk.bad.extend(self.broken(&error).bad);
            } else if is_cut {
                chunk
                    .bad
                    .push(self.bad(number, BadKind::Cut, "the file ends in the middle of it"));
            }
            if is_done {
                self.held.clear();
                self.close();
                let is_empty = chunk.bytes.is_empty() && chunk.bad.is_empty();
                return (!is_empty).then_some(chunk);
            }
            if !chunk.bytes.is_empty() {
                return Some(chunk);
            }
        }
    }

    fn seen(&self) -> usize {
        match &self.state {
            State::Elements { seen, .. } => *seen,
            _ => 0,
        }
    }

    /// Forgets an open record, so that it is told of once.
    fn close(&mut self) {
        if let State::Elements { scan, seen, .. } = &mut self.state {
            *scan = Scan::default();
            *seen = 0;
        }
    }
}
