#!/usr/bin/env bash
# Builds the container image with docker where its engine answers, else with buildah: image.sh [NAME], larder:latest without one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=${1:-larder:latest}
version=$(git describe --tags --always --dirty 2>/dev/null || true) # what `larder version` says; empty: unknown

if docker info >/dev/null 2>&1; then
  docker build --build-arg VERSION="$version" --tag "$name" .
elif command -v buildah >/dev/null; then
  buildah bud --format docker --layers --build-arg VERSION="$version" --tag "$name" . # the format that knows HEALTHCHECK
else
  echo "image: needs a running docker, or buildah (apt-get install buildah)" >&2
  exit 1
fi
echo "image: $name"
