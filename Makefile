# The door to everything. `make` alone lists what there is.
# Nothing is written outside this folder and DATA.

PORT ?= 8765
# DAQ=metadata_client: DAQ and transfer service of the demo are programs of the field's own kind.
DAQ ?=
DATA ?= ./var$(if $(filter metadata_client,$(DAQ)),/metadata_client)

VENV := .venv
PY := $(VENV)/bin/python
HERE := $(CURDIR)

# Caches stay here: HOME may be empty, missing or somebody else's.
export XDG_CACHE_HOME := $(HERE)/$(VENV)/cache
export MPLCONFIGDIR := $(HERE)/$(VENV)/cache/matplotlib
ifndef PIP_CACHE_DIR
export PIP_NO_CACHE_DIR := 1
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUNBUFFERED := 1
unexport PYTHONPATH PYTHONHOME DJANGO_SETTINGS_MODULE VIRTUAL_ENV

# Where the service tests look; a database user that may create databases is needed.
LIGHTKEEPER_TEST_POSTGRES ?= postgres://postgres@127.0.0.1:5432/postgres
LIGHTKEEPER_TEST_REDIS ?= redis://127.0.0.1:6379/9

# How many calls to each operation `fuzz` makes, in each mode.
FUZZ_EXAMPLES ?= 500

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo verify suite-server test test-services test-clients test-browser test-identity test-rules fuzz lint format \
  bench screenshots clean

help: ## list the targets
	@echo 'make <target> [PORT=$(PORT)] [DATA=$(DATA)]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile

# ---------------------------------------------------------------- what it needs

# The first Python that is new enough; PYTHON=/path/to/python chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

$(PY):
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	  echo 'Lightkeeper needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3' >&2; \
	  exit 1; fi
	@if ! "$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo '$(PYTHON) has no venv module (on Debian: apt install python3-venv).' >&2; exit 1; fi
	@echo '== making $(VENV) with '"$$($(PYTHON) --version)"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# One stamp for each set of extras: installed-demo-test is `.[demo,test]`.
comma := ,
$(VENV)/installed-%: pyproject.toml constraints.txt | $(PY)
	@echo '== installing $(subst -,$(comma),$*): the first time takes a minute or two'
	@$(PY) -m pip install --progress-bar on -c constraints.txt -e '.[$(subst -,$(comma),$*)]'
	@touch $@

FOR_RUN := $(VENV)/installed-demo$(if $(filter metadata_client,$(DAQ)),-mymdc)
FOR_TEST := $(VENV)/installed-demo-test
FOR_SERVICES := $(VENV)/installed-demo-test-production
FOR_BROWSER := $(VENV)/installed-demo-test-browser
FOR_IDENTITY := $(VENV)/installed-demo-test-browser-ldap
FOR_LINT := $(VENV)/installed-demo-test-production-browser-lint

# A folder we made carries a mark; `clean` removes no other.
define mark-data
@for folder in $(if $(filter ./var/% var/%,$(or $(1),$(DATA))),var) '$(or $(1),$(DATA))'; do \
  if [ ! -e "$$folder" ]; then mkdir -p "$$folder" && touch "$$folder/.lightkeeper"; fi; done
endef

setup: $(FOR_LINT) ## install everything a developer needs into .venv

# ---------------------------------------------------------------- run it

WHOSE := $(if $(DAQ),--daq '$(DAQ)')

run: $(FOR_RUN) ## start the site with its demo facility and play a beamtime; Ctrl-C stops it
	$(mark-data)
	@exec $(PY) -m catalogue.demo run --port $(PORT) --data '$(DATA)' $(WHOSE)

demo: $(FOR_RUN) ## play the beamtime once, check every step from outside, and stop
	$(mark-data)
	@exec $(PY) -m catalogue.demo demo --port $(PORT) --data '$(DATA)' $(WHOSE)

verify: $(FOR_RUN) ## repeat the checks from outside on what DATA holds
	@exec $(PY) -m catalogue.demo verify --data '$(DATA)'

# Without PORT= and DATA= it has places of its own, so that it does not meet the demo.
SUITE_PORT = $(if $(filter file,$(origin PORT)),8990,$(PORT))
SUITE_DATA = $(if $(filter file,$(origin DATA)),./var/suites,$(DATA))

suite-server: $(FOR_RUN) ## a server for the published clients' suites, with their rows; Ctrl-C stops it
	$(call mark-data,$(SUITE_DATA))
	@exec $(PY) -m tests.clients.server --port $(SUITE_PORT) --data '$(SUITE_DATA)'

# ---------------------------------------------------------------- test it

test: $(FOR_TEST) ## the tests that need no service
	@exec $(PY) -m pytest -m 'not services and not browser and not identity and not fuzz and not rules' $(ARGS)

test-services: $(FOR_SERVICES) ## all tests that use a database on PostgreSQL 15, with Redis and a real worker; none may skip
	@DATABASE_URL='$(LIGHTKEEPER_TEST_POSTGRES)' BROKER_URL='$(LIGHTKEEPER_TEST_REDIS)' \
	  LIGHTKEEPER_TEST_POSTGRES='$(LIGHTKEEPER_TEST_POSTGRES)' \
	  LIGHTKEEPER_TEST_REDIS='$(LIGHTKEEPER_TEST_REDIS)' \
	  $(PY) -m pytest -m 'not browser and not identity and not fuzz and not rules' --require-services $(ARGS)

