//! The sign-in side: token and device code endpoints, and what a token says.
//!
//! Tokens have the shape of JWTs and no signature: the server listens on loopback and holds nothing
//! worth signing for.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::call::Caller;
use super::faults::TokenEnd;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::text;

const EXPIRED: &str = "Lifetime validation failed, the token is expired.";

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Polls of a device code that are answered with `authorization_pending` before the sign-in is done.
const PENDING_POLLS: u32 = 1;

/// What the sign-in side remembers between requests.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// The only secret accepted, if there is one.
    secret: Option<String>,
    devices: BTreeMap<String, u32>,
    /// How many tokens were given out; each carries its number.
    issued: u64,
    /// The last token that counts no more, and why.
    ended: Option<(u64, TokenEnd)>,
}

/// Why a request is answered with 401.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unauthorized {
    pub(super) message: &'static str,
    /// Whether more is asked for than another token.
    pub(super) challenged: bool,
}

impl From<&'static str> for Unauthorized {
    fn from(message: &'static str) -> Self {
        Self {
            message,
            challenged: false,
        }
    }
}

impl Login {
    pub(super) fn with_secret(secret: Option<String>) -> Self {
        Self {
            secret,
            ..Self::default()
        }
    }

    /// Ends all tokens that were given out so far.
    pub(super) fn end_tokens(&mut self, end: TokenEnd) {
        self.ended = Some((self.issued, end));
    }

    /// Why a token counts no more, though its time is not over.
    pub(super) fn refusal(&self, caller: &Caller) -> Option<Unauthorized> {
        let (last, end) = self.ended?;
        (caller.token <= last).then_some(match end {
            TokenEnd::Expired => EXPIRED.into(),
            TokenEnd::Revoked => "The token has been revoked.".into(),
            TokenEnd::Challenged => Unauthorized {
                message: "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies",
                challenged: true,
            },
        })
    }
}

/// Returns a token of the tenant.
pub(super) fn issue(
    login: &mut Login,
    tenant: &Tenant,
    app_id: &str,
    user: Option<&str>,
    now: Timestamp,
) -> String {
    login.issued += 1;
    let issued = now.as_second();
    let mut claims = json!({
        "aud": "https://graph.microsoft.com",
        "iss": format!("https://sts.windows.net/{}/", tenant.id()),
        "iat": issued,
        "nbf": issued,
        "exp": issued + tenant.settings.token_seconds,
        "appid": app_id,
        "tid": tenant.id(),
        "ver": "1.0",
        "uti": login.issued.to_string(),
    });
    if let Some(object) = claims.as_object_mut() {
        if let Some(user) = user {
            object.insert("scp".to_owned(), json!(tenant.settings.permissions.join(" ")));
            object.insert("upn".to_owned(), json!(user));
            let own = tenant
                .objects(Kind::Users)
                .find(|one| text(one, "userPrincipalName").eq_ignore_ascii_case(user));
            object.extend(own.and_then(|one| Some(("oid".to_owned(), one.get("id")?.clone()))));
            object.insert("idtyp".to_owned(), json!("user"));
        } else {
            object.insert("roles".to_owned(), json!(tenant.settings.permissions));
            let own = tenant
                .objects(Kind::ServicePrincipals)
                .find(|one| text(one, "appId").eq_ignore_ascii_case(app_id));
            object.extend(own.and_then(|one| Some(("oid".to_owned(), one.get("id")?.clone()))));
            object.extend(
                own.and_then(|one| Some(("app_displayname".to_owned(), one.get("displayName")?.clone()))),
            );
            object.insert("idtyp".to_owned(), json!("app"));
        }
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(&json!({"typ": "JWT", "alg": "none"})),
        part(&claims),
        URL_SAFE_NO_PAD.encode("sandbox")
    )
}

/// Returns who a token speaks for, or why it does not count.
pub(super) fn read(tenant: &Tenant, authorization: &str, now: Timestamp) -> Result<Caller, Unauthorized> {
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or("Access token is empty.")?;
    let claims: Value = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok())
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or("CompactToken parsing failed with error code: 80049217")?;
    if text(&claims, "tid") != tenant.id() {
        return Err("The token was issued for another tenant.".into());
    }
    if claims.get("exp").and_then(Value::as_i64).unwrap_or_default() <= now.as_second() {
        return Err(EXPIRED.into());
    }
    let roles = claims
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let permissions = roles
        .chain(text(&claims, "scp").split_whitespace())
        .map(str::to_owned)
        .collect();
    Ok(Caller {
        app_id: text(&claims, "appid").to_owned(),
        user: text(&claims, "upn").to_owned(),
        permissions,
        token: text(&claims, "uti").parse().unwrap_or_default(),
    })
}

/// Answers a request to the sign-in side; `None` if the path is not one of its own.
pub(super) fn answer(
    login: &mut Login,
    tenant: &Tenant,
    base: &str,
    method: &str,
    path: &[&str],
    body: &str,
    now: Timestamp,
) -> Option<(u16, Value)> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    match (method, path) {
        ("GET", [authority, "v2.0", ".well-known", "openid-configuration"]) => {
            Some((200, configuration(tenant, base, authority)))
        }
        ("GET", ["common", "discovery", "instance"]) => Some((
            200,
            json!({
                "tenant_discovery_endpoint": format!("{base}/{}/v2.0/.well-known/openid-configuration", tenant.id()),
                "api-version": "1.1",
                "metadata": [],
            }),
        )),
        ("POST", [authority, "oauth2", "v2.0", "devicecode"]) => {
            Some(match tenant_error(tenant, authority, now) {
                Some(error) => error,
                None => device_code(login, tenant, base, now),
            })
        }
        ("POST", [authority, "oauth2", "v2.0", "token"]) => {
            Some(match tenant_error(tenant, authority, now) {
                Some(error) => error,
                None => token(login, tenant, &form, now),
            })
        }
        _ => None,
    }
}

