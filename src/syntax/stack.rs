//! Room for recursion over deep trees.

/// How much stack must be left for a tree of the deepest kind that is accepted.
const ROOM: usize = 8 * 1024 * 1024;
/// How much to take where less is left. Only pages that are touched cost memory.
const STACK: usize = 32 * 1024 * 1024;

/// Runs work that recurses over a tree where the deepest tree that [`parse`](super::parse) accepts fits the
/// stack, whichever thread this is: 200 brackets deep is too much for a thread of one megabyte.
pub fn with_deep_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(ROOM, STACK, work)
}
