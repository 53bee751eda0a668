//! `capol test`: scenarios and invariants of a project, decided offline.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::bench::Folder;

const POLICIES: &str = r#"
emergency_access {
  groups = [group("Emergency")]
}

location "office" {
  name      = "Office"
  ip_ranges = ["203.0.113.0/24"]
}

policy "passkeys" {
  name  = "Admins use a passkey"
  state = enabled
  users = role.global_administrator
  apps  = all
  grant = strength.phishing_resistant_mfa
}

policy "mfa" {
  name  = "Everybody uses MFA"
  state = enabled
  users {
    include = all
    exclude = group("Contractors")
  }
  apps = all
  locations {
    include = all
    exclude = [location.office, location("Gone")]
  }
  grant = any_of(mfa, compliant_device)
}

policy "no_legacy" {
  name        = "No legacy authentication"
  state       = enabled
  users       = all
  apps        = all
  client_apps = [exchange_active_sync, other]
  grant       = block
}

policy "sessions" {
  name  = "Short sessions for Azure"
  state = enabled
  users = all
  apps  = app.azure_management
  session { sign_in_frequency = 4h }
}

policy "compliant_macs" {
  name      = "Macs are compliant"
  state     = report_only
  users     = all
  apps      = all
  platforms = macos
  grant     = compliant_device
}

policy "agents" {
  name      = "Workloads stay in the office"
  state     = enabled
  workloads = owned
  apps      = all
  locations {
    include = all
    exclude = location.office
  }
  grant = block
}
"#;

/// Blocks, and whether each holds.
const BLOCKS: &[(&str, bool)] = &[
    // What a scenario leaves out is absent.
    (
        "sign_in {}\n expect { grant = any_of(mfa, compliant_device), by = [policy.mfa] }",
        true,
    ),
    (
        "sign_in { user = user(\"ada@contoso.com\") }\n expect { decision = controls_required }",
        true,
    ),
    (
        "sign_in { ip = \"203.0.113.9\" }\n expect { decision = allow }",
        true,
    ),
    (
        "sign_in { location = location.office }\n expect { grant = none }",
        true,
    ),
    (
        "sign_in { location = location(\"Gone\") }\n expect { grant = none }",
        true,
    ),
    (
        "sign_in { user = group(\"Contractors\") }\n expect { decision = allow }",
        true,
    ),
    (
        "sign_in { user = group(\"Emergency\"), client_app = other }\n expect { access = granted }",
        true,
    ),
    // A stronger one is enough, a weaker one is not.
    (
        "sign_in { user = role.global_administrator }\n expect { grant = mfa }",
        true,
    ),
    (
        "sign_in {}\n expect { grant = strength.phishing_resistant_mfa }",
        false,
    ),
    ("sign_in {}\n expect { grant = mfa }", false),
    (
        "sign_in { user = role.global_administrator }\n expect { grant = all_of(strength.phishing_resistant_mfa, compliant_device) }",
        false,
    ),
    // Older protocols can do no control, and what one can do counts.
    (
        "sign_in { client_app = other }\n expect { decision = block, access = denied, by = [policy.no_legacy] }",
        true,
    ),
    ("sign_in { client_app = other }\n expect { grant = mfa }", false),
    (
        "sign_in { client_app = browser, satisfied = [password] }\n expect { access = denied }",
        true,
    ),
    (
        "sign_in { client_app = browser, satisfied = [compliant_device] }\n expect { access = granted }",
        true,
    ),
    (
        "sign_in { user = role.global_administrator, satisfied = [fido2] }\n expect { access = granted, decision = allow }",
        true,
    ),
    (
        "sign_in { app = app.azure_management }\n expect { session { sign_in_frequency = 8h } }",
        true,
    ),
    (
        "sign_in { app = app.azure_management }\n expect { session { sign_in_frequency = 1h } }",
        false,
    ),
    (
        "sign_in {}\n expect { session { sign_in_frequency = 8h } }",
        false,
    ),
    (
        "sign_in { platform = macos }\n expect { by = [policy.compliant_macs] }",
        false,
    ),
    (
        "sign_in { service_principal = service_principal(\"Deployer\"), ip = \"198.51.100.1\" }\n expect { decision = block, by = [policy.agents] }",
        true,
    ),
    (
        "sign_in { service_principal = service_principal(\"Deployer\"), ip = \"203.0.113.1\" }\n expect { decision = allow }",
        true,
    ),
    // Invariants.
    (
        "where { client_app = [exchange_active_sync, other] }\n expect { access = denied }",
        true,
    ),
    (
        "where { client_app = [exchange_active_sync, other] }\n expect { decision = block }",
        true,
    ),
    ("expect { grant = any_of(mfa, compliant_device) }", false),
    (
        "except { user = group(\"Contractors\") }\n except { location = location.office }\n expect { grant = any_of(mfa, compliant_device) }",
        false,
    ),
    (
        "except { user = group(\"Contractors\") }\n except { location = [location.office, location(\"Gone\")] }\n expect { grant = any_of(mfa, compliant_device) }",
        true,
    ),
    (
        "except { user = group(\"Contractors\"), ip = \"203.0.113.0/24\" }\n expect { grant = any_of(mfa, compliant_device) }",
        false,
    ),
    (
        "where { user = role.global_administrator }\n expect { grant = strength.phishing_resistant_mfa }",
        true,
    ),
    (
        "where { user = [role.global_administrator, role.security_administrator] }\n expect { grant = mfa }",
        false,
    ),
    (
        "where { user = role.global_administrator, client_app = browser }\n expect { access = granted }",
        true,
    ),
    (
        "where { user = role.global_administrator, client_app = browser, satisfied = [password, sms] }\n expect { access = denied }",
        true,
    ),
    (
        "where { user = group(\"Emergency\") }\n expect { decision = allow }",
        true,
    ),
    ("where { country = \"BR\" }\n expect { decision = block }", false),
    (
        "where { country = \"BR\", ip = \"203.0.113.0/25\", user = group(\"Contractors\"), client_app = browser }\n expect { decision = allow }",
        false,
    ),
    (
        "where { app = app.azure_management, risk { user = [high, medium] } }\n expect { session { sign_in_frequency = 4h } }",
        true,
    ),
    (
        "where { app = [app.azure_management, app.office365] }\n expect { session { sign_in_frequency = 4h } }",
        false,
    ),
    (
        "where { service_principal = owned, ip = \"198.51.100.0/24\" }\n expect { access = denied }",
        true,
    ),
    (
        "where { service_principal = owned }\n expect { access = denied }",
        false,
    ),
    (
        "where { device { compliant = true, properties = { model = \"Surface\" } } }\n expect { decision = allow }",
        false,
    ),
];

