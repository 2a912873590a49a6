//! `direct`: modules from the repositories they are written in.
//!
//! | file | idea |
//! |---|---|
//! | `discovery` | from a module path to its repository; with `hosts` for paths that say it themselves, `meta` for `go-import` tags |
//! | `govcs` | which systems may be used |
//! | `module` | from tags and commits to versions, go.mod and zip |
//! | `repository` | what a system can say of a repository: the trait |
//! | `git` | git repositories |
//! | `hg`, `svn`, `fossil` | those of Mercurial, Subversion and Fossil, by their programs |
//! | `asked` | which modules are being asked about |
//! | `archive` | files as such a program has written them |
//! | `clone` | where clones are kept, shared with go |
//! | `program` | programs for version control |
//! | `recent` | answers that are kept for a while |
//! | `work` | the piece of work that a thread does |
//! | `settings` | everything that can be chosen |
//!
//! The order of a question: the path leads to a repository ([`Discovery`]), GOVCS allows its
//! system, the repository finds the commit, the module says which version that is. A zip is made
//! here, of the files of a commit, and then goes the same way as one from a proxy: hashed, compared
//! with go.sum and the checksum database, unpacked.
//!
//! Hostile input: revisions that begin with `-` are unknown; names and URLs follow
//! `--end-of-options`; what programs print is bounded, and shown without secrets.

mod archive;
mod asked;
mod clone;
mod discovery;
mod fossil;
mod git;
mod govcs;
mod hg;
mod hosts;
mod meta;
mod module;
mod program;
mod recent;
mod repository;
mod settings;
mod svn;
mod work;

use std::io::{self, Write};
use std::sync::Arc;

pub use git::odb::{HashKind, ObjectDatabase, ObjectId, index_pack};
pub use settings::{DirectSettings, GitChoice};

use asked::AskedModules;
use discovery::{Discovery, RepositoryRoot};
use fossil::FossilRepository;
use git::{BuiltinGit, GitRemote, GitRepository, SystemGit};
use govcs::VcsRules;
use hg::HgRepository;
use module::RepositoryModule;
use program::Programs;
use recent::Recent;
use repository::Repository;
use svn::SvnRepository;

use super::proxy::Proxy;
use super::{Info, Source, VcsOrigin};
use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::http::{BodySink, Client, Fetched, RequestContext};

/// The entry of GOPROXY that is named `direct`; also asked for modules that GONOPROXY names.
#[derive(Clone)]
pub struct Direct {
    inner: Arc<DirectInner>,
    /// The piece of work that asks, if it is one of several.
    context: Option<RequestContext>,
}

struct DirectInner {
    discovery: Discovery,
    programs: Arc<Programs>,
    client: Client,
    modules: Recent<String, Module, Error>,
    repositories: Recent<(String, String), Arc<dyn Repository>, Error>,
    asked: Arc<AskedModules>,
}

/// What a path leads to.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a few of them are kept")]
enum Module {
    Repository(Arc<RepositoryModule>),
    /// A `go-import` tag says `mod`.
    Proxy(Proxy),
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

impl Direct {
    /// Asks and starts nothing yet. `insecure_client` is for servers that need not show a valid
    /// certificate.
    #[must_use]
    pub fn new(settings: DirectSettings, client: Client, insecure_client: Client) -> Direct {
        let rules = VcsRules::parse(&settings.govcs, &settings.private);
        let insecure = settings.insecure.clone();
        Direct {
            inner: Arc::new(DirectInner {
                discovery: Discovery::new(client.clone(), insecure_client, insecure, rules),
                programs: Programs::new(settings),
                client,
                modules: Recent::default(),
                repositories: Recent::default(),
                asked: Arc::default(),
            }),
            context: None,
        }
    }

    /// Does something about a module as part of the piece of work that asks.
    fn within<T>(&self, path: &ModulePath, work: impl FnOnce() -> T) -> T {
        let _asking = self.inner.asked.begin(path.as_str());
        work::within(self.context.as_ref(), work)
    }

