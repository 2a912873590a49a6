//! A zip that is cut on its way: what is kept, what is fetched again, and that no wrong byte stays.

use std::fs;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::network::requests::many;
use crate::support::fixtures::{Fixtures, Tree};
use crate::support::go::only_modfetch;
use crate::support::script::Fault;
use crate::support::tree::Picture;
use crate::support::{Proxy, Run, Sandbox, Times, require_go, sums};

const ZIP: &str = "example.com/m000/@v/v1.0.0.zip";
const PART: &str = "cache/download/example.com/m000/@v/v1.0.0.zip.part";

/// Some megabytes, so that one hundredth is more than what else is sent.
const SIZE: usize = 3 << 20;

/// One module with a large zip, made once: that takes longer than any of the tests.
struct Large {
    tree: Arc<Tree>,
    zip: Vec<u8>,
    go_sum: String,
}

fn made() -> &'static Large {
    static LARGE: OnceLock<Large> = OnceLock::new();
    LARGE.get_or_init(|| {
        let (modules, _) = many(1, SIZE);
        let (zip, go_sum) = (modules[0].zip(), sums::lines(&modules[0]));
        let tree = Arc::new(Fixtures::of(modules).tree());
        Large { tree, zip, go_sum }
    })
}

/// A proxy with one large zip, a project that needs it, and the zip.
fn large() -> (Proxy, Sandbox, Vec<u8>) {
    let made = made();
    let proxy = Proxy::of(Arc::clone(&made.tree));
    let sandbox = Sandbox::new()
        .go_mod("require example.com/m000 v1.0.0")
        .go_sum(&made.go_sum)
        .proxy(&proxy);
    (proxy, sandbox, made.zip.clone())
}

/// What a run that was never cut makes.
fn whole() -> &'static Picture {
    static WHOLE: OnceLock<Picture> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let (_proxy, sandbox, _) = large();
        sandbox.run(["download"]).ok();
        sandbox.picture()
    })
}

#[track_caller]
fn demand_like_whole(sandbox: &Sandbox) {
    let what = "a clean cache and the one after a cut";
    whole().assert_same(&sandbox.picture(), what);
}

/// A number that `-json` prints; 0 if it does not.
fn number(run: &Run, key: &str) -> usize {
    let line = run.stdout.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix(&format!("\"{key}\": "))?;
        rest.trim_end_matches(',').parse().ok()
    });
    line.unwrap_or(0)
}

/// The `Range` headers of the requests for the zip.
fn ranges(proxy: &Proxy) -> Vec<String> {
    let requests = proxy.requests();
    let zips = requests.iter().filter(|request| request.path == ZIP);
    zips.map(|request| request.header("range").unwrap_or("-").to_owned())
        .collect()
}

#[track_caller]
fn demand_little_sent_again(proxy: &Proxy, zip: &[u8]) {
    let (sent, most) = (proxy.bytes_sent(), zip.len() as u64 * 101 / 100);
    assert!(sent <= most, "{sent} bytes were sent for {}", zip.len());
}

#[test]
fn download_cut_zip_is_resumed_in_same_run() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let half = zip.len() / 2;
    let proxy = proxy.truncating(ZIP, half, Times(1));
    let run = sandbox.run(["download", "-json", "-v"]);
    run.ok();
    assert_eq!(number(&run, "Resumed"), half);
    assert_eq!(number(&run, "Retries"), 1);
    let bytes = number(&run, "Bytes");
    assert!((zip.len() - half..zip.len()).contains(&bytes), "{bytes}");
    run.stderr_has("# retry in")
        .stderr_has(&format!("# resuming {}/{ZIP} after", proxy.url()))
        .stderr_has("MB resumed, ")
        .stderr_has(" requests, 1 retry, ");
    assert_eq!(ranges(&proxy), ["-".to_owned(), format!("bytes={half}-")]);
    demand_little_sent_again(&proxy, &zip);
    demand_like_whole(&sandbox);
}

