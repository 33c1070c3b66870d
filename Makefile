# The front door: every target sets up what it needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OURS := shared services/ingest services/enrich services/index examples/newsroom
FEEDS ?= deploy/feeds/world.opml

.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-chaos lint bench lock

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(STAMP) ## .venv with everything in it; the command is .venv/bin/newswire

$(STAMP): requirements.lock $(addsuffix /pyproject.toml,$(OURS))
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(addprefix -e ,$(OURS))
	touch $@

demo: $(STAMP) ## gather, enrich and search the demo newsroom
	$(BIN)/newswire demo

run: $(STAMP) ## all services on your own feeds: make run FEEDS=my.opml
	$(BIN)/newswire run --feeds $(FEEDS)

test: $(STAMP) ## the whole suite
	$(BIN)/python -m pytest

test-chaos: $(STAMP) ## minutes of chaos: everything is killed and frozen, the broker too
	$(BIN)/python -m pytest -m long -s tests/chaos

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests benchmarks examples/consumers

bench: $(STAMP) ## the benchmarks, each a table
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/kafka.py

lock: ## compile requirements.lock anew (needs uv on the PATH)
	uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-package newswire --no-emit-package newswire-ingest \
	  --no-emit-package newswire-enrich --no-emit-package newswire-index --python-version 3.11 \
	  --group pyproject.toml:dev $(addsuffix /pyproject.toml,$(OURS)) -o requirements.lock
