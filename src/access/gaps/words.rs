//! Sign-ins and people in plain words.

use super::Known;
use crate::access::condition::Condition;
use crate::access::estate::Estate;
use crate::access::sign_in::{ClientApp, Fact, Identity, Resource};
use crate::access::symbolic::{ANOTHER_APP, Facet, SOMEBODY};
use crate::model::{Reference, Target, catalogue, properties};

/// `a`, `a and b`, `a, b and c`.
pub(super) fn joined(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// What people call something, in backticks.
pub(super) fn called(target: Target, key: &str, estate: &Estate, known: &Known<'_>) -> String {
    named(&estate.reference(target, key), known)
}

/// Likewise for a reference.
pub(super) fn named(reference: &Reference, known: &Known<'_>) -> String {
    let name = match reference {
        Reference::Keyword(word) => word.clone(),
        Reference::Lookup(lookup) => lookup.name.clone(),
        Reference::Managed { address, .. } => address.to_string(),
        Reference::Id { target, id } => {
            let told = known.names.and_then(|names| names.get(&id.to_ascii_lowercase()));
            let built_in = || match target {
                Target::Role => catalogue::roles::by_template_id(id).map(|role| role.display_name),
                Target::App => catalogue::apps::by_wire(id).map(|app| app.display_name),
                Target::Strength => catalogue::strengths::by_id(id).map(|strength| strength.display_name),
                _ => None,
            };
            told.cloned()
                .or_else(|| built_in().map(str::to_owned))
                .unwrap_or_else(|| id.clone())
        }
    };
    format!("`{name}`")
}

/// Who signs in; nothing when it is anybody.
pub(super) fn person(facets: &[Facet], estate: &Estate, known: &Known<'_>) -> Option<String> {
    let mut name = None;
    let mut parts = Vec::new();
    for facet in facets {
        match facet {
            Facet::Identity(
                Identity::User { id, .. }
                | Identity::ServicePrincipal { id, .. }
                | Identity::Agent { id, .. }
                | Identity::AgentUser { id, .. },
            )
            | Facet::User(id)
                if id != SOMEBODY =>
            {
                name = Some(called(Target::User, id, estate, known));
            }
            Facet::External(external) => {
                let kind = properties::guest_kinds().word_of(&external.kind);
                name = Some(format!("a guest (`{kind}`)"));
            }
            Facet::Group(key) => parts.push(format!(
                "in the group {}",
                called(Target::Group, key, estate, known)
            )),
            Facet::Role(key) => parts.push(format!(
                "with the role {}",
                called(Target::Role, key, estate, known)
            )),
            _ => {}
        }
    }
    if name.is_none() && parts.is_empty() {
        return None;
    }
    let name = name.unwrap_or_else(|| "somebody".to_owned());
    Some(if parts.is_empty() {
        name
    } else {
        format!("{name} {}", joined(&parts, "and"))
    })
}

/// A sign-in in words, around what is said of it: `somebody in the group X`, `gets in`, `with Exchange ActiveSync, to
/// the app Y`.
pub(super) fn sign_in(facets: &[Facet], does: &str, estate: &Estate, known: &Known<'_>) -> String {
    let who = person(facets, estate, known).unwrap_or_else(|| "anybody".to_owned());
    let how = facets.iter().filter_map(|facet| fact(facet, estate, known));
    let how: Vec<String> = how.collect();
    format!("{who} {does} {}", how.join(", ")).trim_end().to_owned()
}

fn fact(facet: &Facet, estate: &Estate, known: &Known<'_>) -> Option<String> {
    let symbol = |wire: &str, word: &str| {
        let symbols =
            properties::by_wire(crate::model::Kind::Policy, wire).and_then(|property| match property.shape {
                properties::Shape::SymbolSet(symbols) => Some(symbols),
                _ => None,
            });
        symbols.map_or_else(|| word.to_owned(), |symbols| symbols.word_of(word).to_owned())
    };
    Some(match facet {
        Facet::Resource(Resource::Applications { ids, attributes }) => {
            let held: Vec<String> = match attributes {
                Fact::Is(apps) => apps
                    .values()
                    .flatten()
                    .map(|(name, values)| {
                        let values: Vec<&str> = values.iter().map(String::as_str).collect();
                        format!("`{name}` {}", values.join(" and "))
                    })
                    .collect(),
                _ => Vec::new(),
            };
            let with = match joined(&held, "and") {
                held if held.is_empty() => held,
                held => format!(" with the security attribute {held}"),
            };
            let apps: Vec<String> = ids
                .iter()
                .filter(|id| *id != ANOTHER_APP)
                .map(|id| called(Target::App, id, estate, known))
                .collect();
            if apps.is_empty() && with.is_empty() {
                return None;
            }
            if apps.is_empty() {
                format!("to an app{with}")
            } else {
                format!("to the app {}{with}", joined(&apps, "and"))
            }
        }
        Facet::Resource(Resource::Action(urn)) => format!("for the user action `{urn}`"),
        Facet::Resource(Resource::Context(key)) => format!(
            "for the authentication context {}",
            called(Target::Context, key, estate, known)
        ),
        Facet::ClientApp(ClientApp::Browser) => "with a browser".to_owned(),
        Facet::ClientApp(ClientApp::MobileAppsAndDesktopClients) => "with a mobile or desktop app".to_owned(),
        Facet::ClientApp(ClientApp::ExchangeActiveSync) => "with Exchange ActiveSync".to_owned(),
        Facet::ClientApp(ClientApp::Other) => "with another older protocol".to_owned(),
        Facet::Platform(name) => format!("on `{}`", symbol("conditions.platforms.includePlatforms", name)),
        Facet::Ip(address) => format!("from {address}"),
        Facet::Country(country) => format!("from {}", land(country)),
        Facet::GpsCountry(country) => format!("from {} by GPS", land(country)),
        Facet::CompliantNetwork => "through the compliant network".to_owned(),
        Facet::MfaTrusted => "from the MFA trusted IPs".to_owned(),
        Facet::In(key) => format!("from {}", called(Target::Location, key, estate, known)),
        Facet::Device(device) => {
            let said: Vec<String> = device
                .properties
                .iter()
                .map(|(name, values)| {
                    let values: Vec<&str> = values.iter().map(String::as_str).collect();
                    format!("{name} {}", values.join(" and "))
                })
                .collect();
            format!("on a device with {}", joined(&said, "and"))
        }
        Facet::Level(condition, word) => match condition {
            Condition::UserRisk => format!("with user risk {word}"),
            Condition::SignInRisk => format!("with sign-in risk {word}"),
            Condition::InsiderRisk => format!("with insider risk {word}"),
            Condition::AuthenticationFlows if word == "deviceCodeFlow" => "by device code".to_owned(),
            Condition::AuthenticationFlows => "by authentication transfer".to_owned(),
            _ => format!("with risk {word}"),
        },
        _ => return None,
    })
}

fn land(code: &str) -> String {
    catalogue::countries::by_code(code).map_or_else(|| code.to_owned(), |country| country.name.to_owned())
}
