//! go.mod and go.sum after a download: what `go mod download` would have left, to the byte.

use std::fs;

use crate::support::beside::{beside_go, same};
use crate::support::world::{Dice, World};
use crate::support::{Proxy, Sandbox};

/// Worlds in a run that does not say how many.
const WORLDS: u64 = 48;

/// A go.mod that says the same in another form: blocks, comments, blank lines.
fn dress(dice: &mut Dice, text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        let verb = line.split(' ').next().unwrap_or_default();
        let blocks = ["require", "exclude", "replace"].contains(&verb);
        if block.is_some_and(|open| open != verb || dice.percent(20)) {
            if dice.percent(15) {
                lines.push("\t// the last".to_owned());
            }
            lines.push(")".to_owned());
            block = None;
        }
        if dice.percent(10) {
            lines.push("// About what follows.".to_owned());
        }
        if dice.percent(10) {
            lines.push(String::new());
        }
        let end = match dice.below(12) {
            0 if !line.is_empty() && !line.contains("//") => " // why",
            1 if line.ends_with("// indirect") => "; why",
            _ => "",
        };
        if blocks && block.is_none() && dice.percent(60) {
            lines.push(format!("{verb} ("));
            block = Some(verb);
        }
        let line = match block {
            Some(verb) => line.replacen(&format!("{verb} "), "\t", 1),
            None => line.to_owned(),
        };
        lines.push(line + end);
    }
    if block.is_some() {
        lines.push(")".to_owned());
    }
    if dice.percent(10) {
        lines.push("\n// The end.".to_owned());
    }
    lines.join("\n") + "\n"
}

fn world(seed: u64) -> World {
    let mut world = World::of(seed);
    let mut dice = Dice::new(seed ^ 0x6d6f_6477_7269_7465);
    for (name, text) in &mut world.files {
        if name == "go.mod" {
            *text = dress(&mut dice, text);
        }
    }
    world
}

#[test]
fn worlds_are_left_as_go_leaves_them() {
    beside_go(WORLDS, |seed| {
        let world = world(seed);
        let proxy = Proxy::of_modules(world.modules.clone());
        let sandbox = || world.place(Sandbox::new().proxy(&proxy));
        let (ours, gos) = (sandbox(), sandbox());
        let named;
        let arguments: &[&str] = match seed % 4 {
            0 | 1 => &[],
            2 => &["all"],
            _ => {
                let module = &world.modules[0];
                named = format!("{}@{}", module.path, module.version);
                &[&named]
            }
        };
        let words = || ["download"].into_iter().chain(arguments.iter().copied());
        let run = ours.run(words());
        let go = gos.go(["mod"].into_iter().chain(words()));
        same(&run, &go, &format!("{arguments:?}\n{}", world.describe()));
        let file = |sandbox: &Sandbox, name| fs::read_to_string(sandbox.project_dir().join(name));
        let after = |sandbox: &Sandbox| {
            // There may be no go.sum.
            ["go.mod", "go.sum"].map(|name| file(sandbox, name).unwrap_or_default())
        };
        let (got, want) = (after(&ours), after(&gos));
        run.demand(
            got == want,
            &format!(
                "go leaves\n{}\n{}\nnot\n{}\n{}\n{arguments:?} {}",
                want[0],
                want[1],
                got[0],
                got[1],
                world.describe()
            ),
        );
        if go.code == Some(0) {
            ours.picture().assert_same(&gos.picture(), "the cache");
        }
        go.code == Some(0)
    });
}
