//! A sign-in as Graph's `evaluate` takes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::people::Directory;
use super::sign_in::{ClientApp, Device, ExternalUser, Fact, Identity, Network, Resource, SignIn};
use crate::model::filter_rule::DeviceProperty;

/// Why a record is no sign-in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum RecordError {
    /// Something is not shaped as it should be.
    #[error("`{place}` {problem}")]
    #[diagnostic(
        code("access::record"),
        help("write the record as the body of Graph's `conditionalAccess/evaluate`")
    )]
    Shape {
        /// Where: `signInConditions.country`.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A flag of the command line is not as it should be.
    #[error("`{flag}` {problem}")]
    #[diagnostic(code("access::flag"), help("`capol whatif --help` says what the flag takes"))]
    Flag {
        /// `--country`, or `--device colour`.
        flag: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody has this id.
    #[error("no {what} has the id `{id}`")]
    #[diagnostic(
        code("access::unknown_identity"),
        help("add it to the directory, with the groups that it is in")
    )]
    Unknown {
        /// `user`, `service principal`.
        what: &'static str,
        /// The id.
        id: String,
    },
}

/// The members that flags of `capol whatif` set.
const FLAGS: &[(&str, &str)] = &[
    ("signInConditions.devicePlatform", "--platform"),
    ("signInConditions.clientAppType", "--client-app"),
    ("signInConditions.ipAddress", "--ip"),
    ("signInConditions.country", "--country"),
    ("signInConditions.signInRiskLevel", "--sign-in-risk"),
    ("signInConditions.userRiskLevel", "--user-risk"),
    (
        "signInConditions.servicePrincipalRiskLevel",
        "--service-principal-risk",
    ),
    ("signInConditions.insiderRiskLevel", "--insider-risk"),
    ("signInConditions.authenticationFlow", "--authentication-flow"),
    ("signInConditions.deviceInfo", "--device"),
    ("signInIdentity.externalUserType", "--external-user"),
    ("signInIdentity.externalTenantId", "--external-tenant"),
    ("signInContext.userAction", "--user-action"),
    ("signInContext.authenticationContextValue", "--context"),
    ("signInContext.includeApplications", "--app"),
];

impl RecordError {
    /// The same of a record that flags made: it speaks of the flag, not of the member.
    #[must_use]
    pub fn of_flags(self) -> Self {
        let Self::Shape { place, problem } = self else {
            return self;
        };
        let flag = FLAGS.iter().find_map(|(member, flag)| {
            let rest = place.strip_prefix(member)?;
            match rest.strip_prefix('.') {
                Some(property) => Some(format!("{flag} {property}")),
                None => (rest.is_empty() || rest.starts_with('[')).then(|| (*flag).to_owned()),
            }
        });
        match flag {
            Some(flag) => Self::Flag { flag, problem },
            None => Self::Shape { place, problem },
        }
    }
}

type Read<T> = Result<T, RecordError>;

fn wrong<T>(place: impl Into<String>, problem: impl Into<String>) -> Read<T> {
    Err(RecordError::Shape {
        place: place.into(),
        problem: problem.into(),
    })
}

/// The members of an object, each to be taken once; what is left over is unknown.
struct Members<'a> {
    place: String,
    left: BTreeMap<&'a str, &'a Json>,
}

impl<'a> Members<'a> {
    fn of(place: &str, json: &'a Json) -> Read<Self> {
        match json {
            Json::Object(members) => Ok(Self::from(place, members)),
            _ => wrong(place, "is not an object"),
        }
    }

    fn from(place: &str, members: &'a Map<String, Json>) -> Self {
        Self {
            place: place.to_owned(),
            left: members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
        }
    }

    fn at(&self, member: &str) -> String {
        match self.place.as_str() {
            "" => member.to_owned(),
            place => format!("{place}.{member}"),
        }
    }

    fn take(&mut self, member: &str) -> Option<&'a Json> {
        self.left.remove(member)
    }

    fn text(&mut self, member: &str) -> Read<Option<&'a str>> {
        match self.take(member) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => wrong(self.at(member), "is not a text"),
        }
    }

    fn required(&mut self, member: &str) -> Read<&'a str> {
        match self.text(member)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => wrong(self.at(member), "is missing"),
        }
    }

    /// One of these words, in any casing; `nothing` are the words for none.
    fn word(&mut self, member: &str, words: &[&str], nothing: &[&str]) -> Read<Fact<String>> {
        let Some(text) = self.text(member)? else {
            return Ok(Fact::Absent);
        };
        if nothing.iter().any(|word| word.eq_ignore_ascii_case(text)) {
            return Ok(Fact::Absent);
        }
        match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => Ok(Fact::Is((*word).to_owned())),
            None => wrong(
                self.at(member),
                format!("is `{text}`, which is none of {}", words.join(", ")),
            ),
        }
    }

    /// The type of the object, without `#microsoft.graph.`.
    fn kind(&mut self) -> Read<&'a str> {
        let whole = self.required("@odata.type")?;
        Ok(whole.rsplit('.').next().unwrap_or(whole))
    }

    fn end(self) -> Read<()> {
        match self.left.keys().find(|member| !member.contains('@')) {
            Some(member) => wrong(self.at(member), "is no member that is known here"),
            None => Ok(()),
        }
    }
}

