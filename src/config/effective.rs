//! [`Config`]: every setting of a run, typed, and what follows from them alone.

use std::path::PathBuf;

use super::project::{self, GoModSearch, ModuleMode};
use super::settings::{
    ConnectionSettings, DownloadSettings, GlobalSettings, LockSettings, OutputSettings,
    ServeOptions, TransferSettings,
};
use super::{GoEnv, Overlay, RawArgs, Setting};
use crate::Result;
use crate::gomod::Toolchain;

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
    /// `GO111MODULE`.
    pub go111module: Setting<ModuleMode>,
    /// `GOAUTH`.
    pub goauth: Setting<String>,
    /// `GOVCS`.
    pub govcs: Setting<String>,
    /// `GOTOOLCHAIN`, which starts from that version.
    pub gotoolchain: Setting<Toolchain>,

    /// How connections are opened.
    pub connection: ConnectionSettings,
    /// How modules are fetched.
    pub transfer: TransferSettings,
    /// How locks of other processes are waited for.
    pub locks: LockSettings,
    /// What ends a download, and what it may change.
    pub download: DownloadSettings,
    /// What is printed while work is done.
    pub output: OutputSettings,
    /// What every command has.
    pub global: GlobalSettings,
    /// What a server hands out, to whom, and where.
    pub serve: ServeOptions,
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
    /// The same as it was typed, as go prints it.
    pub modfile_as_typed: Option<String>,
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

    /// Go's variables before they were judged, for what has no field of its own.
    pub go_env: GoEnv,
    /// Flags and arguments, those of GOFLAGS among them.
    pub args: RawArgs,
}

impl Config {
    /// Looks for go.mod from the working directory upwards.
    #[must_use]
    pub fn mod_file(&self) -> GoModSearch {
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
