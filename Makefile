# Everything a newcomer needs: `make demo` and `make test` set up what they use.
# Nothing here writes outside .venv, .cache, out and __pycache__ (all ignored by git), so the checkout stays clean; but for
# `servers`, whose programs lie in the user's cache folder, since they take minutes to build and serve every checkout.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CACHE := .cache
STAMP := $(CACHE)/installed
PREPARED := $(CACHE)/prepared.bin
OUT ?= out/demo
# A folder of manifests for `make bench`; without it, input is generated with a seed.
BENCH_INPUT ?=
# As an installer does: a commit hook that compiles its modules each time takes half as long again.
COMPILE = $(BIN)/python -m compileall -q auditor $$(ls -d $(VENV)/lib/python*/site-packages/hyperscan 2>/dev/null)

.PHONY: help setup demo test check servers bench goldens docs clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(PREPARED)  ## install the program and its tools into .venv

# uv resolves from the lock; where it is not installed, it is put into a virtual environment of its own first.
$(STAMP): pyproject.toml uv.lock
	@mkdir -p $(CACHE)
	@python=$$($(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)') || { \
	  echo "auditor needs Python 3.11 or newer, and \`$(PYTHON)\` is not: name another with \`make PYTHON=python3.12\`." >&2; \
	  exit 1; \
	}; \
	uv=$$(command -v uv || echo $(CACHE)/uv/bin/uv); \
	if [[ ! -x $$uv ]]; then \
	  echo "Installing uv into $(CACHE)/uv ..."; \
	  "$$python" -m venv $(CACHE)/uv; \
	  $(CACHE)/uv/bin/python -m pip install --quiet 'uv>=0.5'; \
	fi; \
	echo "Installing auditor into $(VENV) ..."; \
	"$$uv" sync --quiet --frozen --python "$$python"
	@touch $@

# The library and what looks for credentials, made ready once; what has changed since is made anew at each start, a little slower.
$(PREPARED): $(STAMP) $(shell find policies -name '*.yaml') $(shell find auditor/policy auditor/redaction auditor/detection -name '*.py')
	@$(BIN)/python -m auditor.pipeline.preparing $@
	@$(COMPILE)

demo: $(PREPARED)  ## audit the made-up estate in fixtures/ and write every report
	@$(BIN)/python -m fixtures.demo --out $(OUT)

test: $(PREPARED)  ## run every check: style, types, arrows, tests
	@tests/run.sh

check: $(STAMP)  ## only style, types and arrows (seconds)
	@tests/run.sh --static

servers:  ## build the real Kubernetes servers that tests use (4 to 8 minutes, once)
	@$(PYTHON) -m tests.servers.build

bench: $(PREPARED)  ## measure speed, memory and peers as ratios in one run
	@$(COMPILE)
	@$(BIN)/python -m bench $(if $(BENCH_INPUT),--input $(BENCH_INPUT))

goldens: $(STAMP)  ## write the golden files of the tests again; review the diff like code
	@$(BIN)/pytest -q --renew-goldens -k golden tests/reports tests/e2e

docs: $(STAMP)  ## write the generated pages again
	@$(BIN)/auditor policy docs --out docs/policies
	@$(BIN)/python -m tests.docs.commands
	@$(BIN)/python -m tests.docs.kinds
	@$(BIN)/python -m tests.docs.admission

clean:  ## remove what the other targets made
	@rm -rf $(VENV) $(CACHE) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
