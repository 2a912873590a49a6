//! Requests, retries, resumed transfers, credentials and prefetch.

mod credentials;
mod faults;
mod prefetch;
mod requests;
mod resume;
mod trace;
