//! `capol console`: expressions in, values out.

use std::io::{BufRead as _, IsTerminal as _};

use super::{Context, Failure, Outcome, work};
use crate::lang::Diagnostics;
use crate::lang::scope::{ModuleId, Scope};
use crate::syntax::{ItemKind, parse};

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
        let mut sources = loaded.sources.clone();
        let file = sources.add("console", &format!("value = {line}\n"));
        let parsed = parse(&file);
        if !parsed.errors.is_empty() {
            outcome = context.failed(&Failure::of(parsed.errors.into_iter().map(miette::Report::new)));
            continue;
        }
        let Some(ItemKind::Attribute(attribute)) = parsed.tree.items.first().map(|item| &item.kind) else {
            continue;
        };
        let mut diagnostics = Diagnostics::new();
        let value = loaded
            .project
            .evaluate(&attribute.value, &Scope::of(ModuleId::ROOT), &mut diagnostics);
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
