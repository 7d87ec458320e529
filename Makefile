# Everything that is done to this repository from outside it. `make` lists it.
SHELL := /bin/bash
.DELETE_ON_ERROR:
export CGO_ENABLED ?= 0

# The corpus is data of others and no part of this repository; it lies beside it where it is there at all.
SHARED ?= $(firstword $(wildcard ../shared ../../shared) ../shared)
ORACLE ?= crm_simulate
GOFILES = $(shell git ls-files '*.go')

.PHONY: book book-lab chaos replay help build links demo demo-plan drill test test-host race check fmt vet lint golden corpus corpus-apply corpus-list corpus-floor pcs-replay pcs-replay-floor pcs-oracle \
        fuzz-oracle bench bench-guests bench-failover bench-load ci install clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## build bin/cerco
	@go build -trimpath -o bin/cerco ./cmd/cerco

links: build ## make bin/crm_simulate and bin/crm_verify, the names that the binary also answers to
	@for name in crm_simulate crm_verify pcs; do ln -sf cerco bin/$$name; done

demo: build ## three nodes on this machine, one of them dies: see its services come back
	@bin/cerco lab demo

EXAMPLE = examples/virtualisation.xml
demo-plan: build ## what would a larger cluster do, now that one of its nodes has died, and why?
	@printf '== %s: what will happen, and what it leads to\n\n' $(EXAMPLE)
	@bin/cerco simulate -S -x $(EXAMPLE)
	@for r in vm-db vm-web; do printf '\n== why: %s\n\n' $$r; bin/cerco explain $$r -x $(EXAMPLE); done

DRILL ?= --nodes 3 --rounds 5
drill: build ## kill a node of a lab again and again, and measure; DRILL="--nodes 5 --rounds 3 --kill-dc --json"
	@bin/cerco lab drill $(DRILL)

test: ## all tests; no root, no network, no waiting
	go test ./...

# One after the other: they use the host's names, and what they measure is time.
test-host: ## tests with what this machine has: root, namespaces, Debian's agents; they say what they lack and skip
	@[ "$$(id -u)" = 0 ] || echo "not root: most of these tests will skip (sudo make test-host)"
	go test -tags host -count=1 -p 1 -timeout 30m $(HOST_FLAGS) $(sort $(dir $(addprefix ./,$(shell git ls-files '*_host_test.go'))))

race: ## all tests, with the race detector
	CGO_ENABLED=1 go test -race ./...

corpus-apply: ## export every CIB of the corpora and apply it: nothing may be lost
	DECLARE_CORPUS="$(abspath $(SHARED))/corpus" go test ./internal/declare -count=1 -run Exported -v

golden: ## record the golden cases anew; read the difference line by line
	go test ./internal/scheduler ./internal/cib ./internal/controller -run Golden -rewrite
	git diff --stat -- '*/testdata/*'

check: fmt vet lint ## formatting, vet, staticcheck, and that go.mod is tidy
	go mod tidy -diff

fmt:
	@out=$$(gofmt -l $(GOFILES)); [ -z "$$out" ] || { echo "not formatted (gofmt -w):"; echo "$$out"; exit 1; }

vet:
	go vet ./...

lint:
	go tool staticcheck ./...

book: ## type every pcs command of a book of 2015, a row each: what it did, or how it was refused
	go test ./internal/pcs -run TestBook -v -count=1

book-lab: ## the same on a cluster of two real daemons on this machine, and look for what the book says is to be seen
	go test -tags host ./internal/pcs -run TestHostBookOnALab -v -count=1

corpus: build ## run Pacemaker's scheduler corpus; fails below corpus.floor
	go run ./tools/corpus -shared $(SHARED) -floor corpus.floor -referee

corpus-list: build ## the same, naming each case that fails (tier, case, levels)
	go run ./tools/corpus -shared $(SHARED) -list

corpus-floor: build ## lift corpus.floor to what holds now
	go run ./tools/corpus -shared $(SHARED) -floor corpus.floor -raise

CALLS ?=
pcs-replay: build ## have recorded calls of pcs 0.11.5 carried out by Cerco; fails below pcs.floor; CALLS="-filter 'resource create'"
	go run ./tools/pcsreplay -shared $(SHARED) -floor pcs.floor $(CALLS)

