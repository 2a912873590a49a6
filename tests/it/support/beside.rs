//! Runs beside go that must not differ, by the hundred.
//!
//! `MODFETCH_CASES=1000` runs so many instead of those of a quick run, `MODFETCH_SEED=7` just one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::go::{only_modfetch, variable};
use super::{Run, require_go};

/// Runs a comparison for `cases` seeds. It says whether go had anything to compare but an error.
///
/// # Panics
/// If a comparison does, or if few had anything to compare.
pub fn beside_go(cases: u64, compare: impl Fn(u64) -> bool + Sync) {
    if require_go().is_none() || !only_modfetch() {
        return;
    }
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let (first, end) = match number("MODFETCH_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("MODFETCH_CASES").unwrap_or(cases)),
    };
    let next = AtomicU64::new(first);
    let whole = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            if compare(seed) {
                whole.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    // Worlds that only fail would compare nothing but errors.
    let (whole, all) = (whole.into_inner(), end - first);
    assert!(all == 1 || whole * 3 > all, "{whole} of {all} are whole");
}

/// What go said, as modfetch says it: its name, and no hints.
pub fn talk(run: &Run) -> String {
    let text = run.talk();
    let said = text.lines().filter(|line| !line.starts_with("hint: "));
    let said: Vec<String> = said
        .map(|line| {
            match line
                .strip_prefix("go")
                .filter(|rest| rest.starts_with(": ") || rest.starts_with(" list "))
            {
                Some(rest) => format!("modfetch{rest}"),
                None => line.to_owned(),
            }
        })
        .collect();
    said.join("\n")
}

/// Demands that both said the same and came to the same end.
#[track_caller]
pub fn same(ours: &Run, go: &Run, what: &str) {
    let equal = (ours.code == Some(0)) == (go.code == Some(0))
        && ours.output() == go.output()
        && talk(ours) == talk(go);
    let story = || {
        format!(
            "{what}\n----- go: {:?}\n{}{}",
            go.code, go.stdout, go.stderr
        )
    };
    if !equal {
        ours.demand(false, &story());
    }
}
