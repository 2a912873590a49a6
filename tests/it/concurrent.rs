//! Many processes, one cache: one transfer of each file, and no reader that sees half of it.

use std::time::Duration;

use crate::support::{Proxy, Sandbox, Times, require_go};

#[test]
fn modfetch_and_go_share_an_empty_cache() {
    let Some(_) = require_go() else { return };
    let reference_proxy = Proxy::serve();
    let reference = Sandbox::with("hello", &reference_proxy);
    reference.go(["mod", "download"]).ok();

    let delay = Duration::from_millis(30);
    let proxy = Proxy::serve().delaying("*", delay, Times::ALWAYS);
    let first = Sandbox::with("hello", &proxy);
    let others: Vec<Sandbox> = (0..3)
        .map(|_| Sandbox::with("hello", &proxy).cache_of(&first))
        .collect();
    let running = [
        first.spawn(["download", "-json"]),
        others[0].spawn(["download", "-json"]),
        others[1].spawn_go(["mod", "download"]),
        others[2].spawn_go(["mod", "download"]),
    ];
    for (number, program) in running.into_iter().enumerate() {
        let run = program.wait();
        run.ok();
        if number < 2 {
            run.stdout_has("example.com/words@v1.1.0\"");
        }
    }
    reference
        .picture()
        .assert_same(&first.picture(), "a cache made alone and one made together");
    let zips: Vec<String> = proxy
        .requests()
        .into_iter()
        .map(|request| request.path)
        .filter(|path| path.ends_with(".zip"))
        .collect();
    assert_eq!(zips.len(), 13, "each zip once: {zips:#?}");
}

#[test]
fn many_of_us_share_an_empty_cache() {
    let proxy = Proxy::serve().delaying("*", Duration::from_millis(10), Times::ALWAYS);
    let first = Sandbox::with("legacy", &proxy);
    let others: Vec<Sandbox> = (0..5)
        .map(|_| Sandbox::with("legacy", &proxy).cache_of(&first))
        .collect();
    let running: Vec<_> = others
        .iter()
        .map(|sandbox| sandbox.spawn(["download"]))
        .collect();
    first.run(["download"]).ok();
    for program in running {
        program.wait().ok();
    }
    assert_eq!(proxy.hits("*.zip"), 6, "each zip once");
}
