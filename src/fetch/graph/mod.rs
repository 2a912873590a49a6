//! The requirement graph, driven.
//!
//! | file | idea |
//! |---|---|
//! | `walk` | reading it: the cached go.mod files at once, the others many at a time |
//! | `requirements` | the requirements of the main module, put right as go does it |

mod requirements;
mod walk;
