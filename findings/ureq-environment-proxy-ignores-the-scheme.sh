#!/usr/bin/env bash
# The Rust crate ureq takes one proxy from the environment for every URL: the first of ALL_PROXY, HTTPS_PROXY, HTTP_PROXY.
#
# Seen with ureq 3.5.2 (rustc 1.95), 2026-11-30: with HTTPS_PROXY and HTTP_PROXY both set, a plain http request goes to the proxy that HTTPS_PROXY
# names, where curl, Go and most others use HTTP_PROXY. A program that promises the usual meaning has to choose the proxy
# for each URL itself.
#
# Needs: cargo, python3.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/src"
cat >"$work/Cargo.toml" <<'T'
[package]
name = "probe"
version = "0.0.0"
edition = "2021"
[dependencies]
ureq = { version = "=3.5.2", default-features = false }
T
cat >"$work/src/main.rs" <<'R'
fn main() {
    let answer = ureq::get("http://service.example/").call();
    println!("{}", answer.map(|mut a| a.body_mut().read_to_string().unwrap_or_default()).unwrap_or_else(|e| e.to_string()));
}
R
cat >"$work/proxy.py" <<'P'
# Answers every request with its own name, tunnels (CONNECT) too.
import socketserver, sys
class H(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            first = self.rfile.readline()
            if not first: return
            while self.rfile.readline().strip(): pass
            if first.startswith(b'CONNECT'):
                self.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n'); continue
            body = sys.argv[1].encode()
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))
class S(socketserver.ThreadingTCPServer): daemon_threads = True
s = S(('127.0.0.1', 0), H); open(sys.argv[2], 'w').write(str(s.server_address[1])); s.serve_forever()
P
for name in HTTP_PROXY HTTPS_PROXY; do python3 "$work/proxy.py" "$name" "$work/$name" & done
(cd "$work" && cargo build -q 2>"$work/log") || { cat "$work/log"; exit 1; }
for _ in $(seq 100); do [ -s "$work/HTTP_PROXY" ] && [ -s "$work/HTTPS_PROXY" ] && break; sleep 0.1; done
used=$(env -u http_proxy -u https_proxy -u all_proxy -u ALL_PROXY -u no_proxy -u NO_PROXY HTTP_PROXY="http://127.0.0.1:$(cat "$work/HTTP_PROXY")" \
	HTTPS_PROXY="http://127.0.0.1:$(cat "$work/HTTPS_PROXY")" "$work/target/debug/probe")
echo "http://service.example/ went through the proxy of: $used"
[ "$used" = HTTPS_PROXY ] || { echo "changed: ureq behaves otherwise"; exit 1; }
echo "as described"
