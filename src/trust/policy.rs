//! go.sum during one run: what it says, what was checked against it, what is to be added.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::proof::{Database, Logged, UNKNOWN_HASH, compare, unanswered};
use crate::config::{AcceptedSum, Overlay};
use crate::error::{Error, Kind, Reason, Result};
use crate::fsio::read_whole;
use crate::gomod::modfile::GoSum;
use crate::gomod::{H1, ModuleVersion, PrefixPatterns, TOOLCHAIN};
use crate::sumdb;

/// What of a module version a sum is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SumPart {
    /// The files of the zip: `PATH VERSION h1:...`.
    Zip,
    /// The go.mod alone: `PATH VERSION/go.mod h1:...`.
    GoMod,
}

impl SumPart {
    /// The version as a line of go.sum has it.
    #[must_use]
    pub fn version_key(self, module: &ModuleVersion) -> String {
        self.key(module).into_owned()
    }

    fn key(self, module: &ModuleVersion) -> Cow<'_, str> {
        let version = module.version().as_str();
        match self {
            SumPart::Zip => version.into(),
            SumPart::GoMod => [version, "/go.mod"].concat().into(),
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            SumPart::Zip => "module",
            SumPart::GoMod => "go.mod",
        }
    }
}

/// The settings that decide what needs proof.
#[derive(Clone, Debug)]
pub struct SumSettings {
    /// What GOSUMDB names.
    pub database: Database,
    /// GONOSUMDB, which defaults to GOPRIVATE.
    pub exempt: PrefixPatterns,
    /// What counts where the database has no record.
    pub accepted: Vec<AcceptedSum>,
    /// `--locked`: a sum that go.sum lacks is an error, whatever the other settings say.
    pub locked: bool,
}

/// The sums of one run. Shared by all threads, and by clones.
#[derive(Clone, Debug)]
pub struct SumPolicy {
    settings: SumSettings,
    /// Where go.sum is or would be; `None` outside a module, where nothing is recorded.
    file: Option<PathBuf>,
    /// Another one stands in for it, and it is not written.
    overlaid: bool,
    /// What else has sums and is not written, with its name: in a workspace the go.sum of every
    /// module that is used.
    others: Arc<[(PathBuf, GoSum)]>,
    pub(super) state: Arc<Mutex<PolicyState>>,
}

#[derive(Debug, Default)]
pub(super) struct PolicyState {
    pub(super) sums: GoSum,
    /// What this run did with the first h1 of each place in `sums`, as far as it did anything.
    status: Vec<SumUse>,
    warnings: Vec<String>,
    /// By path and version key, that a hash is not the recorded one.
    pub(super) contradictions: BTreeMap<(String, String), Error>,
}

impl PolicyState {
    /// Every h1 that something was checked against: path, version key, sum, what was done with it.
    pub(super) fn used(&self) -> impl Iterator<Item = (&str, &str, &str, SumUse)> {
        let used = self.status.iter().enumerate();
        used.filter(|(_, status)| status.used)
            .filter_map(|(place, &status)| {
                let (path, key, sums) = self.sums.at(place);
                Some((path, key, first_h1(sums)?, status))
            })
    }

    /// What was fetched in the place of something wrong is right.
    fn clear_contradiction(&mut self, path: &str, key: &str) {
        if !self.contradictions.is_empty() {
            let place = (path.to_owned(), key.to_owned());
            self.contradictions.remove(&place);
        }
    }

    fn status_mut(&mut self, place: usize) -> &mut SumUse {
        if self.status.len() <= place {
            self.status.resize(place + 1, SumUse::default());
        }
        &mut self.status[place]
    }
}

