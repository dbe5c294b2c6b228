#!/usr/bin/env bash
# Runs toxiproxy's server with the arguments given, in the version of go.mod beside this file: the links of tests go through it. It is built once.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/../run.sh" toxiproxy toxiproxy github.com/Shopify/toxiproxy/v2/cmd/server "$@"
