//! Keys that a service hands out: STS for a token, a container's endpoint, an instance's metadata.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{KeyChain, Keys};
use crate::error::{Error, Kind, Result};
use crate::gojson;
use crate::http::{PlainRequest, Url};
use crate::store::moment::parse_moment;
use crate::store::sigv4::canonical_query;
use crate::store::xml;

/// Answers with keys are some two kilobytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// The hosts of containers' endpoints that are asked over plain HTTP: ECS, and EKS by both protocols.
const CONTAINER_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

const INSTANCE: &str = "http://169.254.169.254";

impl KeyChain {
    /// Sends what is no module and needs no signature.
    fn exchange(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<String> {
        let url = Url::parse(url)?;
        let body: Option<&[u8]> = (method != "GET").then_some(b"");
        let reply = self.client.ask(&PlainRequest {
            method,
            url: &url,
            headers,
            body,
        })?;
        let mut text = String::new();
        let read = reply.body.take(MAX_ANSWER_BYTES).read_to_string(&mut text);
        match reply.error {
            Some(error) => Err(match xml::text(&text, "Code") {
                // The code alone: a message may repeat the token.
                Some(code) if code.chars().all(|c| c.is_ascii_alphanumeric()) => {
                    error.context(code.to_owned())
                }
                _ => error,
            }),
            None => {
                let unreadable =
                    |cause| Error::new(Kind::Network, format!("reading {url}")).because(cause);
                read.map_err(unreadable)?;
                Ok(text)
            }
        }
    }

    /// Exchanges the token in a file for keys of a role.
    pub(super) fn exchange_token(&self, file: &Path, role: &str) -> Result<Keys> {
        let token = fs::read_to_string(file)
            .map_err(|cause| Error::io("cannot read web identity token", file, cause))?;
        let session = self.environment.get("AWS_ROLE_SESSION_NAME");
        let query = canonical_query(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session.unwrap_or("modfetch")),
            ("WebIdentityToken", token.trim()),
        ]);
        let endpoint = match self.environment.get("AWS_ENDPOINT_URL_STS") {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("https://sts.{}.amazonaws.com", self.region),
        };
        let named = |error: Error| error.context(format!("web identity of role {role}"));
        let url = format!("{endpoint}/?{query}");
        let xml = self.exchange("POST", &url, &[]).map_err(named)?;
        let field = |name: &str| xml::text(&xml, name).map(xml::unescape);
        let keys = || {
            Some(Keys {
                access_key: field("AccessKeyId")?,
                secret_key: field("SecretAccessKey")?,
                session_token: Some(field("SessionToken")?),
                expires: Some(moment(&field("Expiration")?)?),
            })
        };
        keys().ok_or_else(|| named(malformed()))
    }

    /// Keys of the endpoint that a container is given, if it is given one.
    pub(super) fn container(&self) -> Result<Option<Keys>> {
        let get = |name: &str| self.environment.get(name);
        let url = match (
            get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ) {
            (Some(path), _) => format!("http://{}{path}", CONTAINER_HOSTS[0]),
            (None, Some(url)) => url.to_owned(),
            (None, None) => return Ok(None),
        };
        let parsed = Url::parse(&url)?;
        let is_known = parsed.is_loopback() || CONTAINER_HOSTS.contains(&parsed.hostname());
        if url.starts_with("http:") && !is_known {
            let text =
                format!("container endpoint {parsed}: neither https nor a host of this machine");
            return Err(Error::new(Kind::Auth, text));
        }
        let token = match get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => {
                let file = Path::new(file);
                let read = fs::read_to_string(file);
                Some(read.map_err(|cause| Error::io("cannot read", file, cause))?)
            }
            None => get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
        };
        let token = token.as_deref().map(str::trim);
        let headers = token.map(|token| ("authorization", token));
        let headers: Vec<_> = headers.into_iter().collect();
        let text = self.exchange("GET", &url, &headers);
        let keys = text.and_then(|text| parse_json(&text).ok_or_else(malformed));
        keys.map(Some)
            .map_err(|error| error.context("container endpoint"))
    }

    /// Keys of the role of the instance that this is.
    pub(super) fn instance(&self) -> Result<Keys> {
        let base = self.environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let base = base.unwrap_or(INSTANCE).trim_end_matches('/');
        let ask = || {
            let life = [("x-aws-ec2-metadata-token-ttl-seconds", "21600")];
            let token = self.exchange("PUT", &format!("{base}/latest/api/token"), &life)?;
            let shown = [("x-aws-ec2-metadata-token", token.trim())];
            let roles = format!("{base}/latest/meta-data/iam/security-credentials/");
            let role = self.exchange("GET", &roles, &shown)?;
            let role = role.lines().next().unwrap_or_default().trim();
            let text = self.exchange("GET", &format!("{roles}{role}"), &shown)?;
            parse_json(&text).ok_or_else(malformed)
        };
        ask().map_err(|error| error.context("instance metadata"))
    }
}

fn malformed() -> Error {
    Error::new(Kind::Auth, "an answer without keys")
}

fn moment(text: &str) -> Option<SystemTime> {
    Some(UNIX_EPOCH + Duration::from_secs(parse_moment(text)?))
}

/// Reads `AccessKeyId`, `SecretAccessKey`, `Token` and `Expiration`.
fn parse_json(text: &str) -> Option<Keys> {
    let members = gojson::members(gojson::check(text.as_bytes()).ok()?).ok()?;
    let field = |name: &str| {
        let found = members.iter().find(|(key, _)| key == name);
        let value = found.map(|(_, value)| *value)?;
        (gojson::kind(value) == "string").then(|| gojson::string(value).into_owned())
    };
    Some(Keys {
        access_key: field("AccessKeyId")?,
        secret_key: field("SecretAccessKey")?,
        session_token: field("Token"),
        expires: match field("Expiration") {
            Some(text) => Some(moment(&text)?),
            None => None,
        },
    })
}