fn kind(block: &str) -> &'static str {
    if block.starts_with("sign_in") {
        "scenario"
    } else {
        "invariant"
    }
}

fn results(folder: &Folder, arguments: &[&str]) -> (i32, Json) {
    let mut all = vec!["test", "--json"];
    all.extend(arguments);
    let ran = folder.capol(&all);
    let json = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    (ran.status, json)
}

#[test]
fn each_block_holds_or_fails_as_documented_and_a_counterexample_fails_when_pasted() {
    let folder = Folder::new();
    let mut text = POLICIES.to_owned();
    for (number, (block, _)) in BLOCKS.iter().enumerate() {
        let _ = writeln!(text, "{} \"block {number}\" {{\n  {block}\n}}", kind(block));
    }
    folder.write("main.capol", &text);
    let (status, json) = results(&folder, &[]);
    assert_eq!(status, 1);
    let mut wrong = Vec::new();
    let mut pasted = POLICIES.to_owned();
    let mut count = 0;
    for result in json["results"].as_array().unwrap() {
        let number: usize = result["name"].as_str().unwrap()[6..].parse().unwrap();
        let (block, holds) = BLOCKS[number];
        if (result["status"] == "pass") != holds || result["status"] == "undecided" {
            wrong.push(format!("{block}\n{result:#}"));
        }
        if let Some(counterexample) = result["counterexample"].as_str() {
            pasted += counterexample;
            count += 1;
        }
        assert_eq!(
            result["counterexample"].is_string(),
            kind(block) == "invariant" && !holds,
            "{result}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    folder.write("main.capol", &pasted);
    let (status, again) = results(&folder, &[]);
    assert_eq!(
        (status, &again["summary"]),
        (1, &json!({ "total": count, "passed": 0, "failed": count }))
    );
}

#[test]
fn a_refuted_invariant_shows_a_sign_in_without_needless_facts_and_who_is_responsible() {
    let folder = Folder::new();
    let block = "invariant \"everybody uses MFA\" {\n  where  { client_app = [browser, mobile_apps_and_desktop_clients] }\n  expect { grant = any_of(mfa, compliant_device) }\n}\n";
    folder.write("main.capol", format!("{POLICIES}{block}"));
    insta::assert_snapshot!(folder.capol(&["test"]).all());
    insta::assert_snapshot!(folder.capol(&["test", "--format", "junit"]).all());
}

#[test]
fn a_filter_chooses_by_name_and_one_that_chooses_nothing_is_a_mistake() {
    let folder = Folder::new();
    let scenario = |name: &str, expect: &str| {
        format!("scenario \"{name}\" {{\n  sign_in {{}}\n  expect {{ {expect} }}\n}}\n")
    };
    let text = scenario("MFA is asked for", "grant = any_of(mfa, compliant_device)")
        + &scenario("other", "decision = allow");
    folder.write("main.capol", format!("{POLICIES}{text}"));
    assert_eq!(folder.capol(&["test"]).status, 1);
    let chosen = folder.capol(&["test", "mfa"]);
    assert_eq!(
        (chosen.status, chosen.out.as_str()),
        (0, "pass  scenario \"MFA is asked for\"\n1 passed, 0 failed.\n")
    );
    let none = folder.capol(&["test", "nothing like it"]);
    assert_eq!(none.status, 1);
    assert!(none.err.contains("ops::no_such_test"), "{}", none.err);
}

#[test]
fn a_directory_says_who_is_in_which_group() {
    let folder = Folder::new();
    let blocks = "scenario \"ada is a contractor\" {\n  sign_in { user = user(\"ada@contoso.com\") }\n  expect { decision = allow }\n}\ninvariant \"MFA\" {\n  except { location = [location.office, location(\"Gone\")] }\n  expect { grant = any_of(mfa, compliant_device) }\n}\n";
    folder.write("main.capol", format!("{POLICIES}{blocks}"));
    let people = |member_of: &[&str]| {
        json!({
            "users": [{ "id": "u1", "userPrincipalName": "Ada@contoso.com", "memberOf": member_of }],
            "groups": [
                { "id": "g1", "displayName": "Contractors" },
                { "id": "g2", "displayName": "Partners", "memberOf": ["g1"] },
            ],
        })
        .to_string()
    };
    folder.write("directory.json", people(&["g2"]));
    let (_, json) = results(&folder, &["--directory", "directory.json"]);
    assert_eq!(json["results"][0]["status"], "pass", "{json:#}");
    assert!(
        json["results"][1]["counterexample"]
            .as_str()
            .unwrap()
            .contains("user(\"u1\")"),
        "{json:#}"
    );
    folder.write("directory.json", people(&[]));
    let (_, json) = results(&folder, &["--directory", "directory.json"]);
    assert_eq!(json["results"][0]["status"], "fail", "{json:#}");
    assert_eq!(json["results"][1]["status"], "pass", "{json:#}");
}

#[test]
fn what_no_sign_in_can_be_is_refused_where_it_is_written() {
    for (block, message) in [
        (
            "scenario \"s\" {\n  sign_in { platform = [windows, macos] }\n  expect { decision = allow }\n}\n",
            "a scenario is one sign-in",
        ),
        (
            "scenario \"s\" {\n  sign_in { user = user(\"a@b.c\"), service_principal = service_principal(\"x\") }\n  expect { decision = allow }\n}\n",
            "never sign in together",
        ),
        (
            "scenario \"s\" {\n  sign_in { app = app.office365, action = action.register_security_info }\n  expect { decision = allow }\n}\n",
            "are asked for one at a time",
        ),
        (
            "scenario \"s\" {\n  sign_in { satisfied = [bananas] }\n  expect { access = denied }\n}\n",
            "`bananas` is nothing that somebody can do",
        ),
        (
            "invariant \"i\" {\n  where { country = \"XX\" }\n  expect { decision = allow }\n}\n",
            "is not a country code",
        ),
        (
            "invariant \"i\" {\n  where { ip = \"300.1.1.1\" }\n  expect { decision = allow }\n}\n",
            "is not an IP address",
        ),
        (
            "invariant \"i\" {\n  where { device { properties = { modle = \"x\" } } }\n  expect { decision = allow }\n}\n",
            "devices have no property",
        ),
        ("invariant \"i\" {\n  where {}\n}\n", "needs a block `expect`"),
    ] {
        let folder = Folder::new();
        folder.write("main.capol", format!("{POLICIES}{block}"));
        let ran = folder.capol(&["test"]);
        assert_eq!(ran.status, 1, "{block}");
        assert!(ran.err.contains(message), "{block}\n{}", ran.err);
    }
}

#[test]
fn watched_tests_are_decided_again_when_a_file_changes() {
    use std::io::{BufRead as _, BufReader};

    let project = |grant: &str| {
        format!(
            "policy \"p\" {{\n  name = \"P\"\n  state = enabled\n  users {{ include = [all] }}\n  apps {{ include = [all] }}\n  grant = {grant}\n}}\n\
             invariant \"everybody does MFA\" {{\n  expect {{ grant = mfa }}\n}}\n"
        )
    };
    let folder = Folder::new();
    folder.write("main.capol", project("compliant_device"));
    let mut child = folder.start(&["test", "--watch"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |wanted: &str| {
        lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains(wanted))
    };
    assert!(until("0 passed, 1 failed."));
    folder.write("main.capol", "policy {");
    folder.write("main.capol", project("mfa"));
    assert!(until("1 passed"));
    child.kill().unwrap();
    child.wait().unwrap();
}
