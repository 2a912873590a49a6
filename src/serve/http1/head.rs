//! The head of a request: taken in one form, refused in every other.
//!
//! `httparse` splits it; what it lets pass is judged here. A proxy of files has no use for request
//! bodies, so whatever announces one is refused, and with it every known way to hide one request
//! in another. A line ends with CR LF and nothing else.
//!
//! Source: RFC 9112, 2.2 (line ends), 3.2 (targets, Host), 5.2 (obs-fold), 6 (bodies).

use super::target::{BadTarget, parse_target};

/// The longest head, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 << 10;

/// The most fields of a head.
const MAX_FIELDS: usize = 64;

/// The longest value of a field that is kept.
const MAX_KEPT_BYTES: usize = 4 << 10;

/// What is asked of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestMethod {
    /// Its content.
    Get,
    /// What a GET would say of it, without the content.
    Head,
}

impl RequestMethod {
    /// As in a request line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RequestMethod::Get => "GET",
            RequestMethod::Head => "HEAD",
        }
    }
}

/// A request that was taken.
#[derive(Clone, Debug)]
pub struct Http1Request {
    /// GET or HEAD.
    pub method: RequestMethod,
    /// The decoded path, which begins with `/`.
    pub path: String,
    /// What follows `?`, undecoded.
    pub query: String,
    /// True for HTTP/1.1; HTTP/1.0 knows no chunks.
    pub is_http11: bool,
    /// True if the client wants to send more requests.
    pub keep_alive: bool,
    /// The fields that mean something here.
    pub fields: RequestFields,
}

/// Fields of a request, as they were sent, without leading and trailing blanks.
#[derive(Clone, Debug, Default)]
pub struct RequestFields {
    /// `Authorization`, a secret.
    pub authorization: Option<String>,
    /// `Range`.
    pub range: Option<String>,
    /// `If-Range`.
    pub if_range: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `Disable-Module-Fetch: true`: answer from what is kept.
    pub disable_module_fetch: bool,
    /// `X-Request-Id`.
    pub request_id: Option<String>,
    /// `traceparent` of W3C Trace Context.
    pub traceparent: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
}

/// Why a head is refused, and with which status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadRefusal {
    /// 400, 405 or 505.
    pub status: u16,
    /// The reason, for the answer.
    pub reason: &'static str,
}

const fn bad(reason: &'static str) -> HeadRefusal {
    HeadRefusal {
        status: 400,
        reason,
    }
}

/// How far the bytes of a connection go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadExtent {
    /// The head is not whole; so many bytes were looked at and need not be again.
    Unfinished(usize),
    /// The head ends before this byte.
    Whole(usize),
}

/// Looks for the end of a head, in bytes of which the first `seen` were looked at before. Each
/// byte is looked at once, however they trickle.
///
/// # Errors
/// The bytes can be no head, or are more than a head may have.
pub fn find_end(bytes: &[u8], seen: usize) -> Result<HeadExtent, HeadRefusal> {
    let limit = bytes.len().min(MAX_HEAD_BYTES);
    let mut at = seen;
    while at < limit {
        match bytes[at] {
            b'\r' => match bytes.get(at + 1) {
                None => break,
                Some(b'\n') => {
                    at += 2;
                    if at <= MAX_HEAD_BYTES && bytes[..at].ends_with(b"\r\n\r\n") {
                        return Ok(HeadExtent::Whole(at));
                    }
                    continue;
                }
                Some(_) => return Err(bad("carriage return without line feed")),
            },
            b'\n' => return Err(bad("line feed without carriage return")),
            b'\t' => {}
            0..=0x1f | 0x7f => return Err(bad("control character")),
            _ => {}
        }
        at += 1;
    }
    if bytes.len() >= MAX_HEAD_BYTES {
        return Err(bad("request head is longer than 16 KiB"));
    }
    Ok(HeadExtent::Unfinished(at))
}

