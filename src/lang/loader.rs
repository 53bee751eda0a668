//! How files reach the language: the room itself never opens one.

use std::path::{Path, PathBuf};

/// Gives the language its files. The command line reads a disk, the editor its open buffers, tests a map.
///
/// Paths are joined from the root folder that [`load`](super::load) was given; `.` and `..` are
/// folded away before they arrive here.
pub trait SourceLoader: Send + Sync {
    /// The bytes of a file.
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError>;

    /// What a folder holds, in any order.
    fn list_dir(&self, path: &Path) -> Result<Vec<Entry>, LoadError>;

    /// The folder in which a module that lies elsewhere has been put.
    fn fetch(&self, source: &RemoteSource) -> Result<PathBuf, LoadError>;
}

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_dir: bool,
}

/// A module that does not lie in a local folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemoteSource {
    /// A git repository pinned to a revision.
    Git {
        /// What `git clone` takes.
        url: String,
        /// The folder inside the repository; empty for its root.
        folder: String,
        /// A full commit hash or a tag.
        revision: String,
    },
    /// A module that comes with capol, as in `capol:baseline/zero-trust`.
    Builtin {
        /// What follows `capol:`.
        name: String,
    },
}

/// Why a file or module could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Nothing is there.
    #[error("there is no such file or folder")]
    NotFound,
    /// Something is there, but it could not be read or fetched.
    #[error("{reason}")]
    Failed {
        /// What the system or git said, in one line.
        reason: String,
    },
}

/// The path with `.` and `..` folded away, without asking a disk.
pub fn folded(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_folded_and_a_climb_above_the_root_stays_visible() {
        for (path, expected) in [
            ("./modules/a", "modules/a"),
            ("modules/../shared", "shared"),
            ("../shared/./x", "../shared/x"),
            ("a/../../b", "../b"),
            ("/a/../b", "/b"),
        ] {
            assert_eq!(folded(Path::new(path)), Path::new(expected));
        }
    }
}
