//! Keeping a cache small: what may go, what goes, and how it goes without harm to anybody.
//!
//! | part | idea |
//! |---|---|
//! | `rules` | what the caller allows, as data: [`PruneRules`], [`KeepSet`] |
//! | `plan` | what follows from it, a pure function: [`PrunePlan`] |
//! | `evict` | removing one thing in an order that is safe beside `go` |
//! | `trash` | deleting what no reader can see any more |
//! | `pruner` | one run: its lock, all cores, what came of it: [`pruner::Pruner`] |
//!
//! # Why it is safe
//! `go build` holds no lock while it reads extracted directories, so no lock makes removing one safe
//! that is in use: only its last use does, for which there is a time of grace. What can be excluded is
//! that anybody sees half of something. A `go` that meets half a directory remembers that for good. For
//! each version, under its lock, in this order:
//!
//! 1. Look again whether it was used since the plan was made.
//! 2. Rename the directory, whole, to `cache/modfetch/trash`. Look once more: if a build has begun to use
//!    it in this moment, rename it back. Otherwise remove its mark if it had one.
//! 3. Remove ziphash, zip, leftovers, `.info` and `.mod`.
//! 4. Let go of the lock. The lock file stays: removing one would let two holders in.
//!
//! Then, for all versions of a module at once, under no version's lock:
//!
//! 5. Write `list` anew, from the directory and under its own lock.
//! 6. Delete what is in the trash.
//!
//! After a kill between any two of these, what is left is something that `go` completes: a directory
//! without ziphash is extracted again, a zip without ziphash is hashed again, and a `list` that
//! names a version without `.mod` is put right when the next one is fetched or removed. The next pruner empties the
//! trash. Directories above modules stay, although they may be empty: a `go` that is about to extract
//! into one has just made sure that it exists.

mod evict;
mod plan;
mod pruner;
mod rules;
mod trash;

pub use plan::{Evicted, Eviction, PrunePlan, PruneReason};
pub use pruner::{PruneOutcome, Pruned};
pub use rules::{KeepSet, KeptForm, NamePattern, PruneLevel, PruneRules};
