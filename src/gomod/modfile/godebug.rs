//! Which `godebug` lines go takes: the settings that it knows, and what their values may be.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`CheckGodebug`), `internal/godebugs/table.go`.

use super::directive::Godebug;
use crate::gomod::GoVersion;
use crate::gomod::compat::GodebugSetting;
use crate::gomod::quote::quote;

/// From this go version on only the old values of removed settings are refused.
const VALUES_OF_REMOVED: &str = "1.27";

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
        let setting = GodebugSetting::of(key);
        match setting {
            Some(setting) if setting.is_known_to(go) => None,
            Some(GodebugSetting { removed, old, .. })
                if removed > 0 && go.at_least(&format!("1.{removed}")) =>
            {
                self.removed_fault(go, removed, old)
            }
            _ if go.is_newer_than_known() => None,
            _ => Some(format!("unknown godebug {}", quote(key))),
        }
    }

    /// Why a setting is refused that was taken away with go 1.`removed`.
    fn removed_fault(&self, go: &GoVersion, removed: u32, old: &[&str]) -> Option<String> {
        let (key, value) = (quote(&self.key), &self.value);
        let url = format!("https://go.dev/doc/godebug#go-1{removed}");
        if !go.at_least(VALUES_OF_REMOVED) {
            // tlskyber was no setting of go.mod before.
            return Some(match old {
                ["0"] => format!("unknown godebug {key}"),
                _ => format!("use of removed godebug {key}, see {url}"),
            });
        }
        let is_old = old.contains(&value.as_str());
        is_old.then(|| {
            let value = quote(value);
            format!("removed GODEBUG {key} set to old value {value} ({url})")
        })
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
        let asynctimerchan = "removed GODEBUG \"asynctimerchan\" set to old value \"2\" (https://go.dev/doc/godebug#go-127)";
        let gotypesalias = "removed GODEBUG \"gotypesalias\" set to old value \"0\" (https://go.dev/doc/godebug#go-127)";
        let x509sha1 = "removed GODEBUG \"x509sha1\" set to old value \"1\" (https://go.dev/doc/godebug#go-124)";
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
            ("1.28", "foo", "1", None),
            // go1.27.4.
            ("1.27.4", "foo", "1", Some("unknown godebug \"foo\"")),
            ("1.27.4", "tracebacklabels", "0", None),
            (
                "1.26.8",
                "tracebacklabels",
                "0",
                Some("unknown godebug \"tracebacklabels\""),
            ),
            ("1.26.8", "asynctimerchan", "1", None),
            ("1.27.4", "asynctimerchan", "3", None),
            ("1.27.4", "asynctimerchan", "2", Some(asynctimerchan)),
            ("1.27.4", "gotypesalias", "0", Some(gotypesalias)),
            ("1.27.4", "x509sha1", "0", None),
            ("1.27.4", "x509sha1", "1", Some(x509sha1)),
            (
                "1.26.8",
                "tlskyber",
                "1",
                Some("unknown godebug \"tlskyber\""),
            ),
            ("1.27.4", "tlskyber", "1", None),
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
    }
}
