//! The command line: one file a command, arguments in, outcome out, no logic of its own.

mod again;
mod apply;
mod arguments;
mod asking;
mod console;
mod context;
mod doctor;
mod explain;
mod findings;
mod fmt;
mod graph;
mod impact;
mod import;
mod init;
mod interrupt;
mod log;
mod outcome;
mod output;
mod plan;
mod repair;
mod rollout;
mod sandbox;
mod show;
mod state;
mod test;
mod undo;
mod validate;
mod watch;
mod whatif;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

pub use arguments::{Command, Global, Invocation};
pub use context::Context;
pub use outcome::{Failure, Outcome};
pub use watch::Watch;

/// Runs one invocation and says how it ended.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let normal = arguments::normalised(arguments);
    if let Some(answer) = arguments::terraform_word(&normal) {
        return context::answer(&answer);
    }
    let invocation = match Invocation::command().try_get_matches_from(normal) {
        Ok(matches) => Invocation::from_arg_matches(&matches),
        Err(error) => Err(error),
    };
    match invocation {
        Ok(invocation) => context::run(invocation),
        Err(error) => {
            let status = u8::from(error.use_stderr());
            // Help that nobody reads any more is no failure.
            drop(error.print());
            ExitCode::from(status)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Invocation::command(), "capol", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
