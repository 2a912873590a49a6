//! A request from the question to the answer: the one way in, and each try of it.
//!
//! | file | idea |
//! |---|---|
//! | `client` | the tries, the waits between them, and their events |
//! | `context` | the piece of work that requests belong to |
//! | `attempt` | one try: credentials, redirects, what a status means |
//! | `probe` | one request that is not tried again and wants no body, for `doctor` |
//! | `message` | a request whose answer counts whatever its status, `POST` among them |
//! | `agent` | the one ureq configuration, each changed default explained |
//!
//! `client` asks [`limits`](super::limits) for a turn and has `attempt` do the work: it takes what
//! [`credentials`](super::credentials) has for the URL, sends it through the agent (made of
//! [`connect`](super::connect) and [`tls`](super::tls)), and hands the response to
//! [`answer`](super::answer). How that ended goes back to `limits`, and to
//! [`time`](super::time)'s schedule of tries.

mod agent;
mod attempt;
mod client;
mod context;
mod message;
mod probe;

pub use client::Client;
pub use context::RequestContext;
pub(crate) use message::{PlainRequest, Reply};
pub use probe::{Probe, ProbeAnswer, ProbeBody, ProbeCredentials};
