//! What is the same in every tenant, and so needs no look-up: directory roles,
//! well-known applications, authentication strengths, countries.

pub mod apps;
#[cfg(test)]
pub(crate) mod corpus;
pub mod countries;
pub mod guids;
pub mod roles;
pub mod strengths;

/// The candidate that somebody who wrote `word` most likely meant.
///
/// Compares without case. A candidate is near when at most a third of the word
/// has to change, and one letter always may. Ties go to the first candidate, so
/// that the answer does not depend on more than the order given.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typing_error_is_recognised_and_a_stranger_is_not() {
        let names = ["global_administrator", "global_reader", "security_administrator"];
        assert_eq!(
            nearest("global_adminstrator", names),
            Some("global_administrator")
        );
        assert_eq!(nearest("Global_Reader", names), Some("global_reader"));
        assert_eq!(nearest("hr", names), None);
    }
}
