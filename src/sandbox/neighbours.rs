//! What stands beside policies: templates, authentication contexts, terms of use, security defaults.

use serde_json::Value;
use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::call::Version;
use super::odata;
use super::policies;
use super::schema;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::text;

const CONTEXT_TYPE: &str = "authenticationContextClassReference";
const CONTEXTS: &str = "identity/conditionalAccess/authenticationContextClassReferences";
const AGREEMENTS: &str = "identityGovernance/termsOfUse/agreements";
const DEFAULTS_ID: &str = "00000000-0000-0000-0000-000000000005";

fn all_templates() -> Vec<Value> {
    let document: Value = serde_json::from_str(include_str!("templates.json")).unwrap_or_default();
    let mut templates = document
        .get("templates")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for template in &mut templates {
        let scenarios = template.get("scenarios").and_then(Value::as_array).map(|words| {
            words
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(",")
        });
        if let Some(object) = template.as_object_mut() {
            if let Some(scenarios) = scenarios {
                object.insert("scenarios".to_owned(), json!(scenarios));
            }
            object.entry("description").or_insert_with(|| json!(""));
        }
    }
    templates
}

/// Returns the templates as a version of the service shows them.
fn shown_templates(call: &Call) -> impl Iterator<Item = Value> {
    all_templates().into_iter().map(|mut template| {
        for (member, kind) in [
            ("conditions", "conditionalAccessConditionSet"),
            ("grantControls", "conditionalAccessGrantControls"),
            ("sessionControls", "conditionalAccessSessionControls"),
        ] {
            if let Some(details) = template.pointer_mut(&format!("/details/{member}")) {
                schema::prune(kind, details, call.version);
            }
        }
        template
    })
}

pub(super) fn templates(tenant: &Tenant, call: &Call) -> Outcome {
    odata::offers(call, &["filter", "select"])?;
    odata::page(
        tenant,
        call,
        shown_templates(call).collect(),
        "conditionalAccess/templates",
    )
}

pub(super) fn template(call: &Call, id: &str) -> Outcome {
    let found = shown_templates(call).find(|template| text(template, "id").eq_ignore_ascii_case(id));
    let found = found.ok_or_else(|| Refusal::unknown("ConditionalAccessTemplate", id))?;
    Ok(odata::entity(call, found, "conditionalAccess/templates/$entity"))
}

pub(super) fn contexts(tenant: &Tenant, call: &Call) -> Outcome {
    let offered: &[&str] = match call.version {
        Version::V1 => &["filter"],
        Version::Beta => &["filter", "select"],
    };
    odata::offers(call, offered)?;
    odata::page(
        tenant,
        call,
        tenant.objects(Kind::AuthenticationContexts).cloned().collect(),
        CONTEXTS,
    )
}

pub(super) fn context(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let found = tenant.object(Kind::AuthenticationContexts, id).cloned();
    let found = found.ok_or_else(|| Refusal::unknown("AuthenticationContextClassReference", id))?;
    Ok(odata::entity(call, found, &format!("{CONTEXTS}/$entity")))
}

fn accept_context(call: &Call) -> Result<Value, Refusal> {
    schema::accept(CONTEXT_TYPE, call.object()?, call.version).map_err(|_| {
        Refusal::bad("The request body does not match the schema of AuthenticationContextClassReference.")
    })
}

/// What is stored of a context: one that never said whether apps may ask for it is not available
/// (authenticationContextClassReference: "The default value is false").
fn stored_context(before: &Value, sent: &Value) -> Value {
    let mut context = schema::merge(CONTEXT_TYPE, before, sent);
    if context.get("isAvailable").is_none_or(Value::is_null) {
        policies::put(&mut context, "/isAvailable", json!(false));
    }
    context
}

fn check_context(context: &Value) -> Result<(), Refusal> {
    let number = text(context, "id")
        .strip_prefix('c')
        .and_then(|digits| digits.parse::<u8>().ok());
    if !number.is_some_and(|number| (1..=99).contains(&number)) {
        return Err(Refusal::bad(
            "The id of an authentication context must be c1 to c99.",
        ));
    }
    if text(context, "displayName").is_empty() {
        return Err(Refusal::bad(
            "displayName of an authentication context is required.",
        ));
    }
    Ok(())
}

