//! Where in the engineer's files a value came from.

use serde::{Deserialize, Serialize};

/// An opaque pointer into the source text, carried along so that later rooms can point at it.
///
/// Only the room that read the text knows which file `file` is; bytes are offsets into that text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The number that the reading room gave to the file.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}
