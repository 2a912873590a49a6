//! Work that is cancelled, beside work that is not.

use std::sync::mpsc;

use super::*;
use crate::cancel::{CancelToken, Cancelled};

fn for_work(client: &Client, cancel: &CancelToken) -> Client {
    client.bind(RequestContext {
        cancel: cancel.clone(),
        ..client.context.clone()
    })
}

/// A server that sends half of what is asked for, says so, and then is silent until it is let go.
fn stalling() -> (Server, mpsc::Receiver<String>, mpsc::Sender<()>) {
    let (began, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let server = Server::start(move |target, _, wire| {
        if target == "/quick" {
            return reply(wire, "200 OK", "", "quick");
        }
        raw(wire, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
        began.send(target.to_owned()).unwrap();
        if target == "/waits" {
            let _ = goes_on
                .lock()
                .unwrap()
                .recv_timeout(Duration::from_secs(60));
            raw(wire, "56789");
            return Then::Keep;
        }
        thread::sleep(Duration::from_secs(60));
        Then::Close
    });
    (server, begins, go_on)
}

#[test]
fn a_request_ends_with_its_work_and_leaves_others_alone() {
    let (server, begins, go_on) = stalling();
    let settings = Settings {
        stall_timeout: Duration::from_secs(60),
        ..settings()
    };
    let (client, _) = new_client(settings);
    // Both connections have been used before: they come from the pool.
    for _ in 0..2 {
        get(&client, &server.url("/quick")).unwrap();
    }
    let (one, other) = (CancelToken::new(), CancelToken::new());
    let (cancelled, ignoring_conflicts) = (for_work(&client, &one), for_work(&client, &other));
    thread::scope(|scope| {
        let silent = scope.spawn(|| get(&cancelled, &server.url("/silent")));
        let waits = scope.spawn(|| get(&ignoring_conflicts, &server.url("/waits")));
        begins.recv().unwrap();
        begins.recv().unwrap();
        one.cancel();
        let error = silent.join().unwrap().unwrap_err();
        assert!(Cancelled::caused(&error), "{error:?}");
        assert_eq!(
            error.chain(),
            format!("reading {}: cancelled", server.url("/silent"))
        );
        drop(go_on);
        assert_eq!(waits.join().unwrap().unwrap().value, b"0123456789");
    });
    let error = get(&cancelled, &server.url("/quick")).unwrap_err();
    assert!(Cancelled::caused(&error), "nothing begins afterwards");
    assert_eq!(get(&client, &server.url("/quick")).unwrap().value, b"quick");
}

#[test]
fn a_connection_that_was_given_back_outlives_the_work_that_used_it() {
    let (server, ..) = stalling();
    let (client, _) = new_client(settings());
    let work = CancelToken::new();
    get(&for_work(&client, &work), &server.url("/quick")).unwrap();
    work.cancel();
    get(&client, &server.url("/quick")).unwrap();
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_wait_before_another_try_ends_with_the_work() {
    let server = Server::start(|_, _, wire| reply(wire, "503 Busy", "Retry-After: 60\r\n", ""));
    let client = Client::new(settings(), Arc::new(NoEvents));
    let work = CancelToken::new();
    let bound = for_work(&client, &work);
    let begun = Instant::now();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| get(&bound, &server.url("/x")));
        while server.heads().is_empty() {
            thread::yield_now();
        }
        work.cancel();
        let error = waiting.join().unwrap().unwrap_err();
        assert!(Cancelled::caused(&error), "{error:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(50));
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn the_headers_of_the_work_go_with_its_requests() {
    let server = Server::start(|_, _, wire| reply(wire, "200 OK", "", "x"));
    let (client, _) = new_client(settings());
    let bound = client.bind(RequestContext {
        headers: vec![("traceparent".to_owned(), "00-1-2-01".to_owned())],
        ..client.context.clone()
    });
    get(&bound, &server.url("/x")).unwrap();
    let heads = server.heads();
    assert!(
        heads[0].to_lowercase().contains("traceparent: 00-1-2-01"),
        "{heads:?}"
    );
}
