//! Counts for a collector, in the text format of Prometheus, written by hand: the libraries for it
//! bring more code than these lines, and one of them panics on names that end with `_total`.
//!
//! Source: Prometheus, "Exposition formats", text-based format 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::http1::ServedExchange;
use super::journal::SecurityCount;

/// Upper bounds of the buckets of latencies, in milliseconds.
const BUCKETS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 5000, 30_000];

/// How long things took.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    fn record(&mut self, took: Duration) {
        let millis = took.as_millis();
        if let Some(place) = BUCKETS
            .iter()
            .position(|&bound| millis <= u128::from(bound))
        {
            self.buckets[place] += 1;
        }
        self.count += 1;
        self.sum += took;
    }

    fn write(&self, out: &mut String, name: &str, label: &str) {
        let mut below = 0;
        let comma = if label.is_empty() { "" } else { "," };
        for (bound, count) in BUCKETS.iter().zip(self.buckets) {
            below += count;
            let (whole, thousandths) = (bound / 1000, bound % 1000);
            let _ = writeln!(
                out,
                "{name}_bucket{{{label}{comma}le=\"{whole}.{thousandths:03}\"}} {below}"
            );
        }
        let (count, sum) = (self.count, self.sum.as_secs_f64());
        let _ = writeln!(out, "{name}_bucket{{{label}{comma}le=\"+Inf\"}} {count}");
        let braces = if label.is_empty() {
            String::new()
        } else {
            format!("{{{label}}}")
        };
        let _ = writeln!(
            out,
            "{name}_sum{braces} {sum:.6}\n{name}_count{braces} {count}"
        );
    }
}

/// What was counted for one kind of request and one way it was answered.
type RequestKey = (&'static str, &'static str, u16);

#[derive(Debug, Default)]
struct MetricCounts {
    requests: BTreeMap<RequestKey, u64>,
    incomplete: u64,
    latency: BTreeMap<&'static str, Histogram>,
    upstream: BTreeMap<&'static str, Histogram>,
    upstream_errors: BTreeMap<&'static str, u64>,
    /// By module path: the longest upstream waits, for the page.
    slowest: Vec<(Duration, String)>,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    counts: Mutex<MetricCounts>,
    bytes: AtomicU64,
    /// Zips and go.mod files that did not have the sum they should have.
    security_events: SecurityCount,
    rechecked: AtomicU64,
    evicted: AtomicU64,
}

/// What is measured when it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gauges {
    /// Connections.
    pub connections: u64,
    /// Requests to upstream that are waited for.
    pub in_flight: u64,
    /// Bytes of zips and other files, as far as they were counted.
    pub stored_bytes: Option<u64>,
    /// Zips, likewise.
    pub stored_zips: Option<u64>,
}

/// How many of the slowest modules are remembered.
const SLOWEST: usize = 10;

