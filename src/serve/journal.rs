//! What a server says while it runs: each request, and what went wrong.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::http1::{ServedExchange, timestamp};
use crate::config::AccessLog;
use crate::error::Kind;
use crate::event::{Event, EventSink};
use crate::gojson;

/// Takes lines without their ends. Must not wait long.
pub trait LineSink: Send + Sync {
    /// One request.
    fn access(&self, line: &str);
    /// Something that an operator should see.
    fn event(&self, line: &str);
}

/// How many files did not have the sum they should have. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct SecurityCount(Arc<AtomicU64>);

impl SecurityCount {
    /// One more.
    pub(super) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// All so far.
    #[must_use]
    pub(super) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Logs and counts what the engine gets over by itself and an operator should see all the same: wrong bytes that are
/// fetched once more.
pub struct RefetchLog {
    sink: Arc<dyn LineSink>,
    count: SecurityCount,
}

impl RefetchLog {
    /// Writes to `sink`, and counts in `count`.
    #[must_use]
    pub fn new(sink: Arc<dyn LineSink>, count: SecurityCount) -> RefetchLog {
        RefetchLog { sink, count }
    }
}

impl EventSink for RefetchLog {
    fn event(&self, event: &Event<'_>) {
        if let Event::ModuleRefetched { module, cause } = event
            && cause.kind() == Kind::Security
        {
            self.count.increment();
            let text = cause.chain();
            self.sink
                .event(&format!("security: {module} is fetched once more: {text}"));
        }
    }
}

/// Writes lines for a sink.
pub(super) struct Journal {
    sink: Arc<dyn LineSink>,
    form: AccessLog,
}

impl Journal {
    pub(super) fn new(sink: Arc<dyn LineSink>, form: AccessLog) -> Journal {
        Journal { sink, form }
    }

    /// A file without the sum it should have.
    pub(super) fn security(&self, text: &str) {
        self.sink.event(&format!("security: {text}"));
    }

    /// What does not stop the server.
    pub(super) fn warn(&self, text: &str) {
        self.sink.event(text);
    }

    /// A request is over. No field of it that may be a secret is written: neither query nor
    /// credentials.
    pub(super) fn access(&self, exchange: &ServedExchange<'_>) {
        match self.form {
            AccessLog::Off => {}
            AccessLog::Text => self.sink.access(&text(exchange, SystemTime::now())),
            AccessLog::Json => self.sink.access(&json(exchange, SystemTime::now())),
        }
    }
}

/// `2026-01-02T03:04:05Z 127.0.0.1 GET /a/@v/list 200 123 0.004 HIT id`.
fn text(exchange: &ServedExchange<'_>, now: SystemTime) -> String {
    let request = exchange.request;
    let address = exchange.address.map(|address| address.to_string());
    let mut line = format!(
        "{} {} {} {} {} {} {:.3} {} {}",
        timestamp(now),
        address.as_deref().unwrap_or("unix"),
        request.map_or("-", |request| request.method.name()),
        request.map_or("-", |request| &request.path),
        exchange.status,
        exchange.bytes,
        exchange.took.as_secs_f64(),
        match exchange.note.cache {
            "" => "-",
            cache => cache,
        },
        request
            .and_then(|request| request.fields.request_id.as_deref())
            .unwrap_or("-"),
    );
    if !exchange.complete {
        line.push_str(" incomplete");
    }
    line
}

fn json(exchange: &ServedExchange<'_>, now: SystemTime) -> String {
    let request = exchange.request;
    let mut line = format!("{{\"time\":\"{}\"", timestamp(now));
    let mut string = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(line, ",\"{name}\":{}", gojson::quote(value));
        }
    };
    let address = exchange.address.map(|address| address.to_string());
    string("client", address.as_deref());
    string("method", request.map(|request| request.method.name()));
    string("path", request.map(|request| &*request.path));
    string("kind", Some(exchange.note.kind));
    string("cache", Some(exchange.note.cache));
    let fields = request.map(|request| &request.fields);
    string(
        "request_id",
        fields.and_then(|fields| fields.request_id.as_deref()),
    );
    string(
        "traceparent",
        fields.and_then(|fields| fields.traceparent.as_deref()),
    );
    string(
        "user_agent",
        fields.and_then(|fields| fields.user_agent.as_deref()),
    );
    let _ = write!(
        line,
        ",\"status\":{},\"bytes\":{},\"seconds\":{:.6},\"complete\":{}}}",
        exchange.status,
        exchange.bytes,
        exchange.took.as_secs_f64(),
        exchange.complete
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::http1::{Http1Request, Note, RequestFields, RequestMethod};
    use std::time::{Duration, UNIX_EPOCH};

    fn request() -> Http1Request {
        Http1Request {
            method: RequestMethod::Get,
            path: "/a.com/m/@v/list".into(),
            query: "token=secret".into(),
            is_http11: true,
            keep_alive: true,
            fields: RequestFields {
                authorization: Some("Bearer secret".into()),
                request_id: Some("id-1".into()),
                user_agent: Some("go \"x\"".into()),
                ..RequestFields::default()
            },
        }
    }

    #[test]
    fn a_request_is_one_line_without_secrets() {
        let request = request();
        let exchange = ServedExchange {
            request: Some(&request),
            address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
            status: 200,
            note: Note {
                kind: "list",
                cache: "HIT",
            },
            bytes: 123,
            took: Duration::from_millis(4),
            complete: true,
        };
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(
            text(&exchange, now),
            "1994-11-06T08:49:37Z 127.0.0.1 GET /a.com/m/@v/list 200 123 0.004 HIT id-1"
        );
        let line = json(&exchange, now);
        assert_eq!(
            line,
            "{\"time\":\"1994-11-06T08:49:37Z\",\"client\":\"127.0.0.1\",\"method\":\"GET\",\
             \"path\":\"/a.com/m/@v/list\",\"kind\":\"list\",\"cache\":\"HIT\",\
             \"request_id\":\"id-1\",\"user_agent\":\"go \\\"x\\\"\",\"status\":200,\
             \"bytes\":123,\"seconds\":0.004000,\"complete\":true}"
        );
        let refused = ServedExchange {
            request: None,
            address: None,
            complete: false,
            status: 400,
            ..exchange
        };
        assert_eq!(
            text(&refused, now),
            "1994-11-06T08:49:37Z unix - - 400 123 0.004 HIT - incomplete"
        );
    }
}
