# The commands of the project; every one sets up what it needs in .venv/ first, once.
#
#   make demo     run GEMM on every backend present, check it, print a table
#   make test     run the tests            (make test ARGS="-k layouts -x")
#   make setup    install for development, nothing else
#   make format   format the code and mend what ruff can mend
#   make bench    run the benchmarks
#   make clean    remove .venv/ and everything that was generated
#
# Another Python: make PYTHON=/path/to/python3.12 demo

CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in $(CANDIDATES); do \
	$$name -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$name && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Tiles are small: the threads of numpy's BLAS would only wait for each other.
demo test: export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test setup format bench clean
.DEFAULT_GOAL := test

demo: $(VENV)/.installed
	@$(BIN)/tilelang demo $(ARGS)

# The llvm backend is tested a second time as if this processor had no AVX-512.
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(ARGS)
	@test -n "$(ARGS)" || echo "--- the llvm backend once more, for AVX2"
	@test -n "$(ARGS)" || TILELANG_LLVM_FEATURES=avx2 $(BIN)/python -m pytest tests/backends/llvm

setup: $(VENV)/.installed-dev

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev
	$(BIN)/python -m pytest bench $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .benchmarks
	find tilelang backends kernels tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Installing again is needed only when the list of packages changes: the install is editable.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing tilelang into $(VENV)/ ..."
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing tilelang and its development tools into $(VENV)/ ..."
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "tilelang needs Python 3.11 or newer, and none of these is: $(CANDIDATES)." >&2; \
		echo "Install one, or say where one is: make PYTHON=/path/to/python3.12 demo" >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "tilelang needs Python 3.11 or newer, but $(PYTHON) is `$(PYTHON) --version 2>&1`." >&2; \
		echo "Say where a newer one is: make PYTHON=/path/to/python3.12 demo" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make a virtual environment; on Debian: apt install python3-venv" >&2; \
		exit 1; }
