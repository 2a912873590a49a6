//! One program for all targets: `FUZZ_TARGET` names the one that libFuzzer drives.

#![no_main]

mod targets;

/// `targets/sumdb` is written for modfetch itself.
mod error {
    pub(crate) use modfetch::{Error, Kind, Result};
}

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let found = targets::TARGETS.iter().find(|target| target.0 == name);
    found.unwrap_or_else(|| panic!("no target {name}")).1
});

fuzz_target!(|data: &[u8]| TARGET(data));
