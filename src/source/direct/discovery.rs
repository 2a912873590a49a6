//! From a module path to the repository that has it.
//!
//! Some paths say it themselves (`hosts`). For all others the page at `https://PATH?go-get=1` is
//! asked for its `go-import` tags. A tag for a prefix of the path counts only if the page of that
//! prefix says the same: who controls a page below must not decide where its parent comes from.
//! Pages are asked once for all modules that need them.
//!
//! Over plain http, or from a server without a valid certificate, a page is taken only for modules
//! that GOINSECURE names. The system of the repository must be allowed by GOVCS.
//!
//! Source: golang/go `cmd/go/internal/vcs/vcs.go` (`RepoRootForImportPath`).

use std::io::Read as _;
use std::sync::Arc;

use super::govcs::VcsRules;
use super::hosts::{Address, repository_of_path};
use super::meta::{MetaImport, parse_meta_imports};
use super::recent::Recent;
use super::work;
use crate::error::{Error, Kind, Result};
use crate::gomod::PrefixPatterns;
use crate::http::{Client, PlainRequest, Reply, Url};

/// A longer page is read up to here: tags stand at its beginning.
const MAX_PAGE_BYTES: u64 = 4 << 20;

/// Where a module's repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RepositoryRoot {
    /// `git`, `hg`, `svn`, `fossil`; `mod` for a module proxy.
    pub(super) vcs: String,
    pub(super) url: String,
    /// The import path that the repository, or the folder of it, stands for.
    pub(super) root: String,
    /// The folder of the repository that belongs to `root`.
    pub(super) subdir: String,
}

/// Finds repositories.
pub(super) struct Discovery {
    client: Client,
    /// As `client`, for servers that need not prove who they are.
    insecure_client: Client,
    insecure: PrefixPatterns,
    rules: Result<VcsRules>,
    pages: Recent<(String, bool), Arc<MetaPage>, Error>,
}

/// The tags of a page.
struct MetaPage {
    url: String,
    imports: Vec<MetaImport>,
}

/// Protocols of each system in the order in which they are tried, and whether they are secure.
fn schemes(vcs: &str) -> &'static [(&'static str, bool)] {
    match vcs {
        "git" => &[
            ("git", false),
            ("https", true),
            ("http", false),
            ("git+ssh", true),
            ("ssh", true),
        ],
        "hg" => &[("https", true), ("http", false), ("ssh", true)],
        "svn" => &[
            ("https", true),
            ("http", false),
            ("svn", false),
            ("svn+ssh", true),
        ],
        _ => &[("https", true), ("http", false)],
    }
}

impl Discovery {
    pub(super) fn new(
        client: Client,
        insecure_client: Client,
        insecure: PrefixPatterns,
        rules: Result<VcsRules>,
    ) -> Discovery {
        Discovery {
            client,
            insecure_client,
            insecure,
            rules,
            pages: Recent::default(),
        }
    }

    /// The repository of a module. `answers` says whether there is one at a URL, for paths that
    /// do not say by which protocol.
    pub(super) fn find(
        &self,
        path: &str,
        answers: &dyn Fn(&str, &str) -> Result<()>,
    ) -> Result<RepositoryRoot> {
        let is_insecure = self.insecure.matches(path);
        let Some(known) = repository_of_path(path)? else {
            let found = self.ask(path, is_insecure);
            return found
                .map_err(|error| error.context(format!("unrecognized import path {path:?}")));
        };
        self.allow(known.vcs, &known.root)?;
        let url = match known.address {
            Address::Url(url) => url,
            Address::AnyScheme(rest) => {
                let mut first = None;
                let allowed = schemes(known.vcs)
                    .iter()
                    .filter(|(_, secure)| *secure || is_insecure);
                let found = allowed
                    .map(|(scheme, _)| format!("{scheme}://{rest}"))
                    .find(|url| match answers(known.vcs, url) {
                        Ok(()) => true,
                        Err(error) => {
                            first.get_or_insert(error);
                            false
                        }
                    });
                let secure = if is_insecure { "" } else { "secure " };
                let text = format!("no {secure}protocol found for repository");
                found.ok_or_else(|| match first {
                    Some(error) => Error::new(error.kind(), text).hint(error.chain()),
                    None => Error::new(Kind::NotFound, text),
                })?
            }
        };
        Ok(RepositoryRoot {
            vcs: known.vcs.to_owned(),
            url,
            root: known.root,
            subdir: String::new(),
        })
    }