pub(super) fn create_context(tenant: &mut Tenant, call: &Call) -> Outcome {
    let sent = accept_context(call)?;
    let context = stored_context(&Value::Null, &sent);
    check_context(&context)?;
    if tenant
        .object(Kind::AuthenticationContexts, text(&context, "id"))
        .is_some()
    {
        return Err(Refusal::bad(format!(
            "An authentication context with the id {} already exists.",
            text(&context, "id")
        )));
    }
    tenant.insert(Kind::AuthenticationContexts, context.clone());
    Ok(odata::created(call, context, &format!("{CONTEXTS}/$entity")))
}

/// A PATCH of an id that is not there creates it.
pub(super) fn update_context(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let sent = accept_context(call)?;
    let before = tenant
        .object(Kind::AuthenticationContexts, id)
        .cloned()
        .unwrap_or_default();
    let mut context = stored_context(&before, &sent);
    policies::put(&mut context, "/id", json!(id));
    check_context(&context)?;
    tenant.insert(Kind::AuthenticationContexts, context);
    Ok(Answer::no_content())
}

pub(super) fn delete_context(tenant: &mut Tenant, id: &str) -> Outcome {
    let found = tenant.object(Kind::AuthenticationContexts, id);
    let found = found.ok_or_else(|| Refusal::unknown("AuthenticationContextClassReference", id))?;
    if found.get("isAvailable") == Some(&Value::Bool(true)) {
        return Err(Refusal::new(
            403,
            "AccessDenied",
            "An authentication context that is published to apps cannot be deleted.",
        ));
    }
    let places = ["/conditions/applications/includeAuthenticationContextClassReferences"];
    if policies::naming(tenant, &places, id).next().is_some() {
        return Err(Refusal::bad(
            "The authentication context is used by a Conditional Access policy and cannot be deleted.",
        ));
    }
    tenant.remove(Kind::AuthenticationContexts, id);
    Ok(Answer::no_content())
}

/// Members of an agreement that a client may write.
const AGREEMENT_WRITABLE: [&str; 7] = [
    "displayName",
    "isViewingBeforeAcceptanceRequired",
    "isPerDeviceAcceptanceRequired",
    "userReacceptRequiredFrequency",
    "termsExpiration",
    "file",
    "files",
];

fn sent_agreement(call: &Call) -> Result<Value, Refusal> {
    let mut sent = call.object()?.clone();
    let unknown = sent.as_object_mut().and_then(|object| {
        object.retain(|name, _| name != "id" && !name.contains("@odata."));
        object
            .keys()
            .find(|name| !AGREEMENT_WRITABLE.contains(&name.as_str()))
            .cloned()
    });
    match unknown {
        Some(name) => Err(Refusal::bad(format!(
            "The property '{name}' does not exist on type 'microsoft.graph.agreement'."
        ))),
        None => Ok(sent),
    }
}

fn show_agreement(agreement: &Value) -> Value {
    let mut shown = agreement.clone();
    if let Some(object) = shown.as_object_mut() {
        object.remove("file");
        object.remove("files");
    }
    shown
}

pub(super) fn agreements(tenant: &Tenant, call: &Call) -> Outcome {
    odata::offers(call, &["expand"])?;
    odata::page(
        tenant,
        call,
        tenant.objects(Kind::Agreements).map(show_agreement).collect(),
        AGREEMENTS,
    )
}

pub(super) fn agreement(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let found = tenant
        .object(Kind::Agreements, id)
        .ok_or_else(|| Refusal::unknown("Agreement", id))?;
    Ok(odata::entity(
        call,
        show_agreement(found),
        &format!("{AGREEMENTS}/$entity"),
    ))
}

pub(super) fn create_agreement(tenant: &mut Tenant, call: &Call) -> Outcome {
    let sent = sent_agreement(call)?;
    let has_file = ["/file/localizations", "/files"].into_iter().any(|place| {
        sent.pointer(place)
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty())
    });
    if text(&sent, "displayName").is_empty() || !has_file {
        return Err(Refusal::bad(
            "An agreement needs displayName and at least one file.",
        ));
    }
    let mut agreement = json!({
        "isViewingBeforeAcceptanceRequired": false,
        "isPerDeviceAcceptanceRequired": false,
        "userReacceptRequiredFrequency": null,
        "termsExpiration": null,
    });
    let id = tenant.next_id();
    if let (Some(object), Some(sent)) = (agreement.as_object_mut(), sent.as_object()) {
        object.extend(sent.iter().map(|(name, value)| (name.clone(), value.clone())));
        object.insert("id".to_owned(), json!(id));
    }
    tenant.insert(Kind::Agreements, agreement.clone());
    Ok(odata::created(
        call,
        show_agreement(&agreement),
        &format!("{AGREEMENTS}/$entity"),
    ))
}

