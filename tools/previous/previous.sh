#!/usr/bin/env bash
# Says where the larder of the previous release is, with which this one has to work (docs/upgrade.md). It is built once, into the user's cache, of the source
# that lies here: what has to be tested must not hang on how much of its history a clone has brought. When a release was made,
# `tools/previous/previous.sh keep COMMIT` puts its source in the place of the last one's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "${1-}" = keep ]; then
  commit=$(git rev-parse --verify "${2-HEAD}^{commit}")
  # only what a binary is made of
  files=$(git -C ../.. ls-tree -r --name-only "$commit" | grep -Ev '_test\.go$|(^|/)testdata/|^(docs|bench|internal)/|\.md$')
  # shellcheck disable=SC2086 # no file of ours has a space in its name
  git -C ../.. archive "$commit" -- $files | gzip -9n >source.tar.gz
  echo "$commit" >commit
  exit
fi
commit=$(cat commit)
key=$(cat "$(go env GOROOT)/VERSION" source.tar.gz | sha256sum | cut -c1-8)
bin="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/larder/larder-${commit:0:12}-$key"
if [ ! -x "$bin" ]; then
  echo "tools: building the previous release into $bin" >&2
  mkdir -p "$(dirname "$bin")"
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  tar -xzf source.tar.gz -C "$tree"
  (cd "$tree" && CGO_ENABLED=0 go build -trimpath -ldflags="-X larder/cmd/app.linkedVersion=${commit:0:12}" -o "$bin.$$" ./cmd/larder)
  mv "$bin.$$" "$bin"
fi
echo "$bin"
