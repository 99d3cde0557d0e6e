# Everything that a first user, a developer or CI runs; `make help` lists it.
# PYTHON=/path/to/python chooses the interpreter, PYTEST_ARGS adds arguments to pytest.

VENV := .venv
CORE_VENV := .venv-core
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORE_READY := $(CORE_VENV)/.ready
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)

# At least this much of all branches is tested; raise it when it has risen. The core has its own gate: all of it.
COVERAGE_FLOOR := 95

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-all check core suite bench lock docs clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: $(READY) ## run the quickstart notebook; works on a machine with only Python 3.11 and make
	@$(BIN)/python .ci/demo.py

lab: $(READY) ## open JupyterLab with copies of the notebooks in build/lab
	@mkdir -p build/lab
	@for each in notebooks/*.ipynb; do [ -e "build/lab/$$(basename "$$each")" ] || cp "$$each" build/lab/; done
	$(BIN)/jupyter lab $(AS_ROOT) --ServerApp.root_dir=build/lab

test: check core suite ## lint, types, tests and coverage: under 10 minutes on 2 cores

check: $(READY) ## lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

core: $(CORE_READY) ## the tests of the core, where nothing but pytest is installed
	PYTHONPATH=. $(CORE_VENV)/bin/python -m pytest tests/core -q -rs -p no:cacheprovider $(PYTEST_ARGS)

suite: $(READY) ## all tests that are not slow, with the coverage gates
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -q -rs -n auto --timeout 120 -m "not slow" --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/coverage report --include='tfai_jupyter/core/*' --fail-under=100
	$(BIN)/coverage report --fail-under=$(COVERAGE_FLOOR)

test-all: demo ## the quickstart, then every test, the slow ones too
	$(BIN)/python -m pytest -q -rs -n auto --timeout 600 $(PYTEST_ARGS)

bench: $(READY) ## every benchmark: each prints a ratio against a baseline of the same run
	@for each in benchmarks/*.py; do echo "$$each"; $(BIN)/python "$$each" || exit 1; done

docs: $(READY) ## write the pages that are made from the code
	$(BIN)/python -m tfai_jupyter.settings > docs/settings.md

lock: $(READY) ## pin the newest versions that pyproject.toml admits, with hashes and without addresses
	$(LOCK) --upgrade --all-extras pyproject.toml -o requirements.lock
	echo pytest | $(LOCK) --constraint requirements.lock - -o .ci/core.lock

clean: ## remove everything that was made
	rm -rf $(VENV) $(CORE_VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): requirements.lock pyproject.toml
	@.ci/venv $(VENV)
	$(BIN)/python $(PIP_INSTALL) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(CORE_READY): .ci/core.lock
	@.ci/venv $(CORE_VENV)
	$(CORE_VENV)/bin/python $(PIP_INSTALL) -r .ci/core.lock
	@touch $@
