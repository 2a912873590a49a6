//! One server: what was observed of it, and what that means.

use std::time::Duration;

use super::check::Check;
use crate::error::{Error, Kind};
use crate::event::Timings;
use crate::http::{Certificate, Probe, ProbeAnswer, ProbeCredentials, Scheme, Url};

/// A certificate that ends sooner is worth a word: whoever renews it has less than this.
const EXPIRES_SOON_SECONDS: i64 = 14 * 86_400;

/// Clocks of machines that are looked after agree to a second or so.
const SKEW_WARNING_SECONDS: u64 = 60;

/// From here on signed URLs of common object stores are refused.
const SKEW_FAILED_SECONDS: u64 = 15 * 60;

/// What was observed of a server.
pub(super) struct Observed {
    /// What was asked for.
    pub(super) url: Url,
    /// The HTTP proxy in between, printable.
    pub(super) through: Result<Option<String>, Error>,
    pub(super) probe: Probe,
    /// Which credentials it is sent.
    pub(super) credentials: Result<Option<ProbeCredentials>, Error>,
    /// Our clock, in seconds since 1970.
    pub(super) now: i64,
}

/// The verdicts, in the order in which a request goes.
pub(super) fn verdicts(observed: &Observed) -> Vec<Check> {
    let through = match &observed.through {
        Ok(through) => through.as_deref(),
        Err(error) => {
            let mut checks = vec![Check::error("route", error)];
            checks.extend(skipped(observed, 0));
            checks.push(credentials(observed));
            return checks;
        }
    };
    let route = match through {
        Some(proxy) => format!("through the HTTP proxy {proxy}"),
        None => "direct".to_owned(),
    };
    let mut checks = vec![Check::ok("route", route)];
    let reached = way(observed, through.is_some());
    let done = reached.len();
    checks.extend(reached);
    checks.extend(skipped(observed, done));
    checks.push(clock(observed.probe.answer.as_ref().ok()));
    checks.push(credentials(observed));
    checks
}

/// The names of the steps to an answer.
fn step_names(observed: &Observed) -> Vec<&'static str> {
    let secure = observed.url.scheme() == Scheme::Https;
    let proxied = matches!(observed.through, Ok(Some(_)));
    let mut names = vec!["dns", "connect"];
    names.extend((secure && proxied).then_some("tunnel"));
    names.extend(["tls", "answer"]);
    names
}

/// What was not come to.
fn skipped(observed: &Observed, done: usize) -> Vec<Check> {
    let rest = step_names(observed).into_iter().skip(done);
    rest.map(|name| Check::skipped(name, "not reached"))
        .collect()
}

/// The steps as far as they went, the last of them with what failed.
fn way(observed: &Observed, proxied: bool) -> Vec<Check> {
    let Probe { steps, answer, .. } = &observed.probe;
    let mut checks = Vec::new();
    for name in step_names(observed) {
        let passed = match name {
            "dns" => steps.lookup.map(|time| addresses(steps, proxied, time)),
            "connect" => steps.connect.map(|time| Check::ok(name, took(time))),
            "tunnel" => steps.tunnel.map(|time| Check::ok(name, took(time))),
            "tls" if observed.url.scheme() != Scheme::Https => {
                Some(Check::skipped(name, "plain http"))
            }
            "tls" => steps.tls.map(|time| tls(steps, time, observed.now)),
            _ => answer
                .as_ref()
                .ok()
                .map(|answer| answered(observed, answer)),
        };
        match (passed, answer) {
            (Some(check), _) => checks.push(check),
            // What was refused before anything was sent is not the fault of the first step.
            (None, Err(error)) if name == "dns" && error.kind() != Kind::Network => {
                checks.push(Check::skipped(name, "not asked"));
                checks.push(Check::skipped("connect", "not asked"));
                let rest = step_names(observed).into_iter().skip(2);
                let rest: Vec<&str> = rest.collect();
                for name in rest {
                    checks.push(if name == "answer" {
                        failure(name, &observed.url, error)
                    } else {
                        Check::skipped(name, "not asked")
                    });
                }
                break;
            }
            (None, Err(error)) => {
                checks.push(failure(name, &observed.url, error));
                break;
            }
            // An answer that came without one of the steps needed none.
            (None, Ok(_)) => checks.push(Check::ok(name, "not needed")),
        }
    }
    checks
}

