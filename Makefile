# Everything that can be done with a clone.  Needs Python 3.11 and make; the rest is installed into .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := out/demo
# Without bytecode each command would compile all of the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo browser test lint types fmt property bench bench-quick swift systemd pods soak docs check build clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Tools are not compiled beforehand: that takes longer than all the rest, and most of them is never loaded.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[all]' --group dev
	@touch $@

install: $(VENV)/.installed  ## set up .venv with everything the other targets need

demo: install  ## run a dozen real jobs on the built-in simulator: no account, no money
	$(BIN)/batchrunner run manifests/demo.yaml -o $(DEMO) --simulate

browser:  ## install Chromium for the report's tests (as root, with apt; elsewhere they are skipped)
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; } || \
	  echo 'no chromium here: the tests of the report in a browser are skipped'

test: install browser  ## run all tests
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: install  ## check style; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install  ## check types
	$(BIN)/mypy

fmt: install  ## format the code (the only target that edits it)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

property: install  ## run the property tests with many more examples
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n auto -m hypothesis --timeout 1800

bench: install  ## measure, and print one table
	$(BIN)/python -m benchmarks

bench-quick: install  ## the same with next to no work: does each still run?
	$(BIN)/python -m benchmarks --quick

swift: install  ## put films into a real S3, OpenStack Swift (as root, with apt; else what is installed)
	@command -v swift-proxy-server >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update -qq && RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
	    swift-proxy swift-account swift-container swift-object memcached >/dev/null; }; } || \
	  echo 'no Swift here: its tests are skipped'
	WITH_SWIFT=1 $(BIN)/python -m pytest tests/storing/test_swift.py

systemd: install  ## the units of examples/ on a machine of their own, whose process 1 is systemd (as root, with apt)
	@command -v systemd-nspawn >/dev/null || { apt-get update -qq && RUNLEVEL=1 apt-get install -y -qq \
	    --no-install-recommends systemd-container dbus-user-session libpam-systemd python3-venv >/dev/null; }
	WITH_SYSTEMD=1 $(BIN)/python -m pytest tests/examples/test_systemd.py

pods: install  ## the pods of the Indexed Job of examples/, run by podman (as root, with apt)
	@command -v podman >/dev/null && command -v debootstrap >/dev/null || { apt-get update -qq && RUNLEVEL=1 apt-get \
	    install -y -qq --no-install-recommends podman crun netavark catatonit debootstrap >/dev/null; }
	WITH_PODS=1 $(BIN)/python -m pytest tests/examples/test_kubernetes.py

soak: install  ## kill 200 runs at random instants; count what was paid twice or lost
	$(BIN)/python -m tests.promises.soak --kills 200

check: lint types test docs  ## all that CI runs

docs: install $(VENV)/.installed-docs  ## build the manual into site/; open site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

$(VENV)/.installed-docs: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --group docs
	@touch $@

build: install  ## build the wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove what was made (not the venv)
	rm -rf out dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
