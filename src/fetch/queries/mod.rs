//! Questions about versions, put to the source.
//!
//! | file | idea |
//! |---|---|
//! | `standing` | how versions stand: retracted, deprecated, what newer one there is |
//! | `inquiry` | from `latest` or a branch to a version |
//! | `release` | the same of `go` and `toolchain`, which are no modules |
//! | `memo` | what is asked for once in a run, whoever needs it |

mod inquiry;
mod memo;
mod release;
mod standing;

pub use inquiry::{Admit, Answer, Question};
pub(super) use memo::Memo;
pub use release::{Release, ReleaseQuestion};
pub use standing::{is_unknown, unasked};
