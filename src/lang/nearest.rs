//! The name somebody probably meant, and lists of names in messages.

pub use crate::model::catalogue::nearest;

/// The choices as a message lists them: `a`, `b` and `c`, at most `limit` of them.
pub fn listed<'c>(choices: impl IntoIterator<Item = &'c str>, limit: usize) -> String {
    joined(choices, limit, "and")
}

/// The choices of which one is to be written: `a`, `b` or `c`, at most `limit` of them.
pub fn either<'c>(choices: impl IntoIterator<Item = &'c str>, limit: usize) -> String {
    joined(choices, limit, "or")
}

fn joined<'c>(choices: impl IntoIterator<Item = &'c str>, limit: usize, last: &str) -> String {
    let all: Vec<&str> = choices.into_iter().collect();
    let hidden = all.len().saturating_sub(limit);
    let mut shown: Vec<String> = all
        .iter()
        .take(limit)
        .map(|choice| format!("`{choice}`"))
        .collect();
    if hidden > 0 {
        shown.push(format!("{hidden} more"));
    }
    match shown.pop() {
        None => String::new(),
        Some(only) if shown.is_empty() => only,
        Some(end) => format!("{} {last} {end}", shown.join(", ")),
    }
}

/// A help that names the nearest choice, or else lists them; `otherwise` where there are none.
///
/// `prefix` is what stands before a choice when it is written, such as `var.`.
pub fn write_one_of<'c>(
    word: &str,
    prefix: &str,
    choices: impl IntoIterator<Item = &'c str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    let choices: Vec<&str> = choices.into_iter().collect();
    if let Some(near) = nearest(word, choices.iter().copied()) {
        return format!("write `{prefix}{near}`");
    }
    if choices.is_empty() {
        return otherwise();
    }
    let full: Vec<String> = choices.iter().map(|choice| format!("{prefix}{choice}")).collect();
    format!("write {}", either(full.iter().map(String::as_str), 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_read_as_a_sentence() {
        assert_eq!(listed(["a"], 5), "`a`");
        assert_eq!(listed(["a", "b", "c"], 5), "`a`, `b` and `c`");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
        assert_eq!(listed([], 2), "");
        assert_eq!(either(["a", "b", "c"], 5), "`a`, `b` or `c`");
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name_and_a_stranger_with_all() {
        let help = |word| write_one_of(word, "var.", ["state", "owner"], String::new);
        assert_eq!(help("sate"), "write `var.state`");
        assert_eq!(help("banana"), "write `var.state` or `var.owner`");
        assert_eq!(write_one_of("x", "", [], || "declare it".into()), "declare it");
    }
}
