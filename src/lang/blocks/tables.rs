//! The rows.

use super::Shape::{
    self, Any, Bool, Constructor, Count, Duration, Either, Expression, List, Moment, Percent, Text, Word,
};
use super::{AttributeRule, BlockKind, Group, InnerRule, LabelRule, Role, Schema};
use crate::model::Target;

const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> AttributeRule {
    AttributeRule {
        name,
        shape,
        required: false,
        doc,
    }
}

const fn required(name: &'static str, shape: Shape, doc: &'static str) -> AttributeRule {
    AttributeRule {
        name,
        shape,
        required: true,
        doc,
    }
}

const fn schema(
    attributes: &'static [AttributeRule],
    blocks: &'static [InnerRule],
    groups: &'static [Group],
) -> Schema {
    Schema {
        attributes,
        blocks,
        groups,
    }
}

const fn inner(name: &'static str, schema: &'static Schema, doc: &'static str) -> InnerRule {
    InnerRule {
        name,
        labelled: false,
        required: false,
        several: false,
        schema,
        doc,
    }
}

const fn kind(
    name: &'static str,
    label: LabelRule,
    role: Role,
    schema: &'static Schema,
    doc: &'static str,
) -> BlockKind {
    BlockKind {
        name,
        label,
        root_only: false,
        role,
        schema,
        doc,
    }
}

const fn in_root(kind: BlockKind) -> BlockKind {
    BlockKind {
        root_only: true,
        ..kind
    }
}

const FOR_EACH: AttributeRule = optional(
    "for_each",
    Expression,
    "One instance for every entry of a map, or string of a list.",
);
const DEPENDS_ON: AttributeRule = optional(
    "depends_on",
    Expression,
    "Blocks that must exist first, beyond those referred to.",
);

static NOTHING: Schema = schema(&[], &[], &[]);

const PEOPLE: Shape = Either(&[
    Shape::Reference(&[Target::User, Target::Group, Target::Role]),
    Constructor(&["guests"], &["all", "guests_legacy"]),
]);
const POLICY: Shape = Shape::Block(&["policy"]);
const POLICIES: Shape = List(&POLICY);
const TEXTS: Shape = List(&Text);
const RISKS: &[&str] = &["none", "low", "medium", "high"];
const AGENT_RISKS: &[&str] = &["low", "medium", "high"];
const INSIDER_RISKS: &[&str] = &["minor", "moderate", "elevated"];
const FLOWS: &[&str] = &["device_code_flow", "authentication_transfer"];
const PLATFORMS: &[&str] = &["android", "ios", "windows", "windows_phone", "macos", "linux"];
const CLIENT_APPS: &[&str] = &[
    "browser",
    "mobile_apps_and_desktop_clients",
    "exchange_active_sync",
    "other",
];
const GRANT: Shape = Either(&[
    Constructor(
        &["any_of", "all_of", "custom"],
        &[
            "block",
            "mfa",
            "compliant_device",
            "hybrid_joined_device",
            "approved_app",
            "compliant_app",
            "password_change",
            "risk_remediation",
            "verified_id",
            "none",
        ],
    ),
    Shape::Reference(&[Target::Strength, Target::Terms]),
]);

const fn one_or_more(shape: &'static [Shape; 2]) -> Shape {
    Either(shape)
}

const A_RISK: Shape = one_or_more(&[Word(RISKS), List(&Word(RISKS))]);
const AN_AGENT_RISK: Shape = one_or_more(&[Word(AGENT_RISKS), List(&Word(AGENT_RISKS))]);
const AN_INSIDER_RISK: Shape = one_or_more(&[Word(INSIDER_RISKS), List(&Word(INSIDER_RISKS))]);
const A_FLOW: Shape = one_or_more(&[Word(FLOWS), List(&Word(FLOWS))]);
const A_PLATFORM: Shape = one_or_more(&[Word(PLATFORMS), List(&Word(PLATFORMS))]);
const A_CLIENT_APP: Shape = one_or_more(&[Word(CLIENT_APPS), List(&Word(CLIENT_APPS))]);
const A_TEXT: Shape = one_or_more(&[Text, List(&Text)]);
const WHO: Shape = one_or_more(&[PEOPLE, List(&PEOPLE)]);
const A_WORKLOAD: Shape = Either(&[Shape::Reference(&[Target::ServicePrincipal]), Word(&["owned"])]);
const WORKLOAD: Shape = one_or_more(&[A_WORKLOAD, List(&A_WORKLOAD)]);
const AN_AGENT: Shape = Either(&[
    Shape::Reference(&[Target::AgentIdentity, Target::ServicePrincipal]),
    Word(&["all"]),
]);
const AGENT: Shape = one_or_more(&[AN_AGENT, List(&AN_AGENT)]);
const AN_APP: Shape = Either(&[
    Shape::Reference(&[Target::App]),
    Constructor(&["filter"], &["all"]),
]);
const APP: Shape = one_or_more(&[AN_APP, List(&AN_APP)]);
const ACTION: Shape = one_or_more(&[
    Shape::Reference(&[Target::Action]),
    List(&Shape::Reference(&[Target::Action])),
]);
const CONTEXT: Shape = one_or_more(&[
    Shape::Reference(&[Target::Context]),
    List(&Shape::Reference(&[Target::Context])),
]);
const A_LOCATION: Shape = Either(&[
    Shape::Reference(&[Target::Location]),
    Word(&["all_trusted", "mfa_trusted_ips", "compliant_network"]),
]);
const LOCATION: Shape = one_or_more(&[A_LOCATION, List(&A_LOCATION)]);

