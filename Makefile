# Everything is made inside this folder: uv in .tools, the project in .venv, Label Studio in .venv-label-studio.
# Nothing but Python 3.11, make and a package index is needed; what is made is made again only when its lock changes.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Our environments keep their compiled files even where the shell forbids it: ten programs start in a demo.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for one in python3.11 python3 python; do \
	$$one -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$one && break; done)
UV := .tools/bin/uv
BIN := .venv/bin
ARGS ?=

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-8s %s\n", $$1, $$2}'

.PHONY: demo
demo: setup ## the whole loop on real servers, with simulated reviewers (ARGS="--keep" leaves the pages up)
	@$(BIN)/hitl demo $(ARGS)

.PHONY: test
test: setup ## every test, real servers included (ARGS="--against twin" for the fast half)
	@$(BIN)/pytest $(ARGS)

.PHONY: lint
lint: setup ## style, types and import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: setup ## put the code into its one form
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

.PHONY: bench
bench: setup ## every benchmark, the small run (ARGS=--json for figures; run one by hand for its full size)
	@for one in benchmarks/*.py; do echo "$$one"; $(BIN)/python $$one --quick $(ARGS) || exit 1; done

.PHONY: lock
lock: .tools/ready ## resolve the dependencies anew into the lock files
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --group dev --extra postgres \
		pyproject.toml -o requirements.lock
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes \
		requirements-label-studio.in -o requirements-label-studio.lock

.PHONY: clean
clean: ## remove all that was made here, the environments too
	@rm -rf .tools .venv .venv-label-studio .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist demo-project

# The two environments are made at the same time.
.PHONY: setup
setup: .tools/ready ## make the environments (the other targets do it by themselves)
	@$(MAKE) --no-print-directory -s -j2 .venv/installed .venv-label-studio/ready

.tools/ready:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 was not found. Install it (Debian: apt-get install python3.11), or name it: make PYTHON=…" >&2; \
		exit 1; fi
	@echo "Fetching uv into .tools"
	@rm -rf .tools
	@if $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv .tools && .tools/bin/python -m pip install -q --disable-pip-version-check 'uv>=0.9'; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m pip install -q --disable-pip-version-check --target .tools 'uv>=0.9'; \
	else \
		echo "$(PYTHON) has neither venv nor pip. On Debian: apt-get install python3-venv" >&2; exit 1; fi
	@touch $@

.venv/synced: requirements.lock | .tools/ready
	@echo "Installing the parts into .venv (once)"
	@[ -x $(BIN)/python ] || $(UV) venv -q --python $(PYTHON) .venv
	@$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@touch $@

.venv/installed: pyproject.toml .venv/synced
	@$(UV) pip install -q --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv-label-studio/ready: requirements-label-studio.lock | .tools/ready
	@echo "Installing Label Studio into .venv-label-studio (once)"
	@[ -x .venv-label-studio/bin/python ] || $(UV) venv -q --python $(PYTHON) .venv-label-studio
	@$(UV) pip sync -q --python .venv-label-studio/bin/python --require-hashes requirements-label-studio.lock
	@touch $@
