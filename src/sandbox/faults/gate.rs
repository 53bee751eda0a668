//! A gate at which requests wait until somebody opens it.

use std::sync::Arc;

use tokio::sync::watch;

/// A gate at which a request waits, so that a test can do something just then: kill the process
/// that asked, for example. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<watch::Sender<u32>>,
    waiting: Arc<watch::Sender<u32>>,
    open: Arc<watch::Sender<bool>>,
}

/// One who waits, until it is dropped.
struct Waiting<'a>(&'a Gate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|count| *count -= 1);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// Returns a closed gate.
    pub fn new() -> Self {
        Self {
            arrived: Arc::new(watch::Sender::new(0)),
            waiting: Arc::new(watch::Sender::new(0)),
            open: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Returns when a request has arrived; at once if one has before.
    pub async fn arrived(&self) {
        // It fails only without a sender, and this is one.
        let _ = self.arrived.subscribe().wait_for(|count| *count > 0).await;
    }

    /// Returns how many requests have arrived so far.
    pub fn arrivals(&self) -> u32 {
        *self.arrived.borrow()
    }

    /// Returns when nobody waits: all have passed, or those who asked are gone and their connections with them.
    pub async fn deserted(&self) {
        let _ = self.waiting.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Lets everybody through from now on.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits at the gate.
    pub(in crate::sandbox) async fn pass(&self) {
        self.waiting.send_modify(|count| *count += 1);
        let _waiting = Waiting(self);
        self.arrived.send_modify(|count| *count += 1);
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}
