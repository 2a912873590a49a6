//! How many requests one address may send.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A burst of so many seconds' requests is taken at once.
const BURST_SECONDS: f64 = 10.0;

/// How many addresses are remembered.
const MOST: usize = 50_000;

#[derive(Clone, Copy, Debug)]
struct AddressBucket {
    tokens: f64,
    at: Instant,
}

/// A bucket of tokens for each address.
#[derive(Debug)]
pub(super) struct RateLimits {
    per_second: f64,
    buckets: Mutex<HashMap<IpAddr, AddressBucket>>,
}

impl RateLimits {
    pub(super) fn new(per_second: u32) -> RateLimits {
        RateLimits {
            per_second: f64::from(per_second.max(1)),
            buckets: Mutex::default(),
        }
    }

    /// Takes one request.
    ///
    /// # Errors
    /// After how many seconds the next is taken.
    pub(super) fn take(&self, address: IpAddr) -> Result<(), u64> {
        self.take_at(address, Instant::now())
    }

    fn take_at(&self, address: IpAddr, now: Instant) -> Result<(), u64> {
        let full = self.per_second * BURST_SECONDS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&address) {
            // Those who were silent long enough to have a full bucket need none.
            let age = |bucket: &AddressBucket| now.duration_since(bucket.at).as_secs_f64();
            buckets.retain(|_, bucket| age(bucket) < BURST_SECONDS);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(address).or_insert(AddressBucket {
            tokens: full,
            at: now,
        });
        let since = now.duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + since * self.per_second).min(full);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        // One token takes at most a second.
        Err(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    #[test]
    fn an_address_has_its_burst_and_then_its_rate() {
        let limits = RateLimits::new(2);
        let (one, two) = (
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V4(Ipv4Addr::BROADCAST),
        );
        let now = Instant::now();
        let taken = |address, now| {
            (0..100)
                .filter(|_| limits.take_at(address, now).is_ok())
                .count()
        };
        assert_eq!(taken(one, now), 20);
        assert_eq!(taken(two, now), 20);
        assert_eq!(taken(one, now + Duration::from_secs(3)), 6);
        assert_eq!(taken(one, now + Duration::from_secs(3600)), 20);
    }
}
