//! A vendor directory: who uses it, and who does not look at it.

use crate::support::beside::same;
use crate::support::go::only_modfetch;
use crate::support::universe::Module;
use crate::support::{Proxy, Sandbox, require_go};

fn proxy() -> Proxy {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let module = |path: &str, version: &str, gomod: &str| {
        let gomod = format!("module {path}\n\n{gomod}");
        let files = vec![file("go.mod", &gomod), file("x.go", "package x\n")];
        Module::new(path, version, files)
    };
    Proxy::of_modules(vec![
        module("ex.com/leaf", "v1.0.0", "go 1.20\n"),
        module("ex.com/leaf", "v1.1.0", "go 1.20\n"),
        module(
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
fn download_graph_and_verify_do_not_look_at_it() {
    if require_go().is_none() || !only_modfetch() {
        return;
    }
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
