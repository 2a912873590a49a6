//! Prints how many end-to-end tests were skipped, by reason, after they have run.
//!
//! Not a test: cargo runs test targets in the order of their names, so this comes after `it` and
//! before the documentation tests. `MODFETCH_SHOW_SKIPPED=1` names each test.
#![allow(clippy::print_stdout, reason = "printing is all it does")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn main() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped-tests");
    let text = fs::read_to_string(&file).unwrap_or_default();
    // A second run of this program alone has nothing to say.
    let _ = fs::remove_file(&file);
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (reason, test) in text.lines().filter_map(|line| line.split_once('\t')) {
        let tests = reasons.entry(reason).or_default();
        if !tests.contains(&test) {
            tests.push(test);
        }
    }
    let count: usize = reasons.values().map(Vec::len).sum();
    println!("\nskipped: {count} end-to-end tests");
    #[expect(
        clippy::disallowed_methods,
        reason = "the test kit is configured by its environment"
    )]
    let named = std::env::var_os("MODFETCH_SHOW_SKIPPED").is_some();
    for (reason, tests) in reasons {
        println!("  {} because {reason}", tests.len());
        for test in tests.iter().filter(|_| named) {
            println!("    {test}");
        }
    }
}
