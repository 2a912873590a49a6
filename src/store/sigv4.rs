//! Signature Version 4: how a request to an S3 store says who makes it, in headers or in its URL.
//!
//! It is pure: the caller names the time. Written by hand because it is short, and because the crates
//! for it bring URL parsers and a calendar of their own.
//!
//! Source: AWS, "Signature Calculations for the Authorization Header" and "Authenticating Requests:
//! Using Query Parameters", whose examples are the tests.

use ring::hmac;
use sha2::{Digest as _, Sha256};

/// Stands for the hash of a body that is not hashed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Who signs, and for what.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) region: &'a str,
    /// As `20130524T000000Z`.
    pub(super) time: &'a str,
}

/// What is signed.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Encoded, with its first slash.
    pub(super) path: &'a str,
    /// As [`canonical_query`] makes it.
    pub(super) query: &'a str,
    /// Names in lower case, sorted, `host` among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The SHA-256 of the body in hexadecimal.
    pub(super) body_sha256: &'a str,
}

impl Signer<'_> {
    fn scope(&self) -> String {
        let day = self.time.get(..8).unwrap_or_default();
        format!("{day}/{}/s3/aws4_request", self.region)
    }

    fn signature(&self, request: &Signed<'_>) -> String {
        let mut headers = String::new();
        for (name, value) in request.headers {
            headers.push_str(&format!("{name}:{}\n", value.trim()));
        }
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            request.method,
            request.path,
            request.query,
            names(request.headers),
            request.body_sha256
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.time,
            self.scope(),
            sha256(canonical.as_bytes())
        );
        let mut key = hmac(
            format!("AWS4{}", self.secret_key).as_bytes(),
            self.time.get(..8).unwrap_or_default(),
        );
        for part in [self.region, "s3", "aws4_request"] {
            key = hmac(key.as_ref(), part);
        }
        hex(hmac(key.as_ref(), &text).as_ref())
    }

    /// The value of the `Authorization` header.
    pub(super) fn authorization(&self, request: &Signed<'_>) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
            self.access_key,
            self.scope(),
            names(request.headers),
            self.signature(request)
        )
    }

    /// The query of a URL that gets `path` from `host` for so many seconds, whoever has it.
    pub(super) fn presigned_get(
        &self,
        host: &str,
        path: &str,
        seconds: u64,
        session_token: Option<&str>,
    ) -> String {
        let credential = format!("{}/{}", self.access_key, self.scope());
        let seconds = seconds.to_string();
        let mut pairs = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", self.time),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", "host"),
        ];
        pairs.extend(session_token.map(|token| ("X-Amz-Security-Token", token)));
        let query = canonical_query(&pairs);
        let signature = self.signature(&Signed {
            method: "GET",
            path,
            query: &query,
            headers: &[("host", host)],
            body_sha256: UNSIGNED,
        });
        format!("{query}&X-Amz-Signature={signature}")
    }
}

fn names(headers: &[(&str, &str)]) -> String {
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.join(";")
}

fn hmac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// The SHA-256 of some bytes in hexadecimal.
pub(super) fn sha256(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names and values, encoded and sorted.
pub(super) fn canonical_query(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| encode(text, false);
    let mut pairs: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// The path of a key, encoded: all but unreserved characters and slashes.
pub(super) fn canonical_path(path: &str) -> String {
    encode(path, true)
}

fn encode(text: &str, keep_slash: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let kept = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        match kept || (keep_slash && byte == b'/') {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the examples that AWS has published.
    const SIGNER: Signer<'_> = Signer {
        access_key: "AKIAIOSFODNN7EXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        time: "20130524T000000Z",
    };
    const HOST: (&str, &str) = ("host", "examplebucket.s3.amazonaws.com");
    const TIME: (&str, &str) = ("x-amz-date", "20130524T000000Z");
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn signatures_are_those_of_the_published_examples() {
        let empty = ("x-amz-content-sha256", EMPTY);
        let body = sha256(b"Welcome to Amazon S3.");
        let lifecycle = canonical_query(&[("lifecycle", "")]);
        let listing = canonical_query(&[("prefix", "J"), ("max-keys", "2")]);
        // Method, path, query, headers, digest of the body, signature.
        type Row<'a> = (
            &'a str,
            &'a str,
            &'a str,
            &'a [(&'a str, &'a str)],
            &'a str,
            &'a str,
        );
        let rows: [Row<'_>; 4] = [
            (
                "GET",
                "/test.txt",
                "",
                &[HOST, ("range", "bytes=0-9"), empty, TIME],
                EMPTY,
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test$file.text",
                "",
                &[
                    ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                    HOST,
                    ("x-amz-content-sha256", &body),
                    TIME,
                    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                &body,
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                "GET",
                "/",
                &lifecycle,
                &[HOST, empty, TIME],
                EMPTY,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "GET",
                "/",
                &listing,
                &[HOST, empty, TIME],
                EMPTY,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ];
        for (method, path, query, headers, body_sha256, want) in rows {
            let path = &canonical_path(path);
            let signed = Signed {
                method,
                path,
                query,
                headers,
                body_sha256,
            };
            let found = SIGNER.authorization(&signed);
            let end = format!("Signature={want}");
            assert!(found.ends_with(&end), "{method} {path} {query}: {found}");
        }
    }

    #[test]
    fn a_presigned_url_is_that_of_the_published_example() {
        let query = SIGNER.presigned_get(HOST.1, "/test.txt", 86_400, None);
        let want = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
            &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
            &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert_eq!(query, want);
    }

    #[test]
    fn keys_are_encoded_but_for_slashes() {
        let rows = [
            ("/a.com/!x/@v/v1.0.0.zip", "/a.com/%21x/%40v/v1.0.0.zip"),
            ("/v2.0.0+incompatible", "/v2.0.0%2Bincompatible"),
            ("/ä b", "/%C3%A4%20b"),
        ];
        for (path, want) in rows {
            assert_eq!(canonical_path(path), want);
        }
    }
}
