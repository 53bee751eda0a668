//! Addresses as text: what lies under what.

/// The parts between the dots that are outside brackets and quotes; none when the text is no address.
pub(super) fn segments(address: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut bracket = false;
    let mut quoted = false;
    let mut escaped = false;
    for (at, character) in address.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if bracket => quoted = !quoted,
            _ if quoted => {}
            '[' if !bracket => bracket = true,
            ']' if bracket => bracket = false,
            '.' if !bracket => {
                parts.push(address.get(start..at)?);
                start = at + 1;
            }
            '[' | ']' | '"' | ' ' => return None,
            _ => {}
        }
    }
    if bracket || quoted {
        return None;
    }
    parts.push(address.get(start..)?);
    let whole = parts.len() >= 2 && parts.iter().all(|part| !part.is_empty());
    whole.then_some(parts)
}

/// The kind of thing an address names: `policy`, `location`, or `module` for a whole module.
pub(super) fn kind(address: &str) -> Option<&str> {
    let parts = segments(address)?;
    let mut rest = parts.as_slice();
    while let ["module", _name, inner @ ..] = rest {
        rest = inner;
    }
    match rest {
        [] => Some("module"),
        [kind, _name] if !kind.contains('[') => Some(kind),
        _ => None,
    }
}

/// What follows `prefix` when `address` is it, one of its `for_each` members, or inside that module.
pub(super) fn under<'a>(address: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = address.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('.') || rest.starts_with('[')).then_some(rest)
}
