//! One sign-in from flags: of exported files, a project, a tenant, a saved plan; and what is refused.

use serde_json::{Value as Json, json};

use crate::bench::Folder;

pub(super) const PROJECT: &str = r#"
location "offices" {
  name      = "Offices"
  ip_ranges = ["203.0.113.0/24"]
  trusted   = true
}

group "pilot" {
  managed = true
  name    = "Passkey pilot"
  members = [user("grace@contoso.com")]
}

policy "away" {
  name  = "MFA away from the offices"
  state = enabled

  users { include = [all] }
  apps { include = [all] }
  locations {
    include = [all]
    exclude = [location.offices]
  }

  grant = mfa
}

policy "pilot" {
  name  = "Passkeys for the pilot"
  state = enabled

  users { include = [group.pilot] }
  apps { include = [app("Salesforce")] }

  grant = strength.phishing_resistant_mfa
  session { sign_in_frequency = 4h }
}

policy "finance" {
  name  = "No old protocols for finance"
  state = report_only

  users { include = [group("Finance")] }
  apps { include = [all] }
  client_apps = [other]

  grant = block
}
"#;

/// A project of that with the embedded tenant.
fn project() -> Folder {
    let folder = Folder::new();
    folder.write("main.capol", PROJECT);
    folder
}

fn asked(folder: &Folder, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["whatif"].iter().chain(arguments).copied().collect();
    let answer = folder.capol(&all);
    format!("$ capol whatif {}\n{}", arguments.join(" "), answer.all())
}

fn json(folder: &Folder, arguments: &[&str]) -> Json {
    let all: Vec<&str> = ["whatif", "--json"].iter().chain(arguments).copied().collect();
    folder.capol(&all).json()
}

const GRACE: [&str; 7] = [
    "--sandbox",
    "--user",
    "grace@contoso.com",
    "--app",
    "Salesforce",
    "--client-app",
    "other",
];

/// The standing of a policy in one answer.
fn standing(answer: &Json, policy: &str) -> String {
    let is = |one: &&Json| one["policy"] == policy || **one == json!(policy);
    let among = |list: &str| answer[list].as_array().into_iter().flatten().find(is);
    if among("applied").is_some() {
        "applied".to_owned()
    } else if among("report_only").is_some() {
        "report_only".to_owned()
    } else if let Some(one) = among("undecided") {
        format!("undecided: {}", one["because"].as_str().unwrap_or_default())
    } else {
        among("not_applied")
            .and_then(|one| one["because"].as_str())
            .unwrap_or("not there")
            .to_owned()
    }
}

#[test]
fn a_project_answers_before_anything_of_it_is_made() {
    let folder = project();
    let answer = json(&folder, &GRACE);
    assert_eq!(answer["decision"], "controls_required", "{answer}");
    for (policy, expected) in [
        ("policy.away", "applied"),
        // The group is not made yet; its block says who is in it.
        ("policy.pilot", "applied"),
        ("policy.finance", "report_only"),
    ] {
        assert_eq!(standing(&answer, policy), expected, "{policy} in {answer}");
    }
    let alan = json(
        &folder,
        &[
            "--sandbox",
            "--user",
            "alan@contoso.com",
            "--app",
            "Salesforce",
            "--ip",
            "203.0.113.9",
        ],
    );
    assert_eq!(alan["decision"], "allow", "{alan}");
    for (policy, expected) in [
        ("policy.away", "locations.exclude"),
        ("policy.pilot", "users.include"),
        ("policy.finance", "users.include"),
    ] {
        assert_eq!(standing(&alan, policy), expected, "{policy} in {alan}");
    }
}

#[test]
fn a_project_answers_from_a_directory_file_without_a_tenant() {
    let folder = project();
    let directory = json!({
        "users": [
            { "id": "u1", "userPrincipalName": "grace@contoso.com", "memberOf": ["inner"] },
            { "id": "u2", "userPrincipalName": "alan@contoso.com" },
        ],
        "groups": [
            { "id": "inner", "displayName": "Accounts payable", "memberOf": ["fin"] },
            { "id": "fin", "displayName": "Finance" },
        ],
        "servicePrincipals": [{ "id": "sp", "appId": "1e9ac400-0000-4000-8000-0000000000a3", "displayName": "Salesforce" }],
    });
    folder.write("directory.json", directory.to_string());
    let arguments = |user| {
        [
            "--directory",
            "directory.json",
            "--user",
            user,
            "--app",
            "Salesforce",
            "--client-app",
            "other",
        ]
    };
    let grace = json(&folder, &arguments("grace@contoso.com"));
    let alan = json(&folder, &arguments("alan@contoso.com"));
    let stand = |answer, policy| standing(answer, policy);
    assert_eq!(stand(&grace, "policy.pilot"), "applied", "{grace}");
    assert_eq!(stand(&grace, "policy.finance"), "report_only", "{grace}");
    assert_eq!(stand(&alan, "policy.pilot"), "users.include", "{alan}");
    assert_eq!(stand(&alan, "policy.finance"), "users.include", "{alan}");
    assert_eq!(folder.read(".capol/sandbox.json"), None, "no tenant was asked");
}