fn configuration(tenant: &Tenant, base: &str, authority: &str) -> Value {
    json!({
        "token_endpoint": format!("{base}/{authority}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/{authority}/oauth2/v2.0/devicecode"),
        "authorization_endpoint": format!("{base}/{authority}/oauth2/v2.0/authorize"),
        "end_session_endpoint": format!("{base}/{authority}/oauth2/v2.0/logout"),
        "jwks_uri": format!("{base}/{authority}/discovery/v2.0/keys"),
        "issuer": format!("{base}/{}/v2.0", tenant.id()),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn error(name: &str, code: u32, description: &str, now: Timestamp) -> (u16, Value) {
    let body = json!({
        "error": name,
        "error_description": format!("AADSTS{code}: {description}"),
        "error_codes": [code],
        "timestamp": now.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        "trace_id": "00000000-0000-0000-0000-000000000000",
        "correlation_id": "00000000-0000-0000-0000-000000000000",
    });
    (if name == "invalid_client" { 401 } else { 400 }, body)
}

fn tenant_error(tenant: &Tenant, authority: &str, now: Timestamp) -> Option<(u16, Value)> {
    let own = [tenant.id(), tenant.domain.as_str(), "organizations", "common"];
    if own.iter().any(|name| name.eq_ignore_ascii_case(authority)) {
        return None;
    }
    Some(error(
        "invalid_request",
        90002,
        &format!(
            "Tenant '{authority}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        ),
        now,
    ))
}

fn device_code(login: &mut Login, tenant: &Tenant, base: &str, now: Timestamp) -> (u16, Value) {
    let code = tenant.named_id(&format!(
        "device code {} {}",
        login.devices.len(),
        now.as_nanosecond()
    ));
    login.devices.insert(code.clone(), PENDING_POLLS);
    let body = json!({
        "user_code": "SANDBOX1",
        "device_code": code,
        "verification_uri": format!("{base}/devicelogin"),
        "expires_in": 900,
        "interval": 1,
        "message": format!("To sign in, use a web browser to open the page {base}/devicelogin and enter the code SANDBOX1 to authenticate."),
    });
    (200, body)
}

fn token(
    login: &mut Login,
    tenant: &Tenant,
    form: &BTreeMap<String, String>,
    now: Timestamp,
) -> (u16, Value) {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let client = field("client_id");
    if client.is_empty() {
        return error(
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'client_id'.",
            now,
        );
    }
    match field("grant_type") {
        "client_credentials" => {
            if !field("scope").ends_with("/.default") {
                return error(
                    "invalid_scope",
                    1_002_012,
                    "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.",
                    now,
                );
            }
            if let Some(refused) = credential_error(login, client, form, now) {
                return refused;
            }
            (
                200,
                granted(tenant, &issue(login, tenant, client, None, now), None),
            )
        }
        DEVICE_CODE => match login.devices.get_mut(field("device_code")) {
            None => error("invalid_grant", 70_000, "The device code is not valid.", now),
            Some(0) => {
                login.devices.remove(field("device_code"));
                let user = format!("ada@{}", tenant.domain);
                (
                    200,
                    granted(
                        tenant,
                        &issue(login, tenant, client, Some(&user), now),
                        Some(&user),
                    ),
                )
            }
            Some(left) => {
                *left -= 1;
                error(
                    "authorization_pending",
                    70_016,
                    "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
                    now,
                )
            }
        },
        "refresh_token" => {
            let user = field("refresh_token").to_owned();
            (
                200,
                granted(
                    tenant,
                    &issue(login, tenant, client, Some(&user), now),
                    Some(&user),
                ),
            )
        }
        other => error(
            "unsupported_grant_type",
            70_003,
            &format!("The app requested an unsupported grant type '{other}'."),
            now,
        ),
    }
}

fn credential_error(
    login: &Login,
    client: &str,
    form: &BTreeMap<String, String>,
    now: Timestamp,
) -> Option<(u16, Value)> {
    let field = |name: &str| {
        form.get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    match (field("client_secret"), field("client_assertion")) {
        (Some(secret), _) if login.secret.as_deref().is_none_or(|expected| expected == secret) => None,
        (Some(_), _) => Some(error(
            "invalid_client",
            7_000_215,
            &format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
            ),
            now,
        )),
        (None, Some(assertion)) => {
            let shaped =
                assertion.split('.').count() == 3 && field("client_assertion_type") == Some(ASSERTION);
            (!shaped).then(|| {
                error(
                    "invalid_client",
                    50_027,
                    "JWT token is invalid or malformed.",
                    now,
                )
            })
        }
        (None, None) => Some(error(
            "invalid_client",
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
            now,
        )),
    }
}

fn granted(tenant: &Tenant, token: &str, user: Option<&str>) -> Value {
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": tenant.settings.token_seconds,
        "ext_expires_in": tenant.settings.token_seconds,
        "access_token": token,
    });
    if let (Some(user), Some(object)) = (user, body.as_object_mut()) {
        object.insert("scope".to_owned(), json!(tenant.settings.permissions.join(" ")));
        object.insert("refresh_token".to_owned(), json!(user));
    }
    body
}
