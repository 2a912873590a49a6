//! What a run tells about its requests: `-x` and `--stats`.

use serde_json::Value;

use crate::support::go::only_modfetch;
use crate::support::{Proxy, Run, Sandbox, Times};

const TEXT: &str = "example.com/text/@v/v1.2.0.zip";

fn objects(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    run.stderr.lines().map(parse).collect()
}

#[test]
fn download_http_trace_shows_steps_of_each_request() {
    only_modfetch!();
    let proxy = Proxy::serve().failing(TEXT, 503, Times(1));
    let sandbox = Sandbox::with("hello", &proxy);
    let run = sandbox.run(["download", "-x"]);
    run.ok().stdout("");
    let start = format!("# get {}/{TEXT}: ", proxy.url());
    let tails: Vec<&str> = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix(&start))
        .collect();
    assert_eq!(tails.len(), 2, "{}", run.stderr);
    assert!(
        tails[0].starts_with("503 Service Unavailable (") && tails[0].contains("; try 1, "),
        "{}",
        tails[0]
    );
    assert!(
        tails[1].starts_with("200 OK (") && tails[1].contains("; try 2, "),
        "{}",
        tails[1]
    );

    // Every line of an answer has its steps: either a connection was made or there was one.
    let answers = run.stderr.lines().filter(|line| line.contains("; try "));
    for line in answers {
        let made = line.contains(", dns ") && line.contains(", connect ");
        let reused = line.contains(", connection reused, ");
        run.demand(made != reused && !line.contains(", tls "), line);
        let rest = [", first byte ", ", total ", " bytes"];
        run.demand(rest.iter().all(|part| line.contains(part)), line);
    }
}

#[test]
fn download_http_trace_json_matches_server_counts() {
    only_modfetch!();
    let proxy = Proxy::serve().failing(TEXT, 503, Times(1));
    let sandbox = Sandbox::with("hello", &proxy).env("MODFETCH_STATS", "1");
    let run = sandbox.run(["download", "-x", "--log=json", "-j1"]);
    run.ok().stdout("");
    let lines = objects(&run);
    let answers: Vec<&Value> = lines
        .iter()
        .filter(|line| line["total_us"].is_u64())
        .collect();
    let requests = proxy.requests();
    assert_eq!(answers.len(), requests.len(), "{}", run.stderr);
    let bytes = |answer: &&Value| answer["bytes"].as_u64().unwrap_or_default();
    let failed = "scripted failure\n".len() as u64;
    let sum: u64 = answers.iter().map(bytes).sum();
    assert_eq!(sum, proxy.bytes_sent() - failed);
    // One at a time, one connection: made once, then reused.
    let made = answers.iter().filter(|answer| answer["reused"] == false);
    assert_eq!(made.count(), proxy.connections());
    assert!(proxy.connections() < requests.len());
    let text = format!("{}/{TEXT}", proxy.url());
    let tries: Vec<(u64, u64)> = answers
        .iter()
        .filter(|answer| answer["url"] == text.as_str())
        .map(|answer| {
            let number = |key: &str| answer[key].as_u64().unwrap_or_default();
            (number("status"), number("attempt"))
        })
        .collect();
    assert_eq!(tries, [(503, 1), (200, 2)]);

    let summary = lines.last().expect("there are lines");
    let number = |key: &str| summary[key].as_u64().unwrap_or(u64::MAX);
    assert_eq!(number("requests"), requests.len() as u64);
    assert_eq!(number("retries"), 1);
    assert_eq!(number("bytes"), sum);
    assert_eq!(number("fetched"), number("modules"));
    assert_eq!(number("cached"), 0);

    // Complete: no request, and --quiet does not take the summary away.
    let again = sandbox.run(["download", "--quiet"]);
    let start = format!(
        "modfetch: {modules} modules, 0 fetched, {modules} from the cache; 0 B received, 0 requests, \
         0 retries, ",
        modules = number("modules")
    );
    again.ok().stdout("").demand(
        again.stderr.starts_with(&start) && again.stderr.lines().count() == 1,
        &start,
    );
}
