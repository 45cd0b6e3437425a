# Two commands set everything up: `make demo` (the main job on pictures that ship with the repository) and `make test`.
#
#   make demo [PART=audit]   make demo PART=refine (installs torch)   make test   make lint   make bench   make docs
#
# PYTHON=python3.12 chooses the interpreter; TORCH=cpu (or cu130, ...) chooses the build of torch where the package index has it;
# a torch that is in .venv already and fits the pins is kept.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$p && break; done)
PART ?= all
TORCH ?=
INSTALL := $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --quiet -c constraints.txt $(if $(TORCH),--torch-backend $(TORCH))
INPUTS := pyproject.toml constraints.txt

.PHONY: help demo test test-slow lint format bench docs clean

help:  ## Show what there is.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

demo: $(VENV)/.demo $(if $(filter train refine,$(PART)),$(VENV)/.train)  ## Run the main jobs on real data and say where the results are.
	@$(BIN)/python examples/demo.py $(PART)

test: $(VENV)/.test  ## Run the tests.
	@$(BIN)/pytest -n $${BURNISH_TEST_JOBS:-2} -m "not slow"

test-slow: $(VENV)/.companions  ## Run the tests that take longer, and those against the libraries of others.
	@$(BIN)/pytest -n $${BURNISH_TEST_JOBS:-2} -m slow

lint: $(VENV)/.lint  ## Style, types and layers.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.lint  ## Put the code into shape.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.bench  ## Measure against the peers and print the tables of docs/benchmarks.md.
	@$(BIN)/python benchmarks/all.py

docs: $(VENV)/.docs  ## Build the documentation into site/.
	@$(BIN)/python tools/reference.py
	@$(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) site runs .pytest_cache .ruff_cache .hypothesis

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 is needed and was not found; install it or name it: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Making $(VENV) failed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv

$(VENV)/.core: $(BIN)/uv $(INPUTS)
	@echo "Installing burnish ..."
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.demo: $(BIN)/uv $(INPUTS)
	@echo "Installing burnish ..."
	@$(INSTALL) -e '.[cvat]'
	@touch $@ $(VENV)/.core

$(VENV)/.train: $(VENV)/.demo
	@echo "Installing torch for this part of the demo (see README for the download size) ..."
	@$(INSTALL) -e '.[cvat,train]'
	@touch $@

$(VENV)/.test: $(BIN)/uv $(INPUTS)
	@echo "Installing burnish with torch and the test tools (see README for the download size) ..."
	@$(INSTALL) -e '.[all]' --group test
	@touch $@ $(VENV)/.core $(VENV)/.demo $(VENV)/.train

# Compiling them all would take longer than the tests that import a few.
$(VENV)/.companions: $(VENV)/.test overrides.txt
	@echo "Installing the libraries that trainings are written to, searched and exported with (about 800 MB) ..."
	@$(INSTALL) --no-compile-bytecode --override overrides.txt --group companions
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(INSTALL) --group lint
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	@$(INSTALL) --group bench
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	@$(INSTALL) --group docs
	@touch $@
