#!/bin/sh
# Runs modfetch.exe under Wine: download from a file:// proxy, verify, list, graph, env, clean.
#
#     tests/tools/wine.sh target/x86_64-pc-windows-gnu/debug/modfetch.exe
#
# Wine (apt: wine64) is no Windows: it shows that paths, attributes and renames of the program's own making work.
# What it lacks is symbolic links and access lists.
set -eu
exe=$(realpath "$1")
cd "$(dirname "$0")/../.."
wine=$(command -v wine64 || ls /usr/lib/wine/wine64)
dir=$(mktemp -d)
trap 'wineserver -k 2>/dev/null || "${wine%64}server" -k 2>/dev/null || true; chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
export WINEPREFIX="$dir/prefix" WINEDEBUG=-all
# Rust takes random numbers from a library that Wine has only since 8.2.
mkdir "$dir/bin"
cp "$exe" "$dir/bin/modfetch.exe"
exe="$dir/bin/modfetch.exe"
cat >"$dir/random.c" <<'END'
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
END
x86_64-w64-mingw32-gcc -shared -O1 -o "$dir/bin/bcryptprimitives.dll" "$dir/random.c" -ladvapi32
cargo run --quiet --example goproxy -- testdata/mod "$dir/goproxy"
cp -r testdata/projects/hello "$dir/project"
cd "$dir/project"

fail() { echo "wine: $1" >&2 && exit 1; }
modfetch() { env GOENV=off GOSUMDB=off GOPROXY="file:///Z:$dir/goproxy" "$wine" "$exe" "$@"; }
# Drive Z: is the root of this machine.
export GOMODCACHE="Z:$(echo "$dir/cache" | tr / '\\')"

modfetch env | tr -d '\r' >"$dir/env"
grep -q 'GOMODCACHE' "$dir/env" || fail "env prints no GOMODCACHE"
env -u GOMODCACHE "$wine" "$exe" env GOMODCACHE GOENV GOCACHE | tr -d '\r' >"$dir/places"
sed -n 1p "$dir/places" | grep -q '^C:\\users\\.*\\go\\pkg\\mod$' || fail "GOMODCACHE: $(sed -n 1p "$dir/places")"
sed -n 2p "$dir/places" | grep -q '^C:\\users\\.*\\AppData\\Roaming\\go\\env$' || fail "GOENV: $(sed -n 2p "$dir/places")"
sed -n 3p "$dir/places" | grep -q '^C:\\users\\.*\\AppData\\Local\\go-build$' || fail "GOCACHE: $(sed -n 3p "$dir/places")"

modfetch download -json | tr -d '\r' >"$dir/json" || fail "download"
grep -q '"Dir": "Z:\\\\.*\\\\cache\\\\' "$dir/json" || fail "download -json: $(grep '"Dir"' "$dir/json")"
find "$dir/cache" -name '*.zip' | grep -q . || fail "no zip in the cache"
find "$dir/cache" -name '*.partial' -o -name '*.tmp' | grep -q . && fail "unfinished files stay"
modfetch verify | grep -q 'all modules verified' || fail "verify"
[ "$(modfetch list -m all | wc -l)" -gt 1 ] || fail "list"
modfetch graph | grep -q '@' || fail "graph"
# A full cache needs no proxy.
GOPROXY=off "$wine" "$exe" download || fail "the full cache is not enough"
# A damaged file is found.
file=$(find "$dir/cache" -path "$dir/cache/cache" -prune -o -name go.mod -print | head -n 1)
chmod u+w "$file" && echo "// changed" >>"$file"
modfetch verify >/dev/null 2>&1 && fail "verify finds no damage"
modfetch clean -modcache || fail "clean"
[ -e "$dir/cache" ] && fail "the cache is still there"
echo "wine: env, download, verify, list, graph and clean work"
