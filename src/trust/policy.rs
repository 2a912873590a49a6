//! go.sum during one run: what it says, what was checked against it, what is to be added.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::modfile::GoSum;
use crate::module::{H1, ModuleVersion, PrefixPatterns};

/// What of a module version a sum is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The files of the zip: `PATH VERSION h1:...`.
    Zip,
    /// The go.mod alone: `PATH VERSION/go.mod h1:...`.
    GoMod,
}

impl Part {
    /// The version as a line of go.sum has it.
    #[must_use]
    pub fn version_key(self, module: &ModuleVersion) -> String {
        match self {
            Part::Zip => module.version().to_string(),
            Part::GoMod => format!("{}/go.mod", module.version()),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Part::Zip => "module",
            Part::GoMod => "go.mod",
        }
    }
}

/// The settings that decide what needs proof.
#[derive(Clone, Debug)]
pub struct SumSettings {
    /// GOSUMDB is `off`.
    pub database_off: bool,
    /// GONOSUMDB, which defaults to GOPRIVATE.
    pub exempt: PrefixPatterns,
    /// `--locked`: a sum that go.sum lacks is an error, whatever the other settings say.
    pub locked: bool,
}

/// The sums of one run. Shared by all threads.
#[derive(Debug)]
pub struct SumPolicy {
    settings: SumSettings,
    /// Where go.sum is or would be; `None` outside a module, where nothing is recorded.
    file: Option<PathBuf>,
    pub(super) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) sums: GoSum,
    /// (path, version key, hash): what this run did with the line.
    pub(super) status: HashMap<Line, Status>,
    warnings: Vec<String>,
}

pub(super) type Line = (String, String, String);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Status {
    /// Something was checked against it.
    pub(super) used: bool,
    /// It is not in the file.
    pub(super) new: bool,
}

impl SumPolicy {
    /// The policy outside any module: there is no go.sum.
    #[must_use]
    pub fn without_file(settings: SumSettings) -> SumPolicy {
        SumPolicy {
            settings,
            file: None,
            state: Mutex::default(),
        }
    }

    /// Reads `file`; a missing go.sum is an empty one.
    ///
    /// # Errors
    /// [`Kind::Input`] with file and line if it is malformed, [`Kind::LocalIo`] if unreadable.
    pub fn with_file(file: &Path, settings: SumSettings) -> Result<SumPolicy> {
        let sums = read_go_sum(file)?;
        let state = State {
            sums,
            ..State::default()
        };
        Ok(SumPolicy {
            settings,
            file: Some(file.to_owned()),
            state: Mutex::new(state),
        })
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the guard goes, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses, before a byte is fetched, what [`SumPolicy::check`] would refuse whatever its
    /// hash: a part that go.sum does not know and that is not exempt from proof.
    ///
    /// # Errors
    /// As [`SumPolicy::check`], except for a mismatch.
    pub fn precheck(&self, module: &ModuleVersion, part: Part) -> Result<()> {
        if self.knows(module, part) {
            Ok(())
        } else {
            self.may_add(module, part)
        }
    }

    /// True if go.sum has an `h1:` line for it.
    #[must_use]
    pub fn knows(&self, module: &ModuleVersion, part: Part) -> bool {
        let state = self.state();
        let sums = state
            .sums
            .sums(module.path().as_str(), &part.version_key(module));
        sums.iter().any(|sum| sum.starts_with("h1:"))
    }

    /// Checks a hash that was computed from bytes at hand, and remembers it.
    ///
    /// # Errors
    /// [`Kind::Security`]: go.sum has another hash, or has none and nothing exempts the module.
    /// [`Kind::Input`]: `--locked`, and go.sum has none.
    pub fn check(&self, module: &ModuleVersion, part: Part, h1: &H1) -> Result<()> {
        let (path, key) = (module.path().as_str(), part.version_key(module));
        let line = (path.to_owned(), key.clone(), h1.as_str().to_owned());
        let mut state = self.state();
        let recorded = state.sums.sums(path, &key);
        if recorded.iter().any(|sum| sum == h1.as_str()) {
            state.status.entry(line).or_default().used = true;
            return Ok(());
        }
        if let Some(other) = recorded.iter().find(|sum| sum.starts_with("h1:")) {
            return Err(self.mismatch(path, &key, h1, other));
        }
        let unknown = recorded.join(", ");
        self.may_add(module, part)?;
        if self.file.is_none() {
            return Ok(());
        }
        if !unknown.is_empty() {
            state.warnings.push(format!(
                "warning: verifying {path}@{key}: unknown hashes in go.sum: {unknown}; adding {h1}"
            ));
        }
        state.sums.insert(path, &key, h1.as_str());
        state.status.insert(
            line,
            Status {
                used: true,
                new: true,
            },
        );
        Ok(())
    }

    /// Warnings since the last call, in the order they arose.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().warnings)
    }