    /// Says where the repository of a module is, as `git https://HOST/PATH`, without asking it.
    ///
    /// # Errors
    /// No page says where it is; GOVCS does not allow its system.
    pub fn locate(&self, path: &ModulePath) -> Result<String> {
        let answers = |vcs: &str, url: &str| self.answers(vcs, url);
        let found = self.within(path, || self.inner.discovery.find(path.as_str(), &answers))?;
        let url = crate::proc::redact(&found.url, &[]);
        Ok(format!("{} {url}", found.vcs))
    }

    /// Asks the repository of a module for something harmless, and says what there is; `None` where
    /// that would take a clone.
    ///
    /// # Errors
    /// Those of the server, or of the program that asks it.
    pub fn reach(&self, path: &ModulePath) -> Result<Option<String>> {
        self.within(path, || match self.module(path)? {
            Module::Repository(module) => module.reach(),
            Module::Proxy(proxy) => {
                let versions = proxy.versions(path)?.len();
                Ok(Some(format!("{versions} versions at a proxy")))
            }
        })
    }

    fn module(&self, path: &ModulePath) -> Result<Module> {
        let path = path.as_str();
        self.inner.modules.get(path.to_owned(), || {
            let answers = |vcs: &str, url: &str| self.answers(vcs, url);
            let found = self.inner.discovery.find(path, &answers)?;
            if found.vcs == "mod" {
                let url = super::chain::parse_base(&found.url)?;
                return Ok(Module::Proxy(Proxy::new(url, self.inner.client.clone())));
            }
            let RepositoryRoot {
                vcs,
                url,
                root,
                subdir,
            } = found;
            let repository = self.repository(&vcs, &url)?;
            let module = RepositoryModule::new(repository, &root, &subdir, path)?;
            Ok(Module::Repository(Arc::new(module)))
        })
    }

    /// Whether there is a repository at a URL.
    fn answers(&self, vcs: &str, url: &str) -> Result<()> {
        self.repository(vcs, url)?.reach().map(drop)
    }

    fn repository(&self, vcs: &str, url: &str) -> Result<Arc<dyn Repository>> {
        let key = (vcs.to_owned(), url.to_owned());
        self.inner.repositories.get(key, || self.open(vcs, url))
    }

    fn open(&self, vcs: &str, url: &str) -> Result<Arc<dyn Repository>> {
        if !url.contains("://") {
            let shown = crate::proc::redact(url, &[]);
            let text = format!("{vcs} remote ({shown}) must not be local directory");
            return Err(Error::new(Kind::NotFound, text));
        }
        match vcs {
            "git" => {
                let remote = self.git_remote(url)?;
                let settings = &self.inner.programs.settings;
                let asked = Arc::clone(&self.inner.asked);
                Ok(Arc::new(GitRepository::new(url, remote, settings, asked)))
            }
            "hg" => Ok(Arc::new(HgRepository::new(
                url,
                Arc::clone(&self.inner.programs),
            ))),
            "svn" => Ok(Arc::new(SvnRepository::new(
                url,
                Arc::clone(&self.inner.programs),
            ))),
            "fossil" => Ok(Arc::new(FossilRepository::new(
                url,
                Arc::clone(&self.inner.programs),
            ))),
            _ => {
                let text = format!("unknown vcs: {vcs} {}", crate::proc::redact(url, &[]));
                Err(Error::new(Kind::Other, text))
            }
        }
    }
}

impl Direct {
    /// By the program git where it is wanted or there is one, else by the built-in client.
    fn git_remote(&self, url: &str) -> Result<Box<dyn GitRemote>> {
        let inner = &self.inner;
        let (programs, client) = (Arc::clone(&inner.programs), inner.client.clone());
        let is_http = url.starts_with("https://") || url.starts_with("http://");
        let use_program = match programs.settings.git {
            GitChoice::Program => true,
            GitChoice::Builtin => false,
            GitChoice::Auto => programs.has("git"),
        };
        if use_program {
            return Ok(Box::new(SystemGit::new(url, programs, client)));
        }
        if !is_http {
            return Err(program::missing_program("git", "git")
                .hint("the built-in git client speaks http and https only"));
        }
        Ok(Box::new(BuiltinGit::new(url, programs, client)?))
    }
}

/// Names the module where it was not found out where it is.
fn lost(path: &ModulePath, version: &str) -> impl Fn(Error) -> Error {
    let name = match version {
        "" => format!("module {path}"),
        version => format!("{path}@{version}"),
    };
    move |error| error.context(name.clone())
}

fn fetched<T>(value: T, bytes: u64) -> Fetched<T> {
    Fetched::of_bytes(bytes).map(|()| value)
}

impl Source for Direct {
    fn bind(&self, context: &RequestContext) -> Arc<dyn Source> {
        // What one piece of work has found out of a repository serves the next; programs and requests
        // end with the piece that has started them.
        Arc::new(Direct {
            inner: Arc::clone(&self.inner),
            context: Some(context.clone()),
        })
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        self.within(path, || {
            match self.module(path).map_err(lost(path, ""))? {
                Module::Repository(module) => module.versions(),
                Module::Proxy(proxy) => proxy.versions(path),
            }
        })
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        self.within(path, || {
            match self.module(path).map_err(lost(path, ""))? {
                Module::Repository(module) => {
                    let info = module.latest().map_err(|cause| cause.error)?;
                    Ok(fetched(info, 0))
                }
                Module::Proxy(proxy) => proxy.latest(path),
            }
        })
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        self.within(path, || {
            match self.module(path).map_err(lost(path, revision))? {
                Module::Repository(module) => {
                    let info = module.stat(revision).map_err(|cause| cause.error)?;
                    Ok(fetched(info, 0))
                }
                Module::Proxy(proxy) => proxy.info(path, revision),
            }
        })
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        self.within(module.path(), || {
            let version = module.version().as_str();
            match self
                .module(module.path())
                .map_err(lost(module.path(), version))?
            {
                Module::Repository(found) => {
                    let data = found.go_mod(version)?;
                    let bytes = data.len() as u64;
                    Ok(fetched(data, bytes))
                }
                Module::Proxy(proxy) => proxy.gomod(module),
            }
        })
    }