impl Metrics {
    /// MetricCounts from nothing, and security events together with others.
    pub(super) fn new(security_events: SecurityCount) -> Metrics {
        Metrics {
            security_events,
            ..Metrics::default()
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, MetricCounts> {
        // Every change is complete before the guard goes.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is over.
    pub(super) fn record(&self, exchange: &ServedExchange<'_>) {
        self.bytes.fetch_add(exchange.bytes, Ordering::Relaxed);
        let note = exchange.note;
        let mut counts = self.counts();
        let key = (note.kind, note.cache, exchange.status);
        *counts.requests.entry(key).or_default() += 1;
        counts.incomplete += u64::from(!exchange.complete);
        counts
            .latency
            .entry(note.kind)
            .or_default()
            .record(exchange.took);
    }

    /// A question to upstream is over, about the module `subject`.
    pub(super) fn record_upstream(
        &self,
        kind: &'static str,
        subject: &str,
        took: Duration,
        error: Option<&'static str>,
    ) {
        let mut counts = self.counts();
        counts.upstream.entry(kind).or_default().record(took);
        if let Some(error) = error {
            *counts.upstream_errors.entry(error).or_default() += 1;
        }
        let slowest = &mut counts.slowest;
        slowest.push((took, subject.to_owned()));
        slowest.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
        slowest.truncate(SLOWEST);
    }

    /// Something did not have the sum it should have.
    pub(super) fn record_security_event(&self) {
        self.security_events.increment();
    }

    /// One more kept zip was verified again.
    pub(super) fn record_recheck(&self) {
        self.rechecked.fetch_add(1, Ordering::Relaxed);
    }

    /// So many bytes were removed to make room.
    pub(super) fn record_eviction(&self, bytes: u64) {
        self.evicted.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The modules that took longest, longest first.
    #[must_use]
    pub(super) fn slowest(&self) -> Vec<(Duration, String)> {
        self.counts().slowest.clone()
    }

    /// Requests for modules that were answered, and how many of them without upstream.
    #[must_use]
    pub(super) fn hits(&self) -> (u64, u64) {
        let counts = self.counts();
        let mut all = 0;
        let mut hits = 0;
        for ((_, cache, _), count) in &counts.requests {
            if !cache.is_empty() {
                all += count;
                hits += if *cache == "HIT" { *count } else { 0 };
            }
        }
        (all, hits)
    }

    /// The page for a collector.
    #[must_use]
    pub(super) fn render(&self, gauges: Gauges) -> String {
        let mut out = String::with_capacity(4096);
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        let counts = self.counts();
        let name = "modfetch_requests_total";
        head(
            &mut out,
            name,
            "counter",
            "Requests by what was asked for, cache state and status.",
        );
        for ((kind, cache, status), count) in &counts.requests {
            let _ = writeln!(
                out,
                "{name}{{kind=\"{kind}\",cache=\"{cache}\",status=\"{status}\"}} {count}"
            );
        }
        let single = [
            (
                "modfetch_requests_incomplete_total",
                "Answers that the client did not take to the end.",
                counts.incomplete,
            ),
            (
                "modfetch_response_bytes_total",
                "Bytes sent to clients.",
                self.bytes.load(Ordering::Relaxed),
            ),
            (
                "modfetch_security_events_total",
                "Files from upstream or of the cache without the sum they should have.",
                self.security_events.total(),
            ),
            (
                "modfetch_rechecked_total",
                "Kept zips that were verified again.",
                self.rechecked.load(Ordering::Relaxed),
            ),
            (
                "modfetch_evicted_bytes_total",
                "Bytes removed to make room.",
                self.evicted.load(Ordering::Relaxed),
            ),
        ];
        for (name, help, value) in single {
            head(&mut out, name, "counter", help);
            let _ = writeln!(out, "{name} {value}");
        }
        let name = "modfetch_request_seconds";
        head(
            &mut out,
            name,
            "histogram",
            "From the head of a request to the end of its answer.",
        );
        for (kind, histogram) in &counts.latency {
            histogram.write(&mut out, name, &format!("kind=\"{kind}\""));
        }
        let name = "modfetch_upstream_seconds";
        head(
            &mut out,
            name,
            "histogram",
            "How long upstream took, proof included.",
        );
        for (kind, histogram) in &counts.upstream {
            histogram.write(&mut out, name, &format!("kind=\"{kind}\""));
        }
        let name = "modfetch_upstream_errors_total";
        head(
            &mut out,
            name,
            "counter",
            "Questions to upstream that failed, by kind of failure.",
        );
        for (kind, count) in &counts.upstream_errors {
            let _ = writeln!(out, "{name}{{kind=\"{kind}\"}} {count}");
        }
        let measured = [
            (
                "modfetch_connections",
                "Open connections.",
                Some(gauges.connections),
            ),
            (
                "modfetch_upstream_in_flight",
                "Questions to upstream that are waited for.",
                Some(gauges.in_flight),
            ),
            (
                "modfetch_stored_bytes",
                "Bytes of kept files, as counted last.",
                gauges.stored_bytes,
            ),
            (
                "modfetch_stored_zips",
                "Kept zips, as counted last.",
                gauges.stored_zips,
            ),
        ];
        for (name, help, value) in measured {
            if let Some(value) = value {
                head(&mut out, name, "gauge", help);
                let _ = writeln!(out, "{name} {value}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::http1::Note;

    #[test]
    fn the_text_is_what_collectors_read() {
        let metrics = Metrics::default();
        for (millis, cache) in [(1, "HIT"), (3, "HIT"), (40_000, "MISS")] {
            metrics.record(&ServedExchange {
                request: None,
                address: None,
                status: 200,
                note: Note { kind: "zip", cache },
                bytes: 10,
                took: Duration::from_millis(millis),
                complete: cache == "HIT",
            });
        }
        metrics.record_upstream(
            "zip",
            "a.com/m@v1.0.0",
            Duration::from_millis(30),
            Some("network"),
        );
        let text = metrics.render(Gauges {
            connections: 2,
            ..Gauges::default()
        });
        for line in [
            "# TYPE modfetch_requests_total counter",
            "modfetch_requests_total{kind=\"zip\",cache=\"HIT\",status=\"200\"} 2",
            "modfetch_requests_incomplete_total 1",
            "modfetch_response_bytes_total 30",
            "modfetch_request_seconds_bucket{kind=\"zip\",le=\"0.001\"} 1",
            "modfetch_request_seconds_bucket{kind=\"zip\",le=\"30.000\"} 2",
            "modfetch_request_seconds_bucket{kind=\"zip\",le=\"+Inf\"} 3",
            "modfetch_request_seconds_count{kind=\"zip\"} 3",
            "modfetch_upstream_errors_total{kind=\"network\"} 1",
            "modfetch_connections 2",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(!text.contains("modfetch_stored_bytes"));
        assert_eq!(metrics.hits(), (3, 2));
        // Every line that is no comment is a name, perhaps labels, and a number.
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(
                name.starts_with("modfetch_") && value.parse::<f64>().is_ok(),
                "{line}"
            );
        }
    }
}
