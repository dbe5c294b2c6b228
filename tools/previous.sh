#!/usr/bin/env bash
# Says where the larder of the previous release is, with which this one has to work (docs/upgrade.md). It is built once, from the repository's history, into the
# user's cache. When a release is made this line names its commit:
set -euo pipefail
commit=a2ef510426e040bdc72a9b7e6819298aaee93f24

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
key=$(go env GOVERSION GOARCH | sha256sum | cut -c1-8)
bin="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/larder/larder-${commit:0:12}-$key"
if [ ! -x "$bin" ]; then
  if ! git -C "$root" cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "the history of $root lacks commit $commit, of which the previous release is built: git fetch --unshallow (or git fetch origin $commit) brings it" >&2
    exit 1
  fi
  echo "tools: building the previous release into $bin" >&2
  mkdir -p "$(dirname "$bin")"
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  git -C "$root" archive "$commit" | tar -x -C "$tree"
  (cd "$tree" && CGO_ENABLED=0 go build -trimpath -ldflags="-X larder/cmd/app.linkedVersion=${commit:0:12}" -o "$bin.$$" ./cmd/larder)
  mv "$bin.$$" "$bin"
fi
echo "$bin"
