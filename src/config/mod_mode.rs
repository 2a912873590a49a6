//! `-mod`: whether go.mod may be changed, and whether a vendor directory is used in place of
//! the module cache.
//!
//! Of the commands that modfetch has only `list` reads it; the others are silent about it in
//! GOFLAGS, whatever it says, as go is. So the flag is judged when a command asks.
//!
//! Source: go `cmd/go/internal/work/init.go` (`buildModeInit`), `modload/init.go`
//! (`setDefaultBuildMod`).

use super::{Config, Setting};
use crate::{Error, Reason, Result};

/// What `-mod` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModMode {
    /// go.mod stays as it is; that it would have to change is an error.
    Readonly,
    /// go.mod is put right and written.
    Mod,
    /// `vendor/` is used, and modules.txt in it.
    Vendor,
}

impl ModMode {
    /// The value as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ModMode::Readonly => "readonly",
            ModMode::Mod => "mod",
            ModMode::Vendor => "vendor",
        }
    }
}

impl Config {
    /// What `-mod` was set to, on the command line or in GOFLAGS; `None` leaves it to the command.
    ///
    /// An empty value is taken for `readonly`, which is how go behaves with it.
    ///
    /// # Errors
    /// In go's words: another value, or one that a workspace does not allow. Their kind is
    /// that of [`Origin::refusal`](super::Origin::refusal).
    pub fn mod_mode(&self) -> Result<Option<Setting<ModMode>>> {
        let Some(found) = &self.mod_flag else {
            return Ok(None);
        };
        let text = found.value.as_str();
        let refuse = |why: String| Err(Error::new(found.origin.refusal(), why));
        if self.work_file()?.is_some() && !matches!(text, "readonly" | "vendor") {
            return refuse(format!(
                "-mod may only be set to readonly or vendor when in workspace mode, but it is set \
                 to {text:?}\n\tRemove the -mod flag to use the default readonly value, \n\tor set \
                 GOWORK=off to disable workspace mode."
            ));
        }
        let mode = match text {
            "" | "readonly" => ModMode::Readonly,
            "mod" => ModMode::Mod,
            "vendor" => ModMode::Vendor,
            _ => {
                return refuse(format!(
                    "-mod={text} not supported (can be '', 'mod', 'readonly', or 'vendor')"
                ))
                .map_err(|error| error.with_reason(Reason::ModFlag));
            }
        };
        Ok(Some(found.clone().map(|_| mode)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::Kind;
    use crate::config::flags::{Flag, MOD};
    use crate::config::{Environment, GoEnv, Origin, RawArgs};

    fn mode(goflags: &str, flag: Option<&str>, cwd: &Path) -> Result<Option<Setting<ModMode>>> {
        let env = Environment::from_pairs([("HOME", "/h"), ("GOFLAGS", goflags)]);
        let raw = RawArgs::with(flag.map(|flag| (&MOD, flag)));
        let resolve =
            |flags: &[&'static Flag]| Config::resolve(&GoEnv::load(&env), &raw, flags, cwd);
        // A value that only some commands read hinders none of the others.
        assert!(resolve(&[]).is_ok());
        resolve(&[&MOD])?.mod_mode()
    }

    #[test]
    fn the_flag_comes_before_goflags() {
        let dir = tempfile::tempdir().unwrap();
        let table = [
            ("", None, None),
            ("-mod=mod", None, Some(ModMode::Mod)),
            ("-mod=mod -mod=readonly", None, Some(ModMode::Readonly)),
            ("-mod=mod", Some("vendor"), Some(ModMode::Vendor)),
            ("-mod=foo", Some("mod"), Some(ModMode::Mod)),
            ("-mod=mod", Some(""), Some(ModMode::Readonly)),
        ];
        for (goflags, flag, want) in table {
            let got = mode(goflags, flag, dir.path()).unwrap();
            if let Some(found) = &got {
                let typed = found.origin == Origin::Flag("-mod".into());
                assert_eq!(typed, flag.is_some(), "{goflags} {flag:?}");
            }
            let got = got.map(|found| found.value);
            assert_eq!(got, want, "{goflags} {flag:?}");
        }
    }

    #[test]
    fn other_values_are_refused_in_gos_words() {
        let (plain, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(work.path().join("go.work"), "go 1.20\n").unwrap();
        // Each text is what `go list -m` of go1.26.8 prints.
        let foo = "-mod=foo not supported (can be '', 'mod', 'readonly', or 'vendor')";
        let in_work = |value: &str| {
            format!(
                "-mod may only be set to readonly or vendor when in workspace mode, but it is set \
                 to {value:?}\n\tRemove the -mod flag to use the default readonly value, \n\tor \
                 set GOWORK=off to disable workspace mode."
            )
        };
        let no_value = "flag needs an argument: -mod (from $GOFLAGS)".to_owned();
        let table = [
            (&plain, "-mod=foo", None, foo.to_owned(), Kind::Input),
            (&plain, "", Some("foo"), foo.to_owned(), Kind::Usage),
            (&plain, "-mod", None, no_value.clone(), Kind::Usage),
            (&plain, "-mod", Some("mod"), no_value, Kind::Usage),
            (&work, "", Some("mod"), in_work("mod"), Kind::Usage),
            (&work, "-mod=foo", None, in_work("foo"), Kind::Input),
        ];
        for (dir, goflags, flag, want, kind) in table {
            let error = mode(goflags, flag, dir.path()).unwrap_err();
            assert_eq!((error.chain(), error.kind()), (want, kind));
        }
        let vendor = mode("", Some("vendor"), work.path()).unwrap();
        assert_eq!(vendor.map(|found| found.value), Some(ModMode::Vendor));
    }
}
