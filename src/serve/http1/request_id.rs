//! A name for each request, the client's or one of ours.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest name that is taken from a client.
const MAX_BYTES: usize = 128;

/// The name that a client gave, if it can stand in a header and a log as it is.
pub(super) fn usable(given: Option<&str>) -> Option<&str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/+=".contains(&byte);
    given.filter(|id| !id.is_empty() && id.len() <= MAX_BYTES && id.bytes().all(allowed))
}

/// A name that no other request of this process has, and hardly one of another.
pub(super) fn new_request_id() -> String {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{:016x}",
        SEED.get_or_init(RandomState::new).hash_one(count)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clients_are_taken_if_they_are_harmless() {
        assert_eq!(usable(Some("a-1.b_C:d/e+f=")), Some("a-1.b_C:d/e+f="));
        for bad in ["", "a b", "a\"b", "\u{e9}", &"a".repeat(129)] {
            assert_eq!(usable(Some(bad)), None, "{bad:?}");
        }
        assert_ne!(new_request_id(), new_request_id());
    }
}
