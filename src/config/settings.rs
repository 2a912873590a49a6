//! [`Config`]: every setting of a run, typed, and what follows from them alone.

use std::path::PathBuf;
use std::time::Duration;

use super::own::{Color, Log, Progress};
use super::project::{self, GoMod, ModuleMode};
use super::{GoEnv, Overlay, Setting};
use crate::Result;
use crate::gomod::{GoVersion, Toolchain};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory the run works in, after `-C`.
    pub cwd: PathBuf,
    /// `GOPROXY`; empty only if the `GOENV` file says so.
    pub goproxy: Setting<String>,
    /// `GONOPROXY`, by default `GOPRIVATE`.
    pub gonoproxy: Setting<String>,
    /// `GOPRIVATE`.
    pub goprivate: Setting<String>,
    /// `GOSUMDB`; empty only if the `GOENV` file says so.
    pub gosumdb: Setting<String>,
    /// `GONOSUMDB`, by default `GOPRIVATE`.
    pub gonosumdb: Setting<String>,
    /// `GOINSECURE`.
    pub goinsecure: Setting<String>,
    /// `GOMODCACHE`: absolute.
    pub gomodcache: Setting<PathBuf>,
    /// `GOPATH`: a list separated by `:`; empty if nothing gives it.
    pub gopath: Setting<String>,
    /// `GOENV`: the user's file, which need not exist; `None` if there is none.
    pub goenv: Setting<Option<PathBuf>>,
    /// `GOFLAGS`, split and checked. What concerns modfetch is in the settings below already.
    pub goflags: Setting<Vec<String>>,
    /// `GOWORK` as written; see [`Config::work_file`] for the file it leads to.
    pub gowork: Setting<String>,
    /// `GO111MODULE`.
    pub go111module: Setting<ModuleMode>,
    /// `GODEBUG`, from the process environment only.
    pub godebug: Setting<String>,
    /// `GOAUTH`.
    pub goauth: Setting<String>,
    /// `GOVCS`.
    pub govcs: Setting<String>,
    /// The go version that a run acts as where GOTOOLCHAIN does not say another.
    pub go_version: Setting<GoVersion>,
    /// `GOTOOLCHAIN`, which starts from that version.
    pub gotoolchain: Setting<Toolchain>,
    /// `GOROOT`; empty if it was not set.
    pub goroot: Setting<String>,

    /// Transfers at once, at least 1.
    pub jobs: Setting<usize>,
    /// Transfers at once from one host, at least 1.
    pub jobs_per_host: Setting<usize>,
    /// Tries a second for one host, more than 0; `None` for no limit.
    pub max_requests_per_second: Setting<Option<f64>>,
    /// Bytes a second for all transfers together, at least 1; `None` for no limit.
    pub limit_rate: Setting<Option<u64>>,
    /// Further tries of a request that failed.
    pub retries: Setting<u32>,
    /// The longest wait for a connection, not zero.
    pub connect_timeout: Setting<Duration>,
    /// The longest wait for the next byte, not zero.
    pub stall_timeout: Setting<Duration>,
    /// The longest wait for a lock; `None` is no limit.
    pub lock_timeout: Setting<Option<Duration>>,
    /// Module caches that are only read: absolute, in order.
    pub ro_cache: Setting<Vec<PathBuf>>,
    /// How long after its first try a request may be tried again; `None` is no limit.
    pub retry_max_time: Setting<Option<Duration>>,
    /// The longest that a run may take; `None` is no limit.
    pub timeout: Setting<Option<Duration>>,
    /// `--netrc-file`: credentials that come before those of GOAUTH; absolute.
    pub netrc_file: Setting<Option<PathBuf>>,
    /// Hosts that get credentials over plain http: `HOST` or `HOST:PORT`.
    pub allow_insecure_auth: Setting<Vec<String>>,
    /// Certificate authorities beside the usual ones; absolute.
    pub cacert: Setting<Option<PathBuf>>,
    /// The certificate for servers that ask for one; absolute.
    pub client_cert: Setting<Option<PathBuf>>,
    /// Its key, if it is not in the same file; absolute.
    pub client_key: Setting<Option<PathBuf>>,
    /// How long to wait for versions that the checksum database does not know yet; zero is not.
    pub wait_published: Setting<Duration>,
    /// Open no socket.
    pub offline: Setting<bool>,
    /// go.sum is complete and stays as it is.
    pub locked: Setting<bool>,
    /// Stop at the first module that fails.
    pub fail_fast: Setting<bool>,
    /// Errors only.
    pub quiet: Setting<bool>,
    /// Tell more.
    pub verbose: Setting<bool>,
    /// A summary at the end.
    pub stats: Setting<bool>,
    /// Exit with 0, 1 or 2 only.
    pub go_exit_codes: Setting<bool>,
    /// When progress is drawn.
    pub progress: Setting<Progress>,
    /// When output is coloured; `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb` are in it already.
    pub color: Setting<Color>,
    /// The form of messages.
    pub log: Setting<Log>,
    /// Trace what is done (`-x`).
    pub x: Setting<bool>,
    /// Results as JSON (`-json`).
    pub json: Setting<bool>,
    /// Leave directories of the module cache writable (`-modcacherw`).
    pub modcacherw: Setting<bool>,
    /// `-mod` as typed; see [`Config::mod_mode`] for what it means.
    pub mod_flag: Option<Setting<String>>,
    /// The file to use in place of go.mod (`-modfile`): absolute, ends in `.mod`.
    pub modfile: Option<Setting<PathBuf>>,
    /// What stands in for files (`-overlay`).
    pub overlay: Overlay,

    /// `SSL_CERT_FILE`.
    pub ssl_cert_file: Option<Setting<PathBuf>>,
    /// `SSL_CERT_DIR`: directories, in order.
    pub ssl_cert_dir: Option<Setting<Vec<PathBuf>>>,
    /// `HTTP_PROXY` or `http_proxy`, as written.
    pub http_proxy: Option<Setting<String>>,
    /// `HTTPS_PROXY` or `https_proxy`, as written.
    pub https_proxy: Option<Setting<String>>,
    /// `NO_PROXY` or `no_proxy`, as written.
    pub no_proxy: Option<Setting<String>>,
    /// `REQUEST_METHOD` is set: this may be a CGI program, where a client chooses `HTTP_PROXY`.
    pub request_method: bool,
    /// `NETRC`, else `.netrc` in the home directory; need not exist.
    pub netrc: Option<Setting<PathBuf>>,
    /// `MODFETCH_TOKEN_...`: what follows that in the name, and the secret value.
    pub tokens: Vec<(String, String)>,
    /// `CI` is set: no animation.
    pub ci: bool,

    /// Go's variables before they were judged, for what has no field of its own.
    pub go_env: GoEnv,
}

impl Config {
    /// Looks for go.mod from the working directory upwards.
    #[must_use]
    pub fn mod_file(&self) -> GoMod {
        project::find_go_mod(&self.cwd, &self.go_env, &self.overlay)
    }

    /// Returns the workspace file, by `GOWORK` or from the working directory upwards.
    ///
    /// # Errors
    /// None that [`Config::resolve`] has not reported.
    pub fn work_file(&self) -> Result<Option<PathBuf>> {
        project::find_go_work(&self.cwd, &self.go_env, &self.overlay)
    }
}
