//! The way to one tenant: which one, at which hosts, signed in how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::OpsError;
use crate::graph::sign_in::{DeviceCodePrompt, SignIn, system_clock};
use crate::graph::{Cloud, Endpoints, Graph, GraphEvent, GraphOptions, Observer, Secret, SignInError};
use crate::model::configuration::{Configuration, TenantSettings};
use crate::model::live::{SignedIn, SignedInKind};
use crate::sandbox::{Running, Sandbox, SandboxOptions};

/// The environment variables, read once.
pub type Environment = BTreeMap<String, String>;

/// A tenant that can be asked.
pub struct Connection {
    /// The client.
    pub graph: Graph,
    /// The tenant's id.
    pub tenant_id: String,
    /// What people call the organisation.
    pub display_name: String,
    /// Its verified domains.
    pub verified_domains: Vec<String>,
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
    /// Whether its directory is synchronised from elsewhere; `None` when the tenant does not tell.
    pub is_synchronised: Option<bool>,
    /// Whether it is the embedded tenant.
    pub is_sandbox: bool,
    sandbox: Option<Running>,
}

/// Which tenant of the configuration is meant; `None` when it names none.
pub fn chosen<'c>(
    configuration: &'c Configuration,
    wanted: Option<&str>,
) -> Result<Option<(&'c str, &'c TenantSettings)>, OpsError> {
    let names = || configuration.tenants.keys().cloned().collect::<Vec<_>>();
    match wanted {
        Some(name) => match configuration.tenants.get_key_value(name) {
            Some((name, settings)) => Ok(Some((name, settings))),
            None => Err(OpsError::NoSuchTenant {
                name: name.to_owned(),
                names: names(),
            }),
        },
        None if configuration.tenants.len() > 1 => Err(OpsError::WhichTenant { names: names() }),
        None => Ok(configuration
            .tenants
            .iter()
            .next()
            .map(|(name, settings)| (name.as_str(), settings))),
    }
}

/// Where a project keeps its embedded tenant.
pub fn sandbox_file(project: &Path) -> PathBuf {
    project.join(".capol").join("sandbox.json")
}

/// Starts the embedded tenant of a project and connects to it.
pub async fn to_sandbox(project: &Path, observer: Arc<dyn Observer>) -> Result<Connection, OpsError> {
    let options = SandboxOptions {
        path: Some(sandbox_file(project)),
        ..SandboxOptions::default()
    };
    let running = Sandbox::start(options).await?;
    let endpoints = Endpoints::new(
        Cloud::Global,
        Some(&running.endpoint()),
        Some(&running.login_endpoint()),
    )?;
    let options = GraphOptions {
        observer,
        ..GraphOptions::new(endpoints)
    };
    let token = SignIn::AccessToken(Secret::new(running.access_token()));
    let source = token.source(&options, system_clock())?;
    let mut connection = connect(Graph::new(source, options)?, None).await?;
    connection.is_sandbox = true;
    connection.sandbox = Some(running);
    Ok(connection)
}

/// Signs in to the tenant that the configuration and the environment name.
pub async fn to_tenant(
    settings: Option<&TenantSettings>,
    environment: &Environment,
    observer: Arc<dyn Observer>,
) -> Result<Connection, OpsError> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let cloud = match settings.and_then(|settings| settings.cloud.as_deref()) {
        None => Cloud::Global,
        Some(name) => [Cloud::Global, Cloud::UsGov, Cloud::UsGovDod, Cloud::China]
            .into_iter()
            .find(|cloud| cloud.name() == name)
            .ok_or_else(|| OpsError::Cloud {
                name: name.to_owned(),
            })?,
    };
    let (graph, login) = (variable("CAPOL_GRAPH_ENDPOINT"), variable("CAPOL_LOGIN_ENDPOINT"));
    let endpoints = Endpoints::new(cloud, graph.as_deref(), login.as_deref())?;
    let mut options = GraphOptions {
        observer,
        ..GraphOptions::new(endpoints)
    };
    options.http.extra_roots_pem = variable("SSL_CERT_FILE")
        .map(|path| roots(Path::new(&path)))
        .transpose()?;
    let tenant = settings.and_then(|settings| settings.id.as_deref());
    let client = settings.and_then(|settings| settings.client_id.clone());
    let lookup = |name: &str| match name {
        "AZURE_CLIENT_ID" => client.clone().or_else(|| variable(name)),
        _ => variable(name),
    };
    let sign_in = match settings.and_then(|settings| settings.sign_in.as_deref()) {
        None => SignIn::from_environment(&lookup, tenant),
        Some(way) => SignIn::named(way, &lookup, tenant, prompt(&options.observer)),
    }
    .map_err(in_graph)?;
    let source = sign_in.source(&options, system_clock())?;
    connect(Graph::new(source, options)?, tenant).await
}

/// Shows a device code to whoever watches.
fn prompt(observer: &Arc<dyn Observer>) -> Arc<dyn Fn(&DeviceCodePrompt) + Send + Sync> {
    let observer = Arc::clone(observer);
    Arc::new(move |prompt| {
        observer.observe(&GraphEvent::EnterCode {
            code: prompt.user_code.clone(),
            address: prompt.verification_uri.clone(),
        });
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "corporate roots are a file that the environment names"
)]
fn roots(path: &Path) -> Result<Vec<u8>, OpsError> {
    std::fs::read(path).map_err(|source| OpsError::File {
        path: path.to_owned(),
        source,
    })
}

fn in_graph(error: SignInError) -> OpsError {
    OpsError::Graph(error.into())
}

/// The tenant behind a client that is set up already; refused when it is not the configured one.
pub async fn connect(graph: Graph, configured: Option<&str>) -> Result<Connection, OpsError> {
    let organization = graph.organization().await?;
    let text = |json: &Json, name: &str| {
        json.get(name)
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let tenant_id = text(&organization, "id").to_ascii_lowercase();
    let verified_domains: Vec<String> = organization
        .get("verifiedDomains")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|domain| text(domain, "name"))
        .collect();
    if let Some(configured) = configured {
        let matches = configured.eq_ignore_ascii_case(&tenant_id)
            || verified_domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(configured));
        if !matches {
            return Err(OpsError::WrongTenant {
                signed_in: tenant_id,
                configured: configured.to_owned(),
            });
        }
    }
    let signed_in = graph.claims().await?.and_then(|claims| {
        Some(SignedIn {
            kind: if claims.application {
                SignedInKind::Application
            } else {
                SignedInKind::User
            },
            object_id: claims.object_id?,
            name: claims.user.or(claims.app_id).unwrap_or_default(),
        })
    });
    let name = signed_in.as_ref().map(|signed_in| signed_in.name.as_str());
    tracing::info!(tenant = tenant_id, name, "signed in");
    Ok(Connection {
        display_name: text(&organization, "displayName"),
        graph,
        tenant_id,
        verified_domains,
        signed_in,
        is_synchronised: organization
            .get("onPremisesSyncEnabled")
            .map(|is| is.as_bool() == Some(true)),
        is_sandbox: false,
        sandbox: None,
    })
}

impl Connection {
    /// Closes the connection; an embedded tenant is stopped and kept.
    pub async fn close(self) {
        if let Some(running) = self.sandbox {
            running.shutdown().await;
        }
    }
}
