//! Everything that can be chosen about a server.

use std::path::PathBuf;
use std::time::Duration;

use super::access::AccessSettings;
use super::answers::Freshness;
use super::http1::{Limits, TlsSettings};
use super::policy::Policy;
use crate::config::AccessLog;

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// Its certificate; without one it speaks plain HTTP.
    pub tls: Option<TlsSettings>,
    /// Who may read.
    pub access: AccessSettings,
    /// What is handed out.
    pub policy: Policy,
    /// How long answers count.
    pub freshness: Freshness,
    /// Limits of connections.
    pub limits: Limits,
    /// Requests a second that one address may send, averaged over ten seconds.
    pub rate: Option<u32>,
    /// The most bytes of kept files.
    pub max_size: Option<u64>,
    /// How long it may take until each kept zip was verified again.
    pub recheck: Option<Duration>,
    /// How long requests may take to end after SIGTERM.
    pub drain: Duration,
    /// How requests are written down.
    pub access_log: AccessLog,
    /// Trees that are looked into before upstream is asked, and only read.
    pub local: Vec<PathBuf>,
    /// Questions to upstream at once.
    pub jobs: usize,
    /// Why upstream is never asked, if so.
    pub offline: Option<&'static str>,
}
