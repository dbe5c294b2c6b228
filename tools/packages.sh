#!/usr/bin/env bash
# Installs Debian packages whose program is missing, and says what it did: packages.sh PROGRAM=PACKAGE …
# PROGRAM is a command, or a file with its whole path. What is there, however it came, is left alone.
# Nothing that is installed is started: a policy-rc.d that says so is put in place for as long as this runs, unless there is one.
set -euo pipefail

missing=()
for pair in "$@"; do
  program=${pair%%=*}
  if [[ $program == /* ]]; then
    [ -e "$program" ] || missing+=("${pair#*=}")
  else
    command -v "$program" >/dev/null || missing+=("${pair#*=}")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all there"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "packages: missing ${missing[*]} (Debian's names), and there is no apt-get here: install them by hand" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "packages: missing ${missing[*]}. Run this as root once, or: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
  echo "packages: wrote $policy for now, so that no service is started"
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >"$log" 2>&1 || { cat "$log" >&2; echo "packages: apt-get $* failed" >&2; exit 1; }; }
apt update
apt install -y --no-install-recommends "${missing[@]}"
rm -f "$log"
echo "packages: installed ${missing[*]}"
