//! Named steps at which a test has the program killed: the proof that a run may die anywhere.
//!
//! `MODFETCH_TEST_KILL_AT=NAME`, or `NAME:N` for the Nth time, sends SIGKILL to the process when it
//! gets there. Only builds with debug assertions, which `cargo test` makes, look at the variable:
//! in a release build nothing of this exists, so no user can meet it. A cargo feature would have
//! to be named in each test run, or be on by default and then be in a user's build.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::system::kill_self;

    struct Aim {
        step: String,
        left: AtomicUsize,
    }

    static AIM: OnceLock<Aim> = OnceLock::new();

    /// Takes the value of [`VARIABLE`](super::VARIABLE).
    pub(crate) fn arm(value: Option<&str>) {
        let Some(text) = value else {
            return;
        };
        let (step, count) = text.split_once(':').unwrap_or((text, "1"));
        let left = AtomicUsize::new(count.parse().unwrap_or(1));
        let step = step.to_owned();
        let _ = AIM.set(Aim { step, left });
    }

    pub(crate) fn reached(step: &str) {
        if let Some(aim) = AIM.get()
            && aim.step == step
            && aim.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            kill_self();
        }
    }
}

#[cfg(not(debug_assertions))]
mod armed {
    pub(crate) fn arm(_: Option<&str>) {}

    #[inline(always)]
    pub(crate) fn reached(_: &str) {}
}

pub(crate) use armed::{arm, reached};

/// The variable that names a step.
pub(crate) const VARIABLE: &str = "MODFETCH_TEST_KILL_AT";
