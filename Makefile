# Larder. `make` alone lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Programs the tests run Larder against, each with the Debian package it comes in; -race needs a C compiler.
TEST_PACKAGES := redis-server=redis-server redis-cli=redis-tools nutcracker=nutcracker memcached=memcached buildah=buildah \
	node=nodejs npm=npm /usr/bin/python3=python3 /usr/lib/python3/dist-packages/redis=python3-redis \
	taskset=util-linux gcc=gcc /usr/include/stdlib.h=libc6-dev ip=iproute2 iptables=iptables /etc/ssl/certs/ca-certificates.crt=ca-certificates

# How long each Fuzz target runs in `make test-long`.
FUZZ_TIME ?= 60s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: dev
dev: ## run a whole cluster in one process on 127.0.0.1:6379
	go run ./cmd/larder dev

.PHONY: build
build: ## build the static binary bin/larder
	CGO_ENABLED=0 go build -trimpath -o bin/larder ./cmd/larder

.PHONY: packages
packages: ## install the Debian packages that the tests need and that are missing (as root)
	@tools/packages.sh $(TEST_PACKAGES)

.PHONY: test
test: packages ## all tests, with the race detector, against real servers; about ten minutes
	go vet ./...
	go vet -tags soak ./...
	@tools/versitygw/versitygw.sh --version >/dev/null # built once, and not in a test's time
	@tools/consul/consul.sh version >/dev/null # the same, three minutes
	@tools/previous/previous.sh >/dev/null # the same
	RAPID_SEED=1 go test -race -timeout 20m ./...

.PHONY: test-long
test-long: packages ## fuzz every target for FUZZ_TIME (60s), then what is drawn with new seeds, then the soak tests; an hour or so
	tools/fuzz.sh $(FUZZ_TIME)
	grep -rl --include='*_test.go' pgregory.net/rapid --exclude-dir=tools . | xargs -n1 dirname | sort -u | grep -v '^\.$$' | RAPID_CHECKS=1000 xargs go test -timeout 30m
	go test -race -timeout 90m -tags soak -run '^TestSoak' ./...

.PHONY: test-failures
test-failures: packages ## kill, freeze, cut off and fill up parts of a fleet under writing clients, beside Redis Sentinel; print the table and write it into docs/failures.md; 15 minutes, as root
	@tools/consul/consul.sh version >/dev/null
	unshare --mount --propagation private go test -timeout 40m -tags soak -count=1 -v -run '^TestFailuresAll$$' ./internal/clients -table $(CURDIR)/docs/failures.md

.PHONY: bench
bench: packages ## measure beside nutcracker and redis-server, write bench/RESULTS.md; 33 minutes, nothing else should run
	go run ./bench

.PHONY: pgo
pgo: packages ## profile gateway and node and write cmd/larder/default.pgo, which go build optimises by
	tools/pgo.sh

.PHONY: lint
lint: ## golangci-lint and formatting (the first run builds the tool: a minute)
	tools/lint/lint.sh run ./...

.PHONY: fmt
fmt: ## format the code with gofumpt
	tools/lint/lint.sh fmt ./...

.PHONY: image
image: ## build the container image larder:latest with docker or buildah
	tools/image.sh

.PHONY: clean
clean: ## remove what was built here
	rm -rf bin
