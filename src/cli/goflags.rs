//! What GOFLAGS adds to what was typed.

use super::commands::Verb;
use super::raw::RawArgs;
use super::table::Given;
use super::words::{find_flag, switch};
use crate::{Error, Kind, Result};

/// Adds to `raw` the words of GOFLAGS that are flags of this command in go, where nothing was typed.
///
/// # Errors
/// [`Kind::Input`] with go's text for a value that the flag does not take, or lacks.
///
/// Source: golang/go `cmd/go/internal/base/goflags.go`, `SetFromGOFLAGS`.
pub fn with_goflags(raw: &RawArgs, verb: Verb, words: &[String]) -> Result<RawArgs> {
    let mut raw = raw.clone();
    let typed = raw.given.clone();
    for word in words {
        let word = word.trim_start_matches('-');
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let gos = |flag: &super::Flag| flag.go && !flag.added.contains(&verb);
        let known = find_flag(|flag| gos(flag) && flag.long == name && flag.applies_to(verb));
        let Some(flag) = known.filter(|flag| name != "C" && !typed.contains(flag.long)) else {
            continue;
        };
        let refuse = |text: String| Err(Error::new(Kind::Input, text));
        let given = match (flag.value, value) {
            (Some(_), Some(value)) => Given::Value(value),
            (Some(_), None) => {
                return refuse(format!("flag needs an argument: -{name} (from $GOFLAGS)"));
            }
            (None, value) => match switch(value.unwrap_or("true")) {
                Some(on) => Given::Switch(on),
                None if flag.may_have_words(Some(verb)) => Given::Value(value.unwrap_or_default()),
                None => {
                    let value = value.unwrap_or_default();
                    return refuse(format!(
                        "invalid boolean value {value:?} for flag -{name} (from $GOFLAGS): parse error"
                    ));
                }
            },
        };
        (flag.set)(&mut raw, given)?;
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(typed: &[&str], verb: Verb, words: &[&str]) -> Result<RawArgs> {
        let argv = ["modfetch"].iter().chain(typed);
        let raw = crate::cli::parse(argv.map(Into::into).collect())?.raw;
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        with_goflags(&raw, verb, &words)
    }

    #[test]
    fn what_was_typed_counts_and_what_others_have_does_not() {
        let words = ["-u", "--json=Path", "-tags=x", "-f={{.Path}}", "-x", "-n"];
        let raw = merged(&["list", "-m", "-f", "{{.Dir}}"], Verb::List, &words).unwrap();
        assert!(raw.m && raw.u && raw.json && raw.x && !raw.n);
        assert_eq!(raw.fields, ["Path"]);
        assert_eq!(raw.template.as_deref(), Some("{{.Dir}}"));
        let raw = merged(&["graph", "-x=false"], Verb::Graph, &words).unwrap();
        assert!(!raw.u && !raw.json && !raw.x);
        assert!(
            merged(&["clean"], Verb::Clean, &["-modcache"])
                .unwrap()
                .modcache
        );
    }

    #[test]
    fn refusals_are_worded_as_go_words_them() {
        // `GOFLAGS=... go list -m` of go1.26.8, after "go: ".
        let table = [
            (
                "-u=patch",
                "invalid boolean value \"patch\" for flag -u (from $GOFLAGS): parse error",
            ),
            ("-f", "flag needs an argument: -f (from $GOFLAGS)"),
        ];
        for (word, want) in table {
            let error = merged(&["list", "-m"], Verb::List, &[word]).unwrap_err();
            assert_eq!(error.chain(), want);
        }
    }
}
