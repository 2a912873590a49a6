//! What go 1.27 says otherwise than go 1.26, and modfetch when it acts as either: the texts are those that both
//! printed for the same input.

use crate::support::Sandbox;
use crate::support::go::only_modfetch;

#[test]
fn list_empty_argument_is_refused_as_by_the_release() {
    only_modfetch!();
    let rows = [
        (
            "1.26.8",
            "cannot match \"\" without -versions or an explicit version",
        ),
        ("1.27.4", "invalid package: \"\""),
    ];
    for (release, want) in rows {
        let sandbox = Sandbox::new().env("MODFETCH_GO_VERSION", release);
        let run = sandbox.run(["list", "-m", ""]);
        run.demand(run.code != Some(0), "it is refused");
        run.stderr_has(want);
    }
    let sandbox = Sandbox::new().env("MODFETCH_GO_VERSION", "1.27.4");
    let run = sandbox.run(["list", "-m", "-e", ""]);
    run.demand(run.code != Some(0), "it is refused");
    run.stderr_has("invalid package: \"\"");
}

#[test]
fn list_workspace_too_old_names_what_to_do_as_the_release() {
    only_modfetch!();
    let rows = [
        ("1.26.8", "but go.work lists go 1.21; to update it:\n"),
        (
            "1.27.4",
            "but go.work lists go 1.21; to download and use go 1.25:\n",
        ),
    ];
    for (release, want) in rows {
        let sandbox = Sandbox::new()
            .go_mod("module a\n\ngo 1.25\n")
            .file("go.work", "go 1.21\n\nuse .\n")
            .env("MODFETCH_GO_VERSION", release);
        let run = sandbox.run(["list", "-m"]);
        run.demand(run.code != Some(0), "it is too old");
        run.stderr_has(want).stderr_has("go work use");
    }
}
