#!/usr/bin/env bash
# Runs golangci-lint with the arguments given, in the version of go.mod beside this file. It is built once (about a minute) into the user's
# cache, under a name that changes with that version and with Go's.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$({ go env GOVERSION GOARCH; cat "$here/go.mod" "$here/go.sum"; } | sha256sum | cut -c1-16)
bin="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/larder/golangci-lint-$key"
if [ ! -x "$bin" ]; then
  echo "lint: building golangci-lint into $bin" >&2
  mkdir -p "$(dirname "$bin")"
  (cd "$here" && go build -trimpath -ldflags='-s -w' -o "$bin.$$" github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
  mv "$bin.$$" "$bin"
fi
exec "$bin" "$@"