pcs-replay-floor: build ## lift pcs.floor to what holds now
	go run ./tools/pcsreplay -shared $(SHARED) -floor pcs.floor -raise

pcs-oracle: build ## compare with the installed pcs on random calls upon files; CALLS="-n 600 -seed 7", CALLS=-again
	go run ./tools/pcsoracle -shared $(SHARED) $(CALLS)

FUZZ ?= -n 2000
fuzz-oracle: build ## compare with crm_simulate on random CIBs; FUZZ="-n 500 -seed 7 -features core,+tickets", FUZZ="-mutate DIR"
	go run ./tools/fuzzoracle $(FUZZ)

REPLAY ?= -seeds 10000 -first 1
PLANTS ?= 1000
replay: ## random faults on model clusters, 10,000 seeds, and the bugs that are planted for them; REPLAY="-seeds 1 -first 4711 -show"
	GOGC=400 go test ./internal/replay -run Seeds -v -timeout 60m $(REPLAY)
	@[ "$(PLANTS)" = 0 ] || GOGC=400 go test ./internal/replay -run Planted -v -timeout 60m -plant-seeds $(PLANTS)

CHAOS ?= -chaos-seeds 20 -chaos-faults 30
chaos: ## random faults on whole clusters in virtual time; CHAOS="-chaos-first 302 -chaos-seeds 1 -chaos-nodes 5"
	go test ./internal/testcluster -run Chaos -v -timeout 60m $(CHAOS)

.PHONY: faults soak
FAULTS ?= -faults 100 -seed 1 -nodes 3
faults: ## random faults on real daemons in network namespaces; root; FAULTS="-faults 1000 -seed 1 -nodes 5"
	go test -tags host ./internal/nettest -run RandomFaults -count=1 -v -timeout 24h $(FAULTS)

SOAK ?= --for 20m --nodes 5 --resources 100
soak: build ## harm a lab for a long time, and judge it from outside; SOAK="--for 2h --nodes 5 --resources 100 --seed 7"
	@bin/cerco lab soak $(SOAK)

BENCH ?= .
bench: build ## processor time and memory, ours beside crm_simulate's; BENCH_LONG=1 for its slowest sizes
	go test -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 60m ./tools/bench

FAILOVER ?= .
bench-failover: build ## time from the death of a host to recovery, ours beside Corosync and Pacemaker's; root; FAILOVER=/nodes=3
	CERCO=$(CURDIR)/bin/cerco INCUMBENT=$(abspath $(SHARED)/tools/incumbent) \
		go test -run '^$$' -bench '$(FAILOVER)' -benchtime 1x -timeout 120m ./tools/failover

LOAD ?= .
bench-load: build ## what a cluster costs and how fast it is, ours beside theirs; root; LOAD=Rest, BENCH_LONG=1 for the slowest
	CERCO=$(CURDIR)/bin/cerco INCUMBENT=$(abspath $(SHARED)/tools/incumbent) \
		go test -run '^$$' -bench '$(LOAD)' -benchtime 1x -timeout 240m ./tools/load

.PHONY: many
MANY ?= 128
many: ## a cluster of many nodes in one process and in virtual time: form it, lose two of them; MANY=40
	go test ./internal/testcluster -run ManyNodes -v -timeout 60m -many-nodes $(MANY)

ci: ## everything that must hold, as CI runs it
	.ci/run

PREFIX ?= /usr/local
GUESTS ?= .
bench-guests: ## time of a guest's requests, ours beside fence_virtd's, for a real machine; root, fence-virt, libvirt, QEMU; GUESTS=status
	CERCO_TEST_BENCH='GuestFencing/$(GUESTS)' go test -tags host -run '^$$' -bench GuestFencing -benchtime 1x -timeout 20m ./internal/hypervisor

install: build ## install the program and its systemd units
	install -D -m 755 bin/cerco $(DESTDIR)$(PREFIX)/sbin/cerco
	bin/cerco man | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/man/man8/cerco.8
	bin/cerco completion bash | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cerco
	bin/cerco completion zsh | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cerco
	bin/cerco completion fish | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cerco.fish
	for unit in cerco cerco-fence-virtd; do sed 's#/usr/local/sbin#$(PREFIX)/sbin#' packaging/$$unit.service | install -D -m 644 /dev/stdin $(DESTDIR)/etc/systemd/system/$$unit.service; done

clean: ## remove what was built
	rm -rf bin out