    fn allow(&self, vcs: &str, root: &str) -> Result<()> {
        if vcs == "bzr" {
            let text = format!("{root}: Bazaar is not supported: go 1.27 dropped it");
            return Err(Error::new(Kind::Other, text)
                .hint("fetch the module through a proxy, such as proxy.golang.org"));
        }
        match &self.rules {
            Ok(rules) => rules.check(vcs, root),
            Err(error) => Err(error.clone()),
        }
    }

    fn ask(&self, path: &str, is_insecure: bool) -> Result<RepositoryRoot> {
        let page = self.page(path, is_insecure)?;
        let import = match_import(&page.imports, path, &page.url)?;
        if import.prefix != path {
            let root = self.page(&import.prefix, is_insecure)?;
            let agrees = match_import(&root.imports, path, &root.url);
            if agrees.ok() != Some(import) {
                let (one, other, prefix) = (&page.url, &root.url, &import.prefix);
                let text = format!("{one} and {other} disagree about go-import for {prefix}");
                return Err(Error::new(Kind::NotFound, text));
            }
        }
        let MetaImport {
            prefix,
            vcs,
            root,
            subdir,
        } = import.clone();
        let refused = |text: String| Error::new(Kind::NotFound, format!("{}: {text}", page.url));
        if let Some(reason) = wrong_subdir(&subdir) {
            return Err(refused(format!(
                "invalid subdirectory {subdir:?}: {reason}"
            )));
        }
        if let Some(reason) = wrong_root(&root) {
            let shown = crate::proc::redact(&root, &[]);
            return Err(refused(format!("invalid repo root {shown:?}: {reason}")));
        }
        match vcs.as_str() {
            "mod" => {}
            "git" | "hg" | "svn" | "fossil" | "bzr" => self.allow(&vcs, &prefix)?,
            _ => return Err(refused(format!("unknown vcs {vcs:?}"))),
        }
        Ok(RepositoryRoot {
            vcs,
            url: root,
            root: prefix,
            subdir,
        })
    }

    fn page(&self, path: &str, is_insecure: bool) -> Result<Arc<MetaPage>> {
        let key = (path.to_owned(), is_insecure);
        self.pages
            .get(key, || self.fetch_page(path, is_insecure).map(Arc::new))
    }

    fn fetch_page(&self, path: &str, is_insecure: bool) -> Result<MetaPage> {
        let (host, below) = path.split_once('/').unwrap_or((path, ""));
        if !host.contains('.') {
            let text = "import path does not begin with hostname";
            return Err(Error::new(Kind::NotFound, text));
        }
        let url = |scheme: &str| Url::parse(&format!("{scheme}://{host}/{below}?go-get=1"));
        let get = |client: &Client, url: &Url| {
            work::bound(client).ask(&PlainRequest {
                method: "GET",
                url,
                headers: &[],
                body: None,
            })
        };
        let secure = url("https")?;
        let (asked, reply) = match is_insecure {
            false => {
                let reply =
                    get(&self.client, &secure).map_err(|error| error.context("https fetch"))?;
                (secure, reply)
            }
            true => match get(&self.insecure_client, &secure) {
                Ok(reply) => (secure, reply),
                Err(_) => {
                    let plain = url("http")?;
                    let reply = get(&self.client, &plain);
                    (
                        plain,
                        reply.map_err(|error| error.context("http/https fetch"))?,
                    )
                }
            },
        };
        read_page(asked.to_string(), path, reply)
    }
}

/// Takes the tags out of an answer. Its status counts only if there are none.
fn read_page(url: String, path: &str, reply: Reply) -> Result<MetaPage> {
    let mut bytes = Vec::new();
    // A page that breaks off behind its tags is good enough.
    let read = reply.body.take(MAX_PAGE_BYTES).read_to_end(&mut bytes);
    let parsed = parse_meta_imports(&String::from_utf8_lossy(&bytes));
    let empty = parsed.as_ref().map_or(true, Vec::is_empty);
    if let Some(error) = reply.error.filter(|_| empty) {
        return Err(error);
    }
    if let Err(cause) = read
        && empty
    {
        return Err(Error::new(Kind::Network, format!("reading {url}"))
            .because(cause)
            .transient());
    }
    let imports =
        parsed.map_err(|reason| Error::new(Kind::NotFound, format!("parsing {path}: {reason}")))?;
    Ok(MetaPage { url, imports })
}

