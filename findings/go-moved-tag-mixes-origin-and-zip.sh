#!/usr/bin/env bash
# After a tag moved, `go mod download -json` can show the commit of the new tag beside the sum of the old content.
#
# Seen with go1.26.8 and go1.27.4 (linux/amd64), 2026-11-30. v1.0.0 is cached, then the tag moves to another commit. A later query that
# ends at v1.0.0 (here the branch `main`) rewrites the cached v1.0.0.info with the commit that the tag names now. The cached
# zip stays the old one. `download -json` of v1.0.0 then prints Origin.Hash of the new commit and Sum of the old content.
# So Origin says where the last query ended, not what the zip was made from: only the sum tells what was downloaded.
#
# Needs: go (1.21 or later, to fetch the two pinned toolchains as modules), git, python3.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_SYSTEM=/dev/null
printf '[user]\n\tname = Example\n\temail = user@example.com\n[url "file://%s/repo"]\n\tinsteadOf = https://example.com/moved\n' "$work" >"$work/gitconfig"
M=example.com/moved.git

field() { python3 -c 'import json,sys; v=json.load(sys.stdin)
for k in sys.argv[1].split("."): v=v[k]
print(v)' "$1"; }

try() { # go release
	local root; root=$(GOTOOLCHAIN=$1 go env GOROOT)
	rm -rf "$work/repo"; mkdir "$work/repo"; cd "$work/repo"
	git init -q -b main .
	printf 'module %s\n' $M >go.mod; echo 'package moved // old' >a.go
	git add .; GIT_COMMITTER_DATE=2020-01-01T00:00:00Z git commit -qm old --date 2020-01-01T00:00:00Z; git tag v1.0.0
	local old new; old=$(git rev-parse HEAD)
	local run=(env -C "$work" GOTOOLCHAIN=local GOMODCACHE="$work/cache-$1" GOPROXY=direct GONOSUMDB='*' GOVCS='*:all' GOFLAGS=-modcacherw "$root/bin/go" mod download -json)
	local before after
	before=$("${run[@]}" $M@v1.0.0)
	echo 'package moved // new' >a.go
	GIT_COMMITTER_DATE=2020-01-02T00:00:00Z git commit -qam new --date 2020-01-02T00:00:00Z; git tag -f v1.0.0 >/dev/null
	new=$(git rev-parse HEAD)
	"${run[@]}" $M@main >/dev/null
	after=$("${run[@]}" $M@v1.0.0)
	echo "$1: before: Origin.Hash $(field Origin.Hash <<<"$before") Sum $(field Sum <<<"$before")"
	echo "$1: after:  Origin.Hash $(field Origin.Hash <<<"$after") Sum $(field Sum <<<"$after")"
	[ "$(field Origin.Hash <<<"$before")" = "$old" ] && [ "$(field Origin.Hash <<<"$after")" = "$new" ] &&
		[ "$(field Sum <<<"$before")" = "$(field Sum <<<"$after")" ] || { echo "changed: $1 behaves otherwise"; exit 1; }
}
try go1.26.8
try go1.27.4
echo "as described: new Origin.Hash, old Sum"
