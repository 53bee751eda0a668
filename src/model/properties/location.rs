//! `ipNamedLocation`, `countryNamedLocation`, `compliantNetworkNamedLocation`.

use super::{Access, Property, Shape, TextKind, symbols};

const NAME: Property = Property::new(
    &["name"],
    "displayName",
    Shape::Text { max: 256 },
    "What people call the location; names may repeat.",
)
.required();

const ID: Property = Property::read_only("id", "The id that the service gave it.");
const CREATED: Property = Property::read_only("createdDateTime", "When it was created.");
const MODIFIED: Property = Property::read_only(
    "modifiedDateTime",
    "When it was last changed; the time of creation until then.",
);
const DELETED: Property = Property::read_only(
    "deletedDateTime",
    "When it was deleted; null unless it is in deletedItems.",
);

pub(super) static IP: &[Property] = &[
    NAME,
    Property::new(
        &["ip_ranges"],
        "ipRanges",
        Shape::Texts(TextKind::IpRanges),
        "IPv4 and IPv6 ranges in CIDR form, at most 2,000; kept as they are written.",
    )
    .required(),
    Property::new(
        &["trusted"],
        "isTrusted",
        Shape::Boolean,
        "Whether `all_trusted` means this location too.",
    ),
    ID,
    CREATED,
    MODIFIED,
    DELETED,
];

pub(super) static COUNTRY: &[Property] = &[
    NAME,
    Property::new(
        &["countries"],
        "countriesAndRegions",
        Shape::Texts(TextKind::Countries),
        "Countries and regions as ISO 3166-1 alpha-2 codes.",
    )
    .required(),
    Property::new(
        &["include_unknown"],
        "includeUnknownCountriesAndRegions",
        Shape::Boolean,
        "Whether addresses that belong to no known country are in.",
    ),
    Property::new(
        &["lookup"],
        "countryLookupMethod",
        Shape::Symbol(&symbols::COUNTRY_LOOKUP),
        "How the country is found: from the IP address, or by GPS through the Authenticator app.",
    )
    .default("clientIpAddress"),
    ID,
    CREATED,
    MODIFIED,
    DELETED,
];

pub(super) static COMPLIANT_NETWORK: &[Property] = &[
    Property::new(
        &[],
        "displayName",
        Shape::Text { max: 256 },
        "The name that the service gave it.",
    )
    .access(Access::ReadOnly),
    Property::new(
        &[],
        "compliantNetworkType",
        Shape::Symbol(&symbols::COMPLIANT_NETWORK_TYPES),
        "Which compliant networks it means.",
    )
    .beta()
    .access(Access::ReadOnly),
    Property::new(&[], "isTrusted", Shape::Boolean, "Always true.")
        .beta()
        .access(Access::ReadOnly),
    ID,
    CREATED,
    MODIFIED,
    DELETED,
];
