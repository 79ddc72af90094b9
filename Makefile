# Everything that can be done with this project; `make` alone lists it.
# Needs python3 (3.11 or newer) with its venv module, and pip's access to packages. Nothing else is fetched.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The browser tests need a Chromium. With CI=true they are required; elsewhere they are left out, with a notice, where
# there is none. Two workers, a file each, so that a file's browser is started once. One's own options for pytest:
# make test PYTEST_ARGS="-k laws".
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
PYTEST_ARGS ?= -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup check test report pictures golden docs clean chromium

help:  ## list what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) chromium  ## make .venv with the stockpile command and the tools for development

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is needed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Chromium, and the library that Playwright's driver is linked against.
chromium:
	@need=; [ -n "$(CHROMIUM)" ] || need=chromium; \
	[ "$$(uname)" != Linux ] || $(PYTHON) -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null || need="$$need libatomic1"; \
	if [ -z "$$need" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing $$need, for the browser tests."; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$need; } >/dev/null || \
	    echo "Could not be installed: $$need" >&2; \
	else \
	  echo "The browser tests need what is not here; on Debian: apt-get install $$need"; \
	fi

check: setup  ## lint, types, imports, parameters, then the tests: what .ci/run calls
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/stockpile params check
	$(MAKE) test

test: setup  ## the tests
	@if [ -n "$(CHROMIUM)" ]; then \
	  $(BIN)/python -m pytest $(PYTEST_ARGS); \
	elif [ "$$CI" = true ]; then \
	  echo "The browser tests need a Chromium, and there is none; on Debian: apt-get install chromium libatomic1" >&2; exit 1; \
	else \
	  $(BIN)/python -m pytest $(PYTEST_ARGS) -m 'not browser' && \
	  echo "NOTICE: the browser tests were left out: there is no Chromium here (on Debian: apt-get install chromium libatomic1)." >&2; \
	fi

report: $(STAMP)  ## render the pages of reports/: two scenarios, the workbench, the evidence, and an index
	$(BIN)/stockpile report july_2025 -o reports/july_2025.html
	$(BIN)/stockpile report november_2026 -o reports/november_2026.html
	$(BIN)/stockpile report july_2025 --workbench reports/workbench.toml -o reports/workbench.html
	$(BIN)/stockpile report july_2025 --workbench reports/evidence.toml -o reports/evidence.html
	$(BIN)/stockpile explorer july_2025 -o reports/explorer.html
	$(BIN)/stockpile report --index reports

pictures: $(STAMP) report  ## take the small pictures of the pages that the documents show
	$(BIN)/python docs/_pictures.py

golden: $(STAMP)  ## refresh tests/golden, a deliberate act: each moved number gets a "Results:" line in CHANGELOG.md
	$(BIN)/python tests/golden/refresh.py

docs: $(STAMP)  ## write anew what the documents have from the code, and the picture of the samplers
	$(BIN)/python docs/_generate.py
	$(BIN)/python docs/_convergence_of_samplers.py

clean:  ## remove what was made, .venv and rendered pages included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .grimp_cache
	find reports -maxdepth 1 -name '*.html' ! -name explorer.html -delete
	rm -f reports/*.manifest.json
	find stockpile tests docs -name __pycache__ -type d -exec rm -rf {} +
