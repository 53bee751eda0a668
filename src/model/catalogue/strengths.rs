//! The built-in authentication strengths and the combinations of methods that strengths are made of.
//!
//! Ids, combinations and their order are as the service returns them. A
//! combination is one string on the wire, its methods joined by commas.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A strength that every tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInStrength {
    /// Name in the language, as in `strength.phishing_resistant_mfa`.
    pub name: &'static str,
    /// Name in the admin center.
    pub display_name: &'static str,
    /// The service's own description.
    pub description: &'static str,
    /// Id, the same in every tenant.
    pub id: &'static str,
    /// `allowedCombinations`, in the order the service returns them.
    pub combinations: &'static [&'static str],
}

/// The built-in strengths, weakest first: each is satisfied by what satisfies a later one.
#[must_use]
pub fn all() -> &'static [BuiltInStrength] {
    STRENGTHS
}

/// The strength that the language calls `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static BuiltInStrength> {
    static BY_NAME: LazyLock<HashMap<&str, &BuiltInStrength>> = LazyLock::new(|| {
        STRENGTHS
            .iter()
            .map(|strength| (strength.name, strength))
            .collect()
    });
    BY_NAME.get(name).copied()
}

/// The strength with this id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static BuiltInStrength> {
    STRENGTHS.iter().find(|strength| strength.id == id)
}

/// The combinations that a strength may allow, as Graph writes them.
///
/// Source: the service's own lists, and a custom strength that allows all.
#[must_use]
pub fn combinations() -> &'static [&'static str] {
    COMBINATIONS
}

/// What Graph calls the combination of these method modes, which are Graph's words in any order.
///
/// `None` when no strength may allow it.
#[must_use]
pub fn combination_of(modes: &[&str]) -> Option<&'static str> {
    COMBINATIONS.iter().copied().find(|combination| {
        combination.split(',').count() == modes.len()
            && combination
                .split(',')
                .all(|mode| modes.iter().any(|wanted| mode.eq_ignore_ascii_case(wanted)))
    })
}

const STRENGTHS: &[BuiltInStrength] = &[
    BuiltInStrength {
        name: "mfa",
        display_name: "Multifactor authentication",
        description: "Combinations of methods that satisfy strong authentication, such as a password + SMS",
        id: "00000000-0000-0000-0000-000000000002",
        combinations: &[
            "windowsHelloForBusiness",
            "fido2",
            "x509CertificateMultiFactor",
            "deviceBasedPush",
            "temporaryAccessPassOneTime",
            "temporaryAccessPassMultiUse",
            "password,microsoftAuthenticatorPush",
            "password,softwareOath",
            "password,hardwareOath",
            "password,x509CertificateSingleFactor",
            "password,x509CertificateMultiFactor",
            "password,sms",
            "password,voice",
            "federatedMultiFactor",
            "microsoftAuthenticatorPush,federatedSingleFactor",
            "softwareOath,federatedSingleFactor",
            "hardwareOath,federatedSingleFactor",
            "sms,federatedSingleFactor",
            "voice,federatedSingleFactor",
        ],
    },
    BuiltInStrength {
        name: "passwordless_mfa",
        display_name: "Passwordless MFA",
        description: "Passwordless methods that satisfy strong authentication, such as Passwordless sign-in with the Microsoft Authenticator",
        id: "00000000-0000-0000-0000-000000000003",
        combinations: &[
            "windowsHelloForBusiness",
            "fido2",
            "x509CertificateMultiFactor",
            "deviceBasedPush",
        ],
    },
    BuiltInStrength {
        name: "phishing_resistant_mfa",
        display_name: "Phishing-resistant MFA",
        description: "Phishing-resistant, Passwordless methods for the strongest authentication, such as a FIDO2 security key",
        id: "00000000-0000-0000-0000-000000000004",
        combinations: &["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"],
    },
];

const COMBINATIONS: &[&str] = &[
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "x509CertificateSingleFactor",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,x509CertificateSingleFactor",
    "password,x509CertificateMultiFactor",
    "password,sms",
    "password,voice",
    "sms",
    "qrCodePin",
    "federatedMultiFactor",
    "federatedSingleFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::catalogue::corpus;
    use crate::model::properties::authentication_methods;

    #[test]
    fn each_strength_is_satisfied_by_the_next_one() {
        for pair in all().windows(2) {
            let weaker: BTreeSet<_> = pair[0].combinations.iter().collect();
            assert!(
                pair[1]
                    .combinations
                    .iter()
                    .all(|combination| weaker.contains(combination))
            );
        }
        assert_eq!(by_name("mfa").unwrap().combinations.len(), 19);
        assert_eq!(
            by_id("00000000-0000-0000-0000-000000000004").unwrap().name,
            "phishing_resistant_mfa"
        );
    }

    #[test]
    fn a_combination_is_found_by_its_methods_in_any_order() {
        for combination in combinations() {
            let mut modes: Vec<&str> = combination.split(',').collect();
            assert_eq!(combination_of(&modes), Some(*combination));
            modes.reverse();
            assert_eq!(combination_of(&modes), Some(*combination));
            let words = authentication_methods();
            assert!(
                modes.iter().all(|mode| words.by_wire(mode).is_some()),
                "{combination}"
            );
        }
        assert_eq!(combination_of(&["sms", "sms"]), None);
        assert_eq!(combination_of(&["password", "email"]), None);
        for strength in all() {
            let allowed = strength.combinations.iter();
            assert!(
                allowed
                    .into_iter()
                    .all(|combination| combinations().contains(combination))
            );
        }
    }

    #[test]
    fn every_combination_in_real_strengths_is_known() {
        let Some(found) = corpus::strings_under(&["allowedCombinations"]) else {
            return;
        };
        let unknown: Vec<_> = found
            .iter()
            .filter(|wire| !combinations().contains(&wire.as_str()))
            .collect();
        assert!(unknown.is_empty(), "unknown combinations: {unknown:?}");
    }
}
