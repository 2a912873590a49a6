//! What go versions differ in, as data: which version a run acts as, what changed with which, and the
//! tables of go that age with each release.
//!
//! For the next release run `tests/tools/go_tables.sh GOROOT` for the GOROOT before and for the new one, and
//! compare what they print; then read the differences of `cmd/go/internal` and add a [`Change`]
//! for each that a fetcher must know.
//!
//! Source: golang/go `internal/godebugs/table.go`, `internal/cfg/cfg.go`, `cmd/go/internal`.

use super::GoVersion;

/// The go version that a run acts as unless something says otherwise: the one that this program is
/// compared with.
pub const REFERENCE: &str = "1.27.4";

/// The newest go version whose module rules are known.
pub const NEWEST_KNOWN: &str = "1.27";

/// What is otherwise from a go version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// go.mod with that go line has two blocks of requirements at most when it is written.
    TwoRequireBlocks,
    /// `go env` prints GOBIN as it will be used, and not as it is set.
    GobinAsUsed,
    /// `go env` has GOPACKAGESDRIVER, from the environment only.
    PackagesDriver,
    /// GOROOT cannot be written by `go env -w` and `-u`.
    FixedGoroot,
    /// An empty argument is no package, with `-e` as well.
    NoEmptyArgument,
    /// A go.work that is too old names the version to download.
    OldWorkNamesVersion,
}

/// Each change with the first go version that has it.
const CHANGES: &[(Change, &str)] = &[
    (Change::TwoRequireBlocks, "1.27"),
    (Change::GobinAsUsed, "1.27"),
    (Change::PackagesDriver, "1.27"),
    (Change::FixedGoroot, "1.27"),
    (Change::NoEmptyArgument, "1.27"),
    (Change::OldWorkNamesVersion, "1.27"),
];

impl Change {
    /// True if `go` has this change.
    #[must_use]
    pub fn applies_to(self, go: &GoVersion) -> bool {
        let mut changes = CHANGES.iter();
        changes.any(|(change, since)| *change == self && go.at_least(since))
    }
}

/// A setting of `godebug` lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GodebugSetting {
    /// Its name.
    pub name: &'static str,
    /// The first minor version of go that knows it; 0 for those that are older than 1.26.
    pub since: u32,
    /// The minor version of go that took it away; 0 for none.
    pub removed: u32,
    /// The values that restored the behaviour before: from go1.27 on what was taken away may be
    /// set to any other.
    pub old: &'static [&'static str],
}

const fn known(name: &'static str) -> GodebugSetting {
    GodebugSetting {
        name,
        since: 0,
        removed: 0,
        old: &[],
    }
}

const fn since(name: &'static str, minor: u32) -> GodebugSetting {
    GodebugSetting {
        since: minor,
        ..known(name)
    }
}

const fn removed(name: &'static str, minor: u32, old: &'static [&'static str]) -> GodebugSetting {
    GodebugSetting {
        removed: minor,
        old,
        ..known(name)
    }
}

/// The settings of `godebug` lines that go 1.26 and 1.27 know, in byte order.
pub const GODEBUG_SETTINGS: &[GodebugSetting] = &[
    known("allowmultiplevcs"),
    removed("asynctimerchan", 27, &["1", "2"]),
    known("containermaxprocs"),
    known("cryptocustomrand"),
    known("dataindependenttiming"),
    known("decoratemappings"),
    known("embedfollowsymlinks"),
    known("execerrdot"),
    known("fips140"),
    known("fips140ems"),
    known("gocachehash"),
    known("gocachetest"),
    known("gocacheverify"),
    known("gotestjsonbuildtext"),
    removed("gotypesalias", 27, &["0"]),
    known("htmlmetacontenturlescape"),
    known("http2client"),
    known("http2debug"),
    known("http2server"),
    known("httpcookiemaxnum"),
    known("httplaxcontentlength"),
    known("httpmuxgo121"),
    known("httpservecontentkeepheaders"),
    since("httpservecontentmaxranges", 27),
    known("installgoroot"),
    known("jstmpllitinterp"),
    known("multipartmaxheaders"),
    known("multipartmaxparts"),
    known("multipathtcp"),
    known("netdns"),
    known("netedns0"),
    known("panicnil"),
    known("randautoseed"),
    known("randseednop"),
    known("rsa1024min"),
    known("tarinsecurepath"),
    removed("tls10server", 27, &["1"]),
    removed("tls3des", 27, &["1"]),
    removed("tlskyber", 24, &["0"]),
    known("tlsmaxrsasize"),
    known("tlsmlkem"),
    removed("tlsrsakex", 27, &["1"]),
    known("tlssecpmlkem"),
    known("tlssha1"),
    removed("tlsunsafeekm", 27, &["1"]),
    since("tracebacklabels", 27),
    known("updatemaxprocs"),
    known("urlmaxqueryparams"),
    known("urlstrictcolons"),
    known("winreadlinkvolume"),
    known("winsymlink"),
    removed("x509keypairleaf", 27, &["0"]),
    known("x509negativeserial"),
    known("x509rsacrt"),
    removed("x509sha1", 24, &["1"]),
    known("x509sha256skid"),
    since("x509sslcertoverrideplatform", 27),
    known("x509usefallbackroots"),
    known("x509usepolicies"),
    known("zipinsecurepath"),
];

impl GodebugSetting {
    /// The setting of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<GodebugSetting> {
        let at = GODEBUG_SETTINGS.binary_search_by_key(&name, |setting| setting.name);
        Some(GODEBUG_SETTINGS[at.ok()?])
    }

    /// True if `go` has it: neither is it newer, nor was it taken away.
    #[must_use]
    pub fn is_known_to(self, go: &GoVersion) -> bool {
        let has = |minor: u32| go.at_least(&format!("1.{minor}"));
        has(self.since) && (self.removed == 0 || !has(self.removed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_with_their_version() {
        let go = |text: &str| GoVersion::parse(text).unwrap();
        assert!(!Change::TwoRequireBlocks.applies_to(&go("1.26.10")));
        assert!(Change::TwoRequireBlocks.applies_to(&go("1.27rc1")));
        assert!(Change::TwoRequireBlocks.applies_to(&go(REFERENCE)));
        assert!(go(REFERENCE).at_least(NEWEST_KNOWN));
        assert!(GODEBUG_SETTINGS.is_sorted_by_key(|setting| setting.name));
        let setting = GodebugSetting::of("tls3des").unwrap();
        assert!(setting.is_known_to(&go("1.26.10")) && !setting.is_known_to(&go("1.27")));
        assert!(
            !GodebugSetting::of("tracebacklabels")
                .unwrap()
                .is_known_to(&go("1.26.10"))
        );
    }
}
