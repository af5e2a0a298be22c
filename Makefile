# Every command a person needs: `make demo` first, `make check` while you work, `make test` before you push.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
DEMO_DATA := $(VENV)/.demo-data
AUDIT := $(VENV)/audit
# Bytecode is kept, whatever the shell says: else each of the suite's many processes compiles what it imports anew.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := src tests functions glue scripts benchmarks
# What looks like a secret in tests and examples, and is none.
NO_SECRETS := ^(test|testing|not in a summary)$$|tg-[a-z0-9-]+-[0-9a-f]{12}

.PHONY: help install demo check test audit quick unit integration e2e elsewhere pythons small-pythons steady conformance privileges faults spark lint types corpus fuzz soak burst fix lock clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

install: $(VENV)/.installed ## make the environment in .venv

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tidegate needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || $(BIN)/python -m pip install -q uv
	@$(UV) pip install -q --python $(BIN)/python --no-deps -r requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

# The demonstration's data: a package that is read, never imported, so none of its dependencies are wanted.
$(DEMO_DATA): $(VENV)/.installed
	@$(UV) pip install -q --python $(BIN)/python --no-deps dmba==0.2.4
	@touch $@

demo: $(DEMO_DATA) ## everything: local cloud up, deploy, drop the data, watch, predict
	@$(BIN)/tidegate demo

check: lint types quick ## the inner loop, under a minute: lint, types, the quick unit tests, shipped artefacts

test: $(DEMO_DATA) lint types unit integration e2e small-pythons ## the whole suite

lint: install
	@$(BIN)/ruff format --check -q $(SOURCES)
	@$(BIN)/ruff check -q $(SOURCES)
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/cfn-lint template.yaml

types: install
	@$(BIN)/mypy

UNIT := tests/unit tests/conformance --ignore tests/conformance/clients -n 2

# A test that takes a fifth of a second and more is marked `slow`: some hundred, which take more than half of the time.
quick: install
	@$(BIN)/pytest $(UNIT) -m "not slow"

unit: install
	@$(BIN)/pytest $(UNIT)

# Three at a time, as they wait much, each with the tests of whole files; end to end each in a local cloud of its own.
integration: install
	@$(BIN)/pytest tests/integration -n 3 --dist loadfile

e2e: $(DEMO_DATA)
	@$(BIN)/pytest tests/e2e -n 3 --dist loadfile
	@$(BIN)/pytest tests/e2e -n 3 --dist loadfile --iam

elsewhere: install ## the end-to-end suite under another stack's name and prefix, with a KMS key and IAM enforced
	@$(BIN)/pytest tests/e2e -n 3 --dist loadfile --kms --stack Another-House

pythons: install ## the suite's core and a training run on the oldest Python that is claimed and on the newest
	@$(BIN)/python scripts/pythons.py --uv $(UV)

# Of that, what takes less than a minute, on the oldest alone: part of `make test`.
small-pythons: install
	@$(BIN)/python scripts/pythons.py --uv $(UV) --small

TIMES ?= 10
BUSY ?= 4
PARTS ?= unit integration e2e
steady: $(DEMO_DATA) ## the suite TIMES=10 times in random order beside BUSY=4 programs (PARTS="unit integration e2e")
	@$(BIN)/python benchmarks/steady.py --times $(TIMES) --busy $(BUSY) --parts $(PARTS) $(if $(SEED),--seed $(SEED))

faults: install ## every fault at every state, and the plug pulled at every state; prints the table
	@$(BIN)/pytest -m "faults or e2e" tests/e2e/test_fault_matrix.py
	@$(BIN)/pytest -m "faults or e2e" tests/e2e/test_plug.py
	@$(BIN)/pytest -m "faults or e2e" tests/e2e/test_line.py tests/e2e/test_killed.py

conformance: install ## real SageMaker clients, each in a venv of its own, against the local cloud; npm's jsonata, AWS's runtime client; SAM for all regions
	@$(BIN)/pytest tests/conformance/clients -m clients
	@$(BIN)/python scripts/compatibility.py --check
	@$(BIN)/python scripts/validate_regions.py

