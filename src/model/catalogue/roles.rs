//! Every Microsoft Entra built-in directory role, by template id.
//!
//! Policies name roles by template id, which is the same in every tenant, so
//! `role.global_administrator` needs no look-up. Names, ids and the privileged
//! mark are Microsoft's "Microsoft Entra built-in roles" reference; roles that
//! the page leaves out but Graph returns are listed as deprecated or implicit.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A built-in directory role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryRole {
    /// Name in the language, as in `role.global_administrator`.
    pub name: &'static str,
    /// Name in the admin center, as in `role("Global Administrator")`.
    pub display_name: &'static str,
    /// Template id, the id that `includeRoles` holds; lower case.
    pub template_id: &'static str,
    /// What Microsoft says about the role as a whole.
    pub standing: RoleStanding,
}

/// What Microsoft's reference says about a role as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleStanding {
    /// Assignable, without the privileged mark.
    Ordinary,
    /// Marked privileged: it can raise its holder's rights or read credentials.
    Privileged,
    /// Listed as "should not be used"; old policies still name it.
    Deprecated,
    /// Held by the service itself (every user, every guest); nobody assigns it.
    Implicit,
}

impl DirectoryRole {
    /// Whether Microsoft marks the role as privileged.
    #[must_use]
    pub fn is_privileged(&self) -> bool {
        self.standing == RoleStanding::Privileged
    }
}

/// All roles, in the order of their names in the language.
#[must_use]
pub fn all() -> &'static [DirectoryRole] {
    ROLES
}

/// The role that the language calls `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static DirectoryRole> {
    static BY_NAME: LazyLock<HashMap<&str, &DirectoryRole>> =
        LazyLock::new(|| ROLES.iter().map(|role| (role.name, role)).collect());
    BY_NAME.get(name).copied()
}

/// The role with this template id, written in any case.
#[must_use]
pub fn by_template_id(id: &str) -> Option<&'static DirectoryRole> {
    ROLES
        .iter()
        .find(|role| role.template_id.eq_ignore_ascii_case(id))
}

/// The role with this display name, present or former, written in any case.
#[must_use]
pub fn by_display_name(display_name: &str) -> Option<&'static DirectoryRole> {
    ROLES
        .iter()
        .find(|role| role.display_name.eq_ignore_ascii_case(display_name))
        .or_else(|| {
            FORMER_NAMES
                .iter()
                .find(|(former, _)| former.eq_ignore_ascii_case(display_name))
                .and_then(|(_, name)| by_name(name))
        })
}

/// Display names that Graph's older directory roles still carry.
const FORMER_NAMES: &[(&str, &str)] = &[
    (
        "Azure AD Joined Device Local Administrator",
        "microsoft_entra_joined_device_local_administrator",
    ),
    ("Company Administrator", "global_administrator"),
    ("CRM Service Administrator", "dynamics_365_administrator"),
    (
        "Device Administrators",
        "microsoft_entra_joined_device_local_administrator",
    ),
    ("Exchange Service Administrator", "exchange_administrator"),
    ("Intune Service Administrator", "intune_administrator"),
    ("Lync Service Administrator", "skype_for_business_administrator"),
    ("Power BI Administrator", "fabric_administrator"),
    ("Power BI Service Administrator", "fabric_administrator"),
    ("SharePoint Service Administrator", "sharepoint_administrator"),
    ("Teams Service Administrator", "teams_administrator"),
    ("User Account Administrator", "user_administrator"),
];

const fn role(
    name: &'static str,
    display_name: &'static str,
    template_id: &'static str,
    standing: RoleStanding,
) -> DirectoryRole {
    DirectoryRole {
        name,
        display_name,
        template_id,
        standing,
    }
}

use RoleStanding::{Deprecated, Implicit, Ordinary, Privileged};

