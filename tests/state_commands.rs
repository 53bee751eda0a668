//! `capol state`, `show` and `output`: what people do to state by hand.

use serde_json::{Value, json};

use crate::bench::{Answer, Folder};

const STATE: &str = "capol.state.json";

fn state() -> Value {
    json!({
        "format_version": 1,
        "capol_version": "0.1.0",
        "lineage": "11111111-1111-1111-1111-111111111111",
        "serial": 7,
        "tenant_id": "22222222-2222-2222-2222-222222222222",
        "resources": {
            "location.hq": {
                "kind": "ip_location",
                "id": "aaaaaaaa-0000-0000-0000-000000000001",
                "api_version": "v1.0",
                "sent": { "displayName": "Head office", "isTrusted": true },
                "answered": {
                    "@odata.type": "#microsoft.graph.ipNamedLocation",
                    "id": "aaaaaaaa-0000-0000-0000-000000000001",
                    "displayName": "Head office",
                    "isTrusted": true,
                    "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }]
                }
            },
            "module.base.policy.legacy[\"a b\"]": {
                "kind": "policy",
                "id": "bbbbbbbb-0000-0000-0000-000000000002",
                "api_version": "beta",
                "answered": {
                    "id": "bbbbbbbb-0000-0000-0000-000000000002",
                    "displayName": "Block legacy sign-in",
                    "state": "enabled",
                    "conditions": {
                        "clientAppTypes": ["exchangeActiveSync", "other"],
                        "users": { "includeUsers": ["All"] },
                        "applications": { "includeApplications": ["All"] }
                    },
                    "grantControls": { "operator": "OR", "builtInControls": ["block"] }
                },
                "created_by_import": true
            },
            "policy.mfa": {
                "kind": "policy",
                "id": "cccccccc-0000-0000-0000-000000000003",
                "api_version": "v1.0",
                "answered": {
                    "id": "cccccccc-0000-0000-0000-000000000003",
                    "displayName": "MFA for admins",
                    "state": "enabled",
                    "conditions": {
                        "clientAppTypes": ["all"],
                        "users": { "includeUsers": ["All"] },
                        "applications": { "includeApplications": ["All"] },
                        "locations": {
                            "includeLocations": ["All"],
                            "excludeLocations": ["aaaaaaaa-0000-0000-0000-000000000001"]
                        }
                    },
                    "grantControls": { "operator": "OR", "builtInControls": ["mfa"] }
                },
                "dependencies": ["location.hq"],
                "lifecycle": { "prevent_destroy": true, "reason": "keeps admins safe" },
                "modified_date_time": "2026-01-02T03:04:05Z"
            }
        },
        "outputs": {
            "policies": { "value": 2 },
            "hq": { "value": "aaaaaaaa-0000-0000-0000-000000000001" },
            "ranges": { "value": ["203.0.113.0/24"] },
            "secret": { "value": "hunter2", "sensitive": true }
        }
    })
}

/// A folder with that state.
fn project() -> Folder {
    let folder = Folder::new();
    folder.write(STATE, format!("{:#}\n", state()));
    folder
}

fn kept(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read(STATE).expect("a state")).expect("JSON")
}

/// The text of messages on one line each: where they break depends on the length of ids.
fn unwrapped(text: &str) -> String {
    let text = text.replace("-\n  | ", "-").replace("\n  | ", " ");
    text.replace("-\n        ", "-").replace("\n        ", " ")
}

