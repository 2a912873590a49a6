//! The one ureq configuration: each default that is changed, and why.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::transport::Connector;

use crate::http::Settings;
use crate::http::connect::{
    HeadConnector, Proxies, ProxyConnector, ProxyResolver, SharedResolver, StaleWatch,
    TimedResolver,
};
use crate::http::exchange::NotedConnector;
use crate::http::tls::TlsConnector;

/// Per connection one buffer of this size, and a second one within TLS. Sixty-four connections
/// then hold 4 MiB; reads of this size are still large beside what the system hands out.
const INPUT_BUFFER_BYTES: usize = 32 << 10;

/// Holds the longest line of a request: a URL is at most 8 KiB.
const OUTPUT_BUFFER_BYTES: usize = 16 << 10;

/// Servers commonly close idle connections after 60 s or more; a connection is looked at before
/// it is used again anyway.
const MAX_IDLE_AGE: Duration = Duration::from_secs(55);

/// Builds the agent; connects to nothing and loads nothing.
pub(super) fn build(settings: &Settings, proxies: &Arc<Proxies>) -> Agent {
    let config = Config::builder()
        // The status decides in `client`, and the body of an error is shown.
        .http_status_as_error(false)
        // Redirects are followed in `client`, with rules that ureq does not know.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // The environment is not ours to read; `hop` goes through proxies.
        .proxy(None)
        .user_agent(settings.user_agent.as_str())
        // Zips do not shrink. Who encodes all the same is understood, see `encoding`.
        .accept_encoding("")
        .accept("")
        // ureq sets no time-out at all by default.
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        // For the header as a whole: one byte now and then would not be progress.
        .timeout_recv_response(Some(settings.stall_timeout))
        // For each read of the body; ureq's `timeout_recv_body` would be for all of it.
        .timeout_per_read(Some(settings.stall_timeout))
        .timeout_per_write(Some(settings.stall_timeout))
        .max_idle_connections(settings.connections.max(1))
        .max_idle_connections_per_host(settings.connections.max(1))
        .max_idle_age(MAX_IDLE_AGE)
        .input_buffer_size(INPUT_BUFFER_BYTES)
        .output_buffer_size(OUTPUT_BUFFER_BYTES)
        // `HeadConnector` has a limit of its own.
        .max_response_header_size(usize::MAX)
        .build();
    let connector = ProxyConnector(Arc::clone(proxies))
        .chain(NotedConnector::default())
        .chain(TlsConnector::new(settings))
        .chain(StaleWatch)
        .chain(HeadConnector(Arc::clone(proxies)));
    let resolver = ProxyResolver {
        proxies: Arc::clone(proxies),
        system: SharedResolver::new(TimedResolver),
    };
    Agent::with_parts(config, connector, resolver)
}
