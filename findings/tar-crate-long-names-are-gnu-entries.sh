#!/usr/bin/env bash
# The Rust crate tar writes a GNU `L` entry for a long name even under a ustar header, and its deterministic mode has a time other than 0.
#
# Seen with tar 0.4.46 (rustc 1.95), 2026-11-30:
# - `Header::new_ustar()` followed by `Builder::append_data` with a name over 100+155 bytes: the archive gets an entry of type `L` with the name
#   `././@LongLink`, a GNU extension, and no pax `x` record; a reader that knows only POSIX ustar and pax sees a stray file.
# - `append_data` leaves the type flag of a plain file as the NUL of old tar, where ustar says `0`.
# - `HeaderMode::Deterministic` writes the modification time 1153704088 (2006-07-24), not 0.
# - The archive ends after two blocks of zeros; it is not filled up to 10,240 bytes.
# So an archive whose bytes are part of a format needs headers of its own.
#
# Needs: cargo, od.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src"
cat >"$work/Cargo.toml" <<'T'
[package]
name = "probe"
version = "0.0.0"
edition = "2021"
[dependencies]
tar = { version = "=0.4.46", default-features = false }
T
cat >"$work/src/main.rs" <<'R'
use tar::{Builder, EntryType, Header, HeaderMode};
fn main() {
    let name = format!("{}/{}", "d".repeat(150), "f".repeat(150));
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_ustar();
    header.set_size(1);
    builder.append_data(&mut header, &name, &b"x"[..]).unwrap();
    let bytes = builder.into_inner().unwrap();
    let kinds: Vec<char> = tar::Archive::new(&bytes[..]).entries().unwrap().raw(true)
        .map(|e| e.unwrap().header().as_bytes()[156] as char).collect();
    println!("entry types of one long name: {kinds:?}");
    println!("GNU long name: {}", kinds[0] == 'L');
    println!("type flag of the file is NUL: {}", kinds.last() == Some(&'\0'));
    println!("length {} is a multiple of 10240: {}", bytes.len(), bytes.len() % 10240 == 0);
    let file = std::env::temp_dir().join(format!("probe-{}", std::process::id()));
    std::fs::write(&file, "x").unwrap();
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_metadata_in_mode(&std::fs::metadata(&file).unwrap(), HeaderMode::Deterministic);
    std::fs::remove_file(&file).unwrap();
    println!("deterministic mtime: {}", header.mtime().unwrap());
}
R
out=$(cd "$work" && cargo run -q 2>"$work/log") || { cat "$work/log"; exit 1; }
echo "$out"
grep -qx 'GNU long name: true' <<<"$out" && grep -qx 'type flag of the file is NUL: true' <<<"$out" &&
	grep -q 'multiple of 10240: false' <<<"$out" && grep -qx 'deterministic mtime: 1153704088' <<<"$out" ||
	{ echo "changed: tar behaves otherwise"; exit 1; }
echo "as described"
