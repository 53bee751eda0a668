//! Ranges of versions, in Terraform's notation.

/// Whether the version lies in the range; nothing when the range cannot be read.
///
/// A range is a list of `>=`, `<=`, `>`, `<`, `=`, `!=` or `~>` with a version, joined by commas.
pub(super) fn satisfies(version: &str, range: &str) -> Option<bool> {
    let version = numbers(version)?;
    let mut all = true;
    for part in range.split(',') {
        let part = part.trim();
        let at = part.find(|c: char| c.is_ascii_digit())?;
        let (operator, wanted) = part.split_at_checked(at)?;
        let precision = wanted.split('.').count();
        let wanted = numbers(wanted)?;
        all &= match operator.trim() {
            "" | "=" => version == wanted,
            "!=" => version != wanted,
            ">=" => version >= wanted,
            "<=" => version <= wanted,
            ">" => version > wanted,
            "<" => version < wanted,
            "~>" => {
                let next = match precision {
                    0..=2 => [wanted[0] + 1, 0, 0],
                    _ => [wanted[0], wanted[1] + 1, 0],
                };
                version >= wanted && version < next
            }
            _ => return None,
        };
    }
    Some(all)
}

/// Major, minor and patch; those left out are 0.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let mut out = [0; 3];
    let mut parts = text.trim().split('.');
    for slot in &mut out {
        match parts.next() {
            Some(part) => *slot = part.parse().ok()?,
            None => break,
        }
    }
    parts.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::satisfies;

    #[test]
    fn a_version_lies_in_the_ranges_terraform_would_say() {
        for (range, expected) in [
            (">= 0.1", true),
            ("~> 0.1", true),
            ("~> 0.1.0", true),
            ("~> 0.0.9", false),
            ("~> 1.0", false),
            (">= 0.1, < 0.2", true),
            (">= 0.1, < 0.1.5", false),
            ("0.1.5", true),
            ("= 0.1.4", false),
            ("!= 0.1.4", true),
        ] {
            assert_eq!(satisfies("0.1.5", range), Some(expected), "{range}");
        }
        for range in ["", "latest", ">= x", "=> 1", "1.2.3.4"] {
            assert_eq!(satisfies("0.1.5", range), None, "{range}");
        }
    }
}
