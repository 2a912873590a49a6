//! Who says what of one module version, who of them is odd, why that may be, and what to do.
//!
//! Pure: the evidence is gathered elsewhere. The rules of judgement, in this order:
//! 1. The checksum database decides: it is signed, and says the same to everybody for ever.
//! 2. Without its word, what two of go.sum, the cache and the proxy agree on.
//! 3. Otherwise nobody is right, and that is what is said.
//!
//! The pieces of a cache entry are one witness where they agree, because who altered one of them
//! could alter the others as well.

use std::fmt;

use super::policy::Part;
use crate::error::{Error, Kind};
use crate::gomod::modfile::EMPTY_GO_MOD;

/// Somebody who knows a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Witness {
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

impl Witness {
    /// The name in JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Witness::GoSum => "GoSum",
            Witness::Database => "Database",
            Witness::Ziphash => "ZipHash",
            Witness::Zip => "Zip",
            Witness::Directory => "Dir",
            Witness::Mod => "Mod",
            Witness::Proxy => "Proxy",
        }
    }

    fn is_cache(self) -> bool {
        use Witness::{Directory, Mod, Zip, Ziphash};
        matches!(self, Ziphash | Zip | Directory | Mod)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Witness::GoSum => "go.sum",
            Witness::Database => "database",
            Witness::Ziphash => "cached ziphash",
            Witness::Zip => "cached zip",
            Witness::Directory => "directory",
            Witness::Mod => "cached go.mod",
            Witness::Proxy => "proxy",
        })
    }
}

/// What a witness said.
#[derive(Clone, Debug)]
pub enum Said {
    /// This sum.
    Sum(String),
    /// Nothing, for this reason that is no failure: it has none, or was not to be asked.
    Nothing(&'static str),
    /// It could not be heard, or what it has is broken ([`Kind::Security`]).
    Failed(Error),
}

/// One witness and what it said.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who.
    pub witness: Witness,
    /// What.
    pub said: Said,
}

impl Claim {
    fn sum(&self) -> Option<&str> {
        match &self.said {
            Said::Sum(sum) => Some(sum),
            Said::Nothing(_) | Said::Failed(_) => None,
        }
    }

