//! The `capol` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    capol::cli::run(std::env::args_os())
}
