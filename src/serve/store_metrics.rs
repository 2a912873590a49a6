//! Counts of the shared store, for a collector: requests are what a store is paid by.

use std::fmt::Write as _;

use crate::store::{Operation, OperationCount, SharedStore};

/// The lines of a store.
pub(super) fn render(store: &SharedStore) -> String {
    let mut out = String::new();
    let counts: Vec<(&str, OperationCount)> = Operation::ALL
        .into_iter()
        .map(|operation| (operation.name(), store.objects().count(operation)))
        .collect();
    let mut family = |name: &str, help: &str, value: &dyn Fn(&OperationCount) -> String| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
        for (operation, count) in &counts {
            let _ = writeln!(out, "{name}{{operation=\"{operation}\"}} {}", value(count));
        }
    };
    family(
        "modfetch_store_requests_total",
        "Requests to the store.",
        &|count| count.requests.to_string(),
    );
    family(
        "modfetch_store_failures_total",
        "Requests that the store did not answer or refused.",
        &|count| count.failures.to_string(),
    );
    family(
        "modfetch_store_absent_total",
        "Requests for what the store lacks.",
        &|count| count.absent.to_string(),
    );
    family(
        "modfetch_store_bytes_total",
        "Bytes of objects received or sent.",
        &|count| count.bytes.to_string(),
    );
    family(
        "modfetch_store_seconds_total",
        "Time of requests to the store.",
        &|count| format!("{:.6}", count.time.as_secs_f64()),
    );
    let (pending, completed, left_out) = store.uploads();
    let single = [
        (
            "modfetch_store_uploads_pending",
            "gauge",
            "Uploads that wait or are under way.",
            pending,
        ),
        (
            "modfetch_store_versions_completed_total",
            "counter",
            "Versions whose last file this server has written to the store.",
            completed,
        ),
        (
            "modfetch_store_uploads_left_out_total",
            "counter",
            "Uploads for which the queue had no room.",
            left_out,
        ),
        (
            "modfetch_store_replaced_total",
            "counter",
            "Files that the store had wrong or broke off, and that came from upstream.",
            store.replaced(),
        ),
        (
            "modfetch_store_up",
            "gauge",
            "1 if the last request to the store was answered.",
            u64::from(store.objects().failing().is_none()),
        ),
    ];
    for (name, kind, help, value) in single {
        let _ = writeln!(
            out,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
    out
}
