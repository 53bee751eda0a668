//! `/organization` and `/subscribedSkus`: whose tenant it is and what it has licences for.

use serde_json::Value;
use serde_json::json;

use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::odata;
use super::tenant::Tenant;

fn organization_object(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "displayName": tenant.display_name,
        "tenantType": "AAD",
        "countryLetterCode": "US",
        "verifiedDomains": [
            {"name": tenant.domain, "isDefault": true, "isInitial": false, "type": "Managed", "capabilities": "Email"},
            {
                "name": format!("{}.onmicrosoft.com", tenant.domain.split('.').next().unwrap_or_default()),
                "isDefault": false, "isInitial": true, "type": "Managed", "capabilities": "Email"
            },
        ],
        "assignedPlans": plans(tenant).into_iter().map(|(service, plan, name)| json!({
            "service": service, "servicePlanId": plan, "capabilityStatus": "Enabled", "servicePlanName": name,
        })).collect::<Vec<_>>(),
    })
}

pub(super) fn organization(tenant: &Tenant, call: &Call) -> Outcome {
    odata::page(tenant, call, vec![organization_object(tenant)], "organization")
}

pub(super) fn one_organization(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    if !id.eq_ignore_ascii_case(&tenant.id) {
        return Err(Refusal::unknown_resource(id));
    }
    Ok(odata::entity(
        call,
        organization_object(tenant),
        "organization/$entity",
    ))
}

/// The service plans that Conditional Access asks for: service, plan id, name.
fn plans(tenant: &Tenant) -> Vec<(&'static str, &'static str, &'static str)> {
    let settings = &tenant.settings;
    let rows = [
        (
            settings.premium_p1,
            (
                "AADPremiumService",
                "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
                "AAD_PREMIUM",
            ),
        ),
        (
            settings.premium_p2,
            (
                "AADPremiumService",
                "eec0eb4f-6444-4f95-aba0-50c24d67f998",
                "AAD_PREMIUM_P2",
            ),
        ),
        (
            settings.workload_identities,
            (
                "AADPremiumService",
                "84c289f0-efcb-486f-8581-07f44fc9efad",
                "AAD_WRKLDID_P1",
            ),
        ),
        (
            settings.workload_identities,
            (
                "AADPremiumService",
                "7dc0e92d-bf15-401d-907e-0884efe7c760",
                "AAD_WRKLDID_P2",
            ),
        ),
    ];
    rows.into_iter()
        .filter(|(held, _)| *held)
        .map(|(_, row)| row)
        .collect()
}

pub(super) fn skus(tenant: &Tenant, call: &Call) -> Outcome {
    let settings = &tenant.settings;
    let rows = [
        (
            settings.premium_p1 && !settings.premium_p2,
            "078d2b04-f1bd-4111-bbd4-b4b1b354cef4",
            "AAD_PREMIUM",
        ),
        (
            settings.premium_p2,
            "84a661c4-e949-4bd2-a560-ed7766fcaf2b",
            "AAD_PREMIUM_P2",
        ),
        (
            settings.workload_identities,
            "73fa80b5-689f-46b6-8d49-f8ed9b9c4c8c",
            "Workload_Identities_Premium_CN",
        ),
    ];
    let plans = plans(tenant);
    let held: Vec<Value> = rows
        .into_iter()
        .filter(|(held, ..)| *held)
        .map(|(_, id, part)| {
            let workload = part.starts_with("Workload");
            let own: Vec<Value> = plans
                .iter()
                .filter(|(_, _, name)| name.contains("WRKLDID") == workload)
                .map(|(_, plan, name)| {
                    json!({"servicePlanId": plan, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"})
                })
                .collect();
            json!({
                "id": format!("{}_{id}", tenant.id),
                "skuId": id,
                "skuPartNumber": part,
                "capabilityStatus": "Enabled",
                "appliesTo": "User",
                "consumedUnits": 10,
                "prepaidUnits": {"enabled": 100, "suspended": 0, "warning": 0, "lockedOut": 0},
                "servicePlans": own,
            })
        })
        .collect();
    odata::page(tenant, call, held, "subscribedSkus")
}
