# Two commands do the job on a bare machine with Python >= 3.11: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A file of tests stays together; each process has servers of its own. There is always something to wait for, so that
# two processes for each core are busy; files that take long come first, in the order of tests/conftest.py.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder
SOURCES := app schema resolvers windtunnel tests benchmarks training hatch_build.py

# Tests start hundreds of processes, which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check check-long bench format lock graphiql clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

run: $(VENV)/.run graphiql ## Install and start the API with its embedded worker; prints the GraphiQL address
	@$(BIN)/windtunnel serve

test: $(VENV)/.dev graphiql ## Run every test, those on real PostgreSQL and Redis-protocol servers included
	$(BIN)/python -m pytest -q $(PARALLEL)

check: $(VENV)/.dev graphiql ## Format, lint, types, import floors, compose file, locks, tests: what CI runs
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/python -m pytest -q $(PARALLEL)

check-long: $(VENV)/.dev ## Ten minutes of random requests and frames, then a hundred random lives of the pipeline
	$(BIN)/python -m pytest -q tests/fuzz --fuzz-seconds 600
	$(BIN)/python -m pytest -q tests/operations/test_pipeline_machine.py --fuzz-seconds 75

bench: $(VENV)/.dev ## Print the benchmarks: ours, theirs, ratio
	$(BIN)/python -m benchmarks

format: $(VENV)/.dev ## Format and fix what can be fixed
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: $(VENV)/.dev ## Pin every dependency anew (requirements*.lock)
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-header --no-emit-index-url -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra dev --universal --generate-hashes --no-header --no-emit-index-url -o requirements-dev.lock

graphiql: $(VENV)/.graphiql ## Build the GraphiQL bundle (with the machine's Node, else one from PyPI)

clean: ## Remove what was built and installed
	rm -rf $(VENV) build dist app/static/graphiql .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	WINDTUNNEL_SKIP_GRAPHIQL=1 $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.lock
	@touch $@

$(VENV)/.graphiql: $(wildcard app/graphiql/*) | $(VENV)/.run
	$(BIN)/python -m app.graphiql.build
	@touch $@