    /// The witness has something, and it is broken.
    fn broken(&self) -> Option<&Error> {
        match &self.said {
            Said::Failed(error) if matches!(error.kind(), Kind::Security | Kind::Differs) => {
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
pub struct Verdict {
    /// Who stands out; empty if nobody can be told from the others.
    pub odd: Vec<Witness>,
    /// The likely cause.
    pub cause: String,
    /// The one step that is safe.
    pub next: String,
}

/// Judges what was said of one part of a module version; `None` if nobody contradicts anybody.
#[must_use]
pub fn judge(part: Part, claims: &[Claim], age: Age) -> Option<Verdict> {
    if let Some(verdict) = empty_go_mod(part, claims) {
        return Some(verdict);
    }
    if let Some(claim) = claims.iter().find(|claim| claim.broken().is_some()) {
        return Some(broken(claim));
    }
    let mut sums: Vec<&str> = claims.iter().filter_map(Claim::sum).collect();
    sums.sort_unstable();
    sums.dedup();
    if sums.len() < 2 {
        return None;
    }
    let Some(right) = reference(claims) else {
        return Some(Verdict {
            odd: Vec::new(),
            cause: "there are two contents under one version, most often because its tag was \
                    moved, and nobody here can say which one is right"
                .to_owned(),
            next: "leave go.sum as it is, and have the checksum database asked: unset what \
                   exempts the module (GOSUMDB=off, GONOSUMDB, GOPRIVATE), or compare with a \
                   machine that built it before"
                .to_owned(),
        });
    };
    let differs = |claim: &&Claim| claim.sum().is_some_and(|sum| sum != right);
    let odd: Vec<Witness> = claims.iter().filter(differs).map(|c| c.witness).collect();
    let heard = |witness| {
        let mut claims = claims.iter();
        claims.any(|claim| claim.witness == witness && claim.sum().is_some())
    };
    let (cause, next) = explain(&odd, claims, heard(Witness::Database), age);
    Some(Verdict { odd, cause, next })
}

/// The sum that is taken for the right one.
fn reference(claims: &[Claim]) -> Option<&str> {
    let of = |witness: Witness| claims.iter().find(|claim| claim.witness == witness);
    // All but the database against it: then it is the database that stands out.
    let mut others = claims.iter().filter(|c| c.witness != Witness::Database);
    let first = others.find_map(Claim::sum)?;
    let united = others.filter_map(Claim::sum).all(|sum| sum == first);
    let voices = |sum: &str| {
        let say = |claim: &&Claim| claim.sum() == Some(sum);
        let cached = claims.iter().filter(say).any(|c| c.witness.is_cache());
        let alone = |claim: &&Claim| say(claim) && !claim.witness.is_cache();
        claims.iter().filter(alone).count() + usize::from(cached)
    };
    if let Some(logged) = of(Witness::Database).and_then(Claim::sum) {
        return Some(if united && voices(first) > 2 {
            first
        } else {
            logged
        });
    }
    let mut best: Vec<&str> = claims.iter().filter_map(Claim::sum).collect();
    best.retain(|sum| voices(sum) > 1);
    best.dedup();
    let (first, rest) = best.split_first()?;
    rest.iter().all(|sum| sum == first).then_some(*first)
}

fn explain(odd: &[Witness], claims: &[Claim], proven: bool, age: Age) -> (String, String) {
    let has = |witness: Witness| odd.contains(&witness);
    let cache: Vec<Witness> = odd.iter().copied().filter(|w| w.is_cache()).collect();
    let others = odd.len() - cache.len();
    let who = if proven { "the database" } else { "the others" };
    let text = |cause: &str, next: &str| (cause.to_owned(), next.to_owned());
    if has(Witness::Database) {
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
    if has(Witness::GoSum) && has(Witness::Proxy) {
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
    if has(Witness::Proxy) {
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
fn tampered(odd: &[Witness], claims: &[Claim]) -> (String, String) {
    // Without a line to go by nothing is repaired.
    let vouched = |claim: &Claim| claim.witness == Witness::GoSum && claim.sum().is_some();
    let vouched = claims.iter().any(vouched);
    let next = |what: &str| match vouched {
        true => "run 'modfetch verify --repair' for this version: it keeps what it replaces".into(),
        false => format!("remove {what} and run 'modfetch download' for this version"),
    };
    let all = claims
        .iter()
        .filter(|claim| claim.witness.is_cache() && claim.sum().is_some());
    let (cause, what) = match odd {
        [Witness::Directory] => (
            "tampered cache: files of the unpacked directory were edited",
            "the directory",
        ),
        [Witness::Ziphash] => (
            "tampered cache: the recorded hash is not that of the zip",
            "the .ziphash",
        ),
        [Witness::Mod] => ("tampered cache: the cached go.mod was altered", "the .mod"),
        _ if all.count() == odd.len() => (
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
fn empty_go_mod(part: Part, claims: &[Claim]) -> Option<Verdict> {
    let empty = |claim: &&Claim| claim.sum() == Some(EMPTY_GO_MOD);
    let odd: Vec<Witness> = claims.iter().filter(empty).map(|c| c.witness).collect();
    if part != Part::GoMod || odd.is_empty() {
        return None;
    }
    let (cause, next) = if odd.contains(&Witness::Proxy) {
        (
            "empty go.mod hash: the proxy serves a go.mod without a byte",
            "name another proxy in GOPROXY, and tell the keeper of this one",
        )
    } else if odd.contains(&Witness::Mod) {
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
    Some(Verdict {
        odd,
        cause: cause.to_owned(),
        next: next.to_owned(),
    })
}

/// Somebody has a thing without a sum.
fn broken(claim: &Claim) -> Verdict {
    let (cause, next) = match claim.witness {
        Witness::Proxy => (
            "cut zip, or one that breaks the rules for module zips, at the proxy",
            "leave go.sum as it is, name another proxy in GOPROXY, and tell the keeper of this one",
        ),
        Witness::Database => (
            "what the checksum database answered is not what it signed",
            "believe nothing of it: try from another network, and report it if that answers alike",
        ),
        Witness::Directory => (
            "tampered cache: the unpacked directory has what no module has",
            "remove the directory and run 'modfetch download' for this version",
        ),
        Witness::GoSum | Witness::Ziphash | Witness::Zip | Witness::Mod => (
            "cut zip: the cached one is damaged",
            "remove zip and .ziphash and run 'modfetch download' for this version",
        ),
    };
    Verdict {
        odd: vec![claim.witness],
        cause: cause.to_owned(),
        next: next.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims from `G D h z d P`: each witness's letter and the name of a sum; `!` is broken.
    fn claims(text: &str) -> Vec<Claim> {
        let claim = |word: &str| {
            let (witness, sum) = word.split_at(1);
            let witness = match witness {
                "G" => Witness::GoSum,
                "D" => Witness::Database,
                "h" => Witness::Ziphash,
                "z" => Witness::Zip,
                "d" => Witness::Directory,
                "m" => Witness::Mod,
                _ => Witness::Proxy,
            };
            let said = match sum {
                "!" => Said::Failed(Error::new(Kind::Security, "zip: not a valid zip file")),
                "?" => Said::Failed(Error::new(Kind::Network, "no answer")),
                "-" => Said::Nothing("none"),
                "0" => Said::Sum(EMPTY_GO_MOD.to_owned()),
                sum => Said::Sum(sum.to_owned()),
            };
            Claim { witness, said }
        };
        text.split(' ').map(claim).collect()
    }

    #[test]
    fn the_odd_one_and_the_cause_are_found() {
        let zip = Part::Zip;
        let rows = [
            // Nobody contradicts anybody.
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
            (zip, "Ga D- h- z- d- Pb", "", "nobody here can say"),
            (zip, "Ga D- hb zb db Pc", "", "nobody here can say"),
            // The go.mod.
            (
                Part::GoMod,
                "G0 Da ma Pa",
                "go.sum",
                "empty go.mod hash: an early",
            ),
            (
                Part::GoMod,
                "Ga Da m0 Pa",
                "cached go.mod",
                "empty go.mod hash: the cached",
            ),
            (
                Part::GoMod,
                "Ga Da m- P0",
                "proxy",
                "empty go.mod hash: the proxy",
            ),
            (Part::GoMod, "Ga Da mb Pa", "cached go.mod", "was altered"),
        ];
        for (part, text, odd, cause) in rows {
            match judge(part, &claims(text), Age::Later) {
                None => assert_eq!(("", ""), (odd, cause), "{text}"),
                Some(verdict) => {
                    let names: Vec<String> = verdict.odd.iter().map(Witness::to_string).collect();
                    assert_eq!(names.join(", "), odd, "{text}: {}", verdict.cause);
                    assert!(!cause.is_empty(), "{text}: {}", verdict.cause);
                    assert!(verdict.cause.contains(cause), "{text}: {}", verdict.cause);
                }
            }
        }
    }

    #[test]
    fn what_was_recorded_before_go_1_11_4_may_be_wrong() {
        let old = judge(Part::Zip, &claims("Gb Da ha za da Pa"), Age::BeforeGo1114);
        assert!(old.unwrap().cause.contains("before go1.11.4"));
        let altered = judge(Part::Zip, &claims("Ga Da ha za db Pa"), Age::BeforeGo1114);
        assert!(altered.unwrap().cause.contains("edited"));
    }
}
