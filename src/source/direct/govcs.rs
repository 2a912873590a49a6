//! GOVCS: which systems may be used for which modules.
//!
//! Checked before any program is started or a repository is asked. The default allows git and
//! Mercurial for public modules, and all systems for those that GOPRIVATE names.
//!
//! Source: golang/go `cmd/go/internal/vcs/vcs.go` (`parseGOVCS`, `checkGOVCS`).

use crate::error::{Error, Kind, Result};
use crate::gomod::PrefixPatterns;

/// The rules of GOVCS, the default ones behind those that were set.
#[derive(Clone, Debug)]
pub(super) struct VcsRules {
    rules: Vec<GoVcsRule>,
    private: PrefixPatterns,
}

#[derive(Clone, Debug)]
struct GoVcsRule {
    modules: GoVcsScope,
    allowed: Vec<String>,
}

#[derive(Clone, Debug)]
enum GoVcsScope {
    Private,
    Public,
    Matching(PrefixPatterns),
}

impl VcsRules {
    /// Reads the value of GOVCS; `private` is GOPRIVATE.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words.
    pub(super) fn parse(setting: &str, private: &PrefixPatterns) -> Result<VcsRules> {
        let mut rules = Vec::new();
        let mut seen: Vec<(&str, &str)> = Vec::new();
        let setting = setting.trim();
        let refused = |text: String| Error::new(Kind::Input, text);
        for item in setting.split(',').filter(|_| !setting.is_empty()) {
            let item = item.trim();
            if item.is_empty() {
                return Err(refused("empty entry in GOVCS".to_owned()));
            }
            let Some((pattern, list)) = item.split_once(':') else {
                let text = format!("malformed entry in GOVCS (missing colon): {item:?}");
                return Err(refused(text));
            };
            let (pattern, list) = (pattern.trim(), list.trim());
            if pattern.is_empty() {
                return Err(refused(format!("empty pattern in GOVCS: {item:?}")));
            }
            if list.is_empty() {
                return Err(refused(format!("empty VCS list in GOVCS: {item:?}")));
            }
            if matches!(pattern, "." | "..")
                || pattern.starts_with("./")
                || pattern.starts_with("../")
            {
                let text = format!("relative pattern not allowed in GOVCS: {pattern:?}");
                return Err(refused(text));
            }
            if let Some((_, old)) = seen.iter().find(|(known, _)| *known == pattern) {
                let text = format!("unreachable pattern in GOVCS: {item:?} after {old:?}");
                return Err(refused(text));
            }
            seen.push((pattern, item));
            let allowed: Vec<String> = list.split('|').map(|name| name.trim().to_owned()).collect();
            if allowed.iter().any(String::is_empty) {
                return Err(refused(format!("empty VCS name in GOVCS: {item:?}")));
            }
            let modules = match pattern {
                "private" => GoVcsScope::Private,
                "public" => GoVcsScope::Public,
                pattern => GoVcsScope::Matching(PrefixPatterns::parse(pattern)),
            };
            rules.push(GoVcsRule { modules, allowed });
        }
        let default = |modules, allowed: &[&str]| GoVcsRule {
            modules,
            allowed: allowed.iter().map(|name| (*name).to_owned()).collect(),
        };
        rules.push(default(GoVcsScope::Private, &["all"]));
        rules.push(default(GoVcsScope::Public, &["git", "hg"]));
        Ok(VcsRules {
            rules,
            private: private.clone(),
        })
    }

    /// Refuses the system `vcs` for modules below `root`, unless a rule allows it.
    ///
    /// # Errors
    /// [`Kind::Other`], in go's words.
    pub(super) fn check(&self, vcs: &str, root: &str) -> Result<()> {
        let private = self.private.matches(root);
        let rule = self.rules.iter().find(|rule| match &rule.modules {
            GoVcsScope::Private => private,
            GoVcsScope::Public => !private,
            GoVcsScope::Matching(patterns) => patterns.matches(root),
        });
        let allowed =
            rule.is_some_and(|rule| rule.allowed.iter().any(|name| name == vcs || name == "all"));
        if allowed {
            return Ok(());
        }
        let what = if private { "private" } else { "public" };
        let text = format!("GOVCS disallows using {vcs} for {what} {root}; see 'go help vcs'");
        Err(Error::new(Kind::Other, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(setting: &str, vcs: &str, root: &str) -> std::result::Result<(), String> {
        let private = PrefixPatterns::parse("priv.test");
        let rules = VcsRules::parse(setting, &private);
        let checked = rules.and_then(|rules| rules.check(vcs, root));
        checked.map_err(|error| error.chain())
    }

    /// Source: golang/go `cmd/go/testdata/script/govcs.txt`.
    #[test]
    fn rules_are_those_of_go() {
        let rows = [
            ("", "git", "pub.test/a", true),
            ("", "hg", "pub.test/a", true),
            ("", "svn", "pub.test/a", false),
            ("", "fossil", "priv.test/a", true),
            ("private:svn,public:hg", "git", "pub.test/a", false),
            ("private:svn,public:hg", "hg", "pub.test/a", true),
            ("private:svn,public:hg", "svn", "priv.test/a", true),
            ("public:git|svn", "svn", "pub.test/a", true),
            ("pub.test/a:svn", "svn", "pub.test/a/b", true),
            ("pub.test/a:svn", "git", "pub.test/a/b", false),
            ("*:all", "svn", "pub.test/a", true),
            ("*:off", "git", "pub.test/a", false),
        ];
        for (setting, vcs, root, allowed) in rows {
            assert_eq!(
                check(setting, vcs, root).is_ok(),
                allowed,
                "{setting} {vcs} {root}"
            );
        }
        assert_eq!(
            check("", "svn", "pub.test/a").unwrap_err(),
            "GOVCS disallows using svn for public pub.test/a; see 'go help vcs'"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_the_words_of_go() {
        let rows = [
            (",", "empty entry in GOVCS"),
            ("svn", "malformed entry in GOVCS (missing colon): \"svn\""),
            (":git", "empty pattern in GOVCS: \":git\""),
            ("a.com:", "empty VCS list in GOVCS: \"a.com:\""),
            ("./x:git", "relative pattern not allowed in GOVCS: \"./x\""),
            (
                "a.com:git,a.com:hg",
                "unreachable pattern in GOVCS: \"a.com:hg\" after \"a.com:git\"",
            ),
            (
                "a.com:git||hg",
                "empty VCS name in GOVCS: \"a.com:git||hg\"",
            ),
        ];
        for (setting, want) in rows {
            assert_eq!(
                check(setting, "git", "x.test").unwrap_err(),
                want,
                "{setting}"
            );
        }
    }
}
