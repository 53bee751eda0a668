//! Well-known Microsoft applications that policies target.
//!
//! Some are keywords of the policy (`Office365` stands for a suite and has no
//! application id); the others are first-party applications, whose ids are the
//! same in every tenant. Names and ids: Microsoft's "Verify first-party
//! Microsoft applications in sign-in reports" and exports of real tenants.

use std::collections::HashMap;
use std::sync::LazyLock;

/// An application, or suite, that needs no look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WellKnownApp {
    /// Name in the language, as in `app.office365`.
    pub name: &'static str,
    /// Name of the service principal, or of the choice in the admin center.
    pub display_name: &'static str,
    /// What the policy holds on the wire.
    pub target: AppTarget,
    /// Other display names that tenants show for the same application.
    pub other_names: &'static [&'static str],
}

/// What `includeApplications` and `excludeApplications` hold for an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppTarget {
    /// A keyword of the policy, in Graph's spelling.
    Keyword(&'static str),
    /// An application id, lower case.
    AppId(&'static str),
}

impl AppTarget {
    /// The text on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Keyword(text) | Self::AppId(text) => text,
        }
    }
}

impl WellKnownApp {
    /// The application id; `None` for a keyword.
    #[must_use]
    pub fn app_id(&self) -> Option<&'static str> {
        match self.target {
            AppTarget::AppId(id) => Some(id),
            AppTarget::Keyword(_) => None,
        }
    }

    /// Whether tenants call the application `display_name`, in any case.
    #[must_use]
    pub fn is_called(&self, display_name: &str) -> bool {
        self.display_name.eq_ignore_ascii_case(display_name)
            || self
                .other_names
                .iter()
                .any(|other| other.eq_ignore_ascii_case(display_name))
    }
}

/// All well-known applications, in the order of their names in the language.
#[must_use]
pub fn all() -> &'static [WellKnownApp] {
    APPS
}

/// The application that the language calls `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static WellKnownApp> {
    static BY_NAME: LazyLock<HashMap<&str, &WellKnownApp>> =
        LazyLock::new(|| APPS.iter().map(|app| (app.name, app)).collect());
    BY_NAME.get(name).copied()
}

/// The application with this id, written in any case.
#[must_use]
pub fn by_app_id(id: &str) -> Option<&'static WellKnownApp> {
    APPS.iter()
        .find(|app| app.app_id().is_some_and(|known| known.eq_ignore_ascii_case(id)))
}

/// The application that this text stands for in a policy: a keyword or an id, in any case.
#[must_use]
pub fn by_wire(text: &str) -> Option<&'static WellKnownApp> {
    APPS.iter()
        .find(|app| app.target.wire().eq_ignore_ascii_case(text))
}

/// The application that tenants call `display_name`, in any case.
#[must_use]
pub fn by_display_name(display_name: &str) -> Option<&'static WellKnownApp> {
    APPS.iter().find(|app| app.is_called(display_name))
}

const fn keyword(name: &'static str, text: &'static str, display_name: &'static str) -> WellKnownApp {
    WellKnownApp {
        name,
        display_name,
        target: AppTarget::Keyword(text),
        other_names: &[],
    }
}

const fn app(
    name: &'static str,
    id: &'static str,
    display_name: &'static str,
    other_names: &'static [&'static str],
) -> WellKnownApp {
    WellKnownApp {
        name,
        display_name,
        target: AppTarget::AppId(id),
        other_names,
    }
}

