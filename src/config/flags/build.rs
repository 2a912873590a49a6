//! Go's flags about building: its `list` and `clean` accept them, and they do not change what happens to
//! modules.

/// A flag of go's that is accepted and changes nothing.
#[derive(Debug)]
pub struct IgnoredFlag {
    /// Its name, without dashes.
    pub long: &'static str,
    /// It has a value.
    pub has_value: bool,
}

const fn switch(long: &'static str) -> IgnoredFlag {
    IgnoredFlag {
        long,
        has_value: false,
    }
}

const fn valued(long: &'static str) -> IgnoredFlag {
    IgnoredFlag {
        long,
        has_value: true,
    }
}

/// Those of every command that builds. `-n` and `-x` are flags of ours where they do something.
///
/// Source: golang/go `cmd/go/internal/work/build.go`, `AddBuildFlags`.
pub const BUILD_FLAGS: &[IgnoredFlag] = &[
    switch("a"),
    switch("asan"),
    switch("buildvcs"),
    switch("linkshared"),
    switch("msan"),
    switch("race"),
    switch("trimpath"),
    switch("v"),
    switch("work"),
    valued("asmflags"),
    valued("buildmode"),
    valued("compiler"),
    valued("debug-actiongraph"),
    valued("debug-runtime-trace"),
    valued("debug-trace"),
    valued("gccgoflags"),
    valued("gcflags"),
    valued("installsuffix"),
    valued("ldflags"),
    valued("p"),
    valued("pgo"),
    valued("pkgdir"),
    valued("tags"),
    valued("toolexec"),
];

/// What `list` has beside them.
///
/// Source: golang/go `cmd/go/internal/work/build.go`, `AddCoverFlags`.
pub const LIST_BUILD_FLAGS: &[IgnoredFlag] = &[
    switch("cover"),
    switch("n"),
    valued("covermode"),
    valued("coverpkg"),
];
