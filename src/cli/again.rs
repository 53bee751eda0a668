//! The command to type next, whole, so that it works when pasted.

use std::path::Path;

use super::arguments::{Global, Planning};

/// `capol WORD …` with the options that this run was given.
pub(super) fn command(
    word: &str,
    global: &Global,
    planning: Option<&Planning>,
    file: Option<&Path>,
) -> String {
    let mut parts = vec!["capol".to_owned(), word.to_owned()];
    let mut option = |name: &str, value: &str| parts.push(format!("{name} {}", quoted(value)));
    if let Some(folder) = &global.chdir {
        option("--chdir", &folder.to_string_lossy());
    }
    if let Some(tenant) = &global.tenant {
        option("--tenant", tenant);
    }
    for variable in &global.variables {
        option("--var", variable);
    }
    for file in &global.variable_files {
        option("--var-file", &file.to_string_lossy());
    }
    if let Some(planning) = planning {
        for (name, values) in [
            ("--target", &planning.target),
            ("--exclude", &planning.exclude),
            ("--replace", &planning.replace),
        ] {
            for value in values {
                option(name, value);
            }
        }
        for (name, file) in [
            ("--target-file", &planning.target_file),
            ("--exclude-file", &planning.exclude_file),
        ] {
            if let Some(file) = file {
                option(name, &file.to_string_lossy());
            }
        }
        if let Some(reason) = &planning.accept_gap {
            option("--accept-gap", reason);
        }
        if planning.refresh_only {
            parts.push("--refresh-only".to_owned());
        }
        if planning.destroy && word != "destroy" {
            parts.push("--destroy".to_owned());
        }
    }
    if global.sandbox {
        parts.push("--sandbox".to_owned());
    }
    parts.extend(file.map(|file| quoted(&file.to_string_lossy())));
    parts.join(" ")
}

/// The text as a shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:@,+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_names_the_same_project_tenant_and_objects() {
        let global = Global {
            chdir: Some("my tenants/a".into()),
            sandbox: true,
            variables: vec!["owner=ada".into()],
            ..Global::default()
        };
        let planning = Planning {
            target: vec!["policy.mfa[\"eu\"]".into()],
            ..Planning::default()
        };
        assert_eq!(
            command("apply", &global, Some(&planning), None),
            "capol apply --chdir 'my tenants/a' --var owner=ada --target 'policy.mfa[\"eu\"]' --sandbox"
        );
        assert_eq!(
            command(
                "apply",
                &Global::default(),
                None,
                Some(Path::new("change.capolplan"))
            ),
            "capol apply change.capolplan"
        );
    }
}
