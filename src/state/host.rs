//! The name of this machine, to tell people where a lock was taken.

use std::process::Command;

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