const RISKS: &[&str] = &["low", "medium", "high", "hidden"];
const PLATFORMS: &[&str] = &["android", "iOS", "windows", "windowsPhone", "macOS", "linux"];

/// Reads the body of an `evaluate` call; the directory tells who is in which group.
///
/// `id`, `satisfied` and `appliedPoliciesOnly` may stand beside it and are left to the caller. Errors on what is
/// unknown: a condition that is passed over would make an answer that holds for another sign-in.
pub fn sign_in(record: &Json, directory: &Directory) -> Result<SignIn, RecordError> {
    let mut members = Members::of("", record)?;
    for beside in ["id", "satisfied", "appliedPoliciesOnly"] {
        members.take(beside);
    }
    let Some(who) = members.take("signInIdentity") else {
        return wrong("signInIdentity", "is missing");
    };
    let Some(what) = members.take("signInContext") else {
        return wrong("signInContext", "is missing");
    };
    let mut sign_in = SignIn::new(identity(who, directory)?, resource(what)?);
    if let Some(conditions) = members.take("signInConditions") {
        self::conditions(conditions, &mut sign_in)?;
    }
    members.end()?;
    Ok(sign_in)
}

fn identity(json: &Json, directory: &Directory) -> Read<Identity> {
    let mut members = Members::of("signInIdentity", json)?;
    let identity = match members.kind()? {
        "userSignIn" => user(&mut members, directory)?,
        "servicePrincipalSignIn" => {
            let id = members.required("servicePrincipalId")?;
            directory
                .service_principal(id)
                .cloned()
                .ok_or_else(|| RecordError::Unknown {
                    what: "service principal",
                    id: id.to_owned(),
                })?
        }
        "agentSignIn" => Identity::Agent {
            id: members.required("agentServicePrincipalId")?.to_ascii_lowercase(),
            attributes: Fact::Unrecorded,
        },
        other => {
            return wrong(
                "signInIdentity.@odata.type",
                format!("is `{other}`, which is no kind of sign-in"),
            );
        }
    };
    members.end()?;
    Ok(identity)
}

fn user(members: &mut Members<'_>, directory: &Directory) -> Read<Identity> {
    let wanted = members.required("userId")?;
    let told = members.word(
        "externalUserType",
        &ExternalUser::kinds().collect::<Vec<_>>(),
        &["none"],
    )?;
    let tenant = members.text("externalTenantId")?;
    let known = directory.user(wanted).cloned();
    let told = match told {
        Fact::Is(kind) => Some(ExternalUser {
            kind,
            tenant: tenant.map_or(Fact::Absent, |tenant| Fact::Is(tenant.to_ascii_lowercase())),
        }),
        _ => None,
    };
    match (known, told) {
        (
            Some(Identity::User {
                id, groups, roles, ..
            }),
            Some(external),
        ) => Ok(Identity::User {
            id,
            groups,
            roles,
            external: Fact::Is(external),
        }),
        (Some(user), None) => Ok(user),
        // Somebody from outside need not be in the directory, and is then in no group of it.
        (None, Some(external)) => Ok(Identity::User {
            id: wanted.to_ascii_lowercase(),
            groups: Fact::Absent,
            roles: Fact::Absent,
            external: Fact::Is(external),
        }),
        _ => Err(RecordError::Unknown {
            what: "user",
            id: wanted.to_owned(),
        }),
    }
}

