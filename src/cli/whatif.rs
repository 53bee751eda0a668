//! `capol whatif`

use std::path::Path;

use serde_json::{Value as Json, json};

use super::arguments::Asking;
use super::{Context, Failure, Outcome, work};
use crate::ops::what_if::{Answered, Line, LineError, WhatIf, WhatIfError, lines};
use crate::report::what_if_text::{
    answer_json, answer_text, changed_json, changed_text, compared_json, compared_text, missing_text,
};

pub(super) async fn run(context: &Context, asking: &Asking) -> Result<Outcome, Failure> {
    if !asking.policies.is_empty() {
        let what_if = WhatIf::exported(&asking.policies, asking.directory.as_deref())?;
        return answer(context, asking, &what_if).await;
    }
    let has_project = !(asking.from_tenant || asking.live);
    let loaded = if has_project {
        work::sound(context)?
    } else {
        work::sound_or_new(context)?
    };
    let located = |error| match error {
        WhatIfError::Work(error) => work::failure(*error, &loaded.sources),
        other => other.into(),
    };
    if let Some(directory) = &asking.directory {
        let what_if = WhatIf::offline(&loaded, directory, context.now()).map_err(located)?;
        return answer(context, asking, &what_if).await;
    }
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "whatif")?;
    let progress = context.watch_for_person();
    progress.doing("reading the tenant");
    let observer = progress.observer();
    let connection = work::connect(context, &workspace, &loaded.configuration, observer).await?;
    let what_if = if asking.from_tenant || asking.live {
        WhatIf::live(&connection).await
    } else if let Some(file) = &asking.plan {
        let plan = work::saved_plan(&work::within(context, file))?;
        WhatIf::planned(&workspace, &connection, &loaded, plan, &worker).await
    } else {
        WhatIf::configured(&workspace, &connection, &loaded, &worker).await
    };
    progress.clear();
    let outcome = match what_if {
        Ok(what_if) => answer(context, asking, &what_if).await,
        Err(error) => Err(located(error)),
    };
    connection.close().await;
    outcome
}

/// Answers what was asked: one sign-in, or a file of them.
async fn answer(context: &Context, asking: &Asking, what_if: &WhatIf<'_>) -> Result<Outcome, Failure> {
    context.aside(&missing_text(&what_if.missing()));
    if what_if.left_out > 0 {
        let policies = crate::report::words::count(what_if.left_out, "policy");
        let all = super::again::command("whatif --from-tenant …", &context.global, None, None);
        context.note(&format!(
            "Left out: {policies} of the tenant that the project does not manage. `{all}` asks all that the tenant holds."
        ));
    }
    if let Some(asked) = asking.asked() {
        let record = asked.record(&what_if.people).await?;
        let answered = what_if.answer(&record).await?.map_err(LineError::of_flags)?;
        if asking.context.is_some() && asking.app.is_empty() {
            context.note(
                "Only policies on the authentication context were asked. Those on all apps are met at the sign-in to an app: ask with `--app`.",
            );
        }
        return told(context, asking, what_if, &record, &asked.title(), &answered).await;
    }
    let Some(file) = &asking.sign_ins else {
        return Ok(Outcome::Done);
    };
    let mut outcome = Outcome::Done;
    for line in lines(file)? {
        let Line { number, record } = line?;
        let ended = match &record {
            Err(error) => failed(context, file, number, None, error),
            Ok(record) => match what_if.answer(record).await? {
                Ok(answered) => {
                    let title = match record.get("id") {
                        Some(Json::String(id)) => id.clone(),
                        _ => format!("line {number}"),
                    };
                    told(context, asking, what_if, record, &title, &answered).await?
                }
                Err(error) => failed(context, file, number, record.get("id"), &error),
            },
        };
        if ended != Outcome::Done {
            outcome = ended;
        }
    }
    Ok(outcome)
}

/// Says what is wrong with one line; the others are answered.
fn failed(context: &Context, file: &Path, line: usize, id: Option<&Json>, error: &LineError) -> Outcome {
    if context.global.json {
        let code = miette::Diagnostic::code(error).map(|code| code.to_string());
        let record = json!({
            "id": id,
            "error": { "line": line, "code": code, "message": error.to_string() },
        });
        context.out(&format!("{record}\n"));
    } else {
        context.note(&format!("{}:{line}: {error}", file.display()));
    }
    Outcome::Failed
}

/// Prints one answer, and what Graph says to the same if that was asked for.
async fn told(
    context: &Context,
    asking: &Asking,
    what_if: &WhatIf<'_>,
    record: &Json,
    title: &str,
    answered: &Answered,
) -> Result<Outcome, Failure> {
    let estate = &what_if.view.estate;
    let compared = if asking.live {
        what_if.compare(record, answered).await?
    } else {
        None
    };
    let disagrees = compared
        .as_ref()
        .is_some_and(|compared| !compared.disagreements.is_empty());
    let before = what_if
        .before
        .as_ref()
        .map(|view| &view.estate)
        .zip(answered.before.as_ref());
    if context.global.json {
        let id = record.get("id");
        let mut json = match before {
            Some(before) => changed_json(before, (estate, &answered.answer), id),
            None => answer_json(estate, id, &answered.answer),
        };
        if let (Some(members), Some(compared)) = (json.as_object_mut(), &compared) {
            members.insert("graph".to_owned(), compared_json(compared));
        }
        context.out(&format!("{json}\n"));
    } else {
        match before {
            Some(before) => context.page(&changed_text(before, (estate, &answered.answer), title)),
            None => context.page(&answer_text(estate, title, &answered.answer)),
        }
        if let Some(compared) = &compared {
            context.page(&compared_text(compared));
        }
    }
    Ok(if disagrees { Outcome::Failed } else { Outcome::Done })
}
