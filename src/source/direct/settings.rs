//! What can be chosen about version control.

use std::path::PathBuf;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::fsio::Locks;
use crate::gomod::PrefixPatterns;
use crate::http::RetryPolicy;

/// Which git is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GitChoice {
    /// The program if there is one, else the built-in client.
    #[default]
    Auto,
    /// The program.
    Program,
    /// The built-in client, for http and https.
    Builtin,
}

/// What can be chosen about version control.
#[derive(Clone, Debug)]
pub struct DirectSettings {
    /// Where clones are: `cache/vcs` of the module cache.
    pub clones: PathBuf,
    /// How the locks of clones are waited for.
    pub locks: Locks,
    /// `GOVCS`, as written.
    pub govcs: String,
    /// `GOPRIVATE`: which rule of GOVCS counts.
    pub private: PrefixPatterns,
    /// `GOINSECURE`: modules that may come over plain http or without a valid certificate.
    pub insecure: PrefixPatterns,
    /// Which git is used.
    pub git: GitChoice,
    /// `PATH`: where programs are looked for.
    pub path: Option<String>,
    /// Variables that programs get beside those of this process.
    pub environment: Vec<(String, String)>,
    /// `GIT_ALLOW_PROTOCOL`, if it is set.
    pub git_allow_protocol: Option<String>,
    /// How often and how patiently a program that failed is started again.
    pub retry: RetryPolicy,
    /// How long a program may go without a byte from the network.
    pub stall_timeout: Duration,
    /// Ends everything.
    pub cancel: CancelToken,
}

impl Default for DirectSettings {
    fn default() -> DirectSettings {
        DirectSettings {
            clones: PathBuf::new(),
            locks: Locks::default(),
            govcs: String::new(),
            private: PrefixPatterns::default(),
            insecure: PrefixPatterns::default(),
            git: GitChoice::Auto,
            path: None,
            environment: Vec::new(),
            git_allow_protocol: None,
            retry: RetryPolicy::default(),
            stall_timeout: Duration::from_secs(30),
            cancel: CancelToken::new(),
        }
    }
}
