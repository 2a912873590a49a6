//! End-to-end tests: the built program against a scripted proxy, beside the real go.
//!
//! Run them with go in the program's place by `MODFETCH_TEST_PROGRAM=go`, keep their folders by
//! `MODFETCH_TEST_KEEP=1`, demand a go by `MODFETCH_REQUIRE_GO=1`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests fail by panicking, say what they skip, and are no library"
)]

mod commands;
mod differential;
mod integrity;
mod network;
mod package;
mod support;