static RISK: Schema = schema(
    &[
        optional("user", A_RISK, "The user's risk."),
        optional("sign_in", A_RISK, "The sign-in's risk."),
        optional("service_principal", A_RISK, "The service principal's risk."),
        optional("agent", AN_AGENT_RISK, "The agent identity's risk."),
        optional("insider", AN_INSIDER_RISK, "The insider risk."),
    ],
    &[],
    &[],
);

static DEVICE: Schema = schema(
    &[
        optional("compliant", Bool, "Whether the device is compliant."),
        optional("hybrid_joined", Bool, "Whether the device is hybrid joined."),
        optional(
            "properties",
            Any,
            "Other properties by their names in filter rules.",
        ),
    ],
    &[],
    &[],
);

/// The attributes of one sign-in, and of a region of sign-ins.
static SIGN_IN: Schema = schema(
    &[
        optional("user", WHO, "Who signs in."),
        optional(
            "service_principal",
            WORKLOAD,
            "The workload identity that signs in.",
        ),
        optional("agent", AGENT, "The agent identity that signs in."),
        optional("app", APP, "Which application."),
        optional("action", ACTION, "Which user action."),
        optional("context", CONTEXT, "Which authentication context."),
        optional("country", A_TEXT, "From which country, as a two-letter code."),
        optional(
            "gps_country",
            A_TEXT,
            "From which country, as the Authenticator app tells.",
        ),
        optional("ip", A_TEXT, "From which IP address or range."),
        optional("location", LOCATION, "From which named location."),
        optional("platform", A_PLATFORM, "On which platform."),
        optional("client_app", A_CLIENT_APP, "With which kind of client."),
        optional("auth_flow", A_FLOW, "Through which authentication flow."),
        optional("satisfied", Any, "What the one who signs in can satisfy."),
    ],
    &[
        inner("risk", &RISK, "The risks of the sign-in."),
        inner("device", &DEVICE, "The device."),
    ],
    &[],
);

static EXPECT: Schema = schema(
    &[
        optional(
            "decision",
            Word(&["allow", "block", "controls_required"]),
            "What Conditional Access decides.",
        ),
        optional(
            "access",
            Word(&["granted", "denied"]),
            "What comes out when the client can or cannot do what is asked.",
        ),
        optional("grant", GRANT, "The controls asked for."),
        optional("by", POLICIES, "The policies that decide."),
    ],
    &[inner("session", &ANYTHING, "The session controls.")],
    &[Group::AtLeastOne(&[
        "decision", "access", "grant", "by", "session",
    ])],
);

/// A block whose attributes another table describes.
static ANYTHING: Schema = schema(
    &[
        optional(
            "sign_in_frequency",
            Either(&[Duration, Word(&["every_time"])]),
            "How often to sign in again.",
        ),
        optional(
            "persistent_browser",
            Word(&["always", "never"]),
            "Whether the browser session persists.",
        ),
        optional("cloud_app_security", Any, "Defender for Cloud Apps."),
        optional("app_restrictions", Any, "App enforced restrictions."),
        optional("token_protection", Any, "Token protection."),
        optional("continuous_access", Any, "Continuous access evaluation."),
        optional("resilience_defaults", Any, "Resilience defaults."),
    ],
    &[],
    &[],
);

static VALIDATION: Schema = schema(
    &[
        required("condition", Expression, "What must hold."),
        required("error_message", Expression, "What to say when it does not."),
    ],
    &[],
    &[],
);

