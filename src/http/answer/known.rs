//! Asking again for what was received before: `If-None-Match`, `If-Modified-Since`, 304.
//!
//! Who puts the same question again and again, as a server does for lists that may have grown, keeps the bodies in a
//! [`KnownBodies`]. A request then says what is known, and an answer with status 304 stands for that body. A date of
//! modification is sent only if it was old enough when it was stated, as for going on with a body (`resume`); a weak
//! entity tag is enough, since a body is used as a whole. Validators go to the URL alone that stated them: where a
//! redirect leads elsewhere, the body comes again.
//!
//! Source: RFC 9110, 13.1.2, 13.1.3, 15.4.5.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ureq::http::{HeaderMap, HeaderName, header};

use super::resume::Validator;
use crate::http::url::Url;

/// The longest entity tag that is kept.
const MAX_TAG_BYTES: usize = 512;

/// A longer body comes again each time.
const MAX_BODY_BYTES: usize = 1 << 20;

/// How many bytes are kept in all; then everything is forgotten.
const MAX_BYTES: usize = 32 << 20;

/// Small bodies of earlier answers, in memory, shared by many requests.
#[derive(Default)]
pub struct KnownBodies {
    table: Mutex<KnownTable>,
}

#[derive(Default)]
struct KnownTable {
    /// By the URL that was asked for, as it goes over the wire.
    bodies: HashMap<String, Arc<KnownBody>>,
    bytes: usize,
}

struct KnownBody {
    body: Vec<u8>,
    validators: Validators,
}

/// By what a body is recognized, and by whom.
struct Validators {
    /// The URL that answered.
    url: String,
    headers: Vec<(HeaderName, String)>,
}

impl fmt::Debug for KnownBodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownBodies").finish_non_exhaustive()
    }
}

impl KnownBodies {
    fn table(&self) -> std::sync::MutexGuard<'_, KnownTable> {
        // Every change is complete before the guard goes; the count may be off, and only bounds.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a question.
    pub(in crate::http) fn question(&self, url: &Url) -> KnownQuestion<'_> {
        let url = url.wire();
        KnownQuestion {
            known: self.table().bodies.get(&url).cloned(),
            bodies: self,
            url,
            stated: RefCell::new(None),
            unchanged: Cell::new(false),
        }
    }

    fn remember(&self, url: String, known: KnownBody) {
        let mut table = self.table();
        if table.bytes + known.body.len() > MAX_BYTES {
            *table = KnownTable::default();
        }
        table.bytes += known.body.len();
        if let Some(before) = table.bodies.insert(url, Arc::new(known)) {
            table.bytes -= before.body.len();
        }
    }

    fn forget(&self, url: &str) {
        let mut table = self.table();
        if let Some(before) = table.bodies.remove(url) {
            table.bytes -= before.body.len();
        }
    }
}

/// A request for what may be known.
pub(in crate::http) struct KnownQuestion<'k> {
    bodies: &'k KnownBodies,
    url: String,
    known: Option<Arc<KnownBody>>,
    stated: RefCell<Option<Validators>>,
    unchanged: Cell<bool>,
}

impl KnownQuestion<'_> {
    fn known_of(&self, url: &Url) -> Option<&KnownBody> {
        let known = self.known.as_deref()?;
        (known.validators.url == url.wire()).then_some(known)
    }

    /// The headers that tell `url` what is known.
    pub(in crate::http) fn headers(&self, url: &Url) -> Vec<(HeaderName, String)> {
        let known = self.known_of(url);
        known.map_or_else(Vec::new, |known| known.validators.headers.clone())
    }

    /// `url` says that nothing has changed. False if nothing was known that it could mean.
    pub(in crate::http) fn confirm(&self, url: &Url) -> bool {
        self.unchanged.set(self.known_of(url).is_some());
        self.unchanged.get()
    }

    /// `url` answers with a body and these headers.
    pub(in crate::http) fn stated(&self, url: &Url, headers: &HeaderMap, now: SystemTime) {
        self.stated.replace(Validators::of(url, headers, now));
    }

    /// The body that counts: that which came, or that which is known. What came is known from now on.
    pub(in crate::http) fn settle(self, came: Vec<u8>) -> Vec<u8> {
        if self.unchanged.get()
            && let Some(known) = self.known
        {
            return known.body.clone();
        }
        let stated = self.stated.into_inner();
        match stated.filter(|_| came.len() <= MAX_BODY_BYTES) {
            Some(validators) => {
                let body = came.clone();
                self.bodies
                    .remember(self.url, KnownBody { body, validators });
            }
            None => self.bodies.forget(&self.url),
        }
        came
    }
}

