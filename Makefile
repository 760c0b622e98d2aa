# `make` lists the commands. `make run` and `make test` need Python 3.11 or newer, and PyPI and the npm
# registry the first time. Node.js comes from PyPI; NODE=/usr/local/bin uses the one in that folder.

# Debian's Python is built with profile-guided optimisation; a locally compiled one often is not, and takes a
# quarter more CPU.
DEBIAN := /usr/bin/python3
PYTHON ?= $(shell $(DEBIAN) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $(DEBIAN) || echo python3)
VENV := .venv
BIN := $(VENV)/bin
POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/omache
# One more than cores: a test waits a fifth of its time for a database or a thread.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)

# Bytecode compiled once is reused by pytest's workers and the forty processes the tests start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run shop shop-dev shop-api test-shop test-browser test-browser-admin demo test test-postgres test-left-out test-slow lint format check bench drill kills rehearse-pgbouncer simulate soak soak-orders lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "O-Mache needs Python 3.11 or newer: make run PYTHON=python3.11")'
	@echo "Making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing the shop's dependencies (a minute, the first time) …"
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt | $(BIN)/python
	@echo "Installing the test dependencies (a minute, the first time) …"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(BIN)/pip install -qq --disable-pip-version-check -r $(VENV)/uv.txt
	@# If a registry is configured only for pip, fall back to pip.
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt \
		|| $(BIN)/pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

# --- The storefront ---------------------------------------------------------------------------

SHOP := storefront
NODE ?= $(abspath $(BIN))
NPM := cd $(SHOP) && env PATH="$(NODE):$$PATH" npm
# Fails quickly and with a reason: `make run` continues without the storefront.
CI_OPTIONS := --no-audit --no-fund --loglevel=error --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=4000
SHOP_SOURCES := $(shell find $(SHOP)/src $(SHOP)/public -type f 2>/dev/null) \
	$(addprefix $(SHOP)/,index.html vite.config.ts lingui.config.ts)
UNBUILT := The storefront could not be built (see above), so http://127.0.0.1:8000/shop/ only says so. Everything else runs.

$(VENV)/node.stamp: requirements-storefront.txt | $(BIN)/python
	@echo "Installing Node.js for building the storefront (once) …"
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements-storefront.txt
	@touch $@

$(SHOP)/node_modules/run.stamp: $(SHOP)/package-lock.json $(SHOP)/package.json | $(VENV)/node.stamp
	@echo "Installing the storefront's build dependencies (half a minute, the first time) …"
	@$(NPM) ci --omit=dev $(CI_OPTIONS)
	@touch $@

$(SHOP)/node_modules/dev.stamp: $(SHOP)/package-lock.json $(SHOP)/package.json | $(VENV)/node.stamp
	@echo "Installing the storefront's test dependencies (half a minute, the first time) …"
	@$(NPM) ci $(CI_OPTIONS)
	@touch $@ $(SHOP)/node_modules/run.stamp

$(SHOP)/dist/index.html: $(SHOP_SOURCES) $(SHOP)/node_modules/run.stamp
	@$(NPM) run -s build -- --logLevel warn

shop: $(SHOP)/dist/index.html ## Build the storefront, served at /shop/

shop-dev: $(SHOP)/node_modules/dev.stamp ## Serve the storefront with live reload, next to `make run`
	@$(NPM) run -s dev

shop-api: $(VENV)/run.stamp $(SHOP)/node_modules/dev.stamp ## Regenerate the storefront's copy of the API schema and its types
	@$(BIN)/python manage.py spectacular --format openapi-json --file $(SHOP)/src/api/schema.json
	@$(NPM) run -s api

test-shop: $(SHOP)/node_modules/dev.stamp ## Check the storefront's types and run its unit tests
	@# In parallel: each uses one core.
	@($(NPM) run -s types) & types=$$!; ($(NPM) run -s unit); unit=$$?; wait $$types && exit $$unit

test-browser: $(VENV)/run.stamp $(SHOP)/node_modules/dev.stamp $(SHOP)/dist/index.html ## Run the storefront's stories in Chromium, in a separate shop
	@test -x /usr/bin/chromium-headless-shell -o -x /usr/bin/chromium || { echo "This needs Chromium: apt-get install chromium-headless-shell"; exit 1; }
	@$(NPM) run -s browser

test-browser-admin: $(VENV)/run.stamp $(SHOP)/node_modules/dev.stamp $(SHOP)/dist/index.html ## Run staff's working days in the admin in Chromium
	@test -x /usr/bin/chromium-headless-shell -o -x /usr/bin/chromium || { echo "This needs Chromium: apt-get install chromium-headless-shell"; exit 1; }
	@$(NPM) run -s browser-admin

run: $(VENV)/run.stamp ## Set everything up, then serve the shop and the M-Pesa simulator
	@$(MAKE) --no-print-directory -s shop || echo "$(UNBUILT)"
	@$(BIN)/python manage.py laptop

