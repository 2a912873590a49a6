//! [`RawArgs`]: what was typed, before any value is judged.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::gomod::GoVersion;

/// What was typed, with nothing decided yet. Where a flag came twice, the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawArgs {
    /// `-x`.
    pub x: bool,
    /// `-n`: for `clean`; go has it for `env` as well, where it does nothing.
    pub n: bool,
    /// `-r`.
    pub r: bool,
    /// `-i`.
    pub i: bool,
    /// `-modcache`.
    pub modcache: bool,
    /// `-go`.
    pub go: Option<GoVersion>,
    /// `--dot`.
    pub dot: bool,
    /// `-json`.
    pub json: bool,
    /// The fields of `list -json=A,B`.
    pub fields: Vec<String>,
    /// `list -f`.
    pub template: Option<String>,
    /// `list -versions`.
    pub versions: bool,
    /// `list -retracted`.
    pub retracted: bool,
    /// `list -e`.
    pub e: bool,
    /// `-reuse`.
    pub reuse: Option<String>,
    /// `-urls`.
    pub urls: bool,
    /// `-files`.
    pub files: bool,
    /// `--null`.
    pub null: bool,
    /// `--scope`, not yet judged.
    pub scope: Option<String>,
    /// `--missing-replace`, not yet judged.
    pub missing_replace: Option<String>,
    /// `--exclude`, each time it was given.
    pub exclude: Vec<String>,
    /// `-modcacherw`.
    pub modcacherw: Option<bool>,
    /// `-mod`.
    pub mod_mode: Option<String>,
    /// `-modfile`, relative to the working directory.
    pub modfile: Option<String>,
    /// `-overlay`, relative to the working directory.
    pub overlay: Option<String>,
    /// `-C`.
    pub chdir: Option<PathBuf>,
    /// `--jobs`, not yet judged, like all that follow as text.
    pub jobs: Option<String>,
    /// `--jobs-per-host`.
    pub jobs_per_host: Option<String>,
    /// `--max-requests-per-second`.
    pub max_requests_per_second: Option<String>,
    /// `--limit-rate`.
    pub limit_rate: Option<String>,
    /// `--retries`.
    pub retries: Option<String>,
    /// `--connect-timeout`.
    pub connect_timeout: Option<String>,
    /// `--stall-timeout`.
    pub stall_timeout: Option<String>,
    /// `--lock-timeout`.
    pub lock_timeout: Option<String>,
    /// `--ro-cache`, each time it was given.
    pub ro_cache: Vec<String>,
    /// `--retry-max-time`.
    pub retry_max_time: Option<String>,
    /// `--timeout`.
    pub timeout: Option<String>,
    /// `--netrc-file`.
    pub netrc_file: Option<String>,
    /// `--allow-insecure-auth`.
    pub allow_insecure_auth: Option<String>,
    /// `--cacert`.
    pub cacert: Option<String>,
    /// `--client-cert`.
    pub client_cert: Option<String>,
    /// `--client-key`.
    pub client_key: Option<String>,
    /// `--progress`.
    pub progress: Option<String>,
    /// `--color`.
    pub color: Option<String>,
    /// `--log`.
    pub log: Option<String>,
    /// `--wait-published`.
    pub wait_published: Option<String>,
    /// `--go-version`.
    pub go_version: Option<String>,
    /// `--offline`.
    pub offline: Option<bool>,
    /// `--locked`.
    pub locked: Option<bool>,
    /// `--fail-fast`, or `Some(false)` for `--keep-going`.
    pub fail_fast: Option<bool>,
    /// `why -m`.
    pub m: bool,
    /// `why -vendor`.
    pub vendor: bool,
    /// `list -compiled`, `-deps`, `-export`, `-find`, `-test`: those that were given.
    pub package_flags: BTreeSet<&'static str>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--cache`.
    pub cache: bool,
    /// `--repair`.
    pub repair: bool,
    /// `--sumdb`.
    pub sumdb: bool,
    /// `--quiet`.
    pub quiet: Option<bool>,
    /// `--verbose`.
    pub verbose: Option<bool>,
    /// `--stats`.
    pub stats: Option<bool>,
    /// `--go-exit-codes`.
    pub go_exit_codes: Option<bool>,
    /// `sum --check`.
    pub check: bool,
    /// `sum --write`.
    pub write_sums: bool,
    /// `sum --explain`.
    pub explain: bool,
    /// `--from`: a file, or `-` for standard input.
    pub from: Option<PathBuf>,
    /// `env -changed`.
    pub changed: bool,
    /// `env -w`.
    pub write: bool,
    /// `-u`: for `list` newer versions, for `env` what to remove.
    pub u: bool,
    /// The arguments that are no flags, after the command.
    pub args: Vec<String>,
    /// The long names of the flags that were given.
    pub given: BTreeSet<&'static str>,
}

impl RawArgs {
    /// Remembers a flag that is about packages, or forgets it.
    pub(super) fn package_flag(&mut self, long: &'static str, on: bool) {
        match on {
            true => self.package_flags.insert(long),
            false => self.package_flags.remove(long),
        };
    }

    /// Returns a flag's value only if the flag was given: `-x=false` is not the same as nothing.
    #[must_use]
    pub fn typed(&self, long: &str, value: bool) -> Option<bool> {
        self.given.contains(long).then_some(value)
    }
}
