//! What a server does by itself: counting, recording use, making room, and verifying again what it keeps.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::service::ModuleService;
use super::stock::KeptZip;
use super::upstream::Keeper;

/// How often it is looked whether there is too much.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often everything is counted anew: other programs write to a module cache as well.
const COUNT_EVERY: Duration = Duration::from_secs(3600);

/// Counts, evicts and verifies until it is stopped.
pub(super) struct Upkeep {
    pub(super) service: Arc<ModuleService>,
    pub(super) keeper: Arc<dyn Keeper>,
    /// How long it may take until each zip was verified again; `None` for never.
    pub(super) recheck: Option<Duration>,
    pub(super) stop: Arc<AtomicBool>,
}

impl Upkeep {
    /// Runs until it is stopped.
    pub(super) fn run(&self) {
        // Those that are to be verified, if any: the others are only counted.
        let mut zips = self.count(self.recheck.is_some());
        let mut counted = Instant::now();
        let mut round = Instant::now();
        let mut next = 0;
        // What the last eviction could not remove: it is not tried again before there is more.
        let mut left = 0;
        loop {
            self.record_use();
            if let Some(store) = &self.service.parts.store
                && store.objects().failing().is_some()
            {
                // So that it is known when it works again, whether or not clients ask.
                let _ = store.objects().probe();
            }
            let stock = &self.service.parts.stock;
            let bytes = || stock.counted().map_or(0, |counted| counted.bytes);
            if stock.is_over() && bytes() > left || counted.elapsed() >= COUNT_EVERY {
                let all = self.count(stock.is_bounded());
                counted = Instant::now();
                self.evict(stock.surplus(all));
                left = bytes();
            }
            if let Some(period) = self.recheck {
                // As many as there should have been by now.
                let share = round.elapsed().as_secs_f64() / period.as_secs_f64().max(1.0);
                let due = (share.min(1.0) * zips.len() as f64).ceil() as usize;
                while next < due.min(zips.len()) && !self.is_stopped() {
                    self.verify(&zips[next]);
                    next += 1;
                }
                if round.elapsed() >= period {
                    zips = self.count(true);
                    (round, next) = (Instant::now(), 0);
                }
            }
            if !self.rest(LOOK_EVERY) {
                break;
            }
        }
        self.record_use();
    }

    /// Records which versions were asked for, all in one write.
    fn record_use(&self) {
        let [gomods, zips] = self.service.parts.stock.take_used();
        if !gomods.is_empty() || !zips.is_empty() {
            self.keeper.record_use(&gomods, &zips);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits, unless it is stopped: then false.
    fn rest(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.is_stopped() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            // Whoever stops it wakes it.
            thread::park_timeout(left);
        }
        false
    }

    /// Counts all zips, and lists them if `listed`.
    fn count(&self, listed: bool) -> Vec<KeptZip> {
        let mut zips = Vec::new();
        let mut list = |zip| {
            if listed {
                zips.push(zip);
            }
        };
        let go_on = || {
            // Between folders others have the disk.
            thread::yield_now();
            !self.is_stopped()
        };
        self.service.parts.stock.count(&go_on, &mut list);
        zips
    }

    fn evict(&self, surplus: Vec<KeptZip>) {
        let mut bytes = 0;
        for zip in surplus {
            if self.is_stopped() {
                break;
            }
            let Some(module) = zip.module() else {
                continue;
            };
            match self.keeper.remove_zip(&module) {
                Ok(true) => {
                    bytes += zip.bytes;
                    self.service.parts.stock.removed(&zip);
                }
                // In use, or upstream does not have it any more.
                Ok(false) => {}
                Err(error) => {
                    let text = format!("cannot make room: {}", error.chain());
                    self.service.parts.journal.warn(&text);
                    break;
                }
            }
        }
        self.service.metrics.record_eviction(bytes);
    }

    /// Hashes a zip again and compares it with its record. One that is wrong is moved away, so that
    /// it is fetched again.
    fn verify(&self, zip: &KeptZip) {
        let Ok(file) = File::open(self.service.parts.stock.place(zip)) else {
            return;
        };
        let Some(module) = zip.module() else {
            return;
        };
        self.service.metrics.record_recheck();
        if let Err(error) = self.keeper.verify_zip(&module, file) {
            self.service.metrics.record_security_event();
            self.service.parts.journal.security(&error.chain());
        }
    }
}
