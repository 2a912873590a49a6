//! Which `godebug` lines go takes: the settings that it knows, and what their values may be.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`CheckGodebug`), `internal/godebugs/table.go`.

use super::directive::Godebug;
use crate::gomod::GoVersion;
use crate::gomod::quote::quote;

/// The settings that go 1.26 knows, in byte order.
pub const GODEBUG_SETTINGS: &[&str] = &[
    "allowmultiplevcs",
    "asynctimerchan",
    "containermaxprocs",
    "cryptocustomrand",
    "dataindependenttiming",
    "decoratemappings",
    "embedfollowsymlinks",
    "execerrdot",
    "fips140",
    "fips140ems",
    "gocachehash",
    "gocachetest",
    "gocacheverify",
    "gotestjsonbuildtext",
    "gotypesalias",
    "htmlmetacontenturlescape",
    "http2client",
    "http2debug",
    "http2server",
    "httpcookiemaxnum",
    "httplaxcontentlength",
    "httpmuxgo121",
    "httpservecontentkeepheaders",
    "installgoroot",
    "jstmpllitinterp",
    "multipartmaxheaders",
    "multipartmaxparts",
    "multipathtcp",
    "netdns",
    "netedns0",
    "panicnil",
    "randautoseed",
    "randseednop",
    "rsa1024min",
    "tarinsecurepath",
    "tls10server",
    "tls3des",
    "tlsmaxrsasize",
    "tlsmlkem",
    "tlsrsakex",
    "tlssecpmlkem",
    "tlssha1",
    "tlsunsafeekm",
    "updatemaxprocs",
    "urlmaxqueryparams",
    "urlstrictcolons",
    "winreadlinkvolume",
    "winsymlink",
    "x509keypairleaf",
    "x509negativeserial",
    "x509rsacrt",
    "x509sha256skid",
    "x509usefallbackroots",
    "x509usepolicies",
    "zipinsecurepath",
];

/// Settings that were taken away, with the go version 1.N that did.
const REMOVED: &[(&str, u32)] = &[("x509sha1", 24)];

impl Godebug {
    /// Why `go` of this version does not take the line, in its words. A version that is newer than
    /// those that are known may know any setting.
    #[must_use]
    pub fn fault(&self, go: &GoVersion) -> Option<String> {
        let Godebug { key, value, .. } = self;
        if key == "default" {
            let named = value.strip_prefix("go").and_then(GoVersion::parse);
            return match named {
                None => Some("value for default= must be goVERSION".to_owned()),
                Some(named) if named > *go => {
                    Some(format!("default={value} too new (toolchain is go{go})"))
                }
                Some(_) => None,
            };
        }
        if GODEBUG_SETTINGS.binary_search(&key.as_str()).is_ok() || go.is_newer_than_known() {
            return None;
        }
        let removed = REMOVED.iter().find(|(name, _)| name == key);
        match removed {
            Some((_, minor)) if !go.at_least(&format!("1.{minor}")) => None,
            Some((_, minor)) => Some(format!(
                "use of removed godebug {}, see https://go.dev/doc/godebug#go-1{minor}",
                quote(key)
            )),
            None => Some(format!("unknown godebug {}", quote(key))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `go list -m` of go1.26.8 says of such a line.
    #[test]
    fn lines_are_judged_as_by_go() {
        let newer = "default=go1.27 too new (toolchain is go1.26.8)";
        let removed = "use of removed godebug \"x509sha1\", see https://go.dev/doc/godebug#go-124";
        let rows = [
            ("1.26.8", "panicnil", "1", None),
            ("1.26.8", "panicnil", "odd", None),
            ("1.26.8", "foo", "1", Some("unknown godebug \"foo\"")),
            ("1.26.8", "", "1", Some("unknown godebug \"\"")),
            ("1.26.8", "x509sha1", "1", Some(removed)),
            ("1.23.1", "x509sha1", "1", None),
            ("1.26.8", "default", "go1.21", None),
            ("1.26.8", "default", "go1.26.8", None),
            ("1.26.8", "default", "go1.27", Some(newer)),
            (
                "1.26.8",
                "default",
                "1.21",
                Some("value for default= must be goVERSION"),
            ),
            ("1.27", "foo", "1", None),
        ];
        for (go, key, value, want) in rows {
            let line = Godebug {
                key: key.to_owned(),
                value: value.to_owned(),
                line: 1,
            };
            let go = GoVersion::parse(go).unwrap();
            assert_eq!(line.fault(&go).as_deref(), want, "{key}={value}");
        }
        assert!(GODEBUG_SETTINGS.is_sorted());
    }
}
