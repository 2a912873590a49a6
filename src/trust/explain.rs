//! Who says what of one module version, who of them is odd, why that may be, and what to do.
//!
//! Pure: the evidence is gathered elsewhere. The rules of judgement, in this order:
//! 1. The checksum database decides: it is signed, and says the same to everybody for ever.
//! 2. Without its word, what two of go.sum, the cache and the proxy agree on.
//! 3. Otherwise no witness is right, and the report says so.
//!
//! The pieces of a cache entry are one witness where they agree, because who altered one of them
//! could alter the others as well.

use std::fmt;

use super::policy::SumPart;
use crate::error::{Error, Kind};
use crate::gomod::modfile::EMPTY_GO_MOD;

/// A witness that knows a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashSource {
    /// The line of go.sum.
    GoSum,
    /// What the checksum database has logged, proven.
    Database,
    /// The hash that was recorded beside the cached zip.
    Ziphash,
    /// The cached zip, hashed now.
    Zip,
    /// The unpacked directory, hashed now.
    Directory,
    /// The cached go.mod, hashed now.
    Mod,
    /// What the proxy serves, hashed now.
    Proxy,
}

impl HashSource {
    /// The name in JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            HashSource::GoSum => "GoSum",
            HashSource::Database => "Database",
            HashSource::Ziphash => "ZipHash",
            HashSource::Zip => "Zip",
            HashSource::Directory => "Dir",
            HashSource::Mod => "Mod",
            HashSource::Proxy => "Proxy",
        }
    }

    fn is_cache(self) -> bool {
        use HashSource::{Directory, Mod, Zip, Ziphash};
        matches!(self, Ziphash | Zip | Directory | Mod)
    }
}

impl fmt::Display for HashSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HashSource::GoSum => "go.sum",
            HashSource::Database => "database",
            HashSource::Ziphash => "cached ziphash",
            HashSource::Zip => "cached zip",
            HashSource::Directory => "directory",
            HashSource::Mod => "cached go.mod",
            HashSource::Proxy => "proxy",
        })
    }
}

/// What a witness said.
#[derive(Clone, Debug)]
pub enum HashReport {
    /// This sum.
    Sum(String),
    /// Nothing, for this reason that is no failure: it has none, or was not to be asked.
    Absent(&'static str),
    /// It could not be heard, or what it has is broken ([`Kind::Security`]).
    Failed(Error),
}

/// One witness and what it said.
#[derive(Clone, Debug)]
pub struct ReportedHash {
    /// Who.
    pub source: HashSource,
    /// What.
    pub report: HashReport,
}

impl ReportedHash {
    fn sum(&self) -> Option<&str> {
        match &self.report {
            HashReport::Sum(sum) => Some(sum),
            HashReport::Absent(_) | HashReport::Failed(_) => None,
        }
    }

    /// The witness has something, and it is broken.
    fn broken(&self) -> Option<&Error> {
        match &self.report {
            HashReport::Failed(error) if matches!(error.kind(), Kind::Security | Kind::Differs) => {
                Some(error)
            }
            _ => None,
        }
    }
}

/// How old a version is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Older than go1.11.4 of December 2018, before which sums of some modules were wrong.
    BeforeGo1114,
    /// Younger, or unknown.
    Later,
}

/// What is to be made of a disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashMismatch {
    /// Who stands out; empty if no witness differs from all others.
    pub mismatched: Vec<HashSource>,
    /// The likely cause.
    pub cause: String,
    /// The one step that is safe.
    pub next: String,
}

/// Judges what was said of one part of a module version; `None` if there is no contradiction.
#[must_use]
pub fn find_mismatch(part: SumPart, claims: &[ReportedHash], age: Age) -> Option<HashMismatch> {
    if let Some(verdict) = empty_go_mod(part, claims) {
        return Some(verdict);
    }
    if let Some(claim) = claims.iter().find(|claim| claim.broken().is_some()) {
        return Some(broken(claim));
    }
    let mut sums: Vec<&str> = claims.iter().filter_map(ReportedHash::sum).collect();
    sums.sort_unstable();
    sums.dedup();
    if sums.len() < 2 {
        return None;
    }
    let Some(right) = reference(claims) else {
        return Some(HashMismatch {
            mismatched: Vec::new(),
            cause: "there are two contents under one version, most often because its tag was \
                    moved, and no witness here can say which one is right"
                .to_owned(),
            next: "leave go.sum as it is, and have the checksum database asked: unset what \
                   exempts the module (GOSUMDB=off, GONOSUMDB, GOPRIVATE), or compare with a \
                   machine that built it before"
                .to_owned(),
        });
    };
    let differs = |claim: &&ReportedHash| claim.sum().is_some_and(|sum| sum != right);
    let mismatched: Vec<HashSource> = claims.iter().filter(differs).map(|c| c.source).collect();
    let has_sum_of = |source| {
        let mut claims = claims.iter();
        claims.any(|claim| claim.source == source && claim.sum().is_some())
    };
    let (cause, next) = explain(&mismatched, claims, has_sum_of(HashSource::Database), age);
    Some(HashMismatch {
        mismatched,
        cause,
        next,
    })
}

