//! What the cache has of module versions, for those who fetch little or nothing.
//!
//! | file | idea |
//! |---|---|
//! | `stock` | for those who plan: what is missing, and what is known of it |
//! | `local` | for those who list: where the parts are |

mod local;
mod stock;

pub use local::Local;
pub use stock::Stock;
