//! Bytes over HTTP: one client, one place that configures it, and every rule about trying again.
//!
//! What it does: GET with a limit in bytes, into memory or a [`BodySink`]; retries with backoff;
//! redirects; HTTP proxies and TLS roots as Go reads them; `file://` URLs. What it refuses: to
//! know modules, caches, settings files or the terminal, to read the environment, to follow a
//! redirect from https to http, and to send credentials over plain http or to another host.
//!
//! | folder | idea |
//! |---|---|
//! | `request` | the one public way in: tries, the waits between them, redirects |
//! | `credentials` | who we are to whom: netrc, GOAUTH, tokens |
//! | `answer` | statuses and bodies, and going on with those that were cut |
//! | `failure` | what went wrong, whether it may pass, what it says about the host |
//! | `tls` | whom we believe and who we are; certificates in words |
//! | `connect` | names, proxies, connections |
//! | `limits` | whether a host may be asked now, and how fast bytes may come |
//! | `time` | the schedule of tries, the end of the run, dates |
//!
//! A folder uses those below it and none above. All of them may use the files:
//!
//! | file | idea |
//! |---|---|
//! | `settings` | everything that can be chosen |
//! | `url` | a parsed URL and its redacted form |
//! | `exchange` | one request and its answer: where the time went, over which connection |
//! | `file` | `file://` |
//! | `text` | texts of strangers, fit for a terminal |

mod answer;
mod connect;
mod credentials;
mod exchange;
mod failure;
mod file;
mod limits;
mod request;
mod settings;
#[cfg(test)]
mod testserver;
mod text;
mod time;
mod tls;
mod url;

pub use answer::{BodySink, Fetched, KnownBodies, PartialBody, Resumable, TooLarge, Validator};
pub use connect::ProxySettings;
pub use credentials::CredentialSettings;
#[cfg(test)]
pub(crate) use failure::FailureScope;
pub use failure::HostFailure;
pub use request::{Client, Probe, ProbeAnswer, ProbeBody, ProbeCredentials, RequestContext};
pub(crate) use request::{PlainRequest, Reply};
pub use settings::Settings;
#[cfg(test)]
pub(crate) use testserver::{Server, Then, raw, reply};
pub(crate) use time::{RealTimer, parse_http_date};
pub use time::{RetryClass, RetryPolicy, Timer, parse_retry_after};
pub use tls::{Certificate, ClientCertSettings, RootSettings};
pub use url::{Scheme, Url};
