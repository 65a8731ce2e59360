# The commands of Vivalia Continuity. `make` alone lists them.

PORT ?= 8000
OUT ?= demo-output
ARGS ?=
UV ?= uv

PYTHON_BIN := .venv/bin/python
# Every branch of these is taken by a test: what decides about a patient.
COMPLETE := */rules.py,*/attendance_rules.py,appointments/decisions/*,notifications/lifecycle/*

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run demo test check bench proof coverage mutate setup runtime lock format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PORT=8000 for run, OUT=demo-output for demo, ARGS='-k outbox' for test and bench."
	@echo "  PROOF_STORIES=2000 for proof, on each database; PROOF_SEED=7 tells the same ones again."

run: runtime ## Start the demo hospital: web server, worker and beat, on http://localhost:8000
	@sh scripts/system_libraries.sh
	@exec $(PYTHON_BIN) manage.py serve --demo --port $(PORT)

demo: runtime ## Do the whole job without a browser; PDFs and messages go to OUT
	@sh scripts/system_libraries.sh
	@exec $(PYTHON_BIN) manage.py demo --out "$(OUT)"

test: setup ## Run every test this machine can run, on SQLite and on PostgreSQL
	@sh scripts/system_libraries.sh
	@exec $(PYTHON_BIN) scripts/run_tests.py $(ARGS)

check: setup ## Lint, types, templates, missing migrations, architecture
	@sh scripts/check.sh

bench: setup ## Measure on SQLite and on PostgreSQL; BENCH_ROWS=2000 makes it small
	@exec $(PYTHON_BIN) scripts/run_tests.py --bench $(ARGS)

proof: setup ## Run what is too heavy for every change: thousands of random stories of telling
	@sh scripts/system_libraries.sh
	@exec $(PYTHON_BIN) scripts/run_tests.py --proof $(ARGS)

coverage: setup ## Show which branches no test takes; rules, decisions and lifecycle must have none
	@$(PYTHON_BIN) -m pytest -q -n auto --dist loadscope --cov --cov-report= \
		-m "not (bench or proof or browser or faults or postgresql or redis)" $(ARGS)
	@$(PYTHON_BIN) -m coverage report
	@$(PYTHON_BIN) -m coverage report --include="$(COMPLETE)" --fail-under=100

mutate: setup ## Change the rules in small ways, and name each change that no test notices
	@$(PYTHON_BIN) -m mutmut run $(ARGS)
	@$(PYTHON_BIN) -m mutmut results

setup: ## Make .venv with everything needed to develop (again only if the lock changed)
	@sh scripts/setup.sh dev

runtime:
	@sh scripts/setup.sh runtime

lock: ## Resolve pyproject.toml into the two lock files (needs uv)
	@UV="$(UV)" sh scripts/lock.sh

format: setup ## Format the code and mend what can be mended
	@$(PYTHON_BIN) -m ruff check --quiet --fix-only .
	@$(PYTHON_BIN) -m ruff format .

clean: ## Remove what was made here: .venv, caches, test results (not var/, which is data)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage mutants test-results \
		tests/browser/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
