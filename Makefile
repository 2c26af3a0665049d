# Every target does its own set-up; `make` alone lists them. Variables: STACK (a file stacks/Pulumi.STACK.yaml),
# PORT (of the local emulator), PYTHON (3.11 or newer; found by itself), SLICE (of the torture).

STACK ?= local
PORT ?= 8700

NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))'
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p $(NEW_ENOUGH) 2>/dev/null && { echo $$p; break; }; done)
endif

VENV := .venv/bin/python
STACK_TOOL := $(VENV) -m tools.stack
SET_UP = '$(PYTHON)' $(NEW_ENOUGH) 2>/dev/null \
	|| { echo 'This needs Python 3.11 or newer: install one, or say which: make … PYTHON=/path/to/python3' >&2; exit 1; }; \
	'$(PYTHON)' -m tools.setup

BROWSER := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: help setup up down env test torture golden bench lint format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r target text; do printf '  make %-8s %s\n' "$$target" "$$text"; done

setup: ## virtual environment and Pulumi engine; quick when there is nothing to do
	@$(SET_UP)

up: setup ## start the emulator if the stack is bound to it, deploy the stack with Pulumi
	@$(STACK_TOOL) up '$(STACK)' '$(PORT)'

down: setup ## destroy the stack and stop the emulator
	@$(STACK_TOOL) down '$(STACK)' '$(PORT)'

env: ## print the shell variables of the stack, for eval
	@{ $(SET_UP); } >&2
	@$(STACK_TOOL) env '$(STACK)' '$(PORT)'

test: lint ## lint, then all tests, the ones with the real engine included
	@test -n '$(BROWSER)' || echo "There is no Chromium here: the tests of how the emulator's page looks are left out."
	@unset PULUMI_STACK PULUMI_BACKEND_URL PULUMI_HOME AEP_EMULATOR_PORT; \
		PATH="$$($(VENV) -m tools.engine)" $(VENV) -m pytest -n 2 --dist worksteal $(if $(BROWSER),,-m 'not browser')

torture: setup ## kills, storms and a rate limit on the real engine; writes docs/reliability.md
	@unset PULUMI_STACK PULUMI_BACKEND_URL PULUMI_HOME AEP_EMULATOR_PORT; \
		PATH="$$($(VENV) -m tools.engine)" PYTHONPATH=tests $(VENV) tests/faults/torture.py $(SLICE)

golden: setup ## keep the state that this release leaves, for the tests of upgrades
	@unset PULUMI_STACK PULUMI_BACKEND_URL PULUMI_HOME AEP_EMULATOR_PORT; \
		PATH="$$($(VENV) -m tools.engine)" PYTHONPATH=tests $(VENV) tests/upgrades/golden.py

bench: setup ## how quick a hundred dataflows are, against a floor and a script; writes docs/performance.md (20 minutes)
	@unset PULUMI_STACK PULUMI_BACKEND_URL PULUMI_HOME AEP_EMULATOR_PORT; \
		PATH="$$($(VENV) -m tools.engine)" $(VENV) benchmarks/speed --write

lint: setup ## ruff and mypy
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

format: setup ## reformat the code
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

lock: ## pin the dependencies of pyproject.toml anew in requirements.lock
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && '$(PYTHON)' -m venv "$$dir" && "$$dir/bin/pip" install --quiet uv && \
	"$$dir/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev pyproject.toml -o requirements.lock

clean: ## stop the emulators, remove their stacks and the virtual environment
	@test ! -x $(VENV) || $(VENV) -m tools.emulator
	@rm -rf .local .venv
