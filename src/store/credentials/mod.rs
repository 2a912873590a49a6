//! Who asks: keys from the places where other programs for S3 look, in their order.
//!
//! | order | place |
//! |---|---|
//! | 1 | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` |
//! | 2 | `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`: a token is exchanged at STS |
//! | 3 | the profile `AWS_PROFILE`, or `default`, of `~/.aws/credentials` and `~/.aws/config` |
//! | 4 | `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `..._FULL_URI`: the endpoint of a container |
//! | 5 | the metadata service of an instance (IMDSv2), unless `AWS_EC2_METADATA_DISABLED` is `true` |
//!
//! The first place that has something is used. Keys that expire are fetched again five minutes before
//! they do. No key is ever part of a message.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers".

mod endpoints;
mod profile;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind, Result};
use crate::http::Client;

pub(super) use profile::{Profile, read_profile};

/// Keys are fetched again so long before they expire.
const EARLY: Duration = Duration::from_secs(300);

/// The keys of a request.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    /// `None` for keys that last.
    expires: Option<SystemTime>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The variables and files that a store reads.
#[derive(Clone, Default)]
pub struct StoreEnvironment(Vec<(String, String)>);

impl StoreEnvironment {
    /// Takes the variables that matter out of an environment.
    pub fn new<'e>(variables: impl IntoIterator<Item = (&'e str, &'e str)>) -> StoreEnvironment {
        let matters = |name: &str| name.starts_with("AWS_") || name == "HOME";
        let kept = variables.into_iter().filter(|(name, value)| {
            // As everywhere else, an empty variable counts as unset.
            matters(name) && !value.is_empty()
        });
        StoreEnvironment(
            kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    fn file(&self, name: &str, default: &str) -> Option<PathBuf> {
        match self.get(name) {
            Some(path) => Some(path.into()),
            None => Some(PathBuf::from(self.get("HOME")?).join(default)),
        }
    }
}

impl fmt::Debug for StoreEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreEnvironment").finish_non_exhaustive()
    }
}

/// Finds keys, and remembers them while they last.
pub(super) struct KeyChain {
    environment: StoreEnvironment,
    profile: Profile,
    region: String,
    /// For the endpoints that hand out keys.
    client: Client,
    held: Mutex<Option<Arc<Keys>>>,
}

impl KeyChain {
    /// Looks nowhere until it is asked.
    pub(super) fn new(
        environment: StoreEnvironment,
        profile: Profile,
        region: String,
        client: Client,
    ) -> KeyChain {
        KeyChain {
            environment,
            profile,
            region,
            client,
            held: Mutex::default(),
        }
    }

    /// The keys to sign with now. One thread looks for them while others wait.
    pub(super) fn keys(&self) -> Result<Arc<Keys>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let soon = SystemTime::now() + EARLY;
        let lasts = |keys: &&Arc<Keys>| keys.expires.is_none_or(|expires| expires > soon);
        if let Some(keys) = held.as_ref().filter(lasts) {
            return Ok(Arc::clone(keys));
        }
        match self.find() {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *held = Some(Arc::clone(&keys));
                Ok(keys)
            }
            // Those that are there may do for some minutes more.
            Err(error) => held
                .clone()
                .filter(|keys| keys.expires.is_some_and(|at| at > SystemTime::now()))
                .ok_or(error),
        }
    }

    /// The keys to sign with now, if they are at hand.
    pub(super) fn held(&self) -> Option<Arc<Keys>> {
        let held = self.held.try_lock().ok()?;
        let keys = held.clone()?;
        keys.expires
            .is_none_or(|expires| expires > SystemTime::now() + EARLY)
            .then_some(keys)
    }

    /// Drops keys that were refused, if others may take their place. True if it is worth another try.
    pub(super) fn refused(&self, refused: &Keys) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(keys) if **keys == *refused && keys.expires.is_some() => {
                *held = None;
                true
            }
            Some(keys) => **keys != *refused,
            None => true,
        }
    }

    fn find(&self) -> Result<Keys> {
        let get = |name: &str| self.environment.get(name).map(str::to_owned);
        match (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key), Some(secret_key)) => {
                return Ok(Keys {
                    access_key,
                    secret_key,
                    session_token: get("AWS_SESSION_TOKEN"),
                    expires: None,
                });
            }
            (None, None) => {}
            (Some(_), None) => return Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
            (None, Some(_)) => return Err(half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        }
        if let (Some(file), Some(role)) = (get("AWS_WEB_IDENTITY_TOKEN_FILE"), get("AWS_ROLE_ARN"))
        {
            return self.exchange_token(file.as_ref(), &role);
        }
        if let Some(keys) = self.profile.keys()? {
            return Ok(keys);
        }
        if let Some((file, role)) = self.profile.web_identity() {
            return self.exchange_token(file.as_ref(), role);
        }
        if let Some(keys) = self.container()? {
            return Ok(keys);
        }
        let is_off = get("AWS_EC2_METADATA_DISABLED");
        if !is_off.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return self.instance().map_err(|error| no_keys().because(error));
        }
        Err(no_keys())
    }
}

fn half(set: &str, missing: &str) -> Error {
    Error::new(Kind::Auth, format!("{set} is set and {missing} is not"))
}

fn no_keys() -> Error {
    Error::new(Kind::Auth, "no keys for the store").hint(
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; 'modfetch help store' has all places",
    )
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
