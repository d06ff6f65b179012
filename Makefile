# `make help` lists the commands. Everything runs in .venv, which the first command sets up.
APP ?= text_generation
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# In a folder of its own: other packages import PyTorch wherever they find it, and slow everything down.
BENCH := $(VENV)/bench
# Two processes. Tests that share a training, a compiled model or an architecture's scans are a group, and one process
# runs it; tests/conftest.py says which, and in what order. make test ARGS=--durations=20 shows what took longest.
TESTS := -m pytest -q --numprocesses 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

ON_JAX := tests/layers tests/test_decoding.py tests/test_devices.py tests/test_fit.py

export TF_CPP_MIN_LOG_LEVEL ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint tables bench clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## train an app on its built-in data and show the result: make demo APP=<name> (default text_generation)
	@test -f apps/$(APP)/config.py || { echo "There is no app $(APP). The apps are:" >&2; $(RUN) -m apps >&2; exit 2; }
	$(RUN) -m apps.$(APP) train
	@echo "(before the first of these: source $(VENV)/bin/activate)"

test: $(READY) ## run all tests except the slow ones, on TensorFlow
	$(RUN) $(TESTS) -m "not slow"

test-all: $(READY) ## run the slow tests: real trainings; layers, decoding and the training loop on JAX
	$(RUN) $(TESTS) -m slow
	KERAS_BACKEND=jax $(RUN) $(TESTS) $(ON_JAX)

lint: $(READY) ## run ruff check, ruff format --check, and mypy on shared
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy shared

tables: $(READY) ## regenerate the tables in README.md and the model cards from the results.json files
	$(RUN) -m apps tables

bench: $(BENCH) ## compare the speed with stock Keras and PyTorch
	BENCH_PACKAGES=$(BENCH) $(RUN) -m tests.benchmarks

clean: ## remove .venv (runs/ stays)
	rm -rf $(VENV)

# One marker file says that what requirements.txt names is installed.
$(READY): requirements.txt
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(BENCH): $(READY) tests/benchmarks/requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --upgrade --target $@ -r tests/benchmarks/requirements.txt
	touch $@
