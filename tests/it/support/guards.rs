//! First lines of tests that need something: without it the test ends there, counted as skipped.

/// The go command as [`super::go::require_go`] finds it.
macro_rules! require_go {
    () => {
        match $crate::support::go::require_go() {
            Some(go) => go,
            None => return,
        }
    };
}

/// Demands that modfetch is under test, for go does not do what is tested.
macro_rules! only_modfetch {
    () => {
        if !$crate::support::go::only_modfetch() {
            return;
        }
    };
}

pub(crate) use {only_modfetch, require_go};
