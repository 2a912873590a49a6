//! Faults at random, from a seed: which requests are spoiled, and how.
//!
//! What becomes of a request depends on the seed, its path and how often that path was asked for
//! before, and not on the order in which threads come: a run can be repeated.

use std::collections::{BTreeMap, HashMap};

use super::script::{Fault, HeadEnd};

/// How a server misbehaves at random.
pub struct Chaos {
    seed: u64,
    /// So many requests of a thousand are spoiled.
    per_mille: u64,
    /// What `Retry-After` says with 429, in seconds.
    retry_after: &'static str,
    stalls: bool,
    asked: HashMap<String, u64>,
    committed: BTreeMap<&'static str, usize>,
}

impl Chaos {
    /// Spoils so many percent of all requests.
    pub fn new(seed: u64, percent: u64, retry_after: &'static str) -> Chaos {
        Chaos {
            seed,
            per_mille: percent * 10,
            retry_after,
            stalls: true,
            asked: HashMap::new(),
            committed: BTreeMap::new(),
        }
    }

    /// Falls silent nowhere: where requests are counted, no time-out may be short enough for a slow
    /// machine to reach it.
    pub fn without_stalls(mut self) -> Chaos {
        self.stalls = false;
        self
    }

    /// What was done wrong so far, by name.
    pub fn committed(&self) -> BTreeMap<&'static str, usize> {
        self.committed.clone()
    }

    /// Decides about the next request of a path, whose body has this many bytes.
    pub fn next(&mut self, path: &str, body: usize) -> Option<Fault> {
        let count = self.asked.entry(path.to_owned()).or_default();
        *count += 1;
        let chance = mix(self.seed, path, *count);
        if chance % 1000 >= self.per_mille {
            return None;
        }
        let place = (chance >> 32) as usize;
        // Anywhere, but not at the end.
        let some = place % body.max(1);
        let status = |code| Fault::Status(code, Vec::new(), b"at random\n".to_vec());
        let (name, fault) = match (chance >> 16) % 11 {
            0 => ("500", status(500)),
            1 => ("502", status(502)),
            2 => ("503", status(503)),
            3 => {
                let wish = ("Retry-After".to_owned(), self.retry_after.to_owned());
                ("429", Fault::Status(429, vec![wish], Vec::new()))
            }
            4 => ("cut", Fault::Cut(some)),
            5 => ("short", Fault::Cut(body.saturating_sub(1))),
            6 if self.stalls => ("stall", Fault::Stall(some)),
            6 | 7 => ("reset", Fault::Reset(some)),
            8 => ("garbage", Fault::Garbage),
            9 => ("cut header", Fault::Head(place % 60, HeadEnd::Close)),
            _ => ("reset header", Fault::Head(place % 60, HeadEnd::Reset)),
        };
        *self.committed.entry(name).or_default() += 1;
        Some(fault)
    }
}

/// FNV-1a, stirred (the finalizer of MurmurHash3): neighbours have nothing in common.
fn mix(seed: u64, path: &str, count: u64) -> u64 {
    let numbers = seed.to_le_bytes().into_iter().chain(count.to_le_bytes());
    let sum = numbers
        .chain(path.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let sum = (sum ^ (sum >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let sum = (sum ^ (sum >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    sum ^ (sum >> 33)
}
