//! Maps for the many short keys of one run.

use std::collections::{HashMap, HashSet};

/// How keys are hashed: with a seed of its own for each map, made of addresses that differ from run
/// to run, so that no go.mod can be written whose requirements collide in all of them.
///
/// Not std's SipHash, which was a tenth of a warm run. That resists an attacker who sends
/// keys, measures how long they take, and sends better ones; whoever writes a go.mod does not see
/// the run that reads it, and gets one try.
pub(crate) type Seed = foldhash::fast::RandomState;

/// A map from what a module or a go.mod names.
pub(crate) type Map<K, V> = HashMap<K, V, Seed>;

/// A set of what a module or a go.mod names.
pub(crate) type Set<K> = HashSet<K, Seed>;
