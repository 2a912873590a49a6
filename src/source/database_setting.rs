//! GOSUMDB: which database is asked, with which key, and where.
//!
//! Source: golang/go `cmd/go/internal/modfetch/sumdb.go`, `dbDial`.

use crate::error::{Error, Kind, Result};
use crate::http::Url;
use crate::sumdb::note::NoteVerifier;

/// The key of the public database, as `go` has it built in.
pub const SUM_GOLANG_ORG: &str =
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

/// The same database where sum.golang.org cannot be reached.
const CHINESE_ALIAS: &str = "sum.golang.google.cn";

/// A database that GOSUMDB names.
#[derive(Clone, Debug)]
pub struct DatabaseSetting {
    /// Its name and key.
    pub verifier: NoteVerifier,
    /// Where the name says that it is: `https://NAME`.
    pub direct: Url,
    /// Where GOSUMDB says that it is; proxies are not asked then.
    pub url: Option<Url>,
}

impl DatabaseSetting {
    /// Reads GOSUMDB: `NAME` of a known database, `KEY`, either followed by a URL, or `off`,
    /// which is `None`.
    ///
    /// # Errors
    /// [`Kind::Input`] in go's words.
    pub fn parse(gosumdb: &str) -> Result<Option<DatabaseSetting>> {
        if gosumdb == "off" {
            return Ok(None);
        }
        let alias = format!("sum.golang.org https://{CHINESE_ALIAS}");
        let gosumdb = if gosumdb == CHINESE_ALIAS {
            &alias
        } else {
            gosumdb
        };
        let invalid = |text: &str| Error::new(Kind::Input, text);
        let mut fields = gosumdb.split_whitespace();
        let key = match fields.next() {
            None => return Err(invalid("missing GOSUMDB")),
            Some("sum.golang.org") => SUM_GOLANG_ORG,
            Some(key) => key,
        };
        let url = fields.next();
        if fields.next().is_some() {
            return Err(invalid("invalid GOSUMDB: too many fields"));
        }
        let verifier = NoteVerifier::parse(key)
            .map_err(|reason| invalid("invalid GOSUMDB").because(reason))
            .map_err(|error| {
                error.hint("GOSUMDB is sum.golang.org, off, or NAME+HASH+KEY and possibly a URL")
            })?;
        let direct = direct_url(verifier.name())?;
        let url = url
            .map(Url::parse)
            .transpose()
            .map_err(|error| error.context("invalid GOSUMDB URL"))?;
        Ok(Some(DatabaseSetting {
            verifier,
            direct,
            url,
        }))
    }
}

/// The URL that a name stands for. The name is also one of folders: go lets `..` pass, we do not.
fn direct_url(name: &str) -> Result<Url> {
    let refused = || {
        Error::new(
            Kind::Input,
            format!("invalid sumdb name (must be host[/path]): {name}"),
        )
    };
    let strange = |c: char| c.is_control() || matches!(c, '?' | '#' | '@' | '%' | '\\');
    let relative = |element: &str| matches!(element, "" | "." | "..");
    if name.contains(strange) || name.split('/').any(relative) {
        return Err(refused());
    }
    Url::parse(&format!("https://{name}")).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sumdb::testing;

    #[test]
    fn every_form_of_gosumdb_is_read() {
        let (name, key) = ("sums.example.com/a", testing::key("sums.example.com/a"));
        let golang = "sum.golang.org";
        let rows = [
            ("sum.golang.org".to_owned(), golang, None),
            (SUM_GOLANG_ORG.to_owned(), golang, None),
            (
                "sum.golang.google.cn".to_owned(),
                golang,
                Some("https://sum.golang.google.cn"),
            ),
            (
                " sum.golang.org\thttps://mirror/x ".to_owned(),
                golang,
                Some("https://mirror/x"),
            ),
            (key.clone(), name, None),
            (format!("{key} file:///db"), name, Some("file:///db")),
        ];
        for (text, name, url) in rows {
            let setting = DatabaseSetting::parse(&text).unwrap().unwrap();
            assert_eq!(setting.verifier.name(), name, "{text}");
            assert_eq!(setting.direct.to_string(), format!("https://{name}"));
            assert_eq!(setting.url.map(|url| url.to_string()).as_deref(), url);
        }
        assert!(DatabaseSetting::parse("off").unwrap().is_none());
    }

    #[test]
    fn refusals_have_the_words_of_go() {
        // By `GOSUMDB=... go mod download` with go1.26.8; without what it prints of the URL; `..` it lets pass.
        let strange = "invalid sumdb name (must be host[/path]): ";
        let rows = [
            (String::new(), "missing GOSUMDB".to_owned()),
            (
                "a b c".to_owned(),
                "invalid GOSUMDB: too many fields".to_owned(),
            ),
            (
                "sums.example.com".to_owned(),
                "invalid GOSUMDB: malformed verifier id".to_owned(),
            ),
            (testing::key("h/"), format!("{strange}h/")),
            (testing::key("u@h"), format!("{strange}u@h")),
            (testing::key("h?q"), format!("{strange}h?q")),
            (testing::key("h#f"), format!("{strange}h#f")),
            (testing::key("/h"), format!("{strange}/h")),
            (testing::key("h/../x"), format!("{strange}h/../x")),
            (testing::key("h/%2e"), format!("{strange}h/%2e")),
        ];
        for (text, want) in rows {
            let error = DatabaseSetting::parse(&text).unwrap_err();
            assert_eq!(error.kind(), Kind::Input);
            assert_eq!(error.chain(), want);
        }
    }
}
