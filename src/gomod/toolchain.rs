//! The go version that a run acts as: what GOTOOLCHAIN, go.mod and go.work make of it, and what
//! is too new for it.
//!
//! `go` refuses a module whose go line names a newer Go, or runs another toolchain in its place.
//! Nothing is run here: where `go` would start with another toolchain, the run acts as that one.
//!
//! Source: golang/go `cmd/go/internal/toolchain/select.go` (`Select`), `switch.go`,
//! `gover/toolchain.go` (`TooNewError`), `gover/gomod.go`.

use std::fmt;

use super::GoVersion;
use crate::error::{Error, Kind, Result};

/// What GOTOOLCHAIN asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// As it was set.
    setting: String,
    /// The version to start from.
    minimum: GoVersion,
    /// Another toolchain may take over.
    switching: bool,
}

impl Toolchain {
    /// Reads GOTOOLCHAIN, where `local` is the version that the program itself acts as. Nothing
    /// is `auto`.
    ///
    /// # Errors
    /// What is wrong with it, in the words of go.
    pub fn parse(setting: &str, local: &GoVersion) -> Result<Toolchain, String> {
        let of = |minimum: &GoVersion, switching| Toolchain {
            setting: setting.to_owned(),
            minimum: minimum.clone(),
            switching,
        };
        if matches!(setting, "" | "auto" | "path") {
            return Ok(of(local, true));
        }
        let (name, suffix) = match setting.split_once('+') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (setting, None),
        };
        let minimum = match name {
            "local" => local.clone(),
            _ => GoVersion::of_toolchain(name).ok_or_else(|| match suffix {
                Some(_) => {
                    format!("invalid GOTOOLCHAIN {setting:?}: invalid minimum toolchain {name:?}")
                }
                None => format!("invalid GOTOOLCHAIN {setting:?}"),
            })?,
        };
        match suffix {
            None => Ok(of(&minimum, false)),
            Some("auto" | "path") => Ok(of(&minimum, true)),
            Some(_) => Err(format!(
                "invalid GOTOOLCHAIN {setting:?}: only version suffixes are +auto and +path"
            )),
        }
    }

    /// True if it asks for other than the default, `auto`.
    fn is_set(&self) -> bool {
        !matches!(&*self.setting, "" | "auto")
    }

    /// The version that the run acts as, given the go.work or go.mod that it starts with: its name
    /// in messages and its text, which need not be well formed.
    ///
    /// # Errors
    /// What is wrong with the toolchain line, in the words of go.
    pub fn start(&self, file: Option<(&str, &[u8])>) -> Result<ActingVersion, String> {
        let mut running = ActingVersion {
            version: self.minimum.clone(),
            reason: match self.is_set() {
                true => format!("; GOTOOLCHAIN={}", self.setting),
                false => String::new(),
            },
            is_set: self.is_set(),
            switching: self.switching,
        };
        let Some((name, data)) = file.filter(|_| self.switching) else {
            return Ok(running);
        };
        let mut sets = None;
        match look_up(data, "toolchain").unwrap_or_default() {
            "" => {}
            "default" => {
                running.reason += &format!("; {name} sets toolchain default");
                return Ok(running);
            }
            toolchain => {
                let version = GoVersion::of_toolchain(toolchain)
                    .ok_or_else(|| format!("invalid toolchain {toolchain:?} in {name}"))?;
                if version > running.version {
                    running.version = version;
                    sets = Some(format!("toolchain {toolchain}"));
                }
            }
        }
        if let Some(go) = look_up(data, "go").and_then(GoVersion::parse)
            && go > running.version
        {
            sets = Some(format!("go {go}"));
            running.version = go;
        }
        if let Some(sets) = sets {
            running.reason += &format!("; {name} sets {sets}");
        }
        Ok(running)
    }
}

/// The go version that a run acts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActingVersion {
    version: GoVersion,
    /// Why it is this one, as messages end with it.
    reason: String,
    /// GOTOOLCHAIN is among the reasons.
    is_set: bool,
    switching: bool,
}

impl ActingVersion {
    /// From this version on `go` refuses what is newer than itself.
    const REFUSING: &'static str = "1.21";

    /// The version.
    #[must_use]
    pub fn version(&self) -> &GoVersion {
        &self.version
    }

    /// True if `go` may run a newer toolchain when it meets a module that needs one.
    #[must_use]
    pub fn may_switch(&self) -> bool {
        self.switching
    }

    /// True if `go` refuses a go line of `needed`.
    #[must_use]
    pub fn refuses(&self, needed: &GoVersion) -> bool {
        *needed > self.version && self.version.at_least(ActingVersion::REFUSING)
    }

    /// Refuses `what`, a module or file whose go line is `needed`, if that is too new.
    ///
    /// # Errors
    /// [`Kind::Input`], in go's words.
    pub fn check(&self, what: impl fmt::Display, needed: &GoVersion) -> Result<()> {
        if !self.refuses(needed) {
            return Ok(());
        }
        let (version, reason) = (&self.version, &self.reason);
        let text = format!("{what} requires go >= {needed} (running go {version}{reason})");
        let also = match self.is_set {
            true => ", or GOTOOLCHAIN=auto",
            false => "",
        };
        let hint = format!("act as a newer go: --go-version VERSION{also}");
        Err(Error::new(Kind::Input, text).hint(hint))
    }
}

