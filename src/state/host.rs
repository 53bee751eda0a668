//! This machine and its processes: where a lock was taken, and whether who took it still runs.

use std::process::Command;

use serde::Deserialize;
use serde::Serialize;

/// What a lock says when the machine's name cannot be learnt. Such a lock is never taken over unasked.
pub const UNKNOWN: &str = "unknown";

/// This machine's name, or [`UNKNOWN`].
pub fn name() -> String {
    from_system()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

#[cfg(target_os = "linux")]
fn from_system() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the kernel offers the name as a file")]
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(from_command)
}

#[cfg(not(target_os = "linux"))]
fn from_system() -> Option<String> {
    from_command()
}

fn from_command() -> Option<String> {
    let output = Command::new("hostname").output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// What tells a process from every other one that has had its number. Known on Linux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The kernel's name for the time since it started.
    pub boot: String,
    /// A digest of the machine's own id; none where it has none, as in most containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// When the process began, in the kernel's ticks since it started.
    pub started: u64,
}

/// The process with this number, if it runs and the system tells of it.
#[cfg(target_os = "linux")]
pub fn process(pid: u32) -> Option<Process> {
    #[expect(clippy::disallowed_methods, reason = "the kernel tells in files")]
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/etc/machine-id").map(|id| id.trim().to_owned());
    Some(Process {
        boot: read("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
        machine: machine
            .filter(|id| !id.is_empty() && id != "uninitialized")
            .map(|id| crate::model::state::digest(format!("capol lock {id}").as_bytes())),
        started: started(&read(&format!("/proc/{pid}/stat"))?)?,
    })
}

/// The process with this number, if it runs and the system tells of it.
#[cfg(not(target_os = "linux"))]
pub fn process(_: u32) -> Option<Process> {
    None
}

/// When a process began, from its line in `/proc` (proc_pid_stat(5)); none for one that ended and waits for its parent.
#[cfg(target_os = "linux")]
fn started(stat: &str) -> Option<u64> {
    // The name may hold anything, also `)`; state is the third field, the start the twenty-second.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_when_it_began() {
        let mine = process(std::process::id()).unwrap();
        assert_eq!(process(std::process::id()), Some(mine.clone()));
        assert_ne!(process(1).unwrap().started, mine.started);
        assert_eq!(process(u32::MAX), None);
    }

    #[test]
    fn an_ended_process_runs_no_more_whatever_it_is_called() {
        let line = |state: &str| {
            format!("7 (a) Z 1 (b) {state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21")
        };
        assert_eq!(started(&line("S")), Some(4242));
        assert_eq!(started(&line("Z")), None);
        assert_eq!(started("7 (a"), None);
    }
}
