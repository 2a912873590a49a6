//! Module paths, versions and hashes: the nouns of the crate, pure and checked.
//!
//! Nothing here touches files, network, environment or clock. Each type has private fields and
//! one fallible constructor, so that holding a value is the proof of its check. Texts of
//! refusals are the ones scripts already match, from golang/mod's `module` package.
//!
//! | type | promises |
//! |---|---|
//! | [`ModulePath`] | may stand in a go.mod requirement |
//! | [`Version`] | canonical semantic version, `+incompatible` allowed |
//! | [`ModuleVersion`] | the two agree on the major version |
//! | [`EscapedModule`] | may stand in a URL or a cache path |
//! | [`H1`] | `h1:` and 44 characters of base64 |

mod argument;
mod check;
pub mod compat;
mod go_version;
mod h1;
pub mod modfile;
mod module_patterns;
mod module_version;
mod path;
mod pattern;
mod pseudo;
mod query;
pub(crate) mod quote;
mod semver;
mod time;
mod tool;
mod toolchain;
pub(crate) mod words;

pub use argument::Argument;
pub use check::{check_file_path, check_import_path, check_module_path};
pub use go_version::GoVersion;
pub use h1::{FileHash, H1, hash1};
pub use module_patterns::ModulePatterns;
pub use module_version::{EscapedModule, ModuleVersion};
pub use path::{EscapedPath, ModulePath, escape_version, split_path_version, unescape_version};
pub use pattern::{MatchPattern, PrefixPatterns};
pub use pseudo::{
    is_pseudo_version, pseudo_version, pseudo_version_base, pseudo_version_revision,
    pseudo_version_time,
};
pub use query::{Query, Range};
pub use semver::{Version, canonical, compare, is_valid, major, major_minor, prerelease};
pub use time::Time;
pub(crate) use time::{days_from_civil, days_in};
pub use tool::Tool;
pub use toolchain::{ActingVersion, Toolchain, look_up};

/// The module path of Go's toolchains.
pub const TOOLCHAIN: &str = "golang.org/toolchain";

/// The module path of Go's FIPS 140 packages, which come with Go and are never downloaded.
pub const FIPS140: &str = "golang.org/fips140";