# Each client has an environment of its own, as their requirements contradict each other.
CLIENTS := $(VENV)/clients
CLIENT_metadata := metadata_client[test]==4.2.2
CLIENT_calibration := calibration_client[test]==11.4.0
$(CLIENTS)/%/installed: tests/clients/%.txt | $(PY)
	@echo '== installing $(CLIENT_$*)'
	@$(PY) -m venv --clear $(CLIENTS)/$*
	@$(CLIENTS)/$*/bin/python -m pip install --quiet -c $< '$(CLIENT_$*)'
	@touch $@

test-clients: $(FOR_SERVICES) $(CLIENTS)/metadata/installed $(CLIENTS)/calibration/installed ## the published clients' own suites, on SQLite and PostgreSQL
	@LIGHTKEEPER_TEST_POSTGRES='$(LIGHTKEEPER_TEST_POSTGRES)' \
	  $(PY) -m tests.clients.run --environments $(CLIENTS) $(ARGS)

fuzz: $(FOR_TEST) ## made-up calls to every operation of both APIs, FUZZ_EXAMPLES of each
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PY) -m pytest -m fuzz $(ARGS)

test-rules: $(FOR_TEST) ## each rule of who may what broken in turn: the tests have to notice
	@exec $(PY) -m pytest -m rules $(ARGS)

test-browser: $(FOR_BROWSER) ## the tests that drive Chromium
	@exec $(PY) -m pytest -m browser $(ARGS)

# python-ldap is built here; say what it takes before pip does, at length.
$(FOR_IDENTITY): | $(VENV)/ldap-headers
$(VENV)/ldap-headers: | $(PY)
	@$(PY) -c 'import ldap' 2>/dev/null || \
	  printf '#include <ldap.h>\n#include <sasl/sasl.h>\n' | $${CC:-cc} -E - >/dev/null 2>&1 || { \
	  echo 'python-ldap is built from source: it takes a C compiler and the headers of Python, OpenLDAP and SASL' >&2; \
	  echo '(on Debian: apt install gcc python3-dev libldap2-dev libsasl2-dev).' >&2; exit 1; }
	@touch $@

PROVIDER := $(VENV)/openid-provider
PROVIDER_FILES := tests/identity/provider/package.json tests/identity/provider/package-lock.json
$(PROVIDER)/installed: $(PROVIDER_FILES) | $(PY)
	@command -v npm >/dev/null || { echo 'npm is needed for the OpenID provider (on Debian: apt install npm).' >&2; exit 1; }
	@echo '== installing the OpenID provider'
	@mkdir -p $(PROVIDER) && cp $(PROVIDER_FILES) $(PROVIDER)
	@cd $(PROVIDER) && npm ci --ignore-scripts --no-audit --no-fund --cache '$(HERE)/$(VENV)/cache/npm'
	@touch $@

test-identity: $(FOR_IDENTITY) $(PROVIDER)/installed ## sign-in by a real slapd and a certified OpenID provider, in Chromium; none may skip
	@exec $(PY) -m pytest -m identity --require-services $(ARGS)

# The production profile, to check it; no site runs with this.
PRODUCTION := LIGHTKEEPER_PROFILE=production ALLOWED_HOSTS=catalogue.example \
  SITE_URL=https://catalogue.example DATABASE_URL=postgres://catalogue@127.0.0.1/catalogue \
  BROKER_URL=redis://127.0.0.1/0
A_KEY := "$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')"

lint: export LIGHTKEEPER_DATA := $(HERE)/$(VENV)/cache/lint
lint: $(FOR_LINT) ## style, types, layers, migrations, settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	git ls-files -z '*.py' ':!*/migrations/*' | xargs -0 $(VENV)/bin/django-upgrade --check --target-version 5.2
	git ls-files -z 'templates/*.html' | xargs -0 -r $(VENV)/bin/djade --check --target-version 5.2
	$(PY) tests/contracts/lint_migrations.py
	$(PY) manage.py check
	$(PY) manage.py lifecycle --check
	$(PY) manage.py makemigrations --check --dry-run
	SECRET_KEY=$(A_KEY) $(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

format: $(FOR_LINT) ## put code and templates into shape
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .
	git ls-files -z 'templates/*.html' | xargs -0 -r $(VENV)/bin/djade --target-version 5.2 || :

bench: export LIGHTKEEPER_DATA := $(HERE)/$(VENV)/cache/bench
bench: $(FOR_SERVICES) ## run every measurement in benchmarks/ (PostgreSQL); each says its limit
	@failed=; for job in $$(grep -l 'python benchmarks/' benchmarks/*.py); do echo "== $$job"; \
	  DATABASE_URL="$${DATABASE_URL:-$(LIGHTKEEPER_TEST_POSTGRES)}" $(PY) "$$job" || failed="$$failed $$job"; \
	done; [ -z "$$failed" ] || { echo "over the limit or broken:$$failed" >&2; exit 1; }

screenshots: $(FOR_BROWSER) ## pictures of the pages of a site that runs (make run), into DATA/screenshots
	@exec $(PY) -m tests.browser.screenshots --site 'http://localhost:$(PORT)' --folder '$(DATA)/screenshots'

clean: ## remove .venv, caches and the var/ that `make run` made
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build
	@find catalogue proposals runs policies tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || :
	@if [ -f var/.lightkeeper ]; then rm -rf var; \
	 elif [ -e var ]; then echo 'var/ was not made here and is left alone'; fi
