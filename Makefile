# Everything a checkout needs: Python 3.11 or newer, and a package registry that pip can reach.
# Each job makes its own virtual environment once; it is made anew when pyproject.toml changes.

PYTHON ?= python3
# What the demonstration is installed with: both frameworks, pictures, and LangGraph's own saver to compare with.
DEMO_EXTRAS ?= demo
# How many processes the tests run in; each starts servers of its own.
JOBS ?= 2
# Which benchmarks to run (make bench BENCHMARKS="redis load"); all when none is named.
BENCHMARKS ?=

PIP_INSTALL := -m pip install -qq --disable-pip-version-check
TEST_BIN := .venv-test/bin
BENCH_BIN := .venv-bench/bin
DEMO_BIN := .venv-demo/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-floors test-extras test-llm peers notebook lint bench clean

help: ## list the targets
	@echo "make demo      run a long agent conversation through llm-sessions and show the results"
	@echo "make test      lint, types, floors, then the whole test suite"
	@echo "make test-floors  the adapters' and drivers' tests with the oldest versions that pyproject.toml allows"
	@echo "make test-extras  each extra alone, as pip installs it today"
	@echo "make test-llm  tests with a very small model (the first call compiles its server: some minutes)"
	@echo "make peers     tests with LangChain's Redis packages, in an environment of their own"
	@echo "make notebook  run the notebook and store its outputs in it"
	@echo "make lint      lint, types and floors only"
	@echo "make bench     measure speed, size and memory quality"
	@echo "make clean     remove environments, caches and build output"
	@echo
	@echo "Another interpreter: make test PYTHON=python3.13"

demo: .venv-demo/installed
	$(DEMO_BIN)/llm-sessions demo

test: lint
	$(TEST_BIN)/python -m pytest -q --numprocesses $(JOBS) --dist worksteal tests

# What stands on somebody else's package; the rest of the suite says the same with any version.
FLOOR_TESTS := $(addprefix tests/,$(addsuffix .py,test_attach test_cancelled_scopes test_cli test_cli_reports test_codec \
	test_concurrent_runs test_deepagents test_exact_values \
	test_demo test_display test_encrypted_store test_fold_queue test_view_list test_history_dropin test_in_run test_langchain_* test_langgraph_* \
	test_llamaindex_* test_middleware test_moving* test_no_pickle test_notebook test_open_calls test_open_files test_otel test_payloads \
	test_postgres_room test_postgres_rules test_postgres_schema test_postgres_store test_postgres_writers test_postgres_writes test_provider \
	test_recall_tool test_record_numbers test_redis_callers test_redis_connections test_redis_faults test_redis_room test_redis_store \
	test_question_quotes test_with_session*))

test-floors: .venv-floors/installed
	.venv-floors/bin/python -m pytest -q --numprocesses $(JOBS) --dist worksteal $(FLOOR_TESTS)

test-extras: .venv-test/installed
	LLM_SESSIONS_RESOLVE=1 $(TEST_BIN)/python -m pytest -q tests/test_packaging.py

test-llm: .venv-llm/installed
	.venv-llm/bin/python -m pytest -q tests/llm

peers: .venv-bench/installed
	.venv-bench/bin/python -m pytest -q tests/peers

notebook: .venv-test/installed
	$(TEST_BIN)/python tests/run_notebook.py

lint: .venv-test/installed
	$(TEST_BIN)/ruff check .
	$(TEST_BIN)/ruff format --check .
	$(TEST_BIN)/mypy
	$(TEST_BIN)/lint-imports --no-cache

bench: .venv-bench/installed
	$(BENCH_BIN)/python -m benchmarks $(BENCHMARKS)

clean:
	rm -rf .venv-demo .venv-test .venv-floors .venv-bench .venv-llm build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv-demo/installed: pyproject.toml
	$(call new_environment,.venv-demo)
	.venv-demo/bin/python $(PIP_INSTALL) --editable '.[$(DEMO_EXTRAS)]'
	@touch $@

.venv-test/installed: pyproject.toml
	$(call new_environment,.venv-test)
	.venv-test/bin/python $(PIP_INSTALL) --editable '.[dev]'
	@touch $@

# pip has no word for "the lowest of each", so they are told one by one.
.venv-floors/installed: pyproject.toml tests/floors.py
	$(call new_environment,.venv-floors)
	.venv-floors/bin/python tests/floors.py > .venv-floors/floors.txt
	.venv-floors/bin/python $(PIP_INSTALL) --constraint .venv-floors/floors.txt --editable '.[test,demo]'
	@touch $@

.venv-bench/installed: pyproject.toml
	$(call new_environment,.venv-bench)
	.venv-bench/bin/python $(PIP_INSTALL) --editable '.[bench]'
	@touch $@

# One compiler at a time: a machine with little memory has no room for more of llama.cpp's files.
.venv-llm/installed: pyproject.toml
	$(call new_environment,.venv-llm)
	CMAKE_BUILD_PARALLEL_LEVEL=$${CMAKE_BUILD_PARALLEL_LEVEL:-1} .venv-llm/bin/python $(PIP_INSTALL) --editable '.[llm]'
	@touch $@

# The environment is emptied first, so that it never holds what pyproject.toml no longer asks for.
define new_environment
@command -v $(PYTHON) >/dev/null || { \
	echo "No $(PYTHON) here. Name a Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "llm-sessions needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	     "Name another: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
@echo "Installing into $(1) (once; the next call is fast)"
@$(PYTHON) -m venv --clear $(1)
endef
