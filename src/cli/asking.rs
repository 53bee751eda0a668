//! The arguments of `capol whatif`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use serde_json::{Map, Value as Json, json};

use crate::ops::what_if::{Asked, What, Who};

/// Graph's words, each with that of the language.
type Words = &'static [(&'static str, &'static str)];

const PLATFORMS: Words = &[
    ("android", ""),
    ("iOS", ""),
    ("windows", ""),
    ("windowsPhone", "windows_phone"),
    ("macOS", ""),
    ("linux", ""),
];
const CLIENT_APPS: Words = &[
    ("browser", ""),
    ("mobileAppsAndDesktopClients", "mobile_apps_and_desktop_clients"),
    ("exchangeActiveSync", "exchange_active_sync"),
    ("other", ""),
];
const RISKS: Words = &[("none", ""), ("low", ""), ("medium", ""), ("high", "")];
const INSIDER_RISKS: Words = &[("none", ""), ("minor", ""), ("moderate", ""), ("elevated", "")];
const FLOWS: Words = &[
    ("deviceCodeFlow", "device_code_flow"),
    ("authenticationTransfer", "authentication_transfer"),
];
const ACTIONS: Words = &[
    ("registerSecurityInformation", "register_security_info"),
    ("registerOrJoinDevices", "register_or_join_device"),
];
const EXTERNAL: Words = &[
    ("internalGuest", "internal_guest"),
    ("b2bCollaborationGuest", "b2b_collaboration_guest"),
    ("b2bCollaborationMember", "b2b_collaboration_member"),
    ("b2bDirectConnectUser", "b2b_direct_connect_user"),
    ("otherExternalUser", "other_external_user"),
    ("serviceProvider", "service_provider"),
];

/// Takes one of these words in any case, in Graph's spelling or the language's, and gives Graph's.
fn words(all: Words) -> impl TypedValueParser<Value = String> {
    let values = all.iter().map(|(graph, own)| {
        let value = PossibleValue::new(*graph);
        if own.is_empty() { value } else { value.alias(*own) }
    });
    PossibleValuesParser::new(values).map(move |typed| {
        let known = all
            .iter()
            .find(|(graph, own)| graph.eq_ignore_ascii_case(&typed) || own.eq_ignore_ascii_case(&typed));
        known.map_or(typed, |(graph, _)| (*graph).to_owned())
    })
}

/// What is asked, and of which policies.
#[derive(Debug, Clone, Args)]
#[command(
    group(ArgGroup::new("who").required(true).args(["user", "service_principal", "sign_ins"])),
    group(ArgGroup::new("one").args(["user", "service_principal"]).requires("what")),
    group(ArgGroup::new("what").args(["app", "user_action", "context"])),
    group(ArgGroup::new("of").args(["policies", "from_tenant", "live", "plan"])),
)]
pub struct Asking {
    /// Who signs in: account name, mail address or id
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The application that signs in as itself: name or object id
    #[arg(long, value_name = "NAME", conflicts_with_all = ["user_action", "context", "platform", "client_app", "user_risk", "sign_in_risk", "insider_risk", "authentication_flow", "device", "external_user"])]
    pub service_principal: Option<String>,
    /// What is signed in to: name, application id, or the word of the language; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "sign_ins")]
    pub app: Vec<String>,
    /// The user action, instead of an app
    #[arg(long, value_name = "ACTION", value_parser = words(ACTIONS), ignore_case = true, conflicts_with = "sign_ins")]
    pub user_action: Option<String>,
    /// The authentication context, instead of an app: `c1` to `c99`, or its name
    #[arg(long, value_name = "CONTEXT", conflicts_with = "sign_ins")]
    pub context: Option<String>,
    /// The device platform; unknown when left out
    #[arg(long, value_name = "PLATFORM", value_parser = words(PLATFORMS), ignore_case = true, conflicts_with = "sign_ins")]
    pub platform: Option<String>,
    /// The kind of client software; when left out, only policies on every kind match
    #[arg(long, value_name = "KIND", value_parser = words(CLIENT_APPS), ignore_case = true, conflicts_with = "sign_ins")]
    pub client_app: Option<String>,
    /// The public address that it comes from
    #[arg(long, value_name = "ADDRESS", conflicts_with = "sign_ins")]
    pub ip: Option<String>,
    /// The country of that address, in two letters
    #[arg(long, value_name = "CODE", conflicts_with = "sign_ins")]
    pub country: Option<String>,
    /// The risk of the sign-in
    #[arg(long, value_name = "LEVEL", value_parser = words(RISKS), ignore_case = true, conflicts_with = "sign_ins")]
    pub sign_in_risk: Option<String>,
    /// The risk of the user
    #[arg(long, value_name = "LEVEL", value_parser = words(RISKS), ignore_case = true, conflicts_with = "sign_ins")]
    pub user_risk: Option<String>,
    /// The risk of the service principal
    #[arg(long, value_name = "LEVEL", value_parser = words(RISKS), ignore_case = true, requires = "service_principal")]
    pub service_principal_risk: Option<String>,
    /// The insider risk of the user
    #[arg(long, value_name = "LEVEL", value_parser = words(INSIDER_RISKS), ignore_case = true, conflicts_with = "sign_ins")]
    pub insider_risk: Option<String>,
    /// How the sign-in was begun, if not in the usual way
    #[arg(long, value_name = "FLOW", value_parser = words(FLOWS), ignore_case = true, conflicts_with = "sign_ins")]
    pub authentication_flow: Option<String>,
    /// A property of the device, named as in device filters; may be repeated; not registered when left out
    #[arg(long, value_name = "PROPERTY=VALUE", value_parser = property, conflicts_with = "sign_ins")]
    pub device: Vec<(String, Json)>,
    /// How the user is external, when the directory does not tell
    #[arg(long, value_name = "KIND", value_parser = words(EXTERNAL), ignore_case = true, requires = "user")]
    pub external_user: Option<String>,
    /// The home tenant of an external user
    #[arg(long, value_name = "ID", requires = "external_user")]
    pub external_tenant: Option<String>,
    /// A control or method that can be done, in Graph's words; may be repeated
    #[arg(long, value_name = "CONTROL", conflicts_with = "sign_ins")]
    pub satisfied: Vec<String>,
    /// Many sign-ins instead of one: a file with one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub sign_ins: Option<PathBuf>,
    /// Ask files and folders of exported policies, with their named locations and authentication strengths
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Instead of the project's configuration")]
    pub policies: Vec<PathBuf>,
    /// Ask the policies of the live tenant
    #[arg(long, help_heading = "Instead of the project's configuration")]
    pub from_tenant: bool,
    /// Ask the live tenant and Graph's own What-If, and say where they disagree
    #[arg(long, help_heading = "Instead of the project's configuration")]
    pub live: bool,
    /// Ask the live tenant before and after a saved plan
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Instead of the project's configuration"
    )]
    pub plan: Option<PathBuf>,
    /// Read who is in which group from this file, one JSON object, not from the tenant
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from_tenant", "live", "plan"])]
    pub directory: Option<PathBuf>,
}

