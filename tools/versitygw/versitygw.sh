#!/usr/bin/env bash
# Runs versitygw, an S3 server, with the arguments given, in the version of go.mod beside this file: tests of object stores run it. It is built once, in about
# a minute.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/../run.sh" versitygw versitygw github.com/versity/versitygw/cmd/versitygw "$@"
