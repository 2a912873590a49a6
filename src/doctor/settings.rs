//! The settings in force, as they may be shown.

use super::check::ShownSetting;
use crate::config::Setting;
use crate::http::Url;

/// Makes a setting printable.
pub(super) fn row(name: &str, setting: &Setting<String>) -> ShownSetting {
    ShownSetting {
        name: name.to_owned(),
        value: redacted(name, &setting.value),
        origin: setting.origin.to_string(),
    }
}

/// The value without secrets: of URLs no credentials and no query, of commands only the name,
/// since their arguments may be tokens.
fn redacted(name: &str, value: &str) -> String {
    match name {
        "GOAUTH" => {
            let methods = value.split(';').map(|method| {
                let mut words = method.split_whitespace();
                let first = words.next().unwrap_or_default();
                match (first, words.next()) {
                    // `git DIR` has no secret to hide.
                    ("git", Some(_)) | (_, None) => method.trim().to_owned(),
                    _ => format!("{first} ..."),
                }
            });
            methods.collect::<Vec<_>>().join("; ")
        }
        // A password may hold the characters that part entries elsewhere.
        "HTTP_PROXY" | "HTTPS_PROXY" => Url::redact_text(value),
        _ => {
            let is_gap = |c: char| c == ',' || c == '|' || c.is_whitespace();
            let entries = value.split_inclusive(is_gap).map(|entry| {
                let bare = entry.trim_end_matches(is_gap);
                let gap = entry.strip_prefix(bare).unwrap_or_default();
                entry_redacted(bare) + gap
            });
            entries.collect()
        }
    }
}

/// One entry of a list. What begins as a URL and is none may end within a password.
fn entry_redacted(entry: &str) -> String {
    if !entry.contains("://") {
        return Url::redact_text(entry);
    }
    Url::parse(entry).map_or_else(|_| "[redacted]".to_owned(), |url| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let rows = [
            ("GOPROXY", "https://a.com,direct", "https://a.com,direct"),
            (
                "GOPROXY",
                "https://u:s3cret@a.com|https://t0ken@b.com/x?key=s3cret,off",
                "https://u:xxxxx@a.com|https://xxxxx@b.com/x?xxxxx,off",
            ),
            (
                "GOSUMDB",
                "sum.golang.org https://u:s3cret@m.com",
                "sum.golang.org https://u:xxxxx@m.com",
            ),
            (
                "GOPROXY",
                "https://u:s3,cret@a.com,direct",
                "[redacted],xxxxx@a.com,direct",
            ),
            ("HTTP_PROXY", "u:s3,cret@p:3128", "xxxxx@p:3128"),
            ("HTTPS_PROXY", "http://p:3128", "http://p:3128"),
            (
                "GOAUTH",
                "netrc; git /home/x;helper --token s3cret",
                "netrc; git /home/x; helper ...",
            ),
            ("GOPRIVATE", "a.com,*.b.com", "a.com,*.b.com"),
            ("GOMODCACHE", "/home/a b/mod", "/home/a b/mod"),
            ("MODFETCH_JOBS", "64", "64"),
        ];
        for (name, value, want) in rows {
            assert_eq!(redacted(name, value), want, "{name}");
        }
    }
}