#[rustfmt::skip] // one application a line
const APPS: &[WellKnownApp] = &[
    app("aad_reporting", "1b912ec3-a9dd-4c4d-a53e-76aa7adb28d7", "AADReporting", &[]),
    app("account_controls", "7eadcef8-456d-4611-9480-4fff72b8b9e2", "Microsoft Account Controls V2", &[]),
    app("activity_feed", "d32c68ad-72d2-4acb-a0c7-46bb2cf93873", "Microsoft Activity Feed Service", &[]),
    keyword("agent_resources", "AllAgentIdResources", "All agent resources"),
    app("app_access_panel", "0000000c-0000-0000-c000-000000000000", "Microsoft App Access Panel", &[]),
    app("approval_management", "65d91a3d-ab74-42e6-8a2f-0add61688c74", "Microsoft Approval Management", &[]),
    app("authenticator_credential_registration", "6aa00308-ea33-4caa-90d6-ae905d8cb51b", "Microsoft Authenticator Credential Registration", &[]),
    app("azure_credential_configuration", "ea890292-c8c8-4433-b5ea-b09d0668e1a6", "Azure Credential Configuration Endpoint Service", &[]),
    app("azure_data_lake", "e9f49c6b-5ce5-44c8-925d-015017e9f7ad", "Azure Data Lake", &[]),
    app("azure_devops", "499b84ac-1321-427f-aa17-267ca6975798", "Azure DevOps", &[]),
    app("azure_key_vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault", &[]),
    app("azure_kubernetes_service", "6dae42f8-4368-4678-94ff-3960e28e3630", "Azure Kubernetes Service AAD Server", &[]),
    app("azure_linux_vm_sign_in", "ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0", "Azure Linux VM Sign-In", &[]),
    app("azure_management", "797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure Resource Manager", &["Windows Azure Service Management API", "Microsoft Azure Management"]),
    app("azure_portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", &[]),
    app("azure_sql_database", "022907d3-0f1b-48f7-badc-1ba6abab6d66", "Azure SQL Database", &[]),
    app("azure_storage", "e406a681-f3d4-42a8-90b6-c2b029497af1", "Azure Storage", &[]),
    app("azure_virtual_desktop", "9cdead84-a844-4324-93f2-b2e6bb768d07", "Azure Virtual Desktop", &["Windows Virtual Desktop"]),
    app("azure_vpn", "c632b3df-fb67-4d84-bdcf-b95ad541b5c8", "Azure VPN Client", &[]),
    app("azure_windows_vm_sign_in", "372140e0-b3b7-4226-8ef9-d57986796201", "Microsoft Azure Windows Virtual Machine Sign-in", &["Azure Windows VM Sign-In"]),
    app("dataverse", "00000007-0000-0000-c000-000000000000", "Dataverse", &["Common Data Service", "Dynamics CRM Online"]),
    app("defender_for_cloud_apps", "05a65629-4c1b-48c1-a78b-804c4abdd4af", "Microsoft Cloud App Security", &[]),
    app("defender_for_endpoint", "fc780465-2017-40d4-a0c5-307022471b92", "WindowsDefenderATP", &[]),
    app("defender_for_mobile_tvm", "e724aa31-0f56-4018-b8be-f8cb82ca1196", "Microsoft Defender for Mobile TVM", &[]),
    app("defender_xplat", "a0e84e36-b067-4d5c-ab4a-3db38e598ae2", "MicrosoftDefenderATP XPlat", &[]),
    app("device_registration_service", "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9", "Device Registration Service", &[]),
    app("dynamics_erp", "00000015-0000-0000-c000-000000000000", "Microsoft Dynamics ERP", &[]),
    app("edge_sync", "a4f2693f-129c-4b96-982b-2c364b8314d7", "Edge Sync", &[]),
    app("exchange_online", "00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online", &[]),
    app("global_secure_access_internet", "5dc48733-b5df-475c-a49b-fa307ef00853", "All internet resources with Global Secure Access", &[]),
    app("global_secure_access_microsoft", "c08f52c9-8f03-4558-a0ea-9a4c878cf343", "Microsoft apps with Global Secure Access", &[]),
    app("graph_command_line_tools", "14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools", &["Microsoft Graph PowerShell"]),
    app("graph_explorer", "de8bc8b5-d9f9-48b1-a8ad-b748da725064", "Graph Explorer", &[]),
    app("intune", "0000000a-0000-0000-c000-000000000000", "Microsoft Intune", &[]),
    app("intune_company_portal", "74bcdadc-2fdc-4bb3-8459-76d06952a0e9", "Microsoft Intune Web Company Portal", &[]),
    app("intune_enrollment", "d4ebce55-015a-49b5-a083-c84d1797ae8c", "Microsoft Intune Enrollment", &[]),
    app("invitation_acceptance_portal", "4660504c-45b3-4674-a709-71951a6b0763", "Microsoft Invitation Acceptance Portal", &[]),
    app("log_analytics", "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5", "Log Analytics API", &[]),
    app("microsoft_365_copilot", "fb8d773d-7ef8-4ec0-a117-179f88add510", "Enterprise Copilot Platform", &[]),
    keyword("microsoft_admin_portals", "MicrosoftAdminPortals", "Microsoft Admin Portals"),
    app("microsoft_forms", "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87", "Microsoft Forms", &[]),
    app("microsoft_graph", "00000003-0000-0000-c000-000000000000", "Microsoft Graph", &[]),
    app("microsoft_remote_desktop", "a4a365df-50f1-4397-bc59-1a1564b8bb9c", "Microsoft Remote Desktop", &[]),
    app("microsoft_teams", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams Services", &[]),
    app("microsoft_whiteboard", "95de633a-083e-42f5-b444-a4295d8e9314", "Microsoft Whiteboard Services", &[]),
    app("my_apps", "2793995e-0a7d-40d7-bd35-6968ba142197", "My Apps", &[]),
    app("my_profile", "8c59ead7-d703-4a27-9e55-c96a0054c8d2", "My Profile", &[]),
    app("my_signins", "19db86c3-b2b9-44cc-b339-36da233a3be2", "My Signins", &[]),
    keyword("office365", "Office365", "Office 365"),
    app("office365_portal", "00000006-0000-0ff1-ce00-000000000000", "Microsoft Office 365 Portal", &[]),
    app("power_apps", "475226c6-020e-4fb2-8a90-7a972cbfc1d4", "PowerApps Service", &[]),
    app("power_automate", "7df0a125-d3be-4c96-aa54-591f83ff541c", "Microsoft Flow Service", &[]),
    app("power_bi", "00000009-0000-0000-c000-000000000000", "Power BI Service", &[]),
    app("project_online", "f53895d3-095d-408f-8e93-8f94b391404e", "Project Online", &["Portfolios"]),
    app("rights_management", "00000012-0000-0000-c000-000000000000", "Microsoft Rights Management Services", &[]),
    app("security_copilot", "bb5ffd56-39eb-458c-a53a-775ba21277da", "Security Copilot", &[]),
    app("sharepoint_online", "00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online", &[]),
    app("skype_for_business_online", "00000004-0000-0ff1-ce00-000000000000", "Skype for Business Online", &[]),
    app("viva_engage", "00000005-0000-0ff1-ce00-000000000000", "Viva Engage", &["Yammer", "Office 365 Yammer"]),
    app("windows_365", "0af06dc6-e4b5-4f28-818e-e78e62d137a5", "Windows 365", &[]),
    app("windows_azure_active_directory", "00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory", &[]),
    app("windows_cloud_login", "270efc09-cd0d-444b-a71f-39af4910ec45", "Windows Cloud Login", &[]),
    app("windows_store_for_business", "45a330b1-b1ec-4cc1-9161-9f03992aa49f", "Windows Store for Business", &[]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::catalogue::{corpus, guids};

    #[test]
    fn names_and_targets_are_unique_and_well_formed() {
        let mut targets = BTreeSet::new();
        let mut called = BTreeSet::new();
        for app in all() {
            assert!(
                targets.insert(app.target.wire().to_lowercase()),
                "{} twice",
                app.name
            );
            if let Some(id) = app.app_id() {
                assert_eq!(guids::normalize(id).as_deref(), Some(id), "{}", app.name);
            }
            for display_name in app.other_names.iter().chain([&app.display_name]) {
                assert!(called.insert(display_name.to_lowercase()), "{display_name} twice");
            }
        }
        assert!(all().windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn a_suite_is_a_keyword_and_an_application_an_id() {
        assert_eq!(
            by_name("office365").unwrap().target,
            AppTarget::Keyword("Office365")
        );
        assert_eq!(
            by_name("agent_resources").unwrap().target.wire(),
            "AllAgentIdResources"
        );
        let azure = by_name("azure_management").unwrap();
        assert_eq!(azure.app_id(), Some("797f4846-ba00-4fd7-ba43-dac1f8f63013"));
        assert_eq!(
            by_display_name("windows azure service management api"),
            Some(azure)
        );
        assert_eq!(
            by_wire("microsoftadminportals").unwrap().name,
            "microsoft_admin_portals"
        );
    }

    #[test]
    fn real_tenants_call_the_applications_the_same() {
        let Some(tables) = corpus::json_files_named("MigrationTable.json") else {
            return;
        };
        for table in tables {
            for row in table["Objects"].as_array().unwrap() {
                let (Some(id), Some(called)) = (row["AppId"].as_str(), row["DisplayName"].as_str()) else {
                    continue;
                };
                if let Some(known) = by_app_id(id) {
                    assert!(known.is_called(called), "{called} is {} here", known.display_name);
                }
            }
        }
    }
}
