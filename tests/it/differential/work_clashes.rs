//! Workspaces whose modules do not go together: where go tells that and goes on, `list -m -e` and `graph`
//! do as well; everything else ends there.

use crate::differential::modwrite::once;
use crate::support::compare::talk;
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sampling::sample;
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
        Module::bare("z.com/z", "v1.0.0", "go 1.21\nrequire x.com/x v1.1.0\n"),
        Module::bare("m.com/a", "v1.0.0", ""),
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
    // Such a version is in the build list, and its go.mod is not read: graph and -u do not care.
    (
        "",
        "module m.com/a\nrequire z.com/z v1.0.0\nreplace x.com/x => g.com/g v1.0.0\n",
        "module m.com/b\nreplace x.com/x v1.1.0 => f.com/f v1.0.0\n",
    ),
    // It is not in the graph at all, but the newest that there is.
    (
        "",
        "module m.com/a\nrequire q.com/q v1.0.0\nreplace m.com/a => g.com/g v1.0.0\n",
        "module m.com/b\nreplace m.com/a v1.0.0 => f.com/f v1.0.0\n",
    ),
    // Nor is there such a version.
    (
        "",
        "module m.com/a\nrequire q.com/q v1.0.0\nreplace m.com/a => g.com/g v1.0.0\n",
        "module m.com/b\nreplace m.com/a v1.2.0 => f.com/f v1.0.0\n",
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

/// Like the fifth, and the graph has a gap: only lists tell both.
const GAP: (&str, &str, &str) = (
    "",
    "module m.com/a\nrequire (\n\tz.com/z v1.0.0\n\tgone.com/g v1.0.0\n)\n\
     replace x.com/x => g.com/g v1.0.0\n",
    "module m.com/b\nreplace x.com/x v1.1.0 => f.com/f v1.0.0\n",
);

const COMMANDS: &[&str] = &[
    "list -m",
    "list -m -e",
    "list -m all",
    "list -m -e all",
    "list -m -e -json m.com/a",
    "list -m -e x.com/x",
    "list -m -e x.com/x@v1.0.0",
    "list -m -e -versions m.com/m",
    "list -m -u all",
    "list -m -e -u all",
    "list -m -u z.com/z@v1.0.0",
    "list -m -u z.com/z@latest z.com/z",
    "list -m -versions m.com/a",
    "list -m -retracted all",
    "list -m m.com/a@latest",
    "list -m -e m.com/a@v1.2.0 q.com/q@v1",
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
/// Not that there are no packages.
fn said(run: &Run) -> String {
    let text = talk(run).replace("modfetch: ", "");
    let text = text.replace("warning: \"all\" matched no packages", "");
    once(&text).join("\n")
}

#[test]
fn list_graph_conflicting_workspace_continue_as_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    for (round, &workspace) in WORKSPACES.iter().chain([&GAP]).enumerate() {
        let (ours, gos) = (sandbox(&proxy, workspace), sandbox(&proxy, workspace));
        let told = |command: &&&str| workspace != GAP || command.starts_with("list ");
        for command in sample(round, 6, COMMANDS.iter().filter(told)) {
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
fn download_verify_conflicting_workspace_fail() {
    only_modfetch!();
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

#[test]
fn download_query_in_conflicting_workspace_fails() {
    only_modfetch!();
    let proxy = proxy();
    let sandbox = sandbox(&proxy, WORKSPACES[5]);
    let run = sandbox.run(["download", "m.com/a@latest"]);
    let says = "conflicting replacements found for m.com/a@v1.0.0 in workspace";
    run.fails(3).stdout("").stderr_has(says);
    assert_eq!(proxy.hits("*.zip"), 0);
}

/// It ends go at once, whatever else is wrong.
#[test]
fn list_wrong_sum_in_conflicting_workspace_exits_5() {
    only_modfetch!();
    let proxy = proxy();
    let go_sum = format!("q.com/q v1.0.0/go.mod h1:{}=\n", "0".repeat(43));
    let clash = (
        "",
        "module m.com/a\nrequire q.com/q v1.0.0\nrequire x.com/x v1.1.0\n\
         replace x.com/x => g.com/g v1.0.0\n",
        "module m.com/b\nreplace x.com/x v1.1.0 => f.com/f v1.0.0\n",
    );
    let sandbox = sandbox(&proxy, clash).file("b/go.sum", &go_sum);
    let says = "verifying q.com/q@v1.0.0/go.mod: checksum mismatch";
    for command in [
        "download",
        "download -json x.com/x",
        "plan",
        "why -m q.com/q",
    ] {
        sandbox
            .run(command.split(' '))
            .fails(5)
            .stdout("")
            .stderr_has(says);
    }
    if require_go().is_some() {
        let go = sandbox.go(["mod", "download"]);
        go.fails(1).stdout("").stderr_has(says);
    }
}
