//! The name somebody probably meant.

/// The choice most like `word`, if one is like it enough: no suggestion beats a silly one.
pub fn nearest<'c>(word: &str, choices: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = word.to_lowercase().replace('-', "_");
    choices
        .into_iter()
        .map(|choice| (strsim::jaro_winkler(&folded, &choice.to_lowercase()), choice))
        .filter(|(score, choice)| *score >= 0.8 && *choice != word)
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.cmp(left)))
        .map(|(_, choice)| choice)
}

/// The choices as a message lists them: `a`, `b` and `c`, at most `limit` of them.
pub fn listed<'c>(choices: impl IntoIterator<Item = &'c str>, limit: usize) -> String {
    let all: Vec<&str> = choices.into_iter().collect();
    let hidden = all.len().saturating_sub(limit);
    let mut shown: Vec<String> = all.iter().take(limit).map(|choice| format!("`{choice}`")).collect();
    if hidden > 0 {
        shown.push(format!("{hidden} more"));
    }
    match shown.pop() {
        None => String::new(),
        Some(last) if shown.is_empty() => last,
        Some(last) => format!("{} and {last}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let states = ["enabled", "report_only", "disabled"];
        assert_eq!(nearest("enable", states), Some("enabled"));
        assert_eq!(nearest("report-only", states), Some("report_only"));
        assert_eq!(nearest("banana", states), None);
    }

    #[test]
    fn choices_read_as_a_sentence() {
        assert_eq!(listed(["a"], 5), "`a`");
        assert_eq!(listed(["a", "b", "c"], 5), "`a`, `b` and `c`");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
        assert_eq!(listed([], 2), "");
    }
}
