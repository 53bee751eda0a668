//! Sign-in logs, as Graph gives them.

use serde_json::{Value, json};

use super::{Bench, POLICIES, options, policy};

const ADA: &str = "59da88df-6c65-55e1-b45b-485accd0e352";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

/// Loads sign-ins at these minutes after nine, then everything else in the document.
fn load(bench: &Bench, minutes: std::ops::Range<u32>, more: &Value) {
    let mut document = json!({
        "signIns": minutes.map(|minute| json!({
            "id": format!("51000000-0000-4000-8000-{minute:012}"),
            "createdDateTime": format!("2026-02-01T09:{minute:02}:00Z"),
            "userId": ADA,
            "resourceId": EXCHANGE,
            "clientAppUsed": if minute % 2 == 0 { "Browser" } else { "IMAP4" },
            "signInEventTypes": [if minute % 3 == 0 { "nonInteractiveUser" } else { "interactiveUser" }],
        })).collect::<Vec<_>>(),
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    bench
        .running
        .with_tenant(|tenant| tenant.load_objects(&document).unwrap());
}

async fn ids(bench: &Bench, path: &str) -> Vec<String> {
    let listed = bench.get(path).await;
    let list = listed["value"].as_array().unwrap_or_else(|| panic!("{listed}"));
    list.iter()
        .map(|one| one["id"].as_str().unwrap()[34..].to_owned())
        .collect()
}

#[tokio::test]
async fn sign_ins_are_listed_newest_first_by_kind_and_time_in_pages() {
    let bench = Bench::start(options()).await;
    load(&bench, 0..10, &json!({}));
    assert_eq!(
        ids(&bench, "v1.0/auditLogs/signIns").await,
        ["08", "07", "05", "04", "02", "01"]
    );
    assert_eq!(
        ids(&bench, "beta/auditLogs/signIns").await,
        ["08", "07", "05", "04", "02", "01"]
    );
    let filter = "beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'nonInteractiveUser')";
    assert_eq!(ids(&bench, filter).await, ["09", "06", "03", "00"]);
    let filter = "beta/auditLogs/signIns?$filter=createdDateTime ge 2026-02-01T09:06:00Z and signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')";
    assert_eq!(ids(&bench, filter).await, ["09", "08", "07", "06"]);
    let filter = "v1.0/auditLogs/signIns?$filter=createdDateTime ge 2026-02-01T09:04:00Z and createdDateTime le 2026-02-01T09:07:00Z";
    assert_eq!(ids(&bench, filter).await, ["07", "05", "04"]);
    let mut pages = Vec::new();
    let mut next = "v1.0/auditLogs/signIns?$top=4".to_owned();
    loop {
        let page = bench.get(&next).await;
        pages.push(page["value"].as_array().unwrap().len());
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, [4, 2]);
    let one = bench
        .get("v1.0/auditLogs/signIns/51000000-0000-4000-8000-000000000004")
        .await;
    assert_eq!(one["userPrincipalName"], "ada@contoso.com");
    assert_eq!(one["resourceDisplayName"], "Office 365 Exchange Online");
    assert!(one.get("signInEventTypes").is_none());
}

#[tokio::test]
async fn what_became_of_each_policy_is_recorded_when_it_happened() {
    let bench = Bench::start(options()).await;
    let mut legacy = policy("legacy");
    legacy["conditions"]["clientAppTypes"] = json!(["other"]);
    legacy["grantControls"] = json!({ "operator": "OR", "builtInControls": ["block"] });
    let mut everyone = policy("everyone");
    everyone["conditions"]["users"] = json!({ "includeUsers": ["All"] });
    everyone["conditions"]["applications"] = json!({ "includeApplications": ["All"] });
    for (member, value) in [
        ("users", json!({ "includeUsers": ["All"] })),
        ("applications", json!({ "includeApplications": ["All"] })),
    ] {
        legacy["conditions"][member] = value;
    }
    everyone["state"] = json!("enabledForReportingButNotEnforced");
    everyone["grantControls"] = json!({ "operator": "OR", "builtInControls": ["mfa"] });
    legacy["state"] = json!("enabled");
    let mut off = policy("off");
    off["state"] = json!("disabled");
    for policy in [&legacy, &everyone, &off] {
        assert_eq!(bench.send("POST", POLICIES, Some(policy)).await.status, 201);
    }
    load(&bench, 1..3, &json!({}));
    let results = |sign_in: &Value| -> Vec<(String, String)> {
        let list = sign_in["appliedConditionalAccessPolicies"].as_array().unwrap();
        list.iter()
            .map(|one| {
                (
                    one["displayName"].as_str().unwrap().to_owned(),
                    one["result"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let expected = |legacy: &str| -> Vec<(String, String)> {
        [
            ("legacy", legacy),
            ("everyone", "reportOnlyInterrupted"),
            ("off", "notEnabled"),
        ]
        .map(|(name, result)| (name.to_owned(), result.to_owned()))
        .to_vec()
    };
    let listed = bench.get("v1.0/auditLogs/signIns").await;
    assert_eq!(results(&listed["value"][0]), expected("notApplied"));
    assert_eq!(results(&listed["value"][1]), expected("failure"));
    assert_eq!(listed["value"][1]["conditionalAccessStatus"], "failure");
    assert!(
        listed["value"][1]["appliedConditionalAccessPolicies"][0]
            .get("conditionsSatisfied")
            .is_none()
    );
    let beta = bench.get("beta/auditLogs/signIns").await;
    let entry = &beta["value"][0]["appliedConditionalAccessPolicies"][0];
    assert_eq!(entry["conditionsSatisfied"], "application,users");
    assert_eq!(entry["conditionsNotSatisfied"], "clientType");
    // A policy that changes afterwards does not change the log.
    let id = listed["value"][0]["appliedConditionalAccessPolicies"][0]["id"]
        .as_str()
        .unwrap();
    let patched = bench
        .send(
            "PATCH",
            &format!("{POLICIES}/{id}"),
            Some(&json!({ "state": "disabled" })),
        )
        .await;
    assert!(patched.status < 300);
    assert_eq!(
        results(&bench.get("v1.0/auditLogs/signIns").await["value"][1]),
        expected("failure")
    );
}

#[tokio::test]
async fn logs_need_a_licence_and_policies_in_them_a_permission_of_their_own() {
    let bench = Bench::start(options()).await;
    load(&bench, 1..2, &json!({}));
    bench
        .running
        .with_tenant(|tenant| tenant.settings.premium_p1 = false);
    let refused = bench.send("GET", "v1.0/auditLogs/signIns", None).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["error"]["code"],
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    );
}