static VARIABLE: Schema = schema(
    &[
        optional("type", Expression, "What values it takes; any without."),
        optional("default", Expression, "Its value when none is given."),
        optional("description", Text, "What it is for."),
        optional("sensitive", Bool, "Whether its value is hidden from people."),
        optional("nullable", Bool, "Whether `null` is a value; true without."),
    ],
    &[InnerRule {
        several: true,
        ..inner("validation", &VALIDATION, "A rule that the value must keep.")
    }],
    &[],
);

static OUTPUT: Schema = schema(
    &[
        required("value", Expression, "Its value."),
        optional("description", Text, "What it is."),
        optional("sensitive", Bool, "Whether its value is hidden from people."),
        DEPENDS_ON,
    ],
    &[],
    &[],
);

static CAPOL: Schema = schema(
    &[
        optional(
            "required_version",
            Text,
            "The versions of capol that may work on this project.",
        ),
        optional(
            "visibility_lag",
            Duration,
            "How long the service may hide a fresh object; 15m without.",
        ),
        optional(
            "emergency_access",
            Constructor(&["none"], &[]),
            "Why the project has no emergency accounts: `none(\"why\")`.",
        ),
    ],
    &[],
    &[],
);

static TENANT: Schema = schema(
    &[
        optional("id", Text, "The tenant's id or one of its domains."),
        optional(
            "cloud",
            Word(&["global", "usgov", "usgov_dod", "china"]),
            "In which cloud it is.",
        ),
        optional(
            "sign_in",
            Word(&[
                "cli",
                "device_code",
                "secret",
                "certificate",
                "workload_identity",
                "managed_identity",
            ]),
            "How to sign in.",
        ),
        optional("client_id", Text, "The application (client) id to sign in as."),
    ],
    &[],
    &[],
);

static EMERGENCY_ACCESS: Schema = schema(
    &[
        optional("users", List(&Shape::Reference(&[Target::User])), "The accounts."),
        optional(
            "groups",
            List(&Shape::Reference(&[Target::Group])),
            "The groups that hold such accounts.",
        ),
    ],
    &[],
    &[Group::AtLeastOne(&["users", "groups"])],
);

static LOOK_UP: Schema = schema(
    &[
        FOR_EACH,
        optional("name", Text, "What people call it."),
        optional("id", Text, "Its id, which is not looked up."),
    ],
    &[],
    &[Group::ExactlyOne(&["name", "id"])],
);

static USER: Schema = schema(
    &[
        FOR_EACH,
        optional("name", Text, "The user principal name or mail address."),
        optional("user_principal_name", Text, "The user principal name."),
        optional("id", Text, "The object id, which is not looked up."),
    ],
    &[],
    &[Group::ExactlyOne(&["name", "user_principal_name", "id"])],
);

static GROUP: Schema = schema(
    &[
        FOR_EACH,
        optional("name", Text, "The display name."),
        optional("id", Text, "The object id, which is not looked up."),
        optional("managed", Bool, "Whether capol creates and owns the group."),
    ],
    &[],
    &[Group::ExactlyOne(&["name", "id"])],
);

static ACCEPT: Schema = schema(
    &[
        required("reason", Text, "Why this is meant so."),
        optional(
            "policies",
            POLICIES,
            "Only where it is about one of these; anywhere without.",
        ),
    ],
    &[],
    &[],
);

static IMPORT: Schema = schema(
    &[
        required("to", Expression, "The address that shall own the object."),
        required("id", Text, "The object's id in Graph."),
        FOR_EACH,
    ],
    &[],
    &[],
);

static MOVED: Schema = schema(
    &[
        required("from", Expression, "The old address."),
        required("to", Expression, "The new address."),
    ],
    &[],
    &[],
);

static REMOVED: Schema = schema(
    &[required(
        "from",
        Expression,
        "The address to let go without deleting.",
    )],
    &[],
    &[],
);

static GATE: Schema = schema(
    &[
        optional("min_sign_ins", Count, "How many sign-ins the evidence must have."),
        optional(
            "max_failure_rate",
            Percent,
            "The largest share of sign-ins that may fail.",
        ),
        optional(
            "max_interruption_rate",
            Percent,
            "The largest share of sign-ins that may be interrupted.",
        ),
        optional(
            "min_registered",
            Percent,
            "The smallest share of the wave that can satisfy the controls.",
        ),
        optional(
            "webhook",
            Text,
            "A web address that is asked before the next wave.",
        ),
        optional(
            "command",
            Text,
            "A command that is run before the next wave, and says yes with status 0.",
        ),
        optional("invariants", TEXTS, "Invariants that must hold, by their text."),
    ],
    &[],
    &[],
);

