# Thin: each target is one command that can be typed as well. `make` alone lists them.
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help setup test coverage soak lint format types docs example bench import-time build check spark mutation clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 14

setup: ## make .venv with everything a contributor needs
	python3 -m venv .venv && $(BIN)/pip install -q -e '.[test,peers,examples,plot,docs,dev]'

test: ## run tests, and the examples of docs and docstrings
	$(BIN)/python -m pytest -q

coverage: ## run the tests, and list the lines and branches they don't reach
	$(BIN)/python -m pytest -q --cov --cov-report=term-missing

soak: ## let Hypothesis try fifty times as hard, and match 10,000 members by each combination of a funnel
	HYPOTHESIS_PROFILE=soak FUNNEL_MEMBERS=10000 $(BIN)/python -m pytest -q tests/property tests/reference/test_funnel_brute_force.py

lint: ## lint, check the format and the import layers
	$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/lint-imports --no-cache --no-logo

format: ## sort imports and format
	$(BIN)/ruff check --select I --fix && $(BIN)/ruff format

types: ## check types, with mypy and with basedpyright, and that no public one is left open
	$(BIN)/mypy && $(BIN)/basedpyright --pythonpath $(BIN)/python && PYTHONPATH=src $(BIN)/basedpyright --pythonpath $(BIN)/python --verifytypes shequn --ignoreexternal

docs: ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

example: ## print a real chat community week by week, and a made-up one from admission to the end of a campaign; events by day with Dask
	$(BIN)/python examples/chat_community.py
	$(BIN)/python examples/private_domain.py
	$(BIN)/python examples/parquet_by_day.py

bench: ## measure speed and memory against ClickHouse, DuckDB, Polars and pandas
	$(BIN)/python -m benchmarks

import-time: ## measure what the import costs
	$(BIN)/python benchmarks/import_time.py

build: ## build the sdist and the wheel into dist
	$(BIN)/python -m build

check: ## everything that a change must pass
	.ci/run

clean: ## remove what the other targets made, .venv excepted
	rm -rf build dist docs/_build htmlcov .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

spark: ## install Java and PySpark, and hold Spark against one machine
	sudo apt-get install -y openjdk-17-jre-headless && python3 -m venv .venv-spark && .venv-spark/bin/pip install -q -e '.[test,spark]' && .venv-spark/bin/python -m pytest -q -rs tests/reference/test_engines_spark.py

mutation: ## change one operator at a time, and count what the tests notice
	$(BIN)/python -m benchmarks.mutation stats
