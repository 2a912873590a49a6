//! A downloader for programs that use modfetch as a library: the parts of a download, put together.
//!
//! The program itself puts them together by its settings (`command::network`); this needs none of
//! them, and reads neither environment nor files of settings.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cache::Cache;
use crate::error::Result;
use crate::event::{EventSink, NoEvents};
use crate::fetch::{Engine, EngineParts, Outcome, Run, RunOptions, Scheduler, Want};
use crate::gomod::{ModuleVersion, PrefixPatterns};
use crate::http::{Client, Settings};
use crate::source::{Chain, DatabaseRoute, DatabaseSetting, Offline, Source};
use crate::sumdb;
use crate::trust::{Database, SumPolicy, SumSettings};

/// What a [`Downloader`] is made of. Texts are those that the Go variables of the same names hold.
#[derive(Clone)]
pub struct DownloadOptions {
    /// The module cache that is filled: an absolute path.
    pub gomodcache: PathBuf,
    /// Where the newest signed tree head is kept, below `pkg/sumdb`; needed unless `gosumdb` is `off`.
    pub gopath: Option<PathBuf>,
    /// The proxies, as `https://proxy.example.com,direct`.
    pub goproxy: String,
    /// The checksum database: `sum.golang.org`, `NAME+HASH+KEY`, or `off`.
    pub gosumdb: String,
    /// Prefix patterns of modules that need no proof by the database, as `*.corp.example.com`.
    pub gonosumdb: String,
    /// What answers for `direct` in `goproxy`; without it, such modules are refused.
    pub direct: Option<Arc<dyn Source>>,
    /// Transfers at once, at most.
    pub jobs: usize,
    /// What is wanted of each module.
    pub want: Want,
    /// Time-outs, retries, certificates, credentials.
    pub http: Settings,
    /// Takes note of what happens.
    pub events: Arc<dyn EventSink>,
}

impl DownloadOptions {
    /// Go's defaults for a cache at this absolute path: proxy.golang.org, proven by sum.golang.org.
    #[must_use]
    pub fn new(gomodcache: PathBuf) -> DownloadOptions {
        DownloadOptions {
            gopath: gomodcache.ancestors().nth(2).map(PathBuf::from),
            gomodcache,
            goproxy: "https://proxy.golang.org".to_owned(),
            gosumdb: "sum.golang.org".to_owned(),
            gonosumdb: String::new(),
            direct: None,
            jobs: 64,
            want: Want::Extracted,
            http: Settings::default(),
            events: Arc::new(NoEvents),
        }
    }
}

impl fmt::Debug for DownloadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // GOPROXY may hold a password.
        f.debug_struct("DownloadOptions")
            .field("gomodcache", &self.gomodcache)
            .finish_non_exhaustive()
    }
}

/// Fetches modules into one cache, proven by the checksum database. May be shared by threads.
pub struct Downloader {
    engine: Arc<Engine>,
    sums: Arc<SumPolicy>,
    want: Want,
    events: Arc<dyn EventSink>,
}

impl Downloader {
    /// Puts the parts together; nothing is asked or written yet.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::Kind::Input): a path or a text that cannot be used.
    pub fn new(options: DownloadOptions) -> Result<Downloader> {
        let client = Client::new(options.http, Arc::clone(&options.events));
        let refused =
            || Arc::new(Offline("a downloader without version control")) as Arc<dyn Source>;
        let direct = options.direct.unwrap_or_else(refused);
        let none = PrefixPatterns::parse("");
        let chain = Chain::parse(
            &options.goproxy,
            "by the program",
            none,
            client.clone(),
            direct,
        )?;
        let database = match DatabaseSetting::parse(&options.gosumdb)? {
            None => Database::Off,
            Some(DatabaseSetting {
                verifier,
                direct,
                url,
            }) => {
                let (name, gopath) = (verifier.name().to_owned(), options.gopath.as_deref());
                let store = sumdb::Store::new(&options.gomodcache, gopath, &name);
                let route = DatabaseRoute::new(name, chain.clone(), direct, url, client);
                let client = sumdb::SumDbClient::new(verifier, store, Box::new(route));
                Database::Client(Arc::new(client))
            }
        };
        let sums = SumPolicy::without_file(SumSettings {
            accepted: Vec::new(),
            database,
            exempt: PrefixPatterns::parse(&options.gonosumdb),
            locked: false,
        });
        Ok(Downloader {
            engine: Engine::new(EngineParts {
                cache: Cache::at(&options.gomodcache)?,
                source: Arc::new(chain),
                read_only: Vec::new(),
                jobs: options.jobs,
                writable: false,
            }),
            sums: Arc::new(sums),
            want: options.want,
            events: options.events,
        })
    }

    /// Completes modules in the cache, as many at once as `jobs` says; one outcome for each, in
    /// their order. What the cache has whole costs no request.
    #[must_use]
    pub fn download(&self, modules: &[ModuleVersion]) -> Vec<Outcome> {
        let run = Run::new(
            &self.engine,
            RunOptions {
                want: self.want,
                events: Arc::clone(&self.events),
                ..RunOptions::new(Arc::clone(&self.sums))
            },
        );
        Scheduler::new(&run).download(modules)
    }
}

impl fmt::Debug for Downloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downloader")
            .field("want", &self.want)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn modules_come_from_a_tree_and_what_is_not_there_is_not_found() {
        let dir = tempfile::tempdir().unwrap();
        let versions = dir.path().join("proxy/a.com/m/@v");
        fs::create_dir_all(&versions).unwrap();
        fs::write(versions.join("v1.0.0.info"), r#"{"Version":"v1.0.0"}"#).unwrap();
        fs::write(versions.join("v1.0.0.mod"), "module a.com/m\n").unwrap();
        let downloader = Downloader::new(DownloadOptions {
            goproxy: format!("file://{}", dir.path().join("proxy").display()),
            gosumdb: "off".to_owned(),
            want: Want::GoMod,
            ..DownloadOptions::new(dir.path().join("gopath/pkg/mod"))
        })
        .unwrap();
        let modules =
            ["v1.0.0", "v1.1.0"].map(|version| ModuleVersion::parse("a.com/m", version).unwrap());
        let outcomes = downloader.download(&modules);
        assert!(outcomes[0].error.is_none());
        let kept = dir
            .path()
            .join("gopath/pkg/mod/cache/download/a.com/m/@v/v1.0.0.mod");
        assert_eq!(fs::read(kept).unwrap(), b"module a.com/m\n");
        let missing = outcomes[1].error.as_ref().unwrap();
        assert_eq!(missing.kind(), Kind::NotFound);
        assert_eq!(missing.subject().unwrap().to_string(), "a.com/m@v1.1.0");
        let relative = Downloader::new(DownloadOptions::new("pkg/mod".into()));
        assert_eq!(relative.unwrap_err().kind(), Kind::Input);
    }
}