impl Validators {
    fn of(url: &Url, headers: &HeaderMap, now: SystemTime) -> Option<Validators> {
        let mut tags = headers.get_all(header::ETAG).iter();
        let condition = match (tags.next(), tags.next()) {
            (Some(tag), None) => {
                let tag = tag.to_str().ok().filter(|tag| is_tag(tag))?;
                (header::IF_NONE_MATCH, tag.to_owned())
            }
            (Some(_), Some(_)) => return None,
            (None, _) => {
                let date = Validator::of(headers, now)?;
                (header::IF_MODIFIED_SINCE, date.as_str().to_owned())
            }
        };
        Some(Validators {
            url: url.wire(),
            headers: vec![condition],
        })
    }
}

/// An entity tag, weak or strong.
fn is_tag(text: &str) -> bool {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_good = |inner: &str| inner.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    text.len() <= MAX_TAG_BYTES && inner.is_some_and(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};
    use ureq::http::HeaderValue;

    /// 1994-11-06 08:49:37 UTC
    const NOW: Duration = Duration::from_secs(784_111_777);

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = lines.iter();
        pairs
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    fn conditions(lines: &[(HeaderName, &'static str)]) -> Option<(HeaderName, String)> {
        let found = Validators::of(&url("http://h/x"), &headers(lines), UNIX_EPOCH + NOW)?;
        found.headers.into_iter().next()
    }

    #[test]
    fn tags_are_asked_about_and_dates_that_have_settled() {
        let date = (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        let old = (header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:00 GMT");
        let fresh = (header::LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT");
        let tag = |text: &str| Some((header::IF_NONE_MATCH, text.to_owned()));
        let since = Some((header::IF_MODIFIED_SINCE, old.1.to_owned()));
        assert_eq!(conditions(&[(header::ETAG, "\"a\"")]), tag("\"a\""));
        assert_eq!(conditions(&[(header::ETAG, "W/\"a\"")]), tag("W/\"a\""));
        assert_eq!(conditions(&[(header::ETAG, "a")]), None);
        assert_eq!(conditions(&[date.clone(), old]), since);
        assert_eq!(conditions(&[date, fresh]), None);
        assert_eq!(conditions(&[]), None);
    }

    #[test]
    fn a_body_is_known_until_another_comes() {
        let bodies = KnownBodies::default();
        let asked = url("http://h/list");
        let elsewhere = url("http://h/other");
        let come = |tag: &'static str, body: &[u8]| {
            let question = bodies.question(&asked);
            let stated = headers(&[(header::ETAG, tag)]);
            question.stated(&asked, &stated, UNIX_EPOCH + NOW);
            question.settle(body.to_vec())
        };
        assert!(bodies.question(&asked).headers(&asked).is_empty());
        assert!(!bodies.question(&asked).confirm(&asked));
        assert_eq!(come("\"1\"", b"one"), b"one");
        let question = bodies.question(&asked);
        let sent = question.headers(&asked);
        assert_eq!(sent, [(header::IF_NONE_MATCH, "\"1\"".to_owned())]);
        // Where a redirect led, the tag means nothing.
        assert!(question.headers(&elsewhere).is_empty() && !question.confirm(&elsewhere));
        assert!(question.confirm(&asked));
        assert_eq!(question.settle(Vec::new()), b"one");
        assert_eq!(come("\"2\"", b"two"), b"two");
        let question = bodies.question(&asked);
        assert!(question.confirm(&asked));
        assert_eq!(question.settle(Vec::new()), b"two");
        // A body without a tag.
        come("none", b"three");
        assert!(bodies.question(&asked).headers(&asked).is_empty());
        assert_eq!(bodies.table().bytes, 0);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let bodies = KnownBodies::default();
        let tagged = headers(&[(header::ETAG, "\"1\"")]);
        for number in 0..100 {
            let asked = url(&format!("http://h/{number}"));
            let question = bodies.question(&asked);
            question.stated(&asked, &tagged, UNIX_EPOCH + NOW);
            question.settle(vec![0; MAX_BODY_BYTES]);
            assert!(bodies.table().bytes <= MAX_BYTES);
        }
        let asked = url("http://h/long");
        let question = bodies.question(&asked);
        question.stated(&asked, &tagged, UNIX_EPOCH + NOW);
        question.settle(vec![0; MAX_BODY_BYTES + 1]);
        assert!(bodies.question(&asked).headers(&asked).is_empty());
    }
}
