//! Everything that can be chosen about transfers.

use std::time::Duration;

use super::connect::ProxySettings;
use super::credentials::CredentialSettings;
use super::time::RetryPolicy;
use super::tls::{ClientCertSettings, RootSettings};

/// Everything that can be chosen about transfers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often and how patiently a failed request is tried again.
    pub retry: RetryPolicy,
    /// For each of: name lookup; TCP connection, proxy handshake and TLS handshake together.
    pub connect_timeout: Duration,
    /// The longest wait for the response header, and after it for each next byte. There is no
    /// limit on the whole transfer into a [`BodySink`](super::BodySink).
    pub stall_timeout: Duration,
    /// The longest that one try of [`Client::get`](super::Client::get) may take as a whole,
    /// redirects included; `stall_timeout` if that is longer.
    pub small_body_timeout: Duration,
    /// Which certificate authorities are trusted.
    pub roots: RootSettings,
    /// Servers need not show a valid certificate: for modules that GOINSECURE names.
    pub accept_any_certificate: bool,
    /// The certificate for servers that ask for one.
    pub client_cert: ClientCertSettings,
    /// Which requests go through an HTTP proxy.
    pub proxy: ProxySettings,
    /// Where credentials come from.
    pub credentials: CredentialSettings,
    /// How many requests one host gets at once.
    pub per_host: usize,
    /// How many tries one host gets a second, more than 0; `None` for any number.
    pub requests_per_second: Option<f64>,
    /// How many bytes of bodies all transfers together receive a second, at least 1; `None` for
    /// any number. Does not concern `file://`.
    pub bytes_per_second: Option<u64>,
    /// How many idle connections are kept, at most, for all hosts and for one.
    pub connections: usize,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// A byte now and then is progress to the stall timer. For a zip that is as it should be: it is not
/// known how long half a gigabyte may take. What goes into memory is some kilobytes, rarely a
/// megabyte, and others wait for it: a zip that is already here and its lock for the `.info`, a
/// verdict for the checksum database. Two minutes for that is ten times what a line of 64 kbit/s
/// takes for 100 KiB.
const SMALL_BODY_TIMEOUT: Duration = Duration::from_secs(120);

impl Settings {
    /// The longest time for one try of [`Client::get`](super::Client::get): who is patient with a
    /// pause is with the whole, too.
    pub(super) fn whole_try(&self) -> Duration {
        self.small_body_timeout.max(self.stall_timeout)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            retry: RetryPolicy::default(),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            small_body_timeout: SMALL_BODY_TIMEOUT,
            roots: RootSettings::default(),
            accept_any_certificate: false,
            client_cert: ClientCertSettings::default(),
            proxy: ProxySettings::default(),
            credentials: CredentialSettings::default(),
            per_host: 64,
            requests_per_second: None,
            bytes_per_second: None,
            connections: 64,
            user_agent: concat!("modfetch/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
