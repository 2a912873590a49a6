//! Who may read: users of an htpasswd file, bearers of tokens, holders of client certificates.
//!
//! Without any of these everybody may. No secret is kept as it is: of a token its SHA-256, of a
//! password the bcrypt hash of the file, and of one that was right a keyed hash, for five minutes,
//! since bcrypt is slow by design and a client sends its password with each request.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use sha2::{Digest as _, Sha256};

use super::http1::{Http1Request, Peer};
use crate::error::{Error, Kind, Result};

/// How long a password that was right is right without bcrypt.
const REMEMBERED: Duration = Duration::from_secs(300);

/// How many such passwords are remembered.
const MOST_REMEMBERED: usize = 4096;

/// Where the secrets are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// `USER:BCRYPT` lines, as `htpasswd -B` writes them.
    pub htpasswd: Option<PathBuf>,
    /// A token on each line.
    pub tokens: Option<PathBuf>,
    /// A client certificate that was verified is enough.
    pub certificates: bool,
}

#[derive(Debug, Default)]
struct Secrets {
    users: HashMap<String, String>,
    tokens: HashSet<[u8; 32]>,
}

/// Decides who may read.
#[derive(Debug)]
pub(super) struct Access {
    settings: AccessSettings,
    secrets: RwLock<Secrets>,
    key: hmac::Key,
    remembered: Mutex<HashMap<Vec<u8>, Instant>>,
}

/// What a request may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AccessDecision {
    /// It may read.
    Granted,
    /// It may not.
    Refused,
    /// It takes a bcrypt to say: [`Access::check_password`].
    Costly(Password),
}

