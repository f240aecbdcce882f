# What people and CI run. `make demo` and `make test` do all the set-up by themselves;
# they need Go (https://go.dev/dl) and, for the race detector, a C compiler, which is
# installed where that is possible. The binary itself is built without cgo.

GO          ?= go
FUZZTIME    ?= 30s
BENCHTIME   ?= 1s
DEMO        ?=
SEEDS       ?= 1040
CHAOS       ?= 5m
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Where there is concurrency, tests run under the race detector too.
RACE  := ./internal/client/... ./internal/play/... ./internal/server/... ./internal/dial/... \
         ./internal/handover/... ./internal/doctor/... ./internal/command/... ./internal/call/... ./internal/app/... ./cmd/sotto/... ./examples/...
BENCH := ./mls ./internal/server ./internal/server/relay ./internal/server/logs ./internal/store/sqlite ./internal/play ./internal/client ./internal/app ./internal/call
CROSS := linux/arm64 darwin/arm64 windows/amd64

export CGO_ENABLED = 0
export PATH := $(PATH):/usr/local/go/bin

.PHONY: build ui ui-test e2e screens browser node man demo test rest unit race sim soak chaos lint cross fuzz bench coturn go net cc clean

build: go ui
	$(GO) build -trimpath -o bin/sotto ./cmd/sotto

# The web interface, which go build embeds from ui/dist. Without npm the binary is built
# all the same and says so in the browser. npm ci runs only when the lock file changed.
ui:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory ui/dist/index.html; \
	else echo "the interface is built with Node 20.19 or later, which is not here: https://nodejs.org" >&2; fi