/// Reads a head that [`find_end`] has found whole.
///
/// # Errors
/// Why it is refused.
pub fn parse_head(head: &[u8]) -> Result<Http1Request, HeadRefusal> {
    let mut room = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut room);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(bad("malformed request")),
        Err(httparse::Error::TooManyHeaders) => return Err(bad("too many header fields")),
        Err(httparse::Error::Version) if names_version(head) => {
            return Err(HeadRefusal {
                status: 505,
                reason: "HTTP version is neither 1.0 nor 1.1",
            });
        }
        Err(httparse::Error::HeaderName) => return Err(bad("malformed header field name")),
        Err(httparse::Error::HeaderValue) => return Err(bad("malformed header field value")),
        Err(_) => return Err(bad("malformed request line")),
    }
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(bad("malformed request line"));
    };
    let is_http11 = version == 1;
    let target = parse_target(target).map_err(|reason: BadTarget| bad(reason.reason()))?;
    let mut reader = FieldReader::default();
    for field in parsed.headers.iter() {
        reader.take(field.name, field.value)?;
    }
    if reader.hosts == 0 && is_http11 {
        return Err(bad("no Host header field"));
    }
    // After the fields: what is wrong with those is wrong whatever the method.
    let method = match method {
        "GET" => RequestMethod::Get,
        "HEAD" => RequestMethod::Head,
        _ => {
            return Err(HeadRefusal {
                status: 405,
                reason: "method is neither GET nor HEAD",
            });
        }
    };
    Ok(Http1Request {
        method,
        path: target.path.into_owned(),
        query: target.query.to_owned(),
        is_http11,
        keep_alive: !reader.close && (is_http11 || reader.keep_alive),
        fields: reader.fields,
    })
}

/// True if the first line ends with `HTTP/`, a digit, a point and a digit, after one blank.
fn names_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ');
    let version = words.next_back().unwrap_or_default();
    let named = |digits: &[u8]| matches!(digits, [b'0'..=b'9', b'.', b'0'..=b'9']);
    version.strip_prefix(b"HTTP/").is_some_and(named) && words.count() == 2
}

#[derive(Default)]
struct FieldReader {
    hosts: u32,
    lengths: u32,
    close: bool,
    keep_alive: bool,
    fields: RequestFields,
}

impl FieldReader {
    fn take(&mut self, name: &str, value: &[u8]) -> Result<(), HeadRefusal> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let text = || std::str::from_utf8(value).map(str::trim).ok();
        let kept = || {
            let text = text().filter(|text| text.len() <= MAX_KEPT_BYTES);
            text.map(str::to_owned)
        };
        if is("host") {
            self.hosts += 1;
            if self.hosts > 1 {
                return Err(bad("two Host header fields"));
            }
            if !text().is_some_and(is_host) {
                return Err(bad("malformed Host header field"));
            }
        } else if is("transfer-encoding") {
            return Err(bad("Transfer-Encoding: a request body is not taken"));
        } else if is("content-length") {
            self.lengths += 1;
            if self.lengths > 1 {
                return Err(bad("two Content-Length header fields"));
            }
            if value != b"0" {
                return Err(bad("Content-Length: a request body is not taken"));
            }
        } else if is("connection") {
            for token in text().unwrap_or_default().split(',') {
                let token = token.trim();
                self.close |= token.eq_ignore_ascii_case("close");
                self.keep_alive |= token.eq_ignore_ascii_case("keep-alive");
            }
        } else if is("authorization") {
            self.fields.authorization = once(self.fields.authorization.take(), kept())?;
        } else if is("range") {
            self.fields.range = once(self.fields.range.take(), kept())?;
        } else if is("if-range") {
            self.fields.if_range = once(self.fields.if_range.take(), kept())?;
        } else if is("if-none-match") {
            // A list: several fields are one.
            self.fields.if_none_match = match (self.fields.if_none_match.take(), kept()) {
                (Some(one), Some(two)) => Some(format!("{one}, {two}")),
                (one, two) => one.or(two),
            };
        } else if is("disable-module-fetch") {
            self.fields.disable_module_fetch |= text() == Some("true");
        } else if is("x-request-id") {
            self.fields.request_id = kept();
        } else if is("traceparent") {
            self.fields.traceparent = kept();
        } else if is("user-agent") {
            self.fields.user_agent = kept();
        } else if is("accept") {
            self.fields.accept = kept();
        }
        Ok(())
    }
}

/// A field that may be there once, and whose values would contradict each other.
fn once(before: Option<String>, now: Option<String>) -> Result<Option<String>, HeadRefusal> {
    match (before, now) {
        (Some(_), _) => Err(bad("a header field that may be sent once was sent twice")),
        (None, now) => Ok(now),
    }
}

