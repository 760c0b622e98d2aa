# `make` lists the commands. `make run` and `make test` need Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/omache

# What one process has compiled, its workers and the forty that tests start need not.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test test-postgres test-slow lint format check bench soak soak-orders lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "O-Mache needs Python 3.11 or newer: make run PYTHON=python3.11")'
	@echo "Making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing what the shop needs (a minute, the first time) …"
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need (a minute, the first time) …"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(BIN)/pip install -qq --disable-pip-version-check -r $(VENV)/uv.txt
	@# Where a registry is set up for pip alone, pip goes on.
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt \
		|| $(BIN)/pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

run: $(VENV)/run.stamp ## Set everything up, then serve the shop and the pretend M-Pesa
	@$(BIN)/python manage.py laptop

demo: $(VENV)/run.stamp ## Fill the database with demo data (run does it too)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

test: $(VENV)/dev.stamp ## Run the tests on SQLite
	@$(BIN)/python -m pytest -n 2

test-postgres: $(VENV)/dev.stamp ## Run all that ask a database, races included, on PostgreSQL (POSTGRES_URL)
	@DATABASE_URL=$(POSTGRES_URL) $(BIN)/python -m pytest -n 2

test-slow: $(VENV)/dev.stamp ## Run the slow tests that both of these leave out, on SQLite and PostgreSQL
	@$(BIN)/python -m pytest -n 2 -m slow
	@DATABASE_URL=$(POSTGRES_URL) $(BIN)/python -m pytest -n 2 -m slow

lint: $(VENV)/dev.stamp ## Check style, types, import contracts, migrations, settings, schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tools.deploy_check check --deploy --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

format: $(VENV)/dev.stamp ## Put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test lint test-postgres test-slow ## Everything the gate runs, and the slow tests

bench: $(VENV)/dev.stamp ## Measure CPU per request and orders per second, on PostgreSQL
	@$(BIN)/python -m tools.bench --database $(POSTGRES_URL)

soak-orders: $(VENV)/dev.stamp ## Place 20,000 orders (ORDERS) through processes that are killed, on PostgreSQL
	@$(BIN)/python -m tools.soak --orders $(or $(ORDERS),20000) --server $(POSTGRES_URL)

soak: $(VENV)/dev.stamp ## Play random seeds of bad luck (SECONDS=600, SEEDS=1000), or tell of one (SEED=12345)
	@$(BIN)/python -m tools.simulation $(if $(SEED),--seed $(SEED),$(if $(SEEDS),--seeds $(SEEDS),--seconds $(or $(SECONDS),600)))

lock: $(VENV)/dev.stamp ## Pin every version and hash in requirements*.txt
	$(BIN)/uv pip compile --generate-hashes --python-version 3.11 --quiet requirements.in -o requirements.txt
	$(BIN)/uv pip compile --generate-hashes --python-version 3.11 --quiet requirements-dev.in -o requirements-dev.txt

clean: ## Remove what the commands above made, data included
	rm -rf $(VENV) db.sqlite3* media staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis
