# The project's commands; `make` alone lists them.
#
#   make setup PYTHON=/path/to/python3.12    the interpreter of a new .venv (to change it, remove .venv)
#   make distill ARGS="--env smoke"          arguments for the tool behind distill, study, test, coverage, faults, fuzz, mutants, bench, viz, lineage, stages, repro, lock
#
# Packages come from the index that pip and uv are set up with. uv does not read pip's settings:
# behind a mirror, set PIP_INDEX_URL for the one and UV_DEFAULT_INDEX for the other.

.DEFAULT_GOAL := help
.PHONY: help setup venv install distill study test coverage faults fuzz mutants check bench format lint-fix viz lineage stages repro lock licences audit docs clean

BIN := .venv/bin
PYTEST := $(BIN)/pytest
STAMP := .venv/sakd-setup
# What the installed environment depends on: the pins, the project's metadata, the place it stands.
PINS := $(shell cat requirements.lock pyproject.toml | cksum)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# Usage data stays here; the file .telemetry says the same to a plain `kedro`.
export DO_NOT_TRACK := 1
# Where this is set, torch and its like would be compiled again at every start: seconds each time.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup: ## make .venv with the pinned packages; instant once that is done
ifneq ($(shell test -x $(BIN)/python && cat $(STAMP) 2>/dev/null),$(PINS) $(CURDIR))
setup: install
# A .venv that was moved here from elsewhere, or that no longer runs, is replaced.
ifneq ($(shell $(BIN)/python -c 'import pip; $(SUPPORTED)' 2>/dev/null \
	&& { test ! -e $(STAMP) || grep -qxF '$(CURDIR)' $(STAMP); } && echo usable),usable)
install: venv
endif
endif

venv:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
		if "$$python" -c '$(SUPPORTED)' >/dev/null 2>&1; then \
			echo "setup: making .venv with $$("$$python" --version)"; \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	found=$$("$(or $(PYTHON),python3)" --version 2>&1) || found="not found"; \
	echo "setup: needs Python 3.11, 3.12 or 3.13, and $(or $(PYTHON),python3) is $$found:" \
		"install one of these and run 'make setup PYTHON=/path/to/python3.13'" >&2; \
	exit 1

install:
	@echo "setup: installing the packages of requirements.lock (torch is a large download)"
	@rm -f $(STAMP)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock \
		| $(BIN)/python -m pip install --quiet --require-hashes --requirement /dev/stdin
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps --requirement requirements.lock
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@printf '%s\n' '$(PINS)' '$(CURDIR)' > $(STAMP)

distill: setup ## run the main job; finished work is skipped
	@$(BIN)/kedro run --pipelines distill $(ARGS)

study: setup ## what the choice of the router is worth, in hours; finished cells are skipped (ARGS=--fast: in minutes)
	@$(BIN)/sakd study $(ARGS)

test: setup ## run the unit, network, conformance and smoke tests
	@$(PYTEST) tests/unit tests/bad_input --numprocesses 2 --dist worksteal $(ARGS)
	@$(PYTEST) tests/models --numprocesses 2 $(ARGS)
	@$(PYTEST) tests/conformance $(ARGS)
	@$(PYTEST) tests/smoke --numprocesses 2 --dist loadfile $(ARGS)

coverage: setup ## run the tests, fail if under 95 % of lines or branches of src were run
	@$(BIN)/coverage erase
	@$(MAKE) --no-print-directory test PYTEST='$(BIN)/coverage run -m pytest'
	@$(BIN)/coverage combine --quiet
	@$(BIN)/python benchmarks/covered.py

faults: setup ## kill, damage and starve runs of a small study, compare the reruns; under 15 minutes
	@$(BIN)/python benchmarks/faults.py $(ARGS)

fuzz: setup ## change valid files of every kind at random, and read them; under 10 minutes
	@$(BIN)/python benchmarks/fuzz.py $(ARGS)

mutants: setup ## change the code a little, one change at a time, and list the changes that no test notices
	@PYTHONPATH=tests $(BIN)/python -m mutants $(ARGS)

check: setup ## lint, formatting, strict types, layers, stages of DVC
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/sakd dvc --check

bench: setup ## measure a step of every distiller, on one thread each, under 15 minutes
	@$(BIN)/python benchmarks/bench.py $(ARGS)

format: setup ## format the code
	@$(BIN)/ruff format

lint-fix: setup ## mend what ruff can mend, and format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lineage: setup ## the pipelines as a site and a picture, build/lineage.png (ARGS="--env cifar100 --unfold students")
	@$(BIN)/python -W ignore -m sakd.project.lineage $(ARGS)

viz: setup ## show the pipelines in a browser
	@$(BIN)/kedro viz run $(ARGS)

stages: setup ## write dvc.yaml from the grid of conf/base (ARGS="--env smoke": conf/smoke/dvc.yaml)
	@$(BIN)/sakd dvc $(ARGS)

repro: export PATH := $(CURDIR)/$(BIN):$(PATH)
repro: setup ## bring the DVC stages up to date
	@$(BIN)/dvc repro $(ARGS)

docs: setup ## build the documentation as a site, build/site/start.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet $(ARGS)

lock: setup ## pin the packages of pyproject.toml (ARGS=--upgrade: the newest)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--extra project --extra export --extra ray --extra docs --extra dev \
		--generate-hashes --no-annotate --no-header pyproject.toml --output-file requirements.lock $(ARGS)

licences: setup ## list the licences of all pinned packages in docs/licences.md
	@$(BIN)/python docs/licences.py

audit: setup ## look for known vulnerabilities of the pinned packages; needs the network
	@$(BIN)/uv tool run pip-audit --requirement requirements.lock --no-deps --disable-pip $(ARGS)

clean: ## remove caches and build outputs; data and .venv stay
	@rm -rf build dist .coverage .coverage.* htmlcov .viz \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
