//! Every file verb that state, lock, history and journal use, so that a test can fail each in turn.

#[cfg(test)]
pub(crate) mod faulty;
mod real;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::path::PathBuf;

pub use self::real::RealFiles;

/// The file verbs. Files are made readable and writable by their owner alone.
pub trait Files: Debug + Send + Sync {
    /// Where a path leads when every symbolic link in its last part is followed, also one that dangles.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
    /// The whole content; none when there is no such file.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// Makes a new file; it must not exist. While it is open nobody else can lock it, where the system has locks.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;
    /// Opens an existing file, writing at its end, and locks it as [`Files::create`] does. Who meets another's lock is
    /// told [`WouldBlock`](io::ErrorKind::WouldBlock).
    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;
    /// Gives a file another name, replacing what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file; one that is not there is no error.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a folder and those above it; one that exists is no error.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// The names in a folder, sorted; none when there is no such folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Opens a file, making it if need be, and takes the system's lock on it; none while another has that.
    ///
    /// The lock goes when the file is closed, also by the death of the process.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>>;

    /// Gives a file that `file` has open another name, and closes it.
    fn put(&self, file: Box<dyn OpenFile>, from: &Path, to: &Path) -> io::Result<()> {
        if cfg!(windows) {
            // An open file cannot be moved.
            drop(file);
            return self.rename(from, to);
        }
        // Open until it is no leftover any more, so that nobody sweeps it up.
        let renamed = self.rename(from, to);
        drop(file);
        renamed
    }

    /// Removes a file that is locked by `file`, and gives the lock back.
    fn discard(&self, path: &Path, file: Box<dyn OpenFile>) -> io::Result<()> {
        if cfg!(windows) {
            // An open file cannot be removed; whoever takes the lock in between keeps it open and so keeps it.
            drop(file);
            let _kept_by_the_next = self.remove(path);
            return Ok(());
        }
        let removed = self.remove(path);
        drop(file);
        removed
    }
}

/// An open file.
pub trait OpenFile: Debug + Send + Sync {
    /// Writes all of it at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the content to a length in bytes; what is written next follows there.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Makes the content durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Whether the path it was opened by still leads to this very file.
    fn is_current(&self) -> io::Result<bool>;
}
