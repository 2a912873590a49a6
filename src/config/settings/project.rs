//! How go.mod is read.

use super::SettingRow;
use crate::config::flags::{self, Flag};
use crate::config::{toolchain::installed_version, value};
use crate::gomod::GoVersion;

settings! {
    /// How go.mod is read.
    struct ProjectSettings;
    /// For a command that reads go.mod.
    group PROJECT = "Project" also [&flags::MODFILE, &flags::OVERLAY];

    /// The go version that a run acts as where GOTOOLCHAIN does not say another.
    go_version: GoVersion = GO_VERSION, SettingRow::new(value::go_version, Flag {
        long: "go-version",
        value: Some("VERSION"),
        env: Some("MODFETCH_GO_VERSION"),
        default: GoVersion::EMULATED,
        brief: "Act as this version of go",
        detail: "Default: that of GOROOT or of GOLANG_VERSION, otherwise 1.27.4. With \
                 GOTOOLCHAIN=local modules that need a newer one are refused, as by go.",
        ..Flag::OURS
    }).or_else(installed_version);
}
