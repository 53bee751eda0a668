//! The tenant that a fresh sandbox starts with: Contoso, small and complete.

use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use super::directory;
use super::groups;
use super::policies::put;
use super::strengths;
use super::tenant::Kind;
use super::tenant::Tenant;

/// The tenant that owns Microsoft's own applications.
pub(super) const MICROSOFT_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// The application id of the seeded "Deploy bot", in whose name tests write.
pub(super) const DEPLOY_BOT_APP: &str = "b07de910-0000-4000-8000-00000000b07d";

const SEED: Uuid = Uuid::from_u128(0x0c0e_7050_0000_4000_8000_0000_0000_0001);
const CREATED: &str = "2026-01-01T00:00:00.0000000Z";

/// Users: name before the domain, display name.
const USERS: [(&str, &str); 10] = [
    ("ada", "Ada Lovelace"),
    ("alan", "Alan Turing"),
    ("grace", "Grace Hopper"),
    ("edsger", "Edsger Dijkstra"),
    ("barbara", "Barbara Liskov"),
    ("katherine", "Katherine Johnson"),
    ("margaret", "Margaret Hamilton"),
    ("sync", "On-Premises Directory Synchronization Service Account"),
    ("breakglass1", "Break Glass 1"),
    ("breakglass2", "Break Glass 2"),
];

/// Groups: name, nickname, members by name before the domain.
const GROUPS: [(&str, &str, &[&str]); 9] = [
    ("Tier 0 admins", "tier0admins", &["ada"]),
    ("IT", "it", &["ada", "alan"]),
    (
        "All staff",
        "allstaff",
        &[
            "ada",
            "alan",
            "grace",
            "edsger",
            "barbara",
            "katherine",
            "margaret",
        ],
    ),
    ("Finance", "finance", &["grace", "katherine"]),
    ("Executives", "executives", &["margaret"]),
    ("MFA pilot", "mfapilot", &["alan", "barbara"]),
    ("Break glass", "breakglass", &["breakglass1", "breakglass2"]),
    ("Service accounts", "serviceaccounts", &["sync"]),
    ("CA exclusions", "caexclusions", &[]),
];

/// Who holds which role.
const ROLE_HOLDERS: [(&str, &[&str]); 4] = [
    (
        "62e90394-69f5-4237-9190-012177145e10",
        &["ada", "breakglass1", "breakglass2"],
    ),
    ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", &["ada"]),
    ("d29b2b05-8046-44ba-8758-1e26182fcf32", &["sync"]),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", &["alan"]),
];

/// The tenant's own applications: name, application id.
const OWN_APPLICATIONS: [(&str, &str); 4] = [
    ("Deploy bot", DEPLOY_BOT_APP),
    ("Legacy HR", "1e9ac400-0000-4000-8000-0000000000a1"),
    ("Payroll API", "1e9ac400-0000-4000-8000-0000000000a2"),
    ("Salesforce", "1e9ac400-0000-4000-8000-0000000000a3"),
];

