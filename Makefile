# skq: every target sets up what it needs, in .venv. `make` lists the targets.
#
#   make PYTHON=python3.12 test          another interpreter
#   make PYTEST_ARGS='-k trees' test     some of the tests
#   make TORCH_INDEX=URL demo            another source for the CPU build of torch

# Preferred: Python 3.11 or 3.12, which have the onnx that Hummingbird asks for; else python3.
PYTHON ?= $(or $(shell for p in python3 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
    && echo $$p && break; done),python3)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PYTEST_ARGS ?= -n 2

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The oldest supported scikit-learn, on top of the packages of .venv.
OLDEST := .venv-oldest
OLDEST_SKLEARN := 1.6.1
OLDEST_TESTS := tests/estimators/test_classes.py tests/estimators/test_usage.py \
    tests/serving/test_models_of_version_1.py
# Spark and Ray, on top of the packages of .venv.
DISTRIBUTED := .venv-distributed
# Sphinx and its extensions, on top of the packages of .venv.
DOCS := .venv-docs
# One BLAS or OpenMP thread a process: the tests run in two processes.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
BUILD_INPUTS := pyproject.toml constraints.txt $(wildcard setup.py) \
    $(shell find skq -name '*.c' -o -name '*.h' -o -name '*.inc')

.DEFAULT_GOAL := help
.PHONY: help demo test test-mcu test-distributed test-oldest test-sklearn docs lint typecheck format stubs bench fuzz venv clean

help: ## list the targets
	@echo 'Targets (each does its own set-up in $(VENV)):'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  make \1|\2/p' $(MAKEFILE_LIST) \
	    | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(STAMP) ## train, quantize, compare widths on real data, draw a plot
	@$(BIN)/python examples/demo.py

test: lint typecheck ## lint, type check, then all tests: what CI runs
	$(ONE_THREAD) $(BIN)/python -m pytest $(PYTEST_ARGS)

test-mcu: $(STAMP) ## exported C on emulated microcontrollers, kernels on emulated NEON; installs what it needs, where it may
	@sh tests/mcu/install.sh
	SKQ_TEST_MCU=1 $(ONE_THREAD) $(BIN)/python -m pytest tests/mcu

# The stamp lets a run install what was missing at the one before.
test-distributed: $(DISTRIBUTED)/base ## skq.distributed on Spark and Ray, in .venv-distributed; installs them, where it may
	@sh tests/distributed/install.sh $(DISTRIBUTED)/bin/python $(PIP) --python $(DISTRIBUTED)/bin/python
	SKQ_TEST_DISTRIBUTED=1 $(ONE_THREAD) $(DISTRIBUTED)/bin/python -m pytest tests/distributed/test_spark.py tests/distributed/test_ray.py

test-oldest: $(OLDEST)/installed ## classes, usage and files with the oldest supported scikit-learn, in .venv-oldest
	$(ONE_THREAD) $(OLDEST)/bin/python -m pytest $(PYTEST_ARGS) $(OLDEST_TESTS)

test-sklearn: $(STAMP) ## scikit-learn's own tests with the classes swapped, at 16 bits: an hour or more
	$(ONE_THREAD) $(BIN)/python benchmarks/sklearn_tests.py

docs: $(DOCS)/installed ## the documentation site, in docs/_build/html; warnings and broken links are errors
	$(ONE_THREAD) MPLBACKEND=Agg $(DOCS)/bin/python -m sphinx -q -W --keep-going docs docs/_build/html
	$(DOCS)/bin/python tools/check_links.py docs/_build/html

lint: $(STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(STAMP) lint ## mypy
	$(BIN)/mypy

format: $(STAMP) ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

stubs: $(STAMP) ## rewrite the type stubs of the estimators
	$(BIN)/python tools/write_stubs.py

# Stop it with Ctrl-C; FUZZ_ARGS='--seconds 600' or '--first 7 --count 1' (see --help).
fuzz: $(STAMP) ## mutated model files on all engines, with sanitized kernels
	$(ONE_THREAD) $(BIN)/python -m tests.fuzz --sanitized --count 1000000000 $(FUZZ_ARGS)

bench: $(STAMP) ## scores at low widths, seconds that conversion adds, import time
	@$(BIN)/python benchmarks/import_time.py
	@$(BIN)/python benchmarks/conversion.py
	@$(BIN)/python benchmarks/low_bits.py --splits stratified
	@$(BIN)/python benchmarks/low_bits.py --splits plain

venv: $(STAMP) ## only the set-up

# torch first and by itself: pip may already know a source of its CPU build; if not, add one.
$(STAMP): $(BUILD_INPUTS)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	    f"skq needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. " \
	    "Choose another: make PYTHON=/path/to/python3.12 ...")'
	@echo 'Setting up $(VENV) from constraints.txt (a few minutes the first time)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo 'No virtual environment: install the venv module (Debian: apt install python3-venv).'; \
	    exit 1; }
	@echo '  1/3 torch, CPU build'
	@grep '^torch==' constraints.txt > $(VENV)/torch.txt
	@$(PIP) install -qq --no-deps -r $(VENV)/torch.txt 2>$(VENV)/torch.log \
	    || $(PIP) install -qq --no-deps --extra-index-url $(TORCH_INDEX) -r $(VENV)/torch.txt \
	    || { cat $(VENV)/torch.log; exit 1; }
	@echo '  2/3 the other packages'
	@$(PIP) install -qq --no-deps -r constraints.txt
	@echo '  3/3 skq'
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(OLDEST)/installed: $(STAMP)
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv --without-pip $(OLDEST)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib")); print("$(CURDIR)")' \
	    > "$$($(OLDEST)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth"
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check install -qq --no-deps \
	    scikit-learn==$(OLDEST_SKLEARN)
	@touch $@

$(DISTRIBUTED)/base: $(STAMP)
	@test -x $(DISTRIBUTED)/bin/python || $(PYTHON) -m venv --without-pip $(DISTRIBUTED)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib")); print("$(CURDIR)")' \
	    > "$$($(DISTRIBUTED)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth"
	@touch $@

$(DOCS)/installed: $(STAMP) docs/requirements.txt
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv --without-pip $(DOCS)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib")); print("$(CURDIR)")' \
	    > "$$($(DOCS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth"
	@$(DOCS)/bin/python -m pip --disable-pip-version-check install -qq --no-deps \
	    -r docs/requirements.txt
	@touch $@

clean: ## remove .venv, caches and build products
	rm -rf $(VENV) $(OLDEST) $(DISTRIBUTED) $(DOCS) docs/_build docs/auto_examples docs/generated build dist skq.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find skq tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
	find skq -name '*.so' -delete
