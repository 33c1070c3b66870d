# The front door: every target sets up what it needs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OURS := shared services/ingest services/enrich services/index examples/newsroom
FEEDS ?= deploy/feeds/world.opml
# Test processes beside each other: each has servers of its own, and tests mostly wait.
AT_ONCE ?= 2

# Docker as it is here: another client, or one behind a wrapper, does as well.
COMPOSE ?= docker compose
STACK = $(COMPOSE) --env-file .env $(if $(DEMO),--env-file deploy/demo.env)
LASTING = $$($(STACK) config --services | grep -vxE 'setup|kibana-setup|newsroom-feeds')
SCALES = $(addprefix --scale ,$(SCALE))

.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-chaos test-compose lint bench lock image-locks env up down logs

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
	$(BIN)/python -m pytest --numprocesses $(AT_ONCE) --dist loadfile

test-chaos: $(STAMP) ## minutes of chaos: everything is killed and frozen, the servers too
	$(BIN)/python -m pytest -m long -s tests/chaos

test-compose: $(STAMP) ## docker-compose.yml brought up, killed, scaled; needs a Docker engine, and takes minutes
	$(BIN)/python -m pytest -p no:randomly -m compose -s tests/compose

env: ## .env with passwords for docker-compose.yml; what it has already stays
	@sh deploy/env.sh

# In three steps: --wait takes a container that has done its work and ended for one that failed.
up: env ## everything in containers: make up, make up DEMO=1, make up FEEDS=my.opml SCALE=enrich=3
	$(STACK) up --detach --build $(SCALES)
	$(STACK) wait kibana-setup $(if $(DEMO),newsroom-feeds)
	$(STACK) up --detach --no-recreate --no-deps --wait $(SCALES) $(LASTING)
	$(if $(filter command line environment,$(origin FEEDS)),$(STACK) exec -T ingest newswire feeds import - <$(FEEDS))
	@echo 'Kibana is at http://127.0.0.1:5601; user newswire_reader, password READER_PASSWORD in .env'

down: ## end the containers; what they keep stays, unless VOLUMES=1
	$(STACK) --profile '*' down --remove-orphans $(if $(VOLUMES),--volumes)

logs: ## what the containers say, until Ctrl-C
	$(STACK) logs --follow --tail 100

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests benchmarks examples/consumers

bench: $(STAMP) ## the benchmarks, each a table
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/kafka.py
	$(BIN)/python benchmarks/elastic.py

LOCK := uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
  $(addprefix --no-emit-package ,newswire newswire-ingest newswire-enrich newswire-index)
PART = cp requirements.lock deploy/locks/$(1).txt && $(LOCK) --constraint requirements.lock $(2) -o deploy/locks/$(1).txt

lock: ## compile requirements.lock anew, and from it deploy/locks (needs uv on the PATH)
	$(LOCK) --group pyproject.toml:dev $(addsuffix /pyproject.toml,$(OURS)) -o requirements.lock
	$(MAKE) image-locks

# From a copy of the whole, as uv keeps what it finds there: the same versions with the same hashes.
image-locks:
	$(call PART,ingest,services/ingest/pyproject.toml)
	$(call PART,enrich,services/enrich/pyproject.toml)
	$(call PART,index,services/index/pyproject.toml)
	$(call PART,newsroom,examples/newsroom/pyproject.toml)
	echo hatchling | { $(call PART,build,-); }
