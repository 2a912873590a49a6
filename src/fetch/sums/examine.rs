//! Sums without a download: what the checksum database, the cache and the source say of lines
//! that go.sum has, or lacks.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rayon::prelude::*;

use super::SumExaminer;
use crate::cache::CacheEntry;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::fsio::TempFile;
use crate::gomod::{H1, ModuleVersion};
use crate::http::{BodySink, Resumable};
use crate::modzip::ModuleZip;
use crate::trust::{Logged, SumPart};

/// Zips that lie in the temporary folder at a time.
const ZIPS_AT_ONCE: usize = 16;

/// A line of go.sum that is needed.
#[derive(Clone, Debug)]
pub struct SumLine {
    /// Of which module version.
    pub module: ModuleVersion,
    /// For its zip or its go.mod.
    pub part: SumPart,
}

/// How a line stands.
#[derive(Clone, Debug)]
pub enum SumState {
    /// go.sum has it, and no source that could be asked contradicts it.
    Recorded,
    /// go.sum lacks it; this is what belongs there, accepted by the policy.
    Missing(H1),
    /// go.sum has another sum than the one who is named.
    Disagrees {
        /// What go.sum has.
        recorded: String,
        /// Who says otherwise: the name of the database, or `cache`.
        witness: String,
        /// What that one says.
        says: H1,
    },
    /// It is unknown; `missing` says whether go.sum has it at all.
    Unknown {
        /// go.sum has no such line.
        missing: bool,
        /// Why.
        error: Error,
    },
}

