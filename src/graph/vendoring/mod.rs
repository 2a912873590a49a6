//! A vendor directory in place of the graph.
//!
//! | file | idea |
//! |---|---|
//! | `directory` | when it is used, and the build list that modules.txt tells |
//! | `agreement` | whether go.mod and modules.txt agree |
//! | `vendored` | what can be said of modules there, and what not |

mod agreement;
mod directory;
mod vendored;

pub use directory::{Vendor, Vendoring};
pub use vendored::Vendored;
