//! What proxies answer, and what names them.

use std::sync::Arc;

use modfetch::module::PrefixPatterns;
use modfetch::source::{Chain, Info};
use modfetch::transport::{Client, NoObserver, Settings, Url};

pub(super) fn info(data: &[u8]) {
    let info = match Info::parse(data) {
        Ok(info) => info,
        Err(reason) => {
            // It may have another shape than an .info, but it is JSON.
            if serde_json::from_slice::<serde_json::Value>(data).is_ok() {
                assert!(
                    reason.starts_with("json: ") || reason.starts_with("parsing time "),
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
        info.origin.map(|o| o.for_cache(&info.version))
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
    let client = Client::new(Settings::default(), Arc::new(NoObserver));
    let chain = |list: &str| Chain::parse(list, "set", PrefixPatterns::default(), client.clone());
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
