//! `capol state`

use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::arguments::StateCommand;
use super::work::patience;
use super::{Context, Failure, Outcome};
use crate::model::state::Document;
use crate::ops::OpsError;
use crate::ops::operator::Operator;
use crate::ops::place::place;
use crate::ops::state::{self, Edited, SurgeryError};
use crate::report::state_json::{locked_json, resource_json, versioned};
use crate::report::{Page, state_text};
use crate::state::{LocalFile, Place, StateStore as _};

/// What the question before a lock is taken from somebody is answered with.
const AGREED: &str = "yes";

pub(super) async fn run(context: &Context, command: StateCommand) -> Result<Outcome, Failure> {
    let store = store(context)?;
    let operator = operator(context)?;
    match command {
        StateCommand::List { prefix, id } => {
            let document = state::read(&store).await?;
            let listed = state::list(&document, prefix.as_deref(), id.as_deref());
            if context.global.json {
                context.out(&versioned(json!({ "resources": listed })));
            } else {
                context.out(&state_text::list_text(&listed));
            }
        }
        StateCommand::Show { address } => {
            let document = state::read(&store).await?;
            let (address, resource) = document.resource(&address)?;
            if context.global.json {
                context.out(&versioned(resource_json(address, resource)));
            } else {
                let shown = state::shown_one(address, resource, &document);
                context.out(&state_text::shown_text(&[shown]));
            }
        }
        StateCommand::Mv { from, to, dry_run } => {
            let change = |document: &mut Document| document.move_address(&from, &to);
            let edited = state::edit(&store, &operator, "state mv", dry_run, change).await?;
            let moved = &edited.report.moved;
            let moved: Vec<_> = moved
                .iter()
                .map(|(from, to, id)| json!({ "from": from, "to": to, "id": id }))
                .collect();
            let json = json!({ "moved": moved, "dry_run": dry_run, "serial": edited.serial });
            told(
                context,
                &edited,
                json,
                &state_text::moved_page(&edited.report, dry_run),
            );
        }
        StateCommand::Rm { addresses, dry_run } => {
            let change = |document: &mut Document| document.remove_addresses(&addresses);
            let edited = state::edit(&store, &operator, "state rm", dry_run, change).await?;
            let removed = &edited.report.removed;
            let removed: Vec<_> = removed
                .iter()
                .map(|(address, id)| json!({ "address": address, "id": id }))
                .collect();
            let json = json!({ "removed": removed, "dry_run": dry_run, "serial": edited.serial });
            told(
                context,
                &edited,
                json,
                &state_text::removed_page(&edited.report, dry_run),
            );
        }
        StateCommand::Pull => context.out(&state::pulled(&store).await?),
        StateCommand::Push { file, force } => {
            let next = document(context, &file)?;
            let edited = state::push(&store, &operator, next, force).await?;
            let json = json!({
                "written": edited.report.written,
                "changes": edited.report.changes,
                "lineage": edited.report.lineage,
                "serial": edited.serial,
            });
            told(
                context,
                &edited,
                json,
                &state_text::pushed_page(&edited.report, edited.serial),
            );
        }
        StateCommand::Lock { reason } => {
            let locked = state::hold(&store, &operator, &reason).await?;
            say(context, locked_json(&locked), &state_text::locked_page(&locked));
            if !locked.taken {
                return Ok(Outcome::Failed);
            }
        }
        StateCommand::Unlock { id } => {
            agree(context, &store, &operator, &id).await?;
            let info = store.unlock(&id).await?;
            let json = json!({ "unlocked": id, "info": info });
            say(context, json, &state_text::unlocked_page(info.as_ref()));
        }
        StateCommand::History => {
            let history = state::history(&store).await?;
            say(context, &history, &state_text::history_page(&history));
        }
        StateCommand::Repair { from_tenant } => {
            return super::repair::run(context, &store, &operator, from_tenant).await;
        }
    }
    Ok(Outcome::Done)
}

/// The state that the command line means.
pub(super) fn store(context: &Context) -> Result<LocalFile, Failure> {
    let place = if context.global.sandbox {
        Place::of_sandbox(&context.project)
    } else {
        place(&context.project, context.global.tenant.as_deref())?
    };
    Ok(LocalFile::new(place))
}

/// Who runs this command, and how it takes the lock.
pub(super) fn operator(context: &Context) -> Result<Operator, Failure> {
    let patience = patience(&context.global.lock_timeout)?;
    Ok(Operator::of_process(
        context.user(),
        context.now(),
        context.global.lock,
        patience,
    ))
}

/// The document in a file or on standard input.
fn document(context: &Context, file: &Path) -> Result<Document, Failure> {
    let path = if file == Path::new("-") {
        file.to_owned()
    } else {
        context.project.join(file)
    };
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(|source| OpsError::File {
            path: path.clone(),
            source,
        })?;
        bytes
    } else {
        crate::ops::files::read(&path)?
    };
    Document::parse(&bytes).map_err(|source| SurgeryError::NotAState { path, source }.into())
}

/// Somebody else's lock is taken away only when a person says so.
async fn agree(context: &Context, store: &LocalFile, operator: &Operator, id: &str) -> Result<(), Failure> {
    let Some(holder) = store.holder().await? else {
        return Ok(());
    };
    let own = |info: &crate::state::LockInfo| info.who == operator.who && info.host == operator.host;
    if holder.id != id || holder.info.as_ref().is_some_and(own) {
        return Ok(());
    }
    let sentence = format!("{}.", state_text::holder_text(&holder));
    let question = format!("Write `{AGREED}` when everybody agrees that it is removed:");
    if context.confirmed(&sentence, &question, AGREED) {
        return Ok(());
    }
    Err(SurgeryError::NotConfirmed {
        what: "remove somebody else's lock".to_owned(),
        answer: AGREED.to_owned(),
    }
    .into())
}

/// Says what a change did, and that a dead holder's lock was in the way.
fn told<T>(context: &Context, edited: &Edited<T>, json: serde_json::Value, page: &Page) {
    if let Some(dead) = &edited.taken_over {
        context.note(&state_text::taken_over_text(dead, context.now()));
    }
    say(context, json, page);
}

fn say(context: &Context, json: impl serde::Serialize, page: &Page) {
    if context.global.json {
        context.out(&versioned(json));
    } else {
        context.page(page);
    }
}
