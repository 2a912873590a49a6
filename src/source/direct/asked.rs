//! Which modules are being asked about, by all threads together.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many threads ask about each module.
#[derive(Debug, Default)]
pub(super) struct AskedModules(Mutex<HashMap<String, usize>>);

/// A thread that asks about a module, until this is dropped.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    modules: &'a AskedModules,
    path: &'a str,
}

impl AskedModules {
    /// Counts a thread that asks about the module at `path`.
    pub(super) fn begin<'a>(&'a self, path: &'a str) -> Asking<'a> {
        *self.counts().entry(path.to_owned()).or_default() += 1;
        Asking {
            modules: self,
            path,
        }
    }

    /// True if all threads that ask are about the same module.
    pub(super) fn is_one(&self) -> bool {
        self.counts().len() <= 1
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut counts = self.modules.counts();
        if let Some(count) = counts.get_mut(self.path) {
            *count -= 1;
            if *count == 0 {
                counts.remove(self.path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_about_one_module_are_one() {
        let modules = AskedModules::default();
        let first = modules.begin("a.com/a");
        let second = modules.begin("a.com/a");
        assert!(modules.is_one());
        let other = modules.begin("a.com/b");
        drop(first);
        assert!(!modules.is_one());
        drop(second);
        assert!(modules.is_one());
        drop(other);
        assert!(modules.is_one());
    }
}
