//! What modfetch says beside what go says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::Run;
use super::go::variable;

/// What go said, as modfetch says it: its name, and no hints.
pub fn talk(run: &Run) -> String {
    let text = run.talk();
    let said = text.lines().filter(|line| !line.starts_with("hint: "));
    let said: Vec<String> = said
        .map(|line| match line.strip_prefix("go: ") {
            Some(rest) => format!("modfetch: {rest}"),
            None => line.to_owned(),
        })
        .collect();
    said.join("\n")
}

/// Demands that both succeeded or both failed, and said the same.
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

/// Does `compare` to many seeds, on some threads: to that of MODFETCH_SEED, or to MODFETCH_CASES of
/// them, or to `usual`. Demands that more than half were whole, as `compare` says: cases that only
/// fail would compare nothing but errors.
pub fn for_seeds(usual: u64, compare: impl Fn(u64) -> bool + Sync) {
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let (first, end) = match number("MODFETCH_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("MODFETCH_CASES").unwrap_or(usual)),
    };
    let (next, whole) = (AtomicU64::new(first), AtomicU64::new(0));
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
    let (whole, all) = (whole.into_inner(), end - first);
    assert!(all == 1 || whole * 2 > all, "{whole} of {all} were whole");
}
