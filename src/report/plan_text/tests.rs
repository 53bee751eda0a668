//! What people see of plans, at three widths, with and without colour.

use serde_json::{Value as Json, json};

use super::super::page::Canvas;
use super::bench::*;
use super::*;
use crate::model::Address;
use crate::model::properties::ApiVersion;
use crate::model::reference::{Reference, Target};
use crate::plan::{
    Act, Action, ActionReason, Guard, GuardChange, Note, NoteLevel, OutputChange, PropertyChange, RawChange,
    Step, StepId,
};

fn shown(plan: &Plan, width: usize, color: bool) -> String {
    let view = PlanView {
        plan,
        tenant: Some("contoso.onmicrosoft.com"),
        next: Some("capol apply change.capolplan"),
        full: false,
        brief: false,
        place: &|origin| Some(format!("policies.capol:{}:3", origin.start)),
        findings: None,
    };
    plan_text(&view).render(Canvas { width, color })
}

fn policy(name: &str, state: &str, conditions: Json, grant: Json, session: Json) -> Json {
    json!({ "displayName": name, "state": state, "conditions": conditions, "grantControls": grant, "sessionControls": session })
}

fn builtin(operator: &str, controls: &[&str]) -> Json {
    json!({ "operator": operator, "builtInControls": controls })
}

fn everyone(exclude: &[&str]) -> Json {
    json!({
        "users": { "includeUsers": ["All"], "excludeGroups": exclude },
        "applications": { "includeApplications": ["All"] },
        "clientAppTypes": ["all"],
    })
}

