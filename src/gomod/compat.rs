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

/// What go builds for, as `GOOS/GOARCH`, in byte order: made anew by
/// `sed -n '/^var distInfo/,/^}/p' $(go env GOROOT)/src/internal/platform/zosarch.go`.
pub(crate) const PLATFORMS: &[&str] = &[
    "aix/ppc64",
    "android/386",
    "android/amd64",
    "android/arm",
    "android/arm64",
    "darwin/amd64",
    "darwin/arm64",
    "dragonfly/amd64",
    "freebsd/386",
    "freebsd/amd64",
    "freebsd/arm",
    "freebsd/arm64",
    "freebsd/riscv64",
    "illumos/amd64",
    "ios/amd64",
    "ios/arm64",
    "js/wasm",
    "linux/386",
    "linux/amd64",
    "linux/arm",
    "linux/arm64",
    "linux/loong64",
    "linux/mips",
    "linux/mips64",
    "linux/mips64le",
    "linux/mipsle",
    "linux/ppc64",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "linux/sparc64",
    "netbsd/386",
    "netbsd/amd64",
    "netbsd/arm",
    "netbsd/arm64",
    "openbsd/386",
    "openbsd/amd64",
    "openbsd/arm",
    "openbsd/arm64",
    "openbsd/ppc64",
    "openbsd/riscv64",
    "plan9/386",
    "plan9/amd64",
    "plan9/arm",
    "solaris/amd64",
    "wasip1/wasm",
    "windows/386",
    "windows/amd64",
    "windows/arm64",
];

/// Those of go 1.26 that go 1.27 has no more.
const OLD_PLATFORMS: &[&str] = &["openbsd/mips64"];

/// True if `go` builds for this pair.
#[must_use]
pub fn has_platform(go: &GoVersion, os: &str, arch: &str) -> bool {
    let pair = format!("{os}/{arch}");
    PLATFORMS.binary_search(&pair.as_str()).is_ok()
        || !go.at_least("1.27") && OLD_PLATFORMS.contains(&pair.as_str())
}

/// The names that GOEXPERIMENT can have, `no` before them or not, with the versions of go that have
/// them: made anew from the fields in `$(go env GOROOT)/src/internal/goexperiment/flags.go`, in lower case, and `regabi`.
const EXPERIMENTS: &[&str] = &[
    "arenas",
    "boringcrypto",
    "cgocheck2",
    "dwarf5",
    "fieldtrack",
    "greenteagc",
    "heapminimum512kib",
    "jsonv2",
    "loopvar",
    "newinliner",
    "preemptibleloops",
    "randomizedheapbase64",
    "regabi",
    "regabiargs",
    "regabiwrappers",
    "runtimefreegc",
    "runtimesecret",
    "simd",
    "sizespecializedmalloc",
    "staticlockranking",
];
const EXPERIMENTS_UNTIL_1_26: &[&str] = &["goroutineleakprofile"];
const EXPERIMENTS_SINCE_1_27: &[&str] = &["mapsplitgroup"];

/// The first name in a list for GOEXPERIMENT that `go` does not know, as written.
#[must_use]
pub fn unknown_experiment<'a>(go: &GoVersion, list: &'a str) -> Option<&'a str> {
    let changed = match go.at_least("1.27") {
        true => EXPERIMENTS_SINCE_1_27,
        false => EXPERIMENTS_UNTIL_1_26,
    };
    let mut names = list.split(',').filter(|name| !matches!(*name, "" | "none"));
    let known = |name: &str| EXPERIMENTS.contains(&name) || changed.contains(&name);
    let unknown = names.find(|name| !known(name.strip_prefix("no").unwrap_or(name)))?;
    Some(unknown.strip_prefix("no").unwrap_or(unknown))
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
    fn platforms_and_experiments_are_those_of_the_version() {
        // `go env -w` of go1.26.8 and go1.27.4.
        let (old, new) = (
            GoVersion::parse("1.26.8").unwrap(),
            GoVersion::parse("1.27.4").unwrap(),
        );
        assert!(PLATFORMS.is_sorted());
        for (pair, in_old, in_new) in [
            ("linux/amd64", true, true),
            ("linux/sparc64", true, true),
            ("openbsd/mips64", true, false),
            ("foo/amd64", false, false),
            ("windows/mips", false, false),
        ] {
            let (os, arch) = pair.split_once('/').unwrap();
            let has = [&old, &new].map(|go| has_platform(go, os, arch));
            assert_eq!(has, [in_old, in_new], "{pair}");
        }
        for (list, in_old, in_new) in [
            ("", None, None),
            ("none,nojsonv2", None, None),
            ("noregabi,regabiargs", None, None),
            ("foo", Some("foo"), Some("foo")),
            ("arenas,nofoo", Some("foo"), Some("foo")),
            ("mapsplitgroup", Some("mapsplitgroup"), None),
            ("goroutineleakprofile", None, Some("goroutineleakprofile")),
        ] {
            let unknown = [&old, &new].map(|go| unknown_experiment(go, list));
            assert_eq!(unknown, [in_old, in_new], "{list}");
        }
    }

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
