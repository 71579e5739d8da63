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

ANVIL := --network ethereum:local:foundry
IN_PROCESS := --network ethereum:local:test

.PHONY: help setup setup-bench compile lint test test-in-process test-anvil demo fuzz bench bench-consensus slither lock clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: $(STAMPS)/python $(STAMPS)/node $(STAMPS)/solc ## everything that is needed, from the lock files (idempotent)

setup-bench: setup $(STAMPS)/bench ## the packages that only tests and benchmarks of the consensus compare with

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

$(STAMPS)/node: package-lock.json package.json | $(STAMPS)/tools
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@rm -rf .ape/packages  # Ape's copy of the contract library
	@# the native binaries themselves: npm's wrappers outlive, or leave behind, a node that is killed
	@for binary in node_modules/@foundry-rs/*-*/bin/*; do ln -sf "../../$$binary" node_modules/.bin/; done
	@touch $@

$(STAMPS)/solc: ape-config.yaml tools/install_solc.py tools/solc/solc.js $(STAMPS)/python $(STAMPS)/node
	$(BIN)/python tools/install_solc.py
	@touch $@

lint: setup ## ruff and mypy
	ruff check .
	mypy

compile: setup ## the contracts
	ape compile

clean: ## remove what was built, compiled and installed
	rm -rf .stamps .venv node_modules .solcx .ape .build .hypothesis .mypy_cache .pytest_cache .ruff_cache crytic-export *.egg-info
