//! A vendor directory: who uses it, and who does not look at it.

use crate::support::compare::same;
use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sampling::{pairs, sample};
use crate::support::{Proxy, Sandbox, require_go};

fn proxy() -> Proxy {
    Proxy::of_modules(vec![
        Module::bare("ex.com/leaf", "v1.0.0", "go 1.20\n"),
        Module::bare("ex.com/leaf", "v1.1.0", "go 1.20\n"),
        Module::bare(
            "ex.com/old",
            "v1.0.0",
            "go 1.16\n\nrequire ex.com/leaf v1.0.0\n",
        ),
    ])
}

const PRUNED: &str =
    "module m\n\ngo 1.21\n\nrequire (\n\tex.com/leaf v1.0.0 // indirect\n\tex.com/old v1.0.0\n)\n";
const LISTED: &str = "# ex.com/leaf v1.0.0\n## explicit; go 1.20\n# ex.com/old v1.0.0\n## explicit; go 1.16\nex.com/old\n";

#[test]
fn download_graph_verify_vendor_directory_is_ignored() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    // One that agrees with go.mod, one that does not, and one that says nothing.
    for list in [LISTED, "# ex.com/other v1.0.0\n## explicit; go 1.99\n", ""] {
        for flags in ["", "-mod=vendor"] {
            let sandbox = || {
                let sandbox = Sandbox::new().proxy(&proxy).go_mod(PRUNED);
                let sandbox = sandbox.file("vendor/modules.txt", list);
                sandbox.env("GOFLAGS", flags)
            };
            let (ours, gos) = (sandbox(), sandbox());
            for command in ["download", "graph", "verify"] {
                let (run, go) = (ours.run([command]), gos.go(["mod", command]));
                same(&run, &go, &format!("{command} {flags}\n{list}"));
                run.ok();
            }
            ours.project_picture()
                .assert_same(&gos.project_picture(), "the project");
            ours.picture().assert_same(&gos.picture(), "the cache");
        }
    }
}

/// A go.mod with replacements of both kinds, and the modules.txt that belongs to it.
const REPLACED: &str = "module m\n\ngo 1.21\n\nrequire (\n\tex.com/leaf v1.0.0 // indirect\n\tex.com/old v1.0.0\n\tex.com/own v1.0.0\n)\n\nreplace ex.com/leaf => ex.com/leaf v1.1.0\n\nreplace ex.com/own v1.0.0 => ./own\n";
const REPLACED_LIST: &str = "# ex.com/leaf v1.0.0 => ex.com/leaf v1.1.0\n## explicit; go 1.20\n# ex.com/old v1.0.0\n## explicit; go 1.16\nex.com/old\n# ex.com/own v1.0.0 => ./own\n## explicit; go 1.19\nex.com/own\n# ex.com/leaf => ex.com/leaf v1.1.0\n# ex.com/own v1.0.0 => ./own\n";

#[test]
fn list_vendor_directory_matches_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let unpruned = "module m\n\ngo 1.16\n\nrequire ex.com/old v1.0.0\n";
    let unpruned_list = "# ex.com/leaf v1.0.0\n## go 1.20\nex.com/leaf\n# ex.com/old v1.0.0\n## explicit; go 1.16\nex.com/old\n";
    let twice = "module m\n\ngo 1.21\n\nrequire ex.com/leaf v1.0.0\nrequire ex.com/leaf v1.1.0\n";
    let twice_list = "# ex.com/leaf v1.1.0\n## explicit; go 1.20\nex.com/leaf\n# ex.com/leaf v1.0.0\n## explicit\n";
    // Repeated alike, which harms nothing while all that go.mod names is selected: no graph selects
    // the toolchain "default".
    let again = format!("{PRUNED}\nrequire ex.com/leaf v1.0.0\n");
    let own = format!("{PRUNED}\nrequire m v1.0.0\n");
    let own_list = format!("{LISTED}# m v1.0.0\n## explicit\n");
    let default = |go_mod: &str| go_mod.replace("go 1.21\n", "go 1.21\n\ntoolchain default\n");
    let excluded = format!("{PRUNED}\nexclude ex.com/leaf v1.0.0\n");
    let query = PRUNED.replace("ex.com/old v1.0.0", "ex.com/old v1");
    let toolchain = PRUNED.replace("go 1.21\n", "go 1.21\n\ntoolchain go1.22.3\n");
    // (go.mod, modules.txt if there is one)
    let projects: &[(&str, Option<&str>)] = &[
        (PRUNED, Some(LISTED)),
        (PRUNED, Some("")),
        (PRUNED, None),
        (REPLACED, Some(REPLACED_LIST)),
        (REPLACED, Some(LISTED)),
        (unpruned, Some(unpruned_list)),
        (&unpruned.replace("1.16", "1.13"), Some(unpruned_list)),
        (&unpruned.replace("go 1.16", ""), Some(unpruned_list)),
        (PRUNED, Some("## workspace\n")),
        (&excluded, Some(LISTED)),
        (&query, Some(LISTED)),
        (&toolchain, Some(LISTED)),
        (twice, Some(twice_list)),
        (&again, Some(LISTED)),
        (&default(PRUNED), Some(LISTED)),
        (&default(&again), Some(LISTED)),
        (&default(&own), Some(&own_list)),
        (
            "module m\n\ngo 1.21\n",
            Some("# ex.com/leaf v1.0.0\n## go 1.20\nex.com/leaf\n"),
        ),
        (
            PRUNED,
            Some("# ex.com/leaf v1.0.0\n## explicit; go 1.99\nex.com/leaf\n"),
        ),
    ];
    for (round, (go_mod, list)) in projects.iter().enumerate() {
        let sandbox = || {
            let sandbox = Sandbox::new().proxy(&proxy).go_mod(go_mod);
            let sandbox = sandbox.file("own/go.mod", "module ex.com/own\n\ngo 1.19\n");
            match list {
                Some(list) => sandbox.file("vendor/modules.txt", list),
                None => sandbox.file("vendor/other", ""),
            }
        };
        let (ours, gos) = (sandbox(), sandbox());
        for (mode, rest) in sample(round, 5, pairs(MODES, LINES)) {
            let line = || ["list", "-m"].iter().chain(mode).chain(rest).copied();
            let (run, go) = (ours.run(line()), gos.go(line()));
            same(&run, &go, &format!("{mode:?} {rest:?}\n{go_mod}\n{list:?}"));
        }
        ours.project_picture()
            .assert_same(&gos.project_picture(), "the project");
    }
}