#[test]
fn download_resumed_twice_counts_bytes_once() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let third = zip.len() / 3;
    let proxy = proxy.truncating(ZIP, third, Times(2));
    let run = sandbox.run(["download", "-json", "--stats", "--log", "json"]);
    run.ok();
    let resumed = number(&run, "Resumed");
    assert!(resumed > third, "{resumed}");
    run.stderr_has(&format!("\"resumed\":{resumed},"));
    drop(proxy);
}

#[test]
fn download_cut_zip_is_resumed_in_next_run() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let half = zip.len() / 2;
    let proxy = proxy.truncating(ZIP, half, Times(1));
    sandbox.run(["download", "--retries", "0"]).fails(6);
    let kept = fs::read(sandbox.cached(PART)).unwrap();
    assert!(kept == zip[..half], "{} bytes are kept", kept.len());
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert_eq!(
        (number(&run, "Resumed"), number(&run, "Retries")),
        (half, 0)
    );
    assert_eq!(ranges(&proxy), ["-".to_owned(), format!("bytes={half}-")]);
    demand_little_sent_again(&proxy, &zip);
    demand_like_whole(&sandbox);
}

#[test]
fn download_killed_keeps_partial_zip() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let half = zip.len() / 2;
    let proxy = proxy.stalling(ZIP, half, Times(1));
    let running = sandbox.spawn(["download"]);
    proxy.wait_for_stalls(1);
    let begun = Instant::now();
    // What was sent is on its way through this machine.
    while fs::metadata(sandbox.cached(PART)).map_or(0, |meta| meta.len()) < half as u64 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "nothing is written"
        );
        thread::sleep(Duration::from_millis(5));
    }
    running.signal(Signal::SIGKILL);
    assert_eq!(running.wait().code, None);
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert_eq!(number(&run, "Resumed"), half);
    demand_little_sent_again(&proxy, &zip);
    demand_like_whole(&sandbox);
}

#[test]
fn download_timeout_exits_6_and_keeps_partial_zip() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let proxy = proxy.stalling(ZIP, zip.len() / 2, Times(1));
    let run = sandbox.run(["download", "--timeout", "1s"]);
    run.fails(6)
        .stderr_has(&format!(
            "reading {}/{ZIP}: the run took longer than 1s",
            proxy.url()
        ))
        .demand(
            run.took < Duration::from_secs(20),
            "it waited for the stall",
        );
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert!(number(&run, "Resumed") > 0);
    demand_like_whole(&sandbox);
}

#[test]
fn download_without_validator_and_without_sum_keeps_no_partial_zip() {
    only_modfetch!();
    for tag in ["", "W/\"weak\""] {
        let (proxy, sandbox, zip) = large();
        let proxy = proxy
            .tagging(ZIP, tag)
            .truncating(ZIP, zip.len() / 2, Times(1));
        // GOSUMDB is off: without go.sum nobody can tell whether two pieces belong together.
        let sandbox = sandbox.go_sum("");
        let run = sandbox.run(["download", "--retries", "0"]);
        run.fails(6);
        let left = sandbox.picture().without(|path| !path.contains(".part"));
        run.demand(
            left.paths().is_empty(),
            "a part is left that nobody can use",
        );
        let run = sandbox.run(["download", "-json"]);
        run.ok();
        assert_eq!(number(&run, "Resumed"), 0);
        assert_eq!(ranges(&proxy), ["-", "-"]);
        demand_like_whole(&sandbox);
    }
}

#[test]
fn download_without_validator_resumes_if_sum_is_known() {
    only_modfetch!();
    for tag in ["", "W/\"weak\""] {
        let (proxy, sandbox, zip) = large();
        let half = zip.len() / 2;
        let proxy = proxy.tagging(ZIP, tag).truncating(ZIP, half, Times(1));
        sandbox.run(["download", "--retries", "0"]).fails(6);
        let run = sandbox.run(["download", "-json"]);
        run.ok();
        assert_eq!(number(&run, "Resumed"), half, "{tag:?}");
        assert_eq!(ranges(&proxy), ["-".to_owned(), format!("bytes={half}-")]);
        let conditions = proxy.requests();
        let mut conditions = conditions.iter().map(|asked| asked.header("if-range"));
        assert!(conditions.all(|condition| condition.is_none()));
        demand_little_sent_again(&proxy, &zip);
        demand_like_whole(&sandbox);
    }
}

