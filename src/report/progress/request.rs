//! `-x`: two lines a request, in go's shape, with ours behind.
//!
//! `# get URL` when it begins, `# get URL: 200 OK (0.123s)` when it is over; the time is that to
//! the header of the answer, as go's is. After a semicolon comes what go does not tell. For a program
//! the two lines are its command line, and the time that it took with the command line behind.

use std::time::Duration;

use crate::config::Log;
use crate::event::Exchange;
use crate::report::json::JsonObject;

/// The line for a request that begins.
pub(super) fn begun(url: &str) -> String {
    format!("# get {url}")
}

/// The line for a program that has ended, as go prints it.
pub(super) fn program_over(command: &str, elapsed: Duration) -> String {
    format!("{} # {command}", seconds(elapsed))
}

/// The line for an exchange that is over, in the form that was asked for.
pub(super) fn over(over: &Exchange<'_>, log: Log) -> String {
    let line = go_line(over);
    match log {
        Log::Text => format!("{line}; {}", details(over)),
        Log::Json => json(over, &line).compact(),
    }
}

/// What go prints: the status and the time to it, or the reason why there is none.
fn go_line(over: &Exchange<'_>) -> String {
    let begun = begun(over.url);
    match (over.status, over.first_byte) {
        (Some(status), Some(time)) => format!("{begun}: {status} ({})", seconds(time)),
        _ => format!("{begun}: {}", reason(over).unwrap_or_default()),
    }
}

/// The first line of the reason, without the URL, which stands before it.
fn reason(over: &Exchange<'_>) -> Option<String> {
    let chain = over.cause?.chain();
    let line = chain.lines().next().unwrap_or_default();
    let reading = format!("reading {}: ", over.url);
    Some(line.strip_prefix(&reading).unwrap_or(line).to_owned())
}

fn details(over: &Exchange<'_>) -> String {
    let mut parts = vec![format!("try {}", over.attempt)];
    let steps = over.timings;
    if over.reused() {
        parts.push("connection reused".to_owned());
    } else {
        let named = [
            ("dns", steps.lookup),
            ("connect", steps.connect),
            ("tunnel", steps.tunnel),
            ("tls", steps.tls),
        ];
        for (name, time) in named {
            parts.extend(time.map(|time| format!("{name} {}", seconds(time))));
        }
    }
    parts.extend(
        over.first_byte
            .map(|time| format!("first byte {}", seconds(time))),
    );
    parts.push(format!("total {}", seconds(over.total)));
    if over.status.is_some() {
        parts.push(format!("{} bytes", over.bytes));
        parts.extend(reason(over).map(|reason| format!("failed: {reason}")));
    }
    parts.extend(over.through.map(|proxy| format!("proxy {proxy}")));
    parts.join(", ")
}

fn json(over: &Exchange<'_>, line: &str) -> JsonObject {
    let mut json = JsonObject::new();
    json.string("level", "info");
    json.string("message", line);
    json.string("method", "GET");
    json.string("url", over.url);
    let code = over.status.and_then(|status| status.split(' ').next());
    if let Some(code) = code.and_then(|code| code.parse().ok()) {
        json.number("status", code);
    }
    json.string("cause", &reason(over).unwrap_or_default());
    json.number("attempt", over.attempt.into());
    json.number("bytes", over.bytes);
    json.boolean("reused", over.reused());
    let steps = over.timings;
    let times = [
        ("dns_us", steps.lookup.filter(|_| !over.reused())),
        ("connect_us", steps.connect),
        ("tunnel_us", steps.tunnel),
        ("tls_us", steps.tls),
        ("first_byte_us", over.first_byte),
        ("total_us", Some(over.total)),
    ];
    for (key, time) in times {
        if let Some(time) = time {
            json.number(key, u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
    }
    json.string("proxy", over.through.unwrap_or_default());
    json
}

fn seconds(time: Duration) -> String {
    format!("{:.3}s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};
    use crate::event::Timings;
    use crate::http::Url;

    fn ms(count: u64) -> Option<Duration> {
        Some(Duration::from_millis(count))
    }

    #[test]
    fn lines_begin_as_gos_do() {
        let url = Url::parse("https://user:secret@h.com/a?token=x").unwrap();
        let url = url.redacted();
        let steps = Timings {
            lookup: ms(1),
            connect: ms(20),
            tls: ms(300),
            ..Timings::default()
        };
        let cause = Error::new(Kind::Network, format!("reading {url}"));
        let cause = cause.because(std::io::Error::other("too slow"));
        let whole = Exchange {
            url: url.as_str(),
            attempt: 2,
            status: Some("200 OK"),
            cause: None,
            bytes: 17,
            timings: &steps,
            first_byte: ms(400),
            total: Duration::from_millis(1500),
            through: Some("http://proxy:3128"),
        };
        let none = Timings::default();
        let cut = Exchange {
            cause: Some(&cause),
            timings: &none,
            through: None,
            ..whole.clone()
        };
        let unanswered = Exchange {
            status: None,
            first_byte: None,
            bytes: 0,
            ..cut.clone()
        };
        let start = format!("# get {url}");
        assert!(!start.contains("secret") && !start.contains("token=x"));
        let rows = [
            (
                &whole,
                "200 OK (0.400s); try 2, dns 0.001s, connect 0.020s, tls 0.300s, first byte 0.400s, total 1.500s, 17 bytes, proxy http://proxy:3128",
            ),
            (
                &cut,
                "200 OK (0.400s); try 2, connection reused, first byte 0.400s, total 1.500s, 17 bytes, failed: too slow",
            ),
            (&unanswered, "too slow; try 2, total 1.500s"),
        ];
        for (exchanged, want) in rows {
            assert_eq!(over(exchanged, Log::Text), format!("{start}: {want}"));
        }
        let line = over(&whole, Log::Json);
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["message"], format!("{start}: 200 OK (0.400s)"));
        assert_eq!(object["status"], 200);
        assert_eq!(object["tls_us"], 300_000);
        assert_eq!(object["total_us"], 1_500_000);
        assert_eq!(object["reused"], false);
        assert_eq!(object["proxy"], "http://proxy:3128");
        let object: serde_json::Value =
            serde_json::from_str(&over(&unanswered, Log::Json)).unwrap();
        assert_eq!(object["cause"], "too slow");
        assert!(object.get("status").is_none() && object.get("first_byte_us").is_none());
    }
}
