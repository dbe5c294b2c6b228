#!/usr/bin/env bash
# Runs golangci-lint with the arguments given, in the version of go.mod beside this file. It is built once, in about a minute.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/../run.sh" lint golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint "$@"
