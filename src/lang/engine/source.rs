//! The `source` of a module: a local folder, a pinned git revision, or one that comes with capol.

use std::path::PathBuf;

use crate::lang::loader::RemoteSource;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    Local(PathBuf),
    Remote(RemoteSource),
}

/// What a source says, or what is wrong with it and what to do.
pub(super) fn parse_source(text: &str) -> Result<Source, (String, String)> {
    if text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") {
        return Ok(Source::Local(PathBuf::from(text)));
    }
    if let Some(name) = text.strip_prefix("capol:") {
        return Ok(Source::Remote(RemoteSource::Builtin {
            name: name.to_owned(),
        }));
    }
    if let Some(address) = text.strip_prefix("git::") {
        return git(text, address).map(Source::Remote);
    }
    let message = format!("`{text}` is not a source of a module");
    let help = if text.starts_with("https://") || text.starts_with("ssh://") || text.starts_with("git@") {
        format!("write `git::{text}?ref=v1.0.0`")
    } else if text.starts_with("github.com/") || text.starts_with("gitlab.com/") {
        format!("write `git::https://{text}?ref=v1.0.0`")
    } else if text.starts_with('/') {
        "write a path from the folder of this file, starting with `./` or `../`".into()
    } else {
        format!("write `./{text}` for a folder, or `git::https://…?ref=v1.0.0`")
    };
    Err((message, help))
}

/// Names that are branches by all custom, and so no pin.
const BRANCHES: [&str; 6] = ["main", "master", "develop", "trunk", "HEAD", "latest"];

/// `https://host/repository.git//folder?ref=REVISION`; the folder may also follow the revision.
fn git(text: &str, address: &str) -> Result<RemoteSource, (String, String)> {
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let (query, late_folder) = query.split_once("//").unwrap_or((query, ""));
    let scheme_end = place.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = place.split_at_checked(scheme_end).unwrap_or(("", place));
    let (repository, folder) = rest.split_once("//").unwrap_or((rest, ""));
    let folder = if folder.is_empty() { late_folder } else { folder };
    let revision = query
        .split('&')
        .find_map(|part| part.strip_prefix("ref="))
        .unwrap_or_default();
    let url = format!("{scheme}{repository}");
    if repository.is_empty() {
        return Err((
            format!("`{text}` names no repository"),
            "write `git::https://…?ref=v1.0.0`".into(),
        ));
    }
    let pinned = |revision: &str| {
        let folder = if folder.is_empty() {
            String::new()
        } else {
            format!("//{folder}")
        };
        format!("write `git::{url}{folder}?ref={revision}` with a tag or a full commit hash")
    };
    if revision.is_empty() {
        return Err((format!("`{text}` is not pinned to a revision"), pinned("v1.0.0")));
    }
    if BRANCHES.contains(&revision) || revision.starts_with("refs/heads/") {
        return Err((format!("`{revision}` is a branch, which moves"), pinned("v1.0.0")));
    }
    let hexadecimal = revision.len() >= 7 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal && revision.len() != 40 && revision.len() != 64 {
        return Err((
            format!("`{revision}` is a shortened commit hash"),
            pinned("FULL_HASH"),
        ));
    }
    if folder.split('/').any(|part| part == "..") {
        return Err((
            format!("the folder `{folder}` leads out of the repository"),
            "name a folder inside of it".into(),
        ));
    }
    Ok(RemoteSource::Git {
        url,
        folder: folder.trim_matches('/').to_owned(),
        revision: revision.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match parse_source(text) {
            Ok(Source::Local(path)) => format!("local {}", path.display()),
            Ok(Source::Remote(RemoteSource::Git {
                url,
                folder,
                revision,
            })) => format!("git {url} [{folder}] {revision}"),
            Ok(Source::Remote(RemoteSource::Builtin { name })) => format!("builtin {name}"),
            Err((message, _)) => message,
        }
    }

    #[test]
    fn a_source_is_a_folder_a_pinned_revision_or_built_in() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        for (text, expected) in [
            ("./a", "local ./a".to_owned()),
            ("../b/c", "local ../b/c".to_owned()),
            (
                "capol:baseline/zero-trust",
                "builtin baseline/zero-trust".to_owned(),
            ),
            (
                "git::https://example.com/r.git?ref=v1.2.0",
                "git https://example.com/r.git [] v1.2.0".to_owned(),
            ),
            (
                "git::https://example.com/r.git//a/b?ref=v1",
                "git https://example.com/r.git [a/b] v1".to_owned(),
            ),
            (
                &format!("git::https://example.com/r?ref={hash}//a"),
                format!("git https://example.com/r [a] {hash}"),
            ),
            (
                "git::ssh://git@example.com/r.git?ref=v1",
                "git ssh://git@example.com/r.git [] v1".to_owned(),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_moves_is_refused() {
        for (text, expected) in [
            (
                "git::https://example.com/r.git",
                "`git::https://example.com/r.git` is not pinned to a revision",
            ),
            (
                "git::https://example.com/r.git?ref=main",
                "`main` is a branch, which moves",
            ),
            (
                "git::https://example.com/r.git?ref=0123456789ab",
                "`0123456789ab` is a shortened commit hash",
            ),
            ("git::?ref=v1", "`git::?ref=v1` names no repository"),
            (
                "git::https://example.com/r//../x?ref=v1",
                "the folder `../x` leads out of the repository",
            ),
            ("modules/a", "`modules/a` is not a source of a module"),
            (
                "https://example.com/r.git",
                "`https://example.com/r.git` is not a source of a module",
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