#[test]
fn a_saved_plan_is_told_as_before_and_after() {
    let mut folder = project();
    let made = folder.capol(&["plan", "--sandbox", "--out", "first.capolplan"]);
    assert_eq!(made.status, 0, "{}", made.all());
    let plan: Vec<&str> = ["--plan", "first.capolplan"]
        .iter()
        .chain(&GRACE)
        .copied()
        .collect();
    let answer = json(&folder, &plan);
    assert_eq!(
        (&answer["before"]["decision"], &answer["after"]["decision"]),
        (&json!("allow"), &json!("controls_required")),
        "{answer}"
    );
    for columns in ["80", "200"] {
        folder.set("COLUMNS", columns);
        insta::assert_snapshot!(format!("plan_at_{columns}"), asked(&folder, &plan));
    }
    let applied = folder.capol(&["apply", "--sandbox", "--yes", "first.capolplan"]);
    assert_eq!(applied.status, 0, "{}", applied.all());
    let stale = folder.capol(&[&["whatif"], &plan[..]].concat());
    assert!(
        stale.status == 1 && stale.err.contains("stale"),
        "{}",
        stale.all()
    );
}

#[test]
fn the_tenant_answers_for_what_it_holds_and_the_project_for_what_it_says() {
    let mut folder = project();
    let applied = folder.capol(&["apply", "--sandbox", "--yes"]);
    assert_eq!(applied.status, 0, "{}", applied.all());
    for columns in ["80", "200"] {
        folder.set("COLUMNS", columns);
        let arguments: Vec<&str> = ["--from-tenant"].iter().chain(&GRACE).copied().collect();
        insta::assert_snapshot!(format!("tenant_at_{columns}"), asked(&folder, &arguments));
    }
    // Taken out of the pilot in the file, but not yet in the tenant; and the office moves.
    let edited = PROJECT
        .replace("grace@contoso.com", "alan@contoso.com")
        .replace("203.0.113.0/24", "192.0.2.0/24");
    folder.write("main.capol", edited);
    let here: Vec<&str> = GRACE.iter().chain(&["--ip", "192.0.2.7"]).copied().collect();
    let written = json(&folder, &here);
    assert_eq!(standing(&written, "policy.pilot"), "users.include", "{written}");
    assert_eq!(
        standing(&written, "policy.away"),
        "locations.exclude",
        "{written}"
    );
    let planned = folder.capol(&[
        "plan",
        "--sandbox",
        "--accept-gap",
        "a test",
        "--out",
        "second.capolplan",
    ]);
    assert_eq!(planned.status, 0, "{}", planned.all());
    let both: Vec<&str> = ["--plan", "second.capolplan"]
        .iter()
        .chain(&here)
        .copied()
        .collect();
    let both = json(&folder, &both);
    assert_eq!(both["before"]["decision"], "controls_required", "{both}");
    assert_eq!(both["after"]["decision"], "allow", "{both}");
    assert_eq!(both["changes"].as_array().map(Vec::len), Some(2), "{both}");
}

#[test]
fn flags_ask_what_a_record_asks() {
    let folder = project();
    let record = json!({
        "id": "ada@contoso.com to office365",
        "signInIdentity": { "@odata.type": "#microsoft.graph.userSignIn", "userId": "ada@contoso.com" },
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": ["67ad5377-2d78-4ac2-a867-6300cda00e85"],
        },
        "signInConditions": {
            "clientAppType": "mobileAppsAndDesktopClients", "devicePlatform": "iOS", "ipAddress": "198.51.100.7", "country": "DK",
            "signInRiskLevel": "high", "deviceInfo": { "isCompliant": true },
        },
        "satisfied": ["mfa"],
    });
    folder.write("sign-ins.ndjson", record.to_string());
    let from_file = json(&folder, &["--sandbox", "--sign-ins", "sign-ins.ndjson"]);
    let from_flags = json(
        &folder,
        &[
            "--sandbox",
            "--user",
            "ada@contoso.com",
            "--app",
            "office365",
            "--client-app",
            "mobile_apps_and_desktop_clients",
            "--platform",
            "IOS",
            "--ip",
            "198.51.100.7",
            "--country",
            "DK",
            "--sign-in-risk",
            "high",
            "--device",
            "device.isCompliant=true",
            "--satisfied",
            "mfa",
        ],
    );
    assert_eq!(from_file, from_flags);
    assert_eq!(from_file["decision"], "allow");
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_could_be_meant() {
    let folder = project();
    let twins = json!({ "users": [
        { "id": "a1", "userPrincipalName": "kim1@contoso.com", "displayName": "Kim" },
        { "id": "a2", "userPrincipalName": "kim2@contoso.com", "displayName": "Kim" },
    ]});
    folder.write("twins.json", twins.to_string());
    folder.write("policies.json", json!({ "value": [] }).to_string());
    folder.write(
        "one.json",
        json!({ "id": "p", "displayName": "P", "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
            "conditions": { "clientAppTypes": ["all"], "users": { "includeUsers": ["All"] }, "applications": { "includeApplications": ["All"] } },
            "grantControls": { "operator": "OR", "builtInControls": ["mfa"] } })
        .to_string(),
    );
    let mut seen = String::new();
    for line in [
        "--sandbox --user ada@contoso.co --app office365",
        "--sandbox --user ada@contoso.com --app Salesforc",
        "--sandbox --from-tenant --user 00000000-0000-4000-8000-00000000dead --app office365",
        "--policies one.json --directory twins.json --user Kim --app office365",
        "--sandbox --user ada@contoso.com --app office365 --ip 1.2.3",
        "--sandbox --user ada@contoso.com --app office365 --country Denmark",
        "--sandbox --user ada@contoso.com --app office365 --platform amiga",
        "--sandbox --user ada@contoso.com --app office365 --device colour=red",
        "--sandbox --user ada@contoso.com",
        "--sandbox --app office365",
        "--sandbox --service-principal sp --app office365 --user-risk high",
        "--sandbox --live --plan x.capolplan --user ada@contoso.com --app office365",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let answer = asked(&folder, &arguments);
        assert!(answer.contains("status 1"), "{answer}");
        seen.push_str(&answer);
        seen.push('\n');
    }
    insta::assert_snapshot!("refused", seen);
}
