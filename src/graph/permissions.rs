//! Which permission a call needs, for the message when it is missing.

/// Least permissions by path: (start of the relative path, to read, to write).
///
/// Source: Microsoft Graph permissions reference and the API pages; writing policies needs both named, as
/// reported in the field.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "identity/conditionalAccess/deletedItems",
        "`Policy.Read.All` (or `Policy.Read.ConditionalAccess`)",
        "both `Policy.Read.All` and `Policy.ReadWrite.ConditionalAccess`",
    ),
    (
        "identity/conditionalAccess/evaluate",
        "`Policy.Read.ConditionalAccess`",
        "`Policy.Read.ConditionalAccess`",
    ),
    (
        "identity/conditionalAccess/authenticationContextClassReferences",
        "`AuthenticationContext.Read.All` (or `Policy.Read.ConditionalAccess`)",
        "`AuthenticationContext.ReadWrite.All` (or `Policy.ReadWrite.ConditionalAccess`)",
    ),
    (
        "identity/conditionalAccess",
        "`Policy.Read.All`",
        "both `Policy.Read.All` and `Policy.ReadWrite.ConditionalAccess`, and `Application.Read.All` for policies that name applications,",
    ),
    (
        "policies/authenticationStrengthPolicies",
        "`Policy.Read.All` (or `Policy.Read.AuthenticationMethod`)",
        "`Policy.ReadWrite.AuthenticationMethod` (or `Policy.ReadWrite.ConditionalAccess`)",
    ),
    (
        "policies/identitySecurityDefaultsEnforcementPolicy",
        "`Policy.Read.All`",
        "both `Policy.Read.All` and `Policy.ReadWrite.SecurityDefaults`",
    ),
    (
        "identityGovernance/termsOfUse",
        "the delegated permission `Agreement.Read.All` (application permissions are not offered for it)",
        "the delegated permission `Agreement.ReadWrite.All`",
    ),
    (
        "auditLogs",
        "`AuditLog.Read.All`, and `Policy.Read.All` to see the policies that applied,",
        "`AuditLog.Read.All`",
    ),
    ("reports", "`AuditLog.Read.All`", "`AuditLog.Read.All`"),
    ("users", "`User.ReadBasic.All`", "`User.ReadWrite.All`"),
    (
        "groups",
        "`GroupMember.Read.All` (or `Group.Read.All`)",
        "`Group.ReadWrite.All` (or `Group.Create` and `GroupMember.ReadWrite.All`)",
    ),
    (
        "servicePrincipals",
        "`Application.Read.All`",
        "`Application.ReadWrite.All`",
    ),
    (
        "applications",
        "`Application.Read.All`",
        "`Application.ReadWrite.All`",
    ),
    (
        "roleManagement/directory",
        "`RoleManagement.Read.Directory`",
        "`RoleManagement.ReadWrite.Directory`",
    ),
    (
        "directoryObjects",
        "`Directory.Read.All`, or the read permission of each kind of object,",
        "`Directory.ReadWrite.All`",
    ),
    (
        "organization",
        "`Organization.Read.All`",
        "`Organization.ReadWrite.All`",
    ),
];

/// The permission that reading or writing this relative path needs, as words for a sentence.
pub fn needed(path: &str, writes: bool) -> Option<&'static str> {
    let path = path.trim_start_matches('/');
    TABLE
        .iter()
        .find(|(start, _, _)| {
            path.get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start))
        })
        .map(|(_, read, write)| if writes { *write } else { *read })
}

/// What a write needs, for tokens that say what they hold: one name of each group.
///
/// Names that hold more than the least are there too.
const WRITES: &[(&str, &[&[&str]])] = &[
    (
        "identity/conditionalAccess/authenticationContextClassReferences",
        &[&[
            "AuthenticationContext.ReadWrite.All",
            "Policy.ReadWrite.ConditionalAccess",
        ]],
    ),
    (
        "identity/conditionalAccess",
        &[&["Policy.Read.All"], &["Policy.ReadWrite.ConditionalAccess"]],
    ),
    (
        "policies/authenticationStrengthPolicies",
        &[&[
            "Policy.ReadWrite.AuthenticationMethod",
            "Policy.ReadWrite.ConditionalAccess",
        ]],
    ),
    (
        "groups",
        &[
            &["Group.ReadWrite.All", "Group.Create", "Directory.ReadWrite.All"],
            &[
                "GroupMember.ReadWrite.All",
                "Group.ReadWrite.All",
                "Directory.ReadWrite.All",
            ],
        ],
    ),
];

/// The permissions that writing this relative path lacks, the least of each; none for a path that is not known.
pub fn lacking(path: &str, held: &[String]) -> Option<Vec<&'static str>> {
    let (_, groups) = WRITES.iter().find(|(start, _)| path.starts_with(start))?;
    let holds = |names: &[&str]| names.iter().any(|name| held.iter().any(|held| held == name));
    let lacking = groups.iter().filter(|names| !holds(names));
    Some(lacking.filter_map(|names| names.first().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_may_only_read_lacks_the_right_to_write() {
        let held = ["Policy.Read.All".to_owned()];
        let lacks = |path| lacking(path, &held).unwrap();
        assert_eq!(
            lacks("identity/conditionalAccess/policies"),
            ["Policy.ReadWrite.ConditionalAccess"]
        );
        assert_eq!(
            lacks("groups"),
            ["Group.ReadWrite.All", "GroupMember.ReadWrite.All"]
        );
        assert_eq!(lacking("users", &held), None);
        let all = [
            "Policy.Read.All".to_owned(),
            "Policy.ReadWrite.ConditionalAccess".to_owned(),
        ];
        assert_eq!(
            lacking("identity/conditionalAccess/namedLocations", &all),
            Some(Vec::new())
        );
    }

    #[test]
    fn a_longer_path_is_found_before_its_parent() {
        let paths: Vec<&str> = TABLE.iter().map(|(path, _, _)| *path).collect();
        for (index, path) in paths.iter().enumerate() {
            let hidden = paths[..index].iter().any(|earlier| path.starts_with(earlier));
            assert!(!hidden, "{path} can never be found");
        }
    }

    #[test]
    fn writing_a_policy_needs_both_permissions() {
        let needed = needed("/identity/conditionalAccess/policies/x", true).unwrap();
        assert!(needed.contains("Policy.Read.All") && needed.contains("Policy.ReadWrite.ConditionalAccess"));
    }
}