privileges: $(DEMO_DATA) ## no right of a role is spare: the whole suite with IAM, then without one statement at a time
	@rm -f $(VENV)/allowed.jsonl
	@TIDEGATE_IAM_RECORD=$(CURDIR)/$(VENV)/allowed.jsonl $(BIN)/pytest tests/e2e --iam
	@TIDEGATE_IAM_RECORD=$(CURDIR)/$(VENV)/allowed.jsonl $(BIN)/pytest tests/e2e/test_privileges.py --iam -m faults

spark: install ## the Glue job on PySpark, where there is Java; installs it in a venv of its own
	@$(BIN)/pytest tests/integration/glue -m spark

$(AUDIT)/.installed: audit.lock $(VENV)/.installed
	@$(UV) venv -q --clear --python $(BIN)/python $(AUDIT)
	@$(UV) pip install -q --python $(AUDIT)/bin/python --no-deps -r audit.lock
	@$(UV) pip install -q --python $(AUDIT)/bin/python --no-deps --target $(AUDIT)/sdk sagemaker==2.257.0
	@touch $@

audit: $(AUDIT)/.installed ## the template, the code, secrets, known flaws of dependencies, image accounts
	@$(AUDIT)/bin/checkov --file template.yaml --config-file .checkov.yaml --quiet --compact --skip-download
	@$(AUDIT)/bin/bandit -q -c pyproject.toml -r src functions glue
	@git ls-files -z | grep -zvE '^(requirements|audit)\.lock$$|^layers/[a-z]+/requirements\.txt$$|^tests/unit/sagemaker/golden/' | xargs -0 $(AUDIT)/bin/detect-secrets-hook \
	  --disable-plugin HexHighEntropyString --exclude-secrets '$(NO_SECRETS)'
	@$(BIN)/python scripts/image_map.py $(AUDIT)/sdk/sagemaker/image_uri_config --check
	@if $(BIN)/python -c 'import socket; socket.create_connection(("api.osv.dev", 443), 3)' 2>/dev/null; \
	  then $(AUDIT)/bin/pip-audit --vulnerability-service osv --disable-pip --no-deps -r requirements.lock; \
	  else echo "known flaws of dependencies were not looked up: api.osv.dev cannot be reached from here"; fi

corpus: install ## every broken input, thousands of fuzzed ones, and the law of all readers over thousands of files
	@$(BIN)/pytest tests/unit -m "corpus or not corpus"

FUZZ_MINUTES ?= 5
fuzz: install ## the native kernel under sanitizers, with texts taken apart at random (FUZZ_MINUTES=5); needs gcc
	@$(BIN)/python -m tests.fuzz --minutes $(FUZZ_MINUTES)

MINUTES ?= 60
soak: install ## an hour of mixed work (MINUTES=60): does the local cloud grow? writes soak.svg
	@$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) --plot soak.svg

burst: install ## 1,000 drops over 50 models, 100 files to score and a check of each at once: is every one accounted for?
	@$(BIN)/python -m benchmarks.burst

fix: install ## let ruff format and mend what it can
	@$(BIN)/ruff format -q $(SOURCES)
	@$(BIN)/ruff check -q --fix $(SOURCES)

lock: ## renew the lock files: from pyproject.toml, and of the layers with the digests of their wheels
	$(UV) pip compile -q pyproject.toml --all-extras --override overrides.txt --python-version 3.11 --universal \
	  --no-emit-index-url --no-header -o requirements.lock
	$(UV) pip compile -q --group audit --python-version 3.11 --universal --no-emit-index-url --no-header \
	  --no-annotate -o audit.lock
	for layer in core table; do \
	  { echo "# The lock of requirements.in with the digest of every wheel: \`make lock\` renews it."; \
	    $(UV) pip compile -q "layers/$$layer/requirements.in" --no-deps --generate-hashes --python-version 3.13 \
	      --no-emit-index-url --no-header --no-annotate; } > "layers/$$layer/requirements.txt.new" && \
	  mv "layers/$$layer/requirements.txt.new" "layers/$$layer/requirements.txt" || exit 1; \
	done

clean: ## take the local cloud down and remove what was built
	@test ! -x $(BIN)/tidegate || $(BIN)/tidegate down
	@rm -rf .tidegate .aws-sam $(VENV)