/// The one tag for a path.
fn match_import<'i>(imports: &'i [MetaImport], path: &str, url: &str) -> Result<&'i MetaImport> {
    let mut found: Option<&MetaImport> = None;
    let mut others = Vec::new();
    for import in imports {
        if !has_prefix(path, &import.prefix) {
            let other = &import.prefix;
            others.push(format!("meta tag {other} did not match import path {path}"));
            continue;
        }
        match found {
            None => found = Some(import),
            // Tags of module proxies come first, and supersede what follows.
            Some(first) if first.vcs == "mod" && import.vcs != "mod" => break,
            Some(_) => {
                let text = format!("parse {url}: multiple meta tags match import path {path:?}");
                return Err(Error::new(Kind::NotFound, text));
            }
        }
    }
    found.ok_or_else(|| {
        let others = others.join(", ");
        let text = format!("parse {url}: no go-import meta tags ({others})");
        Error::new(Kind::NotFound, text)
    })
}

/// True if `path` is `prefix`, or below it.
pub(super) fn has_prefix(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

fn wrong_subdir(subdir: &str) -> Option<&'static str> {
    match subdir.bytes().next() {
        Some(b'/') => Some("leading slash"),
        Some(b'-') => Some("leading hyphen"),
        _ if subdir.split('/').any(|element| element == "..") => {
            Some("leads out of the repository")
        }
        _ => None,
    }
}

fn wrong_root(root: &str) -> Option<&'static str> {
    let scheme = root.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |text: &&str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(letters)
    };
    match scheme.filter(is_scheme) {
        None => Some("no scheme"),
        Some(scheme) if scheme.eq_ignore_ascii_case("file") => Some("file scheme disallowed"),
        Some(_) if root.bytes().any(|byte| byte < b' ' || byte == 0x7f) => {
            Some("net/url: invalid control character in URL")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(prefix: &str, vcs: &str) -> MetaImport {
        MetaImport {
            prefix: prefix.to_owned(),
            vcs: vcs.to_owned(),
            root: "https://h/x".to_owned(),
            subdir: String::new(),
        }
    }

    /// Texts of go1.26.8.
    #[test]
    fn one_tag_has_to_match() {
        let url = "https://w.test/x?go-get=1";
        let matched = |imports: &[MetaImport], path: &str| {
            let found = match_import(imports, path, url);
            found
                .map(|import| import.vcs.clone())
                .map_err(|error| error.chain())
        };
        let (git, proxy) = (import("w.test/x", "git"), import("w.test/x", "mod"));
        assert_eq!(
            matched(std::slice::from_ref(&git), "w.test/x/y").unwrap(),
            "git"
        );
        assert_eq!(matched(&[proxy, git.clone()], "w.test/x").unwrap(), "mod");
        assert_eq!(
            matched(&[git.clone(), git.clone()], "w.test/x").unwrap_err(),
            "parse https://w.test/x?go-get=1: multiple meta tags match import path \"w.test/x\""
        );
        assert_eq!(
            matched(&[git], "w.test/xy").unwrap_err(),
            "parse https://w.test/x?go-get=1: no go-import meta tags (meta tag w.test/x did not \
             match import path w.test/xy)"
        );
    }

    #[test]
    fn roots_are_urls_and_folders_are_within() {
        for (root, want) in [
            ("https://h/x", None),
            ("git+ssh://h/x", None),
            ("v.test/git/tags", Some("no scheme")),
            ("file:///etc", Some("file scheme disallowed")),
            ("-x:y", Some("no scheme")),
            (
                "https://h/\u{1}",
                Some("net/url: invalid control character in URL"),
            ),
        ] {
            assert_eq!(wrong_root(root), want, "{root}");
        }
        for (subdir, want) in [
            ("", None),
            ("a/b", None),
            ("/a", Some("leading slash")),
            ("-a", Some("leading hyphen")),
            ("a/../..", Some("leads out of the repository")),
        ] {
            assert_eq!(wrong_subdir(subdir), want, "{subdir}");
        }
    }
}
