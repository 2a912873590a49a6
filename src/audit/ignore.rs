//! The file of accepted findings.
//!
//! Shape: one rule a line, `ID [PATH] [until YYYY-MM-DD] REASON`; `#` begins a comment, and empty lines are skipped. A rule without a path holds for every module. A
//! rule needs a reason. PATH is a module path with a `/`, or `stdlib` or `toolchain` for go itself. After its last day (UTC) a rule holds no longer, and the audit says so.

use crate::error::{Error, Kind, Result};

/// All rules of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreFile {
    rules: Vec<IgnoreRule>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule {
    /// The identifier of the record or one of its aliases; `retracted`, `deprecated`, `new`, `too-young`, `moved` for findings without a record.
    pub id: String,
    /// The module path it is limited to.
    pub path: Option<String>,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Why the finding is accepted.
    pub reason: String,
    /// The line of the file, from 1 on.
    pub line: usize,
}

impl IgnoreFile {
    /// Reads a file; `name` is for messages.
    ///
    /// # Errors
    /// [`Kind::Input`] with the line of the first rule that has no reason, or whose date is none.
    pub fn parse(name: &str, text: &str) -> Result<IgnoreFile> {
        let mut rules = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| {
                let error = Error::new(Kind::Input, format!("{name}:{line}: {what}"));
                error.hint("a rule is a line: ID [PATH] [until YYYY-MM-DD] REASON")
            };
            let mut words = text.split_whitespace().peekable();
            let id = words.next().unwrap_or_default().to_owned();
            let is_path =
                |word: &&str| word.contains('/') || matches!(*word, "stdlib" | "toolchain");
            let path = words.next_if(is_path).map(str::to_owned);
            let mut until = None;
            if words.next_if_eq(&"until").is_some() {
                let date = words.next().unwrap_or_default();
                if !is_date(date) {
                    return Err(wrong(&format!("{date:?} is not a date")));
                }
                until = Some(date.to_owned());
            }
            let reason: Vec<&str> = words.collect();
            if reason.is_empty() {
                return Err(wrong(&format!("the rule for {id} has no reason")));
            }
            rules.push(IgnoreRule {
                id,
                path,
                until,
                reason: reason.join(" "),
                line,
            });
        }
        Ok(IgnoreFile { rules })
    }

    /// The rule that accepts a finding under one of these names; `today` is `YYYY-MM-DD`.
    #[must_use]
    pub fn accepts(&self, names: &[&str], path: &str, today: &str) -> Option<&IgnoreRule> {
        let mut holding = self.rules.iter().filter(|rule| !rule.is_over(today));
        holding.find(|rule| {
            let named = names.contains(&rule.id.as_str());
            named && rule.path.as_deref().is_none_or(|limited| limited == path)
        })
    }

    /// The rules whose last day is past.
    pub fn expired<'f>(&'f self, today: &'f str) -> impl Iterator<Item = &'f IgnoreRule> {
        self.rules.iter().filter(move |rule| rule.is_over(today))
    }
}

impl IgnoreRule {
    fn is_over(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| until < today)
    }
}

/// True for `YYYY-MM-DD`, whose order as text is the order in time.
fn is_date(text: &str) -> bool {
    let digits = |part: &str, count: usize, most: u32| {
        let value = part.parse::<u32>();
        part.len() == count
            && part.bytes().all(|b| b.is_ascii_digit())
            && value.is_ok_and(|value| value >= 1 && value <= most)
    };
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [year, month, day] => digits(year, 4, 9999) && digits(month, 2, 12) && digits(day, 2, 31),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_hold_for_their_path_until_their_last_day() {
        let text = "# accepted\nGO-2099-0001 until 2026-12-31 not reachable: no TLS\n\nCVE-2099-2 example.com/b test only\n";
        let file = IgnoreFile::parse("audit.ignore", text).unwrap();
        let accepts = |name: &str, path: &str, today: &str| {
            file.accepts(&[name], path, today).map(|rule| rule.line)
        };
        assert_eq!(
            accepts("GO-2099-0001", "example.com/a", "2026-12-31"),
            Some(2)
        );
        assert_eq!(accepts("GO-2099-0001", "example.com/a", "2027-01-01"), None);
        assert_eq!(
            accepts("CVE-2099-2", "example.com/b", "2030-01-01"),
            Some(4)
        );
        assert_eq!(accepts("CVE-2099-2", "example.com/a", "2030-01-01"), None);
        assert_eq!(
            file.expired("2027-01-01")
                .map(|rule| rule.line)
                .collect::<Vec<_>>(),
            [2]
        );
    }

    #[test]
    fn rule_without_reason_or_with_a_wrong_date_is_an_error() {
        for (text, want) in [
            ("GO-1", "f:1: the rule for GO-1 has no reason"),
            (
                "\nGO-1 a.com/b until 2026-01-01",
                "f:2: the rule for GO-1 has no reason",
            ),
            ("GO-1 until tomorrow why", "f:1: \"tomorrow\" is not a date"),
            (
                "GO-1 until 2026-13-01 why",
                "f:1: \"2026-13-01\" is not a date",
            ),
        ] {
            assert_eq!(IgnoreFile::parse("f", text).unwrap_err().to_string(), want);
        }
    }
}
