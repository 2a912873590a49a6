//! Workspaces whose modules do not go together: where go tells that and goes on, `list -m -e` and `graph`
//! do as well; everything else ends there.

use crate::modwrite::once;
use crate::support::beside::talk;
use crate::support::go::only_modfetch;
use crate::support::universe::Module;
use crate::support::{Proxy, Run, Sandbox, require_go};

fn proxy() -> Proxy {
    Proxy::of_modules(vec![
        Module::bare("x.com/x", "v1.0.0", ""),
        Module::bare("x.com/x", "v1.1.0", ""),
        Module::bare("y.com/y", "v1.0.0", "require x.com/x v1.1.0\n"),
        Module::bare("f.com/f", "v1.0.0", "require q.com/q v1.0.0\n"),
        Module::bare("g.com/g", "v1.0.0", "require q.com/q v1.1.0\n"),
        Module::bare("q.com/q", "v1.0.0", ""),
        Module::bare("q.com/q", "v1.1.0", ""),
    ])
}

/// go.work, and the go.mod of each of its modules.
const WORKSPACES: &[(&str, &str, &str)] = &[
    // Two modules have one path.
    (
        "",
        "module m.com/m\nrequire x.com/x v1.0.0\n",
        "module m.com/m\nrequire y.com/y v1.0.0\n",
    ),
    // One is replaced.
    (
        "replace m.com/a => f.com/f v1.0.0\n",
        "module m.com/a\nrequire x.com/x v1.0.0\n",
        "module m.com/b\n",
    ),
    // Both.
    (
        "replace m.com/a => f.com/f v1.0.0\n",
        "module m.com/a\nrequire x.com/x v1.0.0\n",
        "module m.com/a\n",
    ),
    // A version is replaced by two things, and by one line for every version.
    (
        "",
        "module m.com/a\nrequire y.com/y v1.0.0\nreplace x.com/x => g.com/g v1.0.0\n",
        "module m.com/b\nreplace x.com/x v1.1.0 => f.com/f v1.0.0\n",
    ),
    // Here go does not go on.
    (
        "",
        "module m.com/a\nrequire y.com/y v1.0.0\nreplace x.com/x => g.com/g v1.0.0\n",
        "module m.com/b\nreplace x.com/x => f.com/f v1.0.0\n",
    ),
    (
        "",
        "module m.com/a\nreplace x.com/x => g.com/g v1.0.0\n",
        "module m.com/a\nreplace x.com/x => f.com/f v1.0.0\n",
    ),
];

const COMMANDS: &[&str] = &[
    "list -m",
    "list -m -e",
    "list -m all",
    "list -m -e all",
    "list -m -e -json m.com/a",
    "list -m -e x.com/x",
    "list -m -e x.com/x@v1.0.0",
    "list -m -e -versions m.com/m",
    "list -m -e -u all",
    "list -m -e -f {{.Path}} all",
    "list -m x.com/x",
    "mod graph",
    "mod why -m x.com/x",
    "mod download",
];

fn sandbox(proxy: &Proxy, (work, first, second): (&str, &str, &str)) -> Sandbox {
    let module = |text: &str| text.replacen('\n', "\n\ngo 1.21\n\n", 1);
    Sandbox::new()
        .proxy(proxy)
        .file(
            "go.work",
            &format!("go 1.21\n\nuse (\n\t./a\n\t./b\n)\n\n{work}"),
        )
        .file("a/go.mod", &module(first))
        .file("b/go.mod", &module(second))
}

/// What was said, each line once: go tells a disagreement whenever it meets it, without its name.
fn said(run: &Run) -> String {
    let text = talk(run).replace("modfetch: ", "");
    once(&text).join("\n")
}

#[test]
fn a_workspace_that_makes_no_sense_is_told_and_gone_on_with_as_by_go() {
    if require_go().is_none() || !only_modfetch() {
        return;
    }
    let proxy = proxy();
    for &workspace in WORKSPACES {
        let (ours, gos) = (sandbox(&proxy, workspace), sandbox(&proxy, workspace));
        for command in COMMANDS {
            let run = ours.run(command.strip_prefix("mod ").unwrap_or(command).split(' '));
            let go = gos.go(command.split(' '));
            // Of two modules with one path go prints each requirement twice.
            let same = (run.code == Some(0)) == (go.code == Some(0))
                && once(&run.output()) == once(&go.output())
                && said(&run) == said(&go);
            let story = format!("{command}\n{workspace:?}\n{}{}", go.stdout, go.stderr);
            run.demand(same, &story);
        }
    }
}

#[test]
fn what_fetches_and_checks_does_not_go_on() {
    if !only_modfetch() {
        return;
    }
    let proxy = proxy();
    for (workspace, says) in [
        (
            WORKSPACES[0],
            "module m.com/m appears multiple times in workspace",
        ),
        (
            WORKSPACES[3],
            "conflicting replacements found for x.com/x@v1.1.0 in workspace",
        ),
    ] {
        let sandbox = sandbox(&proxy, workspace);
        for command in ["download", "download -json", "verify", "plan"] {
            let run = sandbox.run(command.split(' '));
            run.fails(3).stdout("").stderr_has(says);
        }
        assert_eq!(proxy.hits("*.zip"), 0);
    }
}
