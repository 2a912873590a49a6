//! `list -m`: what there is to say of modules, found where go finds it.
//!
//! `select` reads the arguments against the requirements of the main module: which modules a
//! listing is about, in go's order, and whether that takes the whole graph. A [`Lister`] says of
//! each what go says ([`ModuleInfo`]): what the cache has of it, what go.sum records, what replaces
//! it, and where that was asked for ([`Extras`]) which newer version there is, which versions there
//! are, and what its author says of them. Where a vendor directory is used, [`vendored()`]
//! says what that tells. Nothing here prints, and no zip is fetched.
//!
//! Source: golang/go `cmd/go/internal/modload/{list,build}.go`, `modinfo/info.go`.

mod info;
mod lister;
mod release;
mod value;
mod vendored;

pub use info::ModuleInfo;
pub use lister::{Extras, Lister, gravest};
pub use vendored::{vendored, vendored_nowhere};