/// A user and a password, to be checked.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Password {
    user: String,
    password: String,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Kind::LocalIo`] if a file cannot be read; [`Kind::Input`] if a line is no user or token.
    pub(super) fn open(settings: AccessSettings) -> Result<Access> {
        let secrets = read_secrets(&settings)?;
        let random = ring::rand::SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random)
            .map_err(|_| Error::new(Kind::LocalIo, "the system has no random numbers"))?;
        Ok(Access {
            settings,
            secrets: RwLock::new(secrets),
            key,
            remembered: Mutex::default(),
        })
    }

    /// Reads the files again; on a failure what was read before stays in force.
    ///
    /// # Errors
    /// As [`Access::open`].
    pub(super) fn reload(&self) -> Result<()> {
        let secrets = read_secrets(&self.settings)?;
        *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
    }

    /// True if everybody may read.
    #[must_use]
    pub(super) fn is_open(&self) -> bool {
        self.settings == AccessSettings::default()
    }

    /// What can be said at once.
    #[must_use]
    pub(super) fn admit(&self, request: &Http1Request, peer: Peer) -> AccessDecision {
        if self.is_open() || self.settings.certificates && peer.certified {
            return AccessDecision::Granted;
        }
        let Some((scheme, value)) = (request.fields.authorization.as_deref())
            .and_then(|authorization| authorization.split_once(' '))
        else {
            return AccessDecision::Refused;
        };
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return match self.knows_token(value) {
                true => AccessDecision::Granted,
                false => AccessDecision::Refused,
            };
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return AccessDecision::Refused;
        }
        let decoded = BASE64.decode(value).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':'))
        else {
            return AccessDecision::Refused;
        };
        // A client that knows netrc alone sends a token as a password.
        if self.knows_token(password) {
            return AccessDecision::Granted;
        }
        let password = Password {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        if !secrets.users.contains_key(&password.user) {
            return AccessDecision::Refused;
        }
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match remembered.get(&self.tag(&password)) {
            Some(until) if Instant::now() < *until => AccessDecision::Granted,
            _ => AccessDecision::Costly(password),
        }
    }

    /// Compares a password with its hash; takes a tenth of a second or so.
    #[must_use]
    pub(super) fn check_password(&self, password: &Password) -> bool {
        let hash = {
            let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
            secrets.users.get(&password.user).cloned()
        };
        let right =
            hash.is_some_and(|hash| bcrypt::verify(&password.password, &hash).unwrap_or(false));
        if right {
            let mut remembered = self
                .remembered
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(self.tag(password), Instant::now() + REMEMBERED);
        }
        right
    }

    fn tag(&self, password: &Password) -> Vec<u8> {
        let text = format!("{}:{}", password.user, password.password);
        hmac::sign(&self.key, text.as_bytes()).as_ref().to_vec()
    }

    /// Looked up by its hash: how long that takes says nothing of the tokens that there are.
    fn knows_token(&self, token: &str) -> bool {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        secrets.tokens.contains(&digest)
    }
}

fn read_secrets(settings: &AccessSettings) -> Result<Secrets> {
    let mut secrets = Secrets::default();
    if let Some(file) = &settings.htpasswd {
        for (number, line) in lines(file)? {
            let user = line.split_once(':').filter(|(user, hash)| {
                let known = ["$2a$", "$2b$", "$2x$", "$2y$"];
                !user.is_empty() && known.iter().any(|start| hash.starts_with(start))
            });
            let Some((user, hash)) = user else {
                let text = format!("{}:{number}: no user with a bcrypt hash", file.display());
                return Err(Error::new(Kind::Input, text)
                    .hint("write it with `htpasswd -B`; other hashes are too weak"));
            };
            secrets.users.insert(user.to_owned(), hash.to_owned());
        }
    }
    if let Some(file) = &settings.tokens {
        for (number, line) in lines(file)? {
            if line.len() < 16 || line.contains(char::is_whitespace) {
                let text = format!("{}:{number}: no token", file.display());
                return Err(Error::new(Kind::Input, text)
                    .hint("a token has 16 characters or more, and no blanks"));
            }
            secrets
                .tokens
                .insert(Sha256::digest(line.as_bytes()).into());
        }
    }
    Ok(secrets)
}

/// The lines of a file, numbered from 1, without blank ones and comments.
fn lines(file: &Path) -> Result<Vec<(usize, String)>> {
    let text = fs::read_to_string(file).map_err(|cause| Error::io("cannot read", file, cause))?;
    let numbered = text.lines().enumerate();
    let trimmed = numbered.map(|(number, line)| (number + 1, line.trim().to_owned()));
    Ok(trimmed
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::http1::{RequestFields, RequestMethod};

    const OTHER: Peer = Peer {
        address: None,
        certified: false,
    };

    fn request(authorization: &str) -> Http1Request {
        Http1Request {
            method: RequestMethod::Get,
            path: "/".into(),
            query: String::new(),
            is_http11: true,
            keep_alive: true,
            fields: RequestFields {
                authorization: Some(authorization.into()),
                ..RequestFields::default()
            },
        }
    }

    fn basic(pair: &str) -> Http1Request {
        request(&format!("Basic {}", BASE64.encode(pair)))
    }

    /// `htpasswd -nbBC 5 ann secret`, of apache2-utils 2.4.
    const ANN: &str = "ann:$2y$05$bzwgE0E9nfie8u3XumAJNuAZ087U88Kl49G.dJusLrMT9d9ncGcAO";

    #[test]
    fn tokens_and_passwords_are_known_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (users, tokens) = (dir.path().join("users"), dir.path().join("tokens"));
        fs::write(&users, format!("# users\n\n{ANN}\n")).unwrap();
        fs::write(&tokens, "0123456789abcdef\n").unwrap();
        let access = Access::open(AccessSettings {
            htpasswd: Some(users),
            tokens: Some(tokens.clone()),
            certificates: true,
        });
        let access = access.unwrap();
        let admit = |request: &Http1Request| access.admit(request, OTHER);
        assert_eq!(
            admit(&request("Bearer 0123456789abcdef")),
            AccessDecision::Granted
        );
        assert_eq!(
            admit(&basic("any:0123456789abcdef")),
            AccessDecision::Granted
        );
        assert_eq!(
            admit(&request("Bearer 0123456789abcdeF")),
            AccessDecision::Refused
        );
        assert_eq!(admit(&request("Digest x")), AccessDecision::Refused);
        assert_eq!(admit(&request("nonsense")), AccessDecision::Refused);
        assert_eq!(admit(&basic("bob:secret")), AccessDecision::Refused);
        let AccessDecision::Costly(right) = admit(&basic("ann:secret")) else {
            panic!("it takes a bcrypt");
        };
        let AccessDecision::Costly(wrong) = admit(&basic("ann:wrong")) else {
            panic!("it takes a bcrypt");
        };
        assert!(!access.check_password(&wrong) && access.check_password(&right));
        assert_eq!(admit(&basic("ann:secret")), AccessDecision::Granted);
        assert!(matches!(
            admit(&basic("ann:wrong")),
            AccessDecision::Costly(_)
        ));
        let certified = Peer {
            certified: true,
            ..OTHER
        };
        assert_eq!(
            access.admit(&request("x"), certified),
            AccessDecision::Granted
        );
        assert!(!format!("{right:?}").contains("secret"));
        // Another file is in force after a reload, and a bad one is not.
        fs::write(&tokens, "short\n").unwrap();
        assert!(access.reload().is_err());
        assert_eq!(
            admit(&request("Bearer 0123456789abcdef")),
            AccessDecision::Granted
        );
        fs::write(&tokens, "another-token-123\n").unwrap();
        access.reload().unwrap();
        assert_eq!(
            admit(&request("Bearer 0123456789abcdef")),
            AccessDecision::Refused
        );
        assert!(matches!(
            admit(&basic("ann:secret")),
            AccessDecision::Costly(_)
        ));
    }

    #[test]
    fn weak_hashes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let users = dir.path().join("users");
        for line in ["ann:secret", "ann:$apr1$x$y", "ann", ":$2y$05$x"] {
            fs::write(&users, line).unwrap();
            let opened = Access::open(AccessSettings {
                htpasswd: Some(users.clone()),
                ..AccessSettings::default()
            });
            assert_eq!(opened.unwrap_err().kind(), Kind::Input, "{line}");
        }
    }
}
