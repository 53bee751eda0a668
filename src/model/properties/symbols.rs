//! Words of the language and the service's words for the same.

use super::ApiVersion::{self, Beta, V1};

/// One symbol.
#[derive(Debug, PartialEq, Eq)]
pub struct SymbolRow {
    /// The word in the language.
    pub word: &'static str,
    /// The service's word.
    pub wire: &'static str,
    /// The first version of Graph that knows it.
    pub version: ApiVersion,
}

/// A set of symbols.
#[derive(Debug, PartialEq, Eq)]
pub struct Symbols {
    /// What one of them is called in a message: `a policy state`.
    pub noun: &'static str,
    /// The members, in the service's order.
    pub rows: &'static [SymbolRow],
}

impl Symbols {
    /// The symbol of a word of the language.
    pub fn by_word(&self, word: &str) -> Option<&'static SymbolRow> {
        self.rows.iter().find(|row| row.word == word)
    }

    /// The symbol of a word of the service, in any casing (`FACTS` 1.7).
    pub fn by_wire(&self, wire: &str) -> Option<&'static SymbolRow> {
        self.rows.iter().find(|row| row.wire.eq_ignore_ascii_case(wire))
    }

    /// The words, for a message.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.rows.iter().map(|row| row.word)
    }

    /// The word for the service's word, or that word itself when the table does not know it.
    pub fn word_of<'a>(&self, wire: &'a str) -> &'a str {
        self.by_wire(wire).map_or(wire, |row| row.word)
    }

    /// The position in the service's order; unknown words come last.
    pub fn position(&self, wire: &str) -> usize {
        self.rows
            .iter()
            .position(|row| row.wire.eq_ignore_ascii_case(wire))
            .unwrap_or(self.rows.len())
    }
}

const fn row(word: &'static str, wire: &'static str) -> SymbolRow {
    SymbolRow {
        word,
        wire,
        version: V1,
    }
}

