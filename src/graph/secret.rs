//! Text that must never be printed.

use std::fmt;

/// A secret text: an access token, a client secret, a private key.
///
/// It has no `Display`, and its `Debug` prints `…`. Whoever needs the text says so with [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in; surrounding white space is no part of a secret (files and variables end in newlines).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().trim().to_owned())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` with every occurrence of this secret replaced, for texts that a server sent back.
    pub fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() {
            text.to_owned()
        } else {
            text.replace(&self.0, "…")
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let secret = Secret::new("hunter2\n");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "… Some(…)");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn scrubbing_takes_the_secret_out_of_an_echo() {
        assert_eq!(Secret::new("abc").scrub("bad token abc, abc"), "bad token …, …");
        assert_eq!(Secret::new("").scrub("unchanged"), "unchanged");
    }
}
