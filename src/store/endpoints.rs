//! The endpoints of a store: several nodes of one cluster, of which one that fails is left for the next.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::place::{Endpoint, StorePlace};
use crate::error::Result;

/// At least one endpoint, and which of them is in use.
#[derive(Debug)]
pub(super) struct StoreEndpoints {
    all: Vec<Endpoint>,
    in_use: AtomicUsize,
}

impl StoreEndpoints {
    /// Reads `URL,URL`; `None` is AWS itself.
    ///
    /// # Errors
    /// Those of [`Endpoint::new`].
    pub(super) fn parse(
        place: &StorePlace,
        urls: Option<&str>,
        region: &str,
    ) -> Result<StoreEndpoints> {
        let urls: Vec<Option<&str>> = match urls {
            Some(urls) => urls.split(',').map(|url| Some(url.trim())).collect(),
            None => vec![None],
        };
        let all: Result<Vec<Endpoint>> = (urls.into_iter())
            .map(|url| Endpoint::new(place, url, region.to_owned()))
            .collect();
        Ok(StoreEndpoints {
            all: all?,
            in_use: AtomicUsize::new(0),
        })
    }

    /// True if another endpoint can take the place of one that fails.
    pub(super) fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    /// The one that answered last.
    pub(super) fn in_use(&self) -> &Endpoint {
        &self.all[self.in_use.load(Ordering::Relaxed)]
    }

    /// Asks the endpoint in use, and after a failure that may pass each other one. The first that gives any other
    /// answer is in use from then on.
    ///
    /// # Errors
    /// Those of `ask`: the first where all endpoints fail.
    pub(super) fn ask<T>(&self, mut ask: impl FnMut(&Endpoint) -> Result<T>) -> Result<T> {
        let first = self.in_use.load(Ordering::Relaxed);
        let mut failed = None;
        for step in 0..self.all.len() {
            let at = (first + step) % self.all.len();
            match ask(&self.all[at]) {
                Err(error) if error.is_transient() => failed = failed.or(Some(error)),
                answer => {
                    if step > 0 {
                        self.in_use.store(at, Ordering::Relaxed);
                    }
                    return answer;
                }
            }
        }
        Err(failed.expect("there is an endpoint, and each has failed"))
    }
}
