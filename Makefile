# make demo      install what opens pictures, then compress and restore a sample, print size and PSNR, and the seconds it took
# make test      install with the development tools, check style and types, run all tests, then those without torch
# make light     the tests without torch alone, with what `pip install .` brings
# make check     style and types alone
# make scale     what takes minutes: lcodec bulk with thousands of pictures, stopped runs, its speed beside lcodec compress
# make fuzz      read a million mutated files, FUZZ_RUNS=... for another number, and FUZZ_PICTURES=20000 mutated pictures
# make web       fill web/dist: the page that opens .lcq files, with its runtime and models; any static file server serves it
# make web-test  its tests in a Chromium, CHROMIUM=... for one that is not found; node and npm are needed for all three
# make web-fuzz  reads 20,000 mutated files in it and in Python, WEB_FUZZ_RUNS=... for another number
# make web-speed seconds of a decode in it with one WebAssembly thread and with two, WEB_PICTURE=... for another picture
# make wheel     build dist/*.whl
# make manifest  add new models to models/MANIFEST; lines that are there stay
PYTHON ?= python3
VENV ?= .venv
LIGHT ?= .venv-light
BIN := $(VENV)/bin
BEGAN := $(shell date +%s)
FUZZ_RUNS ?= 1000000
FUZZ_PICTURES ?= 20000
WEB_FUZZ_RUNS ?= 20000
WEB_FUZZ_SEED ?= $(BEGAN)
WEB_PICTURE ?= samples/landscape.png
RUNTIME := web/node_modules/onnxruntime-web/dist

.PHONY: demo test light check scale fuzz web web-test web-fuzz web-speed wheel manifest clean

demo: $(LIGHT)/installed
	$(LIGHT)/bin/python samples/demo.py
	@echo "make demo: $$(($$(date +%s) - $(BEGAN))) seconds, with what had to be installed"

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder # a file a core
	$(MAKE) light

light: $(LIGHT)/installed-pytest
	$(LIGHT)/bin/python -m pytest --confcutdir tests/light tests/light # tests/conftest.py needs torch

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

scale: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m scale --capture no tests

fuzz: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --only-binary atheris --editable '.[fuzz]' 2>/dev/null || true # run.py says so
	cd tests && $(abspath $(BIN))/python -m fuzz.run --runs $(FUZZ_RUNS)
	cd tests && $(abspath $(BIN))/python -m fuzz.run --target pictures --runs $(FUZZ_PICTURES)

web: $(LIGHT)/installed web/node_modules/installed
	rm -rf web/dist && mkdir -p web/dist/runtime
	cp -r $(filter-out web/package%.json web/%.py web/README.md,$(wildcard web/*.*) $(wildcard web/page)) web/dist
	cp $(addprefix $(RUNTIME)/,ort.wasm.min.mjs ort-wasm-simd-threaded.mjs ort-wasm-simd-threaded.wasm) web/dist/runtime
	$(LIGHT)/bin/python web/export.py web/dist/models
	$(LIGHT)/bin/python web/stamp.py web/dist

web-test: web $(VENV)/installed-dev
	rm -rf web/build
	$(BIN)/python web/export.py web/build/models tests/conformance/models/*
	cd tests && $(abspath $(BIN))/python -m web.prepare ../web/build/cases
	cd web && PYTHON=$(abspath $(BIN))/python node --test test/*.test.js

web-fuzz: web $(VENV)/installed-dev
	rm -rf web/build
	$(BIN)/python web/export.py web/build/models tests/conformance/models/*
	cd tests && $(abspath $(BIN))/python -m web.prepare ../web/build/cases --only-mutated \
		--mutated $(WEB_FUZZ_RUNS) --seed $(WEB_FUZZ_SEED)
	cd web && node --test test/decode.test.js

web-speed: web
	mkdir -p web/build
	$(LIGHT)/bin/lcodec compress $(WEB_PICTURE) -o web/build/speed.lcq --force --model lattice-1 --effort 0
	cd web && node test/speed.js build/speed.lcq

wheel: $(LIGHT)/installed
	rm -rf build # of an earlier one, with modules that may be gone
	$(LIGHT)/bin/pip wheel . --no-deps --wheel-dir dist

manifest:
	cd models && touch MANIFEST && for file in */model.safetensors */config.json; do \
		grep -q "  $$file$$" MANIFEST || sha256sum "$$file" >> MANIFEST; done

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python $(LIGHT)/bin/python:
	$(PYTHON) -m venv $(@:/bin/python=)
	$@ -m pip install --quiet --upgrade pip

web/node_modules/installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

$(LIGHT)/installed: $(LIGHT)/bin/python pyproject.toml
	$(LIGHT)/bin/python -m pip install --quiet --editable .
	touch $@

$(LIGHT)/installed-pytest: $(LIGHT)/installed
	$(LIGHT)/bin/python -m pip install --quiet 'click>=8.2' 'pytest>=8' 'pytest-timeout>=2.3' # earlier clicks do not keep errors apart from output
	touch $@

$(VENV)/installed-dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