#[rustfmt::skip] // one role a line
const ROLES: &[DirectoryRole] = &[
    role("agent_id_administrator", "Agent ID Administrator", "db506228-d27e-4b7d-95e5-295956d6615f", Privileged),
    role("agent_id_developer", "Agent ID Developer", "adb2368d-a9be-41b5-8667-d96778e081b0", Ordinary),
    role("agent_registry_administrator", "Agent Registry Administrator", "6b942400-691f-4bf0-9d12-d8a254a2baf5", Ordinary),
    role("ai_administrator", "AI Administrator", "d2562ede-74db-457e-a7b6-544e236ebb61", Privileged),
    role("ai_reader", "AI Reader", "1fe13547-53f6-408d-ac04-7f8eed167b38", Privileged),
    role("application_administrator", "Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", Privileged),
    role("application_developer", "Application Developer", "cf1c38e5-3621-4004-a7cb-879624dced7c", Privileged),
    role("attack_payload_author", "Attack Payload Author", "9c6df0f2-1e7c-4dc3-b195-66dfbd24aa8f", Ordinary),
    role("attack_simulation_administrator", "Attack Simulation Administrator", "c430b396-e693-46cc-96f3-db01bf8bb62a", Ordinary),
    role("attribute_assignment_administrator", "Attribute Assignment Administrator", "58a13ea3-c632-46ae-9ee0-9c0d43cd7f3d", Ordinary),
    role("attribute_assignment_reader", "Attribute Assignment Reader", "ffd52fa5-98dc-465c-991d-fc073eb59f8f", Ordinary),
    role("attribute_definition_administrator", "Attribute Definition Administrator", "8424c6f0-a189-499e-bbd0-26c1753c96d4", Ordinary),
    role("attribute_definition_reader", "Attribute Definition Reader", "1d336d2c-4ae8-42ef-9711-b3604ce3fc2c", Ordinary),
    role("attribute_log_administrator", "Attribute Log Administrator", "5b784334-f94b-471a-a387-e7219fc49ca2", Ordinary),
    role("attribute_log_reader", "Attribute Log Reader", "9c99539d-8186-4804-835f-fd51ef9e2dcd", Ordinary),
    role("attribute_provisioning_administrator", "Attribute Provisioning Administrator", "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe", Privileged),
    role("attribute_provisioning_reader", "Attribute Provisioning Reader", "422218e4-db15-4ef9-bbe0-8afb41546d79", Privileged),
    role("authentication_administrator", "Authentication Administrator", "c4e39bd9-1100-46d3-8c65-fb160da0071f", Privileged),
    role("authentication_extensibility_administrator", "Authentication Extensibility Administrator", "25a516ed-2fa0-40ea-a2d0-12923a21473a", Privileged),
    role("authentication_extensibility_password_administrator", "Authentication Extensibility Password Administrator", "0b00bede-4072-4d22-b441-e7df02a1ef63", Privileged),
    role("authentication_policy_administrator", "Authentication Policy Administrator", "0526716b-113d-4c15-b2c8-68e3c22b9f80", Ordinary),
    role("azure_devops_administrator", "Azure DevOps Administrator", "e3973bdf-4987-49ae-837a-ba8e231c7286", Ordinary),
    role("azure_information_protection_administrator", "Azure Information Protection Administrator", "7495fdc4-34c4-4d15-a289-98788ce399fd", Ordinary),
    role("b2c_ief_keyset_administrator", "B2C IEF Keyset Administrator", "aaf43236-0c0d-4d5f-883a-6955382ac081", Privileged),
    role("b2c_ief_policy_administrator", "B2C IEF Policy Administrator", "3edaf663-341e-4475-9f94-5c398ef6c070", Ordinary),
    role("billing_administrator", "Billing Administrator", "b0f54661-2d74-4c50-afa3-1ec803f12efe", Ordinary),
    role("cloud_app_security_administrator", "Cloud App Security Administrator", "892c5842-a9a6-463a-8041-72aa08ca3cf6", Ordinary),
    role("cloud_application_administrator", "Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7", Privileged),
    role("cloud_device_administrator", "Cloud Device Administrator", "7698a772-787b-4ac8-901f-60d6b08affd2", Privileged),
    role("compliance_administrator", "Compliance Administrator", "17315797-102d-40b4-93e0-432062caca18", Ordinary),
    role("compliance_data_administrator", "Compliance Data Administrator", "e6d1a23a-da11-4be4-9570-befc86d067a7", Ordinary),
    role("conditional_access_administrator", "Conditional Access Administrator", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", Privileged),
    role("customer_delegated_admin_relationship_administrator", "Customer Delegated Admin Relationship Administrator", "fc8ad4e2-40e4-4724-8317-bcda7503ecbf", Ordinary),
    role("customer_lockbox_access_approver", "Customer Lockbox Access Approver", "5c4f9dcd-47dc-4cf7-8c9a-9e4207cbfc91", Ordinary),
    role("desktop_analytics_administrator", "Desktop Analytics Administrator", "38a96431-2bdf-4b4c-8b6e-5d3d8abac1a4", Ordinary),
    role("device_join", "Device Join", "9c094953-4995-41c8-84c8-3ebb9b32c93f", Deprecated),
    role("device_managers", "Device Managers", "2b499bcd-da44-4968-8aec-78e1674fa64d", Deprecated),
    role("device_users", "Device Users", "d405c6df-0af8-4e3b-95e4-4d06e542189e", Deprecated),
    role("directory_readers", "Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", Ordinary),
    role("directory_synchronization_accounts", "Directory Synchronization Accounts", "d29b2b05-8046-44ba-8758-1e26182fcf32", Ordinary),
    role("directory_writers", "Directory Writers", "9360feb5-f418-4baa-8175-e2a00bac4301", Privileged),
    role("domain_name_administrator", "Domain Name Administrator", "8329153b-31d0-4727-b945-745eb3bc5f31", Privileged),
    role("dragon_administrator", "Dragon Administrator", "e93e3737-fa85-474a-aee4-7d3fb86510f3", Ordinary),
    role("dynamics_365_administrator", "Dynamics 365 Administrator", "44367163-eba1-44c3-98af-f5787879f96a", Ordinary),
    role("dynamics_365_business_central_administrator", "Dynamics 365 Business Central Administrator", "963797fb-eb3b-4cde-8ce3-5878b3f32a3f", Ordinary),
    role("edge_administrator", "Edge Administrator", "3f1acade-1e04-4fbc-9b69-f0302cd84aef", Ordinary),
    role("entra_backup_administrator", "Entra Backup Administrator", "b6a27b2b-f905-4b2e-81b5-0d90e0ef1fdb", Ordinary),
    role("entra_backup_reader", "Entra Backup Reader", "f42252d9-5400-4d7b-b9ef-cc582dbb8577", Ordinary),
    role("entra_soc_identity_responder", "Entra SOC Identity Responder", "58f930cc-fcf4-4152-852c-1d7dbf502139", Privileged),
    role("exchange_administrator", "Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de", Ordinary),
    role("exchange_backup_administrator", "Exchange Backup Administrator", "49eb8f75-97e9-4e37-9b2b-6c3ebfcffa31", Ordinary),
    role("exchange_recipient_administrator", "Exchange Recipient Administrator", "31392ffb-586c-42d1-9346-e59415a2cc4e", Ordinary),
    role("extended_directory_user_administrator", "Extended Directory User Administrator", "dd13091a-6207-4fc0-82ba-3641e056ab95", Ordinary),
    role("external_id_user_flow_administrator", "External ID User Flow Administrator", "6e591065-9bad-43ed-90f3-e9424366d2f0", Ordinary),
    role("external_id_user_flow_attribute_administrator", "External ID User Flow Attribute Administrator", "0f971eea-41eb-4569-a71e-57bb8a3eff1e", Ordinary),
    role("external_identity_provider_administrator", "External Identity Provider Administrator", "be2f45a1-457d-42af-a067-6ec1fa63bc45", Privileged),
    role("fabric_administrator", "Fabric Administrator", "a9ea8996-122f-4c74-9520-8edcd192826c", Ordinary),
    role("global_administrator", "Global Administrator", "62e90394-69f5-4237-9190-012177145e10", Privileged),
    role("global_reader", "Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451", Privileged),
    role("global_secure_access_administrator", "Global Secure Access Administrator", "ac434307-12b9-4fa1-a708-88bf58caabc1", Ordinary),
    role("global_secure_access_log_reader", "Global Secure Access Log Reader", "843318fb-79a6-4168-9e6f-aa9a07481cc4", Ordinary),
    role("groups_administrator", "Groups Administrator", "fdd7a751-b60b-444a-984c-02652fe8fa1c", Ordinary),
    role("guest_inviter", "Guest Inviter", "95e79109-95c0-4d8e-aee3-d01accf2d47b", Ordinary),
    role("guest_user", "Guest User", "10dae51f-b6af-4016-8d66-8c2a99b929b3", Implicit),
    role("helpdesk_administrator", "Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8", Privileged),
    role("hybrid_identity_administrator", "Hybrid Identity Administrator", "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", Privileged),
    role("identity_governance_administrator", "Identity Governance Administrator", "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e", Privileged),
    role("insights_administrator", "Insights Administrator", "eb1f4a8d-243a-41f0-9fbd-c7cdf6c5ef7c", Ordinary),
    role("insights_analyst", "Insights Analyst", "25df335f-86eb-4119-b717-0ff02de207e9", Ordinary),
    role("insights_business_leader", "Insights Business Leader", "31e939ad-9672-4796-9c2e-873181342d2d", Ordinary),
    role("intune_administrator", "Intune Administrator", "3a2c62db-5318-420d-8d74-23affee5d9d5", Privileged),
    role("iot_device_administrator", "IoT Device Administrator", "2ea5ce4c-b2d8-4668-bd81-3680bd2d227a", Ordinary),
    role("kaizala_administrator", "Kaizala Administrator", "74ef975b-6605-40af-a5d2-b9539d836353", Ordinary),
    role("knowledge_administrator", "Knowledge Administrator", "b5a8dcf3-09d5-43a9-a639-8e29ef291470", Ordinary),
    role("knowledge_manager", "Knowledge Manager", "744ec460-397e-42ad-a462-8b3f9747a02c", Ordinary),
    role("license_administrator", "License Administrator", "4d6ac14f-3453-41d0-bef9-a3e0c569773a", Ordinary),
    role("lifecycle_workflows_administrator", "Lifecycle Workflows Administrator", "59d46f88-662b-457b-bceb-5c3809e5908f", Privileged),
    role("mailbox_administrator", "Mailbox Administrator", "b5468a13-3945-4a40-b0b1-5d78c2676bbf", Deprecated),
    role("message_center_privacy_reader", "Message Center Privacy Reader", "ac16e43d-7b2d-40e0-ac05-243ff356ab5b", Ordinary),
    role("message_center_reader", "Message Center Reader", "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b", Ordinary),
    role("microsoft_365_backup_administrator", "Microsoft 365 Backup Administrator", "1707125e-0aa2-4d4d-8655-a7c786c76a25", Ordinary),
    role("microsoft_365_migration_administrator", "Microsoft 365 Migration Administrator", "8c8b803f-96e1-4129-9349-20738d9f9652", Ordinary),
    role("microsoft_365_support_engineer", "Microsoft 365 Support Engineer", "00cf5c54-4693-4f59-a0ac-ab79ef0a974d", Ordinary),
    role("microsoft_entra_joined_device_local_administrator", "Microsoft Entra Joined Device Local Administrator", "9f06204d-73c1-4d4c-880a-6edb90606fd8", Ordinary),
    role("microsoft_graph_data_connect_administrator", "Microsoft Graph Data Connect Administrator", "ee67aa9c-e510-4759-b906-227085a7fd4d", Ordinary),
    role("microsoft_hardware_warranty_administrator", "Microsoft Hardware Warranty Administrator", "1501b917-7653-4ff9-a4b5-203eaf33784f", Ordinary),
    role("microsoft_hardware_warranty_specialist", "Microsoft Hardware Warranty Specialist", "281fe777-fb20-4fbb-b7a3-ccebce5b0d96", Ordinary),
    role("modern_commerce_administrator", "Modern Commerce Administrator", "d24aef57-1500-4070-84db-2666f29cf966", Ordinary),
    role("network_administrator", "Network Administrator", "d37c8bed-0711-4417-ba38-b4abe66ce4c2", Ordinary),
    role("office_apps_administrator", "Office Apps Administrator", "2b745bdf-0803-4d80-aa65-822c4493daac", Ordinary),
    role("on_premises_directory_sync_account", "On Premises Directory Sync Account", "a92aed5d-d78a-4d16-b381-09adb37eb3b0", Ordinary),
    role("organizational_branding_administrator", "Organizational Branding Administrator", "92ed04bf-c94a-4b82-9729-b799a7a4c178", Ordinary),
    role("organizational_data_source_administrator", "Organizational Data Source Administrator", "9d70768a-0cbc-4b4c-aea3-2e124b2477f4", Ordinary),
    role("organizational_messages_approver", "Organizational Messages Approver", "e48398e2-f4bb-4074-8f31-4586725e205b", Ordinary),
    role("organizational_messages_writer", "Organizational Messages Writer", "507f53e4-4e52-4077-abd3-d2e1558b6ea2", Ordinary),
    role("partner_tier1_support", "Partner Tier1 Support", "4ba39ca4-527c-499a-b93d-d9b492c50246", Privileged),
    role("partner_tier2_support", "Partner Tier2 Support", "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", Privileged),
    role("password_administrator", "Password Administrator", "966707d0-3269-4727-9be2-8c3a10f19b9d", Privileged),
    role("people_administrator", "People Administrator", "024906de-61e5-49c8-8572-40335f1e0e10", Ordinary),
    role("permissions_management_administrator", "Permissions Management Administrator", "af78dc32-cf4d-46f9-ba4e-4428526346b5", Ordinary),
    role("places_administrator", "Places Administrator", "78b0ccd1-afc2-4f92-9116-b41aedd09592", Ordinary),
    role("power_platform_administrator", "Power Platform Administrator", "11648597-926c-4cf3-9c36-bcebb0ba8dcc", Ordinary),
    role("printer_administrator", "Printer Administrator", "644ef478-e28f-4e28-b9dc-3fdde9aa0b1f", Ordinary),
    role("printer_technician", "Printer Technician", "e8cef6f1-e4bd-4ea8-bc07-4b8d950f4477", Ordinary),
    role("privileged_authentication_administrator", "Privileged Authentication Administrator", "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", Privileged),
    role("privileged_role_administrator", "Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814", Privileged),
    role("reports_reader", "Reports Reader", "4a5d8f65-41da-4de4-8968-e035b65339cf", Ordinary),
    role("restricted_guest_user", "Restricted Guest User", "2af84b1e-32c8-42b7-82bc-daa82404023b", Implicit),
    role("search_administrator", "Search Administrator", "0964bb5e-9bdb-4d7b-ac29-58e794862a40", Ordinary),
    role("search_editor", "Search Editor", "8835291a-918c-4fd7-a9ce-faa49f0cf7d9", Ordinary),
    role("security_administrator", "Security Administrator", "194ae4cb-b126-40b2-bd5b-6091b380977d", Privileged),
    role("security_operator", "Security Operator", "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", Privileged),
    role("security_reader", "Security Reader", "5d6b6bb7-de71-4623-b4af-96380a352509", Privileged),
    role("service_support_administrator", "Service Support Administrator", "f023fd81-a637-4b56-95fd-791ac0226033", Ordinary),
    role("sharepoint_administrator", "SharePoint Administrator", "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", Ordinary),
    role("sharepoint_advanced_management_administrator", "SharePoint Advanced Management Administrator", "99009c4a-3b3f-4957-82a9-9d35e12db77e", Ordinary),
    role("sharepoint_backup_administrator", "SharePoint Backup Administrator", "9d3e04ba-3ee4-4d1b-a3a7-9aef423a09be", Ordinary),
    role("sharepoint_embedded_administrator", "SharePoint Embedded Administrator", "1a7d78b6-429f-476b-b8eb-35fb715fffd4", Ordinary),
    role("skype_for_business_administrator", "Skype for Business Administrator", "75941009-915a-4869-abe7-691bff18279e", Ordinary),
    role("teams_administrator", "Teams Administrator", "69091246-20e8-4a56-aa4d-066075b2a7a8", Ordinary),
    role("teams_communications_administrator", "Teams Communications Administrator", "baf37b3a-610e-45da-9e62-d9d1e5e8914b", Ordinary),
    role("teams_communications_support_engineer", "Teams Communications Support Engineer", "f70938a0-fc10-4177-9e90-2178f8765737", Ordinary),
    role("teams_communications_support_specialist", "Teams Communications Support Specialist", "fcf91098-03e3-41a9-b5ba-6f0ec8188a12", Ordinary),
    role("teams_devices_administrator", "Teams Devices Administrator", "3d762c5a-1b6c-493f-843e-55a3b42923d4", Ordinary),
    role("teams_external_collaboration_administrator", "Teams External Collaboration Administrator", "2fe872fb-daa8-4afc-8f6c-53c4565cfef4", Ordinary),
    role("teams_reader", "Teams Reader", "1076ac91-f3d9-41a7-a339-dcdf5f480acc", Ordinary),
    role("teams_telephony_administrator", "Teams Telephony Administrator", "aa38014f-0993-46e9-9b45-30501a20909d", Ordinary),
    role("tenant_creator", "Tenant Creator", "112ca1a2-15ad-4102-995e-45b0bc479a6a", Ordinary),
    role("tenant_governance_administrator", "Tenant Governance Administrator", "1981f584-96e9-4a6f-95b0-f522373f8fae", Ordinary),
    role("tenant_governance_reader", "Tenant Governance Reader", "e0a4caa6-fe82-443f-b92f-d87341d17b2e", Ordinary),
    role("tenant_governance_relationship_administrator", "Tenant Governance Relationship Administrator", "b8e31d83-1534-480f-9b10-0338ded51b7e", Ordinary),
    role("tenant_governance_relationship_reader", "Tenant Governance Relationship Reader", "124577f8-48ed-456a-839f-13b419002e33", Ordinary),
    role("usage_summary_reports_reader", "Usage Summary Reports Reader", "75934031-6c7e-415a-99d7-48dbd49e875e", Ordinary),
    role("user", "User", "a0b1b346-4d3e-4e8b-98f8-753987be4970", Implicit),
    role("user_administrator", "User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1", Privileged),
    role("user_experience_success_manager", "User Experience Success Manager", "27460883-1df1-4691-b032-3b79643e5e63", Ordinary),
    role("virtual_visits_administrator", "Virtual Visits Administrator", "e300d9e7-4a2b-4295-9eff-f1c78b36cc98", Ordinary),
    role("viva_glint_tenant_administrator", "Viva Glint Tenant Administrator", "0ec3f692-38d6-4d14-9e69-0377ca7797ad", Ordinary),
    role("viva_goals_administrator", "Viva Goals Administrator", "92b086b3-e367-4ef2-b869-1de128fb986e", Ordinary),
    role("viva_pulse_administrator", "Viva Pulse Administrator", "87761b17-1ed2-4af3-9acd-92a150038160", Ordinary),
    role("windows_365_administrator", "Windows 365 Administrator", "11451d60-acb2-45eb-a7d6-43d0f0125c13", Ordinary),
    role("windows_update_deployment_administrator", "Windows Update Deployment Administrator", "32696413-001a-46ae-978c-ce0f6b3620d2", Ordinary),
    role("workplace_device_join", "Workplace Device Join", "c34f683f-4d5a-4403-affd-6615e00e3a7f", Deprecated),
    role("yammer_administrator", "Yammer Administrator", "810a2642-a034-447f-a5e8-41beaa378541", Ordinary),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::catalogue::{corpus, guids};

    #[test]
    fn names_and_ids_are_unique_and_well_formed() {
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let mut display_names = BTreeSet::new();
        for role in all() {
            assert!(names.insert(role.name), "{} twice", role.name);
            assert!(ids.insert(role.template_id), "{} twice", role.template_id);
            assert!(
                display_names.insert(role.display_name.to_lowercase()),
                "{} twice",
                role.display_name
            );
            assert_eq!(
                guids::normalize(role.template_id).as_deref(),
                Some(role.template_id)
            );
            assert!(
                role.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            );
        }
        assert!(
            names.iter().copied().eq(all().iter().map(|role| role.name)),
            "sorted by name"
        );
    }

    #[test]
    fn a_role_is_found_by_what_people_call_it() {
        let admin = by_name("global_administrator").unwrap();
        assert_eq!(by_display_name("global administrator"), Some(admin));
        assert_eq!(by_display_name("Company Administrator"), Some(admin));
        assert_eq!(
            by_template_id("62E90394-69F5-4237-9190-012177145E10"),
            Some(admin)
        );
        assert!(admin.is_privileged());
        assert_eq!(by_name("globaladministrator"), None);
    }

    #[test]
    fn former_names_lead_somewhere() {
        for (former, name) in FORMER_NAMES {
            assert!(by_name(name).is_some(), "{former} leads to unknown {name}");
        }
    }

    #[test]
    fn every_role_in_real_policies_is_known() {
        let Some(found) = corpus::strings_under(&["includeRoles", "excludeRoles"]) else {
            return;
        };
        let unknown: Vec<_> = found
            .iter()
            .filter(|id| guids::is_guid(id) && by_template_id(id).is_none())
            .collect();
        assert!(unknown.is_empty(), "unknown roles: {unknown:?}");
    }
}
