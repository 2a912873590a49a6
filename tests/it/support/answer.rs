//! What the scripted proxy answers: what it has, and what the rules make of that.
//!
//! Decided here without touching a socket; sent by `proxy`.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead as _, Read as _};
use std::sync::Arc;
use std::time::Duration;

use super::chaos::Chaos;
use super::fixtures::{Bytes, Tree};
use super::script::{Fault, HeadEnd, Request, Rule};

/// What a server has and how it is told to behave.
#[derive(Default)]
pub struct Site {
    pub tree: Arc<Tree>,
    /// What stands in the place of the tree's files; none for one that is taken away.
    pub overrides: BTreeMap<String, Option<Bytes>>,
    pub rules: Vec<Rule>,
    /// Entity tags by path, made when first asked for.
    pub tags: HashMap<String, String>,
    pub bytes_per_second: Option<u64>,
    pub no_ranges: bool,
    pub credentials: Option<String>,
    pub chaos: Option<Chaos>,
}

/// What ends a body before its end.
pub enum Ending {
    Whole,
    Cut(usize),
    Stall(usize),
    Reset(usize),
    /// The header breaks off.
    Head(usize, HeadEnd),
}

/// One answer, and how it is sent.
pub struct Plan {
    pub delay: Duration,
    /// 0 for an answer that is not HTTP.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// In the place of status line and headers.
    pub raw_head: Option<String>,
    pub body: Bytes,
    pub ending: Ending,
    pub bytes_per_second: Option<u64>,
}

/// Decides on the answer: what the tree has, and what the first matching rules make of it.
pub fn plan(site: &mut Site, request: &Request) -> Plan {
    let mut plan = proper(site, request);
    for rule in &mut site.rules {
        if rule.left == 0 || !rule.matches(&request.path) {
            continue;
        }
        rule.left -= usize::from(rule.left != usize::MAX);
        plan.commit(&rule.fault);
        if !matches!(rule.fault, Fault::Delay(_)) {
            return plan;
        }
    }
    if let Some(chaos) = &mut site.chaos
        && let Some(fault) = chaos.next(&request.path, plan.body.len())
    {
        plan.commit(&fault);
    }
    plan
}

impl Plan {
    fn commit(&mut self, fault: &Fault) {
        match fault {
            Fault::Delay(delay) => self.delay += *delay,
            Fault::Status(status, headers, body) => {
                self.status = *status;
                self.headers.clone_from(headers);
                self.body = body.clone().into();
            }
            Fault::Body(kind, body) => {
                self.status = 200;
                self.headers = vec![("Content-Type".into(), kind.clone())];
                self.body = body.clone().into();
            }
            Fault::Redirect(url) => {
                self.status = 302;
                self.headers = vec![("Location".into(), url.clone())];
                self.body = Bytes::from([]);
            }
            Fault::Corrupt(at) => {
                let mut body = self.body.to_vec();
                if let Some(byte) = body.get_mut(*at) {
                    *byte = !*byte;
                }
                self.body = body.into();
            }
            Fault::RawHead(head) => self.raw_head = Some(head.clone()),
            Fault::Garbage => self.status = 0,
            Fault::Cut(after) => self.ending = Ending::Cut(*after),
            Fault::Stall(after) => self.ending = Ending::Stall(*after),
            Fault::Reset(after) => self.ending = Ending::Reset(*after),
            Fault::Head(after, end) => self.ending = Ending::Head(*after, *end),
        }
    }
}

/// The answer of a server that is well.
fn proper(site: &mut Site, request: &Request) -> Plan {
    let mut plan = Plan {
        delay: Duration::ZERO,
        status: 200,
        headers: Vec::new(),
        raw_head: None,
        body: Bytes::from([]),
        ending: Ending::Whole,
        bytes_per_second: site.bytes_per_second,
    };
    if site.credentials.is_some() && site.credentials.as_deref() != request.header("authorization")
    {
        plan.status = 401;
        plan.headers
            .push(("WWW-Authenticate".into(), "Basic realm=\"modules\"".into()));
        plan.body = Bytes::from(&b"credentials, please\n"[..]);
        return plan;
    }
    let found = match site.overrides.get(&request.path) {
        Some(instead) => instead.clone(),
        None => site.tree.get(&request.path).cloned(),
    };
    let Some(body) = found else {
        plan.status = 404;
        plan.headers
            .push(("Content-Type".into(), "text/plain; charset=utf-8".into()));
        plan.body = format!("not found: {}\n", request.path).into_bytes().into();
        return plan;
    };
    plan.body = body;
    let kind = match request.path.rsplit('.').next() {
        Some("zip") => "application/zip",
        Some("info") => "application/json",
        _ => "text/plain; charset=utf-8",
    };
    plan.headers.push(("Content-Type".into(), kind.into()));
    if !site.no_ranges {
        let tag = site
            .tags
            .entry(request.path.clone())
            .or_insert_with(|| {
                // FNV-1a: different for different contents of one path is enough here.
                let sum: u64 = plan.body.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| {
                    (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                });
                format!("\"{sum:016x}\"")
            })
            .clone();
        if !tag.is_empty() {
            plan.headers.push(("ETag".into(), tag.clone()));
        }
        plan.headers.push(("Accept-Ranges".into(), "bytes".into()));
        if request.header("if-none-match") == Some(&tag) {
            plan.status = 304;
            plan.body = Bytes::from([]);
            return plan;
        }
        apply_range(&mut plan, request, &tag);
    }
    plan
}

/// Turns a 200 into a 206 or 416 where the request asks for `bytes=K-` of this very content.
fn apply_range(plan: &mut Plan, request: &Request, tag: &str) {
    let from = request.header("range").and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    let Some(from) = from else { return };
    if request
        .header("if-range")
        .is_some_and(|wanted| wanted != tag)
    {
        return;
    }
    let size = plan.body.len();
    if from >= size {
        plan.status = 416;
        plan.headers
            .push(("Content-Range".into(), format!("bytes */{size}")));
        plan.body = Bytes::from([]);
    } else {
        plan.status = 206;
        plan.headers.push((
            "Content-Range".into(),
            format!("bytes {from}-{}/{size}", size - 1),
        ));
        plan.body = Bytes::from(&plan.body[from..]);
    }
}

/// Reads a request head; none at the end of the connection. Bodies are not expected.
pub fn read_request(reader: &mut impl io::BufRead) -> io::Result<Option<Request>> {
    let mut head = reader.take(64 << 10).lines();
    let Some(line) = head.next().transpose()? else {
        return Ok(None);
    };
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::Error::other("not a request line"));
    };
    let mut headers = Vec::new();
    for line in head {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let path = target.split('?').next().unwrap_or_default();
    Ok(Some(Request {
        method: method.to_owned(),
        path: percent_decode(path.trim_start_matches('/')),
        headers,
        status: 0,
        connection: 0,
    }))
}

/// The words after a status.
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        302 => "Found",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Scripted",
    }
}

/// Decodes `%21` and the like, which go's client writes for `!`.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
