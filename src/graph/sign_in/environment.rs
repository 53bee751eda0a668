//! Which way to sign in the environment asks for.

use std::sync::Arc;

use super::{DeviceCode, DeviceCodePrompt, FederatedToken, GRAPH_COMMAND_LINE_TOOLS, SignIn};
use crate::graph::error::SignInError;
use crate::graph::secret::Secret;

type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// See [`SignIn::from_environment`].
pub(super) fn choose(variable: Variables, tenant: Option<&str>) -> Result<SignIn, SignInError> {
    let get = |name: &str| {
        variable(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    if let Some(token) = get("CAPOL_ACCESS_TOKEN") {
        return Ok(SignIn::AccessToken(Secret::new(token)));
    }
    let tenant = tenant.map(str::to_owned).or_else(|| get("AZURE_TENANT_ID"));
    if let Some(named) = get("AZURE_TOKEN_CREDENTIALS")
        && let Some(sign_in) = named_way(&named, &get, tenant.clone())?
    {
        return Ok(sign_in);
    }
    if let Some(application) = application(&get, tenant.as_deref())? {
        return Ok(application);
    }
    if get("IDENTITY_ENDPOINT").is_some() {
        return Ok(SignIn::ManagedIdentity {
            client: get("AZURE_CLIENT_ID"),
        });
    }
    Ok(SignIn::AzureCli { tenant })
}

/// See [`SignIn::named`].
pub(super) fn named(
    way: &str,
    variable: Variables,
    tenant: Option<&str>,
    prompt: Arc<dyn Fn(&DeviceCodePrompt) + Send + Sync>,
) -> Result<SignIn, SignInError> {
    let get = |name: &str| {
        variable(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    if let Some(token) = get("CAPOL_ACCESS_TOKEN") {
        return Ok(SignIn::AccessToken(Secret::new(token)));
    }
    let tenant = tenant.map(str::to_owned).or_else(|| get("AZURE_TENANT_ID"));
    let client = get("AZURE_CLIENT_ID");
    let hidden: &[&str] = match way {
        "cli" => return Ok(SignIn::AzureCli { tenant }),
        "managed_identity" => return Ok(SignIn::ManagedIdentity { client }),
        "device_code" => {
            return Ok(SignIn::DeviceCode(DeviceCode {
                tenant: tenant.unwrap_or_else(|| "organizations".to_owned()),
                client: client.unwrap_or_else(|| GRAPH_COMMAND_LINE_TOOLS.to_owned()),
                permissions: Vec::new(),
                prompt,
            }));
        }
        "secret" => &[],
        "certificate" => &["AZURE_CLIENT_SECRET"],
        _ => &["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"],
    };
    let needed = match way {
        "secret" => "AZURE_CLIENT_SECRET",
        "certificate" => "AZURE_CLIENT_CERTIFICATE_PATH",
        _ => "AZURE_FEDERATED_TOKEN_FILE",
    };
    let visible = |name: &str| get(name).filter(|_| !hidden.contains(&name));
    let found = application(&visible, tenant.as_deref())?;
    let is_that = matches!(
        (way, &found),
        ("secret", Some(SignIn::ClientSecret { .. }))
            | ("certificate", Some(SignIn::Certificate { .. }))
            | ("workload_identity", Some(SignIn::Federated { .. }))
    );
    found.filter(|_| is_that).ok_or_else(|| SignInError::Setup {
        how: "the way that the project names",
        problem: format!("`sign_in` is `{way}`, and `{needed}` is not set"),
        help: format!("set `{needed}`, `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`, or take `sign_in` out"),
    })
}

/// The ways that `AZURE_TOKEN_CREDENTIALS` can name; `prod` and `dev` are groups in the Azure SDKs.
fn named_way(
    named: &str,
    get: &dyn Fn(&str) -> Option<String>,
    tenant: Option<String>,
) -> Result<Option<SignIn>, SignInError> {
    match named.to_lowercase().as_str() {
        "managedidentitycredential" => Ok(Some(SignIn::ManagedIdentity { client: get("AZURE_CLIENT_ID") })),
        "azureclicredential" | "dev" => Ok(Some(SignIn::AzureCli { tenant })),
        "environmentcredential" | "workloadidentitycredential" | "azurepipelinescredential" => {
            application(get, tenant.as_deref())?.map(Some).ok_or_else(|| SignInError::Setup {
                how: "an application",
                problem: format!("`AZURE_TOKEN_CREDENTIALS` is `{named}`, but no application is set up"),
                help: "set `AZURE_CLIENT_ID` and one of `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH`, `AZURE_FEDERATED_TOKEN_FILE`".to_owned(),
            })
        }
        "prod" => {
            let chosen = application(get, tenant.as_deref())?;
            Ok(Some(chosen.unwrap_or(SignIn::ManagedIdentity { client: get("AZURE_CLIENT_ID") })))
        }
        _ => Err(SignInError::Setup {
            how: "a named credential",
            problem: format!("`AZURE_TOKEN_CREDENTIALS` is `{named}`"),
            help: "write one of prod, dev, EnvironmentCredential, WorkloadIdentityCredential, ManagedIdentityCredential, AzurePipelinesCredential, AzureCliCredential".to_owned(),
        }),
    }
}

/// The application of `AZURE_CLIENT_ID`; `None` when nothing of one is set.
fn application(
    get: &dyn Fn(&str) -> Option<String>,
    tenant: Option<&str>,
) -> Result<Option<SignIn>, SignInError> {
    let secret = get("AZURE_CLIENT_SECRET");
    let certificate = get("AZURE_CLIENT_CERTIFICATE_PATH");
    let federated = federated(get);
    let found = match (&secret, &certificate, &federated) {
        (Some(_), _, _) => "AZURE_CLIENT_SECRET",
        (None, Some(_), _) => "AZURE_CLIENT_CERTIFICATE_PATH",
        (None, None, Some(_)) => "a federated token",
        (None, None, None) => return Ok(None),
    };
    let client = get("AZURE_CLIENT_ID").or_else(|| get("AZURESUBSCRIPTION_CLIENT_ID"));
    let tenant = tenant
        .map(str::to_owned)
        .or_else(|| get("AZURESUBSCRIPTION_TENANT_ID"));
    let (Some(client), Some(tenant)) = (client, tenant) else {
        if secret.is_none() && certificate.is_none() && get("AZURE_FEDERATED_TOKEN_FILE").is_none() {
            // A pipeline that may fetch tokens is not yet a wish to sign in with one.
            return Ok(None);
        }
        return Err(SignInError::Setup {
            how: "an application",
            problem: format!("{found} is there, but `AZURE_CLIENT_ID` or `AZURE_TENANT_ID` is not"),
            help: "set `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` too".to_owned(),
        });
    };
    Ok(match (secret, certificate, federated) {
        (Some(secret), _, _) => Some(SignIn::ClientSecret {
            tenant,
            client,
            secret: Secret::new(secret),
        }),
        (None, Some(path), _) => Some(SignIn::Certificate {
            tenant,
            client,
            path: path.into(),
        }),
        (None, None, Some(token)) => Some(SignIn::Federated {
            tenant,
            client,
            token,
        }),
        (None, None, None) => None,
    })
}

fn federated(get: &dyn Fn(&str) -> Option<String>) -> Option<FederatedToken> {
    if let Some(path) = get("AZURE_FEDERATED_TOKEN_FILE") {
        return Some(FederatedToken::File(path.into()));
    }
    if let (Some(url), Some(token)) = (
        get("ACTIONS_ID_TOKEN_REQUEST_URL"),
        get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ) {
        return Some(FederatedToken::GitHub {
            url,
            token: Secret::new(token),
        });
    }
    let uri = get("SYSTEM_OIDCREQUESTURI")?;
    let token = get("SYSTEM_ACCESSTOKEN")?;
    let service_connection = get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")?;
    Some(FederatedToken::AzurePipelines {
        url: uri,
        service_connection,
        token: Secret::new(token),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Result<&'static str, SignInError> {
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        choose(&lookup, None).map(|sign_in| sign_in.describe())
    }

    #[test]
    fn a_way_that_the_project_names_is_the_only_one() {
        let everything = [
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_SECRET", "s"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "p"),
            ("AZURE_FEDERATED_TOKEN_FILE", "f"),
        ];
        let way = |way: &str, variables: &[(&str, &str)]| {
            let lookup = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            named(way, &lookup, None, Arc::new(|_| {})).map(|sign_in| sign_in.describe())
        };
        for (name, expected) in [
            ("cli", "the Azure CLI"),
            ("device_code", "a device code"),
            ("managed_identity", "a managed identity"),
            ("secret", "a client secret"),
            ("certificate", "a certificate"),
            ("workload_identity", "workload identity federation"),
        ] {
            assert_eq!(way(name, &everything).unwrap(), expected, "{name}");
        }
        for (name, left) in [
            ("secret", &everything[3..]),
            ("certificate", &everything[..3]),
            ("workload_identity", &everything[..4]),
        ] {
            let variables = [&everything[..2], left].concat();
            assert!(way(name, &variables).is_err(), "{name}");
        }
    }

    #[test]
    fn the_environment_decides_in_the_order_of_the_azure_sdks() {
        let app = [("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t")];
        let with = |more: &[(&'static str, &'static str)]| [&app[..], more].concat();
        for (variables, expected) in [
            (vec![], "the Azure CLI"),
            (with(&[]), "the Azure CLI"),
            (
                with(&[("AZURE_CLIENT_SECRET", "s"), ("CAPOL_ACCESS_TOKEN", "x")]),
                "the token in `CAPOL_ACCESS_TOKEN`",
            ),
            (
                with(&[
                    ("AZURE_CLIENT_SECRET", "s"),
                    ("AZURE_CLIENT_CERTIFICATE_PATH", "p"),
                ]),
                "a client secret",
            ),
            (
                with(&[
                    ("AZURE_CLIENT_CERTIFICATE_PATH", "p"),
                    ("AZURE_FEDERATED_TOKEN_FILE", "f"),
                ]),
                "a certificate",
            ),
            (
                with(&[("AZURE_FEDERATED_TOKEN_FILE", "f")]),
                "workload identity federation",
            ),
            (
                with(&[
                    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
                    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "y"),
                ]),
                "workload identity federation",
            ),
            (
                vec![
                    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
                    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "y"),
                ],
                "the Azure CLI",
            ),
            (
                vec![("IDENTITY_ENDPOINT", "http://localhost")],
                "a managed identity",
            ),
            (
                vec![("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")],
                "a managed identity",
            ),
            (
                with(&[("AZURE_CLIENT_SECRET", "s"), ("AZURE_TOKEN_CREDENTIALS", "dev")]),
                "the Azure CLI",
            ),
            (
                vec![("AZURE_CLIENT_SECRET", "  "), ("CAPOL_ACCESS_TOKEN", "")],
                "the Azure CLI",
            ),
        ] {
            assert_eq!(chosen(&variables).unwrap(), expected, "{variables:?}");
        }
    }

    #[test]
    fn an_application_set_up_by_half_is_an_error() {
        for variables in [
            vec![("AZURE_CLIENT_SECRET", "s"), ("AZURE_CLIENT_ID", "c")],
            vec![("AZURE_FEDERATED_TOKEN_FILE", "f")],
            vec![("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")],
            vec![("AZURE_TOKEN_CREDENTIALS", "Guess")],
        ] {
            assert!(
                matches!(chosen(&variables), Err(SignInError::Setup { .. })),
                "{variables:?}"
            );
        }
    }
}
