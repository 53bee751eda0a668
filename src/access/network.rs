//! Where a sign-in comes from.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::estate::Estate;
use super::policy::{Sides, keys, symbols};
use super::sign_in::{Fact, Network};
use super::truth::Truth;
use crate::model::cidr::{IpRange, IpRangeError};
use crate::model::{Kind, Object, Value};

const ALL: &str = "all";
const ALL_TRUSTED: &str = "alltrusted";
/// The MFA trusted IPs, which stand in policies by this id (`FACTS` 3).
pub(super) const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

/// Which named locations a policy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocationCondition {
    include: BTreeSet<String>,
    exclude: BTreeSet<String>,
}

impl LocationCondition {
    pub(super) fn of(object: &Object) -> Option<Self> {
        let condition = Self {
            include: keys(object, "conditions.locations.includeLocations"),
            exclude: keys(object, "conditions.locations.excludeLocations"),
        };
        (!condition.include.is_empty() || !condition.exclude.is_empty()).then_some(condition)
    }

    /// The ids of the locations that it names.
    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        self.include
            .iter()
            .chain(&self.exclude)
            .filter(|key| ![ALL, ALL_TRUSTED, MFA_TRUSTED_IPS].contains(&key.as_str()))
    }

    /// Whether the locations that it names are the same in two estates.
    pub(super) fn means_same(&self, estate: &Estate, other: &Estate) -> bool {
        let names_trusted = [&self.include, &self.exclude]
            .into_iter()
            .any(|side| side.contains(ALL_TRUSTED));
        let trusted = |estate: &Estate| -> Vec<Location> {
            let all = estate.locations().filter(|location| location.is_trusted());
            all.cloned().collect()
        };
        self.named()
            .all(|key| estate.location(key) == other.location(key))
            && (!names_trusted || trusted(estate) == trusted(other))
    }

    pub(super) fn sides(&self, network: &Network, estate: &Estate) -> Sides {
        let holds = |set: &BTreeSet<String>| Truth::any(set.iter().map(|key| within(key, network, estate)));
        Sides {
            include: holds(&self.include),
            exclude: holds(&self.exclude),
        }
    }
}

fn within(key: &str, network: &Network, estate: &Estate) -> Truth {
    match key {
        ALL => Truth::Yes,
        ALL_TRUSTED => {
            let trusted = estate.locations().filter(|location| location.is_trusted());
            Truth::any(trusted.map(|location| location.holds(network))) | flag(network.mfa_trusted)
        }
        MFA_TRUSTED_IPS => flag(network.mfa_trusted),
        // Gone from the tenant, or never given: nobody can tell which.
        key => estate
            .location(key)
            .map_or_else(|| told(key, network), |location| location.holds(network)),
    }
}

/// Makes the facts of a sign-in such that it comes from the location of this key.
pub(super) fn place_in(key: &str, network: &mut Network, estate: &Estate) {
    let is_untold = ![ALL, ALL_TRUSTED, MFA_TRUSTED_IPS].contains(&key) && estate.location(key).is_none();
    if is_untold {
        let mut told = match std::mem::replace(&mut network.told, Fact::Absent) {
            Fact::Is(told) => told,
            _ => BTreeSet::new(),
        };
        told.insert(key.to_owned());
        network.told = Fact::Is(told);
        return;
    }
    let location = match key {
        ALL => return,
        ALL_TRUSTED => estate.locations().find(|location| location.is_trusted()),
        MFA_TRUSTED_IPS => None,
        key => estate.location(key),
    };
    match location {
        None => network.mfa_trusted = Fact::Is(()),
        Some(Location::CompliantNetwork) => network.compliant = Fact::Is(()),
        Some(Location::Ranges { ranges, .. }) => {
            network.ip = ranges
                .first()
                .map_or(Fact::Absent, |range| Fact::Is(range.first()));
        }
        Some(Location::Countries {
            countries, by_gps, ..
        }) => {
            let country = countries
                .first()
                .map_or(Fact::Absent, |country| Fact::Is(country.clone()));
            if *by_gps {
                network.gps_country = country;
            } else {
                network.country = country;
            }
        }
    }
}

fn told(key: &str, network: &Network) -> Truth {
    match &network.told {
        Fact::Unrecorded => Truth::Undecided,
        Fact::Absent => Truth::No,
        Fact::Is(told) => told.contains(key).into(),
    }
}

fn flag(fact: Fact<()>) -> Truth {
    match fact {
        Fact::Unrecorded => Truth::Undecided,
        Fact::Absent => Truth::No,
        Fact::Is(()) => Truth::Yes,
    }
}

/// A named location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// Ranges of addresses.
    Ranges { ranges: Vec<IpRange>, trusted: bool },
    /// Countries, in upper case.
    Countries {
        countries: BTreeSet<String>,
        unknown: bool,
        by_gps: bool,
    },
    /// The tenant's compliant network.
    CompliantNetwork,
}

impl Location {
    pub(super) fn of(object: &Object) -> Result<Self, IpRangeError> {
        let is = |wire: &str| matches!(object.get(wire), Some(Value::Boolean(true)));
        Ok(match object.kind {
            Kind::IpLocation => {
                let texts = match object.get("ipRanges") {
                    Some(Value::Texts(texts)) => texts.iter().collect(),
                    _ => Vec::new(),
                };
                Self::Ranges {
                    ranges: texts
                        .into_iter()
                        .map(|text| IpRange::parse(text))
                        .collect::<Result<_, _>>()?,
                    trusted: is("isTrusted"),
                }
            }
            Kind::CountryLocation => Self::Countries {
                countries: symbols(object, "countriesAndRegions")
                    .into_iter()
                    .map(|country| country.to_ascii_uppercase())
                    .collect(),
                unknown: is("includeUnknownCountriesAndRegions"),
                by_gps: object
                    .text("countryLookupMethod")
                    .is_some_and(|method| method.eq_ignore_ascii_case("authenticatorAppGps")),
            },
            _ => Self::CompliantNetwork,
        })
    }

    /// Its ranges of addresses.
    pub(super) fn ranges(&self) -> &[IpRange] {
        match self {
            Self::Ranges { ranges, .. } => ranges,
            _ => &[],
        }
    }

    /// Its countries, in upper case.
    pub(super) fn countries(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::Countries { countries, .. } => Some(countries),
            _ => None,
        }
        .into_iter()
        .flatten()
    }

    fn is_trusted(&self) -> bool {
        match self {
            Self::Ranges { trusted, .. } => *trusted,
            Self::Countries { .. } => false,
            Self::CompliantNetwork => true,
        }
    }

    fn holds(&self, network: &Network) -> Truth {
        match self {
            Self::Ranges { ranges, .. } => match network.ip {
                Fact::Unrecorded => Truth::Undecided,
                Fact::Absent => Truth::No,
                Fact::Is(address) => {
                    let address = unmapped(address);
                    ranges.iter().any(|range| range.contains(address)).into()
                }
            },
            Self::Countries {
                countries,
                unknown,
                by_gps,
            } => {
                let country = if *by_gps {
                    &network.gps_country
                } else {
                    &network.country
                };
                match country {
                    Fact::Unrecorded => Truth::Undecided,
                    Fact::Absent => (*unknown).into(),
                    Fact::Is(country) => countries.contains(&country.to_ascii_uppercase()).into(),
                }
            }
            Self::CompliantNetwork => flag(network.compliant),
        }
    }
}

/// An IPv4 address that is written as IPv6 is the IPv4 address.
fn unmapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
