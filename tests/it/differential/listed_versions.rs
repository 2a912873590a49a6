//! Lists of versions as servers have them: with lines that are no versions of the module.

use crate::commands::json::without_extra;
use crate::support::compare::{same, talk};
use crate::support::go::only_modfetch;
use crate::support::sampling::{pairs, sample};
use crate::support::{Proxy, Sandbox, require_go};

/// What `@v/list` has beside v1.0.0.
const LINES: &[&str] = &[
    "v2.0.0",
    "v1.1",
    "v1",
    "v2303",
    "v1.0.3+meta",
    "v1.0.0-",
    "release-1",
    "v2.0.0+incompatible",
    "V1.2.0",
    " v1.1.0 2024-01-01",
];

const COMMANDS: &[&[&str]] = &[
    &["list", "-m", "-u", "all"],
    &["list", "-m", "ex.com/a@latest"],
    &["list", "-m", "ex.com/a@v1"],
    &["list", "-m", "ex.com/a@upgrade"],
    &["mod", "download", "-json", "ex.com/a@latest"],
    &["mod", "download", "ex.com/a@v2.0.0"],
];

fn proxy(line: &str) -> Proxy {
    let info = "{\"Version\":\"v1.1.0\",\"Time\":\"2024-01-01T00:00:00Z\"}";
    let gomod = "module ex.com/a\n";
    Proxy::of_modules(Vec::new())
        .with_file("ex.com/a/@v/list", format!("v1.0.0\n{line}\n"))
        .with_file("ex.com/a/@v/v1.0.0.info", "{\"Version\":\"v1.0.0\"}")
        .with_file("ex.com/a/@v/v1.0.0.mod", gomod)
        .with_file("ex.com/a/@v/v1.1.info", info)
        .with_file("ex.com/a/@v/v1.1.0.info", info)
        .with_file("ex.com/a/@v/v1.1.0.mod", gomod)
}

#[test]
fn list_download_lines_that_are_no_versions_match_go() {
    require_go!();
    only_modfetch!();
    for (line, command) in sample(0, 24, pairs(LINES, COMMANDS)) {
        let proxy = proxy(line);
        let sandbox = || {
            let sandbox = Sandbox::new().proxy(&proxy);
            sandbox.go_mod("module m\n\ngo 1.21\n\nrequire ex.com/a v1.0.0\n")
        };
        let (ours, gos) = (sandbox().env("GOFLAGS", "-mod=mod"), sandbox());
        let gos = gos.env("GOFLAGS", "-mod=mod");
        let (run, go) = (
            ours.run(command.iter().copied()),
            gos.go(command.iter().copied()),
        );
        let what = format!("{line:?} {command:?}");
        if command.contains(&"-json") {
            let equal = without_extra(&run.output()) == go.output() && talk(&run) == talk(&go);
            run.demand(equal, &format!("{what}\n{}{}", go.stdout, go.stderr));
        } else {
            same(&run, &go, &what);
        }
        ours.picture()
            .without_locks()
            .assert_same(&gos.picture().without_locks(), &what);
    }
}

/// The two of the bug reports.
#[test]
fn list_m_u_with_foreign_major_version_in_list_succeeds() {
    only_modfetch!();
    let proxy = proxy("v2.0.0");
    let gomod = "module m\n\ngo 1.21\n\nrequire ex.com/a v1.0.0\n";
    let sandbox = Sandbox::new().proxy(&proxy).go_mod(gomod);
    let run = sandbox.run(["list", "-m", "-u", "-mod=mod", "all"]);
    run.ok().stdout("m\nex.com/a v1.0.0\n");
    let short = self::proxy("v1.1");
    let run = Sandbox::new()
        .proxy(&short)
        .run(["list", "-m", "ex.com/a@latest"]);
    run.ok().stdout("ex.com/a v1.1.0\n");
}