/// A host and perhaps a port, by the characters alone.
fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Http1Request, HeadRefusal> {
        match find_end(text, 0)? {
            HeadExtent::Whole(end) => parse_head(&text[..end]),
            HeadExtent::Unfinished(_) => {
                panic!("{:?} is no whole head", String::from_utf8_lossy(text))
            }
        }
    }

    fn status(text: &str) -> u16 {
        read(text.as_bytes()).map_or_else(|refusal| refusal.status, |_| 200)
    }

    #[test]
    fn heads_are_taken_in_one_form() {
        let table = [
            ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 200),
            ("HEAD /a HTTP/1.1\r\nhOST:h:80\r\n\r\n", 200),
            ("GET /a HTTP/1.0\r\n\r\n", 200),
            ("GET /a HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n", 200),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                200,
            ),
            ("GET /a HTTP/1.1\r\nHost: h\r\nX: \tv \t\r\n\r\n", 200),
            ("GET /a HTTP/1.1\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost:\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
            ("GET /a HTTP/1.0\r\nHost: h\r\nHost: g\r\n\r\n", 400),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 00\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 0\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: x\r\n\r\n",
                400,
            ),
            ("GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\n Host: h\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost : h\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: h\r\nX: a\x7fb\r\n\r\n", 400),
            ("GET /a HTTP/1.1\nHost: h\n\n", 400),
            ("GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /a\r\nHost: h\r\n\r\n", 400),
            ("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /\"a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /a HTTP/1.2\r\nHost: h\r\n\r\n", 505),
            ("GET /a HTTP/2.0\r\nHost: h\r\n\r\n", 505),
            ("POST /a HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("get /a HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            (
                "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
                400,
            ),
            (
                "GET /a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\nRange: bytes=1-\r\n\r\n",
                400,
            ),
        ];
        for (head, want) in table {
            assert_eq!(status(head), want, "{head:?}");
        }
    }

    #[test]
    fn raw_utf_8_in_a_target_is_refused_and_in_a_value_is_not() {
        assert_eq!(status("GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
        assert_eq!(
            status("GET /a HTTP/1.1\r\nHost: h\r\nX: \u{e9}\r\n\r\n"),
            200
        );
    }

    #[test]
    fn bytes_that_trickle_are_looked_at_once_and_end_where_they_do() {
        let head = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b";
        let mut seen = 0;
        for length in 1..=head.len() {
            match find_end(&head[..length], seen).unwrap() {
                HeadExtent::Unfinished(looked) => {
                    assert!(looked >= seen && looked <= length);
                    seen = looked;
                    assert!(length < 28);
                }
                HeadExtent::Whole(end) => {
                    assert_eq!((end, length), (28, 28));
                    return;
                }
            }
        }
        panic!("the head has an end");
    }

    #[test]
    fn a_head_is_no_longer_than_its_limit() {
        let head = |pad: usize| {
            format!(
                "GET /a HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n",
                "a".repeat(pad)
            )
        };
        let spare = MAX_HEAD_BYTES - head(0).len();
        assert_eq!(status(&head(spare)), 200);
        assert_eq!(status(&head(spare + 1)), 400);
        let endless = vec![b'a'; MAX_HEAD_BYTES];
        assert_eq!(find_end(&endless, 0).unwrap_err().status, 400);
        let many = "X: y\r\n".repeat(MAX_FIELDS);
        assert_eq!(
            status(&format!("GET /a HTTP/1.1\r\nHost: h\r\n{many}\r\n")),
            400
        );
    }

    #[test]
    fn connections_are_kept_as_the_version_has_it() {
        let keeps = |head: &str| read(head.as_bytes()).unwrap().keep_alive;
        assert!(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert!(!keeps(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"
        ));
        assert!(!keeps("GET / HTTP/1.0\r\n\r\n"));
        assert!(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
        assert!(!keeps(
            "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"
        ));
    }

    #[test]
    fn fields_that_mean_something_are_kept() {
        let head = "GET /a HTTP/1.1\r\nHost: h\r\nRANGE:  bytes=1-2 \r\nIf-None-Match: \"a\"\r\n\
                    If-None-Match: \"b\"\r\nDisable-Module-Fetch: true\r\nAuthorization: x\r\n\r\n";
        let fields = read(head.as_bytes()).unwrap().fields;
        assert_eq!(fields.range.as_deref(), Some("bytes=1-2"));
        assert_eq!(fields.if_none_match.as_deref(), Some("\"a\", \"b\""));
        assert_eq!(fields.authorization.as_deref(), Some("x"));
        assert!(fields.disable_module_fetch);
    }
}
