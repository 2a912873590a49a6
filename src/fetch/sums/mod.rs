//! What is known of sums, without a download.
//!
//! | file | idea |
//! |---|---|
//! | `examine` | of the lines that go.sum has, or lacks |
//! | `evidence` | all that anybody says of one module version |

mod evidence;
mod examine;

pub use evidence::HashEvidence;
pub use examine::{SumLine, SumState};
