# Two commands matter: `make run` starts the studio, `make test` proves it. Both print what they do.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

export CGO_ENABLED := 0
# `studio version` reads the commit that the Go tool stamps into the binary; a tree without git has none.
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/dist/*' 2>/dev/null)

.PHONY: build run test verify bench sandbox attack deployload ui fmt clean test-go test-ui test-e2e

## build: the UI and the binary ./studio
build: ui
	@echo "Building ./studio …"
	@go build -trimpath -buildvcs=$(BUILDVCS) -ldflags '-s -w' -o studio .

## run: build everything and start the studio; its address is printed
run: build
	@./studio serve

ui: ui/dist/.built

ui/node_modules/.installed: ui/package.json ui/package-lock.json
	@echo "Installing the UI's packages …"
	@cd ui && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

ui/dist/.built: ui/node_modules/.installed $(UI_SOURCES)
	@echo "Building the UI …"
	@cd ui && npm run --silent build
	@touch $@

e2e/node_modules/.installed: e2e/package.json e2e/package-lock.json
	@echo "Installing the test clients …"
	@cd e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

## test: install what tests need, start the servers they need, run everything
test:
	@e2e/install-test-tools
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory test-ui
	@e2e/with-postgres $(MAKE) --no-print-directory test-go test-e2e

test-go:
	@echo "Go: vet and tests …"
	@test -z "$$(gofmt -s -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -s -l $$(git ls-files '*.go'); exit 1; }
	@go vet ./...
	@GOARCH=arm64 go vet ./mcpgen/sandbox ./mcpgen/broker
	@node --test --test-reporter=dot e2e/go-test.test.mjs
	@node e2e/go-test.mjs -timeout 15m ./...

test-ui: ui/node_modules/.installed
	@echo "UI: types, lint, units, sizes …"
	@cd ui && npm run --silent check && npm run --silent test && npm run --silent sizes

test-e2e: e2e/node_modules/.installed
	@echo "Browser and MCP clients …"
	@cd e2e && npm run --silent test

## sandbox: every attack against the wall, in every mode this machine allows; as root it also writes docs/sandbox-matrix.md
sandbox:
	@STUDIO_SANDBOX_MATRIX=$(CURDIR)/docs/sandbox-matrix.md go test -count=1 -v -timeout 20m ./mcpgen/sandbox ./mcpgen/broker | grep -v '^=== '

## attack: every test that names a case of the attack catalogue; says what is covered, what passed, what is left out and why
attack:
	@e2e/install-test-tools
	@$(MAKE) --no-print-directory build e2e/node_modules/.installed
	@e2e/with-postgres node e2e/attack/run.mjs

## deployload: 50 deploys and 50 roll-backs at 200 calls a second and more through the real front; prints what it cost (nothing)
deployload:
	@STUDIO_VERIFY=1 go test -count=1 -v -timeout 15m -run '^TestDeployLoad$$' ./server | grep -v '^=== '

## verify: the long sweeps (kill, fuzz); not part of test
verify:
	@e2e/install-test-tools
	@STUDIO_VERIFY=1 e2e/with-postgres go test -timeout 90m ./...
	@$(MAKE) --no-print-directory build e2e/node_modules/.installed
	@cd e2e && STUDIO_VERIFY=1 ./with-postgres npm run --silent test
	@for p in ./mcpgen/sqllex ./mcpgen/jsonscan ./mcpgen/query ./mcpgen/hop ./mcpgen/broker ./mcpgen/control ./mcpgen/transform; do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do echo "fuzz $$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s $$p; done; done

## bench: what a call costs beside a one-process baseline and MCP Toolbox, then single parts; BENCH="-seconds 1" and so on
bench: build bench/toolbox/.tried
	@e2e/with-postgres go run ./bench $(BENCH)
	@e2e/with-postgres go test -run '^$$' -bench . -benchmem -benchtime 0.2s ./mcpgen/...

# The peer joins the comparison where npm has a binary for this platform.
bench/toolbox/.tried:
	@echo "Installing MCP Toolbox for the comparison (300 MB) …"
	@mkdir -p bench/toolbox
	@npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel=error --prefix bench/toolbox @toolbox-sdk/server@1.12.0 || echo "It could not be installed; the comparison goes without it."
	@touch $@

fmt:
	@gofmt -s -w $$(git ls-files '*.go')

clean:
	@rm -rf studio ui/dist ui/dist-gallery ui/shots ui/node_modules e2e/node_modules e2e/out bench/toolbox
