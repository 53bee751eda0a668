//! What stands around the work: `doctor`, `explain`, `version`, `completions`, the log.

use serde_json::{Value, json};

use crate::bench::Folder;

/// A project whose embedded tenant gives out tokens with these permissions alone, and asks for them.
fn permitted(permissions: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.capol(&["sandbox", "reset"]);
    let path = ".capol/sandbox.json";
    let mut tenant: Value = serde_json::from_str(&folder.read(path).unwrap()).unwrap();
    tenant["settings"]["enforcePermissions"] = json!(true);
    tenant["settings"]["permissions"] = json!(permissions);
    folder.write(path, tenant.to_string());
    folder
}

#[test]
fn doctor_says_which_permission_each_command_lacks() {
    let well = Folder::new().capol(&["doctor", "--sandbox"]);
    insta::assert_snapshot!("doctor_well", well.all());
    let reader = permitted(&[
        "Organization.Read.All",
        "Policy.Read.All",
        "User.Read.All",
        "Application.Read.All",
    ]);
    let lacking = reader.capol(&["doctor", "--sandbox"]);
    insta::assert_snapshot!("doctor_lacking", lacking.all());
    let json = reader.capol(&["doctor", "--sandbox", "--json"]).json();
    assert_eq!(json["commands"][0]["command"], "plan");
    assert_eq!(
        json["commands"][0]["lacks"],
        json!(["`GroupMember.Read.All` (or `Group.Read.All`) to read groups"])
    );
    let nobody = permitted(&[]).capol(&["doctor", "--sandbox"]);
    assert_eq!(nobody.status, 1);
    assert!(nobody.err.contains("Organization.Read.All"), "{}", nobody.all());
}

#[test]
fn doctor_without_a_sign_in_says_how_to_sign_in() {
    let mut folder = Folder::new();
    folder.set("PATH", "");
    let answer = folder.capol(&["doctor"]);
    assert_eq!((answer.status, answer.out.as_str()), (1, ""));
    assert!(answer.err.contains("az login"), "{}", answer.all());
}

#[test]
fn the_log_tells_of_every_request_and_of_no_token() {
    let mut folder = Folder::new();
    assert_eq!(folder.capol(&["doctor", "--sandbox"]).err, "");
    let told = folder.capol(&["doctor", "--sandbox", "-v"]).err;
    assert!(
        told.contains("signed in") && !told.contains("graph answered"),
        "{told}"
    );
    let told = folder.capol(&["doctor", "--sandbox", "-vv"]).err;
    assert!(told.contains("graph answered"), "{told}");
    folder.set("CAPOL_LOG", "trace");
    let told = folder.capol(&["doctor", "--sandbox"]).err;
    assert!(told.contains("graph answered"), "{told}");
    assert!(
        !told.contains("Bearer") && !told.contains("eyJ"),
        "a token was logged: {told}"
    );
    folder.set("CAPOL_LOG", "a=b=c");
    assert!(folder.capol(&["version"]).err.contains("CAPOL_LOG=debug"));
}

#[test]
fn version_and_completions_are_for_scripts() {
    let folder = Folder::new();
    let version = folder.capol(&["version", "--json"]).json();
    assert_eq!(version["capol_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        folder.capol(&["version"]).out,
        concat!("capol ", env!("CARGO_PKG_VERSION"), "\n")
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.capol(&["completions", shell]);
        assert!(
            script.status == 0 && script.out.contains("capol") && script.out.contains("import"),
            "{shell}"
        );
    }
}