fn mixed() -> Plan {
    let report = "enabledForReportingButNotEnforced";
    let mut changes = Vec::new();

    let before = json!({
        "users": { "includeRoles": [GLOBAL_ADMINISTRATOR], "excludeUsers": [ADA] },
        "applications": { "includeApplications": ["All"] }, "clientAppTypes": ["all"],
    });
    let after = json!({
        "users": { "includeRoles": [GLOBAL_ADMINISTRATOR, "194ae4cb-b126-40b2-bd5b-6091b380977d"], "excludeGroups": [FINANCE] },
        "applications": { "includeApplications": ["All"], "excludeApplications": [SALESFORCE] },
        "clientAppTypes": ["browser", "mobileAppsAndDesktopClients"],
        "locations": { "includeLocations": ["All"], "excludeLocations": ["@location.offices", "AllTrusted"] },
    });
    let strong = json!({ "operator": "OR", "builtInControls": ["compliantDevice"], "authenticationStrength": { "id": PHISHING_RESISTANT } });
    changes.push(change(
        "policy.mfa_for_admins",
        Kind::Policy,
        Action::Update,
        Some(policy("CA001 Require phishing-resistant MFA for admins", report, before, builtin("OR", &["mfa"]), Json::Null)),
        Some(policy("CA001 Require phishing-resistant MFA for admins", "enabled", after, strong, json!({
            "signInFrequency": { "isEnabled": true, "type": "hours", "value": 4, "frequencyInterval": "timeBased" },
            "persistentBrowser": { "isEnabled": true, "mode": "never" },
        }))),
    ));

    let legacy = json!({
        "users": { "includeUsers": ["All"], "excludeGroups": [BREAK_GLASS] },
        "applications": { "includeApplications": ["All"] },
        "clientAppTypes": ["exchangeActiveSync", "other"],
    });
    changes.push(change(
        "policy.block_legacy",
        Kind::Policy,
        Action::Create,
        None,
        Some(policy(
            "CA010 Block legacy authentication",
            "enabled",
            legacy,
            builtin("OR", &["block"]),
            Json::Null,
        )),
    ));
    let risky = json!({
        "users": {
            "includeUsers": ["All"], "excludeGroups": [BREAK_GLASS, FINANCE], "excludeUsers": [ADA],
            "excludeGuestsOrExternalUsers": { "guestOrExternalUserTypes": "b2bCollaborationGuest,serviceProvider", "externalTenants": { "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all" } },
        },
        "applications": { "includeApplications": ["Office365", SALESFORCE] },
        "clientAppTypes": ["all"], "signInRiskLevels": ["high", "medium"],
        "platforms": { "includePlatforms": ["all"], "excludePlatforms": ["linux"] },
        "devices": { "deviceFilter": { "mode": "exclude", "rule": "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\"" } },
    });
    changes.push(change(
        "policy.risky_sign_ins",
        Kind::Policy,
        Action::Create,
        None,
        Some(policy(
            "CA020 Ask again on risky sign-ins",
            report,
            risky,
            builtin("AND", &["mfa", "passwordChange"]),
            json!({
                "signInFrequency": { "isEnabled": true, "frequencyInterval": "everyTime" },
            }),
        )),
    ));
    let mut gone = change(
        "policy.old_mfa",
        Kind::Policy,
        Action::Delete,
        Some(policy(
            "CA099 Old MFA policy",
            "enabled",
            everyone(&[BREAK_GLASS]),
            builtin("OR", &["mfa"]),
            Json::Null,
        )),
        None,
    );
    gone.reason = Some(ActionReason::NoBlock);
    gone.guard = Some(GuardChange::Lifted(Some("the board asked for it".into())));
    changes.push(gone);
    let mut again = change(
        "policy.guests",
        Kind::Policy,
        Action::Create,
        None,
        Some(policy(
            "CA030 Terms of use for guests",
            "disabled",
            everyone(&[]),
            json!({ "operator": "OR", "termsOfUse": ["77777777-0000-4000-8000-000000000007"] }),
            Json::Null,
        )),
    );
    again.reason = Some(ActionReason::DeletedOutside);
    changes.push(again);
    for (number, name) in [
        (40, "Compliant devices for Windows"),
        (41, "App protection on phones"),
        (42, "Block countries"),
    ] {
        let address = format!("policy.ca0{number}");
        let body = policy(
            &format!("CA0{number} {name}"),
            "enabled",
            everyone(&[BREAK_GLASS]),
            builtin("OR", &["mfa"]),
            Json::Null,
        );
        let mut adopted = change(
            &address,
            Kind::Policy,
            Action::NoOp,
            Some(body.clone()),
            Some(body),
        );
        adopted.imported = true;
        changes.push(adopted);
    }
    let body = policy(
        "CA050 Token protection",
        report,
        everyone(&[]),
        Json::Null,
        json!({ "secureSignInSession": { "isEnabled": true } }),
    );
    let mut adopted = change(
        "policy.token_protection",
        Kind::Policy,
        Action::Update,
        Some(body.clone()),
        Some(policy(
            "CA050 Token protection",
            report,
            everyone(&[BREAK_GLASS]),
            Json::Null,
            json!({ "secureSignInSession": { "isEnabled": true } }),
        )),
    );
    adopted.imported = true;
    adopted.raw.push(RawChange {
        path: "conditions.futureCondition".into(),
        before: Json::Null,
        after: json!({ "mode": "strict", "of": [1, 2] }),
    });
    adopted.unknown = vec!["conditions.hologram".into()];
    changes.push(adopted);
    let body = policy(
        "CA060 Admin portals",
        "enabled",
        everyone(&[BREAK_GLASS]),
        builtin("OR", &["mfa"]),
        Json::Null,
    );
    let mut moved = change(
        "module.base.policy.admin_portals[\"eu\"]",
        Kind::Policy,
        Action::NoOp,
        Some(body.clone()),
        Some(body.clone()),
    );
    moved.previous_address = Some("policy.admin_portals".parse().unwrap());
    changes.push(moved);
    let mut forgotten = change(
        "policy.legacy_tool",
        Kind::Policy,
        Action::Forget,
        Some(body.clone()),
        None,
    );
    forgotten.name = "CA070 Kept by the other team".into();
    forgotten.reason = Some(ActionReason::Removed);
    changes.push(forgotten);
    let mut guarded = change(
        "policy.break_glass_alarm",
        Kind::Policy,
        Action::NoOp,
        Some(body.clone()),
        Some(body),
    );
    guarded.name = "CA080 Alarm".into();
    guarded.guard = Some(GuardChange::Set);
    guarded.lifecycle = Guard {
        prevent_destroy: true,
        reason: Some("auditors look at it every quarter".into()),
    };
    changes.push(guarded);

    let ranges = |from: u8, count: u8| -> Json {
        (from..from + count)
            .map(|n| json!({ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": format!("203.0.{n}.0/24") }))
            .collect()
    };
    changes.push(change(
        "location.offices",
        Kind::IpLocation,
        Action::Update,
        Some(json!({ "displayName": "Offices", "isTrusted": true, "ipRanges": ranges(1, 20) })),
        Some(json!({ "displayName": "Offices", "isTrusted": true, "ipRanges": ranges(12, 40) })),
    ));
    let mut warehouse = change(
        "location.warehouse",
        Kind::IpLocation,
        Action::Delete,
        Some(json!({ "displayName": "Warehouse", "isTrusted": true, "ipRanges": ranges(90, 1) })),
        None,
    );
    warehouse.reason = Some(ActionReason::NoBlock);
    warehouse.steps = vec![StepId(1)];
    changes.push(warehouse);
    let mut abroad = change(
        "location.abroad",
        Kind::CountryLocation,
        Action::Replace,
        Some(json!({ "displayName": "Abroad", "countriesAndRegions": ["BR"] })),
        Some(
            json!({ "displayName": "Abroad", "countriesAndRegions": ["BR", "AR"], "includeUnknownCountriesAndRegions": true }),
        ),
    );
    abroad.reason = Some(ActionReason::KindChange);
    changes.push(abroad);
    changes.push(change(
        "strength.passkeys",
        Kind::Strength,
        Action::Create,
        None,
        Some(json!({ "displayName": "Passkeys only", "allowedCombinations": ["fido2", "windowsHelloForBusiness", "password,sms"] })),
    ));
    let mut payroll = change(
        "context.payroll",
        Kind::Context,
        Action::Replace,
        Some(json!({ "id": "c4", "displayName": "Payroll", "isAvailable": true })),
        Some(json!({ "id": "c5", "displayName": "Payroll", "isAvailable": true })),
    );
    payroll.reason = Some(ActionReason::CannotUpdate(vec!["id".into()]));
    changes.push(payroll);
    changes.push(change(
        "group.pilot",
        Kind::Group,
        Action::Update,
        Some(json!({ "displayName": "CA pilot", "mailNickname": "ca-pilot", "members": [ADA] })),
        Some(json!({ "displayName": "CA pilot ring", "mailNickname": "ca-pilot", "members": [] })),
    ));

    let mut plan = plan(changes, 31);
    plan.steps.push(Step {
        id: StepId(1),
        address: Address::root("location", "warehouse"),
        act: Act::Release {
            kind: Kind::IpLocation,
            id: "w".into(),
            version: ApiVersion::V1,
            body: Json::Null.into(),
        },
        after: Vec::new(),
    });
    plan.outputs = vec![
        OutputChange {
            name: "policy_count".into(),
            before: Some(json!(12)),
            after: Some(json!(14)),
            sensitive: false,
            pending: Vec::new(),
        },
        OutputChange {
            name: "strength_id".into(),
            before: None,
            after: Some(Json::Null),
            sensitive: false,
            pending: Vec::new(),
        },
        OutputChange {
            name: "webhook".into(),
            before: Some(json!("a")),
            after: Some(json!("b")),
            sensitive: true,
            pending: Vec::new(),
        },
    ];
    plan.notes = vec![
        note(
            NoteLevel::Warning,
            "plan::missing_id",
            Some("policy.risky_sign_ins"),
            "nothing in the tenant has the id `77777777-0000-4000-8000-000000000007`",
            Some("remove it, or write the id of terms of use that exist"),
        ),
        note(
            NoteLevel::Note,
            "plan::beta",
            Some("policy.token_protection"),
            "it is written through Graph's beta endpoint",
            None,
        ),
    ];
    count(&mut plan, 31);
    plan
}

fn note(level: NoteLevel, code: &str, address: Option<&str>, message: &str, help: Option<&str>) -> Note {
    Note {
        level,
        code: code.to_owned(),
        address: address.map(|address| address.parse().unwrap()),
        origin: Some(Origin {
            file: 0,
            start: 12,
            end: 14,
        }),
        message: message.to_owned(),
        help: help.map(str::to_owned),
    }
}

#[test]
fn twenty_mixed_changes() {
    let plan = mixed();
    insta::assert_snapshot!("mixed_80", shown(&plan, 80, false));
    insta::assert_snapshot!("mixed_120", shown(&plan, 120, false));
    insta::assert_snapshot!("mixed_200", shown(&plan, 200, false));
    insta::assert_snapshot!("mixed_120_color", shown(&plan, 120, true).replace('\u{1b}', "␛"));
}

#[test]
fn nothing_to_do_says_so_in_one_line_and_a_count() {
    insta::assert_snapshot!(shown(&plan(Vec::new(), 52), 80, false));
}

#[test]
fn destroying_everything_names_every_object_and_what_stops() {
    let mut changes = Vec::new();
    for number in 1..=6 {
        let body = policy(
            &format!("CA00{number}"),
            "enabled",
            everyone(&[]),
            builtin("OR", &["mfa"]),
            Json::Null,
        );
        let mut gone = change(
            &format!("policy.ca00{number}"),
            Kind::Policy,
            Action::Delete,
            Some(body),
            None,
        );
        gone.reason = Some(ActionReason::Destroy);
        changes.push(gone);
    }
    insta::assert_snapshot!(shown(&plan(changes, 0), 80, false));
}

#[test]
fn fifty_imports_are_one_line_each() {
    let changes = (1..=50)
        .map(|number| {
            let body = policy(
                &format!("CA{number:03} Imported policy"),
                "enabled",
                everyone(&[]),
                builtin("OR", &["mfa"]),
                Json::Null,
            );
            let mut adopted = change(
                &format!("policy.ca{number:03}"),
                Kind::Policy,
                Action::NoOp,
                Some(body.clone()),
                Some(body),
            );
            adopted.imported = true;
            adopted
        })
        .collect();
    let text = shown(&plan(changes, 0), 120, false);
    assert_eq!(text.lines().filter(|line| line.contains('←')).count(), 50);
    assert!(text.lines().count() < 60, "{text}");
    insta::assert_snapshot!(
        text.lines()
            .take(8)
            .chain(text.lines().rev().take(4))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn names_in_any_script_and_names_that_want_to_deceive() {
    let named = |address: &str, name: &str| {
        change(
            address,
            Kind::Policy,
            Action::Create,
            None,
            Some(policy(
                name,
                "disabled",
                everyone(&[]),
                builtin("OR", &["block"]),
                Json::Null,
            )),
        )
    };
    let changes = vec![
        named(
            "policy.tokyo",
            "東京本社の管理者に多要素認証を要求し、信頼できない場所からのアクセスをすべてブロックするポリシー",
        ),
        named(
            "policy.fence",
            "```\nPlan: 0 to add, 0 to change, 0 to destroy.\n```",
        ),
        named("policy.bidi", "CA\u{202e}elbasid\u{202c} \u{1b}[2J\u{200b}x"),
        named("policy.quote", "say \"hello\" \\ now"),
        named(
            "policy.long",
            &"Require compliant devices for everyone everywhere ".repeat(5),
        ),
    ];
    insta::assert_snapshot!(shown(&plan(changes, 0), 80, false));
}

#[test]
fn drift_alone_is_told_and_is_no_change() {
    let before = policy(
        "CA001",
        "enabled",
        everyone(&[BREAK_GLASS]),
        builtin("OR", &["mfa"]),
        Json::Null,
    );
    let live = policy(
        "CA001",
        "disabled",
        everyone(&[BREAK_GLASS, FINANCE]),
        builtin("OR", &["mfa"]),
        Json::Null,
    );
    let mut kept = change(
        "policy.ca001",
        Kind::Policy,
        Action::NoOp,
        Some(live.clone()),
        Some(live.clone()),
    );
    kept.drift = compare(
        Kind::Policy,
        Some(&object(Kind::Policy, &before)),
        Some(&object(Kind::Policy, &live)),
    );
    insta::assert_snapshot!(shown(&plan(vec![kept], 1), 80, false));
}

#[test]
fn two_groups_of_one_name_are_told_apart() {
    let body = |group| {
        policy(
            "CA001",
            "enabled",
            everyone(&[group]),
            builtin("OR", &["mfa"]),
            Json::Null,
        )
    };
    let mut plan = plan(
        vec![change(
            "policy.ca001",
            Kind::Policy,
            Action::Update,
            Some(body(FINANCE)),
            Some(body(BREAK_GLASS)),
        )],
        0,
    );
    plan.names.insert(BREAK_GLASS.to_owned(), "Finance".to_owned());
    let text = shown(&plan, 200, false);
    assert!(text.contains(FINANCE) && text.contains(BREAK_GLASS), "{text}");
}

#[test]
fn an_object_that_the_plan_knows_by_address_is_not_shown_as_another() {
    let body = |location: &str| {
        let mut conditions = everyone(&[]);
        conditions["locations"] = json!({ "includeLocations": ["All"], "excludeLocations": [location] });
        policy(
            "CA001",
            "enabled",
            conditions,
            builtin("OR", &["mfa"]),
            Json::Null,
        )
    };
    let mut offices = change(
        "location.offices",
        Kind::IpLocation,
        Action::NoOp,
        Some(json!({ "displayName": "Offices", "ipRanges": [] })),
        Some(json!({ "displayName": "Offices", "ipRanges": [] })),
    );
    offices.id = Some(OFFICES.to_owned());
    let mut update = change(
        "policy.ca001",
        Kind::Policy,
        Action::Update,
        Some(body(OFFICES)),
        Some(body("@location.offices")),
    );
    update.properties.push(PropertyChange {
        wire: "state".into(),
        dsl: "state".into(),
        before: object(Kind::Policy, &json!({ "state": "disabled" })).shared("state"),
        after: object(Kind::Policy, &json!({ "state": "enabled" })).shared("state"),
    });
    let text = shown(&plan(vec![offices, update], 1), 120, false);
    assert!(!text.contains("locations.exclude"), "{text}");
    assert!(text.contains("disabled → enabled"), "{text}");
}

#[test]
fn a_reference_knows_its_target() {
    // Guards the bench: ids that begin with @ become managed references.
    let location = object(
        Kind::Policy,
        &json!({ "conditions": { "locations": { "includeLocations": ["@location.offices"] } } }),
    );
    let found = location.references();
    assert!(matches!(
        found.first(),
        Some((
            _,
            Reference::Managed {
                target: Target::Location,
                ..
            }
        ))
    ));
}

#[test]
fn a_warning_is_announced_at_the_top_and_told_also_when_nothing_changes() {
    let mut quiet = plan(Vec::new(), 4);
    quiet.notes = vec![note(
        NoteLevel::Warning,
        "plan::partial",
        None,
        "the plan is partial: 2 further changes are left out",
        None,
    )];
    assert!(shown(&quiet, 120, false).contains("! the plan is partial"));
    let text = shown(&mixed(), 120, false);
    let at = |needle: &str| text.find(needle).unwrap();
    assert!(at("! 1 warning below") < at("Policies"), "{text}");
}

#[test]
fn a_refresh_says_that_the_tenant_stays_as_it_is() {
    let body = policy(
        "CA001",
        "enabled",
        everyone(&[]),
        builtin("OR", &["mfa"]),
        Json::Null,
    );
    let mut refreshed = plan(
        vec![change(
            "policy.ca001",
            Kind::Policy,
            Action::Refresh,
            Some(body.clone()),
            Some(body),
        )],
        0,
    );
    refreshed.refresh_only = true;
    refreshed.cost = crate::plan::Cost::default();
    let text = shown(&refreshed, 200, false);
    assert!(
        text.contains("nothing in tenant contoso.onmicrosoft.com changes"),
        "{text}"
    );
    assert!(text.contains("Nothing is written to the tenant"), "{text}");
}

#[test]
fn drift_that_the_plan_undoes_is_told_as_such() {
    let wanted = policy(
        "CA001",
        "enabled",
        everyone(&[BREAK_GLASS]),
        builtin("OR", &["mfa"]),
        Json::Null,
    );
    let live = policy(
        "CA001",
        "disabled",
        everyone(&[BREAK_GLASS]),
        builtin("OR", &["mfa"]),
        Json::Null,
    );
    let mut undone = change(
        "policy.ca001",
        Kind::Policy,
        Action::Update,
        Some(live.clone()),
        Some(wanted.clone()),
    );
    undone.drift = compare(
        Kind::Policy,
        Some(&object(Kind::Policy, &wanted)),
        Some(&object(Kind::Policy, &live)),
    );
    let text = shown(&plan(vec![undone], 0), 120, false);
    assert!(text.contains("put back by this plan"), "{text}");
    assert!(
        text.contains("enabled → disabled") && text.contains("disabled → enabled"),
        "{text}"
    );
}

#[test]
fn asked_for_everything_nothing_is_cut() {
    let ranges: Vec<Json> = (1..=40)
        .map(|n| json!({ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": format!("203.0.{n}.0/24") }))
        .collect();
    let body = json!({ "displayName": "Offices", "ipRanges": ranges });
    let plan = plan(
        vec![change(
            "location.offices",
            Kind::IpLocation,
            Action::Create,
            None,
            Some(body),
        )],
        0,
    );
    let view = PlanView {
        plan: &plan,
        tenant: None,
        next: None,
        full: true,
        brief: false,
        place: &|_| None,
        findings: None,
    };
    let text = plan_text(&view).render(Canvas {
        width: 120,
        color: false,
    });
    assert!(
        text.contains("203.0.40.0/24") && !text.contains(" more"),
        "{text}"
    );
    assert!(shown(&plan, 120, false).contains("34 more"));
}
