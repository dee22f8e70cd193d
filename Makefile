# The one door for commands, the same for people and for CI. `make` alone explains itself.
# On a fresh machine nothing is needed but Python 3.11 or newer and make; each target sets up what it needs.

PORT ?= 8080
DATA ?= .strata
PYTHON ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STRATA := $(BIN)/strata
# the first interpreter that is new enough; else the one there is, so that the refusal can name it
FIND_PYTHON = $(or $(PYTHON),$(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; \
  done),$(shell command -v python3 || command -v python))
define SETUP
@python='$(FIND_PYTHON)'; \
 if [ -z "$$python" ]; then \
  echo "make: no Python was found. Strata needs Python 3.11 or newer, e.g.: apt install python3 python3-venv" >&2; exit 1; fi; \
 if ! command -v "$$python" >/dev/null; then \
  echo "make: there is no Python at $$python. Name one that is there: make run PYTHON=python3.11" >&2; exit 1; fi; \
 if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 0))'; then \
  echo "make: Strata needs Python 3.11 or newer; $$python is Python 2. Name another: make run PYTHON=python3.11" >&2; exit 1; fi; \
 exec "$$python" scripts/setup.py
endef

.DEFAULT_GOAL := help
.PHONY: help run stop reset info demo test check bench soak contracts docs lock format setup dev

help: ## show this list
	@echo "Strata: make TARGET [PORT=8080] [DATA=.strata]"
	@echo
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set up if needed, then start Strata and its sandboxes (Ctrl-C stops)
	$(SETUP) run --port $(PORT)
	@exec $(STRATA) run --port $(PORT) --data $(DATA)

stop: ## stop what `make run` started
	@if [ -x $(STRATA) ]; then $(STRATA) stop --data $(DATA); else echo "Strata is not set up here; nothing runs."; fi

reset: ## stop, then wipe Strata's data and the sandboxes' together
	$(SETUP) run
	@$(STRATA) reset --data $(DATA)

info: ## show where things are
	$(SETUP) run
	@$(STRATA) info --data $(DATA) $(ARGS)

demo: ## place orders in the sandbox shop and watch them travel
	$(SETUP) run
	@$(STRATA) demo --data $(DATA) $(ARGS)

test: ## run all tests against real PostgreSQL and Redis
	$(SETUP) dev foreign
	@$(BIN)/python scripts/test.py $(ARGS)

check: ## lint, types, import rules, contract drift, documentation, lock files
	$(SETUP) dev
	@$(BIN)/python scripts/check.py $(ARGS)

format: ## let ruff mend what it can
	$(SETUP) dev
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: ## measure, beside baselines of the same run; JSON in bench/results
	$(SETUP) dev
	@$(BIN)/python -m bench.run $(ARGS)

soak: ## the tests that take long; JSON in bench/results
	$(SETUP) dev foreign
	@$(BIN)/python scripts/soak.py $(ARGS)

contracts: ## write openapi/ from the contracts in strata/contracts
	$(SETUP) dev
	@$(STRATA) contracts

docs: ## build the documentation into site/
	$(SETUP) dev
	@$(BIN)/python scripts/docs.py $(ARGS)

lock: ## renew requirements/*.txt from pyproject.toml (ARGS=--upgrade for newest versions)
	$(SETUP) dev
	@$(BIN)/python scripts/lock.py $(ARGS)

dev: ## set up everything for working on Strata, start nothing
	$(SETUP) dev foreign
