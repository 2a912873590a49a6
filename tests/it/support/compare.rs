//! Runs beside go that must not differ, by the hundred.
//!
//! What go says of a go.mod can depend on whether another of its threads has read that file before.
//! Where both differ, both do all of it again, go on one thread, where it has one answer: that is
//! ours, then, and was before, or they differ.
//!
//! A quick run compares eight projects, `MODFETCH_CASES=1000` a thousand, `MODFETCH_SEED=7` just that
//! one, and both together so many from that seed on. Every seed that differs is told, at the end all of
//! them, each with the command that runs it again.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::go::{only_modfetch, variable};
use super::random_project::RandomProject;
use super::sampling::demanded_cases;
use super::{Run, require_go};

thread_local! {
    /// What modfetch said in the generated that this thread compares.
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A text of go without what go 1.26 and 1.27 word differently: a disallowed version string is named in one place or
/// in two, and the path of a JSON field begins at another type or is left out.
pub fn in_one_wording(text: &str) -> String {
    let one = |line: &str| {
        let mut line = line.to_owned();
        if let Some((start, rest)) = line.split_once("version \\\"")
            && let Some((_, end)) = rest.split_once("\\\" invalid: disallowed version string")
        {
            line = format!("{start}disallowed version string{end}");
        }
        if let Some((start, rest)) = line.split_once("Go struct field ")
            && let Some((_, end)) = rest.split_once(" of type ")
        {
            line = format!("{start}Go value of type {end}");
        }
        line + "\n"
    };
    text.lines().map(one).collect()
}

/// So many projects in a quick run.
const QUICK: u64 = 8;

/// Of so many projects one may have an answer that depends on go's threads.
const RARE: u64 = 40;

/// Runs a comparison for many projects. It says whether go had anything to compare but an error.
///
/// # Panics
/// If a comparison does, with go on one thread as well, or if few had anything to compare.
pub fn compare_with_go(
    generated: impl Fn(u64) -> RandomProject + Sync,
    compare: impl Fn(&RandomProject) -> bool + Sync,
) {
    require_go!();
    only_modfetch!();
    let started = Instant::now();
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let (first, all) = match (number("MODFETCH_SEED"), demanded_cases()) {
        (Some(seed), all) => (seed, all.unwrap_or(1)),
        (None, all) => (0, all.unwrap_or(QUICK)),
    };
    let current = thread::current();
    let name = current.name().unwrap_or_default();
    let again =
        |seed| format!("MODFETCH_SEED={seed} cargo test --test it {name} -- --exact --nocapture");
    let next = AtomicU64::new(first);
    let whole = AtomicU64::new(0);
    let differ = Mutex::new(Vec::new());
    let by_threads = Mutex::new(Vec::new());
    let attempt = |generated: &RandomProject| {
        SAID.take();
        let ended = catch_unwind(AssertUnwindSafe(|| compare(generated)));
        (ended, SAID.take())
    };
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + all {
                return;
            }
            let (mut ended, said) = attempt(&generated(seed));
            if ended.is_err() {
                // The hook has told it already, but not of which seed.
                eprintln!("that was seed {seed}; again with go on one thread");
                let (on_one, again) = attempt(&generated(seed).on_one_thread());
                if on_one.is_ok() && again.starts_with(&said) {
                    eprintln!("seed {seed} is the same with go on one thread");
                    locked(&by_threads).push(seed);
                    ended = on_one;
                }
            }
            match ended {
                Ok(had) => {
                    whole.fetch_add(u64::from(had), Ordering::Relaxed);
                }
                Err(panic) => {
                    eprintln!("seed {seed} differs; again: {}", again(seed));
                    locked(&differ).push((seed, text(&*panic)));
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let mut differ = differ.into_inner().unwrap_or_else(PoisonError::into_inner);
    differ.sort();
    let mut by_threads = std::mem::take(&mut *locked(&by_threads));
    by_threads.sort_unstable();
    let whole = whole.into_inner();
    eprintln!(
        "{name}: {all} projects from seed {first}, {whole} without an error of go, {} differ, \
         by go's threads {} {by_threads:?}, {:.0} s",
        differ.len(),
        by_threads.len(),
        started.elapsed().as_secs_f64()
    );
    if let Some((seed, difference)) = differ.first() {
        let seeds: Vec<String> = differ.iter().map(|(seed, _)| again(*seed)).collect();
        let (seeds, many) = (seeds.join("\n"), differ.len());
        panic!("{many} of {all} projects differ:\n{seeds}\nseed {seed}:\n{difference}");
    }
    // Worlds that only fail would compare nothing but errors.
    assert!(
        all <= QUICK || whole * 3 > all,
        "{whole} of {all} are whole"
    );
    let rare = u64::try_from(by_threads.len()).is_ok_and(|many| many <= 1 + all / RARE);
    assert!(rare, "by go's threads: {by_threads:?}");
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A text in which the proxies of two attempts have one name.
fn without_ports(text: &str) -> String {
    let (begin, parts) = match text.split_once(PROXY) {
        Some((begin, rest)) => (begin, rest.split(PROXY)),
        None => return text.to_owned(),
    };
    let parts = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    parts.fold(begin.to_owned(), |text, part| text + PROXY + part)
}

/// What stands before the port of a proxy.
const PROXY: &str = "http://127.0.0.1:";

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).to_owned(),
        (None, None) => "a panic without a message".to_owned(),
    }
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
    SAID.with_borrow_mut(|said| said.push(without_ports(&(ours.output() + &talk(ours)))));
    let equal = (ours.code == Some(0)) == (go.code == Some(0))
        && ours.output() == go.output()
        && in_one_wording(&talk(ours)) == in_one_wording(&talk(go));
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

/// What go says of a workspace that makes no sense, and then goes on with some of it until it
/// fails, where we mostly do not go on.
const COMPLAINTS: &[&str] = &[
    " is replaced at all versions in the go.work file. ",
    " appears multiple times in workspace\n",
    "conflicting replacements found for ",
];

/// What ends go at once, whatever else was asked for; here it is the failure of one module, which
/// `-json` tells in its object.
const MISMATCH: &str = ": checksum mismatch";

/// True if go has such a complaint or such an end; demands that the same is ours, or, where several
/// things are wrong, something else that go says of them or that could not be read.
#[track_caller]
pub fn both_complain(ours: &Run, go: &Run, story: &str) -> bool {
    if go.stderr.contains("error loading go.work") {
        return false;
    }
    let mismatch = go.stderr.contains(MISMATCH);
    let complaint = COMPLAINTS.iter().find(|text| go.stderr.contains(**text));
    if !mismatch && complaint.is_none() {
        return false;
    }
    let same_complaint = complaint.is_some_and(|text| {
        let go_said = talk(go);
        let also_said = talk(ours).lines().all(|line| go_said.contains(line));
        ours.stderr.contains(text) || also_said
    });
    let same_mismatch =
        mismatch && (ours.stderr.contains(MISMATCH) || ours.stdout.contains(MISMATCH));
    let told = same_complaint || same_mismatch;
    let other = ours.stderr.contains(": reading ");
    let same = (told || other) && ours.code != Some(0) && go.code == Some(1);
    ours.demand(same, &format!("{story}\n{}", go.stderr));
    true
}
