//! Parsers of what a GOAUTH command and `git credential fill` print. What they print is secret,
//! so no message repeats any of it.

use ureq::http::{HeaderName, HeaderValue};

/// One header of a request.
pub(super) type CredentialHeader = (HeaderName, HeaderValue);

/// URLs, and the headers that requests below each of them are to have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) urls: Vec<String>,
    pub(super) headers: Vec<CredentialHeader>,
}

/// What a request says about itself. Such a header of a command could make an answer mean
/// something else, or the connection fall out of step, and identifies no user.
const NOT_CREDENTIALS: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-range",
    "keep-alive",
    "proxy-authorization",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Parses the output of a GOAUTH command.
///
/// Shape: any number of sections, each of URLs, one a line, an empty line, headers `Name: value`,
/// one a line, and an empty line. No output is no section.
///
/// # Errors
/// The reason, in go's words.
///
/// Source: golang/go `cmd/go/internal/auth/userauth.go`, `parseUserAuth`; `go help goauth`.
pub(super) fn parse_command(text: &str) -> Result<Vec<Section>, &'static str> {
    let mut sections = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut section = Section {
            urls: Vec::new(),
            headers: Vec::new(),
        };
        loop {
            let (line, after) = rest
                .split_once('\n')
                .ok_or("invalid format: missing empty line after URLs")?;
            rest = after;
            if line.is_empty() {
                break;
            }
            section.urls.push(line.to_owned());
        }
        loop {
            let (line, after) = rest
                .split_once('\n')
                .ok_or("invalid format: missing empty line after headers")?;
            rest = after;
            if line.is_empty() {
                break;
            }
            let header = parse_header(line).ok_or("invalid format: invalid header line")?;
            if !NOT_CREDENTIALS.contains(&header.0.as_str()) {
                section.headers.push(header);
            }
        }
        sections.push(section);
    }
    Ok(sections)
}

fn parse_header(line: &str) -> Option<CredentialHeader> {
    let (name, value) = line.split_once(": ")?;
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// What `git credential fill` knows.
#[derive(PartialEq, Eq)]
pub(super) struct GitAnswer {
    /// The URL below which it is to be used.
    pub(super) prefix: String,
    pub(super) user: String,
    pub(super) password: String,
}

/// Parses `key=value` lines; of two with the same key the later counts, and `url` stands for
/// protocol, host and path. `None` if there is no host or no password.
///
/// Source: git-credential(1), "INPUT/OUTPUT FORMAT"; golang/go
/// `cmd/go/internal/auth/gitauth.go`, `parseGitAuth`.
pub(super) fn parse_git(text: &str) -> Option<GitAnswer> {
    let (mut protocol, mut host, mut path, mut url) = ("", "", "", None);
    let (mut user, mut password) = ("", None);
    for line in text.split('\n') {
        let Some((key, value)) = line.trim().split_once('=') else {
            continue;
        };
        match key {
            "protocol" => protocol = value,
            "host" => host = value,
            "path" => path = value,
            "username" => user = value,
            "password" => password = Some(value),
            "url" => url = Some(value),
            _ => {}
        }
    }
    let prefix = match url {
        Some(url) => url.to_owned(),
        None if host.is_empty() => return None,
        None => format!("{protocol}://{host}/{}", path.trim_start_matches('/')),
    };
    Some(GitAnswer {
        prefix,
        user: user.to_owned(),
        password: password?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type AttemptOutcome = Vec<(Vec<String>, Vec<(String, String)>)>;

    fn told(text: &str) -> Result<AttemptOutcome, &'static str> {
        let header = |(name, value): CredentialHeader| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        };
        let sections = parse_command(text)?.into_iter();
        Ok(sections
            .map(|section| {
                let headers = section.headers.into_iter().map(header).collect();
                (section.urls, headers)
            })
            .collect())
    }

    #[test]
    fn sections_of_a_command() {
        let own = |urls: &[&str], headers: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            (
                urls.iter().map(|&url| url.to_owned()).collect(),
                headers.iter().map(pair).collect(),
            )
        };
        // The example of `go help goauth`.
        let help = "https://example.com\nhttps://example.net/api/\n\nAuthorization: Basic <token>\n\n\
                    https://another-example.org/\n\nExample: Data\n\n";
        assert_eq!(
            told(help),
            Ok(vec![
                own(
                    &["https://example.com", "https://example.net/api/"],
                    &[("authorization", "Basic <token>")]
                ),
                own(&["https://another-example.org/"], &[("example", "Data")]),
            ])
        );
        assert_eq!(told(""), Ok(vec![]));
        // A section without headers, which takes what was known back.
        assert_eq!(told("https://a\n\n\n"), Ok(vec![own(&["https://a"], &[])]));
        assert_eq!(
            told("https://a\n\nRange: bytes=1-\nHost: b\nX: 1\nX:  2 \n\n"),
            Ok(vec![own(&["https://a"], &[("x", "1"), ("x", "2")])])
        );
    }

    #[test]
    fn what_is_malformed_is_refused_with_gos_texts() {
        // From userauth.go.
        let urls = "invalid format: missing empty line after URLs";
        let headers = "invalid format: missing empty line after headers";
        let line = "invalid format: invalid header line";
        for (text, want) in [
            ("https://a", urls),
            ("https://a\n", urls),
            ("https://a\n\n", headers),
            ("https://a\n\nA: b", headers),
            ("https://a\n\nA: b\n", headers),
            ("https://a\n\nA:b\n\n", line),
            ("https://a\n\nA b: c\n\n", line),
            ("https://a\n\nA: b\u{1}c\n\n", line),
            ("https://a\n\n: c\n\n", line),
        ] {
            assert_eq!(told(text), Err(want), "{text:?}");
        }
    }

    #[test]
    fn what_git_prints() {
        let told = |text: &str| parse_git(text).map(|a| [a.prefix, a.user, a.password]);
        let own = |words: [&str; 3]| Some(words.map(str::to_owned));
        assert_eq!(
            told("protocol=https\nhost=a.com:1\nusername=u\npassword=p=q\n"),
            own(["https://a.com:1/", "u", "p=q"])
        );
        assert_eq!(
            told("protocol=https\nhost=a.com\npath=x/y\nusername=u\npassword=p\nquit=0\n"),
            own(["https://a.com/x/y", "u", "p"])
        );
        assert_eq!(
            told("protocol=https\nhost=b\nurl=https://a.com/x\npassword=p\n"),
            own(["https://a.com/x", "", "p"])
        );
        assert_eq!(told("protocol=https\nhost=a.com\nusername=u\n"), None);
        assert_eq!(told("password=p\n"), None);
    }

    proptest! {
        #[test]
        fn nothing_printed_can_break_a_request(text in "(https://a|[A-Za-z]{1,3}: ?\\PC{0,5}|\n|\\x00|\r){0,20}") {
            for section in parse_command(&text).unwrap_or_default() {
                for (_, value) in section.headers {
                    prop_assert!(!value.as_bytes().iter().any(|b| b"\r\n\0".contains(b)));
                }
            }
            let _ = parse_git(&text);
        }
    }
}