/// Where versions come from.
const MODES: &[&[&str]] = &[&[], &["-mod=vendor"], &["-mod=readonly"], &["-mod=mod"]];

/// What is listed.
const LINES: &[&[&str]] = &[
    &[],
    &["-json"],
    &["-json", "m", "ex.com/leaf", "ex.com/old", "go"],
    &["-e", "-json", "ex.com/own", "ex.com/gone", "toolchain"],
    &["ex.com/leaf", "ex.com/own"],
    &["all"],
    &["toolchain"],
    &["-e", "ex.com/..."],
    &["-versions", "ex.com/leaf"],
    &["-u", "ex.com/leaf"],
    &["ex.com/leaf@v1.1.0", "m@upgrade", "ex.com/gone@patch"],
    &[
        "-e",
        "-json",
        "-retracted",
        "ex.com/leaf",
        "ex.com/own",
        "ex.com/old",
        "m",
    ],
    &["-retracted", "ex.com/old", "ex.com/leaf@latest"],
    &[
        "-f",
        "{{.Path}} {{.GoVersion}}{{with .Replace}} {{.Dir}}{{end}}",
        "ex.com/leaf",
    ],
];

#[test]
fn list_workspace_vendor_directory_matches_go() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let list = "## workspace\n# ex.com/leaf v1.0.0\n## explicit; go 1.20\nex.com/leaf\n# ex.com/old v1.0.0\n## explicit; go 1.16\nex.com/old\n";
    let works = [
        "go 1.22\n\nuse ./a\n\nuse ./b\n",
        "go 1.22\n\ntoolchain default\n\nuse ./a\n\nuse ./b\n",
        "go 1.13\n\nuse ./a\n",
    ];
    let own = &["-json", "w.com/a", "w.com/b"][..];
    let lines = [LINES, &[own]].concat();
    for (round, work) in works.into_iter().enumerate() {
        for list in [list, &list.replace("## workspace\n", ""), "## workspace\n"] {
            let sandbox = || {
                let sandbox = Sandbox::new().proxy(&proxy).file("go.work", work);
                let a = "module w.com/a\n\ngo 1.13\n\nrequire ex.com/leaf v1.0.0\n";
                let b = "module w.com/b\n\ngo 1.21\n\nrequire ex.com/old v1.0.0\n";
                let sandbox = sandbox.file("a/go.mod", a).file("b/go.mod", b);
                sandbox.file("vendor/modules.txt", list)
            };
            let (ours, gos) = (sandbox(), sandbox());
            for (mode, rest) in sample(round, 7, pairs(MODES, &lines)) {
                let line = || ["list", "-m"].iter().chain(mode).chain(rest).copied();
                let (run, go) = (ours.run(line()), gos.go(line()));
                same(&run, &go, &format!("{mode:?} {rest:?}\n{work}\n{list:?}"));
            }
        }
    }
}

#[test]
fn list_vendor_mode_outside_module_fails() {
    require_go!();
    only_modfetch!();
    let proxy = proxy();
    let sandbox = || Sandbox::new().proxy(&proxy);
    let (ours, gos) = (sandbox(), sandbox());
    for rest in LINES {
        let line = || {
            ["list", "-m", "-mod=vendor"]
                .into_iter()
                .chain(rest.iter().copied())
        };
        same(&ours.run(line()), &gos.go(line()), &format!("{rest:?}"));
    }
}
