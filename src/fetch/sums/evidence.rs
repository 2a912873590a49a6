//! What go.sum, the checksum database, the cache and the proxy say of one module version.

use std::path::Path;

use super::SumExaminer;
use super::examine::ZipFile;
use crate::cache::CacheEntry;
use crate::error::{Error, Kind, Result};
use crate::fsio::TempFile;
use crate::gomod::Time;
use crate::gomod::modfile::EMPTY_GO_MOD;
use crate::gomod::{H1, ModuleVersion};
use crate::modzip::hash_dir;
use crate::source::Info;
use crate::trust::{Age, HashReport, HashSource, Logged, ReportedHash, SumPart};

/// Everything that was said.
#[derive(Clone, Debug)]
pub struct HashEvidence {
    /// Of the zip.
    pub zip: Vec<ReportedHash>,
    /// Of the go.mod.
    pub gomod: Vec<ReportedHash>,
    /// How old the version is.
    pub age: Age,
}

/// When go1.11.4 was released.
const GO_1_11_4: &str = "2018-12-14T00:00:00Z";

impl SumExaminer<'_> {
    /// Hears every witness. What the proxy has is fetched into `temporary` and thrown away.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started; [`Kind::Input`] if the module has no place
    /// in a cache. What a witness fails with is evidence.
    pub fn evidence(self, module: &ModuleVersion, temporary: &Path) -> Result<HashEvidence> {
        let entry = self.run.cache.entry(module)?;
        let (mut logged, mut proxied, mut gomod, mut info) = (None, None, None, None);
        self.run.engine.pools.transfer()?.in_place_scope(|scope| {
            scope.spawn(|_| {
                let of = |part| self.run.sums.logged(module, part);
                logged = Some((of(SumPart::Zip), of(SumPart::GoMod)));
            });
            scope.spawn(|_| proxied = Some(self.proxied_zip(module, temporary)));
            scope.spawn(|_| gomod = Some(self.run.link.source.gomod(module)));
            scope.spawn(|_| info = self.any_info(&entry));
        });
        let (zip_logged, gomod_logged) = logged.unzip();
        let compute = self.run.engine.pools.compute()?;
        let (proxied, cached) =
            compute.install(|| (self.hash_proxied(module, proxied), cached_zip(&entry)));
        let mut zip = self.recorded(module, SumPart::Zip);
        zip.push(claim(HashSource::Database, database_report(zip_logged)));
        zip.extend(cached);
        zip.push(claim(HashSource::Proxy, proxied));
        let mut of_gomod = self.recorded(module, SumPart::GoMod);
        of_gomod.push(claim(HashSource::Database, database_report(gomod_logged)));
        let data = entry.read_gomod();
        let cached = report(data.map(|data| data.map(|data| H1::of_go_mod(&data))));
        of_gomod.push(claim(HashSource::Mod, cached));
        let served = gomod.map(|served| served.map(|served| Some(H1::of_go_mod(&served.value))));
        of_gomod.push(claim(HashSource::Proxy, report(served.unwrap_or(Ok(None)))));
        Ok(HashEvidence {
            zip,
            gomod: of_gomod,
            age: age(info.as_ref()),
        })
    }

    /// What go.sum says; a pair may have several sums.
    fn recorded(self, module: &ModuleVersion, part: SumPart) -> Vec<ReportedHash> {
        let mut sums = self.run.sums.recorded(module, part);
        sums.retain(|sum| sum.starts_with("h1:"));
        if self.run.sums.has_dropped(module, part) {
            sums.push(EMPTY_GO_MOD.to_owned());
        }
        if sums.is_empty() {
            return vec![claim(HashSource::GoSum, HashReport::Absent("no line"))];
        }
        let claims = sums.into_iter();
        claims
            .map(|sum| claim(HashSource::GoSum, HashReport::Sum(sum)))
            .collect()
    }

    fn hash_proxied(self, module: &ModuleVersion, zip: Option<Result<TempFile>>) -> HashReport {
        let hash = |zip| ZipFile::Proxied(zip).hash(module).map(Some);
        report(zip.map_or(Ok(None), |zip| zip.and_then(hash)))
    }

    fn any_info(self, entry: &CacheEntry) -> Option<Info> {
        let module = entry.module();
        let ask = || {
            self.run
                .link
                .source
                .info(module.path(), module.version().as_str())
        };
        let cached = self.run.files().cached_info(entry).ok().flatten();
        cached.or_else(|| ask().ok().map(|fetched| fetched.value))
    }
}

/// The three pieces of a cached zip, hashed.
fn cached_zip(entry: &CacheEntry) -> [ReportedHash; 3] {
    let module = entry.module();
    let zip = match entry.has_zip() {
        true => ZipFile::Cached(entry.clone()).hash(module).map(Some),
        false => Ok(None),
    };
    let directory = match entry.has_directory() {
        true => hash_dir(entry.directory(), module).map(Some),
        false => Ok(None),
    };
    [
        claim(HashSource::Ziphash, report(entry.read_ziphash())),
        claim(HashSource::Zip, report(zip)),
        claim(HashSource::Directory, report(directory)),
    ]
}

fn claim(source: HashSource, report: HashReport) -> ReportedHash {
    ReportedHash { source, report }
}

fn report(result: Result<Option<H1>>) -> HashReport {
    match result {
        Ok(Some(h1)) => HashReport::Sum(h1.to_string()),
        Ok(None) => HashReport::Absent("not cached"),
        Err(error) => HashReport::Failed(error),
    }
}

fn database_report(logged: Option<Result<Logged>>) -> HashReport {
    match logged {
        Some(Ok(Logged::Sum(h1))) => HashReport::Sum(h1.to_string()),
        Some(Ok(Logged::Exempt)) => HashReport::Absent("not asked: GONOSUMDB or GOPRIVATE"),
        Some(Ok(Logged::Off)) => HashReport::Absent("not asked: GOSUMDB=off"),
        Some(Err(error)) => HashReport::Failed(error),
        // The job that asks has run: the scope waited for it.
        None => HashReport::Failed(Error::new(Kind::Other, "not asked")),
    }
}

fn age(info: Option<&Info>) -> Age {
    let time = info.map(|info| &info.time).filter(|time| !time.is_zero());
    match (time, Time::parse(GO_1_11_4)) {
        (Some(time), Some(release)) if time.unix_seconds() < release.unix_seconds() => {
            Age::BeforeGo1114
        }
        _ => Age::Later,
    }
}
