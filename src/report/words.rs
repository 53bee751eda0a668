//! Numbers, lists and durations as people say them.

/// `1 policy`, `2 policies`.
pub fn count(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{} {}", number(count), plural(one))
    }
}

/// More than one of a thing.
pub fn plural(one: &str) -> String {
    if let Some(stem) = one.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    format!("{one}s")
}

/// A number with thousands set apart: `2,000`.
pub fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// The first few of a list, and how many more there are: `a, b and 3 more`.
pub fn first_few<T: AsRef<str>>(items: &[T], few: usize) -> String {
    // One more takes no more room than saying that there is one more.
    if items.len() <= few + 1 {
        return list(items);
    }
    let mut shown: Vec<String> = items
        .iter()
        .take(few)
        .map(|item| item.as_ref().to_owned())
        .collect();
    shown.push(format!("{} more", number(items.len() - few)));
    list(&shown)
}

/// The first few of a list as the language writes it, and how many more there are: `[a, b, 3 more]`.
pub fn bracketed<T: AsRef<str>>(items: &[T], few: usize) -> String {
    let cut = if items.len() > few + 1 { few } else { items.len() };
    let mut shown: Vec<String> = items
        .iter()
        .take(cut)
        .map(|item| item.as_ref().to_owned())
        .collect();
    if cut < items.len() {
        shown.push(format!("{} more", number(items.len() - cut)));
    }
    format!("[{}]", shown.join(", "))
}

/// About how long a number of seconds is: `about 4 minutes`.
pub fn about(seconds: u64) -> String {
    match seconds {
        0 => "less than a second".to_owned(),
        1 => "about a second".to_owned(),
        2..=49 => format!("about {seconds} seconds"),
        50..=89 => "about a minute".to_owned(),
        90..=3299 => format!("about {} minutes", (seconds + 30) / 60),
        3300..=5399 => "about an hour".to_owned(),
        _ => format!("about {} hours", (seconds + 1800) / 3600),
    }
}

/// How long something took: `0.3s`, `12s`, `3m 20s`.
pub fn took(elapsed: std::time::Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..=9 => format!("{:.1}s", elapsed.as_secs_f64().max(0.1)),
        10..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The text with a capital first letter.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn counts_and_lists_read_as_people_speak() {
        assert_eq!(count(1, "policy"), "1 policy");
        assert_eq!(count(2000, "policy"), "2,000 policies");
        assert_eq!(plural("key"), "keys");
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(first_few(&["a", "b", "c"], 2), "a, b and c");
        assert_eq!(first_few(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(bracketed(&["a", "b", "c", "d"], 2), "[a, b, 2 more]");
    }

    #[test]
    fn durations_are_rounded_to_what_matters() {
        assert_eq!(about(0), "less than a second");
        assert_eq!(about(40), "about 40 seconds");
        assert_eq!(about(61), "about a minute");
        assert_eq!(about(239), "about 4 minutes");
        assert_eq!(about(7200), "about 2 hours");
        assert_eq!(took(Duration::from_millis(42)), "0.1s");
        assert_eq!(took(Duration::from_millis(1230)), "1.2s");
        assert_eq!(took(Duration::from_secs(200)), "3m 20s");
    }
}
