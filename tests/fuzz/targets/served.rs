//! What proxies answer, and what names them.

use std::fs;
use std::sync::Arc;

use modfetch::NoEvents;
use modfetch::internals::gomod::Query;
use modfetch::internals::gomod::{PrefixPatterns, compare, is_pseudo_version, is_valid};
use modfetch::internals::http::Url;
use modfetch::internals::source::{DirectSettings, Info};
use modfetch::{Chain, Direct, Source as _};
use modfetch::{Client, Settings};
use modfetch::{ModulePath, Version};

pub(super) fn info(data: &[u8]) {
    let info = match Info::parse(data) {
        Ok(info) => info,
        Err(reason) => {
            // It may have another shape than an .info, but it is JSON.
            if serde_json::from_slice::<serde_json::Value>(data).is_ok() {
                let syntax = ["invalid character", "unexpected end", "exceeded max depth"];
                assert!(
                    !syntax.iter().any(|text| reason.starts_with(text)),
                    "{reason}"
                );
            }
            return;
        }
    };
    let cached = info.to_cache_json();
    let json: serde_json::Value = serde_json::from_str(&cached).expect("what the cache gets");
    assert_eq!(json["Version"], info.version.as_str());
    let again = Info::parse(cached.as_bytes()).expect("what the cache gets");
    assert_eq!(again.version, info.version);
    assert_eq!(again.time, info.time);
    assert_eq!(
        again.origin,
        info.origin.map(|o| Box::new(o.for_cache(&info.version)))
    );
    assert_eq!(again.to_cache_json(), cached);
}

/// A password that no input has by chance.
const PASSWORD: &str = "h7Zq-sesame";

pub(super) fn goproxy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.contains(PASSWORD) {
        return;
    }
    for url in text.split([',', '|']) {
        let Ok(url) = Url::parse(url.trim()) else {
            continue;
        };
        // A query and what is before the host are not printed as they are.
        if !url.to_string().contains('?') && !url.to_string().contains('@') {
            let again = Url::parse(&url.to_string()).expect("what was printed");
            assert_eq!(again.to_string(), url.to_string());
        }
        for suffix in text.split(',').take(4) {
            let joined = url.join(suffix);
            assert_eq!(
                (joined.scheme(), joined.host(), joined.port()),
                (url.scheme(), url.host(), url.port())
            );
            assert!(joined.path().starts_with('/') || joined.path().is_empty());
            assert!(!joined.path().split('/').any(|element| element == ".."));
        }
    }
    let client = Client::new(Settings::default(), Arc::new(NoEvents));
    let chain = |list: &str| {
        Chain::parse(
            list,
            "set",
            PrefixPatterns::default(),
            client.clone(),
            direct(),
        )
    };
    let secret: String = text
        .split_inclusive([',', '|'])
        .map(|hop| hop.replacen("://", &format!("://user:{PASSWORD}@"), 1))
        .collect();
    for list in [text.as_ref(), secret.as_str()] {
        match chain(list) {
            Ok(chain) => {
                assert!(!format!("{chain:?}").contains(PASSWORD));
                let first = list
                    .split([',', '|'])
                    .map(str::trim)
                    .find(|hop| !hop.is_empty());
                assert_eq!(chain.is_off(), first == Some("off"));
            }
            Err(error) => {
                let told = format!("{} {error:?}", error.chain());
                assert!(!told.contains(PASSWORD), "{told}");
            }
        }
    }
}

/// The first line is a query and, after a space, the version in use; the others are a list.
pub(super) fn list(data: &[u8]) {
    let end = data
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(data.len());
    let (query, list) = data.split_at(end);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = dir.path().join("a.com/m/@v");
    fs::create_dir_all(&place).expect("created");
    fs::write(place.join("list"), list).expect("written");
    let client = Client::new(Settings::default(), Arc::new(NoEvents));
    let goproxy = format!("file://{}", dir.path().display());
    let chain = Chain::parse(&goproxy, "set", PrefixPatterns::default(), client, direct());
    let chain = chain.expect("a URL");
    let path = ModulePath::parse("a.com/m").expect("a path");
    let versions = chain.versions(&path).expect("any list will do");
    assert!(versions.is_sorted_by(|a, b| compare(a, b).is_le()));
    let text = String::from_utf8_lossy(list);
    for version in &versions {
        assert!(is_valid(version) && !is_pseudo_version(version));
        assert!(text.split_whitespace().any(|word| word == version));
    }
    let query = String::from_utf8_lossy(query);
    let (query, current) = query.split_once(' ').unwrap_or((&query, ""));
    let current = Version::parse(current).map_or("", |_| current);
    let Ok(Query::Range(range)) = Query::parse(path.as_str(), query, current) else {
        return;
    };
    let picked = range
        .pick(&versions, |_| true, |_| Ok(false))
        .expect("nothing is asked");
    let allowed = |version: &&String| range.allows(version);
    assert_eq!(
        picked.is_some(),
        versions.iter().any(|version| allowed(&version))
    );
    if let Some(picked) = picked {
        assert!(range.allows(picked));
        let releases = |version: &&String| allowed(version) && !version.contains('-');
        // A release, if there is one, and the highest or lowest.
        if !picked.contains("-") {
            let order = versions
                .iter()
                .filter(releases)
                .map(|other| compare(other, picked));
            let order: Vec<_> = order.collect();
            assert!(order.iter().all(|o| o.is_le()) || order.iter().all(|o| o.is_ge()));
        }
    }
}

/// Modules from repositories; none is asked for here.
fn direct() -> Arc<Direct> {
    let client = || Client::new(Settings::default(), Arc::new(NoEvents));
    Arc::new(Direct::new(DirectSettings::default(), client(), client()))
}
