#!/usr/bin/env bash
# Fuzzes every Fuzz target of the module for a while each: fuzz.sh [TIME], 30s without one. Finds them by their names; stops at the first that
# fails, whose input Go has then put beside the test under testdata/fuzz: commit it with the fix.
set -euo pipefail

time=${1:-30s}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
found=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while read -r package; do
  targets=$(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
  for target in $targets; do
    found=$((found + 1))
    echo "fuzz: $package $target for $time"
    if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null 2>&1 | tee "$log"; then
      # Go sometimes calls the end of a worker's time a failure; nothing was found unless there is an input.
      if ! grep -q 'context deadline exceeded' "$log" || grep -q 'Failing input written' "$log"; then
        exit 1
      fi
    fi
  done
done < <(grep -rl --include='*_test.go' --exclude-dir=tools '^func Fuzz' . | xargs -r -n1 dirname | sort -u)
if [ "$found" -eq 0 ]; then
  echo "fuzz: no Fuzz target found" >&2
  exit 1
fi
echo "fuzz: $found targets, nothing found"