/// The reason without the URL, which the section names.
fn failure(name: &'static str, url: &Url, error: &Error) -> Check {
    let chain = error.chain();
    let start = format!("reading {}: ", url.redacted());
    let mut check = Check::error(name, error);
    check.seen = chain.strip_prefix(&start).unwrap_or(&chain).to_owned();
    if check.next.is_empty() {
        let step = match name {
            "dns" => "see if the name is right and what the resolver of this machine says",
            "connect" => "see if it runs and if a firewall or HTTPS_PROXY stands between",
            "tunnel" => "see HTTPS_PROXY and NO_PROXY, and if the HTTP proxy lets this host pass",
            _ => return check,
        };
        check.next.push(step.to_owned());
    }
    check
}

fn took(time: Duration) -> String {
    format!("{:.3}s", time.as_secs_f64())
}

fn addresses(steps: &Timings, proxied: bool, time: Duration) -> Check {
    let mut shown: Vec<String> = steps
        .addresses
        .iter()
        .take(3)
        .map(|address| address.ip().to_string())
        .collect();
    let more = steps.addresses.len().saturating_sub(shown.len());
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    let whose = if proxied { "of the HTTP proxy, " } else { "" };
    Check::ok(
        "dns",
        format!("{}, {whose}{}", shown.join(", "), took(time)),
    )
}

fn tls(steps: &Timings, time: Duration, now: i64) -> Check {
    let certificate = steps.certificate.as_deref().and_then(Certificate::parse);
    let Some(certificate) = certificate else {
        return Check::ok(
            "tls",
            format!("a certificate of unknown form, {}", took(time)),
        );
    };
    let (issuer, last) = (&certificate.issuer, &certificate.last_day);
    let seen = format!("issued by {issuer:?}, expires {last}, {}", took(time));
    if certificate.not_after.saturating_sub(now) < EXPIRES_SOON_SECONDS {
        return Check::warning("tls", seen).next("have the certificate renewed");
    }
    Check::ok("tls", seen)
}

fn answered(observed: &Observed, answer: &ProbeAnswer) -> Check {
    let mut seen = format!("{} for {}", answer.status, observed.url);
    if answer.url != observed.url.redacted() {
        seen.push_str(&format!(", redirected to {}", answer.url));
    }
    if let Some(time) = observed.probe.first_byte {
        seen.push_str(&format!(", first byte {}", took(time)));
    }
    match answer.code {
        // A proxy has no page of its own, and need not serve the checksum database.
        200..=299 | 404 | 410 => Check::ok("answer", seen),
        401 | 403 => Check::failed("answer", seen).next(match observed.credentials {
            Ok(Some(_)) => {
                "the credentials below were refused: see if they are right and still valid"
            }
            _ => "credentials are wanted, and none are known for it",
        }),
        407 => Check::failed("answer", seen)
            .next("put user:password@ into the URL in HTTP_PROXY or HTTPS_PROXY"),
        429 => Check::warning("answer", seen).next("it limits requests: see --jobs-per-host"),
        500.. => Check::failed("answer", seen).next("the server is in trouble: try again later"),
        _ => Check::warning("answer", seen).next("see if the URL is that of a module proxy"),
    }
}

fn clock(answer: Option<&ProbeAnswer>) -> Check {
    let Some(answer) = answer else {
        return Check::skipped("clock", "not reached");
    };
    let Some(ahead) = answer.ahead else {
        return Check::skipped("clock", "the server does not say what time it has");
    };
    let apart = ahead.unsigned_abs();
    if apart <= SKEW_WARNING_SECONDS {
        return Check::ok("clock", format!("{apart} s apart"));
    }
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let seen = format!("our clock is {} {side} the server's", span(apart));
    let check = if apart < SKEW_FAILED_SECONDS {
        Check::warning("clock", seen)
    } else {
        Check::failed("clock", seen)
    };
    check.next("set the clock: certificates and signed URLs are judged by it")
}

