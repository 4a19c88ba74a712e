# make demo  sets everything up and runs the main job, offline
# make test  sets everything up and passes the tests
# make check lints and checks types; make bench prints the benchmark tables; make docs builds the pages
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check bench docs clean

$(VENV)/base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

$(VENV)/dev: $(VENV)/base
	$(PIP) -e ".[dev]"
	touch $@

$(VENV)/docs: $(VENV)/base
	$(PIP) -e ".[docs]"
	touch $@

$(VENV)/bench: $(VENV)/dev
	$(PIP) -e ".[bench]"
	touch $@

demo: $(VENV)/base
	HF_HUB_OFFLINE=1 $(BIN)/python examples/quickstart.py

test: $(VENV)/dev
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/bench
	for file in benchmarks/bench_*.py; do HF_HUB_OFFLINE=1 $(BIN)/python $$file || exit 1; done

docs: $(VENV)/docs
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) runs site build *.egg-info
