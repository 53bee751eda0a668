//! The same policies take at most half the tokens that they take in Terraform's azuread provider.
//!
//! A token is a word, a number, a string or a punctuation mark, in both languages; comments and
//! space are none. The policies are read into the model as an import would read them, so what
//! Terraform computes (a conditional, a `concat`) is one value, and a reference to a resource or
//! a variable is a reference. What every Terraform resource may carry (`count`, `depends_on`, …)
//! counts on neither side. Accounts for emergencies are named once a project in capol, by an
//! `emergency_access` block, which counts. `CAPOL_SHOW=1` prints the policies in capol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use capol::export::{Naming, export_block};
use capol::model::Kind;
use capol::model::wire::{decode, put};
use capol::syntax::{
    Block, Body, Expression, ExpressionKind, FileId, Item, ItemKind, Parsed, SourceFile, parse, print,
};
use regex::Regex;
use serde_json::{Value as Json, json};

use crate::shared;

/// Attributes of the azuread provider, and where they stand on the wire.
const WIRE: &[(&str, &str)] = &[
    ("display_name", "displayName"),
    ("state", "state"),
    ("conditions.client_app_types", "conditions.clientAppTypes"),
    ("conditions.sign_in_risk_levels", "conditions.signInRiskLevels"),
    ("conditions.user_risk_levels", "conditions.userRiskLevels"),
    (
        "conditions.service_principal_risk_levels",
        "conditions.servicePrincipalRiskLevels",
    ),
    ("conditions.insider_risk_levels", "conditions.insiderRiskLevels"),
    (
        "conditions.authentication_flow_transfer_methods",
        "conditions.authenticationFlows.transferMethods",
    ),
    (
        "conditions.applications.included_applications",
        "conditions.applications.includeApplications",
    ),
    (
        "conditions.applications.excluded_applications",
        "conditions.applications.excludeApplications",
    ),
    (
        "conditions.applications.included_user_actions",
        "conditions.applications.includeUserActions",
    ),
    (
        "conditions.applications.filter.mode",
        "conditions.applications.applicationFilter.mode",
    ),
    (
        "conditions.applications.filter.rule",
        "conditions.applications.applicationFilter.rule",
    ),
    (
        "conditions.client_applications.included_service_principals",
        "conditions.clientApplications.includeServicePrincipals",
    ),
    (
        "conditions.client_applications.excluded_service_principals",
        "conditions.clientApplications.excludeServicePrincipals",
    ),
    (
        "conditions.devices.filter.mode",
        "conditions.devices.deviceFilter.mode",
    ),
    (
        "conditions.devices.filter.rule",
        "conditions.devices.deviceFilter.rule",
    ),
    (
        "conditions.locations.included_locations",
        "conditions.locations.includeLocations",
    ),
    (
        "conditions.locations.excluded_locations",
        "conditions.locations.excludeLocations",
    ),
    (
        "conditions.platforms.included_platforms",
        "conditions.platforms.includePlatforms",
    ),
    (
        "conditions.platforms.excluded_platforms",
        "conditions.platforms.excludePlatforms",
    ),
    ("conditions.users.included_users", "conditions.users.includeUsers"),
    ("conditions.users.excluded_users", "conditions.users.excludeUsers"),
    (
        "conditions.users.included_groups",
        "conditions.users.includeGroups",
    ),
    (
        "conditions.users.excluded_groups",
        "conditions.users.excludeGroups",
    ),
    ("conditions.users.included_roles", "conditions.users.includeRoles"),
    ("conditions.users.excluded_roles", "conditions.users.excludeRoles"),
    (
        "conditions.users.included_guests_or_external_users.guest_or_external_user_types",
        "conditions.users.includeGuestsOrExternalUsers.guestOrExternalUserTypes",
    ),
    (
        "conditions.users.excluded_guests_or_external_users.guest_or_external_user_types",
        "conditions.users.excludeGuestsOrExternalUsers.guestOrExternalUserTypes",
    ),
    (
        "conditions.users.included_guests_or_external_users.external_tenants.membership_kind",
        "conditions.users.includeGuestsOrExternalUsers.externalTenants.membershipKind",
    ),
    (
        "conditions.users.excluded_guests_or_external_users.external_tenants.membership_kind",
        "conditions.users.excludeGuestsOrExternalUsers.externalTenants.membershipKind",
    ),
    ("grant_controls.operator", "grantControls.operator"),
    (
        "grant_controls.built_in_controls",
        "grantControls.builtInControls",
    ),
    (
        "grant_controls.authentication_strength_policy_id",
        "grantControls.authenticationStrength.id",
    ),
    (
        "grant_controls.custom_authentication_factors",
        "grantControls.customAuthenticationFactors",
    ),
    ("grant_controls.terms_of_use", "grantControls.termsOfUse"),
    (
        "session_controls.application_enforced_restrictions_enabled",
        "sessionControls.applicationEnforcedRestrictions.isEnabled",
    ),
    (
        "session_controls.cloud_app_security_policy",
        "sessionControls.cloudAppSecurity.cloudAppSecurityType",
    ),
    (
        "session_controls.disable_resilience_defaults",
        "sessionControls.disableResilienceDefaults",
    ),
    (
        "session_controls.persistent_browser_mode",
        "sessionControls.persistentBrowser.mode",
    ),
    (
        "session_controls.sign_in_frequency",
        "sessionControls.signInFrequency.value",
    ),
    (
        "session_controls.sign_in_frequency_period",
        "sessionControls.signInFrequency.type",
    ),
    (
        "session_controls.sign_in_frequency_authentication_type",
        "sessionControls.signInFrequency.authenticationType",
    ),
    (
        "session_controls.sign_in_frequency_interval",
        "sessionControls.signInFrequency.frequencyInterval",
    ),
];

/// What Terraform itself reads in every resource; capol has the same or counts the same.
const META: &[&str] = &[
    "count",
    "for_each",
    "depends_on",
    "lifecycle",
    "provider",
    "timeouts",
];

/// A policy read from Terraform. References are texts that begin with [`REFERENCE`].
#[derive(Default)]
struct Policy {
    json: Json,
    emergency: BTreeSet<String>,
    unknown: Vec<String>,
}

const REFERENCE: &str = "refers to ";

impl Policy {
    fn read_body(&mut self, body: &Body, path: &str) {
        for Item { kind, .. } in &body.items {
            match kind {
                ItemKind::Attribute(attribute) if META.contains(&attribute.name.text.as_str()) => {}
                ItemKind::Block(block) if META.contains(&block.kind.text.as_str()) => {}
                ItemKind::Attribute(attribute) => {
                    let name = joined(path, &attribute.name.text);
                    let value = value(&attribute.value);
                    self.put(&name, value);
                }
                ItemKind::Block(block) => self.read_body(&block.body, &joined(path, &block.kind.text)),
            }
        }
    }

    fn put(&mut self, name: &str, mut value: Json) {
        let Some((_, wire)) = WIRE.iter().find(|(attribute, _)| *attribute == name) else {
            self.unknown.push(name.to_owned());
            return;
        };
        let takes_list = !name.ends_with(".guest_or_external_user_types")
            && [
                "included_",
                "excluded_",
                "client_app_types",
                "_levels",
                "built_in_controls",
                "terms_of_use",
            ]
            .iter()
            .any(|part| name.rsplit('.').next().unwrap().contains(part));
        if takes_list && value.is_string() {
            value = json!([value]);
        }
        let is_flags = wire.ends_with("transferMethods") || wire.ends_with("insiderRiskLevels");
        if is_flags && value.is_array() {
            value = value[0].clone();
        }
        if let (true, Some(values)) = (name.contains(".excluded_"), value.as_array_mut()) {
            let (emergency, others) = values.drain(..).partition(is_emergency);
            *values = others;
            let emergency: Vec<Json> = emergency;
            self.emergency
                .extend(emergency.iter().filter_map(Json::as_str).map(str::to_owned));
        }
        if name.ends_with("sign_in_frequency") && value.is_string() {
            value = json!(8);
            self.put("session_controls.sign_in_frequency_period", json!("hours"));
        }
        put(&mut self.json, wire, value);
        for control in ["cloudAppSecurity", "persistentBrowser", "signInFrequency"] {
            if wire.starts_with(&format!("sessionControls.{control}.")) {
                put(
                    &mut self.json,
                    &format!("sessionControls.{control}.isEnabled"),
                    json!(true),
                );
            }
        }
    }

    /// The policy in capol.
    fn in_capol(&self, label: &str) -> Result<String, String> {
        let decoded = decode(Kind::Policy, &self.json).map_err(|error| error.to_string())?;
        if !decoded.unknown.is_null() {
            return Err(decoded.unknown.to_string());
        }
        let block = export_block(label, &decoded.object, &Naming::default());
        Ok(with_references(&print(&Body::new(vec![Item::from(block)]))))
    }
}

fn is_emergency(value: &Json) -> bool {
    let text = value.as_str().unwrap_or_default().to_lowercase();
    ["emergency", "break_glass", "breakglass"]
        .iter()
        .any(|word| text.contains(word))
}

/// References as the language writes them, in the place of the look-ups that they were exported as.
fn with_references(text: &str) -> String {
    static LOOK_UP: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\b[a-z_]+\("refers to ([^"]+)"\)|"refers to ([^"]+)""#).unwrap());
    LOOK_UP.replace_all(text, "$1$2").into_owned()
}

/// What an expression comes to: literals as they are, conditionals as their first branch that says
/// something, what is computed from a resource or variable as a reference to it.
fn value(expression: &Expression) -> Json {
    match &expression.kind {
        ExpressionKind::String(template) => template
            .plain()
            .map_or_else(|| json!("computed text"), |text| json!(text)),
        ExpressionKind::Bool(set) => json!(set),
        ExpressionKind::Number(number) => json!(number.as_i64()),
        ExpressionKind::List(values) => Json::Array(values.iter().map(value).collect()),
        ExpressionKind::Conditional(conditional) => match value(&conditional.yes) {
            Json::Null => value(&conditional.no),
            Json::Array(values) if values.is_empty() => value(&conditional.no),
            says => says,
        },
        ExpressionKind::Call(call) if call.name.text == "concat" => Json::Array(
            call.arguments
                .iter()
                .flat_map(|argument| match value(&argument.value) {
                    Json::Array(values) => values,
                    other => vec![other],
                })
                .collect(),
        ),
        ExpressionKind::Call(call) => call
            .arguments
            .iter()
            .next()
            .map_or(Json::Null, |first| value(&first.value)),
        ExpressionKind::ForList(list) => value(&list.intro.collection),
        _ => reference(expression).map_or(Json::Null, |words| json!(format!("{REFERENCE}{words}"))),
    }
}

/// A reference in the words of capol: `azuread_group.x[0].object_id` is `group.x`.
fn reference(expression: &Expression) -> Option<String> {
    let mut words = Vec::new();
    let mut here = expression;
    loop {
        match &here.kind {
            ExpressionKind::Attribute(base, name) => {
                words.push(name.text.clone());
                here = base;
            }
            ExpressionKind::Index(base, _) | ExpressionKind::LegacyIndex(base, _) => here = base,
            ExpressionKind::Name(name) => {
                words.push(name.clone());
                break;
            }
            _ => return None,
        }
    }
    words.reverse();
    words.retain(|word| word != "data");
    if let Some(kind) = words.first().and_then(|first| first.strip_prefix("azuread_")) {
        let kind = kind.rsplit('_').next().unwrap_or(kind).to_owned();
        words.truncate(2);
        words[0] = kind;
    }
    Some(words.join("."))
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Words, numbers, strings and punctuation marks; neither comments nor space.
fn tokens(text: &str) -> usize {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:(?:#|//)[^\n]*|/\*(?s:.*?)\*/|\s+)|("(?:[^"\\]|\\.|\$\{[^}]*\})*"|[A-Za-z_][\w-]*|\d[\w.%]*|.)"#)
            .unwrap()
    });
    TOKEN
        .captures_iter(text)
        .filter(|found| found.get(1).is_some())
        .count()
}

fn policies(parsed: &Parsed) -> impl Iterator<Item = &Block> {
    parsed.tree.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Block(block)
            if block.kind.text == "resource"
                && block
                    .labels
                    .first()
                    .is_some_and(|label| label.text == "azuread_conditional_access_policy") =>
        {
            Some(block)
        }
        _ => None,
    })
}

/// The tokens of a Terraform policy, without what any resource may carry.
fn terraform_tokens(text: &str, block: &Block) -> usize {
    let meta: usize = block
        .body
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Attribute(attribute) if META.contains(&attribute.name.text.as_str()) => {
                Some(attribute.span)
            }
            ItemKind::Block(block) if META.contains(&block.kind.text.as_str()) => Some(block.span),
            _ => None,
        })
        .map(|span| tokens(&text[span.range()]))
        .sum();
    tokens(&text[block.span.range()]) - meta
}

#[test]
fn policies_take_at_most_half_the_tokens_of_terraform() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let (mut read, mut terraform, mut capol) = (0_u32, 0_usize, 0_usize);
    let mut emergency: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut not_compared = Vec::new();
    for path in shared::files(&corpus, ".tf") {
        let name = path.strip_prefix(&corpus).unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = parse(&SourceFile::new(FileId(0), name.as_str(), text.as_str()));
        for block in policies(&parsed) {
            let label = block.labels[1].text.as_str();
            let mut policy = Policy::default();
            policy.read_body(&block.body, "");
            let in_capol = match policy.unknown.as_slice() {
                [] => policy.in_capol(label),
                unknown => Err(unknown.join(", ")),
            };
            match in_capol {
                Ok(in_capol) => {
                    read += 1;
                    terraform += terraform_tokens(&text, block);
                    capol += tokens(&in_capol);
                    let project = name.split('/').next().unwrap_or_default().to_owned();
                    emergency.entry(project).or_default().extend(policy.emergency);
                    if std::env::var_os("CAPOL_SHOW").is_some() {
                        println!("{in_capol}");
                    }
                }
                Err(why) => not_compared.push(format!("{name} {label}: {why}")),
            }
        }
    }
    for accounts in emergency.values().filter(|accounts| !accounts.is_empty()) {
        let list: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
        let block = with_references(&format!("emergency_access {{ users = [{}] }}", list.join(", ")));
        capol += tokens(&block);
    }
    println!("{read} policies: {terraform} tokens in Terraform, {capol} in capol");
    println!("not compared: {not_compared:#?}");
    assert!(read > 50, "too few policies were read to say anything: {read}");
    assert!(
        capol * 2 <= terraform,
        "{capol} tokens in capol, {terraform} in Terraform"
    );
}
