//! TLS: whom we believe, who we are, and what to say of a server that is not believed.
//!
//! | file | idea |
//! |---|---|
//! | `connector` | the handshake, with a configuration built at the first https request |
//! | `roots` | which certificate authorities are trusted |
//! | `client_auth` | our own certificate, and who gets to see it |
//! | `certificate`, `issuer` | why a server is not believed, and whose word is missing |
//! | `any_certificate` | believing every server, where the user says so: GOINSECURE |
//! | `validity` | who issued a certificate, and until when it is valid: for `doctor` |
//! | `der` | as much of a certificate's encoding as `issuer` and `validity` read |
//!
//! The settings become `roots` and an identity, these become rustls's configuration in
//! `connector`. It judges through a verifier of `certificate`, which changes no verdict: it adds
//! the names, for [`failure`](super::failure) to have `certificate` explain them.

mod any_certificate;
mod certificate;
mod client_auth;
mod connector;
mod der;
mod issuer;
mod roots;
mod validity;

pub(super) use certificate::explain;
pub use client_auth::ClientCertSettings;
pub(super) use connector::TlsConnector;
pub use roots::RootSettings;
pub use validity::Certificate;