/// Of several the first decides, as in go: a line that was added below lets nothing through.
fn first_h1(sums: &[String]) -> Option<&str> {
    let mut sums = sums.iter().map(String::as_str);
    sums.find(|sum| sum.starts_with("h1:"))
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SumUse {
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
            overlaid: false,
            others: Arc::default(),
            state: Arc::default(),
        }
    }

    /// Reads `file`; a missing go.sum is an empty one.
    ///
    /// # Errors
    /// [`Kind::Input`] with file and line if it is malformed, [`Kind::LocalIo`] if unreadable.
    pub fn with_file(file: &Path, settings: SumSettings) -> Result<SumPolicy> {
        SumPolicy::with_files(file, &[], &Overlay::default(), settings)
    }

    /// Reads `file`, which new sums are written to, and `others`, whose sums count as well, or
    /// what stands in for them; a missing file is an empty one.
    ///
    /// # Errors
    /// As [`SumPolicy::with_file`].
    pub fn with_files(
        file: &Path,
        others: &[PathBuf],
        overlay: &Overlay,
        settings: SumSettings,
    ) -> Result<SumPolicy> {
        let read = |other: &PathBuf| Ok((other.clone(), read_go_sum(other, overlay)?));
        let others = others.iter().map(read).collect::<Result<Vec<_>>>()?;
        let sums = read_go_sum(file, overlay)?;
        let state = PolicyState {
            sums,
            ..PolicyState::default()
        };
        Ok(SumPolicy {
            settings,
            file: Some(file.to_owned()),
            overlaid: overlay.replaces(file),
            others: others.into(),
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// The same sums, shared, for one piece of work: requests to the checksum database have these headers beside
    /// their own.
    #[must_use]
    pub fn with_headers(&self, headers: &[(String, String)]) -> SumPolicy {
        let mut policy = self.clone();
        if let Database::Client(client) = &mut policy.settings.database {
            *client = Arc::new(client.with_headers(headers));
        }
        policy
    }

    pub(super) fn is_overlaid(&self) -> bool {
        self.overlaid
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, PolicyState> {
        // Every change is complete before the guard goes, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses, before a byte is fetched, what [`SumPolicy::check`] would refuse whatever its
    /// hash: a part that go.sum does not know, and that no database can prove. Sends no request.
    ///
    /// # Errors
    /// As [`SumPolicy::check`], except for a mismatch.
    pub fn precheck(&self, module: &ModuleVersion, part: SumPart) -> Result<()> {
        if self.suffices(module, part) {
            Ok(())
        } else {
            self.prover(module, part).map(drop)
        }
    }

    /// Asks the checksum database, if [`SumPolicy::check`] will have to, so that it need not wait
    /// then: it is called with locks held and on threads that compute.
    ///
    /// # Errors
    /// As [`SumPolicy::check`], except for a mismatch.
    pub fn ask(&self, module: &ModuleVersion, part: SumPart) -> Result<()> {
        if self.suffices(module, part) {
            return Ok(());
        }
        match self.prover(module, part)? {
            Some(database) => match database.lookup(module) {
                Err(error) if error.is_not_found() && self.accepted(module, part).is_some() => {
                    Ok(())
                }
                answer => answer
                    .map(drop)
                    .map_err(|error| unanswered(module, part, error)),
            },
            None => Ok(()),
        }
    }

    /// True if go.sum has a sum for it, or the checksum database has and proves it; false if the
    /// settings exempt it from proof.
    ///
    /// # Errors
    /// As [`SumPolicy::ask`].
    pub fn vouched(&self, module: &ModuleVersion, part: SumPart) -> Result<bool> {
        if self.suffices(module, part) {
            return Ok(true);
        }
        match self.prover(module, part)? {
            Some(_) => self.ask(module, part).map(|()| true),
            None => Ok(false),
        }
    }

    /// True if no one vouches for it, go.sum or the checksum database: whatever comes will be believed.
    #[must_use]
    pub fn believes_anything(&self, module: &ModuleVersion, part: SumPart) -> bool {
        !self.suffices(module, part) && matches!(self.prover(module, part), Ok(None))
    }

    /// True if [`SumPolicy::check`] would have to wait for the checksum database, and perhaps for
    /// the network: then it is a thing for a thread that may block.
    #[must_use]
    pub fn must_ask(&self, module: &ModuleVersion, part: SumPart) -> bool {
        if self.suffices(module, part) {
            return false;
        }
        let prover = self.prover(module, part);
        matches!(prover, Ok(Some(database)) if !database.has_answered(module))
    }

    /// What go.sum has for it, and what this run has added: hashes of any algorithm.
    #[must_use]
    pub fn recorded(&self, module: &ModuleVersion, part: SumPart) -> Vec<String> {
        let (path, key) = (module.path().as_str(), part.key(module));
        let mut sums = self.state().sums.sums(path, &key).to_vec();
        for sum in self.in_others(path, &key) {
            if !sums.contains(sum) {
                sums.push(sum.clone());
            }
        }
        sums
    }

    /// What the files have that are not written.
    fn in_others(&self, path: &str, key: &str) -> impl Iterator<Item = &String> {
        let others = self.others.iter();
        others.flat_map(move |(_, sums)| sums.sums(path, key))
    }

    /// True if a file that is not written has a line for it: then no other file needs one.
    pub(super) fn others_have(&self, path: &str, key: &str) -> bool {
        self.in_others(path, key).next().is_some()
    }

    /// True if there are files that are not written.
    pub(super) fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The one `h1:` sum that the files have for it, without what this run has added; `None` if
    /// they have none, or several.
    #[must_use]
    pub fn record(&self, module: &ModuleVersion, part: SumPart) -> Option<String> {
        let (path, key) = (module.path().as_str(), part.key(module));
        // What a run adds is added where there was nothing.
        let added = self.is_new(module, part);
        let state = self.state();
        let own: &[String] = match added {
            true => &[],
            false => state.sums.sums(path, &key),
        };
        let all = own.iter().chain(self.in_others(path, &key));
        let mut records = all.filter(|sum| sum.starts_with("h1:"));
        let first = records.next()?;
        records.all(|sum| sum == first).then(|| first.clone())
    }

    /// True if go.sum itself has an `h1:` line for it, not one that this run has added.
    #[must_use]
    pub fn records(&self, module: &ModuleVersion, part: SumPart) -> bool {
        self.knows(module, part) && !self.is_new(module, part)
    }

    /// True if go.sum had the sum of no bytes for it, which is not read.
    #[must_use]
    pub fn has_dropped(&self, module: &ModuleVersion, part: SumPart) -> bool {
        let (path, key) = (module.path().as_str(), part.key(module));
        let others = self.others.iter().map(|(_, sums)| sums);
        let mut others = others.filter(|sums| sums.has_dropped(path, &key));
        self.state().sums.has_dropped(path, &key) || others.next().is_some()
    }

    /// True if this run has accepted a sum for it that go.sum does not have.
    #[must_use]
    pub fn is_new(&self, module: &ModuleVersion, part: SumPart) -> bool {
        let (path, key) = (module.path().as_str(), part.key(module));
        let state = self.state();
        let place = state.sums.place(path, &key);
        let status = place.and_then(|place| state.status.get(place));
        status.is_some_and(|status| status.new)
    }

    /// The name of the checksum database, if there is one.
    #[must_use]
    pub fn database_name(&self) -> &str {
        match &self.settings.database {
            Database::Client(client) => client.name(),
            Database::Off | Database::Invalid(_) => "",
        }
    }

    /// The client of the checksum database; `None` if GOSUMDB is `off`.
    ///
    /// # Errors
    /// [`Kind::Input`] if GOSUMDB makes no sense.
    pub fn database(&self) -> Result<Option<&Arc<sumdb::SumDbClient>>> {
        match &self.settings.database {
            Database::Client(client) => Ok(Some(client)),
            Database::Off => Ok(None),
            Database::Invalid(error) => Err(error.clone()),
        }
    }

    /// True if the settings say that the checksum database is not asked about a module. go.sum cannot
    /// vouch for a toolchain, so nothing exempts one.
    #[must_use]
    pub fn is_exempt(&self, path: &str) -> bool {
        path != TOOLCHAIN && self.settings.exempt.matches(path)
    }

    /// What the checksum database has logged, whatever go.sum says.
    ///
    /// # Errors
    /// As [`SumPolicy::check`] where go.sum has no line, except for a mismatch.
    pub fn logged(&self, module: &ModuleVersion, part: SumPart) -> Result<Logged> {
        Logged::ask(self.prover(module, part)?, &self.settings, module, part)
    }

    /// True if go.sum has an `h1:` line for it, and that is proof enough. A line for a toolchain is
    /// none: a toolchain is a program that runs next, and who can write go.sum could choose it.
    ///
    /// Source: golang/go `cmd/go/internal/modfetch/fetch.go`, `checkModSum`, from go1.26.9 and
    /// go1.27.2 on (CVE-2026-94447).
    #[must_use]
    pub fn suffices(&self, module: &ModuleVersion, part: SumPart) -> bool {
        !is_toolchain(module) && self.knows(module, part)
    }

    /// True if go.sum has an `h1:` line for it.
    #[must_use]
    pub fn knows(&self, module: &ModuleVersion, part: SumPart) -> bool {
        let (path, key) = (module.path().as_str(), part.key(module));
        first_h1(self.state().sums.sums(path, &key)).is_some()
            || self.in_others(path, &key).any(|sum| sum.starts_with("h1:"))
    }

    /// Checks a hash that was computed from bytes at hand, and remembers it.
    ///
    /// # Errors
    /// - [`Kind::Security`]: go.sum has another hash; or it has none, and the checksum database
    ///   has another, or does not hold what it promised.
    /// - [`Kind::Input`]: go.sum has none, and `--locked` is set or GOSUMDB is malformed.
    /// - What else [`sumdb::SumDbClient::lookup`] says: the database does not know it, or could not be
    ///   asked.
    pub fn check(&self, module: &ModuleVersion, part: SumPart, h1: &H1) -> Result<()> {
        let (path, key) = (module.path().as_str(), part.key(module));
        let recorded = self.is_recorded(&mut self.state(), path, &key, h1)?;
        if recorded && !is_toolchain(module) {
            return Ok(());
        }
        if let Some(database) = self.prover(module, part)? {
            // No lock is held: others may ask as well, or know already.
            match compare(database, module, part, h1) {
                Err(error) if error.is_not_found() => {
                    self.check_unlogged(module, part, h1, error)?;
                }
                compared => compared?,
            }
        }
        let mut state = self.state();
        if self.file.is_none() || self.is_recorded(&mut state, path, &key, h1)? {
            return Ok(());
        }
        let unknown = state.sums.sums(path, &key).join(", ");
        if !unknown.is_empty() {
            state.warnings.push(format!(
                "warning: verifying {path}@{key}: unknown hashes in go.sum: {unknown}; adding {h1}{UNKNOWN_HASH}"
            ));
        }
        state.sums.insert(path, &key, h1.as_str());
        if let Some(place) = state.sums.place(path, &key) {
            *state.status_mut(place) = SumUse {
                used: true,
                new: true,
            };
        }
        Ok(())
    }

    /// True if go.sum has this line, which is now used; an error if it has another hash. Where
    /// go.sum has none, all that the other files have must agree.
    fn is_recorded(&self, state: &mut PolicyState, path: &str, key: &str, h1: &H1) -> Result<bool> {
        let mismatch = |state: &mut PolicyState, sum: &str, file| {
            let error = self.mismatch((path, key), h1, sum, file);
            let place = (path.to_owned(), key.to_owned());
            state.contradictions.insert(place, error.clone());
            Err(error)
        };
        if let Some(place) = state.sums.place(path, key)
            && let Some(sum) = first_h1(state.sums.at(place).2)
        {
            if sum != h1.as_str() {
                let sum = sum.to_owned();
                return mismatch(state, &sum, None);
            }
            state.status_mut(place).used = true;
            state.clear_contradiction(path, key);
            return Ok(true);
        }
        let mut found = false;
        for (file, sums) in self.others.iter() {
            for sum in sums.sums(path, key) {
                if sum == h1.as_str() {
                    found = true;
                } else if sum.starts_with("h1:") {
                    return mismatch(state, sum, Some(file));
                }
            }
        }
        if found {
            state.clear_contradiction(path, key);
        }
        Ok(found)
    }

    /// Warnings since the last call, in the order they arose.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().warnings)
    }

    /// Who has to prove a part that go.sum does not know; `None` if no proof is needed.
    fn prover(&self, module: &ModuleVersion, part: SumPart) -> Result<Option<&sumdb::SumDbClient>> {
        let noun = part.noun();
        if self.settings.locked && !self.knows(module, part) {
            return Err(Error::new(
                Kind::Input,
                format!("verifying {noun}: missing go.sum entry, disabled by --locked"),
            )
            .about(module)
            .hint("complete go.sum without --locked, or with 'go mod tidy'"));
        }
        // Nothing exempts a toolchain. go takes it unproven where GOPROXY is a single file:// tree,
        // to test a build of itself; that is no reason here.
        let toolchain = is_toolchain(module);
        if !toolchain && self.settings.exempt.matches(module.path().as_str()) {
            return Ok(None);
        }
        match &self.settings.database {
            Database::Off if toolchain => {
                let disabled = "checksum database disabled by GOSUMDB=off";
                let text = format!("verifying {noun}: {disabled}");
                Err(Error::new(Kind::Security, text).about(module))
            }
            Database::Off => Ok(None),
            Database::Client(client) => Ok(Some(client)),
            Database::Invalid(error) => {
                let error = error.clone();
                Err(error.context(format!("verifying {noun}")).about(module))
            }
        }
    }

    fn accepted(&self, module: &ModuleVersion, part: SumPart) -> Option<&H1> {
        let is_gomod = part == SumPart::GoMod;
        let mut accepted = self.settings.accepted.iter();
        let found = accepted.find(|one| one.is_gomod == is_gomod && one.module == *module);
        found.map(|one| &one.sum)
    }

    /// Compares a hash of which the database has no record with the one that counts instead;
    /// `unlogged` is what the database said.
    fn check_unlogged(
        &self,
        module: &ModuleVersion,
        part: SumPart,
        h1: &H1,
        unlogged: Error,
    ) -> Result<()> {
        let key = part.key(module);
        let path = module.path();
        let Some(accepted) = self.accepted(module, part) else {
            let known = self.settings.accepted.iter();
            let half = known.clone().any(|one| one.module == *module);
            return Err(match half {
                true => unlogged.hint(format!(
                    "--accept-unlogged has a sum for another file of this version; this one is \
                     {path}@{key}"
                )),
                false => unlogged,
            });
        };
        if accepted != h1 {
            let noun = part.noun();
            let text = format!(
                "verifying {noun}: checksum mismatch\n\tdownloaded: {h1}\n\t--accept-unlogged: \
                 {accepted}"
            );
            return Err(Error::new(Kind::Security, text).about(module));
        }
        self.state().warnings.push(format!(
            "warning: {path}@{key}: no record in the checksum database, accepted by \
             --accept-unlogged"
        ));
        Ok(())
    }

    /// Says that a line has another hash; `other` is the file that has it, if that is not the one
    /// that is written.
    fn mismatch(
        &self,
        (path, key): (&str, &str),
        downloaded: &H1,
        recorded: &str,
        other: Option<&Path>,
    ) -> Error {
        let own = self.file.as_deref().unwrap_or(Path::new("go.sum"));
        let file = other.unwrap_or(own);
        let label = match other {
            Some(other) => other.display().to_string(),
            None if own.to_string_lossy().ends_with("go.work.sum") => "go.work.sum".to_owned(),
            None => "go.sum".to_owned(),
        };
        Error::new(
            Kind::Security,
            format!(
                "verifying {path}@{key}: checksum mismatch\n\
                 \tdownloaded: {downloaded}\n\
                 \t{label}:     {recorded}\n\
                 \n\
                 SECURITY ERROR\n\
                 This download does NOT match an earlier download recorded in go.sum.\n\
                 The bits may have been replaced on the origin server, or an attacker may\n\
                 have intercepted the download attempt.\n\
                 \n\
                 For more information, see 'go help module-auth'.\n"
            ),
        )
        .with_reason(Reason::SumMismatch)
        .hint(format!(
            "the record is in {}; do not delete it before you know why",
            file.display()
        ))
    }
}

/// True if a module version is a Go toolchain.
fn is_toolchain(module: &ModuleVersion) -> bool {
    module.path().as_str() == TOOLCHAIN
}

pub(super) fn read_go_sum(file: &Path, overlay: &Overlay) -> Result<GoSum> {
    match overlay.read(file, read_whole) {
        Ok(data) => GoSum::parse(&file.display().to_string(), &data),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(GoSum::default()),
        Err(cause) => Err(Error::io("cannot read", file, cause)),
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