/// What the first line of a go.mod or go.work that begins with a word says behind it. No more of
/// the text is understood, so that a file of any go version will do.
#[must_use]
pub fn look_up<'a>(data: &'a [u8], word: &str) -> Option<&'a str> {
    let mut lines = data.split(|&byte| byte == b'\n');
    lines.find_map(|line| {
        let line = line.trim_ascii().strip_prefix(word.as_bytes())?;
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            return None;
        }
        let comment = line.windows(2).position(|pair| pair == b"//");
        let value = line.get(..comment.unwrap_or(line.len()))?;
        std::str::from_utf8(value.trim_ascii()).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> GoVersion {
        GoVersion::parse(text).unwrap()
    }

    /// What go1.26.8 says of a go.mod (or of its go line alone) under a GOTOOLCHAIN.
    fn refusal(setting: &str, gomod: &str) -> Result<Option<String>, String> {
        let toolchain = Toolchain::parse(setting, &version("1.26.8"))?;
        let running = toolchain.start(Some(("go.mod", gomod.as_bytes())))?;
        let needed = look_up(gomod.as_bytes(), "go").and_then(GoVersion::parse);
        let refused = needed.and_then(|needed| running.check("go.mod", &needed).err());
        Ok(refused.map(|error| error.chain()))
    }

    #[test]
    fn refusals_are_those_of_go() {
        let local = "go.mod requires go >= 1.30 (running go 1.26.8; GOTOOLCHAIN=local)";
        let default =
            "go.mod requires go >= 1.30 (running go 1.26.8; go.mod sets toolchain default)";
        let older = "go.mod requires go >= 1.30 (running go 1.25.1; GOTOOLCHAIN=go1.25.1)";
        let new = "module m\ngo 1.30\n";
        // (GOTOOLCHAIN, go.mod, what `go mod graph` of go1.26.8 says; go1.25.1 where it is named)
        let rows = [
            ("local", new, Some(local)),
            ("auto", new, None),
            ("", new, None),
            ("path", new, None),
            ("local+auto", new, None),
            ("go1.25.1", new, Some(older)),
            ("go1.25.1+auto", new, None),
            ("go1.30.2", new, None),
            ("go1.20.1", new, None),
            ("auto", "go 1.30\ntoolchain default\n", Some(default)),
            ("auto", "go 1.30\ntoolchain go1.29.0\n", None),
            ("local", "go 1.26.8\ntoolchain go1.30.0\n", None),
            ("local", "go 1.26.8 // as here\n", None),
            ("local", "toolchain foo\n", None),
        ];
        for (setting, gomod, want) in rows {
            let want = want.map(str::to_owned);
            assert_eq!(refusal(setting, gomod), Ok(want), "{setting} {gomod}");
        }
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_refused_in_the_words_of_go() {
        let rows = [
            ("bash", "invalid GOTOOLCHAIN \"bash\""),
            ("go", "invalid GOTOOLCHAIN \"go\""),
            (
                "go1.25.0+foo",
                "invalid GOTOOLCHAIN \"go1.25.0+foo\": only version suffixes are +auto and +path",
            ),
            (
                "foo+auto",
                "invalid GOTOOLCHAIN \"foo+auto\": invalid minimum toolchain \"foo\"",
            ),
        ];
        for (setting, want) in rows {
            assert_eq!(refusal(setting, ""), Err(want.to_owned()));
        }
        assert_eq!(
            refusal("auto", "toolchain foo\n"),
            Err("invalid toolchain \"foo\" in go.mod".to_owned())
        );
    }

    #[test]
    fn the_file_raises_the_version() {
        let running = |gomod: &str| {
            let toolchain = Toolchain::parse("go1.25.0+auto", &version("1.26.8")).unwrap();
            let running = toolchain.start(Some(("go.mod", gomod.as_bytes()))).unwrap();
            running.check("x", &version("1.99")).unwrap_err().chain()
        };
        let rows = [
            ("go 1.20", "1.25.0; GOTOOLCHAIN=go1.25.0+auto"),
            (
                "go 1.30\n",
                "1.30; GOTOOLCHAIN=go1.25.0+auto; go.mod sets go 1.30",
            ),
            (
                "go 1.30\ntoolchain go1.30.1-x",
                "1.30.1; GOTOOLCHAIN=go1.25.0+auto; go.mod sets toolchain go1.30.1-x",
            ),
            (
                "toolchain go1.28.0\n go\t1.30rc1//",
                "1.30rc1; GOTOOLCHAIN=go1.25.0+auto; go.mod sets go 1.30rc1",
            ),
        ];
        for (gomod, want) in rows {
            let want = format!("x requires go >= 1.99 (running go {want})");
            assert_eq!(running(gomod), want);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(data in proptest::collection::vec(any::<u8>(), 0..64), text in "(go|toolchain)[ \t]{0,2}[go0-9./\n ]{0,12}") {
            let toolchain = Toolchain::parse("auto", &version("1.26.8")).unwrap();
            let _ = toolchain.start(Some(("go.mod", &data)));
            let _ = toolchain.start(Some(("go.mod", text.as_bytes())));
        }
    }
}
