//! Maps for the many short keys of one run.

use std::collections::{HashMap, HashSet};

/// How keys are hashed: with a seed of its own for each map, which no go.mod and no server can
/// know, so that none can be written whose requirements collide.
///
/// Not std's SipHash, which spends a tenth of a warm run on module paths. Its strength is needed
/// where somebody can watch how long each look-up takes and try again; whoever writes a go.mod
/// cannot.
pub(crate) type Seed = foldhash::fast::RandomState;

/// A map from what a module or a go.mod names.
pub(crate) type Map<K, V> = HashMap<K, V, Seed>;

/// A set of what a module or a go.mod names.
pub(crate) type Set<K> = HashSet<K, Seed>;