const fn beta(word: &'static str, wire: &'static str) -> SymbolRow {
    SymbolRow {
        word,
        wire,
        version: Beta,
    }
}

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident = $noun:literal: $($make:ident($word:literal, $wire:literal)),* $(,)?;)*) => {
        $($(#[$doc])* pub(super) static $name: Symbols = Symbols { noun: $noun, rows: &[$($make($word, $wire)),*] };)*
    };
}

symbols! {
    STATES = "a policy state":
        row("enabled", "enabled"),
        row("report_only", "enabledForReportingButNotEnforced"),
        row("disabled", "disabled");
    INCLUDED_USERS = "a user keyword":
        row("all", "All"),
        row("none", "None"),
        row("guests_legacy", "GuestsOrExternalUsers"),
        beta("all_agent_users", "AllAgentIdUsers");
    EXCLUDED_USERS = "a user keyword":
        row("guests_legacy", "GuestsOrExternalUsers"),
        beta("all_agent_users", "AllAgentIdUsers");
    NO_KEYWORDS = "a keyword":;
    GUEST_KINDS = "a kind of guest or external user":
        row("none", "none"),
        row("internal_guest", "internalGuest"),
        row("b2b_collaboration_guest", "b2bCollaborationGuest"),
        row("b2b_collaboration_member", "b2bCollaborationMember"),
        row("b2b_direct_connect_user", "b2bDirectConnectUser"),
        row("other_external_user", "otherExternalUser"),
        row("service_provider", "serviceProvider");
    WORKLOADS = "a workload keyword":
        row("owned", "ServicePrincipalsInMyTenant"),
        row("none", "None");
    AGENT_IDENTITIES = "an agent keyword":
        beta("all", "All"),
        beta("none", "None");
    AGENT_CONTEXTS = "an agent context":
        beta("user_sessions_initiated_from_endpoints", "agentUserSessionsInitiatedFromEndpoints");
    APPS = "an application keyword":
        row("all", "All"),
        row("none", "None"),
        row("office365", "Office365"),
        row("microsoft_admin_portals", "MicrosoftAdminPortals"),
        beta("agent_resources", "AllAgentIdResources");
    USER_ACTIONS = "a user action":
        row("register_security_info", "urn:user:registersecurityinfo"),
        row("register_or_join_device", "urn:user:registerdevice"),
        beta("account_recovery", "urn:user:accountrecovery");
    LOCATIONS = "a location keyword":
        row("all", "All"),
        row("all_trusted", "AllTrusted"),
        row("mfa_trusted_ips", "00000000-0000-0000-0000-000000000000");
    PLATFORMS = "a device platform":
        row("android", "android"),
        row("ios", "iOS"),
        row("windows", "windows"),
        row("windows_phone", "windowsPhone"),
        row("macos", "macOS"),
        row("all", "all"),
        row("linux", "linux");
    CLIENT_APPS = "a client app type":
        row("all", "all"),
        row("browser", "browser"),
        row("mobile_apps_and_desktop_clients", "mobileAppsAndDesktopClients"),
        row("exchange_active_sync", "exchangeActiveSync"),
        row("eas_supported", "easSupported"),
        row("other", "other");
    DEVICE_STATES = "a device state":
        beta("all", "All"),
        beta("compliant", "Compliant"),
        beta("domain_joined", "DomainJoined");
    TRANSFER_METHODS = "an authentication flow":
        row("none", "none"),
        row("device_code_flow", "deviceCodeFlow"),
        row("authentication_transfer", "authenticationTransfer");
    RISK_LEVELS = "a risk level":
        row("low", "low"),
        row("medium", "medium"),
        row("high", "high"),
        row("hidden", "hidden"),
        row("none", "none");
    INSIDER_RISK_LEVELS = "an insider risk level":
        row("minor", "minor"),
        row("moderate", "moderate"),
        row("elevated", "elevated");
    AGENT_RISK_LEVELS = "an agent risk level":
        beta("low", "low"),
        beta("medium", "medium"),
        beta("high", "high");
    GRANT_CONTROLS = "a grant control":
        row("block", "block"),
        row("mfa", "mfa"),
        row("compliant_device", "compliantDevice"),
        row("hybrid_joined_device", "domainJoinedDevice"),
        row("approved_app", "approvedApplication"),
        row("compliant_app", "compliantApplication"),
        row("password_change", "passwordChange"),
        row("risk_remediation", "riskRemediation"),
        beta("verified_id", "verifiedID");
    CLOUD_APP_SECURITY = "a cloud app security type":
        row("mcas_configured", "mcasConfigured"),
        row("monitor_only", "monitorOnly"),
        row("block_downloads", "blockDownloads");
    PERSISTENT_BROWSER = "a persistent browser mode":
        row("always", "always"),
        row("never", "never");
    CONTINUOUS_ACCESS = "a continuous access evaluation mode":
        beta("strict_enforcement", "strictEnforcement"),
        beta("disabled", "disabled"),
        beta("strict_location", "strictLocation");
    COUNTRY_LOOKUP = "a country look-up method":
        row("client_ip_address", "clientIpAddress"),
        row("authenticator_app_gps", "authenticatorAppGps");
    COMPLIANT_NETWORK_TYPES = "a compliant network type":
        beta("all_tenant_compliant_networks", "allTenantCompliantNetworks");
    AUTHENTICATION_METHODS = "an authentication method":
        row("password", "password"),
        row("voice", "voice"),
        row("hardware_oath", "hardwareOath"),
        row("software_oath", "softwareOath"),
        row("sms", "sms"),
        row("fido2", "fido2"),
        row("windows_hello_for_business", "windowsHelloForBusiness"),
        row("microsoft_authenticator_push", "microsoftAuthenticatorPush"),
        row("device_based_push", "deviceBasedPush"),
        row("temporary_access_pass_one_time", "temporaryAccessPassOneTime"),
        row("temporary_access_pass_multi_use", "temporaryAccessPassMultiUse"),
        row("email", "email"),
        row("x509_single_factor", "x509CertificateSingleFactor"),
        row("x509_multi_factor", "x509CertificateMultiFactor"),
        row("federated_single_factor", "federatedSingleFactor"),
        row("federated_multi_factor", "federatedMultiFactor"),
        row("qr_code_pin", "qrCodePin");
}
