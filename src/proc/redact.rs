//! Output of programs, fit for a message.

/// Stands for what is secret.
const HIDDEN: &str = "xxxxx";

/// A text without what was declared secret, and without users and passwords in URLs.
///
/// `https://user:password@host/` becomes `https://xxxxx@host/`. A user that is the protocol's own is
/// kept: `ssh://git@host/`. Characters that steer a terminal become `?`.
pub(crate) fn redact(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, HIDDEN);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after
            .find(|c: char| {
                c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\'' | '"' | '<' | '>')
            })
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some(("git" | "hg" | "svn", _)) => shown.push_str(authority),
            Some((_, host)) => {
                shown.push_str(HIDDEN);
                shown.push('@');
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = tail;
    }
    shown.push_str(rest);
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    shown.replace(steers, "?")
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn secrets_and_users_of_urls_are_hidden() {
        let rows = [
            ("fatal: no such ref", "fatal: no such ref"),
            (
                "unable to access 'https://u:p@h.com/a?b@c': 403",
                "unable to access 'https://xxxxx@h.com/a?b@c': 403",
            ),
            (
                "https://token@h.com and http://h.com/x@y",
                "https://xxxxx@h.com and http://h.com/x@y",
            ),
            (
                "ssh://git@h.com/a git@h.com:a",
                "ssh://git@h.com/a git@h.com:a",
            ),
            ("https://a@b@h.com", "https://xxxxx@h.com"),
            ("header: s3cret!", "header: xxxxx"),
            ("\u{1b}[31mred", "?[31mred"),
            ("://", "://"),
        ];
        for (text, want) in rows {
            assert_eq!(redact(text, &["s3cret!", ""]), want, "{text}");
        }
    }
}