/// The sum that is taken for the right one.
fn reference(claims: &[ReportedHash]) -> Option<&str> {
    let of = |source: HashSource| claims.iter().find(|claim| claim.source == source);
    // All but the database against it: then it is the database that stands out.
    let mut others = claims.iter().filter(|c| c.source != HashSource::Database);
    let first = others.find_map(ReportedHash::sum)?;
    let united = others.filter_map(ReportedHash::sum).all(|sum| sum == first);
    let votes = |sum: &str| {
        let say = |claim: &&ReportedHash| claim.sum() == Some(sum);
        let cached = claims.iter().filter(say).any(|c| c.source.is_cache());
        let alone = |claim: &&ReportedHash| say(claim) && !claim.source.is_cache();
        claims.iter().filter(alone).count() + usize::from(cached)
    };
    if let Some(logged) = of(HashSource::Database).and_then(ReportedHash::sum) {
        return Some(if united && votes(first) > 2 {
            first
        } else {
            logged
        });
    }
    let mut best: Vec<&str> = claims.iter().filter_map(ReportedHash::sum).collect();
    best.retain(|sum| votes(sum) > 1);
    best.dedup();
    let (first, rest) = best.split_first()?;
    rest.iter().all(|sum| sum == first).then_some(*first)
}

fn explain(
    mismatched: &[HashSource],
    claims: &[ReportedHash],
    proven: bool,
    age: Age,
) -> (String, String) {
    let has = |source: HashSource| mismatched.contains(&source);
    let cache: Vec<HashSource> = mismatched
        .iter()
        .copied()
        .filter(|w| w.is_cache())
        .collect();
    let others = mismatched.len() - cache.len();
    let who = if proven { "the database" } else { "the others" };
    let text = |cause: &str, next: &str| (cause.to_owned(), next.to_owned());
    if has(HashSource::Database) {
        return text(
            "retagged version: the database keeps the content that it saw first, and the tag has \
             been moved since; go.sum and the cache were filled without asking it",
            "require a version that was tagged once, and tell the author; do not exempt the \
             module from the database",
        );
    }
    if others == 0 {
        return tampered(&cache, claims);
    }
    if has(HashSource::GoSum) && has(HashSource::Proxy) {
        return (
            format!(
                "retagged version: go.sum and the proxy have the content of another moment than \
                 {who}"
            ),
            "require a version that was tagged once, and tell the author; do not exempt the \
             module from the database"
                .to_owned(),
        );
    }
    if has(HashSource::Proxy) {
        return (
            format!(
                "proxy out of step: it serves other bytes than {who} know; they were altered, or \
                 the version was retagged and the proxy fetched it again"
            ),
            "leave go.sum as it is, name another proxy in GOPROXY, and tell the keeper of this one"
                .to_owned(),
        );
    }
    if age == Age::BeforeGo1114 {
        return text(
            "go.sum has a sum of before go1.11.4, which hashed modules with symbolic links in \
             another way; or the version was retagged after the line was written",
            "find out when the line came into go.sum ('git log -S' with its hash); if it is from \
             2018, replace it by the other sum",
        );
    }
    if !cache.is_empty() {
        return (
            format!(
                "retagged version: go.sum and the cache have the content of another moment than \
                 {who}"
            ),
            "compare the cached files with what the proxy serves before you build; then require a \
             version that was tagged once"
                .to_owned(),
        );
    }
    (
        format!(
            "go.sum has the sum of other bytes than {who}: a merge or an edit gone wrong, or the \
             version was retagged after the line was written"
        ),
        "find out who wrote the line ('git log -S' with its hash) before you replace it".to_owned(),
    )
}

