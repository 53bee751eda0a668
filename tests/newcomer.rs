//! Points that people stumble over who use the command for the first time.

use crate::bench::Folder;

const PROJECT: &str = r#"
policy "passkeys" {
  name  = "Passkeys"
  state = enabled
  users = all
  apps  = all
  grant = strength.phishing_resistant_mfa
}

invariant "passwordless" {
  where  { user = all }
  expect { grant = strength.passwordless_mfa, decision = block }
}
"#;

const POLICY: &str = r#"{
  "id": "11111111-0000-4000-8000-000000000001", "displayName": "Passkeys", "state": "enabled",
  "conditions": { "clientAppTypes": ["all"], "users": { "includeUsers": ["All"] }, "applications": { "includeApplications": ["All"] } },
  "grantControls": { "operator": "OR", "authenticationStrength": { "id": "00000000-0000-0000-0000-000000000004" } }
}"#;
const DIRECTORY: &str = r#"{ "users": [{ "id": "22222222-0000-4000-8000-000000000001", "userPrincipalName": "ada@contoso.com" }] }"#;

fn exports() -> Folder {
    let folder = Folder::new();
    folder.write("exports/policy.json", POLICY);
    folder.write("exports/.git/broken.json", "{");
    folder.write("people.json", DIRECTORY);
    folder
}

const ASK: [&str; 8] = [
    "whatif",
    "--policies",
    "exports",
    "--directory",
    "people.json",
    "--user",
    "ada@contoso.com",
    "--app",
];

#[test]
fn strengths_are_told_by_name_and_hidden_folders_are_nobodys_exports() {
    let folder = exports();
    let answer = folder.capol(&[&ASK[..], &["Office365"]].concat());
    assert_eq!(answer.status, 0, "{}", answer.all());
    assert!(answer.out.contains("Phishing-resistant MFA"), "{}", answer.out);
    let json = folder.capol(&[&ASK[..], &["Office365", "--json"]].concat());
    assert!(
        json.out
            .contains("authenticationStrength:00000000-0000-0000-0000-000000000004"),
        "{}",
        json.out
    );
}

#[test]
fn a_wrong_flag_is_told_by_its_own_name() {
    let folder = exports();
    let answer = folder.capol(&[&ASK[..], &["Office365", "--country", "Denmark"]].concat());
    assert_eq!(answer.status, 1);
    assert!(
        answer.err.contains("`--country`") && !answer.err.contains("signInConditions"),
        "{}",
        answer.err
    );
}

#[test]
fn two_forms_of_output_at_once_are_refused() {
    let folder = Folder::new();
    folder.write("main.capol", PROJECT);
    for arguments in [
        ["test", "--format", "junit", "--json"],
        ["validate", "--format", "sarif", "--json"],
    ] {
        let answer = folder.capol(&arguments);
        assert_eq!(answer.status, 1, "{}", answer.all());
        assert_eq!(answer.json()["error"]["code"], "ops::two_forms", "{}", answer.out);
    }
}

#[test]
fn a_refuted_invariant_names_the_policy_that_asks_too_little() {
    let folder = Folder::new();
    folder.write("main.capol", PROJECT);
    let answer = folder.capol(&["test"]);
    assert_eq!(answer.status, 1);
    assert!(answer.out.contains("policy.passkeys applies"), "{}", answer.out);
}
