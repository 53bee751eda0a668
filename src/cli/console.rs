//! `capol console`: expressions in, values out.

use std::io::{BufRead as _, IsTerminal as _};

use super::{Context, Failure, Outcome, work};

pub(super) fn run(context: &Context) -> Result<Outcome, Failure> {
    let loaded = work::sound_or_new(context)?;
    let asks = std::io::stdin().is_terminal();
    if asks {
        context.note("Write an expression a line; Ctrl-D ends.");
    }
    let mut outcome = Outcome::Done;
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if line.trim().is_empty() {
            continue;
        }
        if line.trim() == "exit" {
            break;
        }
        let (value, diagnostics, sources) = loaded.project.evaluate_text(&line);
        if diagnostics.is_empty() {
            context.out(&format!("{value}\n"));
        } else {
            let reported = diagnostics
                .reported(&sources)
                .into_iter()
                .map(miette::Report::new);
            outcome = context.failed(&Failure::of(reported));
        }
    }
    Ok(if asks { Outcome::Done } else { outcome })
}