/// Only pieces of the cache stand out.
fn tampered(mismatched: &[HashSource], claims: &[ReportedHash]) -> (String, String) {
    // Without a line to go by nothing is repaired.
    let vouched = |claim: &ReportedHash| claim.source == HashSource::GoSum && claim.sum().is_some();
    let vouched = claims.iter().any(vouched);
    let next = |what: &str| match vouched {
        true => "run 'modfetch verify --repair' for this version: it keeps what it replaces".into(),
        false => format!("remove {what} and run 'modfetch download' for this version"),
    };
    let all = claims
        .iter()
        .filter(|claim| claim.source.is_cache() && claim.sum().is_some());
    let (cause, what) = match mismatched {
        [HashSource::Directory] => (
            "tampered cache: files of the unpacked directory were edited",
            "the directory",
        ),
        [HashSource::Ziphash] => (
            "tampered cache: the recorded hash is not that of the zip",
            "the .ziphash",
        ),
        [HashSource::Mod] => ("tampered cache: the cached go.mod was altered", "the .mod"),
        _ if all.count() == mismatched.len() => (
            "tampered cache: what is cached was replaced as a whole, so that it agrees with \
             itself",
            "zip, .ziphash and directory",
        ),
        _ => (
            "tampered cache: pieces of the entry are not of one content",
            "zip, .ziphash and directory",
        ),
    };
    (cause.to_owned(), next(what))
}

/// The sum of no bytes at all, where the sum of a go.mod should be.
fn empty_go_mod(part: SumPart, claims: &[ReportedHash]) -> Option<HashMismatch> {
    let empty = |claim: &&ReportedHash| claim.sum() == Some(EMPTY_GO_MOD);
    let mismatched: Vec<HashSource> = claims.iter().filter(empty).map(|c| c.source).collect();
    if part != SumPart::GoMod || mismatched.is_empty() {
        return None;
    }
    let (cause, next) = if mismatched.contains(&HashSource::Proxy) {
        (
            "empty go.mod hash: the proxy serves a go.mod without a byte",
            "name another proxy in GOPROXY, and tell the keeper of this one",
        )
    } else if mismatched.contains(&HashSource::Mod) {
        (
            "empty go.mod hash: the cached go.mod has no byte, as after a full disk",
            "remove the .mod and run 'modfetch download' for this version",
        )
    } else {
        (
            "empty go.mod hash: an early version of go recorded it for a go.mod that was not \
             there; no later one reads the line",
            "delete this line of go.sum, which no version of go that is in use reads",
        )
    };
    Some(HashMismatch {
        mismatched,
        cause: cause.to_owned(),
        next: next.to_owned(),
    })
}

