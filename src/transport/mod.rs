//! Bytes over HTTP: one client, one place that configures it, and every rule about trying again.
//!
//! What it does: GET with a limit in bytes, into memory or a [`Sink`]; retries with backoff;
//! redirects; HTTP proxies and TLS roots as Go reads them; `file://` URLs. What it refuses: to
//! know modules, caches, settings files or the terminal, to read the environment, to follow a
//! redirect from https to http, and to send credentials over plain http or to another host.
//!
//! | file | idea |
//! |---|---|
//! | `client` | the one public way in: tries and the waits between them |
//! | `attempt` | one try: credentials, redirects, what a status means |
//! | `body` | where a body goes and how much of it may come |
//! | `agent` | the one ureq configuration, each changed default explained |
//! | `hop`, `socks` | proxies: `CONNECT` for https and the absolute form for http, or SOCKS5 |
//! | `proxy_env` | which requests go through a proxy: HTTP_PROXY, HTTPS_PROXY, NO_PROXY |
//! | `stale` | idle connections that turn out to be closed |
//! | `encoding` | undoes `Content-Encoding: gzip` |
//! | `tls`, `roots` | TLS and the certificates it trusts, both built at the first https request |
//! | `certificate`, `issuer` | why a server is not believed, and whose word is missing |
//! | `der` | as much of a certificate's encoding as these and `validity` read |
//! | `client_auth` | our own certificate, and who gets to see it |
//! | `failure` | turns whatever went wrong into an error, and says if it may pass |
//! | `credentials` | who we are to whom: netrc, GOAUTH, tokens |
//! | `status` | the text of a status that is not 200, as go words it |
//! | `resume` | going on with a body that was cut: `Range`, `If-Range` |
//! | `deadline` | the end of the whole run's time |
//! | `retry`, `date` | the pure schedule of tries, `Retry-After` |
//! | `hosts` | who may ask which host now: the next three, behind one lock |
//! | `pace` | requests at once for a host, fewer where it says 429 or 503 |
//! | `breaker` | when a host is given up, and when it is asked again |
//! | `bucket` | so many requests, so many bytes a second |
//! | `url` | a parsed URL and its redacted form |
//! | `file` | `file://` |
//! | `event` | what an observer is told |
//! | `probe`, `validity` | looking at a server and what it shows, for `doctor` |
//! | `exchange` | one request and its answer: where the time went, over which connection |

mod agent;
mod attempt;
mod body;
mod breaker;
mod bucket;
mod certificate;
mod client;
mod client_auth;
mod credentials;
mod date;
mod deadline;
mod der;
mod encoding;
mod event;
mod exchange;
mod failure;
mod file;
mod hop;
mod hosts;
mod issuer;
mod lookup;
mod pace;
mod probe;
mod proxy_env;
mod resume;
mod retry;
mod roots;
mod socks;
mod stale;
mod status;
#[cfg(test)]
mod testserver;
mod tls;
mod url;
mod validity;

use std::time::Duration;

pub use body::{Fetched, Sink, TooLarge};
pub use client::Client;
pub use client_auth::ClientCertSettings;
pub use credentials::CredentialSettings;
pub(crate) use date::days_from_civil;
pub use deadline::Deadline;
pub use event::{Event, NoObserver, Observer};
pub use exchange::{Exchanged, Steps};
pub use failure::HostTrouble;
#[cfg(test)]
pub(crate) use failure::Reach;
pub use probe::{Answer, Known, Probe, Wanted};
pub use proxy_env::ProxySettings;
pub use resume::{Kept, Resumable, Validator};
pub use retry::{Failure, RetryPolicy, Timer, parse_retry_after};
pub use roots::RootSettings;
#[cfg(test)]
pub(crate) use testserver::{Server, Then, raw, reply};
pub use url::{RedactedUrl, Scheme, Url};
pub use validity::Certificate;

/// Everything that can be chosen about transfers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often and how patiently a failed request is tried again.
    pub retry: RetryPolicy,
    /// For each of: name lookup; TCP connection, proxy handshake and TLS handshake together.
    pub connect_timeout: Duration,
    /// The longest wait for the response header, and after it for each next byte. There is no
    /// limit on the whole transfer into a [`Sink`].
    pub stall_timeout: Duration,
    /// The longest that one try of [`Client::get`] may take as a whole, redirects included;
    /// `stall_timeout` if that is longer.
    pub small_body_timeout: Duration,
    /// When all requests end, be they finished or not.
    pub deadline: Option<Deadline>,
    /// Which certificate authorities are trusted.
    pub roots: RootSettings,
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

/// A byte now and then is progress to the stall timer. For a zip that is as it should be: nobody
/// knows how long half a gigabyte may take. What goes into memory is some kilobytes, rarely a
/// megabyte, and others wait for it: a zip that is already here and its lock for the `.info`, a
/// verdict for the checksum database. Two minutes for that is ten times what a line of 64 kbit/s
/// takes for 100 KiB.
const SMALL_BODY_TIMEOUT: Duration = Duration::from_secs(120);

impl Settings {
    /// The longest time for one try of [`Client::get`]: who is patient with a pause is with the
    /// whole, too.
    fn whole_try(&self) -> Duration {
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
            deadline: None,
            roots: RootSettings::default(),
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
