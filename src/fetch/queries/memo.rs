//! What is asked for once in a run, whoever needs it.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::standing::Word;
use crate::error::Result;
use crate::gomod::{ModulePath, ModuleVersion, Tool};
use crate::source::Info;

/// What the sources said about modules in this run. The number is that of the place that was asked,
/// in the order in which a source asks them.
#[derive(Debug, Default)]
pub(in crate::fetch) struct Memo {
    /// The lists of versions.
    pub(in crate::fetch) versions: Once<(usize, ModulePath), Vec<String>>,
    /// The latest versions.
    pub(in crate::fetch) latest: Once<(usize, ModulePath), Info>,
    /// What the newest version says of the others.
    pub(in crate::fetch) words: Once<ModulePath, Arc<Word>>,
    /// Whether the newest version of go or of the toolchains could be found.
    pub(in crate::fetch) releases: Once<Tool, ()>,
    /// The replaced modules that were looked at beside the graph.
    pub(in crate::fetch) replaced: Mutex<BTreeSet<ModuleVersion>>,
}

type Slot<T> = Arc<OnceLock<Result<T>>>;

/// Answers that are found once; who asks meanwhile waits.
#[derive(Debug)]
pub(in crate::fetch) struct Once<K, T>(Mutex<HashMap<K, Slot<T>>>);

impl<K, T> Default for Once<K, T> {
    fn default() -> Once<K, T> {
        Once(Mutex::default())
    }
}

impl<K: Eq + Hash, T: Clone> Once<K, T> {
    /// The answer, found by `find` if nobody did before. It must not ask for the same again.
    pub(in crate::fetch) fn once(&self, key: K, find: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Arc::clone(slots.entry(key).or_default());
        drop(slots);
        slot.get_or_init(find).clone()
    }

    /// The answer, if it was found.
    pub(in crate::fetch) fn known<Q>(&self, key: &Q) -> Option<Result<T>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(key)?.get().cloned()
    }
}
