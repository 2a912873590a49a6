#!/usr/bin/env bash
# In a netrc file, go (since 1.24) takes `machine HOST` for the usual port alone: a proxy at HOST:8443 gets nothing.
#
# Seen with go1.26.8 and go1.27.4 (linux/amd64), 2026-11-30. curl, git and go up to 1.23 compare the name of the host without its
# port. Since GOAUTH, go keeps credentials by URL prefix, and a line `machine 127.0.0.1` is not a prefix of
# 127.0.0.1:PORT/...: the request goes out without Authorization and ends with 401. `machine 127.0.0.1:PORT` works.
#
# Needs: go (1.21 or later, to fetch the two pinned toolchains as modules), curl, openssl, python3.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
cat >server.py <<'PY'
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers.get("Authorization") == "Basic YW5uOnNlY3JldA=="  # ann:secret
        body = b"v1.0.0\n" if known else b"who are you?\n"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
open("port.new", "w").write(str(server.server_port))
import os; os.rename("port.new", "port")
server.serve_forever()
PY
python3 server.py & server=$!
until [ -s port ]; do sleep 0.1; done
port=$(cat port)
url=https://127.0.0.1:$port
echo "machine 127.0.0.1 login ann password secret" >plain
echo "machine 127.0.0.1:$port login ann password secret" >ported

list() { # release, netrc
	local root; root=$(GOTOOLCHAIN=$1 go env GOROOT)
	env GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE="$work/cache" GOPROXY="$url" GOSUMDB=off GO111MODULE=on \
		SSL_CERT_FILE="$work/cert.pem" NETRC="$work/$2" "$root/bin/go" list -m -versions example.com/m@none 2>&1 || true
}
code=$(curl -s -o /dev/null -w '%{http_code}' --cacert cert.pem --netrc-file plain "$url/example.com/m/@v/list")
echo "curl, machine HOST: $code"
[ "$code" = 200 ] || { echo "changed: curl behaves otherwise"; exit 1; }
for release in go1.26.8 go1.27.4; do
	plain=$(list $release plain); ported=$(list $release ported)
	echo "$release, machine HOST: $(grep -o '401 Unauthorized' <<<"$plain" || echo accepted)"
	echo "$release, machine HOST:PORT: $(grep -o '401 Unauthorized' <<<"$ported" || echo accepted)"
	grep -q '401 Unauthorized' <<<"$plain" && ! grep -q '401 Unauthorized' <<<"$ported" ||
		{ echo "changed: $release behaves otherwise"; exit 1; }
done