/// A witness has a file without a sum.
fn broken(claim: &ReportedHash) -> HashMismatch {
    let (cause, next) = match claim.source {
        HashSource::Proxy => (
            "cut zip, or one that breaks the rules for module zips, at the proxy",
            "leave go.sum as it is, name another proxy in GOPROXY, and tell the keeper of this one",
        ),
        HashSource::Database => (
            "what the checksum database answered is not what it signed",
            "believe nothing of it: try from another network, and report it if that answers alike",
        ),
        HashSource::Directory => (
            "tampered cache: the unpacked directory has what no module has",
            "remove the directory and run 'modfetch download' for this version",
        ),
        HashSource::GoSum | HashSource::Ziphash | HashSource::Zip | HashSource::Mod => (
            "cut zip: the cached one is damaged",
            "remove zip and .ziphash and run 'modfetch download' for this version",
        ),
    };
    HashMismatch {
        mismatched: vec![claim.source],
        cause: cause.to_owned(),
        next: next.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims from `G D h z d P`: each witness's letter and the name of a sum; `!` is broken.
    fn claims(text: &str) -> Vec<ReportedHash> {
        let claim = |word: &str| {
            let (source, sum) = word.split_at(1);
            let source = match source {
                "G" => HashSource::GoSum,
                "D" => HashSource::Database,
                "h" => HashSource::Ziphash,
                "z" => HashSource::Zip,
                "d" => HashSource::Directory,
                "m" => HashSource::Mod,
                _ => HashSource::Proxy,
            };
            let report = match sum {
                "!" => HashReport::Failed(Error::new(Kind::Security, "zip: not a valid zip file")),
                "?" => HashReport::Failed(Error::new(Kind::Network, "no answer")),
                "-" => HashReport::Absent("none"),
                "0" => HashReport::Sum(EMPTY_GO_MOD.to_owned()),
                sum => HashReport::Sum(sum.to_owned()),
            };
            ReportedHash { source, report }
        };
        text.split(' ').map(claim).collect()
    }

    #[test]
    fn the_odd_one_and_the_cause_are_found() {
        let zip = SumPart::Zip;
        let rows = [
            // There is no contradiction.
            (zip, "Ga Da ha za da Pa", "", ""),
            (zip, "Ga D? h- z- d- P?", "", ""),
            (zip, "G- D- h- z- d- P-", "", ""),
            // The cache.
            (zip, "Ga Da ha za db Pa", "directory", "edited"),
            (zip, "Ga Da hb za da Pa", "cached ziphash", "recorded hash"),
            (zip, "Ga Da ha zb da Pa", "cached zip", "not of one content"),
            (
                zip,
                "Ga Da hb zb db Pa",
                "cached ziphash, cached zip, directory",
                "as a whole",
            ),
            (
                zip,
                "Ga D- hb zb db Pa",
                "cached ziphash, cached zip, directory",
                "as a whole",
            ),
            (zip, "Ga Da ha z! da Pa", "cached zip", "cut zip"),
            (zip, "Ga D? ha z! da P?", "cached zip", "cut zip"),
            // go.sum.
            (zip, "Gb Da ha za da Pa", "go.sum", "a merge or an edit"),
            (zip, "Gb Da h- z- d- P?", "go.sum", "a merge or an edit"),
            (zip, "Gb D- ha za da Pa", "go.sum", "a merge or an edit"),
            (
                zip,
                "Gb Da hb zb db Pa",
                "go.sum, cached ziphash, cached zip, directory",
                "retagged",
            ),
            // The proxy.
            (zip, "Ga Da ha za da Pb", "proxy", "out of step"),
            (zip, "Ga D- ha za da Pb", "proxy", "out of step"),
            (zip, "Ga Da h- z- d- P!", "proxy", "cut zip"),
            (zip, "Gb Da ha za da Pb", "go.sum, proxy", "retagged"),
            // The database.
            (zip, "Gb Da hb zb db Pb", "database", "retagged"),
            (zip, "Ga D! ha za da Pa", "database", "not what it signed"),
            // Two against two, or one against one.
            (zip, "Ga D- ha za da Pb", "proxy", "out of step"),
            (zip, "Ga D- h- z- d- Pb", "", "no witness here can say"),
            (zip, "Ga D- hb zb db Pc", "", "no witness here can say"),
            // The go.mod.
            (
                SumPart::GoMod,
                "G0 Da ma Pa",
                "go.sum",
                "empty go.mod hash: an early",
            ),
            (
                SumPart::GoMod,
                "Ga Da m0 Pa",
                "cached go.mod",
                "empty go.mod hash: the cached",
            ),
            (
                SumPart::GoMod,
                "Ga Da m- P0",
                "proxy",
                "empty go.mod hash: the proxy",
            ),
            (
                SumPart::GoMod,
                "Ga Da mb Pa",
                "cached go.mod",
                "was altered",
            ),
        ];
        for (part, text, mismatched, cause) in rows {
            match find_mismatch(part, &claims(text), Age::Later) {
                None => assert_eq!(("", ""), (mismatched, cause), "{text}"),
                Some(verdict) => {
                    let names: Vec<String> = verdict
                        .mismatched
                        .iter()
                        .map(HashSource::to_string)
                        .collect();
                    assert_eq!(names.join(", "), mismatched, "{text}: {}", verdict.cause);
                    assert!(!cause.is_empty(), "{text}: {}", verdict.cause);
                    assert!(verdict.cause.contains(cause), "{text}: {}", verdict.cause);
                }
            }
        }
    }

    #[test]
    fn what_was_recorded_before_go_1_11_4_may_be_wrong() {
        let old = find_mismatch(
            SumPart::Zip,
            &claims("Gb Da ha za da Pa"),
            Age::BeforeGo1114,
        );
        assert!(old.unwrap().cause.contains("before go1.11.4"));
        let altered = find_mismatch(
            SumPart::Zip,
            &claims("Ga Da ha za db Pa"),
            Age::BeforeGo1114,
        );
        assert!(altered.unwrap().cause.contains("edited"));
    }
}