#[test]
fn download_without_ranges_restarts_transfer() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let half = zip.len() / 2;
    let proxy = proxy.without_ranges().truncating(ZIP, half, Times(1));
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert_eq!(number(&run, "Resumed"), 0);
    assert_eq!(ranges(&proxy), ["-".to_owned(), format!("bytes={half}-")]);
    demand_like_whole(&sandbox);
}

#[test]
fn download_without_validator_content_changed_restarts_once() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let other = vec![b'x'; zip.len()];
    let proxy = proxy.with_file(ZIP, other).tagging(ZIP, "");
    proxy.script(ZIP, Fault::Cut(zip.len() / 2), Times(1));
    sandbox.run(["download", "--retries", "0"]).fails(6);
    proxy.put(ZIP, Some(zip.into()));
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert_eq!((number(&run, "Resumed"), proxy.hits(ZIP)), (0, 3));
    assert_eq!(ranges(&proxy)[2], "-");
    demand_like_whole(&sandbox);
}

#[test]
fn download_wrong_range_answer_restarts_transfer() {
    only_modfetch!();
    let (_, _, zip) = large();
    let half = zip.len() / 2;
    let header = |text: String| vec![("Content-Range".to_owned(), text)];
    let rows = [
        Fault::Status(416, header(format!("bytes */{}", zip.len())), Vec::new()),
        Fault::Status(206, Vec::new(), zip[half..].to_vec()),
        Fault::Status(
            206,
            header(format!(
                "bytes {}-{}/{}",
                half - 1,
                zip.len() - 1,
                zip.len()
            )),
            zip[half - 1..].to_vec(),
        ),
        Fault::Status(
            206,
            header(format!("bytes {half}-{}/{}", zip.len(), zip.len() + 1)),
            zip[half..].to_vec(),
        ),
    ];
    for fault in rows {
        let (proxy, sandbox, _) = large();
        let proxy = proxy.truncating(ZIP, half, Times(1));
        proxy.script(ZIP, fault, Times(1));
        let run = sandbox.run(["download", "-json"]);
        run.ok();
        assert_eq!(number(&run, "Resumed"), 0);
        let want = ["-".to_owned(), format!("bytes={half}-"), "-".to_owned()];
        assert_eq!(ranges(&proxy), want);
        demand_like_whole(&sandbox);
    }
}

#[test]
fn download_content_changed_between_runs_restarts_transfer() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let proxy = proxy.with_file(ZIP, vec![b'x'; zip.len()]);
    proxy.script(ZIP, Fault::Cut(zip.len() / 2), Times(1));
    sandbox.run(["download", "--retries", "0"]).fails(6);
    proxy.put(ZIP, Some(zip.into()));
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert_eq!((number(&run, "Resumed"), proxy.hits(ZIP)), (0, 2));
    demand_like_whole(&sandbox);
}

/// A server that says it sends the rest, and sends something else.
fn lying(times: Times) -> (Proxy, Sandbox) {
    let (proxy, sandbox, zip) = large();
    let half = zip.len() / 2;
    let proxy = proxy.truncating(ZIP, half, Times(1));
    let range = format!("bytes {half}-{}/{}", zip.len() - 1, zip.len());
    let headers = vec![("Content-Range".to_owned(), range)];
    let lie = vec![b'x'; zip.len() - half];
    proxy.script(ZIP, Fault::Status(206, headers, lie), Times(1));
    proxy.script(ZIP, Fault::Corrupt(zip.len() / 3), times);
    (proxy, sandbox)
}

#[test]
fn download_resumed_zip_with_wrong_hash_is_fetched_again() {
    only_modfetch!();
    let (proxy, sandbox) = lying(Times(0));
    let run = sandbox.run(["download", "-json", "-v"]);
    run.ok()
        .stderr_has("what has come is wrong, fetching it again from the first byte");
    assert_eq!((number(&run, "Resumed"), number(&run, "Retries")), (0, 2));
    assert_eq!(proxy.hits(ZIP), 3);
    demand_like_whole(&sandbox);
}

