//! Ctrl-C: once to finish the write under way, twice to stop at once.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Outcome;

/// What is said after the first.
const STOPPING: &str = "Stopping after the writes under way. Press Ctrl-C again to stop at once.";

/// What is said after the second.
const STOPPED: &str =
    "Stopped. What was under way is in the journal: the next `capol plan` or `capol apply` takes it up.";

/// A flag that the first Ctrl-C sets. The second ends the process at once, with the status of an interrupted command.
///
/// To be called inside a runtime. Where the system cannot tell of Ctrl-C it ends the process, as it would without this.
pub(super) fn watch() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    if let Ok(mut presses) = Presses::new() {
        let flag = Arc::clone(&stop);
        tokio::spawn(async move {
            loop {
                presses.next().await;
                if is_second(&flag) {
                    say(STOPPED);
                    std::process::exit(Outcome::Interrupted.status().into());
                }
                say(STOPPING);
            }
        });
    }
    stop
}

/// Sets the flag; true when it was set before.
fn is_second(stop: &AtomicBool) -> bool {
    stop.swap(true, Ordering::SeqCst)
}

/// Every time that the process is asked to end: by Ctrl-C, or by what a build server sends.
#[cfg(unix)]
struct Presses {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Presses {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Presses(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Presses {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}

fn say(text: &str) {
    // A reader that went away is no reason to go on.
    drop(writeln!(io::stderr(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_finishes_the_write_and_the_second_stops() {
        let stop = AtomicBool::new(false);
        assert!(!is_second(&stop));
        assert!(stop.load(Ordering::SeqCst));
        assert!(is_second(&stop));
    }
}
