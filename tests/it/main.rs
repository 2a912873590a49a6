//! End-to-end tests: the built program against a scripted proxy, beside the real go.
//!
//! Run them with go in the program's place by `MODFETCH_TEST_PROGRAM=go`, keep their folders by
//! `MODFETCH_TEST_KEEP=1`, demand a go by `MODFETCH_REQUIRE_GO=1`, and choose another than the first in
//! `PATH` by `MODFETCH_TEST_GO=FILE`: modfetch acts as that version.
//!
//! Comparisons with go are samples of large tables; `MODFETCH_CASES=48` runs all of them, with so
//! many random projects (`support::sampling`).
//!
//! A test is named `<command>_<condition>_<result>`. One that lacks what it needs counts as skipped
//! (`support::skips`); the target `skipped`, which runs next, prints the count.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests fail by panicking, say what they skip, and are no library"
)]

mod bundle;
mod commands;
mod differential;
mod integrity;
mod network;
mod package;
mod store;
mod support;