impl SumExaminer<'_> {
    /// Asks the checksum database, many at once, about all of these that the cache has and go.sum
    /// does not know. The answers are remembered, the bad ones too, for who needs them.
    pub fn ask_ahead<'m>(self, modules: impl Iterator<Item = &'m ModuleVersion>) {
        let must_ask = |module: &&ModuleVersion| {
            let cached =
                self.run.cache.entry(module).is_ok_and(|entry| {
                    entry.gomod_path().exists() || entry.ziphash_path().exists()
                });
            let unknown = |part| self.run.sums.must_ask(module, part);
            cached && [SumPart::GoMod, SumPart::Zip].into_iter().any(unknown)
        };
        let modules: Vec<&ModuleVersion> = modules.filter(must_ask).collect();
        if modules.is_empty() {
            return;
        }
        // Without threads they are asked when their turn comes.
        if let Ok(pool) = self.run.engine.pools.transfer() {
            let ask = |module: &&ModuleVersion| {
                let _ = self.run.sums.logged(module, SumPart::Zip);
            };
            pool.install(|| modules.par_iter().with_max_len(1).for_each(ask));
        }
    }

    /// How each of these lines stands, in their order, many examined at once. What is missing is
    /// accepted into the policy, for [`crate::trust::SumPolicy::save`]. Zips that must be
    /// fetched to know their sum go to `temporary`, and not into the cache.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn examine(self, lines: &[SumLine], temporary: &Path) -> Result<Vec<SumState>> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        self.run.start_task("comparing sums", lines.len());
        let examine = |line: &SumLine| {
            let missing = self.is_missing(line);
            let state = match missing {
                true => self.complete_line(line).map(|h1| h1.map(SumState::Missing)),
                false => self.compare_line(line).map(Some),
            };
            let unknown = |error| SumState::Unknown { missing, error };
            self.run.say(&Event::TaskAdvanced { items: 1, bytes: 0 });
            state.unwrap_or_else(|error| Some(unknown(error)))
        };
        let each = || lines.par_iter().with_max_len(1).map(examine).collect();
        let mut states: Vec<Option<SumState>> = self.run.engine.pools.transfer()?.install(each);
        let of_zips: Vec<usize> = (0..lines.len()).filter(|&i| states[i].is_none()).collect();
        for some in of_zips.chunks(ZIPS_AT_ONCE) {
            let modules: Vec<&ModuleVersion> = some.iter().map(|&i| &lines[i].module).collect();
            for (&i, h1) in some.iter().zip(self.hash_zips(&modules, temporary)?) {
                let accepted = h1.and_then(|h1| {
                    self.run.sums.check(&lines[i].module, SumPart::Zip, &h1)?;
                    Ok(SumState::Missing(h1))
                });
                let missing = true;
                states[i] =
                    Some(accepted.unwrap_or_else(|error| SumState::Unknown { missing, error }));
            }
        }
        // Every line was examined in one of the two ways.
        Ok(states
            .into_iter()
            .map(|state| state.unwrap_or(SumState::Recorded))
            .collect())
    }

    /// True if go.sum does not have it, though this run may have learnt it.
    fn is_missing(self, line: &SumLine) -> bool {
        !self.run.sums.knows(&line.module, line.part)
            || self.run.sums.is_new(&line.module, line.part)
    }

    /// Compares a line of go.sum with what else is known, and cheap to know.
    fn compare_line(self, line: &SumLine) -> Result<SumState> {
        let SumLine { module, part } = line;
        let recorded = self.run.sums.recorded(module, *part);
        let disagrees = |witness: &str, says: H1| SumState::Disagrees {
            recorded: recorded.join(" "),
            witness: witness.to_owned(),
            says,
        };
        // Of several none may be another: each would let something through.
        let known = recorded.iter().filter(|sum| sum.starts_with("h1:"));
        let agrees = |h1: &H1| known.clone().all(|sum| sum == h1.as_str());
        match self.run.sums.logged(module, *part) {
            Ok(Logged::Sum(h1)) if !agrees(&h1) => {
                return Ok(disagrees(self.run.sums.database_name(), h1));
            }
            Ok(_) => {}
            // Nothing to compare with: the line was good enough without.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Offline) => {}
            Err(error) => return Err(error),
        }
        match self.cached_sum(&self.run.cache.entry(module)?, *part)? {
            Some(h1) if !agrees(&h1) => Ok(disagrees("cache", h1)),
            _ => Ok(SumState::Recorded),
        }
    }

    /// Finds out what belongs into a line that go.sum lacks; `None` if a zip must be hashed.
    fn complete_line(self, line: &SumLine) -> Result<Option<H1>> {
        let SumLine { module, part } = line;
        let entry = self.run.cache.entry(module)?;
        let cached = self.cached_sum(&entry, *part)?;
        let h1 = match self.run.sums.logged(module, *part)? {
            Logged::Sum(h1) => {
                if let Some(cached) = cached {
                    // What the cache has, and the database does not confirm, is refused.
                    self.run.sums.check(module, *part, &cached)?;
                }
                h1
            }
            // There is no proof; the sum must at least be that of the file that is there.
            Logged::Exempt | Logged::Off => match part {
                SumPart::GoMod => match entry.read_gomod()? {
                    Some(data) => H1::of_go_mod(&data),
                    None => H1::of_go_mod(&self.run.link.source.gomod(module)?.value),
                },
                SumPart::Zip => return Ok(None),
            },
        };
        self.run.sums.check(module, *part, &h1)?;
        Ok(Some(h1))
    }

    /// What the cache says of itself: the recorded hash of the zip, the hash of the go.mod.
    fn cached_sum(self, entry: &CacheEntry, part: SumPart) -> Result<Option<H1>> {
        match part {
            SumPart::Zip => entry.read_ziphash(),
            SumPart::GoMod => Ok(entry.read_gomod()?.map(|data| H1::of_go_mod(&data))),
        }
    }

    /// The h1 of cached zips, and of those that are not cached, as the source has them.
    fn hash_zips(self, modules: &[&ModuleVersion], temporary: &Path) -> Result<Vec<Result<H1>>> {
        let open = |module: &&ModuleVersion| {
            let entry = self.run.cache.entry(module)?;
            match entry.has_zip() {
                true => Ok(ZipFile::Cached(entry)),
                false => self.proxied_zip(module, temporary).map(ZipFile::Proxied),
            }
        };
        let each = || modules.par_iter().with_max_len(1).map(open).collect();
        let zips: Vec<Result<ZipFile>> = self.run.engine.pools.transfer()?.install(each);
        let hash = |(zip, module): (Result<ZipFile>, &&ModuleVersion)| zip?.hash(module);
        let each = || zips.into_par_iter().zip(modules).map(hash).collect();
        Ok(self.run.engine.pools.compute()?.install(each))
    }

    /// The h1 of the zips that the source has now, whatever the cache has; in their order.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started.
    pub fn served_hashes(
        self,
        modules: &[&ModuleVersion],
        temporary: &Path,
    ) -> Result<Vec<Result<H1>>> {
        self.run.start_task("asking repositories", modules.len());
        let fetch = |module: &&ModuleVersion| {
            let zip = self.proxied_zip(module, temporary);
            self.run.say(&Event::TaskAdvanced { items: 1, bytes: 0 });
            ZipFile::Proxied(zip?).hash(module)
        };
        let mut hashes = Vec::with_capacity(modules.len());
        for some in modules.chunks(ZIPS_AT_ONCE) {
            let each = || some.par_iter().with_max_len(1).map(fetch).collect();
            let found: Vec<Result<H1>> = self.run.engine.pools.transfer()?.install(each);
            hashes.extend(found);
        }
        Ok(hashes)
    }

    /// Fetches the zip that the source has, into a file that goes when it is dropped.
    pub(in crate::fetch) fn proxied_zip(
        self,
        module: &ModuleVersion,
        temporary: &Path,
    ) -> Result<TempFile> {
        let mut sink = TempSink(TempFile::beside(&temporary.join("modfetch-zip"))?);
        self.run.link.source.zip(module, &mut sink)?;
        Ok(sink.0)
    }
}

/// A temporary that starts again with every try: it is gone with the run.
struct TempSink(TempFile);

impl Write for TempSink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl BodySink for TempSink {
    fn restart(&mut self, _: Option<&Resumable>) -> io::Result<()> {
        self.0.truncate()
    }
}

/// A zip to be hashed.
pub(in crate::fetch) enum ZipFile {
    Cached(CacheEntry),
    Proxied(TempFile),
}

impl ZipFile {
    /// The h1 of the zip; what breaks a rule for module zips has none.
    pub(in crate::fetch) fn hash(&self, module: &ModuleVersion) -> Result<H1> {
        let file = match self {
            ZipFile::Proxied(temp) => temp.reader()?,
            ZipFile::Cached(entry) => {
                let path = entry.zip_path();
                File::open(&path).map_err(|cause| Error::io("cannot open", &path, cause))?
            }
        };
        ModuleZip::open(file, module)?.hash()
    }
}
