#!/usr/bin/env bash
# Runs a program of a module of its own beside this file: run.sh FOLDER NAME PACKAGE ARGUMENTS…
# It is built once into the user's cache, under a name that changes with the folder's go.mod and with Go's version.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/$1" && pwd)
name=$2 package=$3
shift 3
key=$({ go env GOVERSION GOARCH; cat "$here/go.mod" "$here/go.sum"; } | sha256sum | cut -c1-16)
bin="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/larder/$name-$key"
if [ ! -x "$bin" ]; then
  echo "tools: building $name into $bin" >&2
  mkdir -p "$(dirname "$bin")"
  (cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$bin.$$" "$package")
  mv "$bin.$$" "$bin"
fi
exec "$bin" "$@"