pub(super) fn update_agreement(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let sent = sent_agreement(call)?;
    let found = tenant
        .object_mut(Kind::Agreements, id)
        .and_then(Value::as_object_mut);
    let found = found.ok_or_else(|| Refusal::unknown("Agreement", id))?;
    if let Some(sent) = sent.as_object() {
        found.extend(
            sent.iter()
                .filter(|(name, _)| *name != "id")
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    Ok(Answer::no_content())
}

pub(super) fn delete_agreement(tenant: &mut Tenant, id: &str) -> Outcome {
    tenant
        .object(Kind::Agreements, id)
        .ok_or_else(|| Refusal::unknown("Agreement", id))?;
    if policies::naming(tenant, &["/grantControls/termsOfUse"], id)
        .next()
        .is_some()
    {
        return Err(Refusal::bad(
            "The agreement is used by a Conditional Access policy and cannot be deleted.",
        ));
    }
    tenant.remove(Kind::Agreements, id);
    Ok(Answer::no_content())
}

pub(super) fn security_defaults(tenant: &Tenant, call: &Call) -> Answer {
    let policy = json!({
        "id": DEFAULTS_ID,
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": tenant.security_defaults,
    });
    odata::entity(
        call,
        policy,
        "policies/identitySecurityDefaultsEnforcementPolicy/$entity",
    )
}

pub(super) fn set_security_defaults(tenant: &mut Tenant, call: &Call) -> Outcome {
    let Some(enabled) = call.object()?.get("isEnabled").and_then(Value::as_bool) else {
        return Err(Refusal::bad("isEnabled must be true or false."));
    };
    if enabled
        && tenant
            .objects(Kind::Policies)
            .any(|policy| text(policy, "state") == "enabled")
    {
        return Err(Refusal::bad(
            "Security defaults cannot be enabled while Conditional Access policies are enabled.",
        ));
    }
    tenant.security_defaults = enabled;
    Ok(Answer::no_content())
}

pub(super) fn method_modes(tenant: &Tenant, call: &Call) -> Outcome {
    let rows = [
        ("password", "password", "Password"),
        ("voice", "voice", "Voice call"),
        ("hardwareOath", "hardwareOath", "Hardware OATH token"),
        ("softwareOath", "softwareOath", "Software OATH token"),
        ("sms", "sms", "SMS"),
        ("fido2", "fido2", "Passkeys (FIDO2)"),
        (
            "windowsHelloForBusiness",
            "windowsHelloForBusiness",
            "Windows Hello for Business",
        ),
        (
            "microsoftAuthenticatorPush",
            "microsoftAuthenticator",
            "Microsoft Authenticator (push notification)",
        ),
        (
            "deviceBasedPush",
            "microsoftAuthenticator",
            "Microsoft Authenticator (phone sign-in)",
        ),
        (
            "temporaryAccessPassOneTime",
            "temporaryAccessPass",
            "Temporary Access Pass (one-time use)",
        ),
        (
            "temporaryAccessPassMultiUse",
            "temporaryAccessPass",
            "Temporary Access Pass (multi-use)",
        ),
        ("email", "email", "Email one-time pass"),
        (
            "x509CertificateSingleFactor",
            "x509Certificate",
            "Certificate-based authentication (single-factor)",
        ),
        (
            "x509CertificateMultiFactor",
            "x509Certificate",
            "Certificate-based authentication (multifactor)",
        ),
        ("federatedSingleFactor", "federation", "Federated single-factor"),
        ("federatedMultiFactor", "federation", "Federated multifactor"),
        ("qrCodePin", "qrCodePin", "QR code"),
    ];
    let modes = rows
        .into_iter()
        .map(|(id, method, name)| json!({"id": id, "authenticationMethod": method, "displayName": name}))
        .collect();
    odata::page(
        tenant,
        call,
        modes,
        "identity/conditionalAccess/authenticationStrength/authenticationMethodModes",
    )
}
