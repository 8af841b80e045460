PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
READY := .venv/ready
DISTS := . plugins/shanxi plugins/jincheng plugins/linfen plugins/shuozhou plugins/tianjin server
PYPROJECTS := $(DISTS:%=%/pyproject.toml)
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make pins"

FRONTEND := server/frontend
PACKAGES := $(FRONTEND)/node_modules/.package-lock.json
ASSETS := server/gmsafety_server/static/manifest.json
ASSET_SOURCES := $(wildcard $(addprefix $(FRONTEND)/,app.css app.js build.mjs favicon.svg icons.txt css/*.css js/*.js))
# Node 18 or newer from PATH; where there is none, from a wheel in .venv.
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH" &&
FIND_NODE := @($(WITH_NODE) npm --version && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)') \
	>/dev/null 2>&1 || $(PIP) install --require-hashes -r requirements/node.txt

.DEFAULT_GOAL := help
.PHONY: help env assets demo docs gallery test fuzz test-both test-faults test-scale soak check bench pins wheels clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY) ## create .venv with the pinned packages, gmsafety and its regions

$(READY): requirements/dev.txt $(PYPROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "gmsafety needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)." \
			"Try: make env PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot create environments: install its venv module (Debian: python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-index --no-deps --no-build-isolation $(DISTS:%=-e %)
	@touch $@

assets: $(ASSETS) ## build the pages' styles, script and icons with Node from PATH, or from a wheel

$(PACKAGES): $(FRONTEND)/package.json $(FRONTEND)/package-lock.json | $(READY)
	$(FIND_NODE)
	$(WITH_NODE) cd $(FRONTEND) && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(ASSETS): $(PACKAGES) $(ASSET_SOURCES)
	$(FIND_NODE)
	$(WITH_NODE) cd $(FRONTEND) && node build.mjs

demo: $(READY) $(ASSETS) ## play the first three Fridays on a real server, and leave it open (ARGS=--exit ends it)
	$(BIN)/gmsafety demo $(ARGS)

test: check $(ASSETS) ## run the linters, then every test (ARGS="-k word" narrows the tests)
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)
	@echo "make test: the linters and the tests passed."

test-both: $(READY) $(ASSETS) ## every test on SQLite and on PostgreSQL, also those that take turns in make test
	GMSAFETY_BOTH=1 $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(READY) ## run the linters only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test-faults: $(READY) $(ASSETS) ## kill servers 200 times on each database while units file, alone and as four nodes, and count what was lost
	GMSAFETY_FAULT_ROUNDS=$${GMSAFETY_FAULT_ROUNDS:-200} GMSAFETY_EXCHANGE_PAGE=docs/reliability.md $(BIN)/python -m pytest \
		server/tests/test_faults.py server/tests/test_exchange_processes.py server/tests/test_exchange_workers.py \
		-k "killed or everything or lease" -s --timeout=0 $(ARGS)

soak: $(READY) $(ASSETS) ## mixed traffic with kills, stops and backups; 200,000 faults between nodes (GMSAFETY_SOAK_MINUTES on each database, GMSAFETY_SOAK_WORKERS)
	GMSAFETY_SOAK_MINUTES=$${GMSAFETY_SOAK_MINUTES:-60} $(BIN)/python -m pytest server/tests/test_soak.py \
		-k "sqlite-postgresql or postgresql-sqlite" -s --timeout=0 $(ARGS)
	GMSAFETY_EXCHANGE_STEPS=$${GMSAFETY_EXCHANGE_STEPS:-200000} GMSAFETY_EXCHANGE_PAGE=docs/reliability.md $(BIN)/python -m pytest \
		tests/exchange/test_four_nodes.py -s --timeout=0 $(ARGS)

test-scale: $(READY) ## file with five million submissions stored, beside ten thousand (an hour, 60 GB of disk)
	$(BIN)/python benchmarks/run.py --scale $(ARGS)

docs: $(READY) ## build the documentation as a site into out/docs
	$(BIN)/python docs/site/build.py out/docs
	@echo "Open out/docs/index.html."

gallery: $(READY) out/tools/gallery/ready ## print every form, blank and filled, into pictures in docs/gallery (LibreOffice)
	PYTHONPATH=out/tools/gallery $(BIN)/python docs/gallery/pictures.py

fuzz: $(READY) out/tools/fuzz/ready ## give every reader bytes that no office suite wrote (ARGS="--seconds 30 --only docx")
	PYTHONPATH=out/tools/fuzz $(BIN)/python fuzz/run.py $(ARGS)

# What only one target needs stands beside .venv, and is loaded by that target.
out/tools/%/ready: requirements/%.txt | $(READY)
	rm -rf $(@D)
	@$(PIP) install --require-hashes --only-binary :all: --target $(@D) -r $< || { \
		echo "make $*: there is no wheel of what requirements/$*.in asks for, for this Python and platform" \
			"(atheris has them for CPython 3.11 to 3.14 on Linux x86-64)." >&2; exit 1; }
	@touch $@

bench: $(READY) benchmarks/.frictionless/ready ## measure, and write the report
	$(BIN)/python benchmarks/run.py $(ARGS)

# What is measured beside us only; it has an environment of its own.
benchmarks/.frictionless/ready: requirements/bench.txt | $(READY)
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r $<
	@touch $@

pins: $(READY) ## pin the requirements anew (ARGS=--upgrade takes newer versions)
	$(COMPILE) $(ARGS) pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) $(ARGS) --constraint requirements/runtime.txt pyproject.toml --extra client --extra pdf --extra sm server/pyproject.toml \
		--no-emit-package gmsafety --output-file requirements/server.txt
	$(COMPILE) $(ARGS) --constraint requirements/server.txt pyproject.toml --extra client --extra pdf --extra sm server/pyproject.toml \
		requirements/dev.in --no-emit-package gmsafety --output-file requirements/dev.txt
	$(COMPILE) $(ARGS) requirements/node.in --output-file requirements/node.txt
	$(COMPILE) $(ARGS) requirements/bench.in --output-file requirements/bench.txt
	$(COMPILE) $(ARGS) requirements/fuzz.in --output-file requirements/fuzz.txt
	$(COMPILE) $(ARGS) requirements/gallery.in --output-file requirements/gallery.txt

wheels: $(READY) $(ASSETS) ## build the wheels into dist/
	rm -rf dist
	$(PIP) wheel --no-index --no-deps --no-build-isolation --wheel-dir dist $(DISTS)
	@ls dist

clean: ## remove what make has made
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist out \
		$(FRONTEND)/node_modules $(dir $(ASSETS))
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
