//! Many modules at once.
//!
//! | file | idea |
//! |---|---|
//! | `download` | from modules to outcomes: a look into the cache, and the conductor for what it lacks |
//! | `ahead` | what is begun while the requirement graph is still being read |
//! | `conduct` | the conductor: hands out work, collects what comes back |
//! | `work` | one module on its way, and what is reported of it |
//! | `outcome` | what became of it |

mod ahead;
mod conduct;
mod download;
mod outcome;
mod work;

pub use ahead::Ahead;
pub use outcome::{Outcome, Traffic};