/// Seconds in the two largest units.
fn span(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (1.., _) => format!("{days} d {hours} h"),
        (0, 1..) => format!("{hours} h {minutes} min"),
        (0, 0) => format!("{minutes} min {rest} s"),
    }
}

fn credentials(observed: &Observed) -> Check {
    match &observed.credentials {
        Ok(None) => Check::ok("credentials", "none"),
        Ok(Some(known)) if known.allowed => Check::ok("credentials", known.source.as_str()),
        Ok(Some(known)) => Check::failed("credentials", known.source.as_str()).next(
            "they are not sent over plain http: use https, or name the host with \
             --allow-insecure-auth",
        ),
        Err(error) => Check::error("credentials", error),
    }
}

/// Whether a cut transfer can go on where it was cut: what the server said to a request for all
/// but the first byte of a zip that it should have.
pub(super) fn ranges(url: &Url, answer: &Result<ProbeAnswer, Error>) -> Check {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return failure("ranges", url, error),
    };
    let seen = format!("{} for {}", answer.status, url);
    match (answer.code, answer.strong_tag, answer.last_modified) {
        (206, true, _) => Check::ok("ranges", format!("{seen}, with an entity tag")),
        (206, false, true) => Check::ok("ranges", format!("{seen}, with Last-Modified")),
        (206, false, false) => Check::warning("ranges", format!("{seen}, without a validator"))
            .next("a cut transfer starts again from its first byte"),
        (200, ..) => Check::warning("ranges", format!("{seen} in spite of Range"))
            .next("a cut transfer starts again from its first byte"),
        (401 | 403 | 429 | 500.., ..) => Check::warning("ranges", seen),
        // It does not have the module, whatever it calls that.
        _ => Check::skipped("ranges", seen),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckStatus;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn answer(code: u16) -> ProbeAnswer {
        ProbeAnswer {
            url: Url::parse("https://h.com/x").unwrap().redacted(),
            code,
            status: format!("{code} Some"),
            ahead: Some(0),
            strong_tag: false,
            last_modified: false,
            body: Vec::new(),
        }
    }

    fn observed(url: &str, steps: usize, answer: Result<ProbeAnswer, Error>) -> Observed {
        let time = |step| (steps > step).then_some(Duration::from_millis(1));
        let steps = Timings {
            lookup: time(0),
            connect: time(1),
            tls: time(2),
            addresses: vec!["10.0.0.1:443".parse().unwrap(); 5],
            ..Timings::default()
        };
        Observed {
            url: Url::parse(url).unwrap(),
            through: Ok(None),
            probe: Probe {
                steps,
                first_byte: None,
                answer,
            },
            credentials: Ok(None),
            now: NOW,
        }
    }

    fn told(observed: &Observed) -> Vec<(&'static str, CheckStatus)> {
        let checks = verdicts(observed);
        checks
            .iter()
            .map(|check| (check.name, check.status))
            .collect()
    }

    fn network(url: &str) -> Error {
        Error::new(Kind::Network, format!("reading {url}")).because(std::io::Error::other("no"))
    }

    #[test]
    fn the_step_that_failed_is_the_one_that_is_blamed() {
        use CheckStatus::{Failed, Ok as Good, Skipped};
        let names = ["dns", "connect", "tls", "answer"];
        for failing in 0..names.len() {
            let url = "https://h.com/x";
            let checks = verdicts(&observed(url, failing, Err(network(url))));
            for (at, name) in names.iter().enumerate() {
                let check = &checks[at + 1];
                let want = match at.cmp(&failing) {
                    std::cmp::Ordering::Less => Good,
                    std::cmp::Ordering::Equal => Failed,
                    std::cmp::Ordering::Greater => Skipped,
                };
                assert_eq!((check.name, check.status), (*name, want));
                assert!(want != Failed || check.seen == "no", "{}", check.seen);
            }
        }
        // Refused before it went out.
        let refused = Error::new(Kind::Auth, "refusing to pass credentials");
        let got = told(&observed("http://h.com/x", 0, Err(refused)));
        let rest = [
            ("route", Good),
            ("dns", Skipped),
            ("connect", Skipped),
            ("tls", Skipped),
            ("answer", Failed),
            ("clock", Skipped),
            ("credentials", Good),
        ];
        assert_eq!(got, rest);
        // A proxy that cannot be used.
        let mut bad = observed("https://h.com/x", 0, Err(network("x")));
        bad.through = Err(Error::new(Kind::Input, "HTTPS_PROXY: no"));
        assert_eq!(told(&bad)[0], ("route", Failed));
        assert_eq!(told(&bad).len(), 6);
        // A tunnel that was refused.
        let mut proxied = observed("https://h.com/x", 2, Err(network("x")));
        proxied.through = Ok(Some("http://p".to_owned()));
        assert_eq!(told(&proxied)[3], ("tunnel", Failed));
    }

    #[test]
    fn any_answer_of_a_server_that_is_well_will_do() {
        use CheckStatus::{Failed, Ok as Good, Warning};
        let rows = [
            (200, Good),
            (404, Good),
            (410, Good),
            (400, Warning),
            (429, Warning),
            (401, Failed),
            (403, Failed),
            (407, Failed),
            (500, Failed),
            (503, Failed),
        ];
        for (code, want) in rows {
            let got = told(&observed("https://h.com/x", 3, Ok(answer(code))));
            assert_eq!(got[4], ("answer", want), "{code}");
        }
    }

    #[test]
    fn clocks_and_credentials_are_judged() {
        use CheckStatus::{Failed, Ok as Good, Skipped, Warning};
        let rows = [
            (Some(0), Good, "0 s apart"),
            (Some(-60), Good, "60 s apart"),
            (
                Some(61),
                Warning,
                "our clock is 1 min 1 s behind the server's",
            ),
            (
                Some(-899),
                Warning,
                "our clock is 14 min 59 s ahead of the server's",
            ),
            (
                Some(900),
                Failed,
                "our clock is 15 min 0 s behind the server's",
            ),
            (
                Some(-7260),
                Failed,
                "our clock is 2 h 1 min ahead of the server's",
            ),
            (
                Some(180_000),
                Failed,
                "our clock is 2 d 2 h behind the server's",
            ),
            (None, Skipped, "the server does not say what time it has"),
        ];
        for (ahead, want, seen) in rows {
            let answer = ProbeAnswer {
                ahead,
                ..answer(200)
            };
            let check = clock(Some(&answer));
            assert_eq!((check.status, check.seen.as_str()), (want, seen));
        }
        for (allowed, want) in [(true, Good), (false, Failed)] {
            let mut with = observed("http://h.com/x", 2, Ok(answer(200)));
            let source = "user and password in the URL".to_owned();
            with.credentials = Ok(Some(ProbeCredentials { source, allowed }));
            assert_eq!(credentials(&with).status, want);
        }
    }

    #[test]
    fn only_a_part_with_a_validator_can_go_on() {
        use CheckStatus::{Ok as Good, Skipped, Warning};
        let rows = [
            (206, true, false, Good),
            (206, false, true, Good),
            (206, false, false, Warning),
            (200, true, true, Warning),
            (404, false, false, Skipped),
            (400, true, false, Skipped),
            (403, false, false, Warning),
            (503, false, false, Warning),
        ];
        let url = Url::parse("https://h.com/x").unwrap();
        for (code, strong_tag, last_modified, want) in rows {
            let answer = ProbeAnswer {
                strong_tag,
                last_modified,
                ..answer(code)
            };
            assert_eq!(ranges(&url, &Ok(answer)).status, want, "{code}");
        }
    }
}
