#!/usr/bin/env bash
# Writes cmd/larder/default.pgo, by which `go build` optimises: profiles of gateway and node under the loads that most clients make, merged.
# Takes a few minutes; nothing else should run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for section in gateway node; do
  for cell in GET/64B/d1 GET/64B/d16 GET/64B/d64 SET/64B/d16 SET/64B/d64 MGET/64B/d16; do
    go run ./bench -only "$section" -cell "^$cell\$" -pprof "$dir/$section-${cell//\//-}.pprof"
  done
done
go run ./bench -only types -pprof "$dir/types.pprof"
go tool pprof -proto "$dir"/*.pprof >"$dir/merged"
mv "$dir/merged" cmd/larder/default.pgo
echo "pgo: wrote cmd/larder/default.pgo: measure with make bench before it is committed"
