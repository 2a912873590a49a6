//! Requests, retries, resumed transfers, credentials and prefetch.

mod credentials;
mod direct;
mod direct_work;
mod faults;
mod prefetch;
mod requests;
mod response_heads;
mod resume;
mod trace;
mod wrong_bodies;
