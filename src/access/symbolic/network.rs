//! Where a sign-in comes from, in classes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::facet::Facet;
use super::space::{Class, Factor, Maker, factor};
use crate::access::Condition;
use crate::access::network::Location;
use crate::access::sign_in::{Fact, SignIn};

/// A country that no location holds, so that only what is asked about decides.
const NOWHERE: &str = "ZZ";

/// One factor for each way to be in a location: each may fulfil the condition by itself.
pub(super) fn factors<const W: usize>(maker: &Maker<'_, W>, base: &SignIn) -> Vec<Factor<W>> {
    let mut neutral = base.clone();
    neutral.network.country = Fact::Is(NOWHERE.to_owned());
    neutral.network.gps_country = Fact::Is(NOWHERE.to_owned());
    let class = |sign_in: &SignIn, facet: Facet| maker.class(Condition::Locations, sign_in, facet);
    let with = |facet: Facet| -> Class<W> {
        let mut sign_in = neutral.clone();
        facet.apply(&mut sign_in);
        class(&sign_in, facet)
    };
    let locations = locations(maker);
    let mut factors = Vec::new();
    let addresses = addresses(&locations).into_iter().map(Facet::Ip);
    factors.push(factor(
        std::iter::once(Facet::Nothing).chain(addresses).map(with),
        false,
    ));
    let countries = countries(&locations);
    let mut unknown = neutral.clone();
    unknown.network.country = Fact::Absent;
    let of = |country: String| with(Facet::Country(country));
    factors.push(factor(
        std::iter::once(class(&unknown, Facet::Nothing)).chain(countries.iter().cloned().map(of)),
        false,
    ));
    let mut unknown = neutral.clone();
    unknown.network.gps_country = Fact::Absent;
    let of = |country: String| with(Facet::GpsCountry(country));
    factors.push(factor(
        std::iter::once(class(&unknown, Facet::Nothing)).chain(countries.iter().cloned().map(of)),
        false,
    ));
    for location in untold(maker) {
        factors.push(factor([Facet::Nothing, Facet::In(location)].map(with), false));
    }
    factors.push(factor([Facet::Nothing, Facet::CompliantNetwork].map(with), false));
    factors.push(factor([Facet::Nothing, Facet::MfaTrusted].map(with), false));
    if let Some(last) = factors.last_mut() {
        last.ends = true;
    }
    factors
}

/// The locations of all estates, each estate once.
fn locations<'a, const W: usize>(maker: &Maker<'a, W>) -> Vec<&'a Location> {
    let mut estates: Vec<&crate::access::Estate> = Vec::new();
    for subject in maker.subjects {
        if !estates.iter().any(|known| std::ptr::eq(*known, subject.estate)) {
            estates.push(subject.estate);
        }
    }
    estates
        .into_iter()
        .flat_map(crate::access::Estate::locations)
        .collect()
}

/// The locations that policies name and nobody gave.
fn untold<const W: usize>(maker: &Maker<'_, W>) -> BTreeSet<String> {
    let mut untold = BTreeSet::new();
    for subject in maker.subjects {
        for key in subject
            .policy
            .locations
            .iter()
            .flat_map(super::super::network::LocationCondition::named)
        {
            if subject.estate.location(key).is_none() {
                untold.insert(key.clone());
            }
        }
    }
    untold
}

/// The first address of each stretch within which no range begins or ends.
fn addresses(locations: &[&Location]) -> BTreeSet<IpAddr> {
    let mut firsts = BTreeSet::new();
    for range in locations.iter().flat_map(|location| location.ranges()) {
        firsts.insert(range.first());
        firsts.extend(match range.last() {
            IpAddr::V4(last) => u32::from(last)
                .checked_add(1)
                .map(|next| IpAddr::V4(Ipv4Addr::from(next))),
            IpAddr::V6(last) => u128::from(last)
                .checked_add(1)
                .map(|next| IpAddr::V6(Ipv6Addr::from(next))),
        });
    }
    firsts
}

/// The countries that locations name, and one that none does, which only has a name of its own where needed.
fn countries(locations: &[&Location]) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = locations
        .iter()
        .flat_map(|location| location.countries().cloned())
        .collect();
    let other = crate::model::catalogue::countries::all()
        .iter()
        .find(|country| !all.contains(country.code))
        .map(|country| country.code.to_owned());
    all.extend(other);
    all
}