#[test]
fn download_zip_hash_mismatch_leaves_no_zip() {
    only_modfetch!();
    let (proxy, sandbox) = lying(Times::ALWAYS);
    let run = sandbox.run(["download"]);
    run.fails(5);
    assert_eq!(proxy.hits(ZIP), 3, "once more, and not twice");
    let left = |path: &str| path.contains(".zip") || path.starts_with("example.com/");
    let left = sandbox.picture().without(|path| !left(path));
    run.demand(left.paths().is_empty(), "something wrong is left");

    let (proxy, sandbox, zip) = large();
    let proxy = proxy.corrupting(ZIP, zip.len() / 3, Times::ALWAYS);
    sandbox.run(["download"]).fails(5);
    assert_eq!(
        proxy.hits(ZIP),
        2,
        "a cache on the way may have spoilt the first"
    );
}

#[test]
fn download_repeatedly_cut_zips_are_assembled() {
    only_modfetch!();
    let (modules, sandbox) = many(12, 40_000);
    let (clean_modules, clean) = many(12, 40_000);
    let proxy = Proxy::of_modules(modules);
    for number in 0..12 {
        let zip = format!("example.com/m{number:03}/@v/v1.0.0.zip");
        let cut = 1 + 3_333 * number;
        proxy.script(&zip, Fault::Cut(cut), Times(1));
        proxy.script(&zip, Fault::Garbage, Times(number % 2));
        proxy.script(&zip, Fault::Cut(number), Times(1));
        proxy.script(&zip, Fault::Reset(cut / 2), Times(number % 3));
    }
    let sandbox = sandbox.proxy(&proxy);
    sandbox.run(["download", "--retries", "6"]).ok();
    let clean_proxy = Proxy::of_modules(clean_modules);
    let clean = clean.proxy(&clean_proxy);
    clean.run(["download"]).ok();
    let what = "a clean cache and the one after many cuts";
    clean.picture().assert_same(&sandbox.picture(), what);
}

#[test]
fn download_partial_zip_of_other_proxy_is_not_used() {
    only_modfetch!();
    let (first, sandbox, zip) = large();
    let first = first.truncating(ZIP, zip.len() / 2, Times::ALWAYS);
    sandbox.run(["download", "--retries", "0"]).fails(6);
    let (second, _, _) = large();
    let list = format!("{}|{}", first.url(), second.url());
    // The first one gets a little further, and then the second one is asked for all of it.
    let sandbox = sandbox.env("GOPROXY", &list);
    let run = sandbox.run(["download", "--retries", "0", "-json"]);
    run.ok();
    assert_eq!(ranges(&first).len(), 2);
    assert!(ranges(&first)[1].starts_with("bytes="));
    assert_eq!(ranges(&second), ["-"]);
    assert_eq!(number(&run, "Resumed"), 0);
    demand_like_whole(&sandbox);
}

#[test]
fn download_complete_zip_of_failed_module_is_not_fetched_again() {
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let info = ZIP.replace(".zip", ".info");
    let proxy = proxy.failing(&info, 404, Times(1));
    sandbox.run(["download"]).fails(4);
    let run = sandbox.run(["download", "-json"]);
    run.ok();
    assert_eq!((number(&run, "Resumed"), proxy.hits(ZIP)), (zip.len(), 1));
    demand_like_whole(&sandbox);
}

#[test]
fn go_mod_download_ignores_partial_zips() {
    require_go!();
    only_modfetch!();
    let (proxy, sandbox, zip) = large();
    let proxy = proxy.truncating(ZIP, zip.len() / 2, Times(1));
    sandbox.run(["download", "--retries", "0"]).fails(6);
    assert!(sandbox.cached(PART).exists());
    sandbox.go(["mod", "download"]).ok();
    assert_eq!(ranges(&proxy), ["-", "-"]);
    sandbox
        .go(["mod", "verify"])
        .ok()
        .stdout("all modules verified\n");
    let left = sandbox.picture().without(|path| path.contains(".part"));
    let (_proxy, clean, _) = large();
    clean.run(["download"]).ok();
    clean
        .picture()
        .assert_same(&left, "a clean cache and the one that go completed");
}
