//! go.sum without the lines that a command needs: who adds them, who does not mind.

use crate::support::compare::same;
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sampling::sample;
use crate::support::{Proxy, Sandbox, require_go, sums};

fn modules() -> Vec<Module> {
    vec![
        Module::bare("ex.com/leaf", "v1.0.0", "go 1.20\n"),
        Module::bare(
            "ex.com/old",
            "v1.0.0",
            "go 1.16\n\nrequire ex.com/leaf v1.0.0\n",
        ),
    ]
}

const PRUNED: &str =
    "module m\n\ngo 1.21\n\nrequire (\n\tex.com/leaf v1.0.0 // indirect\n\tex.com/old v1.0.0\n)\n";
const WHOLE: &str = "module m\n\ngo 1.16\n\nrequire ex.com/old v1.0.0\n";
const REPLACED: &str = "module m\n\ngo 1.21\n\nrequire ex.com/old v1.0.0\n\nreplace ex.com/old => ex.com/leaf v1.0.0\n";

/// go.sum as it may be: missing, empty, without a go.mod, without a zip, whole.
fn sums_of(modules: &[Module]) -> Vec<Option<String>> {
    let all: String = modules.iter().map(sums::lines).collect();
    let without = |word: &str| {
        let lines = all.lines().filter(|line| !line.starts_with(word));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    vec![
        None,
        Some(String::new()),
        Some(without("ex.com/leaf v1.0.0/go.mod ")),
        Some(without("ex.com/old v1.0.0 ")),
        Some(without("ex.com/old ")),
        Some(all),
    ]
}

/// Runs a command of `go mod` and ours on each project with each go.sum.
fn beside(commands: &[&[&str]], ahead: &[&str]) {
    require_go!();
    only_modfetch!();
    let modules = modules();
    let proxy = Proxy::of_modules(modules.clone());
    for command in commands {
        for (round, gomod) in [PRUNED, WHOLE, REPLACED].into_iter().enumerate() {
            for sums in sample(round, 2, sums_of(&modules)) {
                let sandbox = || {
                    let sandbox = Sandbox::new().proxy(&proxy).go_mod(gomod);
                    match &sums {
                        Some(sums) => sandbox.go_sum(sums),
                        None => sandbox,
                    }
                };
                let (ours, gos) = (sandbox(), sandbox());
                if !ahead.is_empty() {
                    ours.run(ahead.iter().copied()).ok();
                    gos.go(["mod"].into_iter().chain(ahead.iter().copied()))
                        .ok();
                }
                let run = ours.run(command.iter().copied());
                let go = gos.go(["mod"].into_iter().chain(command.iter().copied()));
                let what = format!("{command:?}\n{gomod}\n{sums:?}");
                same(&run, &go, &what);
                ours.project_picture()
                    .assert_same(&gos.project_picture(), &what);
                ours.picture().assert_same(&gos.picture(), &what);
            }
        }
    }
}

#[test]
fn download_missing_go_sum_adds_lines_as_go() {
    beside(
        &[
            &["download"],
            &["download", "all"],
            &["download", "ex.com/leaf"],
            &["download", "ex.com/leaf@v1.0.0"],
        ],
        &[],
    );
}

#[test]
fn graph_verify_missing_go_sum_add_nothing() {
    beside(&[&["graph"]], &[]);
    beside(&[&["verify"]], &["graph"]);
}

#[test]
fn download_goflags_mod_readonly_adds_lines() {
    require_go!();
    only_modfetch!();
    let modules = modules();
    let proxy = Proxy::of_modules(modules);
    for flags in ["-mod=readonly", "-mod=vendor", "-mod=mod", "-mod=odd"] {
        for command in ["download", "graph"] {
            let sandbox = || {
                let sandbox = Sandbox::new().proxy(&proxy).go_mod(PRUNED);
                sandbox.env("GOFLAGS", flags)
            };
            let (ours, gos) = (sandbox(), sandbox());
            let (run, go) = (ours.run([command]), gos.go(["mod", command]));
            same(&run, &go, flags);
            run.ok();
            ours.project_picture()
                .assert_same(&gos.project_picture(), flags);
        }
    }
}
