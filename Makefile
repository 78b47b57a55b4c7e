# The commands of this project; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?= .
TESTS ?= tests
NATIVE_SOURCES := $(wildcard spacemap/*/*.c spacemap/*/*.h)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help run test check lint types layers format bench docs clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/installed  ## Install into .venv if need be, then run spacemap on ARGS (default: .)
	@$(BIN)/spacemap $(ARGS)

test: $(VENV)/developed  ## Run the tests of TESTS (default: all)
	$(BIN)/python -m pytest -q $(TESTS)

check: lint types layers test  ## ruff, mypy, import-linter and the tests

lint: $(VENV)/developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/developed
	$(BIN)/mypy

layers: $(VENV)/developed
	$(BIN)/lint-imports --no-cache

format: $(VENV)/developed  ## Format the Python and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/developed  ## Measure against du, the peers in SPACEMAP_PEERS and the floor; BENCH="--only NAME" for a part
	$(BIN)/python -m compileall -q spacemap
	$(BIN)/python tests/bench/run.py $(BENCH)

docs: $(VENV)/developed  ## Make docs/cli.md from the parser, and draw the pictures of the browser
	COLUMNS=100 $(BIN)/python -m tests.docs.reference > docs/cli.md
	$(BIN)/python -m tests.tui.pictures

clean:  ## Remove everything that was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find spacemap -name '*.so' -delete

# Editable by a plain path entry: edits count at once, and starting costs nothing more. The C parts are built in
# place; SPACEMAP_NATIVE=require fails without them, =skip leaves them out.
$(VENV)/installed: pyproject.toml setup.py $(NATIVE_SOURCES)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "spacemap needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --config-settings editable_mode=compat --editable .
	$(BIN)/python -m compileall -q spacemap
	@touch $@

$(VENV)/developed: $(VENV)/installed
	$(INSTALL) --config-settings editable_mode=compat --editable '.[dev]'
	@touch $@
