//! The built-in authentication strengths and the methods they are made of.
//!
//! Ids, combinations and their order are as the service returns them. A
//! combination is one string on the wire, its methods joined by commas; in the
//! language it is one symbol, its methods joined by `_and_`.

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
    STRENGTHS.iter().find(|strength| strength.name == name)
}

/// The strength with this id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static BuiltInStrength> {
    STRENGTHS.iter().find(|strength| strength.id == id)
}

/// One authentication method mode: a member of Graph's `authenticationMethodModes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodMode {
    /// Name in the language, as in `windows_hello_for_business`.
    pub name: &'static str,
    /// Name on the wire, as in `windowsHelloForBusiness`.
    pub wire: &'static str,
    /// What a person would call it.
    pub title: &'static str,
}

/// All method modes, in Graph's order.
#[must_use]
pub fn modes() -> &'static [MethodMode] {
    MODES
}

/// The mode that the language calls `name`.
#[must_use]
pub fn mode_by_name(name: &str) -> Option<&'static MethodMode> {
    MODES.iter().find(|mode| mode.name == name)
}

/// The mode with this name on the wire, in any case.
#[must_use]
pub fn mode_by_wire(wire: &str) -> Option<&'static MethodMode> {
    MODES.iter().find(|mode| mode.wire.eq_ignore_ascii_case(wire))
}

/// The combinations that a strength may allow, as Graph writes them.
///
/// Source: the service's own lists, and a custom strength that allows all.
#[must_use]
pub fn combinations() -> &'static [&'static str] {
    COMBINATIONS
}

/// The symbol of a combination: `password,sms` is `password_and_sms`.
///
/// `None` when one of its methods is not known here.
#[must_use]
pub fn combination_name(wire: &str) -> Option<String> {
    let names: Option<Vec<&str>> = wire
        .split(',')
        .map(|mode| mode_by_wire(mode.trim()).map(|mode| mode.name))
        .collect();
    Some(names?.join("_and_"))
}

/// What Graph calls the combination with this symbol.
///
/// The methods may stand in either order (`sms_and_password`); the wire form is
/// Graph's. `None` when no strength may allow the combination.
#[must_use]
pub fn combination_by_name(name: &str) -> Option<&'static str> {
    let mut wanted: Vec<&str> = name.split("_and_").collect();
    wanted.sort_unstable();
    COMBINATIONS.iter().copied().find(|wire| {
        combination_name(wire).is_some_and(|known| {
            let mut known: Vec<&str> = known.split("_and_").collect();
            known.sort_unstable();
            known == wanted
        })
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

const fn mode(name: &'static str, wire: &'static str, title: &'static str) -> MethodMode {
    MethodMode { name, wire, title }
}

#[rustfmt::skip] // one mode a line
const MODES: &[MethodMode] = &[
    mode("password", "password", "Password"),
    mode("voice", "voice", "Voice call"),
    mode("hardware_oath", "hardwareOath", "Hardware OATH token"),
    mode("software_oath", "softwareOath", "Software OATH token"),
    mode("sms", "sms", "Text message"),
    mode("fido2", "fido2", "Passkey (FIDO2)"),
    mode("windows_hello_for_business", "windowsHelloForBusiness", "Windows Hello for Business"),
    mode("microsoft_authenticator_push", "microsoftAuthenticatorPush", "Microsoft Authenticator notification"),
    mode("device_based_push", "deviceBasedPush", "Microsoft Authenticator phone sign-in"),
    mode("temporary_access_pass_one_time", "temporaryAccessPassOneTime", "Temporary Access Pass, one-time"),
    mode("temporary_access_pass_multi_use", "temporaryAccessPassMultiUse", "Temporary Access Pass, multi-use"),
    mode("email", "email", "Email one-time passcode"),
    mode("x509_certificate_single_factor", "x509CertificateSingleFactor", "Certificate, single factor"),
    mode("x509_certificate_multi_factor", "x509CertificateMultiFactor", "Certificate, multifactor"),
    mode("federated_single_factor", "federatedSingleFactor", "Federated, single factor"),
    mode("federated_multi_factor", "federatedMultiFactor", "Federated, multifactor"),
    mode("qr_code_pin", "qrCodePin", "QR code and PIN"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::catalogue::corpus;

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
    fn a_combination_and_its_symbol_name_each_other() {
        let mut names = BTreeSet::new();
        for wire in combinations() {
            let name = combination_name(wire).unwrap();
            assert_eq!(combination_by_name(&name), Some(*wire));
            assert!(names.insert(name));
        }
        assert_eq!(combination_by_name("sms_and_password"), Some("password,sms"));
        assert_eq!(combination_by_name("password_and_email"), None);
        for strength in all() {
            assert!(
                strength
                    .combinations
                    .iter()
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
