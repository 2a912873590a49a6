#!/usr/bin/env bash
# The bytes of a module zip that `go` makes from version control depend on the Go release; its h1 does not.
#
# Seen with go1.26.8 and go1.27.4 (linux/amd64), git from the system, 2026-11-30: the same tag of the same repository gives zip
# files with different SHA-256, because compress/flate was rewritten in Go 1.27. Names, order, contents and the h1 in go.sum are
# equal. So a checksum of the zip file is not a property of a module version: compare h1 only, and never expect two
# proxies (or one proxy before and after an update) to serve equal zip bytes.
#
# Needs: go (1.21 or later, to fetch the two pinned toolchains as modules) and git.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

# A repository with one module and one tag, found below file:// by git's own rewriting of the address.
mkdir "$work/repo"
cd "$work/repo"
git init -q -b main .
printf 'module example.com/zipbytes.git\n\ngo 1.20\n' >go.mod
for i in 1 2 3 4 5 6 7 8; do
	awk -v f="$i" 'BEGIN { print "package zipbytes\n"; for (n = 0; n < 400; n++) printf "// Value%d_%d is the number %d.\nconst Value%d_%d = %d\n", f, n, n * f, f, n, n * f }' >"file$i.go"
done
git add .
git -c user.name=nobody -c user.email=nobody@example.com commit -q -m one --date '2020-01-01T00:00:00Z'
git tag v1.0.0
printf '[url "file://%s/repo"]\n\tinsteadOf = https://example.com/zipbytes\n' "$work" >"$work/gitconfig"

fetch() { # release -> "sha256-of-zip h1"
	local cache="$work/cache-$1"
	(
		cd "$work"
		GOTOOLCHAIN=local GOMODCACHE=$cache GIT_CONFIG_GLOBAL=$work/gitconfig GOPROXY=direct GONOSUMDB='*' GOVCS='*:all' \
			"$2/bin/go" mod download example.com/zipbytes.git@v1.0.0
		cd "$cache/cache/download/example.com/zipbytes.git/@v"
		echo "$(sha256sum <v1.0.0.zip | cut -d' ' -f1) $(cat v1.0.0.ziphash)"
	)
}
# The toolchains are found with the settings of the caller; the repository is reached without a network.
old_root=$(GOTOOLCHAIN=go1.26.8 go env GOROOT)
new_root=$(GOTOOLCHAIN=go1.27.4 go env GOROOT)
export GOFLAGS=-modcacherw
read -r old_bytes old_h1 < <(fetch go1.26.8 "$old_root")
read -r new_bytes new_h1 < <(fetch go1.27.4 "$new_root")
echo "go1.26.8: zip sha256 $old_bytes, $old_h1"
echo "go1.27.4: zip sha256 $new_bytes, $new_h1"
[ "$old_h1" = "$new_h1" ] || { echo "changed: the h1 sums differ"; exit 1; }
[ "$old_bytes" != "$new_bytes" ] || { echo "changed: the zip files are equal now"; exit 1; }
echo "as described: equal h1, different zip bytes"
