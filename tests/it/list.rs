//! `modfetch list -m`: the text and the objects of `go list -m`, to the byte.

use crate::support::beside::{beside_go, both_complain, same};
use crate::support::go::only_modfetch;
use crate::support::sums;
use crate::support::world::{Dice, World};
use crate::support::{Proxy, Sandbox, require_go};

/// Worlds in a run that does not say how many.
const WORLDS: u64 = 32;

/// Runs both on sandboxes of their own, and compares. Returns whether go succeeded; `None` if it
/// complained of the workspace and went on, after which it has written what we have not.
#[track_caller]
fn beside(ours: &Sandbox, gos: &Sandbox, arguments: &[&str], what: &str) -> Option<bool> {
    let words = || ["list"].into_iter().chain(arguments.iter().copied());
    let run = ours.run(words());
    let go = gos.go(words());
    if both_complain(&run, &go, &format!("{arguments:?}\n{what}")) {
        return None;
    }
    same(&run, &go, &format!("{arguments:?}\n{what}"));
    Some(go.code == Some(0))
}

#[test]
fn projects_are_listed_as_by_go() {
    if require_go().is_none() || !only_modfetch() {
        return;
    }
    let proxy = Proxy::serve();
    for project in ["hello", "legacy"] {
        let (ours, gos) = (
            Sandbox::with(project, &proxy),
            Sandbox::with(project, &proxy),
        );
        let lines: &[&[&str]] = &[
            &["-m"],
            &["-m", "-json"],
            &["-m", "all"],
            &["-m", "-json", "all"],
            &["-m", "-json=Path,Version,Time,GoVersion", "all"],
            &["-m", "-u", "all"],
            &["-m", "-u", "-json", "all"],
            &["-m", "-versions", "all"],
            &["-m", "-versions", "-retracted", "-json", "all"],
            &["-m", "-retracted", "all"],
            &["-m", "example.com/..."],
            &["-m", "nothing.com/...", "all"],
            &["-m", "example.com/gone"],
            &["-m", "-e", "example.com/gone"],
            &["-m", "-e", "-json", "example.com/gone"],
            &["-m", "-versions", "example.com/gone"],
            &["-m", "-versions", "example.com/text"],
            &["-m", "-json", "example.com/text@latest", "go", "toolchain"],
            &["-m", "-json", "example.com/text@v1"],
            &["-m", "example.com/text@v1.0.0"],
            &["-m", "example.com/text@v9", "example.com/text@patch"],
            &["-m", "-e", "-json", "example.com/text@v9"],
            &["-m", "-u", "example.com/text@v1.0.0"],
        ];
        for line in lines {
            beside(&ours, &gos, line, project);
        }
        ours.picture().assert_same(&gos.picture(), "the cache");
        ours.project_picture()
            .assert_same(&gos.project_picture(), "the project");
    }
}

#[test]
fn worlds_are_listed_as_by_go() {
    beside_go(WORLDS, World::of, compare);
}

/// Like every list of a workspace, without `-mod=mod`, which go refuses there.
#[test]
fn workspaces_are_listed_as_by_go() {
    beside_go(WORLDS / 2, World::with_workspace, compare);
}

/// True if there was something to compare.
fn compare(world: &World) -> bool {
    let mut dice = Dice::new(world.seed ^ 0x115);
    let proxy = Proxy::of_modules(world.modules.clone());
    // All of go.sum, nearly all, or none: what is not in it does not count.
    let share = *dice.one(&[100, 100, 95, 0]);
    let mut go_sum = String::new();
    for module in &world.modules {
        for line in sums::lines(module).split_inclusive('\n') {
            if dice.percent(share) {
                go_sum.push_str(line);
            }
        }
    }
    let workspace = world.is_workspace();
    let sandbox = || {
        let sandbox = world.place(Sandbox::new().proxy(&proxy));
        // A workspace has its own.
        match workspace {
            true => sandbox,
            false => sandbox.go_sum(&go_sum),
        }
    };
    let (ours, gos) = (sandbox(), sandbox());
    let what = format!("go.sum has {share} of 100\n{}", world.describe());
    let mut whole = false;
    let mut same_cache = true;
    let mut lines = Vec::new();
    for _ in 0..4 {
        let mut line = command(&mut dice, world);
        line.retain(|word| !workspace || word != "-mod=mod");
        lines.push(line.join(" "));
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let Some(succeeded) = beside(&ours, &gos, &line, &what) else {
            return whole;
        };
        whole |= succeeded;
        // What was fetched before a failure was told depends on threads.
        same_cache &= succeeded;
        let what = format!("after list {} {what}", lines.join(", list "));
        let project = ours.project_picture();
        project.assert_same(&gos.project_picture(), &format!("the project {what}"));
        if same_cache {
            let cache = ours.picture();
            cache.assert_same(&gos.picture(), &format!("the cache {what}"));
        }
    }
    whole
}

/// A command line: all, or some modules, with some flags.
fn command(dice: &mut Dice, world: &World) -> Vec<String> {
    let mut line = vec!["-m".to_owned()];
    let flags = ["-json", "-u", "-versions", "-retracted", "-e", "-mod=mod"];
    for (flag, chance) in flags.iter().zip([50, 35, 15, 20, 30, 20]) {
        if dice.percent(chance) {
            line.push((*flag).to_owned());
        }
    }
    match dice.below(10) {
        0 => {}
        1..6 => line.push("all".to_owned()),
        6 => line.push((*dice.one(&["example.com/...", "...", "b.org/..."])).to_owned()),
        _ => {
            for _ in 0..=dice.below(3) {
                let module = dice.one(&world.modules);
                let queries = [
                    "",
                    "",
                    "@latest",
                    "@upgrade",
                    "@patch",
                    "@v1",
                    "@v0.2",
                    "@<v1.5.0",
                    "@>=v1.0.0",
                    "@v1.0.0",
                    "@v9",
                ];
                let path = match dice.below(8) {
                    0 => *dice.one(&["example.com/main", "example.com/gone"]),
                    _ => &*module.path,
                };
                let mut query = *dice.one(&queries);
                // Of a path that is wholly replaced go takes any version, also of a major that the
                // path cannot have, for which we have no such module.
                if path.ends_with("/v2") && query == "@v1.0.0" {
                    query = "@v2.0.0";
                }
                line.push(format!("{path}{query}"));
            }
        }
    }
    line
}