/// Microsoft's applications that tenants have: name, application id.
const MICROSOFT_APPLICATIONS: [(&str, &str); 21] = [
    (
        "Windows Azure Service Management API",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    ),
    (
        "Office 365 Exchange Online",
        "00000002-0000-0ff1-ce00-000000000000",
    ),
    (
        "Office 365 SharePoint Online",
        "00000003-0000-0ff1-ce00-000000000000",
    ),
    ("Microsoft Teams Services", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe"),
    (
        "Microsoft Intune Enrollment",
        "d4ebce55-015a-49b5-a083-c84d1797ae8c",
    ),
    ("Microsoft Intune", "0000000a-0000-0000-c000-000000000000"),
    ("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"),
    ("Microsoft Graph", "00000003-0000-0000-c000-000000000000"),
    (
        "Windows Azure Active Directory",
        "00000002-0000-0000-c000-000000000000",
    ),
    ("Azure DevOps", "499b84ac-1321-427f-aa17-267ca6975798"),
    ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"),
    ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1"),
    ("Azure SQL Database", "022907d3-0f1b-48f7-badc-1ba6abab6d66"),
    (
        "Microsoft Approval Management",
        "65d91a3d-ab74-42e6-8a2f-0add61688c74",
    ),
    ("Microsoft Azure CLI", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
    (
        "Microsoft Azure PowerShell",
        "1950a258-227b-4e31-a9cf-717495945fc2",
    ),
    (
        "Microsoft Graph Command Line Tools",
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
    ),
    (
        "Microsoft Power BI Service",
        "00000009-0000-0000-c000-000000000000",
    ),
    ("Windows 365", "0af06dc6-e4b5-4f28-818e-e78e62d137a5"),
    ("Azure Virtual Desktop", "9cdead84-a844-4324-93f2-b2e6bb768d07"),
    (
        "Microsoft Defender for Cloud Apps",
        "05a65629-4c1b-48c1-a78b-804c4abdd4af",
    ),
];

impl Tenant {
    /// Returns a tenant that holds only what Microsoft puts into every one: roles, built-in
    /// strengths, Microsoft's applications.
    pub fn bare() -> Self {
        let mut tenant = Self::empty(SEED, "Contoso", "contoso.com");
        for strength in strengths::built_in() {
            tenant.insert(Kind::AuthenticationStrengths, strength);
        }
        for (id, name) in super::roles::BUILT_IN {
            tenant.insert(Kind::RoleDefinitions, role(id, name, true));
        }
        for (name, app) in MICROSOFT_APPLICATIONS {
            let id = tenant.named_id(&format!("service principal {app}"));
            tenant.insert(
                Kind::ServicePrincipals,
                directory::service_principal(&id, app, name, MICROSOFT_TENANT),
            );
        }
        tenant
    }

    /// Returns Contoso: a bare tenant with people, groups, applications, contexts and terms of use,
    /// and no policy or location.
    pub fn contoso() -> Self {
        let mut tenant = Self::bare();
        for (local, name) in USERS {
            let user = user(&tenant, local, name, "Member");
            tenant.insert(Kind::Users, user);
        }
        let guest = user(&tenant, "partner_fabrikam.com#EXT#", "Partner Guest", "Guest");
        tenant.insert(Kind::Users, guest);
        for (name, nickname, members) in GROUPS {
            let id = tenant.named_id(&format!("group {name}"));
            tenant.insert(Kind::Groups, group(&id, name, nickname));
            let ids: Vec<String> = members.iter().map(|local| user_id(&tenant, local)).collect();
            tenant.members_mut(&id).extend(ids);
        }
        for (role, holders) in ROLE_HOLDERS {
            let ids: Vec<String> = holders.iter().map(|local| user_id(&tenant, local)).collect();
            tenant.members_mut(role).extend(ids);
        }
        for (name, app) in OWN_APPLICATIONS {
            let id = tenant.named_id(&format!("service principal {app}"));
            let own = tenant.id.clone();
            tenant.insert(
                Kind::ServicePrincipals,
                directory::service_principal(&id, app, name, &own),
            );
            let id = tenant.named_id(&format!("application {app}"));
            tenant.insert(Kind::Applications, application(&id, app, name));
        }
        let id = tenant.named_id("agreement Contoso terms of use");
        tenant.insert(Kind::Agreements, agreement(&id, "Contoso terms of use"));
        for (id, name, description) in [
            ("c1", "Sensitive data", "Access to data marked as sensitive"),
            (
                "c2",
                "Privileged role activation",
                "Activation of roles in Privileged Identity Management",
            ),
            (
                "c3",
                "Protected actions",
                "Changes that need a fresh strong sign-in",
            ),
        ] {
            tenant.insert(Kind::AuthenticationContexts, context(id, name, description));
        }
        tenant
    }
}

fn user_id(tenant: &Tenant, local: &str) -> String {
    tenant.named_id(&format!("user {local}"))
}

fn user(tenant: &Tenant, local: &str, name: &str, kind: &str) -> Value {
    let mut user = new_user(
        &user_id(tenant, local),
        name,
        &format!("{local}@{}", tenant.domain),
    );
    put(&mut user, "/userType", json!(kind));
    user
}

/// Returns an enabled user, a member of the tenant.
pub(super) fn new_user(id: &str, name: &str, principal_name: &str) -> Value {
    json!({
        "id": id,
        "displayName": name,
        "userPrincipalName": principal_name,
        "mail": principal_name,
        "accountEnabled": true,
        "userType": "Member",
        "externalUserState": null,
        "onPremisesSyncEnabled": null,
        "createdDateTime": CREATED,
        "country": null,
        "usageLocation": "US",
    })
}

/// Returns a cloud security group.
pub(super) fn group(id: &str, name: &str, nickname: &str) -> Value {
    let mut group = groups::new_group();
    for (member, value) in [
        ("id", json!(id)),
        ("displayName", json!(name)),
        ("mailEnabled", json!(false)),
        ("mailNickname", json!(nickname)),
        ("securityEnabled", json!(true)),
        ("createdDateTime", json!(CREATED)),
    ] {
        put(&mut group, &format!("/{member}"), value);
    }
    group
}

pub(super) fn application(id: &str, app: &str, name: &str) -> Value {
    json!({
        "id": id,
        "deletedDateTime": null,
        "appId": app,
        "displayName": name,
        "signInAudience": "AzureADMyOrg",
        "identifierUris": [],
        "createdDateTime": CREATED,
        "publisherDomain": null,
    })
}

pub(super) fn role(id: &str, name: &str, built_in: bool) -> Value {
    json!({
        "id": id,
        "templateId": id,
        "displayName": name,
        "description": name,
        "isBuiltIn": built_in,
        "isEnabled": true,
        "resourceScopes": ["/"],
        "rolePermissions": [],
        "version": "1",
    })
}

pub(super) fn agreement(id: &str, name: &str) -> Value {
    json!({
        "id": id,
        "displayName": name,
        "isViewingBeforeAcceptanceRequired": true,
        "isPerDeviceAcceptanceRequired": false,
        "userReacceptRequiredFrequency": null,
        "termsExpiration": null,
    })
}

pub(super) fn context(id: &str, name: &str, description: &str) -> Value {
    json!({"id": id, "displayName": name, "description": description, "isAvailable": true})
}