    fn zip(&self, module: &ModuleVersion, sink: &mut dyn BodySink) -> Result<Fetched<()>> {
        self.within(module.path(), || {
            let version = module.version().as_str();
            match self
                .module(module.path())
                .map_err(lost(module.path(), version))?
            {
                Module::Repository(found) => {
                    sink.restart(None).map_err(|cause| {
                        Error::new(Kind::LocalIo, format!("cannot write {module}")).because(cause)
                    })?;
                    let mut counted = CountingSink { sink, bytes: 0 };
                    found.zip(module, &mut counted)?;
                    Ok(fetched((), counted.bytes))
                }
                Module::Proxy(proxy) => proxy.zip(module, sink),
            }
        })
    }

    fn check_reuse(&self, path: &ModulePath, origin: &VcsOrigin) -> Result<()> {
        self.within(path, || {
            match self.module(path).map_err(lost(path, ""))? {
                Module::Repository(module) => module.check_reuse(origin),
                Module::Proxy(proxy) => proxy.check_reuse(path, origin),
            }
        })
    }

    fn versions_origin(&self, path: &ModulePath, prefix: &str) -> Option<VcsOrigin> {
        self.within(path, || match self.module(path).ok()? {
            Module::Repository(module) => module.versions_origin(prefix).ok(),
            Module::Proxy(_) => None,
        })
    }

    fn repository(&self, path: &ModulePath) -> Option<String> {
        self.locate(path).ok()
    }

    fn failure_origin(&self, path: &ModulePath, revision: &str) -> Option<VcsOrigin> {
        self.within(path, || {
            let Ok(Module::Repository(module)) = self.module(path) else {
                return None;
            };
            let asked = match revision {
                "" => module.latest(),
                revision => module.stat(revision),
            };
            // Asked again it may be there.
            let origin = match asked {
                Ok(_) => None,
                Err(cause) => cause.origin,
            };
            origin.map(|origin| *origin)
        })
    }
}

/// Counts the bytes of a zip.
struct CountingSink<'a> {
    sink: &'a mut dyn BodySink,
    bytes: u64,
}

impl Write for CountingSink<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(data)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
