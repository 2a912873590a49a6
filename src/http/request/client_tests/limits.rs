//! The client and its limits: rates, hosts that ask for patience, hosts that are given up.

use super::*;

/// All that the client slept, in milliseconds.
fn slept_ms(waits: &Mutex<Vec<Duration>>) -> u128 {
    waits.lock().unwrap().iter().sum::<Duration>().as_millis()
}

fn no_retries() -> Settings {
    Settings {
        retry: RetryPolicy {
            retries: 0,
            ..RetryPolicy::default()
        },
        ..settings()
    }
}

#[test]
fn bytes_come_at_the_rate_over_all_transfers() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", &"x".repeat(5000)));
    let (client, waits) = new_client(Settings {
        bytes_per_second: Some(1000),
        ..settings()
    });
    for _ in 0..2 {
        assert_eq!(get(&client, &server.url("/x")).unwrap().bytes, 5000);
    }
    // 10,000 bytes, of which a tenth of a second's worth is free.
    assert!((9899..=9901).contains(&slept_ms(&waits)), "{waits:?}");
    // A file is not received.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("f"), "x".repeat(5000)).unwrap();
    let before = slept_ms(&waits);
    get(&client, &format!("file://{}/f", dir.path().display())).unwrap();
    assert_eq!(slept_ms(&waits), before);
}

#[test]
fn requests_are_counted_a_host_and_tries_too() {
    let server = Server::start(|target, _, wire| {
        let status = if target == "/bad" {
            "503 Service Unavailable"
        } else {
            "200 OK"
        };
        reply(wire, status, "", "")
    });
    let (client, waits) = new_client(Settings {
        requests_per_second: Some(0.01),
        ..no_retries()
    });
    for path in ["/a", "/bad", "/c"] {
        let _ = get(&client, &server.url(path));
    }
    assert_eq!(slept_ms(&waits), 200_000);
}

#[test]
fn retry_after_holds_back_other_requests_within_reason() {
    let server = Server::start(|target, _, wire| match target {
        "/busy" => reply(wire, "429 Too Many Requests", "Retry-After: 7\r\n", ""),
        "/greedy" => reply(wire, "503 Service Unavailable", "Retry-After: 9999\r\n", ""),
        // Only these two statuses are about all requests.
        "/broken" => reply(wire, "500 Internal Server Error", "Retry-After: 9\r\n", ""),
        _ => reply(wire, "200 OK", "", ""),
    });
    let (client, waits) = new_client(no_retries());
    for (path, want) in [("/busy", 7000), ("/greedy", 60_000), ("/broken", 0)] {
        assert!(get(&client, &server.url(path)).is_err());
        let before = slept_ms(&waits);
        get(&client, &server.url("/well")).unwrap();
        assert_eq!(slept_ms(&waits) - before, want, "{path}");
    }
}

#[test]
fn a_host_that_is_given_up_is_not_asked_until_a_probe_is_answered() {
    let server = Server::start(|target, number, wire| match target {
        "/well" => reply(wire, "200 OK", "", ""),
        _ if number > 20 => reply(wire, "404 Not Found", "", ""),
        _ => {
            raw(wire, "no HTTP at all\r\n\r\n");
            Then::Close
        }
    });
    let recorder = Arc::new(Recorder::default());
    let timer = FakeTimer::default();
    let client = Client::with_timer(settings(), recorder.clone(), Box::new(timer.clone()));
    // Four requests with three tries each.
    for _ in 0..4 {
        let error = get(&client, &server.url("/x")).unwrap_err();
        assert!(crate::http::HostFailure::of(&error).unwrap().was_asked());
    }
    assert_eq!(server.heads().len(), 12);
    let events = std::mem::take(&mut *recorder.0.lock().unwrap());
    let given_up: Vec<_> = events
        .iter()
        .filter(|e| e.starts_with("given up"))
        .collect();
    assert_eq!(given_up.len(), 1, "{events:?}");

    let (text, kind, transient) = failure(&server, &client, "/well");
    assert!(
        text.starts_with("reading http://HOST/well: not tried, because HOST is failing: "),
        "{text}"
    );
    assert_eq!((kind, transient), (Kind::Network, true));
    assert_eq!(server.heads().len(), 12);
    assert!(recorder.0.lock().unwrap().is_empty());
    let error = get(&client, &server.url("/well")).unwrap_err();
    assert!(!crate::http::HostFailure::of(&error).unwrap().was_asked());

    // A probe with all its tries in vain, then one that is answered.
    timer.wait(Duration::from_secs(5), &CancelToken::new());
    assert!(get(&client, &server.url("/x")).is_err());
    assert_eq!(server.heads().len(), 15);
    assert!(get(&client, &server.url("/well")).is_err());
    timer.wait(Duration::from_secs(10), &CancelToken::new());
    get(&client, &server.url("/well")).unwrap();
    get(&client, &server.url("/well")).unwrap();
    assert_eq!(server.heads().len(), 17);
}

#[test]
fn waiting_for_a_turn_is_not_counted_against_the_time_for_retries() {
    let server = Server::start(|_, number, wire| {
        let status = if number == 1 {
            "500 Internal Server Error"
        } else {
            "200 OK"
        };
        reply(wire, status, "", "")
    });
    let mut settings = Settings {
        requests_per_second: Some(0.1),
        ..settings()
    };
    settings.retry.max_time = Some(Duration::from_secs(15));
    let (client, _) = new_client(settings);
    // The second waits ten seconds for its first turn, and both ten for their second one.
    for path in ["/a", "/b"] {
        assert_eq!(get(&client, &server.url(path)).unwrap().retries, 1);
    }
}

#[test]
fn no_try_is_put_off_to_a_time_when_there_would_be_none() {
    // While `/x` is under way, the host tells another request to come back in 40 seconds.
    let other = Arc::new(OnceLock::<(Client, String)>::new());
    let in_server = Arc::clone(&other);
    let server = Server::start(move |target, _, wire| match (target, in_server.get()) {
        ("/x", Some((client, busy))) => {
            assert!(get(client, busy).is_err());
            raw(wire, "no HTTP at all\r\n\r\n");
            Then::Close
        }
        _ => reply(wire, "429 Too Many Requests", "Retry-After: 40\r\n", ""),
    });
    let mut settings = settings();
    settings.retry.max_time = Some(Duration::from_secs(30));
    let (client, waits) = new_client(settings);
    let _ = other.set((client.clone(), server.url("/busy")));
    assert!(get(&client, &server.url("/x")).is_err());
    assert_eq!((server.heads().len(), slept_ms(&waits)), (2, 0));
}

#[test]
fn a_low_rate_does_not_outlast_the_run() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", &"x".repeat(5000)));
    let deadline = Deadline::after(Duration::from_secs(3));
    let (client, waits) = new_client(Settings {
        bytes_per_second: Some(5),
        ..no_retries()
    });
    let client = until(&client, deadline);
    // All of it takes a thousand seconds, and most is buffered here before they are over.
    let (text, kind, transient) = failure(&server, &client, "/x");
    assert!(text.ends_with("the run took longer than 3s"), "{text}");
    assert_eq!((kind, transient), (Kind::Network, false));
    assert!(slept_ms(&waits) < 500_000, "{waits:?}");
}
