# Everything runs in .venv, which each target makes as it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := geofences streams producers enforcement mucktrack
ALL := $(SOURCES) ops tests benchmarks
# Processes that share the tests; more than a small machine has cores, since many of them wait.
JOBS ?= 3

.PHONY: help install up test apache check format lint types imports lock rules metrics messages openapi logs schemas released commands sizing ops pictures screenshots chaos terminals mutations fuzz bundle image locks clean

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(READY) ## make .venv with locked dependencies, and compile the core

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mucktrack needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "making $(VENV): some minutes, the last of them compile the core"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m mucktrack.warm
	@touch $@

up: install ## embedded servers, a simulated fleet, the worker: watch violations arrive
	$(BIN)/mucktrack up

test: install ## all tests, in JOBS=3 processes
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

apache: install ## the live tests, all or LIVE="…", on Apache Kafka (needs Java 17 and Maven)
	$(BIN)/python -m pytest --broker apache $(LIVE)

check: install format lint types imports test ## format, lint, types, imports, then the tests

format: install
	$(BIN)/ruff format --check $(ALL)

lint: install
	$(BIN)/ruff check $(ALL)

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

rules: install ## write RULES.md from the catalogue
	$(BIN)/python -m streams.rules_page > RULES.md

metrics: install ## write docs/metrics.md from the table of metrics
	$(BIN)/python -m streams.metrics_page > docs/metrics.md

messages: install ## write docs/jt808-messages.md from the tables of the codec
	$(BIN)/python -m producers.jt808.messages_page > docs/jt808-messages.md

sizing: install ## write docs/sizing.md from the measured figures
	$(BIN)/python -m mucktrack.sizing_page > docs/sizing.md

openapi: install ## write docs/openapi.json from the routes of the API
	$(BIN)/python -m enforcement.api.openapi_page > docs/openapi.json

logs: install ## write docs/logs.md from the table of events and the sources
	$(BIN)/python -m streams.logs_page > docs/logs.md

schemas: install ## write docs/schemas from the types
	$(BIN)/python -m mucktrack.schemas docs/schemas

released: schemas openapi ## keep today's contracts as those of a release: VERSION=1.2.3
	mkdir -p docs/schemas/released/$(VERSION)
	cp docs/schemas/*.json docs/openapi.json docs/schemas/released/$(VERSION)

commands: install ## write docs/commands.md and docs/settings.md from the program
	$(BIN)/python -m mucktrack.pages commands > docs/commands.md
	$(BIN)/python -m mucktrack.pages settings > docs/settings.md

ops: install ## write the dashboards of ops/grafana, and the map of districts for them
	$(BIN)/python -m ops.dashboards
	$(BIN)/mucktrack city grafana producers/cities/demo ops/grafana/maps

pictures: install ## draw the golden streams, all or NAMES="…", and the simulated city into pictures/
	$(BIN)/python tests/draw_scenario.py $(NAMES)
	$(BIN)/python tests/draw_roads.py

screenshots: install ## draw the console's pages into docs/images (needs chromium and fonts-noto-cjk)
	PYTHONPATH=.:tests:tests/enforcement $(BIN)/python tests/draw_console.py

chaos: install ## break workers, brokers and Redis under a million positions: SEED=n (needs Java 17 and Maven)
	PYTHONPATH=.:tests $(BIN)/python -m chaos --seed $(or $(SEED),1)

terminals: install ## a thousand terminals through a gateway that is broken under way: SEED=n
	PYTHONPATH=.:tests $(BIN)/python -m terminals --seed $(or $(SEED),1)

mutations: install ## break the engine bit by bit and see that tests notice
	$(BIN)/python tests/mutations.py

fuzz: install ## hostile records for SECONDS=60, from SEED=1 on
	$(BIN)/python tests/fuzzing.py --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

bundle: install ## dist/mucktrack-….tar.gz, which installs without a network: PYTHON_VERSION=3.12 PLATFORM=manylinux_2_28_aarch64
	$(BIN)/python -m ops.bundle.bundle $(if $(PYTHON_VERSION),--python $(PYTHON_VERSION)) $(if $(PLATFORM),--platform $(PLATFORM))

image: ## build mucktrack:VERSION for docker-compose.yml (needs a container engine)
	docker build --tag mucktrack:$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) .

locks: install ## write the locks of what runs and of what builds, which are parts of requirements.lock
	$(BIN)/python -m ops.bundle.locks

lock: install ## pin all dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --upgrade \
		--no-emit-index-url --no-emit-find-links --no-annotate \
		--python-version 3.11 --group dev pyproject.toml -o requirements.lock
	$(BIN)/python -m ops.bundle.locks

clean: ## remove .venv and what runs left behind
	rm -rf $(VENV) .mucktrack pictures .pytest_cache .mypy_cache .ruff_cache .hypothesis
