//! Which permissions calls need, when the tenant is told to ask for them.

use super::call::Call;
use super::call::Refusal;
use super::tenant::Tenant;

const READ_CA: &[&str] = &["Policy.Read.All"];
const WRITE_CA: &[&str] = &["Policy.ReadWrite.ConditionalAccess"];
const BIN_READ: &[&str] = &[
    "Policy.Read.ConditionalAccess",
    "Policy.Read.All",
    "Policy.ReadWrite.ConditionalAccess",
];
const WHAT_IF: &[&str] = &["Policy.Read.ConditionalAccess"];
const STRENGTH_READ: &[&str] = &[
    "Policy.Read.AuthenticationMethod",
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
];
const STRENGTH_WRITE: &[&str] = &[
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.AuthenticationMethod",
];
const CONTEXT_READ: &[&str] = &[
    "AuthenticationContext.Read.All",
    "AuthenticationContext.ReadWrite.All",
    "Policy.Read.ConditionalAccess",
    "Policy.Read.All",
];
const CONTEXT_WRITE: &[&str] = &[
    "AuthenticationContext.ReadWrite.All",
    "Policy.ReadWrite.ConditionalAccess",
];
const AGREEMENT_READ: &[&str] = &["Agreement.Read.All", "Agreement.ReadWrite.All"];
const AGREEMENT_WRITE: &[&str] = &["Agreement.ReadWrite.All"];
const DEFAULTS_WRITE: &[&str] = &["Policy.ReadWrite.SecurityDefaults"];
const LOGS: &[&str] = &["AuditLog.Read.All"];
const GROUP_READ: &[&str] = &[
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
];
const GROUP_WRITE: &[&str] = &["Group.ReadWrite.All", "Group.Create"];
const MEMBER_WRITE: &[&str] = &["GroupMember.ReadWrite.All", "Group.ReadWrite.All"];
const USER_READ: &[&str] = &["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"];
const APPLICATION_READ: &[&str] = &[
    "Application.Read.All",
    "Directory.Read.All",
    "Application.ReadWrite.All",
];
const APPLICATION_WRITE: &[&str] = &["Application.ReadWrite.All"];
const ROLE_READ: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "Directory.Read.All",
];
const ORGANIZATION_READ: &[&str] = &["Organization.Read.All", "Directory.Read.All"];

/// Returns every permission that any call asks for: what the tenant's tokens carry unless told otherwise.
pub(super) fn all() -> Vec<String> {
    [
        "Agreement.ReadWrite.All",
        "Application.Read.All",
        "Application.ReadWrite.All",
        "AuditLog.Read.All",
        "AuthenticationContext.ReadWrite.All",
        "Directory.Read.All",
        "Group.ReadWrite.All",
        "Policy.Read.All",
        "Policy.Read.ConditionalAccess",
        "Policy.ReadWrite.AuthenticationMethod",
        "Policy.ReadWrite.ConditionalAccess",
        "Policy.ReadWrite.SecurityDefaults",
        "RoleManagement.Read.Directory",
        "User.Read.All",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect()
}

/// Whether a token may see what became of each policy; one that may not is shown empty lists.
pub(super) fn sees_policies(tenant: &Tenant, call: &Call) -> bool {
    !tenant.settings.enforce_permissions
        || call
            .caller
            .permissions
            .iter()
            .any(|held| BIN_READ.contains(&held.as_str()))
}

/// Whether a token may see more of users than that they are there; one that may not is shown ids in lists of members.
pub(super) fn sees_users(tenant: &Tenant, call: &Call) -> bool {
    !tenant.settings.enforce_permissions
        || call
            .caller
            .permissions
            .iter()
            .any(|held| USER_READ.contains(&held.as_str()))
}

/// Refuses a call whose token lacks what its path needs.
pub(super) fn check(tenant: &Tenant, call: &Call, path: &[&str]) -> Result<(), Refusal> {
    if !tenant.settings.enforce_permissions {
        return Ok(());
    }
    let read = call.method == "GET";
    let holds = |names: &[&str]| {
        names
            .iter()
            .any(|name| call.caller.permissions.iter().any(|held| held == name))
    };
    // Each group must be held by one of its names; writing policies and locations takes two.
    let (groups, directory): (Vec<&[&str]>, bool) = match path {
        ["identity", "conditionalAccess", "deletedItems", ..] => {
            (vec![if read { BIN_READ } else { WRITE_CA }], false)
        }
        ["identity", "conditionalAccess", "authenticationStrength", ..] => {
            (vec![if read { STRENGTH_READ } else { STRENGTH_WRITE }], false)
        }
        [
            "identity",
            "conditionalAccess",
            "authenticationContextClassReferences",
            ..,
        ] => (vec![if read { CONTEXT_READ } else { CONTEXT_WRITE }], false),
        ["identity", "conditionalAccess", "evaluate"] => (vec![WHAT_IF], false),
        ["identity", "conditionalAccess", ..] => (
            if read {
                vec![READ_CA]
            } else {
                vec![READ_CA, WRITE_CA]
            },
            false,
        ),
        ["policies", ..] => (
            if read {
                vec![READ_CA]
            } else {
                vec![READ_CA, DEFAULTS_WRITE]
            },
            false,
        ),
        ["identityGovernance", ..] => (vec![if read { AGREEMENT_READ } else { AGREEMENT_WRITE }], false),
        ["auditLogs" | "reports", ..] => (vec![LOGS], false),
        ["groups", ..] if read => (vec![GROUP_READ], true),
        ["groups", _, "members", ..] => (vec![MEMBER_WRITE], true),
        ["groups", ..] | ["directory", "deletedItems", ..] => (vec![GROUP_WRITE], true),
        ["users", ..] => (vec![USER_READ], true),
        ["servicePrincipals" | "applications", ..] => (
            vec![if read { APPLICATION_READ } else { APPLICATION_WRITE }],
            true,
        ),
        ["directoryRoles" | "directoryRoleTemplates" | "roleManagement", ..] => (vec![ROLE_READ], true),
        ["organization" | "subscribedSkus", ..] => (vec![ORGANIZATION_READ], true),
        _ => (Vec::new(), true),
    };
    if groups.into_iter().all(holds) {
        return Ok(());
    }
    Err(if directory {
        Refusal::new(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    } else {
        Refusal::new(
            403,
            "AccessDenied",
            "You cannot perform the requested operation, required scopes are missing in the token.",
        )
    })
}
