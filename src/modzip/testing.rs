//! Zips made byte by byte, so that each part can be made to lie, and go to compare with.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use flate2::{Compression, Crc, write::DeflateEncoder};

use super::ModuleZip;
use super::directory::flag;
use crate::error::{Error, Result};
use crate::gomod::{H1, ModuleVersion};

/// What the tests' zips are zips of, and the start of their names.
pub(super) const MODULE: &str = "a.com/m@v1.0.0";

/// One of the two headers of an entry.
#[derive(Clone, Default)]
pub(super) struct Head {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u32,
    pub(super) unpacked: u32,
    pub(super) extra: Vec<u8>,
}

/// An entry, every field of which may be changed before it is written.
#[derive(Clone, Default)]
pub(super) struct TestEntry {
    pub(super) central: Head,
    pub(super) local: Head,
    pub(super) data: Vec<u8>,
    /// The data descriptor, or whatever stands in its place.
    pub(super) after: Vec<u8>,
    pub(super) creator: u8,
    pub(super) attributes: u32,
    pub(super) disk: u16,
    /// The offset in the central header, if not the true one.
    pub(super) offset: Option<u32>,
}

/// A file as go's zip writer has it: deflated, sums and sizes in a descriptor only.
pub(super) fn file(name: impl AsRef<[u8]>, content: &[u8]) -> TestEntry {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(content).unwrap();
    let mut entry = entry(name.as_ref(), content, deflate.finish().unwrap(), 8);
    entry.central.flags = flag::DESCRIPTOR | flag::UTF8;
    entry.local = Head {
        crc: 0,
        compressed: 0,
        unpacked: 0,
        ..entry.central.clone()
    };
    let sizes = [entry.central.compressed, entry.central.unpacked];
    entry.after = le(&[0x0807_4b50, entry.central.crc, sizes[0], sizes[1]]);
    entry
}

/// A file that is not compressed and has no descriptor.
pub(super) fn stored(name: impl AsRef<[u8]>, content: &[u8]) -> TestEntry {
    entry(name.as_ref(), content, content.to_vec(), 0)
}

fn entry(name: &[u8], content: &[u8], data: Vec<u8>, method: u16) -> TestEntry {
    let mut crc = Crc::new();
    crc.update(content);
    let head = Head {
        name: name.to_vec(),
        method,
        crc: crc.sum(),
        compressed: data.len().try_into().unwrap(),
        unpacked: content.len().try_into().unwrap(),
        ..Head::default()
    };
    TestEntry {
        central: head.clone(),
        local: head,
        data,
        ..TestEntry::default()
    }
}

/// The numbers, 32 bits each.
pub(super) fn le(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

impl Head {
    fn write_sums(&self, out: &mut Vec<u8>) {
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(le(&[self.crc, self.compressed, self.unpacked]));
        out.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        out.extend(u16::try_from(self.extra.len()).unwrap().to_le_bytes());
    }
}

/// The zip of these entries.
pub(super) fn zip(entries: &[TestEntry]) -> Vec<u8> {
    zip_with_gap(entries, b"")
}

/// The zip with `gap` between the last entry and the directory.
pub(super) fn zip_with_gap(entries: &[TestEntry], gap: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = u32::try_from(out.len()).unwrap();
        out.extend(b"PK\x03\x04\x14\0");
        entry.local.write_sums(&mut out);
        for part in [
            &entry.local.name,
            &entry.local.extra,
            &entry.data,
            &entry.after,
        ] {
            out.extend(part);
        }
        directory.extend(b"PK\x01\x02\x14");
        directory.extend([entry.creator, 0x14, 0]);
        entry.central.write_sums(&mut directory);
        directory.extend([0; 2]);
        directory.extend(entry.disk.to_le_bytes());
        directory.extend([0; 2]);
        directory.extend(le(&[entry.attributes, entry.offset.unwrap_or(offset)]));
        directory.extend(&entry.central.name);
        directory.extend(&entry.central.extra);
    }
    out.extend(gap);
    let offset = u32::try_from(out.len()).unwrap();
    out.extend(&directory);
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(le(&[directory.len().try_into().unwrap(), offset]));
    out.extend([0; 2]);
    out
}

/// The zip with a zip64 end record, and all of the end record maxed out.
pub(super) fn with_zip64_end(zip: &[u8]) -> Vec<u8> {
    let (body, end) = zip.split_at(zip.len() - 22);
    let number = |at: usize, len: usize| {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(&end[at..at + len]);
        bytes
    };
    let mut out = body.to_vec();
    out.extend(b"PK\x06\x06");
    out.extend(44_u64.to_le_bytes());
    out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for field in [number(10, 2), number(10, 2), number(12, 4), number(16, 4)] {
        out.extend(field);
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend((body.len() as u64).to_le_bytes());
    out.extend(le(&[1]));
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([0xff; 12]);
    out.extend([0; 2]);
    out
}

/// `name` below the tests' module.
pub(super) fn named(name: &str) -> String {
    format!("{MODULE}/{name}")
}

/// [`MODULE`].
pub(super) fn module() -> ModuleVersion {
    ModuleVersion::parse("a.com/m", "v1.0.0").unwrap()
}

/// Opens bytes as a zip of `module`.
pub(super) fn open_as(module: &ModuleVersion, zip: &[u8]) -> Result<ModuleZip> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(zip).unwrap();
    ModuleZip::open(file, module)
}

/// Opens bytes as a zip of [`MODULE`].
pub(super) fn open(zip: &[u8]) -> Result<ModuleZip> {
    open_as(&module(), zip)
}

/// The h1 of bytes, or why there is none.
pub(super) fn hash(zip: &[u8]) -> Result<H1> {
    open(zip)?.hash()
}

/// What follows `zip rule broken: ` in the refusal.
pub(super) fn reason(error: &Error, module: &ModuleVersion) -> String {
    let chain = error.chain();
    chain
        .strip_prefix(&format!("{module}: zip rule broken: "))
        .unwrap_or_else(|| panic!("not a broken zip rule: {chain}"))
        .to_owned()
}

/// Bytes that deflate cannot make smaller: a xorshift generator's.
pub(super) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.flatten().take(len).collect()
}

/// `go` with an environment of its own, if there is one.
pub(super) fn go(dir: &Path) -> Option<Command> {
    let mut go = Command::new("go");
    go.current_dir(dir)
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .env("GOSUMDB", "off")
        .env("GO111MODULE", "on")
        .env("GOPATH", dir.join("gopath"))
        .env("GOMODCACHE", dir.join("modcache"));
    let found = Command::new("go").arg("version").output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(go);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the tests, not of the program"
    )]
    let required = std::env::var_os("MODFETCH_REQUIRE_GO").is_some_and(|value| value == "1");
    assert!(!required, "go is required and was not found");
    #[expect(clippy::print_stderr, reason = "a skipped comparison must be visible")]
    {
        eprintln!("skipped: no go");
    }
    None
}

/// What a Go program prints.
pub(super) fn go_run(program: &str) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("main.go"), program).unwrap();
    let output = go(dir.path())?.args(["run", "main.go"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}
