//! What `-mod` is, and how it came to be that, as messages tell it.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`setDefaultBuildMod`, `goModDirtyError`),
//! `query.go` (`queryDisabledError`).

use crate::error::{Error, Kind};

/// What `-mod` is where go.mod may not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildMod {
    value: &'static str,
    asked: bool,
    reason: String,
}

impl BuildMod {
    /// The value of the flag.
    #[must_use]
    pub fn asked(value: &'static str) -> BuildMod {
        BuildMod {
            value,
            asked: true,
            reason: String::new(),
        }
    }

    /// The default, and its reason, if that is worth a word.
    #[must_use]
    pub fn found(value: &'static str, reason: String) -> BuildMod {
        BuildMod {
            value,
            asked: false,
            reason,
        }
    }

    /// What a message about it ends with.
    #[must_use]
    pub fn explanation(&self) -> String {
        match &*self.reason {
            "" => String::new(),
            reason => format!("\n\t({reason})"),
        }
    }

    /// go would have to change go.mod, and may not.
    #[must_use]
    pub fn outdated(&self) -> Error {
        let value = self.value;
        let why = match (self.asked, &*self.reason) {
            (true, _) => format!(", disabled by -mod={value};"),
            (false, "") => ";".to_owned(),
            (false, _) => format!(", disabled by -mod={value}{}\n\t", self.explanation()),
        };
        let space = if why.ends_with(';') { " " } else { "" };
        let text = format!("updates to go.mod needed{why}{space}to update it:\n\tgo mod tidy");
        Error::new(Kind::Input, text)
    }

    /// A source would have to be asked for versions, and must not be.
    #[must_use]
    pub fn no_query(&self) -> Error {
        let text = format!("cannot query module due to -mod={}", self.value);
        Error::new(Kind::Input, text + &self.explanation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decided_is_told_as_go_tells_it() {
        let why = "Go version in go.mod is 1.13, so vendor directory was not used.";
        // (what `go list -m` of go1.26.8 says with a go.mod that requires a module twice)
        let rows = [
            (
                BuildMod::found("readonly", String::new()),
                "updates to go.mod needed; to update it:\n\tgo mod tidy",
            ),
            (
                BuildMod::asked("readonly"),
                "updates to go.mod needed, disabled by -mod=readonly; to update it:\n\tgo mod tidy",
            ),
            (
                BuildMod::found("readonly", why.to_owned()),
                "updates to go.mod needed, disabled by -mod=readonly\n\t(Go version in go.mod is \
                 1.13, so vendor directory was not used.)\n\tto update it:\n\tgo mod tidy",
            ),
        ];
        for (mode, want) in rows {
            assert_eq!(mode.outdated().chain(), want);
        }
    }
}
