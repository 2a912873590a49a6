//! Single words: paths, versions, patterns, durations, dates.

use std::time::{Duration, SystemTime};

use modfetch::internals::config::parse_duration;
use modfetch::internals::gomod::Time;
use modfetch::internals::gomod::{
    GoVersion, MatchPattern, PrefixPatterns, canonical, check_file_path, check_import_path,
    check_module_path, compare, escape_version, is_valid, split_path_version,
};
use modfetch::internals::http::parse_retry_after;
use modfetch::{H1, ModulePath, ModuleVersion, Version};

/// Undoes escaping, as golang/mod documents it.
fn unescape(escaped: &str) -> String {
    let mut out = String::new();
    let mut capital = false;
    for c in escaped.chars() {
        assert!(!c.is_ascii_uppercase());
        match c {
            '!' => capital = true,
            _ if std::mem::take(&mut capital) => out.push(c.to_ascii_uppercase()),
            _ => out.push(c),
        }
    }
    out
}

fn path(text: &str) {
    let (module, import) = (check_module_path(text), check_import_path(text));
    let file = check_file_path(text);
    if module.is_ok() {
        assert!(import.is_ok() && file.is_ok());
    }
    if import.is_ok() {
        assert!(file.is_ok());
    }
    if file.is_ok() {
        assert!(!text.starts_with('/') && !text.contains(['\\', ':', '\0']));
        assert!(
            text.split('/')
                .all(|element| !matches!(element, "" | "." | ".."))
        );
    }
    if let Some((prefix, major)) = split_path_version(text) {
        assert_eq!(format!("{prefix}{major}"), text);
    }
    // A requirement may name what no proxy could serve; what can be escaped is a module path.
    if let Ok(escaped) = ModulePath::parse(text).and_then(|path| path.escape()) {
        assert!(module.is_ok());
        assert_eq!(unescape(escaped.as_str()), text);
    }
}

fn version(text: &str, other: &str) {
    assert_eq!(compare(text, other), compare(other, text).reverse());
    assert_eq!(is_valid(text), canonical(text).is_some());
    if let Some(canonical_text) = canonical(text) {
        assert!(compare(text, &canonical_text).is_eq());
        assert_eq!(
            canonical(&canonical_text).as_deref(),
            Some(&*canonical_text)
        );
    }
    if let Ok(version) = Version::parse(text) {
        assert_eq!(version.as_str(), text);
        assert!(is_valid(text));
        if let Ok(other) = Version::parse(other) {
            assert_eq!(version.cmp(&other), other.cmp(&version).reverse());
            assert_eq!(version == other, version.cmp(&other).is_eq());
        }
    }
    if let Ok(escaped) = escape_version(text) {
        assert_eq!(unescape(&escaped), text);
        assert!(!escaped.contains('/'));
    }
    if let Some(version) = GoVersion::parse(text) {
        assert_eq!(version.as_str(), text);
        assert_eq!(
            version.language().as_str(),
            version.language().language().as_str()
        );
    }
    if let Ok(h1) = H1::parse(text) {
        assert_eq!((h1.as_str(), text.len()), (text, 47));
    }
}

pub(super) fn words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let (first, second) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    path(first);
    version(first, second);
    if let Ok(escaped) = ModuleVersion::parse(first, second).and_then(|module| module.escape()) {
        let file = escaped.file("zip");
        assert!(
            check_file_path(&file).is_ok() && file.ends_with(".zip"),
            "{file}"
        );
    }
    // A list of one text matches what it matches in a longer one.
    let alone = PrefixPatterns::parse(first).matches(second);
    assert_eq!(
        PrefixPatterns::parse(&format!("{first},")).matches(second),
        alone
    );
    let pattern = MatchPattern::parse(first);
    if !first.contains("...") && !format!("{first}/{second}").contains('\0') {
        assert_eq!(pattern.matches(second), first == second);
    }
    if let Some(duration) = parse_duration(first) {
        let exact = format!("{}ns", duration.as_nanos());
        assert_eq!(parse_duration(&exact), Some(duration));
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let _ = parse_retry_after(first, now);
    if let Some(time) = Time::parse(first) {
        let printed = time.to_string();
        assert_eq!(Time::parse(&printed), Some(time), "{printed}");
    }
    let _ = Time::parse_pseudo(first);
}