/// Snapshots an answer; moments, locks and machines by a word.
#[track_caller]
fn check(name: &str, answer: &Answer) {
    let filters = [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "[MOMENT]"),
        (r"of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "of [MOMENT]"),
        (r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "since [MOMENT]"),
        (r#"("(?:at|since|restored_at)": ")[^"]*"#, "${1}[MOMENT]"),
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            "[UUID]",
        ),
        (r#"("host": ")[^"]*"#, "${1}[HOST]"),
        (r#"("pid": )\d+"#, "${1}[PID]"),
        (r"anna on \S+", "anna on [HOST]"),
        (r#"("digest": ")[0-9a-f]{64}"#, "${1}[DIGEST]"),
        (r"damaged-[0-9a-f]{8}", "damaged-[DIGEST]"),
    ];
    insta::with_settings!({ filters => filters.to_vec(), omit_expression => true }, {
        insta::assert_snapshot!(name, unwrapped(&answer.all()));
    });
}

#[test]
fn what_is_managed_is_listed_and_shown() {
    let folder = project();
    let cases: [(&str, &[&str]); 10] = [
        ("list", &["state", "list"]),
        ("list_prefix", &["state", "list", "module.base"]),
        (
            "list_id",
            &["state", "list", "--id", "CCCCCCCC-0000-0000-0000-000000000003"],
        ),
        ("list_json", &["state", "list", "--json"]),
        ("show_one", &["state", "show", "policy.mfa"]),
        ("show_one_json", &["state", "show", "policy.mfa", "--json"]),
        ("show_unknown", &["state", "show", "policy.mfaa"]),
        ("show", &["show"]),
        ("show_json", &["show", "--json"]),
        ("output", &["output"]),
    ];
    for (name, arguments) in cases {
        check(name, &folder.capol(arguments));
    }
}

#[test]
fn an_output_is_printed_as_it_is_asked_for() {
    let folder = project();
    let out = |arguments: &[&str]| {
        let answer = folder.capol(arguments);
        assert_eq!((answer.status, answer.err.as_str()), (0, ""));
        answer.out
    };
    assert_eq!(
        out(&["output", "hq"]),
        "\"aaaaaaaa-0000-0000-0000-000000000001\"\n"
    );
    assert_eq!(
        out(&["output", "hq", "--raw"]),
        "aaaaaaaa-0000-0000-0000-000000000001"
    );
    assert_eq!(out(&["output", "-raw", "policies"]), "2");
    // Asked for by name, a sensitive one is told.
    assert_eq!(out(&["output", "secret", "--raw"]), "hunter2");
    assert_eq!(
        out(&["output", "ranges", "--json"]),
        "[\n  \"203.0.113.0/24\"\n]\n"
    );
    let all = out(&["output", "--json"]);
    assert!(!all.contains("hunter2") && !out(&["show"]).contains("hunter2"));
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(
        all["policies"],
        json!({ "sensitive": false, "type": "number", "value": 2 })
    );
    check("output_unknown", &folder.capol(&["output", "polices"]));
    check("output_not_raw", &folder.capol(&["output", "ranges", "--raw"]));
}

#[test]
fn moving_and_forgetting_are_kept_in_the_history() {
    let folder = project();
    let before = folder.read(STATE);
    check(
        "mv_dry",
        &folder.capol(&["state", "mv", "location.hq", "location.main", "--dry-run"]),
    );
    check(
        "rm_dry",
        &folder.capol(&["state", "rm", "module.base", "--dry-run"]),
    );
    assert_eq!(folder.read(STATE), before, "a dry run writes nothing");
    check(
        "mv",
        &folder.capol(&["state", "mv", "location.hq", "location.main"]),
    );
    let moved = kept(&folder);
    assert_eq!(moved["serial"], 8);
    assert_eq!(
        moved["resources"]["policy.mfa"]["dependencies"],
        json!(["location.main"])
    );
    check(
        "mv_json",
        &folder.capol(&["state", "mv", "location.main", "location.hq", "--json"]),
    );
    check("rm", &folder.capol(&["state", "rm", "module.base", "policy.mfa"]));
    assert_eq!(kept(&folder)["resources"].as_object().unwrap().len(), 1);
    check(
        "rm_json",
        &folder.capol(&["state", "rm", "location.hq", "--json"]),
    );
    check("history", &folder.capol(&["state", "history"]));
    check("history_json", &folder.capol(&["state", "history", "--json"]));
}

#[test]
fn what_cannot_be_moved_or_forgotten_changes_nothing() {
    let folder = project();
    let before = folder.read(STATE);
    let cases: [(&str, &[&str]); 5] = [
        ("mv_taken", &["state", "mv", "policy.mfa", "policy.mfa"]),
        ("mv_kind", &["state", "mv", "policy.mfa", "location.mfa"]),
        ("mv_no_address", &["state", "mv", "mfa", "policy.x"]),
        ("rm_unknown", &["state", "rm", "location.hq", "location.hk"]),
        (
            "mv_patience",
            &["state", "mv", "policy.mfa", "policy.x", "--lock-timeout", "5"],
        ),
    ];
    for (name, arguments) in cases {
        check(name, &folder.capol(arguments));
    }
    assert_eq!(folder.read(STATE), before);
    assert_eq!(
        folder.read("capol.state.json.lock"),
        None,
        "the lock is given back"
    );
}

#[test]
fn without_a_state_each_command_says_so() {
    let folder = Folder::new();
    let cases: [(&str, &[&str]); 6] = [
        ("none_list", &["state", "list"]),
        ("none_pull", &["state", "pull"]),
        ("none_mv", &["state", "mv", "policy.a", "policy.b"]),
        ("none_show", &["show"]),
        ("none_output", &["output"]),
        ("none_repair", &["state", "repair"]),
    ];
    for (name, arguments) in cases {
        check(name, &folder.capol(arguments));
    }
    assert_eq!(folder.read(STATE), None);
}

#[test]
fn a_pulled_state_can_be_pushed_and_an_older_one_only_by_force() {
    let folder = project();
    let pulled = folder.capol(&["state", "pull"]);
    assert_eq!(pulled.json(), state());
    check(
        "push_same",
        &folder.capol_with(&["state", "push", "-"], &pulled.out),
    );
    folder.capol(&["state", "rm", "location.hq"]);
    folder.write("old.json", &pulled.out);
    check("push_behind", &folder.capol(&["state", "push", "old.json"]));
    assert_eq!(kept(&folder)["serial"], 8);
    check(
        "push_force",
        &folder.capol(&["state", "push", "old.json", "--force", "--json"]),
    );
    assert_eq!(kept(&folder)["serial"], 9);
    assert!(!kept(&folder)["resources"]["location.hq"].is_null());

    let mut other = state();
    other["lineage"] = json!("33333333-3333-3333-3333-333333333333");
    other["serial"] = json!(90);
    folder.write("other.json", other.to_string());
    check("push_lineage", &folder.capol(&["state", "push", "other.json"]));
    other["tenant_id"] = json!("44444444-4444-4444-4444-444444444444");
    folder.write("tenant.json", other.to_string());
    check(
        "push_tenant",
        &folder.capol(&["state", "push", "tenant.json", "--force"]),
    );
    folder.write("cut.json", &pulled.out[..200]);
    check("push_cut", &folder.capol(&["state", "push", "cut.json"]));
    check("push_missing", &folder.capol(&["state", "push", "nothing.json"]));
    assert_eq!(kept(&folder)["serial"], 9);
    assert_eq!(
        folder.capol(&["state", "push", "other.json", "--force"]).status,
        0
    );
    assert_eq!(kept(&folder)["lineage"], other["lineage"]);
}

#[test]
fn a_lock_held_by_hand_stops_others_until_it_is_unlocked() {
    let mut folder = project();
    check(
        "lock",
        &folder.capol(&["state", "lock", "--reason", "change freeze"]),
    );
    let again = folder.capol(&["state", "lock", "--json"]);
    check("lock_again_json", &again);
    check(
        "mv_locked",
        &folder.capol(&["state", "mv", "policy.mfa", "policy.x"]),
    );
    assert_eq!(
        folder.capol(&["state", "list"]).status,
        0,
        "reading needs no lock"
    );
    let id = again.json()["id"].as_str().unwrap().to_owned();
    check(
        "unlock_other",
        &folder.capol(&["state", "unlock", "not-this-one"]),
    );
    folder.set("USER", "bo");
    check("unlock_unasked", &folder.capol(&["state", "force-unlock", &id]));
    check("unlock", &folder.capol(&["state", "unlock", &id, "--yes"]));
    check("unlock_twice", &folder.capol(&["state", "unlock", &id]));
    assert_eq!(folder.capol(&["state", "mv", "policy.mfa", "policy.x"]).status, 0);
    let locked = folder.capol(&["state", "lock", "--json"]);
    assert_eq!(locked.json()["taken"], true);
    let unlocked = folder.capol(&["state", "mv", "policy.x", "policy.mfa", "--lock=false"]);
    assert_eq!(unlocked.status, 0, "{}", unlocked.all());
}

#[test]
fn a_damaged_state_is_refused_and_repaired() {
    let folder = project();
    folder.capol(&["state", "mv", "policy.mfa", "policy.x"]);
    let whole = folder.read(STATE).unwrap();
    folder.write(STATE, &whole[..300]);
    check("cut_list", &folder.capol(&["state", "list"]));
    check("cut_mv", &folder.capol(&["state", "mv", "policy.x", "policy.y"]));
    check("repair_asks", &folder.capol(&["state", "repair"]));
    assert_eq!(folder.read(STATE), Some(whole[..300].to_owned()), "nobody agreed");
    check("repair", &folder.capol(&["state", "repair", "--yes"]));
    assert_eq!(folder.read(STATE), Some(whole.clone()));
    std::fs::remove_file(folder.path(STATE)).unwrap();
    check(
        "repair_json",
        &folder.capol(&["state", "repair", "--json", "--yes"]),
    );
    assert_eq!(folder.read(STATE), Some(whole));
    check("repair_nothing", &folder.capol(&["state", "repair"]));
}

#[test]
fn what_a_repair_is_not_certain_of_is_named_and_fails() {
    let folder = Folder::new();
    let block = |label: &str, name: &str| {
        format!(
            "policy \"{label}\" {{\n  name = \"{name}\"\n  state = report_only\n  users {{ include = [all] }}\n  \
             apps {{ include = [all] }}\n  grant = mfa\n}}\n"
        )
    };
    let all = block("a", "Twin") + &block("b", "Twin") + &block("c", "Alone");
    folder.write("main.capol", &all);
    assert_eq!(
        folder
            .capol(&["apply", "--sandbox", "--yes", "--parallelism=1"])
            .status,
        0
    );
    std::fs::remove_file(folder.path(".capol/sandbox.state.json")).unwrap();
    std::fs::remove_dir_all(folder.path(".capol/history")).unwrap();
    folder.write("main.capol", all + &block("d", "Alone?"));
    let asked = folder.capol(&["state", "repair", "--sandbox"]);
    check("repair_doubt", &asked);
    assert_eq!(folder.read(".capol/sandbox.state.json"), None);
    let repaired = folder.capol(&["state", "repair", "--sandbox", "--yes", "--json"]);
    assert_eq!(repaired.status, 1, "{}", repaired.all());
    let json = repaired.json();
    assert_eq!((&json["written"], &json["serial"]), (&json!(true), &json!(1)));
    let why: Vec<_> = json["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| &left["why"])
        .collect();
    assert_eq!(why, ["ambiguous", "ambiguous", "not_found"]);
}

#[test]
fn a_state_of_something_else_is_never_touched() {
    let folder = Folder::new();
    let foreign = [
        (
            "foreign_terraform",
            json!({ "version": 4, "terraform_version": "1.9.0", "resources": [] }).to_string(),
        ),
        (
            "foreign_newer",
            json!({ "format_version": 9, "capol_version": "4.0.0", "lineage": "x" }).to_string(),
        ),
        ("foreign_text", "hello".to_owned()),
    ];
    for (name, text) in foreign {
        folder.write(STATE, &text);
        check(name, &folder.capol(&["state", "list"]));
        assert_eq!(folder.capol(&["state", "rm", "policy.a"]).status, 1);
        assert_eq!(folder.read(STATE), Some(text));
    }
    let mut later = state();
    later["resources"]["policy.mfa"]["rings"] = json!(3);
    folder.write(STATE, later.to_string());
    assert_eq!(
        folder.capol(&["state", "list"]).status,
        0,
        "what is understood is shown"
    );
    check("not_fully_read", &folder.capol(&["state", "rm", "policy.mfa"]));
    assert_eq!(folder.read(STATE), Some(later.to_string()));
}

fn journal(damaged: bool) -> String {
    let begin = json!({
        "record": "apply_begin", "apply": "a1", "command": "apply", "capol_version": "0.1.0", "plan_digest": "d",
        "lineage": "11111111-1111-1111-1111-111111111111", "serial": 7,
        "tenant_id": "22222222-2222-2222-2222-222222222222", "at": "2026-01-01T00:00:00Z", "who": "anna",
    });
    let mut text = format!("{begin}\n");
    if damaged {
        text.push_str("{\"record\": \"se\n");
        text = text + &begin.to_string() + "\n";
    }
    text
}

#[test]
fn while_an_apply_is_not_taken_up_nothing_is_moved() {
    let folder = project();
    folder.write(".capol/journal.ndjson", journal(false));
    check(
        "unfinished_mv",
        &folder.capol(&["state", "mv", "policy.mfa", "policy.x"]),
    );
    check("unfinished_repair", &folder.capol(&["state", "repair"]));
    folder.write(".capol/journal.ndjson", journal(true));
    check(
        "damaged_mv",
        &folder.capol(&["state", "mv", "policy.mfa", "policy.x"]),
    );
    check("damaged_repair", &folder.capol(&["state", "repair", "--yes"]));
    assert_eq!(folder.read(".capol/journal.ndjson"), None);
    assert_eq!(folder.capol(&["state", "mv", "policy.mfa", "policy.x"]).status, 0);
}

#[test]
fn a_project_of_several_tenants_has_a_state_for_each() {
    let folder = Folder::new();
    folder.write("main.capol", "tenant \"prod\" {}\ntenant \"test\" {}\n");
    folder.write("capol.test.state.json", state().to_string());
    check("which_tenant", &folder.capol(&["state", "list"]));
    check(
        "no_such_tenant",
        &folder.capol(&["state", "list", "--tenant", "dev"]),
    );
    check(
        "no_state_of_tenant",
        &folder.capol(&["state", "list", "--tenant", "prod"]),
    );
    assert_eq!(
        folder
            .capol(&["state", "list", "--tenant", "test"])
            .out
            .lines()
            .count(),
        3
    );
}