/// `PROPERTY=VALUE` as a member of `deviceInfo`.
fn property(text: &str) -> Result<(String, Json), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write `PROPERTY=VALUE`, for example `isCompliant=true`")?;
    let value = match value {
        "true" | "True" => json!(true),
        "false" | "False" => json!(false),
        text => json!(text),
    };
    Ok((name.trim().trim_start_matches("device.").to_owned(), value))
}

impl Asking {
    /// The one sign-in that is asked for; none when a file holds them.
    pub fn asked(&self) -> Option<Asked> {
        let who = match (&self.user, &self.service_principal) {
            (Some(name), _) => Who::User {
                name: name.clone(),
                external: self.external_user.clone(),
                tenant: self.external_tenant.clone(),
            },
            (None, Some(name)) => Who::ServicePrincipal(name.clone()),
            (None, None) => return None,
        };
        let what = match (&self.user_action, &self.context) {
            (Some(action), _) => What::Action(action.clone()),
            (None, Some(context)) => What::Context(context.clone()),
            (None, None) => What::Apps(self.app.clone()),
        };
        Some(Asked {
            who,
            what,
            conditions: self.conditions(),
            satisfied: self.satisfied.clone(),
        })
    }

    fn conditions(&self) -> Map<String, Json> {
        let texts = [
            ("devicePlatform", &self.platform),
            ("clientAppType", &self.client_app),
            ("ipAddress", &self.ip),
            ("country", &self.country),
            ("signInRiskLevel", &self.sign_in_risk),
            ("userRiskLevel", &self.user_risk),
            ("servicePrincipalRiskLevel", &self.service_principal_risk),
            ("insiderRiskLevel", &self.insider_risk),
        ];
        let mut conditions: Map<String, Json> = texts
            .into_iter()
            .filter_map(|(member, text)| Some((member.to_owned(), json!(text.as_ref()?))))
            .collect();
        if let Some(flow) = &self.authentication_flow {
            conditions.insert("authenticationFlow".to_owned(), json!({ "transferMethod": flow }));
        }
        if !self.device.is_empty() {
            let device: Map<String, Json> = self
                .device
                .iter()
                .map(|(name, value)| match name.as_str() {
                    // Graph's What-If has a name of its own for it (`FACTS` 8).
                    "deviceOwnership" => ("ownership".to_owned(), value.clone()),
                    name => (name.to_owned(), value.clone()),
                })
                .collect();
            conditions.insert("deviceInfo".to_owned(), Json::Object(device));
        }
        conditions
    }
}
