#!/bin/sh
# Pins every requirement with hashes for Python 3.11 to 3.14 on Linux and macOS; needs uv. No index address is written.
set -eu
cd "$(dirname "$0")"
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@"; }
compile --overrides overrides.txt server.in -o server.txt
compile test.in -o test.txt
compile uv.in -o uv.txt
for file in clients-*.in; do
  [ -f "$file" ] && compile "$file" -o "${file%.in}.txt"
done