    fn may_add(&self, module: &ModuleVersion, part: Part) -> Result<()> {
        let noun = part.noun();
        if self.settings.locked {
            return Err(Error::new(
                Kind::Input,
                format!("{module}: verifying {noun}: missing go.sum entry, disabled by --locked"),
            )
            .hint("complete go.sum without --locked, or with 'go mod tidy'"));
        }
        if self.settings.database_off || self.settings.exempt.matches(module.path().as_str()) {
            return Ok(());
        }
        let reason = match &self.file {
            Some(file) => format!("{} has no line for it", file.display()),
            None => "there is no go.sum here".to_owned(),
        };
        Err(Error::new(
            Kind::Security,
            format!(
                "{module}: verifying {noun}: checksum not known: {reason}, and asking the \
                 checksum database is not supported yet"
            ),
        )
        .hint(format!(
            "to accept it unproven, set GONOSUMDB={} (or GOSUMDB=off for everything)",
            module.path()
        )))
    }

    fn mismatch(&self, path: &str, key: &str, downloaded: &H1, recorded: &str) -> Error {
        let file = self.file.as_deref().unwrap_or(Path::new("go.sum"));
        Error::new(
            Kind::Security,
            format!(
                "verifying {path}@{key}: checksum mismatch\n\
                 \tdownloaded: {downloaded}\n\
                 \tgo.sum:     {recorded}\n\
                 \n\
                 SECURITY ERROR\n\
                 This download does NOT match an earlier download recorded in go.sum.\n\
                 The bits may have been replaced on the origin server, or an attacker may\n\
                 have intercepted the download attempt.\n\
                 \n\
                 For more information, see 'go help module-auth'.\n"
            ),
        )
        .hint(format!(
            "the record is in {}; do not delete it before you know why",
            file.display()
        ))
    }
}

pub(super) fn read_go_sum(file: &Path) -> Result<GoSum> {
    match fs::read(file) {
        Ok(data) => GoSum::parse(&file.display().to_string(), &data),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(GoSum::default()),
        Err(cause) => Err(Error::io("cannot read", file, cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(database_off: bool, exempt: &str, locked: bool) -> SumSettings {
        SumSettings {
            database_off,
            exempt: PrefixPatterns::parse(exempt),
            locked,
        }
    }

    fn module() -> ModuleVersion {
        ModuleVersion::parse("example.com/a", "v1.0.0").unwrap()
    }

    fn policy(go_sum: &str, settings: SumSettings) -> (tempfile::TempDir, SumPolicy) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.sum");
        fs::write(&file, go_sum).unwrap();
        let policy = SumPolicy::with_file(&file, settings).unwrap();
        (dir, policy)
    }

    const EMPTY: &str = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn what_go_sum_knows_must_match() {
        let good = H1::of_go_mod(b"module example.com/a\n");
        let text = format!("example.com/a v1.0.0 {EMPTY}\nexample.com/a v1.0.0/go.mod {good}\n");
        // Even where nothing needs proof, a record that disagrees is fatal.
        let (_dir, policy) = policy(&text, settings(true, "", false));
        policy.check(&module(), Part::GoMod, &good).unwrap();
        let error = policy.check(&module(), Part::Zip, &good).unwrap_err();
        assert_eq!(error.kind(), Kind::Security);
        let want = format!(
            "verifying example.com/a@v1.0.0: checksum mismatch\n\tdownloaded: {good}\n\tgo.sum:     {EMPTY}\n\nSECURITY ERROR\n"
        );
        assert!(error.chain().starts_with(&want), "{}", error.chain());
        let error = policy
            .check(&module(), Part::GoMod, &H1::parse(EMPTY).unwrap())
            .unwrap_err();
        assert!(
            error
                .chain()
                .starts_with("verifying example.com/a@v1.0.0/go.mod: checksum mismatch")
        );
    }

    #[test]
    fn what_go_sum_lacks_needs_an_exemption() {
        let h1 = H1::parse(EMPTY).unwrap();
        let rows = [
            (settings(false, "", false), Some(Kind::Security)),
            (settings(false, "other.com", false), Some(Kind::Security)),
            (settings(false, "example.com", false), None),
            (settings(true, "", false), None),
            (settings(true, "", true), Some(Kind::Input)),
        ];
        for (settings, refused) in rows {
            let (_dir, policy) = policy("", settings);
            let early = policy
                .precheck(&module(), Part::Zip)
                .err()
                .map(|e| e.kind());
            let late = policy
                .check(&module(), Part::Zip, &h1)
                .err()
                .map(|e| e.kind());
            assert_eq!((early, late), (refused, refused), "{policy:?}");
        }
    }

    #[test]
    fn an_unknown_algorithm_is_kept_and_warned_about() {
        let (_dir, policy) = policy("example.com/a v1.0.0 h2:xyz\n", settings(true, "", false));
        assert!(!policy.knows(&module(), Part::Zip));
        policy
            .check(&module(), Part::Zip, &H1::parse(EMPTY).unwrap())
            .unwrap();
        let warnings = policy.take_warnings();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("unknown hashes in go.sum: h2:xyz; adding h1:47DE"));
    }
}