static WAVE: Schema = schema(
    &[
        optional(
            "state",
            Word(&["enabled", "report_only"]),
            "The policy's state in this wave; enabled without.",
        ),
        optional(
            "users",
            List(&PEOPLE),
            "Who is in the wave; the policy's own audience without.",
        ),
        optional(
            "workloads",
            List(&Shape::Reference(&[Target::ServicePrincipal])),
            "Which service principals are in the wave, for a policy on workloads.",
        ),
        optional("share", Percent, "How much of a group is in the wave."),
        optional(
            "of",
            Shape::Reference(&[Target::Group]),
            "The group of which a share is taken.",
        ),
        optional(
            "stratify_by",
            Either(&[Text, TEXTS]),
            "The property by which a share is spread evenly.",
        ),
        optional(
            "first",
            List(&PEOPLE),
            "Who is taken into the share before others.",
        ),
        optional(
            "last",
            List(&PEOPLE),
            "Who is taken into the share after all others.",
        ),
        optional("soak", Duration, "How long the wave lasts at least."),
        optional(
            "approvals",
            Count,
            "How many people must approve before it starts.",
        ),
    ],
    &[inner(
        "gate",
        &GATE,
        "What the evidence must show before the next wave.",
    )],
    &[
        Group::AtMostOne(&["users", "share", "workloads"]),
        Group::Needs("share", "of"),
        Group::Needs("of", "share"),
        Group::Needs("stratify_by", "share"),
        Group::Needs("first", "share"),
        Group::Needs("last", "share"),
    ],
);

static ROLLOUT: Schema = schema(
    &[
        FOR_EACH,
        DEPENDS_ON,
        optional("policy", POLICY, "The policy that is rolled out."),
        optional("policies", POLICIES, "The policies that are rolled out together."),
        optional(
            "window",
            Text,
            "When waves may advance: `Mon-Thu 08:00-15:00 Europe/Copenhagen`.",
        ),
        optional("freeze", Either(&[Text, TEXTS]), "When nothing advances."),
        optional(
            "calendar",
            Text,
            "The text of a business calendar, with days on which nothing advances: `file(\"days-off.txt\")`.",
        ),
        optional("not_before", Moment, "The earliest moment of the first wave."),
        optional(
            "on_breach",
            Word(&["rollback", "pause"]),
            "What happens when a gate is breached; pause without.",
        ),
        optional(
            "observe_rest",
            Bool,
            "Whether a report-only twin watches everyone not yet enforced.",
        ),
        optional(
            "approvers",
            List(&Either(&[Shape::Reference(&[Target::User, Target::Group]), Text])),
            "Who may approve.",
        ),
        optional(
            "tenants",
            List(&Either(&[Shape::Block(&["tenant"]), Text])),
            "The tenants it goes through.",
        ),
    ],
    &[InnerRule {
        labelled: true,
        required: true,
        several: true,
        ..inner("wave", &WAVE, "One step of the rollout.")
    }],
    &[Group::ExactlyOne(&["policy", "policies"])],
);

static EXCEPTION: Schema = schema(
    &[
        FOR_EACH,
        required("who", WHO, "Who is left out."),
        required("policies", POLICIES, "Of which policies."),
        required("reason", Text, "Why."),
        optional("ticket", Text, "Where it was asked for."),
        optional(
            "owner",
            Either(&[Shape::Reference(&[Target::User, Target::Group]), Text]),
            "Who answers for it.",
        ),
        required("expires", Moment, "Until when."),
    ],
    &[],
    &[],
);

static CONTINGENCY: Schema = schema(
    &[
        optional("enable", POLICIES, "Policies to switch on."),
        optional("disable", POLICIES, "Policies to switch off."),
        optional("report_only", POLICIES, "Policies to switch to report-only."),
        optional(
            "expires",
            Either(&[Duration, Moment]),
            "How long it lasts, or until when.",
        ),
        optional("approvals", Count, "How many people must approve."),
        optional(
            "floor",
            TEXTS,
            "Invariants that must hold meanwhile, by their text.",
        ),
    ],
    &[],
    &[Group::AtLeastOne(&["enable", "disable", "report_only"])],
);

static SCENARIO: Schema = schema(
    &[],
    &[
        InnerRule {
            required: true,
            ..inner("sign_in", &SIGN_IN, "The sign-in.")
        },
        InnerRule {
            required: true,
            ..inner("expect", &EXPECT, "What must come out.")
        },
    ],
    &[],
);

