//! What comes out of sign-ins: under a project's configuration, a tenant's policies, a saved plan, or exported files.
//!
//! ```text
//! configuration ┐
//! live tenant   ├→ View (one, or before and after) ─┐
//! saved plan    │                                   ├→ Answered → beside it what Graph's What-If says
//! exported files┘       flags or lines ─ People → SignIn
//! ```

mod asked;
mod compared;
mod error;
mod lines;
mod listed;
mod people;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value as Json;

pub use self::asked::{Asked, What, Who};
pub use self::compared::{Compared, Disagreement, standing_word};
pub use self::error::{LineError, WhatIfError};
pub use self::lines::{Line, lines};
pub use self::listed::Listed;
pub use self::people::People;
pub use self::view::{Change, View, changes};
use super::connection::Connection;
use super::project::Loaded;
use super::refresh::{refresh, whole_tenant};
use super::workspace::{Moved, WorkError, Worker, Workspace};
use super::{OpsError, files};
use crate::access::{Answer, Missing, SignIn};
use crate::export;
use crate::graph::Version;
use crate::model::live::{Directory, LiveTenant};
use crate::model::state::Document;
use crate::model::{Target, properties};
use crate::plan::{self, Plan, PlanOptions, questions};
use crate::state::StateStore as _;

/// Policies that can be asked, and the people that sign in.
pub struct WhatIf<'c> {
    /// The policies; with a plan, those after it.
    pub view: View,
    /// With a plan, the policies before it.
    pub before: Option<View>,
    /// Who signs in.
    pub people: People<'c>,
    /// How many policies of the tenant are left out, as the project does not manage them.
    pub left_out: usize,
}

/// What comes out of one sign-in.
#[derive(Debug)]
pub struct Answered {
    /// The sign-in.
    pub sign_in: SignIn,
    /// The answer; with a plan, the one after it.
    pub answer: Answer,
    /// With a plan, the answer before it.
    pub before: Option<Answer>,
}

impl<'c> WhatIf<'c> {
    /// Under exported policies, with any locations and strengths beside them.
    pub fn exported(policies: &[PathBuf], directory: Option<&Path>) -> Result<Self, WhatIfError> {
        let listed = directory.map(Listed::read).transpose()?.unwrap_or_default();
        let intake = export::read(&files::below(policies, &["json", "yaml", "yml"])?);
        Ok(Self {
            view: View::exported(&intake, &listed)?,
            before: None,
            people: People::Listed(Box::new(listed)),
            left_out: 0,
        })
    }

    /// Under a project's configuration, without a tenant: who is who stands in a directory file.
    pub fn offline(loaded: &Loaded, directory: &Path, now: Timestamp) -> Result<Self, WhatIfError> {
        let listed = Listed::read(directory)?;
        let live = view::listed_objects(&listed)?;
        let plan = as_written_over(loaded, &listed, &live, None, now)?;
        Ok(Self {
            view: View::configured(&plan, &live)?,
            before: None,
            people: People::Listed(Box::new(listed)),
            left_out: 0,
        })
    }

    /// Under a project's configuration, with the tenant's people.
    pub async fn configured(
        workspace: &Workspace,
        connection: &'c Connection,
        loaded: &Loaded,
        worker: &Worker,
    ) -> Result<Self, WhatIfError> {
        let stored = workspace
            .store
            .load()
            .await
            .map_err(WorkError::from)
            .map_err(Box::new)?;
        let state = stored.as_ref().map(|stored| &stored.document);
        let looking = workspace.looking(worker, &loaded.configuration);
        let refreshed = refresh(connection, &loaded.configuration, state, &looking).await?;
        let plan = as_written(loaded, &refreshed.live, &refreshed.directory, state, worker.now)?;
        let view = View::configured(&plan, &refreshed.live)?;
        let managed: BTreeSet<&str> = plan
            .changes
            .iter()
            .filter_map(|change| change.id.as_deref())
            .collect();
        let others = refreshed.live.policies();
        let left_out = others
            .filter(|policy| !managed.contains(policy.id.as_str()))
            .count();
        Ok(Self {
            left_out,
            ..Self::among(connection, view, None).await?
        })
    }

    /// Under the policies that a tenant has.
    pub async fn live(connection: &'c Connection) -> Result<Self, WhatIfError> {
        let (live, _) = whole_tenant(connection).await?;
        Self::among(connection, View::live(&live)?, None).await
    }