demo: $(VENV)/run.stamp ## Fill the database with demo data (run does it too)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

test: $(VENV)/dev.stamp ## Run every test on SQLite, one case of many, and the storefront's tests
	@# The storefront's beside them: they use one core for a quarter of a minute.
	@said=$$(mktemp); \
	$(MAKE) --no-print-directory -s test-shop > $$said 2>&1 & shop=$$!; \
	$(PYTEST) --dist worksteal -m quick; tests=$$?; \
	wait $$shop; shop=$$?; cat $$said; rm $$said; \
	[ $$tests$$shop = 00 ]

test-postgres: $(VENV)/dev.stamp ## Run the tests that use a database, and every case left out, on PostgreSQL (POSTGRES_URL)
	@DATABASE_URL=$(POSTGRES_URL) $(PYTEST) --dist worksteal -m full

test-slow: $(VENV)/dev.stamp ## Run the slow tests, which the other two leave out, on SQLite and PostgreSQL
	@$(PYTEST) -m slow
	@DATABASE_URL=$(POSTGRES_URL) $(PYTEST) -m slow

lint: $(VENV)/dev.stamp ## Check style, types, import contracts, migrations, settings, schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	POSTGRES_URL=$(POSTGRES_URL) $(BIN)/python -m tools.lint_migrations
	$(BIN)/python -m tools.deploy_check check --deploy --fail-level WARNING
	@$(MAKE) --no-print-directory -s lint-shop

.PHONY: lint-shop
lint-shop: $(VENV)/dev.stamp $(SHOP)/node_modules/dev.stamp $(SHOP)/dist/index.html
	@echo "The storefront: style, translations, size, its types against the API's schema, and the schema against OpenAPI"
	@$(NPM) run -s style
	@$(NPM) run -s translated
	@$(NPM) run -s size
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file $(SHOP)/node_modules/.schema.json
	@cmp -s $(SHOP)/node_modules/.schema.json $(SHOP)/src/api/schema.json || { echo "The API's schema has changed: run make shop-api, and commit the result."; exit 1; }
	@$(NPM) run -s spec
	@$(NPM) run -s api -- --check || { echo "The storefront's types do not match the schema: run make shop-api."; exit 1; }

format: $(VENV)/dev.stamp ## Format the code and fix what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-left-out: ## After test and test-postgres: fail if a test ran in neither
	@$(BIN)/python -m tests.not_run

check: test lint test-browser test-browser-admin test-postgres test-left-out test-slow ## Everything the gate runs, and the slow tests

bench: $(VENV)/dev.stamp $(SHOP)/node_modules/dev.stamp $(SHOP)/dist/index.html ## Measure CPU per request, orders per second (PostgreSQL), and page load times
	@$(BIN)/python -m tools.bench --database $(POSTGRES_URL)
	@env PATH="$(NODE):$$PATH" $(BIN)/python -m tools.bench.pages

soak-orders: $(VENV)/dev.stamp ## Place 20,000 orders (ORDERS) while processes are killed, on PostgreSQL
	@$(BIN)/python -m tools.soak --orders $(or $(ORDERS),20000) --server $(POSTGRES_URL)

rehearse-pgbouncer: $(VENV)/run.stamp ## Trade through a PgBouncer that pools transactions, in front of POSTGRES_URL's server
	@$(BIN)/python -m tools.rehearse_pgbouncer --server $(POSTGRES_URL) $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

drill: $(VENV)/run.stamp ## Rehearse the worst night: trade, back up, lose the database (POSTGRES_URL's server), restore everything
	@$(BIN)/python -m tools.drill --server $(POSTGRES_URL) $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

kills: $(VENV)/dev.stamp ## Kill web, worker, clock, Redis and PostgreSQL during trading; report what people and alerts saw (needs postgresql, redis-server)
	@$(BIN)/python -m tools.drill.kills

simulate: $(VENV)/dev.stamp ## Simulate the shop with random faults (SECONDS=600, SEEDS=1000), or replay one seed (SEED=12345)
	@$(BIN)/python -m tools.simulation $(if $(SEED),--seed $(SEED),$(if $(SEEDS),--seeds $(SEEDS),--seconds $(or $(SECONDS),600)))

soak: simulate

lock: $(VENV)/dev.stamp ## Pin every version and hash in requirements*.txt
	$(BIN)/uv pip compile --generate-hashes --python-version 3.11 --quiet requirements.in -o requirements.txt
	$(BIN)/uv pip compile --generate-hashes --python-version 3.11 --quiet requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --generate-hashes --python-version 3.11 --universal --quiet requirements-storefront.in -o requirements-storefront.txt

clean: ## Remove everything these commands created, including data
	rm -rf $(VENV) $(SHOP)/node_modules $(SHOP)/dist db.sqlite3* media staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis
