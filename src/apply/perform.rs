//! Sending one request, and for how long it is sent again.

use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::event::Event;
use super::find::is_listed;
use super::request::{Call, Ready};
use super::run::Executor;
use crate::graph::{Collection, Graph, GraphError};
use crate::plan::Step;

/// What the service answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) id: Option<String>,
    pub(super) body: Option<Json>,
}

impl Answer {
    fn of(id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            body: None,
        }
    }

    fn whole(body: Json) -> Self {
        Self {
            id: body.get("id").and_then(Json::as_str).map(str::to_owned),
            body: Some(body),
        }
    }
}

/// What the tries of a step came to that began before, and was late.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// How often it was sent and refused.
    pub(super) refused: u32,
    /// How often it was late.
    pub(super) late: u32,
    /// What the last refusal was.
    pub(super) refusal: Option<GraphError>,
}

impl Tried {
    /// Counts a try that was late. The error when there were enough, else none.
    pub(super) fn is_late_again(&mut self, late: GraphError, attempts: u32) -> Option<GraphError> {
        self.late += 1;
        if self.refused >= attempts || self.late >= LATE {
            return Some(self.refusal.take().unwrap_or(late));
        }
        None
    }
}

/// How often a step may be late: a service that turns everything away would keep it waiting for ever.
const LATE: u32 = 50;

/// Sends a step, and sends it again for as long as the service does not see what it refers to: `fresh` are the ids
/// that were made a moment ago.
pub(super) async fn patiently(
    executor: &Executor<'_>,
    step: &Step,
    ready: &Ready,
    fresh: &[String],
    not_after: Option<Instant>,
    tried: &mut Tried,
) -> Result<Answer, GraphError> {
    let patience = executor.options.patience;
    let graph = not_after.map_or_else(
        || executor.graph.clone(),
        |moment| executor.graph.not_after(moment),
    );
    loop {
        let error = match send(&graph, ready).await {
            Err(error) if passes(step, ready, fresh, &error) => error,
            outcome => return outcome,
        };
        tried.refused += 1;
        if tried.refused >= patience.attempts || executor.stop.load(Ordering::SeqCst) {
            return Err(error);
        }
        executor.events.happened(&Event::StepWaiting {
            step: step.id,
            address: step.address.clone(),
            because: error.to_string(),
        });
        tried.refusal = Some(error);
        super::pause(patience.wait(tried.refused), executor.stop).await;
    }
}

/// Whether the refusal is one that passes: a refused delete after a release, a 404 on what is listed or fresh, a
/// location that policies can't see yet.
fn passes(step: &Step, ready: &Ready, fresh: &[String], error: &GraphError) -> bool {
    match &ready.call {
        Call::Delete(..) => {
            error.is_not_found()
                || !step.after.is_empty() && error.service().is_some_and(|service| service.status == 400)
        }
        _ if fresh.is_empty() => false,
        _ => {
            let names_fresh = |message: &str| fresh.iter().any(|id| message.contains(id.as_str()));
            error.names_missing_object()
                || error.is_not_found()
                || error
                    .service()
                    .is_some_and(|service| service.status == 400 && names_fresh(&service.message))
        }
    }
}

/// A delete that was answered "not found" while nobody can say whether that is so.
fn doubtful(not_found: GraphError, unread: &GraphError) -> GraphError {
    match not_found.service() {
        Some(service) => GraphError::Unknown {
            call: service.call.clone(),
            client_request_id: service.client_request_id.clone(),
            cause: unread.to_string(),
        },
        None => not_found,
    }
}

/// Sends it once; the client repeats what is harmless to repeat.
async fn send(graph: &Graph, ready: &Ready) -> Result<Answer, GraphError> {
    let body = || ready.body.clone().unwrap_or_default();
    let version = ready.api_version;
    let gone = |outcome: Result<(), GraphError>| match outcome {
        // Gone is what was wanted.
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    };
    Ok(match &ready.call {
        Call::Create(collection) => Answer::whole(graph.create(*collection, version, body()).await?),
        Call::CreateContext(id) => {
            let mut object = body();
            if let Some(members) = object.as_object_mut() {
                members.insert("id".to_owned(), json!(id));
            }
            let made = graph.create(Collection::Contexts, version, object).await?;
            Answer {
                id: Some(id.clone()),
                body: Some(made),
            }
        }
        Call::Update(collection, id) => Answer {
            id: Some(id.clone()),
            body: graph.update(*collection, version, id, body()).await?,
        },
        Call::Delete(collection, id) => {
            if let Err(error) = graph.delete(*collection, version, id).await {
                // Gone is what was wanted, and one answer that says so may be an old one.
                if !error.is_not_found() {
                    return Err(error);
                }
                match is_listed(graph, *collection, version, id).await {
                    Ok(false) => {}
                    Ok(true) => return Err(error),
                    Err(unread) => return Err(doubtful(error, &unread)),
                }
            }
            Answer { id: None, body: None }
        }
        Call::Restore(collection, id) => {
            let restored = graph.restore(*collection, version, id).await?;
            Answer {
                id: Some(id.clone()),
                body: Some(restored),
            }
        }
        Call::SetCombinations(id, combinations) => {
            graph
                .update_allowed_combinations(version, id, combinations)
                .await?;
            Answer::of(id)
        }
        Call::AddConfiguration(id) => {
            graph
                .create_combination_configuration(version, id, body())
                .await?;
            Answer::of(id)
        }
        Call::RemoveConfiguration(id, configuration) => {
            gone(
                graph
                    .delete_combination_configuration(version, id, configuration)
                    .await,
            )?;
            Answer::of(id)
        }
        Call::AddMembers(group, members) => {
            graph.add_members(group, members).await?;
            Answer::of(group)
        }
        Call::RemoveMember(group, member) => {
            graph.remove_member(group, member).await?;
            Answer::of(group)
        }
    })
}
