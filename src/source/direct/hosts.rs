//! Import paths that say by themselves where the repository is: those of well-known hosts, and
//! those with `.git`, `.hg`, `.svn` or `.fossil` in them.
//!
//! Source: golang/go `cmd/go/internal/vcs/vcs.go`, `vcsPaths`.

use crate::error::{Error, Kind, Result};

/// What a path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathRoot {
    pub(super) vcs: &'static str,
    /// The import path of the repository.
    pub(super) root: String,
    pub(super) address: Address,
}

/// Where the repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Url(String),
    /// Below host and path by one of the system's protocols, which has to be found out.
    AnyScheme(String),
}

const SUFFIXES: [(&str, &str); 5] = [
    (".bzr", "bzr"),
    (".fossil", "fossil"),
    (".git", "git"),
    (".hg", "hg"),
    (".svn", "svn"),
];

/// True for `[\w.-]+`.
fn is_plain(element: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !element.is_empty() && element.bytes().all(is_plain)
}

/// What a path says of its repository; `None` if a page has to be asked.
///
/// # Errors
/// A path that no repository of a well-known host can have.
pub(super) fn repository_of_path(path: &str) -> Result<Option<PathRoot>> {
    let elements: Vec<&str> = path.split('/').collect();
    let host = elements.first().copied().unwrap_or_default();
    let known: Option<(&str, &'static str, usize)> = match host {
        "github.com" | "bitbucket.org" => Some((host, "git", 3)),
        "hub.jazz.net" if elements.get(1) == Some(&"git") => Some(("hub.jazz.net/git", "git", 4)),
        "git.apache.org" => Some((host, "git", 2)),
        "git.openstack.org" => Some((host, "git", 3)),
        "chiselapp.com" => Some((host, "fossil", 5)),
        _ => None,
    };
    let Some((prefix, vcs, length)) = known else {
        return Ok(with_suffix(&elements));
    };
    let invalid = || {
        let text = format!("invalid {prefix} import path {path:?}");
        Error::new(Kind::NotFound, text)
    };
    let root = elements.get(..length).ok_or_else(invalid)?;
    let mut fits = elements.iter().skip(1).all(|element| is_plain(element));
    match host {
        "chiselapp.com" => {
            fits &= elements.len() == length
                && elements.get(1) == Some(&"user")
                && elements.get(3) == Some(&"repository");
        }
        "git.apache.org" => {
            fits &= root
                .last()
                .is_some_and(|name| name.ends_with(".git") && name.len() > 4);
        }
        _ => {}
    }
    if !fits {
        return Err(invalid());
    }
    let mut root = root.join("/");
    if host == "git.openstack.org" && root.ends_with(".git") {
        root.truncate(root.len() - ".git".len());
    } else if host != "git.apache.org"
        && host != "chiselapp.com"
        && host != "git.openstack.org"
        && SUFFIXES.iter().any(|(suffix, _)| root.ends_with(suffix))
    {
        let text = format!("invalid version control suffix in {prefix}/ path");
        return Err(Error::new(Kind::NotFound, text));
    }
    Ok(Some(PathRoot {
        vcs,
        address: Address::Url(format!("https://{root}")),
        root,
    }))
}

/// The first element that ends in the name of a system, behind the host.
fn with_suffix(elements: &[&str]) -> Option<PathRoot> {
    let (host, rest) = elements.split_first()?;
    let is_host = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    if !host.contains('.') || !host.bytes().all(is_host) {
        return None;
    }
    let fits = |element: &str| is_plain(element.strip_prefix('~').unwrap_or(element));
    if !rest.iter().all(|element| fits(element)) {
        return None;
    }
    let (place, suffix, vcs) = rest.iter().enumerate().find_map(|(place, element)| {
        let element = element.strip_prefix('~').unwrap_or(element);
        let suffix = SUFFIXES
            .iter()
            .find(|(suffix, _)| element.len() > suffix.len() && element.ends_with(suffix));
        suffix.map(|(suffix, vcs)| (place, *suffix, *vcs))
    })?;
    let root = elements.get(..place + 2)?.join("/");
    let address = root.strip_suffix(suffix)?.to_owned();
    Some(PathRoot {
        vcs,
        address: Address::AnyScheme(address),
        root,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: golang/go `cmd/go/internal/vcs/vcs_test.go`, and runs of go1.26.8.
    #[test]
    fn paths_lead_where_they_lead_for_go() {
        let rows = [
            (
                "github.com/golang/groupcache",
                "git github.com/golang/groupcache https://github.com/golang/groupcache",
            ),
            (
                "github.com/user/repo/sub/v2",
                "git github.com/user/repo https://github.com/user/repo",
            ),
            (
                "github.com/user",
                "invalid github.com import path \"github.com/user\"",
            ),
            (
                "github.com/user/unicode~/x",
                "invalid github.com import path \"github.com/user/unicode~/x\"",
            ),
            (
                "github.com/user/repo.git/x",
                "invalid version control suffix in github.com/ path",
            ),
            (
                "bitbucket.org/workspace/pkgname",
                "git bitbucket.org/workspace/pkgname https://bitbucket.org/workspace/pkgname",
            ),
            (
                "hub.jazz.net/git/user/pkg/sub",
                "git hub.jazz.net/git/user/pkg https://hub.jazz.net/git/user/pkg",
            ),
            (
                "git.openstack.org/openstack/swift.git/x",
                "git git.openstack.org/openstack/swift https://git.openstack.org/openstack/swift",
            ),
            (
                "git.apache.org/package-name.git/path",
                "git git.apache.org/package-name.git https://git.apache.org/package-name.git",
            ),
            (
                "git.apache.org/package-name/path",
                "invalid git.apache.org import path \"git.apache.org/package-name/path\"",
            ),
            (
                "chiselapp.com/user/kyle/repository/fossilgg",
                "fossil chiselapp.com/user/kyle/repository/fossilgg https://chiselapp.com/user/kyle/repository/fossilgg",
            ),
            (
                "v.test/a/repo.git/sub",
                "git v.test/a/repo.git *://v.test/a/repo",
            ),
            (
                "v.test/~u/repo.hg",
                "hg v.test/~u/repo.hg *://v.test/~u/repo",
            ),
            ("v.test/x.svn/y.git", "svn v.test/x.svn *://v.test/x"),
            ("v.test/x.bzr/y", "bzr v.test/x.bzr *://v.test/x"),
            ("v.test/.git/y", "-"),
            ("v.test/a/b", "-"),
            ("gopkg.in/yaml.v3", "-"),
        ];
        for (path, want) in rows {
            let found = match repository_of_path(path) {
                Ok(None) => "-".to_owned(),
                Ok(Some(PathRoot {
                    vcs,
                    root,
                    address: Address::Url(url),
                })) => format!("{vcs} {root} {url}"),
                Ok(Some(PathRoot {
                    vcs,
                    root,
                    address: Address::AnyScheme(rest),
                })) => format!("{vcs} {root} *://{rest}"),
                Err(error) => error.chain(),
            };
            assert_eq!(found, want, "{path}");
        }
    }
}
