#!/usr/bin/env bash
# The Rust crate roff writes an empty argument of a control line as nothing, so the arguments after it move to the left.
#
# Seen with roff 1.1.1 (rustc 1.95), 2026-11-30: `.control("TH", ["NAME", "1", "", "source 1.0", "Manual"])`, a man page without a date, becomes
# `.TH NAME 1  "source 1.0" Manual`, with no `""` in it, so man shows the source where the date belongs. The author has to
# write the two quotes, or to leave no argument empty.
#
# Needs: cargo.
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
roff = "=1.1.1"
T
cat >"$work/src/main.rs" <<'R'
fn main() {
    let mut page = roff::Roff::new();
    page.control("TH", ["NAME", "1", "", "source 1.0", "Manual"]);
    for line in page.render().lines().filter(|line| line.starts_with(".TH")) {
        println!("{line}");
    }
}
R
out=$(cd "$work" && cargo run -q 2>"$work/log") || { cat "$work/log"; exit 1; }
echo "$out"
case $out in
*'""'*) echo "changed: the empty argument is kept"; exit 1 ;;
.TH*) echo "as described: the empty argument is lost" ;;
*) echo "changed: no .TH line"; exit 1 ;;
esac
