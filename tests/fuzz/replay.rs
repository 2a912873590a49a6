//! The fuzz targets on a stock toolchain: the committed seeds, then mutants of them.
//!
//! Blind where libFuzzer is guided, but it needs nothing installed. Without `FUZZ_SECONDS` a target
//! gets the same mutants each time, a thousand or what two seconds allow; with it, others each time,
//! for so many seconds. An input that fails is kept below `target/tmp/fuzz/` and named.

mod targets;

/// `targets/sumdb` is written for modfetch itself.
mod error {
    pub(crate) use modfetch::{Error, Kind, Result};
}

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// The most mutants of a run that is the same each time, and the longest it goes on.
const MUTANTS: usize = 1000;
const SHORT: Duration = Duration::from_secs(2);

/// The longest mutant.
const MAX_BYTES: usize = 4096;

/// A xorshift generator.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap_or_default() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.0.to_le_bytes()[self.below(8)]
    }

    /// A part of `bytes`.
    fn part<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.below(bytes.len() + 1);
        let length = self.below((bytes.len() - start).min(40) + 1);
        &bytes[start..start + length]
    }

    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..1 + self.below(5) {
            let at = self.below(bytes.len() + 1);
            let end = at + self.below((bytes.len() - at).min(40) + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.byte(),
                2 if at < bytes.len() => bytes[at] = b"\0\xff\n \"/.,|\x7f09"[self.below(12)],
                3 => drop(bytes.splice(at..end, [])),
                4 => drop(bytes.splice(at..at, [self.byte()])),
                5 => {
                    let part = self.part(&bytes).repeat(1 + self.below(4));
                    drop(bytes.splice(at..at, part));
                }
                _ => {
                    let seed = self.below(seeds.len());
                    let part = self.part(&seeds[seed]).to_vec();
                    drop(bytes.splice(at..end, part));
                }
            }
        }
        bytes.truncate(MAX_BYTES);
        bytes
    }
}

fn check(name: &str, target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("fuzz")
            .join(name);
        let file = dir.join(format!("{:016x}", fnv(input)));
        let kept = fs::create_dir_all(&dir).and_then(|()| fs::write(&file, input));
        #[expect(
            clippy::print_stderr,
            reason = "a failure must say how to have it again"
        )]
        match kept {
            Ok(()) => eprintln!("{name} fails on {}", file.display()),
            Err(_) => eprintln!("{name} fails on {input:?}"),
        }
        resume_unwind(panic);
    }
}

/// A name for an input.
fn fnv(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn replay(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(&corpus)
        .unwrap_or_else(|error| panic!("{}: {error}", corpus.display()))
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    files.sort();
    let mut seeds: Vec<Vec<u8>> = vec![Vec::new()];
    seeds.extend(
        files
            .iter()
            .map(|file| fs::read(file).expect("a readable seed")),
    );
    assert!(seeds.len() > 1, "{} has no seeds", corpus.display());
    for seed in &seeds {
        check(name, target, seed);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the tests, not of the program"
    )]
    let seconds = std::env::var("FUZZ_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("FUZZ_SECONDS is a number"));
    let (seed, mutants, time) = match seconds {
        None => (0x2545_f491_4f6c_dd1d, MUTANTS, SHORT),
        Some(seconds) => (
            RandomState::new().hash_one(name) | 1,
            usize::MAX,
            Duration::from_secs_f64(seconds),
        ),
    };
    let mut chance = Chance(seed);
    let start = Instant::now();
    for _ in (0..mutants).take_while(|_| start.elapsed() < time) {
        check(name, target, &chance.mutate(&seeds));
    }
}

macro_rules! tests {
    ($($name:ident: $area:ident::$function:ident,)*) => {
        $(
            #[test]
            fn $name() {
                let found = targets::TARGETS.iter().find(|target| target.0 == stringify!($name));
                replay(stringify!($name), found.expect("a target of the list").1);
            }
        )*
    };
}
targets::for_each_target!(tests);