static INVARIANT: Schema = schema(
    &[],
    &[
        inner("where", &SIGN_IN, "The region of sign-ins; all of them without."),
        InnerRule {
            several: true,
            ..inner(
                "except",
                &SIGN_IN,
                "Sign-ins that the invariant says nothing about.",
            )
        },
        InnerRule {
            required: true,
            ..inner("expect", &EXPECT, "What must come out for every one.")
        },
    ],
    &[],
);

static NOTIFY: Schema = schema(
    &[
        required(
            "kind",
            Word(&["teams", "slack", "webhook", "mail", "github"]),
            "What kind of receiver it is.",
        ),
        optional("url", Text, "Where to send."),
        optional(
            "key_vault",
            Text,
            "The Key Vault secret that holds where to send.",
        ),
        optional("events", List(&Text), "Which events to send."),
        optional("policies", POLICIES, "Only events about these policies."),
    ],
    &[],
    &[Group::ExactlyOne(&["url", "key_vault"])],
);

use LabelRule::{Name, None as Unlabelled, Text as Sentence};
use Role::{Deferred, Expectation, Language, LookUp, Resource, Rollout, Setting};

pub(super) static KINDS: &[BlockKind] = &[
    in_root(kind(
        "capol",
        Unlabelled,
        Setting,
        &CAPOL,
        "How capol works on this project.",
    )),
    in_root(kind(
        "tenant",
        Name,
        Setting,
        &TENANT,
        "A tenant and how to sign in to it.",
    )),
    kind("variable", Name, Language, &VARIABLE, "An input of the module."),
    kind("locals", Unlabelled, Language, &NOTHING, "Names for values."),
    kind(
        "output",
        Name,
        Language,
        &OUTPUT,
        "A value that the module gives out.",
    ),
    kind("module", Name, Language, &NOTHING, "Another module, with inputs."),
    kind("user", Name, LookUp, &USER, "A name for a user."),
    kind(
        "group",
        Name,
        LookUp,
        &GROUP,
        "A name for a group; with `managed = true` a group that capol owns.",
    ),
    kind("app", Name, LookUp, &LOOK_UP, "A name for an application."),
    kind("role", Name, LookUp, &LOOK_UP, "A name for a directory role."),
    kind(
        "service_principal",
        Name,
        LookUp,
        &LOOK_UP,
        "A name for a service principal.",
    ),
    kind(
        "agent_identity",
        Name,
        LookUp,
        &LOOK_UP,
        "A name for an agent identity.",
    ),
    kind("terms", Name, LookUp, &LOOK_UP, "A name for terms of use."),
    kind("location", Name, Resource, &NOTHING, "A named location."),
    kind(
        "strength",
        Name,
        Resource,
        &NOTHING,
        "An authentication strength.",
    ),
    kind("context", Name, Resource, &NOTHING, "An authentication context."),
    kind("policy", Name, Resource, &NOTHING, "A Conditional Access policy."),
    in_root(kind(
        "emergency_access",
        Unlabelled,
        Setting,
        &EMERGENCY_ACCESS,
        "The accounts and groups that no policy may catch.",
    )),
    kind(
        "rollout",
        Name,
        Rollout,
        &ROLLOUT,
        "A staged rollout of a policy.",
    ),
    kind(
        "exception",
        Name,
        Deferred,
        &EXCEPTION,
        "Someone left out of policies for a while.",
    ),
    kind(
        "contingency",
        Name,
        Deferred,
        &CONTINGENCY,
        "What to switch on and off in a named disruption.",
    ),
    kind(
        "scenario",
        Sentence,
        Expectation,
        &SCENARIO,
        "A test of one sign-in.",
    ),
    kind(
        "invariant",
        Sentence,
        Expectation,
        &INVARIANT,
        "A proof about all sign-ins of a region.",
    ),
    in_root(kind(
        "accept",
        Sentence,
        Setting,
        &ACCEPT,
        "Something that `capol validate` or `capol plan` finds, and that is meant so.",
    )),
    in_root(kind(
        "import",
        Unlabelled,
        Setting,
        &IMPORT,
        "An existing object that a block adopts.",
    )),
    kind(
        "moved",
        Unlabelled,
        Setting,
        &MOVED,
        "A block that has another name now.",
    ),
    kind(
        "removed",
        Unlabelled,
        Setting,
        &REMOVED,
        "A block that is let go without deleting the object.",
    ),
    kind(
        "notify",
        Name,
        Deferred,
        &NOTIFY,
        "Where alerts and approvals go.",
    ),
];
