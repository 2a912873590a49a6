#!/usr/bin/env bash
# `hg identify --debug --id` prints the requests that it makes over http on standard output, around the answer.
#
# Seen with Mercurial 7.1 from PyPI (linux/amd64) and 6.3.2 from Debian 12, 2026-11-30. `--debug` is the documented way to get all 40
# digits of a hash from `identify`. For a repository in a folder the output is the hash alone. For the same repository
# over http there are lines before it (`using http://...`, `sending lookup command`) and one after it (`(sent 2 HTTP requests ...)`),
# all of them on standard output. A script that takes the whole output, or its first line, gets no hash.
#
# Needs: python3 (3.11 or later) with venv, and pip's access to PyPI.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
export HGRCPATH= HGUSER='someone <someone@example.com>'

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mercurial==7.1
hg() { "$work/venv/bin/hg" "$@"; }

hg init "$work/repo"
cd "$work/repo"
echo content >file
hg add -q file
hg commit -q -m one -d '0 0'
hash=$(hg log -r tip --template '{node}')

in_folder=$(hg identify --debug --id --rev=tip "$work/repo")
[ "$in_folder" = "$hash" ] || { echo "changed: for a folder hg prints more than the hash: $in_folder"; exit 1; }

"$work/venv/bin/hg" serve -a 127.0.0.1 -p 0 --print-url >"$work/url" 2>"$work/log" &
server=$!
until [ -s "$work/url" ]; do sleep 0.1; done
over_http=$(hg identify --debug --id --rev=tip "$(head -n 1 "$work/url")" 2>/dev/null)
echo "$over_http"
[ "$(grep -cx "$hash" <<<"$over_http")" = 1 ] || { echo "changed: the hash is no line of its own"; exit 1; }
[ "$over_http" != "$hash" ] || { echo "changed: over http hg prints the hash alone"; exit 1; }
[ "$(head -n 1 <<<"$over_http")" != "$hash" ] || { echo "changed: the hash comes first"; exit 1; }
echo "as described: the hash stands between lines about requests"
