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

mod ahead;
mod clean;
mod concurrent;
mod credentials;
mod disk;
mod doctor;
mod download;
mod faults;
mod flags;
mod graph;
mod hostile;
mod input;
mod json;
mod kill;
mod kit;
mod list;
mod list_templates;
mod locks;
mod lower;
mod messages;
mod missing_sum;
mod modedit;
mod modfull;
mod module_rules;
mod modwrite;
mod network;
mod overlay;
mod plan;
mod query;
mod readme;
mod readonly;
mod release;
mod repair;
mod resume;
mod reuse;
mod scope;
mod signals;
mod static_binary;
mod sum;
mod sumdb;
mod sumdb_asked;
mod support;
mod tamper;
mod template;
mod template_random;
mod toolchain;
mod trace;
mod trust;
mod vendor;
mod verify;
mod verify_repair;
mod verify_sums;
mod why;
mod work;
mod work_clashes;
