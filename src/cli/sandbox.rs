//! `capol sandbox`

use std::path::{Path, PathBuf};

use super::arguments::SandboxCommand;
use super::{Context, Failure, Outcome};
use crate::ops::OpsError;
use crate::ops::connection::sandbox_file;
use crate::ops::files;
use crate::report::words;
use crate::sandbox::{Faults, LoadReport, Sandbox, SandboxOptions, Tenant};

pub(super) async fn run(context: &Context, command: SandboxCommand) -> Result<Outcome, Failure> {
    let path = sandbox_file(&context.project);
    match command {
        SandboxCommand::Serve {
            port,
            faults,
            tls,
            tls_cert,
        } => {
            let faults = match faults {
                Some(file) => {
                    let text = files::read(&context.project.join(file))?;
                    Faults::parse(&String::from_utf8_lossy(&text))?
                }
                None => Faults::none(),
            };
            let options = SandboxOptions {
                path: Some(path),
                port,
                faults,
                tls,
                ..SandboxOptions::default()
            };
            serve(context, options, tls_cert).await
        }
        SandboxCommand::Reset => {
            Tenant::contoso().save(&path)?;
            context.note("The embedded tenant starts again from its first state.");
            Ok(Outcome::Done)
        }
        SandboxCommand::Load {
            file,
            stub_from,
            scenario,
        } => {
            let mut tenant = current(&path)?;
            let report = match file {
                None if scenario.is_some() => {
                    let file = context.project.join(scenario.unwrap_or_default());
                    tenant.load_scenario(&json(&file)?, context.now())?
                }
                Some(file) => {
                    let file = context.project.join(file);
                    let document = json(&file)?;
                    if document.get("collections").is_some() {
                        Tenant::load(&file)?.save(&path)?;
                        context.note("The embedded tenant is what the dump says.");
                        return Ok(Outcome::Done);
                    }
                    tenant.load_objects(&document)?
                }
                None => tenant.stub_from(&exported(&context.project, &stub_from)?),
            };
            tenant.save(&path)?;
            context.note(&told(&report));
            Ok(Outcome::Done)
        }
        SandboxCommand::Dump => {
            let dump = current(&path)?.dump()?;
            context.out(&format!("{dump:#}\n"));
            Ok(Outcome::Done)
        }
    }
}

fn current(path: &Path) -> Result<Tenant, Failure> {
    Ok(if path.exists() {
        Tenant::load(path)?
    } else {
        Tenant::contoso()
    })
}

async fn serve(
    context: &Context,
    options: SandboxOptions,
    certificate: Option<PathBuf>,
) -> Result<Outcome, Failure> {
    let running = Sandbox::start(options).await?;
    if let Some(pem) = running.authority_pem() {
        let certificate = certificate.unwrap_or_else(|| PathBuf::from(".capol/sandbox-ca.pem"));
        let file = context.project.join(certificate);
        files::make_room(&file)?;
        files::replace(&file, pem)?;
        let file = file.canonicalize().unwrap_or(file);
        // OpenSSL and capol, Python's requests, and Node each ask for it in their own way.
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            context.out(&format!("{name}={}\n", file.display()));
        }
    }
    context.out(&format!(
        "CAPOL_GRAPH_ENDPOINT={}\nCAPOL_LOGIN_ENDPOINT={}\nAZURE_TENANT_ID={}\nCAPOL_ACCESS_TOKEN={}\n",
        running.endpoint(),
        running.login_endpoint(),
        running.tenant_id(),
        running.access_token(),
    ));
    context.note("Serving the embedded tenant. Press Ctrl-C to stop.");
    // Without a handler for Ctrl-C the process simply ends, and the tenant is saved after each write anyway.
    drop(tokio::signal::ctrl_c().await);
    running.shutdown().await;
    Ok(Outcome::Done)
}

fn json(path: &Path) -> Result<serde_json::Value, Failure> {
    serde_json::from_slice(&files::read(path)?).map_err(|source| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, source);
        OpsError::File {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

/// The objects of exported files, in Graph's own spelling.
fn exported(project: &Path, paths: &[PathBuf]) -> Result<Vec<serde_json::Value>, Failure> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| project.join(path)).collect();
    let files = files::below(&paths, &["json"])?;
    Ok(crate::export::read(&files)
        .objects
        .into_iter()
        .map(|found| found.json)
        .collect())
}

/// What people call one of a collection.
fn noun(collection: &str) -> &str {
    match collection {
        "policies" => "policy",
        "namedLocations" => "location",
        "authenticationStrengths" => "authentication strength",
        "authenticationContexts" => "authentication context",
        "agreements" => "agreement",
        "groups" => "group",
        "users" => "user",
        "servicePrincipals" => "service principal",
        "applications" => "application",
        "roleDefinitions" => "role",
        "directoryAudits" => "audit record",
        "signIns" => "sign-in",
        "userRegistrationDetails" => "registration",
        "deletedPolicies" => "deleted policy",
        "members" => "membership",
        other => other,
    }
}

fn told(report: &LoadReport) -> String {
    let counts: Vec<String> = report
        .added
        .iter()
        .map(|(kind, count)| words::count(*count, noun(kind)))
        .collect();
    if counts.is_empty() {
        "Everything is there already.".into()
    } else {
        format!("Added {}.", counts.join(", "))
    }
}
