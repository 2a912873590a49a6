//! What go.sum, the checksum database, the cache and the proxy say of one module version.

use std::path::Path;

use super::examine::ZipFile;
use crate::cache::Entry;
use crate::error::{Error, Kind, Result};
use crate::fetch::Fetcher;
use crate::fsio::TempFile;
use crate::gomod::modfile::EMPTY_GO_MOD;
use crate::gomod::{H1, ModuleVersion};
use crate::modzip::hash_dir;
use crate::source::{Info, Time};
use crate::trust::{Age, Claim, Logged, Part, Said, Witness};

/// Everything that was said.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Of the zip.
    pub zip: Vec<Claim>,
    /// Of the go.mod.
    pub gomod: Vec<Claim>,
    /// How old the version is.
    pub age: Age,
}

/// When go1.11.4 was released.
const GO_1_11_4: &str = "2018-12-14T00:00:00Z";

impl Fetcher<'_> {
    /// Hears every witness. What the proxy has is fetched into `temporary` and thrown away.
    ///
    /// # Errors
    /// [`Kind::Other`] if no thread can be started; [`Kind::Input`] if the module has no place
    /// in a cache. What a witness fails with is evidence.
    pub fn evidence(&self, module: &ModuleVersion, temporary: &Path) -> Result<Evidence> {
        let entry = self.cache.entry(module)?;
        let (mut logged, mut proxied, mut gomod, mut info) = (None, None, None, None);
        self.pools.transfer()?.in_place_scope(|scope| {
            scope.spawn(|_| {
                let of = |part| self.sums.logged(module, part);
                logged = Some((of(Part::Zip), of(Part::GoMod)));
            });
            scope.spawn(|_| proxied = Some(self.proxied_zip(module, temporary)));
            scope.spawn(|_| gomod = Some(self.source.gomod(module)));
            scope.spawn(|_| info = self.any_info(&entry));
        });
        let (zip_logged, gomod_logged) = logged.unzip();
        let compute = self.pools.compute()?;
        let (proxied, cached) =
            compute.install(|| (self.hash_proxied(module, proxied), cached_zip(&entry)));
        let mut zip = self.recorded(module, Part::Zip);
        zip.push(claim(Witness::Database, said_by_database(zip_logged)));
        zip.extend(cached);
        zip.push(claim(Witness::Proxy, proxied));
        let mut of_gomod = self.recorded(module, Part::GoMod);
        of_gomod.push(claim(Witness::Database, said_by_database(gomod_logged)));
        let data = entry.read_gomod();
        let cached = said(data.map(|data| data.map(|data| H1::of_go_mod(&data))));
        of_gomod.push(claim(Witness::Mod, cached));
        let served = gomod.map(|served| served.map(|served| Some(H1::of_go_mod(&served.value))));
        of_gomod.push(claim(Witness::Proxy, said(served.unwrap_or(Ok(None)))));
        Ok(Evidence {
            zip,
            gomod: of_gomod,
            age: age(info.as_ref()),
        })
    }

    /// What go.sum says; a pair may have several sums.
    fn recorded(&self, module: &ModuleVersion, part: Part) -> Vec<Claim> {
        let mut sums = self.sums.recorded(module, part);
        sums.retain(|sum| sum.starts_with("h1:"));
        if self.sums.has_dropped(module, part) {
            sums.push(EMPTY_GO_MOD.to_owned());
        }
        if sums.is_empty() {
            return vec![claim(Witness::GoSum, Said::Nothing("no line"))];
        }
        let claims = sums.into_iter();
        claims
            .map(|sum| claim(Witness::GoSum, Said::Sum(sum)))
            .collect()
    }

    fn hash_proxied(&self, module: &ModuleVersion, zip: Option<Result<TempFile>>) -> Said {
        let hash = |zip| ZipFile::Proxied(zip).hash(module).map(Some);
        said(zip.map_or(Ok(None), |zip| zip.and_then(hash)))
    }

    fn any_info(&self, entry: &Entry) -> Option<Info> {
        let module = entry.module();
        let ask = || self.source.info(module.path(), module.version().as_str());
        let cached = self.cached_info(entry).ok().flatten();
        cached.or_else(|| ask().ok().map(|fetched| fetched.value))
    }
}

/// The three pieces of a cached zip, hashed.
fn cached_zip(entry: &Entry) -> [Claim; 3] {
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
        claim(Witness::Ziphash, said(entry.read_ziphash())),
        claim(Witness::Zip, said(zip)),
        claim(Witness::Directory, said(directory)),
    ]
}

fn claim(witness: Witness, said: Said) -> Claim {
    Claim { witness, said }
}

fn said(result: Result<Option<H1>>) -> Said {
    match result {
        Ok(Some(h1)) => Said::Sum(h1.to_string()),
        Ok(None) => Said::Nothing("not cached"),
        Err(error) => Said::Failed(error),
    }
}

fn said_by_database(logged: Option<Result<Logged>>) -> Said {
    match logged {
        Some(Ok(Logged::Sum(h1))) => Said::Sum(h1.to_string()),
        Some(Ok(Logged::Exempt)) => Said::Nothing("not asked: GONOSUMDB or GOPRIVATE"),
        Some(Ok(Logged::Off)) => Said::Nothing("not asked: GOSUMDB=off"),
        Some(Err(error)) => Said::Failed(error),
        // The job that asks has run: the scope waited for it.
        None => Said::Failed(Error::new(Kind::Other, "not asked")),
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
