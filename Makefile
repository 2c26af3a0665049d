# Every target runs the set-up it needs; `make` alone lists the targets. Variables: STACK (a file stacks/Pulumi.STACK.yaml),
# PORT (of the local emulator), PYTHON (3.11 or newer; found automatically), SLICE (of the torture test).

STACK ?= local
PORT ?= 8700

NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))'
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p $(NEW_ENOUGH) 2>/dev/null && { echo $$p; break; }; done)
endif

VENV := .venv/bin/python
NEWEST := .venv-newest/bin/python
STACK_TOOL := $(VENV) -m tools.stack
SET_UP = '$(PYTHON)' $(NEW_ENOUGH) 2>/dev/null \
	|| { echo 'This needs Python 3.11 or newer. Install one, or name it: make … PYTHON=/path/to/python3' >&2; exit 1; }; \
	'$(PYTHON)' -m tools.setup
# Every command of Pulumi starts two Pythons: without byte code they compile the package again and again.
WITH_ENGINE = unset PULUMI_STACK PULUMI_BACKEND_URL PULUMI_HOME AEP_EMULATOR_PORT PYTHONDONTWRITEBYTECODE; PATH="$$($(VENV) -m tools.engine)"

BROWSER := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

# What runs with the newest SDK too: every reliance on private parts of the SDK, and each verb of the engine once.
SDK_TESTS := tests/sdk $(addprefix tests/acceptance/,test_whole_life.py \
	test_mixpanel_source.py::test_on_top_of_what_exists test_moves.py::test_moves test_first_run.py \
	test_replacement.py::test_by_a_change_of_an_argument_that_replaces test_secrets.py::test_a_password_is_an_encrypted_leaf)

# Tests of the engine spend a quarter of their time waiting for other processes: on two cores, a third worker uses it.
WORKERS := 3

.PHONY: help setup up down env test newest torture golden bench docs lint format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r target text; do printf '  make %-8s %s\n' "$$target" "$$text"; done

setup: ## virtual environment and Pulumi engine; quick when there is nothing to do
	@$(SET_UP)

up: setup ## start the emulator if the stack uses it, then deploy the stack
	@$(STACK_TOOL) up '$(STACK)' '$(PORT)'

down: setup ## destroy the stack and stop the emulator
	@$(STACK_TOOL) down '$(STACK)' '$(PORT)'

env: ## print the stack's shell variables, for eval
	@{ $(SET_UP); } >&2
	@$(STACK_TOOL) env '$(STACK)' '$(PORT)'

test: setup ## lint, then all tests, with the real engine; some of them again with the newest Pulumi SDK
	@$(MAKE) --no-print-directory -j2 lint newest
	@test -n '$(BROWSER)' || echo "No Chromium found: skipping the tests of the emulator's page in a browser."
	@$(WITH_ENGINE) $(VENV) -m pytest -n $(WORKERS) --dist worksteal $(if $(BROWSER),,-m 'not browser')
	@$(WITH_ENGINE) $(NEWEST) -m pytest -n $(WORKERS) --dist worksteal $(SDK_TESTS)

newest: setup ## virtual environment with the newest supported Pulumi SDK
	@'$(PYTHON)' -m tools.setup newest

torture: setup ## experiments, kills, storms and a rate limit on the real engine; writes docs/reliability.md
	@$(WITH_ENGINE) PYTHONPATH=tests $(VENV) tests/faults/torture.py $(SLICE)

golden: setup ## save the state that this release writes, for the upgrade tests
	@$(WITH_ENGINE) PYTHONPATH=tests $(VENV) tests/upgrades/golden.py

bench: setup ## time a hundred dataflows against a floor and a script; writes docs/performance.md (20 minutes)
	@$(WITH_ENGINE) $(VENV) benchmarks/speed --write

docs: setup ## build the documentation as a site in .local/site, with search; fails on dead links
	@NO_MKDOCS_2_WARNING=1 $(VENV) -m mkdocs build
	@echo 'Look at it: .venv/bin/python -m http.server --bind 127.0.0.1 --directory .local/site 8000'

lint: setup ## ruff and mypy
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

format: setup ## reformat the code
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

lock: ## pin the dependencies of pyproject.toml, and the newest Pulumi SDK that it allows
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && '$(PYTHON)' -m venv "$$dir" && "$$dir/bin/pip" install --quiet uv && \
	compile() { "$$dir/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header "$$@"; } && \
	compile --extra dev pyproject.toml -o requirements.lock && \
	sed -n 's/^ *"\(pulumi>=[^"]*\)".*/\1/p' pyproject.toml | compile --no-deps --upgrade - -o requirements-newest.txt

clean: ## stop the emulators; remove their stacks and the virtual environments
	@test ! -x $(VENV) || $(VENV) -m tools.emulator
	@rm -rf .local .venv .venv-newest
