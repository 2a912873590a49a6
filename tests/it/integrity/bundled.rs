//! What comes with Go: a toolchain that go.sum cannot vouch for, and packages that are no download.

use crate::support::fixtures::Module;
use crate::support::go::only_modfetch;
use crate::support::sumdb::{NAME, SumDb};
use crate::support::{Proxy, Sandbox, sums};

const VERSION: &str = "v0.0.1-go1.999testmod.linux-amd64";

fn toolchain() -> Module {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let files = vec![
        file("go.mod", "module golang.org/toolchain\n"),
        file("bin/go", "#!/bin/sh\n"),
    ];
    Module::new("golang.org/toolchain", VERSION, files)
}

/// A project that requires a toolchain as a module, with both lines of it in go.sum.
fn project(proxy: &Proxy) -> Sandbox {
    Sandbox::new()
        .proxy(proxy)
        .go_mod(&format!("require golang.org/toolchain {VERSION}\n"))
        .go_sum(&sums::lines(&toolchain()))
}

const COMMANDS: [&[&str]; 4] = [
    &["download"],
    &["list", "-m", "all"],
    &["graph"],
    &["verify"],
];

/// go1.26.9 and go1.27.2 refuse it, in these words (CVE-2026-94447).
#[test]
fn commands_toolchain_in_go_sum_without_database_exit_5() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![toolchain()]);
    for command in COMMANDS {
        let sandbox = project(&proxy);
        let run = sandbox.run(command.iter().copied());
        run.fails(5).stderr_has(&format!(
            "golang.org/toolchain@{VERSION}: verifying go.mod: checksum database disabled by GOSUMDB=off"
        ));
        assert!(
            !sandbox
                .cached(&format!("golang.org/toolchain@{VERSION}"))
                .exists()
        );
    }
    // A proxy that is a tree of files changes nothing, nor does an exemption.
    let database = SumDb::of(&[Module::bare("ex.com/a", "v1.0.0", "")]);
    database.serve_on(&proxy);
    let exempt = project(&proxy)
        .env("GOSUMDB", &database.gosumdb())
        .env("GONOSUMDB", "golang.org");
    let run = exempt.run(["download"]);
    run.fails(4).stderr_has("404 Not Found");
}

#[test]
fn download_toolchain_in_go_sum_and_in_database_succeeds() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![toolchain()]);
    let database = SumDb::of(&[toolchain()]);
    database.serve_on(&proxy);
    let sandbox = project(&proxy).env("GOSUMDB", &database.gosumdb());
    sandbox.run(["download"]).ok();
    assert_eq!(
        proxy.hits(&format!("sumdb/{NAME}/lookup/*")),
        1,
        "go.sum has it, and it is asked"
    );
    // Complete and proven: the cached record is enough.
    proxy.forget();
    sandbox.run(["download", "--offline"]).ok();
    sandbox.run(["verify"]).ok();
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn download_toolchain_in_go_sum_and_not_as_logged_exits_5() {
    only_modfetch!();
    let proxy = Proxy::of_modules(vec![toolchain()]);
    let wrong = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let name = format!("golang.org/toolchain@{VERSION}");
    let lies = SumDb::of(&[toolchain()]).claiming(&name, |text| {
        let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        lines.map(|(key, _)| format!("{key} {wrong}\n")).collect()
    });
    lies.serve_on(&proxy);
    let sandbox = project(&proxy).env("GOSUMDB", &lies.gosumdb());
    let run = sandbox.run(["download"]);
    run.fails(5)
        .stderr_has("checksum mismatch")
        .stderr_has(wrong)
        .stderr_has("SECURITY ERROR");
    assert!(!sandbox.cached(&name).exists());
}

/// go1.26.9 and go1.27.2 refuse it, in these words (CVE-2026-94444).
#[test]
fn download_fips140_is_refused_before_its_zip() {
    only_modfetch!();
    let module = Module::bare("golang.org/fips140", "v1.5.0", "");
    let other = Module::bare("ex.com/a", "v1.0.0", "go 1.17\n");
    let proxy = Proxy::of_modules(vec![module.clone(), other]);
    let text = "golang.org/fips140 is bundled with the Go distribution and cannot be downloaded";
    let named = Sandbox::new().proxy(&proxy);
    let run = named.run(["download", "-json", "golang.org/fips140@v1.5.0"]);
    run.fails(5)
        .stdout_has(&format!("\"Error\": \"{text}\""))
        .stdout_has(&format!("\"GoModSum\": \"{}\"", sums::of_go_mod(&module)));
    run.demand(!run.stdout.contains("\"Zip\""), "no zip");
    let requires = "go 1.17\n\nrequire (\n\tex.com/a v1.0.0\n\tgolang.org/fips140 v1.5.0\n)\n";
    let project = Sandbox::new()
        .proxy(&proxy)
        .go_mod(&format!("module m\n\n{requires}"));
    project.run(["download"]).fails(5).stderr_has(text);
    assert_eq!(proxy.hits("golang.org/fips140/@v/*.zip"), 0);
    project.run(["list", "-m", "all"]).ok();
    project.run(["graph"]).ok();
    project
        .run(["download", "--exclude", "golang.org/fips140"])
        .ok();
}