fn resource(json: &Json) -> Read<Resource> {
    let mut members = Members::of("signInContext", json)?;
    let resource = match members.kind()? {
        "applicationContext" => {
            let mut ids = BTreeSet::new();
            match members.take("includeApplications") {
                Some(Json::Array(apps)) if !apps.is_empty() => {
                    for app in apps {
                        match app {
                            Json::String(app) => ids.insert(app.to_ascii_lowercase()),
                            _ => {
                                return wrong(
                                    "signInContext.includeApplications",
                                    "holds something other than ids",
                                );
                            }
                        };
                    }
                }
                _ => return wrong("signInContext.includeApplications", "names no application"),
            }
            Resource::Applications {
                ids,
                attributes: Fact::Absent,
            }
        }
        "userActionContext" => Resource::Action(match members.required("userAction")? {
            // Graph's What-If has words of its own for them (`FACTS` 1.4).
            word if word.eq_ignore_ascii_case("registerSecurityInformation") => {
                "urn:user:registersecurityinfo".to_owned()
            }
            word if word.eq_ignore_ascii_case("registerOrJoinDevices") => {
                "urn:user:registerdevice".to_owned()
            }
            urn if urn.starts_with("urn:user:") => urn.to_owned(),
            other => {
                return wrong(
                    "signInContext.userAction",
                    format!("is `{other}`, which is no user action"),
                );
            }
        }),
        "authContext" => Resource::Context(members.required("authenticationContextValue")?.to_owned()),
        other => {
            return wrong(
                "signInContext.@odata.type",
                format!("is `{other}`, which is nothing to sign in to"),
            );
        }
    };
    members.end()?;
    Ok(resource)
}

fn conditions(json: &Json, sign_in: &mut SignIn) -> Read<()> {
    let mut members = Members::of("signInConditions", json)?;
    sign_in.platform = members.word("devicePlatform", PLATFORMS, &["all", "unknown"])?;
    sign_in.client_app = match members.text("clientAppType")? {
        None => Fact::Absent,
        Some(word) if word.eq_ignore_ascii_case("all") => Fact::Absent,
        Some(word) => match ClientApp::from_wire(word) {
            Some(kind) => Fact::Is(kind),
            None => {
                return wrong(
                    members.at("clientAppType"),
                    format!("is `{word}`, which is no kind of client app"),
                );
            }
        },
    };
    sign_in.user_risk = members.word("userRiskLevel", RISKS, &["none"])?;
    sign_in.sign_in_risk = members.word("signInRiskLevel", RISKS, &["none"])?;
    sign_in.service_principal_risk = members.word("servicePrincipalRiskLevel", RISKS, &["none"])?;
    sign_in.agent_risk = members.word("agentIdRiskLevel", RISKS, &["none"])?;
    sign_in.insider_risk = members.word("insiderRiskLevel", &["minor", "moderate", "elevated"], &["none"])?;
    if let Some(flow) = members.take("authenticationFlow") {
        let mut flow = Members::of("signInConditions.authenticationFlow", flow)?;
        sign_in.authentication_flow = flow.word(
            "transferMethod",
            &["deviceCodeFlow", "authenticationTransfer"],
            &["none"],
        )?;
        flow.end()?;
    }
    sign_in.network = network(&mut members)?;
    if let Some(device) = members.take("deviceInfo") {
        sign_in.device = Fact::Is(self::device(device)?);
    }
    members.end()
}

fn network(members: &mut Members<'_>) -> Read<Network> {
    let ip = match members.text("ipAddress")? {
        None | Some("") => Fact::Absent,
        Some(text) => match text.parse() {
            Ok(address) => Fact::Is(address),
            Err(_) => {
                return wrong(
                    members.at("ipAddress"),
                    format!("is `{text}`, which is no IP address"),
                );
            }
        },
    };
    let country = match members.text("country")? {
        None | Some("") => Fact::Absent,
        Some(code) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Fact::Is(code.to_ascii_uppercase())
        }
        Some(other) => {
            return wrong(
                members.at("country"),
                format!("is `{other}`, which is no country code of two letters"),
            );
        }
    };
    Ok(Network {
        ip,
        country,
        ..Network::default()
    })
}

/// Graph's `deviceInfo`; its `ownership` is `deviceOwnership` in filter rules (`FACTS` 8).
fn device(json: &Json) -> Read<Device> {
    let place = "signInConditions.deviceInfo";
    let members = Members::of(place, json)?;
    let mut device = Device::default();
    for (member, value) in &members.left {
        let name = match *member {
            annotation if annotation.contains('@') => continue,
            "ownership" => "deviceOwnership",
            other => other,
        };
        if DeviceProperty::by_name(name).is_none() {
            return wrong(members.at(member), "is no property of a device that filters know");
        }
        let texts: Vec<String> = match value {
            Json::String(text) => vec![text.clone()],
            Json::Bool(true) => vec!["True".to_owned()],
            Json::Bool(false) => vec!["False".to_owned()],
            Json::Array(texts) => texts
                .iter()
                .map(|text| {
                    text.as_str()
                        .map(str::to_owned)
                        .ok_or_else(|| RecordError::Shape {
                            place: members.at(member),
                            problem: "holds something other than texts".to_owned(),
                        })
                })
                .collect::<Read<_>>()?,
            _ => return wrong(members.at(member), "is neither a text nor true or false"),
        };
        for text in texts {
            device = device.with(name, text);
        }
    }
    Ok(device)
}