UI := $(shell find ui/src ui/public ui/tools -type f -not -path '*/data/*' 2>/dev/null) $(wildcard ui/*.js ui/*.json ui/*.html)

ui/dist/index.html: ui/node_modules/.made $(UI)
	cd ui && npm run --silent build

ui/node_modules/.made: ui/package-lock.json
	cd ui && npm ci --no-fund --no-audit --silent
	@touch $@

# Types, rules and unit tests of the interface.
ui-test: node ui/node_modules/.made
	cd ui && npm run --silent check && npm run --silent test

# The interface in a real browser, with real servers and real apps behind it. E2E=talk runs
# one file of ui/e2e.
E2E ?=
e2e: browser node build
	cd ui && npm run --silent e2e -- $(E2E)

# Pictures of every screen, into docs/screens.
screens: browser node build
	@command -v pngquant >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends pngquant >/dev/null; }
	cd ui && npm run --silent screens

# Debian's Chromium and Firefox, and the fonts that the interface is drawn with.
BROWSER := chromium firefox-esr fonts-inter fonts-urw-base35 fonts-noto-color-emoji
browser:
	@if command -v chromium >/dev/null && command -v firefox-esr >/dev/null && fc-list 2>/dev/null | grep -q Inter && fc-list | grep -q P052 && fc-list | grep -q NotoColorEmoji; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(BROWSER) fontconfig >/dev/null; \
	else echo "the browser tests need Chromium, Firefox and the fonts: install $(BROWSER)" >&2; exit 1; fi

node:
	@command -v npm >/dev/null || { echo "the interface is built and tested with Node 20.19 or later, which is not here: https://nodejs.org" >&2; exit 1; }

# make demo DEMO=--once ends after the talk.
demo: build
	@bin/sotto demo $(DEMO)

# Every package once: under the race detector where there is concurrency, else without.
# internal/play runs both ways, with more rounds and larger files without it. It says how
# many of others' vectors were run and how many are of suites that are not built. go test's
# own lines end the output.
test: lint cross ui-test race sim e2e rest

rest: go net
	@$(GO) test -v -run '^TestVector' ./mls | grep '^vectors'
	$(GO) test -timeout 30m $$($(GO) list ./... | grep -vxF "$$($(GO) list $(RACE) ./internal/sim)") ./internal/play

# The simulator: some seeds, the plans that failed once, every attack, and the planted
# bugs that it must find, in three processes. It prints what it counted.
sim: go
	@echo 'go test -short ./internal/sim'
	@$(GO) test -c -o bin/sim.test ./internal/sim
	@cd internal/sim && b=../../bin && run="$$b/sim.test -test.short -test.v -test.timeout 40m" && \
	{ $$run -test.run TestHostAttack > $$b/sim.hosts 2>&1 & hosts=$$!; \
	  $$run -test.run TestMemberAttack > $$b/sim.members 2>&1 & members=$$!; \
	  $$run -test.skip 'TestHostAttack|TestMemberAttack' > $$b/sim.plans 2>&1; plans=$$?; \
	  wait $$hosts; hosts=$$?; wait $$members; members=$$?; \
	  if [ "$$plans$$hosts$$members" != 000 ]; then cat $$b/sim.plans $$b/sim.hosts $$b/sim.members; exit 1; fi; \
	  grep -hv '^ *\(===\|---\) ' $$b/sim.plans $$b/sim.hosts $$b/sim.members; }

# The same for many more seeds, until a million messages are delivered, and every attack once.
soak: go net
	$(GO) test -count=1 -timeout 0 -v -run '^(TestSoak|TestOrders)$$' ./internal/sim -args -first 0 -seeds $(SEEDS)
	$(GO) test -count=1 -timeout 0 -v -run '^TestPairs$$' ./internal/netlab -args -long

# Real processes in network namespaces, on Linux, for CHAOS: see docs/chaos.md.
chaos: go
	$(GO) test -tags chaos -count=1 -timeout 0 -v -run '^TestChaos$$' ./internal/chaos -args -for $(CHAOS)

unit: go
	$(GO) test ./...

race: go cc
	CGO_ENABLED=1 $(GO) test -race -timeout 30m $(RACE)
	CGO_ENABLED=1 $(GO) test -race -run '^(TestLife|TestPoisonedPath)$$' ./mls

lint: go
	@echo 'gofmt -l .'; out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not formatted:" $$out; exit 1; fi
	$(GO) vet ./...
	GOOS=linux $(GO) vet -tags chaos ./internal/chaos
	$(GO) run $(STATICCHECK) ./...

cross: go
	@set -e; for target in $(CROSS); do \
		echo "go build for $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -o /dev/null ./...; \
	done

# Every fuzz target for FUZZTIME. Plain go test runs their seeds.
fuzz: go
	@set -e; for pkg in $$($(GO) list ./...); do \
		list=$$($(GO) test -list '^Fuzz' $$pkg); \
		for target in $$(echo "$$list" | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

bench: go coturn
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem -timeout 60m $(BENCH)
	$(MAKE) --no-print-directory browser node build
	cd ui && E2E_SLOW=1 npm run --silent e2e many
	cd ui && E2E_SLOW=1 npm run --silent bench

# Beside which the relay is measured.
coturn:
	@if command -v turnserver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends coturn >/dev/null; \
	else echo "the relay is measured beside coturn, which is not here: install Debian's package coturn" >&2; exit 1; fi

go:
	@command -v $(GO) >/dev/null || { echo "sotto is built with Go 1.26 or later, which is not here: https://go.dev/dl" >&2; exit 1; }

# What makes networks for the calls of internal/netlab, where the system is Linux.
net:
	@[ "$$(uname)" != Linux ] || { command -v ip >/dev/null && command -v nft >/dev/null; } || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends iproute2 nftables >/dev/null; \
		else echo "calls between networks are tested with ip and nft: install iproute2 and nftables" >&2; exit 1; fi; }

cc:
	@command -v gcc >/dev/null || command -v cc >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends gcc libc6-dev; \
		else \
			echo "the race detector needs a C compiler: install gcc" >&2; exit 1; \
		fi; }

clean:
	rm -rf bin
