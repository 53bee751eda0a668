//! Whether the sign-in works, and which permission each command lacks. Nothing is written.

use serde::Serialize;

use super::connection::Connection;
use crate::graph::permissions::{lacking, needed};
use crate::graph::{GraphError, Version};

/// A part of the tenant that commands read or write.
struct Area {
    /// What people call it.
    what: &'static str,
    /// Where it is read.
    path: &'static str,
    /// What narrows the answer; nobody looks at it.
    query: &'static [(&'static str, &'static str)],
    /// Whether commands can do without.
    optional: bool,
    /// Whether an apply writes there.
    written: bool,
}

const fn area(what: &'static str, path: &'static str, written: bool) -> Area {
    Area {
        what,
        path,
        query: &[],
        optional: false,
        written,
    }
}

const ONE: &[(&str, &str)] = &[("$top", "1"), ("$select", "id")];

const AREAS: &[Area] = &[
    area("policies", "identity/conditionalAccess/policies", true),
    area(
        "named locations",
        "identity/conditionalAccess/namedLocations",
        true,
    ),
    area(
        "authentication strengths",
        "policies/authenticationStrengthPolicies",
        true,
    ),
    area(
        "authentication contexts",
        "identity/conditionalAccess/authenticationContextClassReferences",
        true,
    ),
    Area {
        query: ONE,
        ..area("groups", "groups", true)
    },
    Area {
        query: ONE,
        ..area("users", "users", false)
    },
    Area {
        query: ONE,
        ..area("applications", "servicePrincipals", false)
    },
    Area {
        optional: true,
        ..area("licences", "subscribedSkus", false)
    },
    Area {
        optional: true,
        ..area(
            "security defaults",
            "policies/identitySecurityDefaultsEnforcementPolicy",
            false,
        )
    },
];

/// What the sign-in may do in one part of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What people call it.
    pub what: &'static str,
    /// Where it is read, after the version.
    pub path: &'static str,
    /// Whether it can be read.
    pub read: Access,
    /// Whether it can be written, by what the token says; none where capol never writes.
    pub write: Option<Access>,
    /// Whether commands can do without.
    pub optional: bool,
}

/// Whether something is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "access", rename_all = "snake_case")]
pub enum Access {
    /// It is.
    Allowed,
    /// A permission is missing.
    Denied {
        /// Which, in words.
        needs: String,
    },
    /// The token does not say what it holds.
    Unknown,
    /// The call failed for another reason.
    Failed {
        /// Which.
        because: String,
    },
}

/// What one command lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The command.
    pub command: &'static str,
    /// What stands in its way; empty when nothing does.
    pub lacks: Vec<String>,
}

/// What the sign-in is and may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The tenant's id.
    pub tenant_id: String,
    /// What people call the organisation.
    pub display_name: String,
    /// Who is signed in, as far as the token says.
    pub signed_in: Option<String>,
    /// Whether a user is signed in, who needs a directory role beside the permissions.
    pub is_user: bool,
    /// The Graph root, or that it is the embedded tenant.
    pub endpoint: String,
    /// The parts of the tenant.
    pub areas: Vec<Checked>,
    /// The commands.
    pub commands: Vec<Readiness>,
}

impl Diagnosis {
    /// Whether no command lacks anything.
    pub fn is_well(&self) -> bool {
        self.commands.iter().all(|command| command.lacks.is_empty())
    }
}

/// Tries every kind of reading once.
///
/// Errors when the sign-in itself fails; what single calls refuse is in the diagnosis.
pub async fn diagnose(connection: &Connection) -> Result<Diagnosis, GraphError> {
    let claims = connection.graph.claims().await?;
    let held = claims.as_ref().map(|claims| claims.permissions.as_slice());
    let areas: Vec<Checked> = futures::future::join_all(AREAS.iter().map(async |area| Checked {
        what: area.what,
        path: area.path,
        read: reading(connection, area).await,
        write: area.written.then(|| writing(area, held)),
        optional: area.optional,
    }))
    .await;
    Ok(Diagnosis {
        tenant_id: connection.tenant_id.clone(),
        display_name: connection.display_name.clone(),
        signed_in: connection
            .signed_in
            .as_ref()
            .map(|signed_in| signed_in.name.clone()),
        is_user: claims.is_some_and(|claims| !claims.application),
        endpoint: if connection.is_sandbox {
            "the embedded tenant".to_owned()
        } else {
            connection.graph.endpoints().graph_root().to_string()
        },
        commands: commands(&areas),
        areas,
    })
}

async fn reading(connection: &Connection, area: &Area) -> Access {
    match connection.graph.get(Version::V1, area.path, area.query).await {
        Ok(_) => Access::Allowed,
        Err(GraphError::Service(error)) if error.status == 403 => Access::Denied {
            needs: needed(area.path, false)
                .unwrap_or("`Directory.Read.All`")
                .to_owned(),
        },
        Err(error) => Access::Failed {
            because: error.to_string(),
        },
    }
}

/// A write is never tried: the token says what it holds.
fn writing(area: &Area, held: Option<&[String]>) -> Access {
    match held.and_then(|held| lacking(area.path, held)) {
        None => Access::Unknown,
        Some(lacking) if lacking.is_empty() => Access::Allowed,
        Some(lacking) => Access::Denied {
            needs: lacking
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(" and "),
        },
    }
}

fn commands(areas: &[Checked]) -> Vec<Readiness> {
    let reads: Vec<String> = areas
        .iter()
        .filter(|area| !area.optional)
        .filter_map(|area| lack("to read", area.what, &area.read))
        .collect();
    let writes = areas
        .iter()
        .filter_map(|area| lack("to write", area.what, area.write.as_ref()?));
    let all: Vec<String> = reads.iter().cloned().chain(writes).collect();
    [
        ("plan", reads.clone()),
        ("import", reads),
        ("apply", all.clone()),
        ("destroy", all.clone()),
        ("undo", all),
    ]
    .into_iter()
    .map(|(command, lacks)| Readiness { command, lacks })
    .collect()
}

fn lack(verb: &str, what: &str, access: &Access) -> Option<String> {
    match access {
        Access::Allowed | Access::Unknown => None,
        Access::Denied { needs } => Some(format!("{needs} {verb} {what}")),
        Access::Failed { because } => Some(format!("an answer {verb} {what}: {because}")),
    }
}
