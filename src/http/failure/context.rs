//! Turns what went wrong on the way into words, and says whether it may pass.

use std::fmt;
use std::io;

use rustls::AlertDescription;
use ureq::Timeout;

use super::host_failure::{FailureScope, HostFailure, Unreachable};
use crate::cancel::Deadline;
use crate::error::{Error, Kind};
use crate::http::Settings;
use crate::http::connect::{ConnectRefused, SocksRefused, Stale};
use crate::http::tls;
use crate::http::url::{RedactedUrl, Url};
use crate::io_text;

/// A reason in our own words.
#[derive(Debug)]
struct FailureText(String);

impl fmt::Display for FailureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FailureText {}

/// `reading URL: reason`, of the given kind.
pub(in crate::http) fn reading(url: &RedactedUrl, kind: Kind, reason: impl Into<String>) -> Error {
    Error::new(kind, format!("reading {url}")).because(FailureText(reason.into()))
}

/// What a request fails with when the run's time has passed; another try would not help.
pub(in crate::http) fn out_of_time(url: &RedactedUrl, deadline: &Deadline) -> Error {
    let whole = deadline.whole();
    reading(
        url,
        Kind::Network,
        format!("the run took longer than {whole:?}"),
    )
    .hint(
        "--timeout or MODFETCH_TIMEOUT sets how long a run may take; the next one goes on from \
         what is there",
    )
}

/// What was under way when it went wrong.
pub(in crate::http) struct FailureContext<'a> {
    /// The URL asked for first.
    pub(in crate::http) url: &'a RedactedUrl,
    /// Where redirects have led.
    pub(in crate::http) now: &'a Url,
    /// The HTTP proxy in between, printable.
    pub(in crate::http) through: Option<&'a str>,
    pub(in crate::http) settings: &'a Settings,
    /// When the work that the request is for has to be done.
    pub(in crate::http) deadline: Option<Deadline>,
}

