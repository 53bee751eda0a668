//! GUIDs as text: Graph's ids, which no two tools write in the same case.

/// Whether `text` is a GUID in the form Graph uses: 8-4-4-4-12 hexadecimal
/// digits in any case, without braces or blanks.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    let mut groups = text.split('-');
    let well_formed = [8, 4, 4, 4, 12].into_iter().all(|length| {
        groups
            .next()
            .is_some_and(|group| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    well_formed && groups.next().is_none()
}

/// The lower-case form of a GUID; `None` when `text` is none.
#[must_use]
pub fn normalize(text: &str) -> Option<String> {
    is_guid(text).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_form_that_graph_uses_is_a_guid() {
        let cases = [
            ("62e90394-69f5-4237-9190-012177145e10", true),
            ("62E90394-69F5-4237-9190-012177145E10", true),
            ("00000000-0000-0000-0000-000000000000", true),
            ("{62e90394-69f5-4237-9190-012177145e10}", false),
            ("62e9039469f542379190012177145e10", false),
            ("62e90394-69f5-4237-9190-012177145e1", false),
            ("62e90394-69f5-4237-9190-012177145e10-", false),
            ("62e90394-69f5-4237-9190-012177145g10", false),
            (" 62e90394-69f5-4237-9190-012177145e10", false),
            ("<RING>", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_guid(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_uuid_is_one_and_normalizes_to_itself(bits: u128) {
            let text = uuid::Uuid::from_u128(bits).to_string();
            prop_assert_eq!(normalize(&text.to_uppercase()), Some(text));
        }
    }
}
