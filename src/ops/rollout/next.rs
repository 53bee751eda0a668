//! What the next wave of each rollout would mean, for a plan that says so before anybody enters it.

use super::{Ask, Courses, Direction};
use crate::model::Address;
use crate::model::configuration::Configuration;
use crate::model::state::Document;
use crate::ops::connection::Connection;
use crate::ops::workspace::WorkError;

/// One rollout, as if its next wave were entered.
pub(in crate::ops) struct Next {
    /// The rollout.
    pub(in crate::ops) rollout: Address,
    /// The wave.
    pub(in crate::ops) wave: String,
    /// What would be planned, or why nobody can say.
    pub(in crate::ops) configuration: Result<Configuration, String>,
}

impl Courses {
    /// The rollouts that have begun, take no step now and have a wave to come.
    pub(in crate::ops) async fn next(
        &self,
        connection: &Connection,
        configuration: &Configuration,
        state: Option<&Document>,
    ) -> Vec<Next> {
        let mut all = Vec::new();
        for course in &self.own {
            let standing = &course.standing;
            let stays = course.step.is_none() && standing.entering.is_none() && standing.paused.is_none();
            let Some(wave) = course.next().filter(|_| stays && standing.wave.is_some()) else {
                continue;
            };
            let rollout = course.rollout.address.clone();
            let meant = self.meant(connection, configuration, state, &rollout).await;
            all.push(Next {
                rollout,
                wave: wave.name.clone(),
                configuration: meant.map_err(|error| error.to_string()),
            });
        }
        all
    }

    /// The configuration as the next wave of a rollout means it.
    pub(super) async fn meant(
        &self,
        connection: &Connection,
        configuration: &Configuration,
        state: Option<&Document>,
        rollout: &Address,
    ) -> Result<Configuration, WorkError> {
        let ask = Ask::Go {
            rollout: rollout.clone(),
            to: Direction::Advance,
            tried: true,
            forced: None,
            gate: None,
        };
        let mut courses = Self::of(configuration, state, &ask, self.by.clone(), self.at)?;
        let facts = Box::pin(courses.facts(connection, configuration, state)).await?;
        courses.draw(&facts)?;
        Ok(courses.lower(configuration, &facts)?)
    }
}

/// A configuration with all that the next waves look up as well, to read the tenant for.
pub(in crate::ops) fn with_next(configuration: &Configuration, all: &[Next]) -> Configuration {
    let mut seen = configuration.clone();
    for next in all {
        let Ok(meant) = &next.configuration else { continue };
        for (address, resource) in &meant.resources {
            if configuration.resources.get(address) == Some(resource) {
                continue;
            }
            let known = seen.resources.contains_key(address);
            let address = Address {
                name: format!("{} in {}", address.name, next.wave),
                ..address.clone()
            };
            if known {
                seen.resources.insert(address, resource.clone());
            }
        }
    }
    seen
}
