//! What the events add up to, and the lines that people read of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::rate::{Rate, time_left};
use crate::gomod::ModuleVersion;
use crate::report::count::{human, retries};

/// A module in the works for this long is named.
const SLOW: Duration = Duration::from_secs(2);
/// So many of them are named, those first that have been in the works longest.
const MOST_NAMED: usize = 3;
/// The columns of the bar, without its brackets.
const BAR: usize = 20;

/// A long piece of work that is not about fetching modules.
#[derive(Debug)]
struct Task {
    name: &'static str,
    items: Option<u64>,
    bytes: Option<u64>,
    done_items: u64,
    done_bytes: u64,
}

/// What is known of the work.
#[derive(Debug, Default)]
pub(super) struct ProgressState {
    /// go.mod files fetched before it was known which modules are needed.
    pub(super) go_mods: usize,
    pub(super) planned: Option<usize>,
    pub(super) finished: usize,
    task: Option<Task>,
    working: BTreeMap<ModuleVersion, Instant>,
    /// Locks that are waited for: since when, and for which module.
    waiting: BTreeMap<String, (Instant, Option<ModuleVersion>)>,
    byte_rate: Rate,
    item_rate: Rate,
}

impl ProgressState {
    pub(super) fn start_task(
        &mut self,
        name: &'static str,
        items: Option<u64>,
        bytes: Option<u64>,
    ) {
        self.item_rate = Rate::default();
        self.task = Some(Task {
            name,
            items,
            bytes,
            done_items: 0,
            done_bytes: 0,
        });
    }

    pub(super) fn advance_task(&mut self, items: u64, bytes: u64) {
        if let Some(task) = &mut self.task {
            task.done_items += items;
            task.done_bytes += bytes;
        }
    }

    pub(super) fn plan(&mut self, modules: usize) {
        self.planned = Some(modules);
        self.item_rate = Rate::default();
        self.task = None;
    }

    /// True if the module was not in the works.
    pub(super) fn start(&mut self, module: &ModuleVersion, now: Instant) -> bool {
        if self.working.contains_key(module) {
            return false;
        }
        self.working.insert(module.clone(), now);
        true
    }

    pub(super) fn finish(&mut self, module: &ModuleVersion) {
        self.finished += 1;
        self.working.remove(module);
    }

    pub(super) fn wait(&mut self, lock: String, module: Option<&ModuleVersion>, now: Instant) {
        self.waiting.insert(lock, (now, module.cloned()));
    }

    pub(super) fn waited(&mut self, lock: &str) {
        self.waiting.remove(lock);
    }

    /// The locks that have been waited for so long, each once.
    pub(super) fn take_long_waits(
        &mut self,
        now: Instant,
        long: Duration,
    ) -> Vec<(String, Option<ModuleVersion>)> {
        let is_long = |since: &Instant| now.duration_since(*since) >= long;
        let waits = self.waiting.iter().filter(|(_, (since, _))| is_long(since));
        let locks: Vec<String> = waits.map(|(lock, _)| lock.clone()).collect();
        let take = |lock: String| {
            let (_, module) = self.waiting.remove(&lock)?;
            Some((lock, module))
        };
        locks.into_iter().filter_map(take).collect()
    }

    /// The task, and how much of it is done: name, items, bytes.
    pub(super) fn task_done(&self) -> Option<(&'static str, u64, u64)> {
        let task = self.task.as_ref()?;
        Some((task.name, task.done_items, task.done_bytes))
    }

    /// Takes note of how far things are, for the rates.
    pub(super) fn note(&mut self, now: Instant, received: u64) {
        self.byte_rate.note(now, received);
        let done = match &self.task {
            Some(task) if task.bytes.is_some() => task.done_bytes,
            Some(task) => task.done_items,
            None => self.finished as u64,
        };
        self.item_rate.note(now, done);
    }

    /// One line: the work and how far it is, bytes and rate, retries, time left.
    pub(super) fn line(&self, received: u64, retried: u64) -> String {
        let (work, left) = self.work();
        let mut parts = vec![work];
        if received > 0 || self.task.is_none() {
            parts.push(human(received));
            let rate = self.byte_rate.per_second().unwrap_or_default();
            parts.push(format!("{}/s", human(rate as u64)));
        }
        parts.extend(retries(retried));
        let left = left.and_then(|rest| self.item_rate.left(rest));
        parts.extend(left.map(|left| format!("{} left", time_left(left))));
        parts.join("  ")
    }

    /// The line with a bar before it, and below it the modules that take longest.
    pub(super) fn lines(&self, now: Instant, received: u64, retried: u64) -> Vec<String> {
        let line = self.line(received, retried);
        let mut lines = vec![match self.share() {
            Some(share) => format!("{} {line}", bar(share)),
            None => line,
        }];
        let mut slow: Vec<(&ModuleVersion, &Instant)> = self.working.iter().collect();
        slow.retain(|(_, since)| now.duration_since(**since) >= SLOW);
        slow.sort_by_key(|(_, since)| **since);
        lines.extend(slow.iter().take(MOST_NAMED).map(|(module, since)| {
            let seconds = now.duration_since(**since).as_secs();
            format!("  {module} ({seconds}s)")
        }));
        lines
    }

