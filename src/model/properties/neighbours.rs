//! What policies lean on: authentication strengths, authentication contexts, managed groups.

use super::{Accepts, Access, Property, Shape, Target, symbols};

pub(super) static STRENGTH: &[Property] = &[
    Property::new(
        &["name"],
        "displayName",
        Shape::Text { max: 256 },
        "What people call the strength; unique in the tenant. Microsoft documents 30 characters, exports hold more.",
    )
    .required(),
    Property::new(
        &["description"],
        "description",
        Shape::Text { max: 1500 },
        "What it is for.",
    ),
    Property::new(
        &["combinations"],
        "allowedCombinations",
        Shape::Combinations,
        "The combinations of methods that satisfy it: `fido2`, or `all_of(password, sms)`.",
    )
    .required(),
    Property::new(
        &["configurations"],
        "combinationConfigurations",
        Shape::CombinationConfigurations,
        "Which security keys or certificates some of the combinations allow: blocks `fido2 { applies_to, allowed_aaguids }` and `x509 { applies_to, allowed_issuer_skis, allowed_policy_oids }`.",
    ),
    Property::read_only("id", "The id that the service gave it."),
    Property::read_only("createdDateTime", "When it was created."),
    Property::read_only("modifiedDateTime", "When it was last changed."),
    Property::read_only("policyType", "`builtIn` or `custom`."),
    Property::read_only(
        "requirementsSatisfied",
        "`mfa` or `none`; the service works it out.",
    ),
];

pub(super) static CONTEXT: &[Property] = &[
    Property::new(
        &["id"],
        "id",
        Shape::Text { max: 3 },
        "`c1` to `c99`; the writer chooses it.",
    )
    .required()
    .access(Access::CreateOnly),
    Property::new(
        &["name"],
        "displayName",
        Shape::Text { max: 256 },
        "What people call the context.",
    )
    .required(),
    Property::new(
        &["description"],
        "description",
        Shape::Text { max: 1500 },
        "What it protects.",
    ),
    Property::new(
        &["available"],
        "isAvailable",
        Shape::Boolean,
        "Whether apps may already ask for it.",
    ),
];

pub(super) static GROUP: &[Property] = &[
    Property::new(
        &["name"],
        "displayName",
        Shape::Text { max: 256 },
        "What people call the group.",
    )
    .required(),
    Property::new(
        &["description"],
        "description",
        Shape::Text { max: 1024 },
        "What it is for.",
    ),
    Property::new(
        &["mail_nickname"],
        "mailNickname",
        Shape::Text { max: 64 },
        "The mail alias that Graph demands even of security groups; made from the name when left out.",
    )
    .access(Access::CreateOnly),
    Property::new(
        &["role_assignable"],
        "isAssignableToRole",
        Shape::Boolean,
        "Whether directory roles may be assigned to it; can't be changed later.",
    )
    .access(Access::CreateOnly),
    Property::new(
        &["members"],
        "members",
        Shape::References(Accepts {
            target: Target::User,
            keywords: &symbols::NO_KEYWORDS,
        }),
        "Its members, when capol shall own them; left out, membership is left alone.",
    ),
    Property::read_only("id", "The id that the service gave it."),
    Property::read_only("createdDateTime", "When it was created."),
    Property::read_only("deletedDateTime", "When it was deleted."),
];
