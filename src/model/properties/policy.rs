//! `conditionalAccessPolicy`.

use super::{Accepts, Access, Property, Shape, Symbols, Target, TextKind, symbols};

const fn references(target: Target, keywords: &'static Symbols) -> Shape {
    Shape::References(Accepts { target, keywords })
}

pub(super) static PROPERTIES: &[Property] = &[
    Property::new(
        &["name"],
        "displayName",
        Shape::Text { max: 256 },
        "What people call the policy; names may repeat.",
    )
    .required(),
    Property::new(
        &["description"],
        "description",
        Shape::Text { max: 1500 },
        "What it is for. Graph takes it and never shows it again, so a change made elsewhere can't be seen.",
    )
    .access(Access::NeverRead),
    Property::new(
        &["state"],
        "state",
        Shape::Symbol(&symbols::STATES),
        "Whether it is enforced, only evaluated and logged, or off.",
    )
    .required(),
    // Who.
    Property::new(
        &["users.include"],
        "conditions.users.includeUsers",
        references(Target::User, &symbols::INCLUDED_USERS),
        "Users it applies to.",
    ),
    Property::new(
        &["users.include"],
        "conditions.users.includeGroups",
        references(Target::Group, &symbols::NO_KEYWORDS),
        "Groups whose members, direct or nested, it applies to.",
    ),
    Property::new(
        &["users.include"],
        "conditions.users.includeRoles",
        references(Target::Role, &symbols::NO_KEYWORDS),
        "Built-in directory roles whose holders it applies to.",
    ),
    Property::new(
        &["users.include"],
        "conditions.users.includeGuestsOrExternalUsers",
        Shape::Guests,
        "Kinds of guests and external users it applies to.",
    ),
    Property::new(
        &["users.exclude"],
        "conditions.users.excludeUsers",
        references(Target::User, &symbols::EXCLUDED_USERS),
        "Users it never applies to.",
    ),
    Property::new(
        &["users.exclude"],
        "conditions.users.excludeGroups",
        references(Target::Group, &symbols::NO_KEYWORDS),
        "Groups whose members it never applies to.",
    ),
    Property::new(
        &["users.exclude"],
        "conditions.users.excludeRoles",
        references(Target::Role, &symbols::NO_KEYWORDS),
        "Directory roles whose holders it never applies to.",
    ),
    Property::new(
        &["users.exclude"],
        "conditions.users.excludeGuestsOrExternalUsers",
        Shape::Guests,
        "Kinds of guests and external users it never applies to.",
    ),
    Property::new(
        &["workloads.include"],
        "conditions.clientApplications.includeServicePrincipals",
        references(Target::ServicePrincipal, &symbols::WORKLOADS),
        "Service principals it applies to; `owned` means every one that the tenant owns.",
    ),
    Property::new(
        &["workloads.exclude"],
        "conditions.clientApplications.excludeServicePrincipals",
        references(Target::ServicePrincipal, &symbols::WORKLOADS),
        "Service principals it never applies to.",
    ),
    Property::new(
        &["workloads.include", "workloads.exclude"],
        "conditions.clientApplications.servicePrincipalFilter",
        Shape::Filter,
        "A rule over custom security attributes of service principals.",
    ),
    Property::new(
        &["agents.identities.include"],
        "conditions.clientApplications.includeAgentIdServicePrincipals",
        references(Target::AgentIdentity, &symbols::AGENT_IDENTITIES),
        "Agent identities it applies to.",
    )
    .beta(),
    Property::new(
        &["agents.identities.exclude"],
        "conditions.clientApplications.excludeAgentIdServicePrincipals",
        references(Target::AgentIdentity, &symbols::AGENT_IDENTITIES),
        "Agent identities it never applies to.",
    )
    .beta(),
    Property::new(
        &["agents.identities.include", "agents.identities.exclude"],
        "conditions.clientApplications.agentIdServicePrincipalFilter",
        Shape::Filter,
        "A rule over custom security attributes of agent identities.",
    )
    .beta(),
    Property::new(
        &["agents.users.include"],
        "conditions.agents.includeAgentUsers",
        references(Target::User, &symbols::AGENT_IDENTITIES),
        "Agents' user accounts it applies to.",
    )
    .beta(),
    Property::new(
        &["agents.users.exclude"],
        "conditions.agents.excludeAgentUsers",
        references(Target::User, &symbols::AGENT_IDENTITIES),
        "Agents' user accounts it never applies to.",
    )
    .beta(),
    Property::new(
        &["agents.users.include", "agents.users.exclude"],
        "conditions.agents.agentFilter",
        Shape::Filter,
        "A rule over agents' user accounts.",
    )
    .beta(),
    Property::new(
        &["agents.context"],
        "conditions.agentContext.includeAgentContexts",
        Shape::SymbolSet(&symbols::AGENT_CONTEXTS),
        "Where an agent's session began.",
    )
    .beta(),
    Property::new(
        &["agents.exclude_context"],
        "conditions.agentContext.excludeAgentContexts",
        Shape::SymbolSet(&symbols::AGENT_CONTEXTS),
        "Where an agent's session must not have begun.",
    )
    .beta(),
    // To what.
    Property::new(
        &["apps.include"],
        "conditions.applications.includeApplications",
        references(Target::App, &symbols::APPS),
        "Applications it applies to, by application id.",
    ),
    Property::new(
        &["apps.include"],
        "conditions.applications.includeUserActions",
        references(Target::Action, &symbols::USER_ACTIONS),
        "User actions it applies to.",
    ),
    Property::new(
        &["apps.include"],
        "conditions.applications.includeAuthenticationContextClassReferences",
        references(Target::Context, &symbols::NO_KEYWORDS),
        "Authentication contexts it applies to.",
    ),
    Property::new(
        &["apps.exclude"],
        "conditions.applications.excludeApplications",
        references(Target::App, &symbols::APPS),
        "Applications it never applies to.",
    ),
    Property::new(
        &["apps.include", "apps.exclude"],
        "conditions.applications.applicationFilter",
        Shape::Filter,
        "A rule over custom security attributes of applications.",
    ),
    Property::new(
        &[],
        "conditions.applications.globalSecureAccess",
        Shape::Text { max: usize::MAX },
        "Dead since June 2025; dropped on write.",
    )
    .beta()
    .access(Access::ReadOnly),
    Property::new(
        &[],
        "conditions.applications.networkAccess",
        Shape::Text { max: usize::MAX },
        "Dead since June 2025; dropped on write.",
    )
    .beta()
    .access(Access::ReadOnly),
    // From where, with what.
    Property::new(
        &["locations.include"],
        "conditions.locations.includeLocations",
        references(Target::Location, &symbols::LOCATIONS),
        "Named locations it applies to.",
    ),
    Property::new(
        &["locations.exclude"],
        "conditions.locations.excludeLocations",
        references(Target::Location, &symbols::LOCATIONS),
        "Named locations it never applies to.",
    ),
    Property::new(
        &["platforms.include"],
        "conditions.platforms.includePlatforms",
        Shape::SymbolSet(&symbols::PLATFORMS),
        "Device platforms it applies to.",
    ),
    Property::new(
        &["platforms.exclude"],
        "conditions.platforms.excludePlatforms",
        Shape::SymbolSet(&symbols::PLATFORMS),
        "Device platforms it never applies to.",
    ),
    Property::new(
        &["client_apps"],
        "conditions.clientAppTypes",
        Shape::SymbolSet(&symbols::CLIENT_APPS),
        "Kinds of client software it applies to; all when left out.",
    )
    .default("all"),
    Property::new(
        &["devices.include", "devices.exclude"],
        "conditions.devices.deviceFilter",
        Shape::Filter,
        "A rule over properties of the device.",
    ),
    Property::new(
        &["devices.include_devices"],
        "conditions.devices.includeDevices",
        Shape::Texts(TextKind::Plain),
        "The old form of a device condition.",
    )
    .beta(),
    Property::new(
        &["devices.exclude_devices"],
        "conditions.devices.excludeDevices",
        Shape::Texts(TextKind::Plain),
        "The old form of a device condition.",
    )
    .beta(),
    Property::new(
        &["devices.include_states"],
        "conditions.devices.includeDeviceStates",
        Shape::SymbolSet(&symbols::DEVICE_STATES),
        "The old form of a device condition.",
    )
    .beta(),
    Property::new(
        &["devices.exclude_states"],
        "conditions.devices.excludeDeviceStates",
        Shape::SymbolSet(&symbols::DEVICE_STATES),
        "The old form of a device condition.",
    )
    .beta(),
    Property::new(
        &["device_states.include"],
        "conditions.deviceStates.includeStates",
        Shape::SymbolSet(&symbols::DEVICE_STATES),
        "Deprecated by the service, which returns it as null.",
    )
    .beta(),
    Property::new(
        &["device_states.exclude"],
        "conditions.deviceStates.excludeStates",
        Shape::SymbolSet(&symbols::DEVICE_STATES),
        "Deprecated by the service, which returns it as null.",
    )
    .beta(),
    Property::new(
        &["auth_flows"],
        "conditions.authenticationFlows.transferMethods",
        Shape::Flags(&symbols::TRANSFER_METHODS),
        "Authentication flows it applies to.",
    ),
    Property::new(
        &["risk.user"],
        "conditions.userRiskLevels",
        Shape::SymbolSet(&symbols::RISK_LEVELS),
        "User risk levels it applies to; needs P2.",
    ),
    Property::new(
        &["risk.sign_in"],
        "conditions.signInRiskLevels",
        Shape::SymbolSet(&symbols::RISK_LEVELS),
        "Sign-in risk levels it applies to; needs P2.",
    ),
    Property::new(
        &["risk.service_principal"],
        "conditions.servicePrincipalRiskLevels",
        Shape::SymbolSet(&symbols::RISK_LEVELS),
        "Service principal risk levels it applies to; needs Workload ID.",
    ),
    Property::new(
        &["risk.agent"],
        "conditions.agentIdRiskLevels",
        Shape::Flags(&symbols::AGENT_RISK_LEVELS),
        "Agent risk levels it applies to.",
    )
    .beta(),
    Property::new(
        &["risk.insider"],
        "conditions.insiderRiskLevels",
        Shape::Flags(&symbols::INSIDER_RISK_LEVELS),
        "Insider risk levels it applies to; needs Purview adaptive protection.",
    ),
    // What then.
    Property::new(
        &["grant"],
        "grantControls",
        Shape::Grant,
        "What is asked for before access is granted, or `block`.",
    ),
    Property::new(
        &["session.sign_in_frequency", "session.sign_in_frequency_for"],
        "sessionControls.signInFrequency",
        Shape::SignInFrequency,
        "How often to sign in again.",
    ),
    Property::new(
        &["session.persistent_browser"],
        "sessionControls.persistentBrowser",
        Shape::Mode {
            member: "mode",
            symbols: &symbols::PERSISTENT_BROWSER,
            toggled: true,
        },
        "Whether a browser stays signed in after it was closed.",
    ),
    Property::new(
        &["session.cloud_app_security"],
        "sessionControls.cloudAppSecurity",
        Shape::Mode {
            member: "cloudAppSecurityType",
            symbols: &symbols::CLOUD_APP_SECURITY,
            toggled: true,
        },
        "Whether sessions go through Defender for Cloud Apps.",
    ),
    Property::new(
        &["session.app_restrictions"],
        "sessionControls.applicationEnforcedRestrictions",
        Shape::Toggle,
        "Whether Exchange and SharePoint restrict the session themselves.",
    ),
    Property::new(
        &["session.token_protection"],
        "sessionControls.secureSignInSession",
        Shape::Toggle,
        "Whether tokens are bound to the device.",
    ),
    Property::new(
        &["session.continuous_access"],
        "sessionControls.continuousAccessEvaluation",
        Shape::Mode {
            member: "mode",
            symbols: &symbols::CONTINUOUS_ACCESS,
            toggled: false,
        },
        "How continuous access evaluation behaves.",
    )
    .beta(),
    Property::new(
        &["session.resilience_defaults"],
        "sessionControls.disableResilienceDefaults",
        Shape::Flag("off"),
        "Whether sessions outlive an outage of the service; `off` ends them.",
    ),
    Property::new(
        &["session.filtering_profile"],
        "sessionControls.globalSecureAccessFilteringProfile",
        Shape::TextMode { member: "profileId" },
        "The Global Secure Access security profile, by id.",
    )
    .beta(),
    // The service's own.
    Property::read_only("id", "The id that the service gave it."),
    Property::read_only("templateId", "The template that it was made from."),
    Property::read_only("createdDateTime", "When it was created."),
    Property::read_only(
        "modifiedDateTime",
        "When it was last changed; null until the first change.",
    ),
    Property::read_only(
        "deletedDateTime",
        "When it was deleted; null unless it is in deletedItems.",
    ),
    Property::read_only(
        "partialEnablementStrategy",
        "The portal's staged rollout by region, for workload identities.",
    ),
];
