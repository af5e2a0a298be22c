# Every command a person needs. `make demo` first; `make check` while you work; `make test` before you push.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)

.PHONY: install lock
install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV) 2>/dev/null || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -q uv; }
	@$(UV) pip install -q --python $(BIN)/python --no-deps -r requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

lock:
	$(UV) pip compile -q pyproject.toml --all-extras --override overrides.txt --python-version 3.11 --universal \
	  --no-emit-index-url --no-header -o requirements.lock
