//! `/auditLogs/directoryAudits`: the tenant's own writes, in the shape the service logs them.

use serde_json::Value;
use serde_json::json;

use super::call::Call;
use super::policies::put;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::stamp;
use super::tenant::text;

/// The flags of external users by name and bit, which the log writes as a number.
const GUEST_KINDS: [(&str, u32); 6] = [
    ("internalGuest", 1),
    ("b2bCollaborationGuest", 2),
    ("b2bCollaborationMember", 4),
    ("b2bDirectConnectUser", 8),
    ("otherExternalUser", 16),
    ("serviceProvider", 32),
];

pub(super) fn policy(
    tenant: &mut Tenant,
    call: &Call,
    operation: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    record(
        tenant,
        call,
        operation,
        "conditional access policy",
        "ConditionalAccessPolicy",
        old,
        new,
    );
}

pub(super) fn location(
    tenant: &mut Tenant,
    call: &Call,
    operation: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    record(
        tenant,
        call,
        operation,
        "named location",
        "NamedLocation",
        old,
        new,
    );
}

fn record(
    tenant: &mut Tenant,
    call: &Call,
    operation: &str,
    noun: &str,
    property: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    let target = new.or(old).cloned().unwrap_or_default();
    let told = |value: Option<&Value>| value.map(|value| dialect(value).to_string());
    let id = tenant.next_id();
    let number = tenant.count(Kind::DirectoryAudits);
    let audit = json!({
        "id": format!("IPCGraph_{id}_{number}"),
        "category": "Policy",
        "correlationId": id,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": format!("{operation} {noun}"),
        "activityDateTime": stamp(call.now),
        "loggedByService": "Conditional Access",
        "operationType": operation,
        "initiatedBy": initiator(tenant, call),
        "targetResources": [{
            "id": target.get("id"),
            "displayName": target.get("displayName"),
            "type": "Policy",
            "userPrincipalName": null,
            "groupType": null,
            "modifiedProperties": [{
                "displayName": property,
                "oldValue": told(old),
                "newValue": told(new),
            }]
        }],
        "additionalDetails": [{"key": "Category", "value": "Conditional Access"}],
    });
    // The directory logs the same change once more, under its own name.
    let mut echo = audit.clone();
    for (name, value) in [
        ("id", json!(format!("Directory_{id}_{number}"))),
        ("loggedByService", json!("Core Directory")),
        ("activityDisplayName", json!(format!("{operation} policy"))),
        ("additionalDetails", json!([])),
    ] {
        put(&mut echo, &format!("/{name}"), value);
    }
    put(&mut echo, "/targetResources/0/modifiedProperties", json!([]));
    tenant.insert(Kind::DirectoryAudits, echo);
    tenant.insert(Kind::DirectoryAudits, audit);
    let keep = tenant.settings.audits_kept;
    tenant.drop_oldest(Kind::DirectoryAudits, keep);
}

/// Returns who did it: a user by name and address, an application without its application id.
fn initiator(tenant: &Tenant, call: &Call) -> Value {
    let is = |kind: Kind, name: &str, wanted: &str| {
        tenant
            .objects(kind)
            .find(|object| text(object, name).eq_ignore_ascii_case(wanted))
    };
    if let Some(user) = is(Kind::Users, "userPrincipalName", &call.caller.user) {
        return json!({
            "app": null,
            "user": {
                "id": user.get("id"),
                "displayName": null,
                "userPrincipalName": user.get("userPrincipalName"),
                "ipAddress": "127.0.0.1",
            }
        });
    }
    let application = is(Kind::ServicePrincipals, "appId", &call.caller.app_id)
        .cloned()
        .unwrap_or_default();
    json!({
        "user": null,
        "app": {
            "appId": null,
            "displayName": application.get("displayName"),
            "servicePrincipalId": application.get("id"),
            "servicePrincipalName": null,
        }
    })
}

/// Returns an object as the log writes it: unset objects left out, `+00:00` times, guest kinds as a number.
fn dialect(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(name, value)| !value.is_null() && !name.starts_with('$'))
            .map(|(name, value)| {
                let value = match (name.as_str(), value.as_str()) {
                    ("guestOrExternalUserTypes", Some(flags)) => json!(guest_number(flags)),
                    (name, Some(time)) if name.ends_with("DateTime") => {
                        json!(time.strip_suffix('Z').map(|time| format!("{time}+00:00")))
                    }
                    _ => dialect(value),
                };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(dialect).collect(),
        other => other.clone(),
    }
}

fn guest_number(flags: &str) -> u32 {
    GUEST_KINDS
        .iter()
        .filter(|(name, _)| flags.split(',').any(|flag| flag == *name))
        .map(|(_, bit)| bit)
        .sum()
}