    /// What is done, and what is left to do of it if that is known.
    fn work(&self) -> (String, Option<u64>) {
        if let Some(task) = &self.task {
            let items = match task.items {
                Some(items) => format!(" {}/{items}", task.done_items),
                None if task.done_items > 0 => format!(" {}", task.done_items),
                None => String::new(),
            };
            let bytes = match task.bytes {
                Some(bytes) => format!("  {} of {}", human(task.done_bytes), human(bytes)),
                None if task.done_bytes > 0 => format!("  {}", human(task.done_bytes)),
                None => String::new(),
            };
            let left = match (task.bytes, task.items) {
                (Some(bytes), _) => Some(bytes.saturating_sub(task.done_bytes)),
                (None, items) => items.map(|items| items.saturating_sub(task.done_items)),
            };
            return (format!("{}{items}{bytes}", task.name), left);
        }
        match self.planned {
            Some(planned) => {
                let left = planned.saturating_sub(self.finished) as u64;
                (format!("{}/{planned} modules", self.finished), Some(left))
            }
            None => (format!("module graph: {} go.mod files", self.go_mods), None),
        }
    }

    /// The share that is done, from 0 to 1, where that is known.
    fn share(&self) -> Option<f64> {
        let (done, all) = match (&self.task, self.planned) {
            (Some(task), _) => match (task.bytes, task.items) {
                (Some(bytes), _) => (task.done_bytes, bytes),
                (None, Some(items)) => (task.done_items, items),
                (None, None) => return None,
            },
            (None, Some(planned)) => (self.finished as u64, planned as u64),
            (None, None) => return None,
        };
        (all > 0).then(|| (done as f64 / all as f64).min(1.0))
    }
}

fn bar(share: f64) -> String {
    let full = (share * BAR as f64) as usize;
    let head = if full < BAR { ">" } else { "" };
    let done = "=".repeat(full) + head;
    format!("[{done:<BAR$}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> ModuleVersion {
        ModuleVersion::parse(path, "v1.2.3").unwrap()
    }

    #[test]
    fn a_download_shows_modules_bytes_rate_time_left_and_the_slowest() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut state = ProgressState {
            go_mods: 7,
            ..ProgressState::default()
        };
        state.note(at(0), 0);
        assert_eq!(state.line(0, 0), "module graph: 7 go.mod files  0 B  0 B/s");
        state.plan(40);
        for (index, path) in ["a.com/a", "b.com/b", "c.com/c", "d.com/d"]
            .iter()
            .enumerate()
        {
            assert!(state.start(&module(path), at(index as u64)));
        }
        assert!(!state.start(&module("a.com/a"), at(3)));
        state.note(at(1), 1_000_000);
        for _ in 0..10 {
            state.finish(&module("x.com/x"));
        }
        state.note(at(6), 6_000_000);
        assert_eq!(
            state.lines(at(6), 6_000_000, 2),
            [
                "[=====>              ] 10/40 modules  6.00 MB  1.00 MB/s  2 retries  15s left",
                "  a.com/a@v1.2.3 (6s)",
                "  b.com/b@v1.2.3 (5s)",
                "  c.com/c@v1.2.3 (4s)",
            ]
        );
        state.finish(&module("a.com/a"));
        assert!(!state.lines(at(6), 0, 0).join("").contains("a.com/a"));
    }

    #[test]
    fn a_task_shows_what_is_known_of_it() {
        let mut state = ProgressState::default();
        state.start_task("removing the module cache", None, None);
        assert_eq!(
            state.lines(Instant::now(), 0, 0),
            ["removing the module cache"]
        );
        state.start_task("verifying modules", Some(4), None);
        state.advance_task(1, 0);
        assert_eq!(
            state.lines(Instant::now(), 0, 0),
            ["[=====>              ] verifying modules 1/4"]
        );
        state.start_task("reading bundle", Some(4), Some(2000));
        state.advance_task(4, 2000);
        assert_eq!(
            state.lines(Instant::now(), 0, 0),
            ["[====================] reading bundle 4/4  2.00 kB of 2.00 kB"]
        );
    }

    #[test]
    fn a_long_wait_is_taken_once() {
        let begun = Instant::now();
        let long = Duration::from_secs(1);
        let mut state = ProgressState::default();
        state.wait("v1.lock".to_owned(), None, begun);
        assert!(state.take_long_waits(begun, long).is_empty());
        assert_eq!(state.take_long_waits(begun + long, long).len(), 1);
        assert!(state.take_long_waits(begun + long, long).is_empty());
    }
}
