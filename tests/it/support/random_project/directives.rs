//! Lines that say nothing about which modules are needed, and versions that nobody has.

use super::{Files, Rng};

/// Lines of main modules; go refuses some of them.
const OF_MAIN: &[&str] = &[
    "tool example.com/a/cmd/one\n",
    "tool b.org/nested/c\n",
    "tool example.com/nowhere/cmd\n",
    "godebug default=go1.21\n",
    "godebug panicnil=1\n",
    "godebug asynctimerchan=0\n",
    "godebug nosuchsetting=1\n",
    "ignore ./build\n",
    "ignore node_modules\n",
    "retract v0.0.1 // by hand\n",
    "require example.com/a v1.99.0\n",
    "require example.com/b/v2 v2.99.0 // indirect\n",
    "replace u.example/last v1.5.0 => example.com/b v0.99.0\n",
    "exclude example.com/old v9.0.0+incompatible\n",
];

/// Lines of go.work.
const OF_WORK: &[&str] = &["godebug default=go1.21\n", "godebug panicnil=1\n"];

/// Lines of others, where those that are not known mean nothing.
const OF_DEPENDENCY: &[&str] = &[
    "tool example.com/a/cmd/one\n",
    "godebug default=go1.21\n",
    "godebug nosuchsetting=1\n",
    "ignore ./build\n",
    "unheardof line\n",
    "require example.com/a v1.99.0\n",
];

/// Adds some to the go.mod of a dependency.
pub(super) fn add_to_dependency(rng: &mut Rng, text: &mut String) {
    if rng.percent(4) {
        text.extend(Some(*rng.one(OF_DEPENDENCY)));
    }
}

/// Adds some to go.work and to every go.mod of a project, the folders that it replaces by included.
pub(super) fn add_to_project(rng: &mut Rng, files: &mut Files) {
    for (name, text) in files {
        let is_main = name.matches('/').count() <= 1 && !name.contains("folder");
        if name == "go.work" {
            if rng.percent(5) {
                text.extend(Some(*rng.one(OF_WORK)));
            }
        } else if !name.ends_with("go.mod") {
        } else if is_main && !name.starts_with("shared") && !name.starts_with("elsewhere") {
            for _ in 0..3 {
                if rng.percent(5) {
                    text.extend(Some(*rng.one(OF_MAIN)));
                }
            }
        } else {
            add_to_dependency(rng, text);
        }
    }
}
