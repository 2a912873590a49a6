//! Where a store is: `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&path-style=BOOL`.
//!
//! What the URL does not say comes from the usual AWS variables and files.

use std::fmt;

use super::sigv4::canonical_path;
use crate::error::{Error, Kind, Result};
use crate::http::Url;

/// A bucket, and the beginning of all keys in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorePlace {
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) path_style: Option<bool>,
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.prefix.trim_end_matches('/');
        match prefix {
            "" => write!(f, "s3://{}", self.bucket),
            _ => write!(f, "s3://{}/{prefix}", self.bucket),
        }
    }
}

impl StorePlace {
    /// True for a text that is meant as the place of a store.
    #[must_use]
    pub fn is_named_by(text: &str) -> bool {
        text.starts_with("s3://")
    }

    /// Reads `s3://BUCKET/PREFIX?OPTIONS`.
    ///
    /// # Errors
    /// [`Kind::Usage`].
    pub fn parse(text: &str) -> Result<StorePlace> {
        let unfit = |reason: &str| {
            let shown = Url::redact_text(text);
            Error::new(Kind::Usage, format!("store {shown}: {reason}")).hint(
                "a store is s3://BUCKET/PREFIX, perhaps with ?endpoint=URL&region=NAME&path-style=true",
            )
        };
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| unfit("want s3://BUCKET/PREFIX"))?;
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Err(unfit("not the name of a bucket"));
        }
        let prefix = prefix.trim_matches('/');
        let is_bad = |element: &str| matches!(element, "" | "." | "..");
        if !prefix.is_empty() && prefix.split('/').any(is_bad) || prefix.contains(char::is_control)
        {
            return Err(unfit("not a prefix of keys"));
        }
        let mut place = StorePlace {
            bucket: bucket.to_owned(),
            prefix: match prefix {
                "" => String::new(),
                _ => format!("{prefix}/"),
            },
            endpoint: None,
            region: None,
            path_style: None,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("endpoint", url)) => place.endpoint = Some(url.to_owned()),
                Some(("region", name)) => place.region = Some(name.to_owned()),
                Some(("path-style", "true")) => place.path_style = Some(true),
                Some(("path-style", "false")) => place.path_style = Some(false),
                _ => return Err(unfit("an option that is not known")),
            }
        }
        Ok(place)
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of a name of the tree.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The name of the tree that a key is for.
    pub(super) fn name<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&self.prefix)
    }
}

/// How the bucket is addressed.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// As `https://s3.eu-central-1.amazonaws.com`, without a slash at its end.
    base: String,
    /// The host of the URL, with its port if that is not the usual one.
    pub(super) host: String,
    pub(super) region: String,
    /// Before each key, encoded: `/` or `/BUCKET/`.
    root: String,
}

impl Endpoint {
    /// Of a bucket in `region`, at `endpoint` if that is not AWS itself.
    pub(super) fn new(
        place: &StorePlace,
        endpoint: Option<&str>,
        region: String,
    ) -> Result<Endpoint> {
        // As the SDKs, a name of its own for each bucket, where certificate and DNS are known to have it.
        let path_style =
            (place.path_style).unwrap_or(endpoint.is_some() || place.bucket.contains('.'));
        let aws = match region.starts_with("cn-") {
            true => format!("https://s3.{region}.amazonaws.com.cn"),
            false => format!("https://s3.{region}.amazonaws.com"),
        };
        let endpoint = endpoint.unwrap_or(&aws).trim_end_matches('/');
        let malformed = || {
            let shown = Url::redact_text(endpoint);
            let text = format!("endpoint {shown} of {place}: want http://HOST or https://HOST");
            Error::new(Kind::Input, text)
        };
        let (scheme, rest) = endpoint.split_once("://").ok_or_else(malformed)?;
        let (host, below) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains(['@', '?', '#'])
        {
            return Err(malformed());
        }
        let usual = if scheme == "http" { ":80" } else { ":443" };
        let host = host.strip_suffix(usual).unwrap_or(host);
        let below = match below {
            "" => String::new(),
            _ => format!("/{below}"),
        };
        let (host, root) = match path_style {
            true => (host.to_owned(), format!("{below}/{}/", place.bucket)),
            false => (format!("{}.{host}", place.bucket), format!("{below}/")),
        };
        let base = format!("{scheme}://{host}");
        Url::parse(&base)?;
        Ok(Endpoint {
            base,
            host,
            region,
            root: canonical_path(&root),
        })
    }

    /// True without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.base.starts_with("http:")
    }

    /// The path of a key, encoded.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}{}", self.root, canonical_path(key))
    }

    /// The URL of a path of [`Endpoint::path`], with a query or none.
    pub(super) fn url(&self, path: &str, query: &str) -> Result<Url> {
        let mark = if query.is_empty() { "" } else { "?" };
        Url::parse(&format!("{}{path}{mark}{query}", self.base))
    }

    /// The same as text, for others.
    pub(super) fn text(&self, path: &str, query: &str) -> String {
        format!("{}{path}?{query}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let place = StorePlace::parse(
            "s3://mods/go/proxy/?endpoint=http://h:3900&region=garage&path-style=true",
        )
        .unwrap();
        assert_eq!(place.to_string(), "s3://mods/go/proxy");
        assert_eq!(place.key("a.com/@v/list"), "go/proxy/a.com/@v/list");
        assert_eq!(place.name("go/proxy/x"), Some("x"));
        assert_eq!(place.endpoint.as_deref(), Some("http://h:3900"));
        assert_eq!(StorePlace::parse("s3://b").unwrap().key("x"), "x");
        for bad in [
            "s3://",
            "s3:///x",
            "s3://b/../x",
            "s3://b/x//y",
            "s3://a b",
            "http://b",
            "s3://b?x=1",
            "s3://b?path-style=maybe",
        ] {
            assert_eq!(
                StorePlace::parse(bad).unwrap_err().kind(),
                Kind::Usage,
                "{bad}"
            );
        }
    }

    #[test]
    fn buckets_are_addressed_by_path_or_by_host() {
        let rows = [
            ("s3://b/p", None, "https://b.s3.eu-west-1.amazonaws.com/p/k"),
            (
                "s3://b.c/p",
                None,
                "https://s3.eu-west-1.amazonaws.com/b.c/p/k",
            ),
            ("s3://b", Some("http://h:3900/"), "http://h:3900/b/k"),
            (
                "s3://b?path-style=false",
                Some("https://h:443"),
                "https://b.h/k",
            ),
            ("s3://b", Some("http://h/s3"), "http://h/s3/b/k"),
        ];
        for (text, endpoint, want) in rows {
            let place = StorePlace::parse(text).unwrap();
            let endpoint = Endpoint::new(&place, endpoint, "eu-west-1".into()).unwrap();
            let url = endpoint.url(&endpoint.path(&place.key("k")), "").unwrap();
            assert_eq!(url.to_string(), want);
        }
        let place = StorePlace::parse("s3://b").unwrap();
        for bad in ["h:3900", "ftp://h", "https://user:pw@h"] {
            let error = Endpoint::new(&place, Some(bad), "r".into()).unwrap_err();
            assert!(!error.chain().contains("pw"), "{}", error.chain());
        }
    }
}
