//! What go.mod should require, and what of that it does not say yet.
//!
//! | file | idea |
//! |---|---|
//! | `requirements` | the requirements on their way from what go.mod says to what it should say |
//! | `minimal` | those that are enough where the graph is not pruned |
//! | `changes` | the difference, and go.mod with it made |

mod changes;
mod minimal;
mod requirements;

pub use changes::Update;
pub use minimal::minimal_roots;
pub use requirements::Requirements;
