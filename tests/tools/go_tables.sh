#!/bin/sh
# Prints the tables of a Go distribution that src/gomod/compat.rs and src/config/known.rs have as data:
# run it for the release before and for the new one, and compare.
#   tests/tools/go_tables.sh "$(go env GOROOT)"
set -eu
root=${1:?usage: go_tables.sh GOROOT}
echo "# $(head -n 1 "$root/VERSION")"
echo "# godebug settings, then those that were taken away"
sed -n 's/^\t{Name: "\([a-z0-9]*\)".*\(Removed: [0-9]*\).*/removed \1 \2/p; t
        s/^\t{Name: "\([a-z0-9]*\)".*/known \1/p' "$root/src/internal/godebugs/table.go"
echo "# variables of the go command"
sed -n '/^const KnownEnv/,/^`/p' "$root/src/internal/cfg/cfg.go" | grep '^	'
echo "# go versions that change rules"
grep -E '^	[A-Z][A-Za-z]*Version += "1' "$root/src/cmd/go/internal/gover/version.go"
