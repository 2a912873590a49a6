//! `serve`: what clients get, what is kept, and what is refused.

mod access;
mod checksums;
mod keeping;
mod operation;
mod policy;
mod protocol;
mod queries;
mod streaming;
mod trees;

use crate::support::fixtures::Module;
use crate::support::served::Served;
use crate::support::sumdb::SumDb;
use crate::support::{Proxy, Sandbox};

const TEXT: &str = "require example.com/text v1.2.0";

/// A server's own sandbox.
fn site(goproxy: &str, gosumdb: &str) -> Sandbox {
    Sandbox::new()
        .env("GOPROXY", goproxy)
        .env("GOSUMDB", gosumdb)
        .env("MODFETCH_RETRIES", "0")
}

/// A client of it, with nothing of its own.
fn client(server: &Served, gosumdb: &str) -> Sandbox {
    Sandbox::new()
        .go_mod(TEXT)
        .env("GOPROXY", &server.url())
        .env("GOSUMDB", gosumdb)
}

fn upstream(database: &SumDb) -> Proxy {
    let proxy = Proxy::serve();
    database.serve_on(&proxy);
    proxy
}

/// A module whose zip is longer than what is held back.
fn large_module() -> Module {
    // Bytes that no compressor makes shorter.
    let mut state: u64 = 88_172_645_463_325_252;
    let noise: Vec<u8> = (0..400_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect();
    let gomod = b"module example.com/large\n".to_vec();
    let files = vec![
        ("go.mod".to_owned(), gomod),
        ("noise.bin".to_owned(), noise),
    ];
    Module::new("example.com/large", "v1.0.0", files)
}

const LARGE: &str = "/example.com/large/@v/v1.0.0.zip";