impl FailureContext<'_> {
    fn network(&self, reason: impl Into<String>) -> Error {
        reading(self.url, Kind::Network, reason)
    }

    /// As `network`, where no connection came about; that may pass.
    fn unreachable(&self, reason: String) -> Error {
        Error::new(Kind::Network, format!("reading {}", self.url))
            .because(Unreachable(reason))
            .transient()
    }

    /// Every request to this host ends so, until a setting is changed.
    fn of_all(&self, kind: Kind, reason: String) -> Error {
        let trouble = HostFailure::new(self.now.host(), FailureScope::Host, reason);
        Error::new(kind, format!("reading {}", self.url)).because(trouble)
    }

    fn peer(&self) -> String {
        match self.through {
            Some(proxy) => format!("proxy {proxy} for {}", self.now.host()),
            None => self.now.host().to_owned(),
        }
    }

    /// Explains a failure before the body began.
    pub(in crate::http) fn explain(&self, error: ureq::Error) -> Error {
        let peer = self.peer();
        let Settings {
            connect_timeout,
            stall_timeout,
            ..
        } = self.settings;
        match error {
            ureq::Error::Timeout(Timeout::Resolve) => self.unreachable(format!(
                "cannot look up {peer}: no answer within {connect_timeout:?}"
            )),
            ureq::Error::Timeout(Timeout::Connect) => self.unreachable(format!(
                "cannot connect to {peer}: no answer within {connect_timeout:?}"
            )),
            ureq::Error::Timeout(Timeout::Global) => self.too_slow(),
            ureq::Error::Timeout(_) => self
                .network(format!("{peer} sent nothing for {stall_timeout:?}"))
                .transient(),
            ureq::Error::HostNotFound => {
                self.unreachable(format!("cannot look up {peer}: no address"))
            }
            ureq::Error::ConnectionFailed => self.unreachable(format!("cannot connect to {peer}")),
            ureq::Error::Io(error) => self.explain_io(&error),
            ureq::Error::Rustls(error) => self.explain_tls(&error),
            ureq::Error::Tls(reason) => self.network(format!("TLS with {peer}: {reason}")),
            ureq::Error::Protocol(error) => {
                // A garbled answer; often a proxy or balancer in trouble.
                self.network(format!("malformed HTTP response: {error}"))
                    .transient()
            }
            ureq::Error::LargeResponseHeader(..) => {
                self.network("the response header is too large")
            }
            ureq::Error::Other(error) => self.explain_other(error),
            error => self.network(error.to_string()),
        }
    }

    /// The body ended before its time, without the connection saying so.
    pub(in crate::http) fn closed_early(&self) -> Error {
        let peer = self.peer();
        self.network(format!("{peer} closed the connection early"))
            .transient()
    }

    /// More came than was announced.
    pub(in crate::http) fn too_long(&self) -> Error {
        let peer = self.peer();
        self.network(format!("{peer} sent more than it announced"))
            .transient()
    }

    fn too_slow(&self) -> Error {
        if let Some(deadline) = self.deadline.filter(Deadline::is_over) {
            return out_of_time(self.url, &deadline);
        }
        let (peer, whole) = (self.peer(), self.settings.whole_try());
        self.network(format!("{peer} did not send all of it within {whole:?}"))
            .transient()
    }

    /// The body is in an encoding that is not ours to undo; another try gets the same.
    pub(in crate::http) fn unsupported_encoding(&self, name: &str) -> Error {
        let peer = self.peer();
        self.network(format!(
            "{peer} answered with an unsupported Content-Encoding ({name}), and was asked for none"
        ))
    }

    /// The body arrived, but is no whole gzip stream.
    pub(in crate::http) fn undecodable(&self, error: &io::Error) -> Error {
        let (peer, text) = (self.peer(), io_text(error));
        self.network(format!("{peer} sent a broken gzip stream: {text}"))
            .transient()
    }

    /// Our own errors, handed through ureq.
    fn explain_other(&self, error: Box<dyn std::error::Error + Send + Sync>) -> Error {
        let error = match error.downcast::<Error>() {
            Ok(own) => return own.context(format!("reading {}", self.url)),
            Err(error) => error,
        };
        if error.is::<Stale>() {
            return self.network(error.to_string()).transient();
        }
        if let Some(refused) = error.downcast_ref::<SocksRefused>() {
            let reason = format!("{}: {refused}", self.peer());
            return match refused {
                SocksRefused::Login => self
                    .of_all(Kind::Auth, reason)
                    .hint("put user:password@ into the URL of the proxy"),
                refused if refused.may_pass() => self.network(reason).transient(),
                _ => self.network(reason),
            };
        }
        let Some(refused) = error.downcast_ref::<ConnectRefused>() else {
            return self.network(error.to_string());
        };
        let reason = format!("{}: {refused}", self.peer());
        match refused.0 {
            Some(407) => self
                .of_all(Kind::Auth, reason)
                .hint("put user:password@ into the URL in HTTPS_PROXY"),
            Some(403) => reading(self.url, Kind::Auth, reason),
            Some(408 | 425 | 429 | 500..) | None => self.network(reason).transient(),
            Some(_) => self.network(reason),
        }
    }

    /// Explains a failure of the connection, be it while connecting or later.
    pub(in crate::http) fn explain_io(&self, error: &io::Error) -> Error {
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return self.explain_tls(error);
        }
        if let Some(ureq::Error::Timeout(Timeout::Global)) =
            inner.and_then(|inner| inner.downcast_ref())
        {
            return self.too_slow();
        }
        if let Some(ureq::Error::Timeout(_)) = inner.and_then(|inner| inner.downcast_ref()) {
            let stall = self.settings.stall_timeout;
            return self
                .network(format!("{} sent nothing for {stall:?}", self.peer()))
                .transient();
        }
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
            return self
                .network(format!("malformed HTTP response: {error}"))
                .transient();
        }
        let (peer, text) = (self.peer(), io_text(error));
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.closed_early(),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => self
                .network(format!("connection to {peer} lost: {text}"))
                .transient(),
            // A sandbox or a firewall of this machine, which waiting does not move.
            io::ErrorKind::PermissionDenied => {
                self.network(format!("cannot connect to {peer}: {text}"))
            }
            _ => self.unreachable(format!("cannot connect to {peer}: {text}")),
        }
    }

    fn explain_tls(&self, error: &rustls::Error) -> Error {
        let host = self.now.hostname();
        match error {
            rustls::Error::InvalidCertificate(cause) => {
                let (reason, hint) = tls::explain(cause, host);
                let reason = format!("cannot verify the certificate of {host}: {reason}");
                let error = self.of_all(Kind::Network, reason);
                hint.into_iter().fold(error, Error::hint)
            }
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                let reason = format!("TLS with {host}: it asks for a client certificate");
                self.of_all(Kind::Auth, reason)
                    .hint("--client-cert names one, and goes to the hosts in GOPROXY and GOSUMDB")
            }
            rustls::Error::PeerIncompatible(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType
            | rustls::Error::InvalidCertRevocationList(_)
            | rustls::Error::AlertReceived(
                AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                | AlertDescription::UnrecognisedName
                | AlertDescription::NoApplicationProtocol,
            ) => self.network(format!("TLS with {host}: {error}")),
            // A record that is none, a handshake cut by a balancer: it may pass.
            error => self.unreachable(format!("TLS with {host}: {error}")),
        }
    }
}
