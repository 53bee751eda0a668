//! The evidence of exported logs is the same in whatever shape and on however many threads it is read.

use std::path::PathBuf;

use capol::ops::evidence::of_files;
use capol::rollout::evidence::{Counts, Scope};
use serde_json::{Value, json};

const POLICY: &str = "c0000000-0000-4000-8000-000000000001";

fn sign_in(number: usize) -> Value {
    let result = match number % 10 {
        0 => "reportOnlyFailure",
        1 | 2 => "reportOnlyInterrupted",
        _ => "reportOnlySuccess",
    };
    json!({
        "id": format!("e0000000-0000-4000-8000-{number:012}"),
        "createdDateTime": format!("2026-11-{:02}T08:00:00Z", 1 + number % 28),
        "userId": format!("a0000000-0000-4000-8000-{:012}", number % 97),
        "userPrincipalName": format!("person{}@contoso.com", number % 97),
        "appDisplayName": "Mail",
        "appliedConditionalAccessPolicies": [
            { "id": "c0000000-0000-4000-8000-000000000009", "result": "success" },
            { "id": POLICY, "result": result },
        ],
    })
}

#[test]
fn files_lines_and_threads_make_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let all: Vec<Value> = (0..5_600).map(sign_in).collect();
    let lines = all.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let whole = write("lines.ndjson", lines);
    let page = write("page.json", json!({ "value": all[..3_000] }).to_string());
    let wrapped: Vec<Value> = all[2_000..]
        .iter()
        .map(|one| json!({ "category": "NonInteractiveUserSignInLogs", "properties": one }))
        .collect();
    let wrapped = write("wrapped.json", json!({ "records": wrapped }).to_string());
    let scope = Scope::new([POLICY], "2026-11-15T00:00:00Z".parse().unwrap(), None);
    // Half of the month counts.
    let wanted = Counts {
        success: 1_960,
        failure: 280,
        interrupted: 560,
    };
    for (logs, threads) in [
        (vec![whole.clone()], 1),
        (vec![whole], 4),
        // What is in two files counts once.
        (vec![page, wrapped], 3),
    ] {
        let evidence = of_files(&logs, &scope, threads).unwrap().finish().unwrap();
        assert_eq!(evidence[0].counts, wanted, "{logs:?} on {threads}");
        assert_eq!(evidence[0].people.all(), 97);
    }
}

/// What can't be read may be what went wrong.
#[test]
fn a_log_of_which_part_cannot_be_read_is_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let sound = sign_in(1).to_string();
    let mut timeless = sign_in(2);
    timeless["createdDateTime"] = json!("soon");
    let mut of_nobody = sign_in(3);
    of_nobody["userId"] = json!("");
    let cut = &sound[..sound.len() / 2];
    let other = r#"{"category":"AuditLogs","activityDisplayName":"Update policy"}"#;
    for (name, wrong) in [
        ("cut", cut),
        ("no JSON", "2026-11-15 08:00 success"),
        ("another schema", other),
        ("no time", &timeless.to_string()),
        ("nobody", &of_nobody.to_string()),
    ] {
        let path = folder.path().join("lines.ndjson");
        std::fs::write(&path, format!("{sound}\n{wrong}\n")).unwrap();
        let scope = Scope::new([POLICY], "2026-11-01T00:00:00Z".parse().unwrap(), None);
        let found = of_files(&[path], &scope, 2).unwrap().finish();
        let error = found.expect_err(name);
        let code = miette::Diagnostic::code(&error).unwrap().to_string();
        assert_eq!(code, "rollout::unreadable_log", "{name}");
    }
}
