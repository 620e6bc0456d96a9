# Two commands for a new machine: `make run` and `make test`. Everything they need comes through venv and pip.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SPEC   ?= mailstack.yaml.example

# The slow tests mostly wait: the fast ones run beside them.
MAKEFLAGS += --jobs=3
# Else each process of tests would prepare all their assertions anew: nine seconds on two cores.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test fast slow check bench bench-spam fuzz docs screenshots clean format

run: $(VENV)/.run
	$(BIN)/mailstack sandbox $(SPEC)

test: fast slow

# `make check` has the house's rules.
fast: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --ignore tests/test_house_rules.py

slow: $(VENV)/.dev $(VENV)/.node
	$(BIN)/python -m pytest -n 4 --dist loadgroup -m slow

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --cache-dir .cache/import_linter
	$(BIN)/mypy --cache-dir .cache/mypy
	$(BIN)/python -m pytest -q tests/test_house_rules.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench

bench-spam: $(VENV)/.dev
	$(BIN)/python -m bench spam spam_drill

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz

docs: $(VENV)/.dev
	$(BIN)/python -m tests.support.protocol_table
	$(BIN)/python -m tests.support.rules_page
	$(BIN)/python -m tests.support.metrics_page

screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.support.screenshots

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .cache dist

# Compiled as pip does it for all that it copies: else, with PYTHONDONTWRITEBYTECODE, each start would do it anew.
$(VENV)/.run: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m compileall -q src
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	touch $@

# Tests that need it say so where there is no npm.
$(VENV)/.node: requirements/package.json $(VENV)/.run
	if command -v npm >/dev/null; then cp $< $(VENV)/ && NODE_OPTIONS=--use-openssl-ca \
	npm install --prefix $(VENV) --silent --ignore-scripts --no-package-lock --no-audit --no-fund && touch $@; fi
