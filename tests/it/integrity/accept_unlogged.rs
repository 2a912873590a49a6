//! `--accept-unlogged`: one module without a record in the checksum database.

use crate::support::fixtures::Fixtures;
use crate::support::go::only_modfetch;
use crate::support::sumdb::SumDb;
use crate::support::sums;
use crate::support::{Proxy, Sandbox};

const ASKED: &str = "example.com/text@v1.2.0";

#[test]
fn accept_unlogged_takes_the_exact_sums_of_one_version() {
    only_modfetch!();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/mod");
    let fixtures = Fixtures::read(&folder);
    let is_it = |module: &&crate::support::fixtures::Module| {
        module.path == "example.com/text" && module.version == "v1.2.0"
    };
    // The database knows all but this one.
    let database = SumDb::of(fixtures.modules().iter().filter(|module| !is_it(module)));
    let module = fixtures.modules().iter().find(is_it).unwrap();
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    let lines = sums::lines(module);
    let options: Vec<String> = lines
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{}@{}={}", words[0], words[1], words[2])
        })
        .collect();
    let sandbox = || {
        Sandbox::new()
            .proxy(&proxy)
            .env("GOSUMDB", &database.gosumdb())
    };
    sandbox()
        .run(["download", ASKED])
        .fails(4)
        .stderr_has("404 Not Found");
    let run = sandbox().run([
        "download",
        "--accept-unlogged",
        &options[0],
        "--accept-unlogged",
        &options[1],
        ASKED,
    ]);
    run.ok().stderr_has("no record in the checksum database");
    let both = options.join(",");
    sandbox()
        .env("MODFETCH_ACCEPT_UNLOGGED", &both)
        .run(["download", ASKED])
        .ok();
    // One of the two is not enough, and the other one is named.
    let run = sandbox().run(["download", "--accept-unlogged", &options[0], ASKED]);
    run.fails(4).stderr_has(&format!("{ASKED}/go.mod"));
    // Another sum is refused, and nothing of it is kept.
    let other = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let wrong = format!("{ASKED}={other},{}", options[1]);
    let refused = sandbox().env("MODFETCH_ACCEPT_UNLOGGED", &wrong);
    refused
        .run(["download", ASKED])
        .fails(5)
        .stderr_has("checksum mismatch");
    assert!(!refused.cached(ASKED).exists());
    // What the database has logged is what counts.
    let lying = SumDb::of(fixtures.modules()).claiming(ASKED, |text| text.replace("h1:", "h1:A"));
    let proxy = Proxy::serve();
    lying.serve_on(&proxy);
    Sandbox::new()
        .proxy(&proxy)
        .env("GOSUMDB", &lying.gosumdb())
        .env("MODFETCH_ACCEPT_UNLOGGED", &both)
        .run(["download", ASKED])
        .fails(5);
    sandbox()
        .run(["download", "--accept-unlogged", "example.com/text", ASKED])
        .fails(2);
}
