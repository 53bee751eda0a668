//! Names of blocks, made from the display names that a tenant holds.
//!
//! `"CA001 - Require MFA: All users (v1.2)"` becomes
//! `ca001_require_mfa_all_users_v1_2`. A name depends on the display name and
//! on the names beside it, never on the order in which objects arrive.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use sha2::Digest;
use sha2::Sha256;

use super::catalogue::apps;
use super::catalogue::roles;
use super::catalogue::strengths;

/// Longest name that is made, in characters; longer ones end at a word before it.
const LONGEST: usize = 72;

/// Words that the language reads otherwise than as a name.
const RESERVED: &[&str] = &[
    "all", "count", "each", "else", "endfor", "endif", "false", "for", "if", "in", "local", "module", "none",
    "null", "path", "self", "true", "var",
];

/// The name of the block of type `block` for an object with this display name.
///
/// Always an identifier of the language, never a word of it, and never the name
/// of something built in. A display name without any letter or digit of the
/// Latin alphabet gives the block's type and four digits made from the text.
#[must_use]
pub fn block_name(block: &str, display_name: &str) -> String {
    let words = words(display_name);
    if words.is_empty() {
        return format!("{block}_{}", digits_of(display_name));
    }
    let name = shorten(&words);
    let begins_with_digit = name.starts_with(|first: char| first.is_ascii_digit());
    if begins_with_digit || RESERVED.contains(&name.as_str()) || is_built_in(block, &name) {
        return format!("{block}_{name}");
    }
    name
}

/// Names for objects of one block type, each its own.
///
/// Objects come with a key that orders them (their id): of several that would
/// have the same name the one with the least key has it, and the others end in
/// `_2`, `_3`. Names in `taken` are left alone.
#[must_use]
pub fn assign<'a, K: Ord>(
    block: &str,
    objects: impl IntoIterator<Item = (K, &'a str)>,
    taken: &BTreeSet<String>,
) -> BTreeMap<K, String> {
    let mut wanted: BTreeMap<String, BTreeSet<K>> = BTreeMap::new();
    for (key, display_name) in objects {
        wanted
            .entry(block_name(block, display_name))
            .or_default()
            .insert(key);
    }
    // INVARIANT: a name that some object wants is never given as another one's second choice.
    let mut used: BTreeSet<String> = taken.iter().cloned().collect();
    let free: BTreeSet<String> = wanted
        .keys()
        .filter(|name| !taken.contains(*name))
        .cloned()
        .collect();
    used.extend(free.iter().cloned());

    let mut names = BTreeMap::new();
    for (name, keys) in wanted {
        let mut number = 2_u32;
        for (position, key) in keys.into_iter().enumerate() {
            if position == 0 && free.contains(&name) {
                names.insert(key, name.clone());
                continue;
            }
            while used.contains(&format!("{name}_{number}")) {
                number += 1;
            }
            let numbered = format!("{name}_{number}");
            used.insert(numbered.clone());
            names.insert(key, numbered);
        }
    }
    names
}

fn is_built_in(block: &str, name: &str) -> bool {
    match block {
        "app" => apps::by_name(name).is_some(),
        "role" => roles::by_name(name).is_some(),
        "strength" => strengths::by_name(name).is_some(),
        "location" => matches!(name, "all_trusted" | "mfa_trusted_ips" | "compliant_network"),
        // `context.c4` means the class reference with that id.
        "context" => name
            .strip_prefix('c')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())),
        _ => false,
    }
}

