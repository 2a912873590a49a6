#!/usr/bin/env bash
# `go` makes an empty zip of a module that lives in a subdirectory of a Fossil repository, with status 0.
#
# Seen with go1.26.8 and go1.27.4 (linux/amd64), Fossil 2.21 (Debian 12 package fossil), 2026-11-30. `fossil zip --include=sub` matches whole file
# names, so nothing below sub/ is in the archive. `go mod download` reports success; the sum is that of an empty file list,
# h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=, and go.mod of the same version is found and right.
#
# Needs: go (1.21 or later, to fetch the two pinned toolchains as modules), fossil, python3, openssl.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
export HOME=$work USER=example
old_home=$(getent passwd "$(id -u)" | cut -d: -f6)

# A repository with a module at sub/, and a page on 127.0.0.1 that names it.
mkdir "$work/tree"; cd "$work/tree"
fossil init -A example "$work/repo.fossil" >/dev/null
fossil open "$work/repo.fossil" >/dev/null
mkdir sub; printf 'module fossil.example/repo/sub\n' >sub/go.mod; echo 'package sub' >sub/sub.go
fossil add sub >/dev/null; fossil commit -m one --no-warnings >/dev/null; fossil tag add v1.0.0 current >/dev/null 2>&1 || true
cat >"$work/page.py" <<'P'
import http.server, sys, urllib.request
class H(http.server.BaseHTTPRequestHandler):
    # A proxy for plain http: answers for every host with the go-import page; Fossil itself runs behind port argv[1].
    def do_GET(self):
        if 'go-get=1' in self.path:
            body = b'<meta name="go-import" content="fossil.example/repo fossil http://127.0.0.1:%d">' % int(sys.argv[1])
            self.send_response(200); self.end_headers(); self.wfile.write(body)
        else:
            self.send_error(404)
    def do_POST(self):  # Fossil sends its own requests through the proxy, too: pass them on.
        body = self.rfile.read(int(self.headers['Content-Length']))
        req = urllib.request.Request('http://127.0.0.1:' + sys.argv[1] + '/', body, {'Content-Type': self.headers['Content-Type']})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(req) as r: answer, kind = r.read(), r.headers['Content-Type']
        self.send_response(200); self.send_header('Content-Type', kind); self.send_header('Content-Length', str(len(answer))); self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *a): pass
s = http.server.HTTPServer(('127.0.0.1', 0), H)
open(sys.argv[2], 'w').write(str(s.server_port)); s.serve_forever()
P
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
fossil server --localhost --port "$port" "$work/repo.fossil" >/dev/null 2>&1 &
python3 "$work/page.py" "$port" "$work/pageport" &
for _ in $(seq 100); do [ -s "$work/pageport" ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

for release in go1.26.8 go1.27.4; do
	root=$(HOME=$old_home GOTOOLCHAIN=$release go env GOROOT)
	out=$(cd "$work" && http_proxy=http://127.0.0.1:$(cat "$work/pageport") HTTP_PROXY=$http_proxy no_proxy=127.0.0.1 GOINSECURE='*' GOTOOLCHAIN=local GOMODCACHE="$work/cache-$release" \
		GOPROXY=direct GONOSUMDB='*' GOVCS='*:all' GOFLAGS=-modcacherw "$root/bin/go" mod download -json fossil.example/repo/sub@trunk)
	sum=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["Sum"])' <<<"$out")
	echo "$release: status 0, Sum $sum"
	[ "$sum" = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" ] || { echo "changed: the zip is not empty"; exit 1; }
done
echo "as described: the zip of the subdirectory module is empty"
