# make demo      install, then compress and restore a sample and print size and PSNR
# make test      install with the development tools, check style and types, run all tests
# make check     style and types alone
# make fuzz      read a million mutated files, FUZZ_RUNS=... for another number, and FUZZ_PICTURES=20000 mutated pictures
# make wheel     build dist/*.whl
# make manifest  add new models to models/MANIFEST; lines that are there stay
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
FUZZ_RUNS ?= 1000000
FUZZ_PICTURES ?= 20000

.PHONY: demo test check fuzz wheel manifest clean

demo: $(VENV)/installed
	$(BIN)/python samples/demo.py

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder # a file a core

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --only-binary atheris --editable '.[fuzz]' 2>/dev/null || true # run.py says so
	cd tests && $(abspath $(BIN))/python -m fuzz.run --runs $(FUZZ_RUNS)
	cd tests && $(abspath $(BIN))/python -m fuzz.run --target pictures --runs $(FUZZ_PICTURES)

wheel: $(VENV)/installed
	$(BIN)/pip wheel . --no-deps --wheel-dir dist

manifest:
	cd models && touch MANIFEST && for file in */model.safetensors */config.json; do \
		grep -q "  $$file$$" MANIFEST || sha256sum "$$file" >> MANIFEST; done

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed
