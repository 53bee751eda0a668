//! `/policies/authenticationStrengthPolicies` and its aliases.

use serde_json::Value;
use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::odata;
use super::policies;
use super::policies::put;
use super::schema;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::stamp;
use super::tenant::strings;
use super::tenant::text;

const TYPE: &str = "authenticationStrengthPolicy";
const CONFIGURATION: &str = "authenticationCombinationConfiguration";
const CONTEXT: &str = "identity/conditionalAccess/authenticationStrengths/policies";
const REFERENCE: &str = "/grantControls/authenticationStrength/id";

/// Combinations of the built-in `Multifactor authentication`; the first four and the first three are the other two.
pub(super) const MULTIFACTOR: [&str; 19] = [
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,x509CertificateSingleFactor",
    "password,x509CertificateMultiFactor",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
];

/// Combinations a custom strength may hold though they are not multifactor.
const SINGLE_FACTOR: [&str; 8] = [
    "password",
    "sms",
    "email",
    "x509CertificateSingleFactor",
    "federatedSingleFactor",
    "qrCodePin",
    "hardwareOath",
    "softwareOath",
];

/// Returns the three strengths that every tenant has.
pub(super) fn built_in() -> Vec<Value> {
    let rows = [
        (
            "2",
            "Multifactor authentication",
            "Combinations of methods that satisfy strong authentication, such as a password + SMS",
            19,
        ),
        (
            "3",
            "Passwordless MFA",
            "Passwordless methods that satisfy strong authentication, such as Passwordless sign-in with the Microsoft Authenticator",
            4,
        ),
        (
            "4",
            "Phishing-resistant MFA",
            "Phishing-resistant, Passwordless methods for the strongest authentication, such as a FIDO2 security key",
            3,
        ),
    ];
    rows.into_iter()
        .map(|(digit, name, description, count)| {
            let combinations: Vec<&str> = MULTIFACTOR.iter().copied().take(count).collect();
            json!({
                "id": format!("00000000-0000-0000-0000-00000000000{digit}"),
                "displayName": name,
                "description": description,
                "createdDateTime": "2021-12-01T00:00:00Z",
                "modifiedDateTime": "2021-12-01T00:00:00Z",
                "policyType": "builtIn",
                "requirementsSatisfied": "mfa",
                "allowedCombinations": combinations,
                "combinationConfigurations": [],
            })
        })
        .collect()
}

/// Returns a strength as answers carry it; `path` is where it stands in the service.
pub(super) fn show(call: &Call, strength: &Value, path: &str) -> Value {
    let mut shown = schema::show(TYPE, strength, call.version, call.sees_future_members());
    if let Some(object) = shown.as_object_mut() {
        object.insert(
            "combinationConfigurations@odata.context".to_owned(),
            json!(call.context(&format!("{path}/combinationConfigurations"))),
        );
    }
    shown
}

fn show_alone(call: &Call, strength: &Value) -> Value {
    show(call, strength, &format!("{CONTEXT}('{}')", text(strength, "id")))
}

pub(super) fn list(tenant: &Tenant, call: &Call) -> Outcome {
    let shown = tenant
        .objects(Kind::AuthenticationStrengths)
        .map(|strength| show_alone(call, strength))
        .collect();
    odata::page(tenant, call, shown, CONTEXT)
}

pub(super) fn get(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    Ok(odata::entity(
        call,
        show_alone(call, find(tenant, id)?),
        &format!("{CONTEXT}/$entity"),
    ))
}

pub(super) fn create(tenant: &mut Tenant, call: &Call) -> Outcome {
    let sent = accept(TYPE, call)?;
    let mut strength = schema::merge(TYPE, &Value::Null, &sent);
    names(tenant, &strength, None)?;
    combinations(&strength)?;
    let custom = tenant
        .objects(Kind::AuthenticationStrengths)
        .filter(|other| text(other, "policyType") == "custom")
        .count();
    if custom >= tenant.settings.strength_quota {
        return Err(Refusal::bad(format!(
            "The number of custom authentication strengths has reached the limit of {}.",
            tenant.settings.strength_quota
        )));
    }
    let mut configurations = sent
        .get("combinationConfigurations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for configuration in &mut configurations {
        check_configuration(&strength, configuration)?;
        let id = tenant.next_id();
        put_new(configuration, "id", json!(id));
    }
    let id = tenant.next_id();
    let satisfied = satisfied(&strength);
    for (name, value) in [
        ("id", json!(id)),
        ("createdDateTime", json!(stamp(call.now))),
        ("modifiedDateTime", json!(stamp(call.now))),
        ("policyType", json!("custom")),
        ("requirementsSatisfied", json!(satisfied)),
        ("combinationConfigurations", Value::Array(configurations)),
    ] {
        put_new(&mut strength, name, value);
    }
    tenant.insert(Kind::AuthenticationStrengths, strength.clone());
    Ok(odata::created(
        call,
        show_alone(call, &strength),
        &format!("{CONTEXT}/$entity"),
    ))
}

pub(super) fn update(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let before = custom(tenant, id)?.clone();
    let sent = accept(TYPE, call)?;
    if let Some(object) = sent.as_object() {
        let changeable = [
            "displayName",
            "description",
            "id",
            "policyType",
            "requirementsSatisfied",
            "createdDateTime",
            "modifiedDateTime",
        ];
        if object.keys().any(|name| !changeable.contains(&name.as_str())) {
            return Err(Refusal::bad(
                "Only displayName and description can be updated. Use updateAllowedCombinations to change the allowed combinations.",
            ));
        }
    }
    let mut strength = before.clone();
    for name in ["displayName", "description"] {
        if let Some(value) = sent.get(name) {
            put_new(&mut strength, name, value.clone());
        }
    }
    names(tenant, &strength, Some(id))?;
    put(&mut strength, "/modifiedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::AuthenticationStrengths, strength);
    Ok(Answer::no_content())
}

pub(super) fn delete(tenant: &mut Tenant, id: &str) -> Outcome {
    custom(tenant, id)?;
    if policies::naming(tenant, &[REFERENCE], id).next().is_some() {
        return Err(Refusal::bad(
            "The authentication strength is used by a Conditional Access policy and cannot be deleted.",
        ));
    }
    tenant.remove(Kind::AuthenticationStrengths, id);
    Ok(Answer::no_content())
}

pub(super) fn update_combinations(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let mut strength = custom(tenant, id)?.clone();
    let previous = strength.get("allowedCombinations").cloned().unwrap_or_default();
    let current = call
        .object()?
        .get("allowedCombinations")
        .cloned()
        .unwrap_or_default();
    put(&mut strength, "/allowedCombinations", current.clone());
    combinations(&strength)?;
    let configurations = strength
        .get("combinationConfigurations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for configuration in &configurations {
        check_configuration(&strength, configuration)?;
    }
    let satisfied = satisfied(&strength);
    put(&mut strength, "/requirementsSatisfied", json!(satisfied));
    put(&mut strength, "/modifiedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::AuthenticationStrengths, strength);
    let references: Vec<String> = policies::naming(tenant, &[REFERENCE], id)
        .map(|policy| text(policy, "id").to_owned())
        .collect();
    Ok(Answer::ok(json!({
        "@odata.context": call.context("microsoft.graph.updateAllowedCombinationsResult"),
        "previousCombinations": previous,
        "currentCombinations": current,
        "conditionalAccessReferences": references,
        "additionalInformation": "",
    })))
}

pub(super) fn usage(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let satisfied = text(find(tenant, id)?, "requirementsSatisfied").to_owned();
    let users: Vec<Value> = policies::naming(tenant, &[REFERENCE], id)
        .map(|policy| policies::show(tenant, call, policy))
        .collect();
    let (mfa, none) = if satisfied == "mfa" {
        (users, Vec::new())
    } else {
        (Vec::new(), users)
    };
    Ok(Answer::ok(json!({
        "@odata.context": call.context("microsoft.graph.authenticationStrengthUsage"),
        "mfa": mfa,
        "none": none,
    })))
}

pub(super) fn configurations(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let items = find(tenant, id)?
        .get("combinationConfigurations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    odata::page(
        tenant,
        call,
        items,
        &format!("{CONTEXT}('{id}')/combinationConfigurations"),
    )
}

pub(super) fn configuration(tenant: &Tenant, call: &Call, id: &str, key: &str) -> Outcome {
    let found = find(tenant, id)?
        .get("combinationConfigurations")
        .and_then(Value::as_array)
        .and_then(|items| {
            items
                .iter()
                .find(|item| text(item, "id").eq_ignore_ascii_case(key))
        })
        .cloned()
        .ok_or_else(|| Refusal::unknown("AuthenticationCombinationConfiguration", key))?;
    Ok(odata::entity(
        call,
        found,
        &format!("{CONTEXT}('{id}')/combinationConfigurations/$entity"),
    ))
}

pub(super) fn add_configuration(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let mut configuration = accept(CONFIGURATION, call)?;
    check_configuration(custom(tenant, id)?, &configuration)?;
    let key = tenant.next_id();
    put_new(&mut configuration, "id", json!(key));
    let list = configuration_list(tenant, id)?;
    list.push(configuration.clone());
    Ok(odata::created(
        call,
        configuration,
        &format!("{CONTEXT}('{id}')/combinationConfigurations/$entity"),
    ))
}

pub(super) fn change_configuration(tenant: &mut Tenant, call: &Call, id: &str, key: &str) -> Outcome {
    let strength = custom(tenant, id)?.clone();
    let sent = accept(CONFIGURATION, call)?;
    let list = configuration_list(tenant, id)?;
    let found = list
        .iter_mut()
        .find(|item| text(item, "id").eq_ignore_ascii_case(key))
        .ok_or_else(|| Refusal::unknown("AuthenticationCombinationConfiguration", key))?;
    let mut merged = schema::merge(CONFIGURATION, found, &sent);
    put_new(&mut merged, "id", json!(key));
    check_configuration(&strength, &merged)?;
    *found = merged;
    Ok(Answer::no_content())
}

pub(super) fn remove_configuration(tenant: &mut Tenant, id: &str, key: &str) -> Outcome {
    custom(tenant, id)?;
    let list = configuration_list(tenant, id)?;
    let before = list.len();
    list.retain(|item| !text(item, "id").eq_ignore_ascii_case(key));
    if list.len() == before {
        return Err(Refusal::unknown("AuthenticationCombinationConfiguration", key));
    }
    Ok(Answer::no_content())
}

/// Returns what `requirementsSatisfied` says: a one-time pass makes a custom strength satisfy nothing.
pub(super) fn satisfied(strength: &Value) -> &'static str {
    let multifactor = |word: &str| MULTIFACTOR.contains(&word) && !word.starts_with("temporaryAccessPass");
    if strings(strength, "/allowedCombinations")
        .into_iter()
        .all(multifactor)
    {
        "mfa"
    } else {
        "none"
    }
}

fn find<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Value, Refusal> {
    tenant
        .object(Kind::AuthenticationStrengths, id)
        .ok_or_else(|| Refusal::unknown("AuthenticationStrengthPolicy", id))
}

fn custom<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Value, Refusal> {
    let strength = find(tenant, id)?;
    if text(strength, "policyType") == "builtIn" {
        return Err(Refusal::bad(
            "Built-in authentication strengths cannot be changed or deleted.",
        ));
    }
    Ok(strength)
}

fn configuration_list<'a>(tenant: &'a mut Tenant, id: &str) -> Result<&'a mut Vec<Value>, Refusal> {
    tenant
        .object_mut(Kind::AuthenticationStrengths, id)
        .and_then(|strength| strength.get_mut("combinationConfigurations"))
        .and_then(Value::as_array_mut)
        .ok_or_else(|| Refusal::unknown("AuthenticationStrengthPolicy", id))
}

fn accept(kind: &str, call: &Call) -> Result<Value, Refusal> {
    schema::accept(kind, call.object()?, call.version)
        .map_err(|_| Refusal::bad(format!("The request body does not match the schema of {kind}.")))
}

fn put_new(value: &mut Value, name: &str, new: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), new);
    }
}

fn names(tenant: &Tenant, strength: &Value, id: Option<&str>) -> Result<(), Refusal> {
    let name = text(strength, "displayName");
    if name.is_empty() || name.chars().count() > 256 || text(strength, "description").chars().count() > 1500 {
        return Err(Refusal::bad(
            "displayName must have 1 to 256 characters and description at most 1500.",
        ));
    }
    let taken = tenant.objects(Kind::AuthenticationStrengths).any(|other| {
        text(other, "displayName").eq_ignore_ascii_case(name)
            && !id.is_some_and(|id| text(other, "id").eq_ignore_ascii_case(id))
    });
    if taken {
        return Err(Refusal::bad(format!(
            "An authentication strength with the name '{name}' already exists."
        )));
    }
    Ok(())
}

fn combinations(strength: &Value) -> Result<(), Refusal> {
    let list = strength
        .get("allowedCombinations")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if list.is_empty() {
        return Err(Refusal::bad("allowedCombinations must not be empty."));
    }
    let known = |word: &str| MULTIFACTOR.contains(&word) || SINGLE_FACTOR.contains(&word);
    match list.iter().find(|item| !item.as_str().is_some_and(known)) {
        Some(item) => Err(Refusal::bad(format!(
            "{item} is not a valid authentication method combination."
        ))),
        None => Ok(()),
    }
}

fn check_configuration(strength: &Value, configuration: &Value) -> Result<(), Refusal> {
    let allowed = strings(strength, "/allowedCombinations");
    let applies = strings(configuration, "/appliesToCombinations");
    if applies.is_empty() || applies.iter().any(|word| !allowed.contains(word)) {
        return Err(Refusal::bad(
            "appliesToCombinations must name combinations that the authentication strength allows.",
        ));
    }
    let long = ["/allowedIssuerSkis", "/allowedPolicyOIDs"]
        .into_iter()
        .any(|list| strings(configuration, list).len() > 5);
    if long {
        return Err(Refusal::bad("At most 5 issuers and 5 policy OIDs are supported."));
    }
    Ok(())
}
