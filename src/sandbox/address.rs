//! Taking an address apart: segments of the path and options of the query.

/// Returns the decoded segments of a path, `name('key')` as two, and the decoded options of a query.
pub(super) fn parse(path: &str, query: &str) -> (Vec<String>, Vec<(String, String)>) {
    let mut segments = Vec::new();
    for raw in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = decoded(raw);
        match segment
            .split_once('(')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)))
        {
            Some((name, key)) if !key.is_empty() => {
                segments.push(name.to_owned());
                let bare = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\''));
                segments.push(bare.unwrap_or(key).to_owned());
            }
            _ => segments.push(segment),
        }
    }
    let options = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    (segments, options)
}

/// Decodes `%xx`; a plus sign stays what it is in a path.
fn decoded(segment: &str) -> String {
    let escaped = segment
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('&', "%26");
    url::form_urlencoded::parse(escaped.as_bytes())
        .map(|(name, _)| name.into_owned())
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_escapes_are_understood() {
        let rows = [
            (
                "/v1.0/users/ada@contoso.com",
                vec!["v1.0", "users", "ada@contoso.com"],
            ),
            (
                "/v1.0/users/ada%40contoso.com",
                vec!["v1.0", "users", "ada@contoso.com"],
            ),
            ("/beta/policies('a-b')", vec!["beta", "policies", "a-b"]),
            (
                "/v1.0/servicePrincipals(appId='x')",
                vec!["v1.0", "servicePrincipals", "appId='x'"],
            ),
            ("/v1.0/a/usage()", vec!["v1.0", "a", "usage()"]),
        ];
        for (path, segments) in rows {
            assert_eq!(parse(path, "").0, segments, "{path}");
        }
        let (_, options) = parse("/", "$filter=displayName%20eq%20'a%26b'&$top=5");
        assert_eq!(options[0].1, "displayName eq 'a&b'");
        assert_eq!(options[1], ("$top".to_owned(), "5".to_owned()));
    }
}