/// The words of a display name in lower-case ASCII letters and digits.
fn words(display_name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in display_name.chars() {
        match folded(character) {
            Fold::Part(text) => word.push_str(&text),
            Fold::Nothing => {}
            Fold::Word(text) => {
                words.push(std::mem::take(&mut word));
                words.push(text.to_owned());
            }
            Fold::Gap => words.push(std::mem::take(&mut word)),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn shorten(words: &[String]) -> String {
    let mut name = String::new();
    for word in words {
        if !name.is_empty() && name.len() + 1 + word.len() > LONGEST {
            break;
        }
        if !name.is_empty() {
            name.push('_');
        }
        name.extend(word.chars().take(LONGEST));
    }
    name
}

/// Four hexadecimal digits that depend on the text alone.
fn digits_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    match digest.as_slice() {
        [high, low, ..] => format!("{high:02x}{low:02x}"),
        _ => String::new(),
    }
}

enum Fold {
    /// Part of the word at hand.
    Part(String),
    /// Leaves no trace: an apostrophe, an accent written apart.
    Nothing,
    /// A word of its own.
    Word(&'static str),
    /// Ends the word at hand.
    Gap,
}

fn folded(character: char) -> Fold {
    if character.is_ascii_alphanumeric() {
        return Fold::Part(character.to_ascii_lowercase().to_string());
    }
    match character {
        '\'' | '\u{2019}' | '\u{00ad}' | '\u{0300}'..='\u{036f}' => Fold::Nothing,
        '&' => Fold::Word("and"),
        '+' => Fold::Word("plus"),
        _ => {
            let lower: String = character.to_lowercase().collect();
            lower
                .chars()
                .next()
                .and_then(unaccented)
                .map_or(Fold::Gap, |letters| Fold::Part(letters.to_owned()))
        }
    }
}

/// The ASCII letters that people write for a lower-case letter of the European Latin alphabets.
fn unaccented(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ª' => "a",
        'å' => "aa",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ŏ' | 'ő' | 'º' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        '²' => "2",
        '³' => "3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_display_name_becomes_a_name_that_reads_like_it() {
        let cases = [
            (
                "policy",
                "CA001 - Require MFA: All users (v1.2)",
                "ca001_require_mfa_all_users_v1_2",
            ),
            (
                "policy",
                "CA002 – Block legacy authentication",
                "ca002_block_legacy_authentication",
            ),
            (
                "policy",
                "GLOBAL - 105 - <RING> - Admins",
                "global_105_ring_admins",
            ),
            ("policy", "105 - <RING> - Admins", "policy_105_ring_admins"),
            ("policy", "Don't trust O365 & AVD", "dont_trust_o365_and_avd"),
            ("location", "Kontor København", "kontor_koebenhavn"),
            ("location", "Büro Zürich (Straße)", "buero_zuerich_strasse"),
            ("location", "Sie\u{0301}ge", "siege"),
            ("policy", "CA001 すべてのユーザー", "ca001"),
            ("policy", "すべてのユーザー", "policy_d47f"),
            ("policy", "", "policy_e3b0"),
            ("policy", "for", "policy_for"),
            ("policy", "MFA", "mfa"),
            ("strength", "MFA", "strength_mfa"),
            ("app", "Office 365", "office_365"),
            ("app", "Windows 365", "app_windows_365"),
            ("role", "Global Administrator", "role_global_administrator"),
            ("context", "C4", "context_c4"),
            ("location", "All trusted", "location_all_trusted"),
        ];
        for (block, display_name, name) in cases {
            assert_eq!(block_name(block, display_name), name, "{display_name}");
        }
    }

    #[test]
    fn a_long_name_ends_at_a_word() {
        let name = block_name(
            "policy",
            "CAU013-All Grant Require phishing resistant MFA for All users when Browser and Modern Auth Clients-v1.0",
        );
        assert_eq!(
            name,
            "cau013_all_grant_require_phishing_resistant_mfa_for_all_users_when"
        );
        assert_eq!(block_name("policy", &"x".repeat(500)).len(), LONGEST);
    }

    #[test]
    fn equal_names_are_numbered_by_key_whatever_the_order() {
        let objects = [
            ("id-3", "Office"),
            ("id-1", "Office"),
            ("id-2", "OFFICE"),
            ("id-0", "Office 2"),
        ];
        let expected = BTreeMap::from([
            ("id-0", "office_2"),
            ("id-1", "office"),
            ("id-2", "office_3"),
            ("id-3", "office_4"),
        ]);
        let mut reversed = objects;
        reversed.reverse();
        for order in [objects, reversed] {
            let names = assign("location", order, &BTreeSet::new());
            let names: BTreeMap<_, _> = names.iter().map(|(key, name)| (*key, name.as_str())).collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn a_taken_name_is_left_alone() {
        let taken = BTreeSet::from(["office".to_owned(), "office_2".to_owned()]);
        let names = assign("location", [(1, "Office")], &taken);
        assert_eq!(names, BTreeMap::from([(1, "office_3".to_owned())]));
    }

    proptest! {
        #[test]
        fn every_name_is_an_identifier(display_name in ".{0,120}") {
            let name = block_name("policy", &display_name);
            prop_assert!(name.starts_with(|first: char| first.is_ascii_lowercase()));
            prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
            prop_assert!(!RESERVED.contains(&name.as_str()));
        }

        #[test]
        fn names_are_unique_and_do_not_depend_on_the_order(
            display_names in prop::collection::vec("[aAbB ]{0,3}(_2|_3)?", 0..12),
            seed in any::<prop::sample::Index>(),
        ) {
            let objects: Vec<_> = display_names.iter().map(String::as_str).enumerate().collect();
            let names = assign("group", objects.clone(), &BTreeSet::new());
            let distinct: BTreeSet<_> = names.values().collect();
            prop_assert_eq!(distinct.len(), objects.len());
            let mut rotated = objects;
            if !rotated.is_empty() {
                let by = seed.index(rotated.len());
                rotated.rotate_left(by);
            }
            prop_assert_eq!(assign("group", rotated, &BTreeSet::new()), names);
        }
    }
}