    /// Under the policies that a tenant has, and those that it has once a plan is applied. Refused when the plan is stale.
    pub async fn planned(
        workspace: &Workspace,
        connection: &'c Connection,
        loaded: &Loaded,
        plan: Plan,
        worker: &Worker,
    ) -> Result<Self, WhatIfError> {
        let planned = workspace
            .check(connection, loaded, plan, worker, Moved::Refuse)
            .await
            .map_err(Box::new)?;
        let (live, _) = whole_tenant(connection).await?;
        let after = View::planned(&planned.plan, &live)?;
        Self::among(connection, after, Some(View::live(&live)?)).await
    }

    async fn among(
        connection: &'c Connection,
        mut view: View,
        before: Option<View>,
    ) -> Result<Self, WhatIfError> {
        let mut parents = BTreeMap::new();
        for group in view.changed_groups() {
            let path = format!("groups/{group}/transitiveMemberOf");
            let holding = connection
                .graph
                .list(Version::V1, &path, &[("$top", "999")])
                .await;
            let holding = holding.map_err(OpsError::from)?;
            parents.insert(
                group.to_owned(),
                people::ids(&holding, "group", "id").into_iter().collect(),
            );
        }
        view.set_parents(&parents);
        Ok(Self {
            view,
            before,
            people: People::Tenant(connection),
            left_out: 0,
        })
    }

    /// What policies refer to and nobody gave.
    pub fn missing(&self) -> Vec<Missing> {
        let before = self.before.iter().flat_map(|view| view.estate.missing());
        let all: BTreeSet<Missing> = before.chain(self.view.estate.missing()).collect();
        all.into_iter().collect()
    }

    /// Answers one record. The inner error is of the record, the outer one ends everything.
    pub async fn answer(&self, record: &Json) -> Result<Result<Answered, LineError>, WhatIfError> {
        let satisfied = match satisfied(record) {
            Ok(satisfied) => satisfied,
            Err(error) => return Ok(Err(error)),
        };
        let sign_in = match self.people.sign_in(record).await? {
            Ok(sign_in) => sign_in,
            Err(error) => return Ok(Err(error)),
        };
        let before = self.before.as_ref();
        Ok(Ok(Answered {
            answer: self.view.evaluate(&sign_in, satisfied.as_ref()),
            before: before.map(|view| view.evaluate(&sign_in, satisfied.as_ref())),
            sign_in,
        }))
    }

    /// Asks Graph's What-If the same; nothing where no tenant is read.
    pub async fn compare(&self, record: &Json, answered: &Answered) -> Result<Option<Compared>, WhatIfError> {
        match &self.people {
            People::Tenant(connection) => {
                let estate = &self.view.estate;
                let (sign_in, answer) = (&answered.sign_in, &answered.answer);
                Ok(Some(
                    compared::compared(connection, record, sign_in, estate, answer).await?,
                ))
            }
            People::Listed(_) => Ok(None),
        }
    }
}

fn satisfied(record: &Json) -> Result<Option<BTreeSet<String>>, LineError> {
    match record.get("satisfied") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Array(words)) => words
            .iter()
            .map(|word| done(word.as_str().ok_or(LineError::Satisfied)?))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(LineError::Satisfied),
    }
}

/// What somebody can do, in the service's words.
fn done(word: &str) -> Result<String, LineError> {
    let is_reference = [
        "authenticationStrength:",
        "termsOfUse:",
        "customAuthenticationFactor:",
    ]
    .iter()
    .any(|kind| word.starts_with(kind));
    match properties::done(word) {
        Some(wire) => Ok(wire.to_owned()),
        None if is_reference => Ok(word.to_owned()),
        None => Err(LineError::NothingToDo(word.to_owned())),
    }
}

/// What a plan would bring about where a directory file tells what names mean.
fn as_written_over(
    loaded: &Loaded,
    listed: &Listed,
    live: &LiveTenant,
    state: Option<&Document>,
    now: Timestamp,
) -> Result<Plan, WhatIfError> {
    let lookups = questions(&loaded.configuration, live).lookups;
    let answers = lookups
        .into_iter()
        .filter(|lookup| lookup.target != Target::Role)
        .map(|lookup| (lookup.clone(), listed.answer(&lookup)))
        .collect();
    let directory = Directory {
        answers,
        ..Directory::default()
    };
    as_written(loaded, live, &directory, state, now)
}

/// The configuration with its names resolved and its emergency access in place: what a plan would bring about.
fn as_written(
    loaded: &Loaded,
    live: &LiveTenant,
    directory: &Directory,
    state: Option<&Document>,
    now: Timestamp,
) -> Result<Plan, WhatIfError> {
    let options = PlanOptions {
        // Whoever only asks locks nobody out.
        sandbox: true,
        accept_gap: Some("nothing is written".to_owned()),
        ..PlanOptions::new(now)
    };
    let plan = plan::plan(&loaded.configuration, live, directory, state, &options);
    Ok(plan.map_err(WorkError::from).map_err(Box::new)?)
}
