//! Package URLs of Go modules.
//!
//! Shape: `pkg:golang/PATH@VERSION?type=module`, each part percent-encoded. The specification asks for lower case in the namespace and name of
//! `golang`; module paths are case-sensitive (`github.com/BurntSushi/toml` is a module and `github.com/burntsushi/toml` is none), and the
//! vulnerability databases compare exactly, so the case stays, as in cyclonedx-gomod and syft.
//!
//! Source: the package-url specification, `PURL-SPECIFICATION.rst` and `types/golang-definition.json`.

use std::fmt::Write as _;

/// The package URL of a module version; of a module without a version where there is none.
#[must_use]
pub fn package_url(path: &str, version: Option<&str>) -> String {
    let mut url = String::from("pkg:golang/");
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            url.push('/');
        }
        encode(&mut url, segment);
    }
    if let Some(version) = version {
        url.push('@');
        encode(&mut url, version);
    }
    url.push_str("?type=module");
    url
}

/// Appends `text`; what is no letter, digit or one of `.-_~:` is percent-encoded.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                url.push(char::from(byte));
            }
            // Writing to a string succeeds.
            _ => drop(write!(url, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_url_encodes_what_the_specification_names() {
        let rows = [
            (
                "github.com/BurntSushi/toml",
                Some("v1.2.0"),
                "pkg:golang/github.com/BurntSushi/toml@v1.2.0?type=module",
            ),
            (
                "example.com/a",
                Some("v2.0.0+incompatible"),
                "pkg:golang/example.com/a@v2.0.0%2Bincompatible?type=module",
            ),
            (
                "gopkg.in/yaml.v3",
                None,
                "pkg:golang/gopkg.in/yaml.v3?type=module",
            ),
            (
                "example.com/~user/x",
                Some("v0.0.0-20200101000000-0123456789ab"),
                "pkg:golang/example.com/~user/x@v0.0.0-20200101000000-0123456789ab?type=module",
            ),
        ];
        for (path, version, want) in rows {
            assert_eq!(package_url(path, version), want);
        }
    }
}
