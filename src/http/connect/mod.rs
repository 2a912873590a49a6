//! How a connection comes about: from a name to a stream of bytes, TLS not included.
//!
//! | file | idea |
//! |---|---|
//! | `proxies` | which requests go through a proxy: HTTP_PROXY, HTTPS_PROXY, NO_PROXY |
//! | `lookup` | name look-ups, one for all who ask at the same time |
//! | `http_proxy` | proxies: `CONNECT` for https and the absolute form for http |
//! | `socks` | SOCKS5, which `hop` goes over to |
//! | `connection` | which connection belongs to which work, and ends with it |
//! | `stale` | idle connections that turn out to be closed |
//! | `head_reader` | heads of answers, before ureq parses them |
//! | `response_head` | how such a head is written anew |
//!
//! These are links of ureq's chain: `hop` decides by `proxies` where to, `lookup` finds the
//! address, ureq connects, `hop` or `socks` talks to the proxy. [`tls`](super::tls) comes on top
//! of that, `stale` watches over all of it, and `head_reader` reads heads. What a proxy refuses is an error of its own
//! that [`failure`](super::failure) explains.

pub(super) mod connection;
mod head_reader;
mod http_proxy;
mod lookup;
mod proxies;
mod response_head;
mod socks;
mod stale;

pub(super) use head_reader::HeadConnector;
pub(super) use http_proxy::{ConnectRefused, ProxyConnector, ProxyResolver};
pub(super) use lookup::{SharedResolver, TimedResolver};
pub use proxies::ProxySettings;
pub(super) use proxies::{Proxies, plain_host};
pub(super) use socks::SocksRefused;
pub(super) use stale::{Stale, StaleWatch};
