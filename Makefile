# `make help` lists the targets. Everything that they need is installed below this folder, and nothing outside it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
STAMPS := .stamps
BIN := .venv/bin

# Where everything lives and is found; bash reads it before each recipe.
export BASH_ENV := $(CURDIR)/tools/env.sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.NOTPARALLEL:
ANVIL := --network ethereum:local:foundry

.PHONY: help setup setup-bench compile lint test test-in-process test-anvil demo fuzz bench gas-snapshot bench-consensus slither lock clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: $(STAMPS)/python $(STAMPS)/node $(STAMPS)/solc ## everything that is needed, from the lock files (idempotent)

setup-bench: setup $(STAMPS)/bench $(STAMPS)/browser ## what only tests and benchmarks need: libraries to compare with, a browser

$(STAMPS)/tools: tools/check_tools.sh
	@tools/check_tools.sh $(PYTHON)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python: requirements.lock pyproject.toml | $(STAMPS)/tools
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/bench: requirements-bench.lock $(STAMPS)/python
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-bench.lock
	@touch $@

$(STAMPS)/browser: tests/report/browser/package-lock.json tests/report/browser/package.json | $(STAMPS)/tools
	npm ci --prefix tests/report/browser --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(STAMPS)/node: package-lock.json package.json | $(STAMPS)/tools
	npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@# OpenZeppelin's compiled artefacts, 258 files: Ape copies them beside ours in clones below the temporary folder, and lists no more than 500
	@rm -rf node_modules/@openzeppelin/contracts/build
	@rm -rf .ape/packages  # Ape's copy of the contract library
	@# the native binaries themselves: npm's wrappers outlive, or leave behind, a node that is killed
	@for binary in node_modules/@foundry-rs/*-*/bin/*; do ln -sf "../../$$binary" node_modules/.bin/; done
	@touch $@

$(STAMPS)/solc: ape-config.yaml tools/install_solc.py tools/solc/solc.js $(STAMPS)/python $(STAMPS)/node
	$(BIN)/python tools/install_solc.py
	@touch $@

compile: setup ## the contracts
	ape compile --size

lint: setup ## ruff, mypy, and the contracts without a compiler warning
	ruff check .
	mypy
	python tools/check_warnings.py

test: lint test-in-process test-anvil ## everything: linters, then the whole suite in process, then all that touches a chain on anvil

# What the fixtures of a session deploy stays on the chain of its process, so each kind of tests has one of its own.
ON_CHAIN := tests/attack tests/differential tests/invariant tests/unit/chain tests/unit/contracts
# Scenarios, settlers and the command line call what the above try on either EVM; the plays start nodes of their own.
ON_ANVIL := tests/scenario tests/unit/settler tests/unit/cli tests/crash tests/story
OTHERS := $(ON_CHAIN:%=--ignore=%) $(ON_ANVIL:%=--ignore=%)

test-in-process: setup-bench compile
	for kind in $(ON_CHAIN); do ape test $$kind -m "not fuzz and not anvil"; done
	ape test $(OTHERS) -m "not fuzz and not anvil"

test-anvil: setup-bench compile
	for kind in $(ON_CHAIN); do ape test $(ANVIL) $$kind -m "(chain or anvil) and not fuzz and not slow"; done
	ape test $(ANVIL) $(OTHERS) -m "(chain or anvil) and not fuzz and not slow"
	for kind in $(ON_ANVIL); do ape test $(ANVIL) $$kind -m "not fuzz"; done

fuzz: setup-bench ## the differential tests with new random cohorts, and a thousand and more deaths, for long
	ape test $(ANVIL) tests/differential -m fuzz --hypothesis-profile=fuzz
	ape test $(ANVIL) tests/crash -m fuzz

demo: setup ## a whole campaign with real labels on a devnet
	ape run demo $(ANVIL)

bench: setup ## gas and speed, written to benchmarks/
	ape run bench

gas-snapshot: setup ## snapshots/gas.json anew, after a change that is meant to cost more or less
	UPDATE_GAS_SNAPSHOT=1 ape test $(ANVIL) tests/unit/test_gas_snapshot.py

bench-consensus: setup-bench ## every consensus beside crowd-kit's, written to benchmarks/
	python -m benchmarks.consensus
	python benchmarks/ratings_rankings.py

slither: setup ## static analysis of the contracts
	@mkdir -p .build
	python tools/standard_json.py > .build/standard-input.json
	slither .build/standard-input.json --solc .solcx/solc-v*

lock: ## pin anew what pyproject.toml and package.json ask for (needs uv)
	tools/lock.sh

clean: ## remove what was built, compiled and installed; accounts that Ape keeps here stay
	rm -rf .stamps .cache .venv node_modules tests/report/browser/node_modules .solcx .build .hypothesis .mypy_cache .pytest_cache .ruff_cache crytic-export *.egg-info
	if [ -d .ape ]; then find .ape -mindepth 1 -maxdepth 1 ! -name accounts -exec rm -rf {} +; fi
