# Two commands are enough: `make demo` and `make test`. Both make the environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
STAMP := $(VENV)/.installed
DEMO ?= demo

.PHONY: demo test faults deep check lock reference samples standard cards rules gallery pictures benchmark wheel clean

$(STAMP): requirements.lock pyproject.toml
	@$(if $(UV),,$(PYTHON) -m pip install --quiet "uv>=0.5")
	@command -v uv >/dev/null || { echo "uv was installed but is not on PATH: add pip's script folder to PATH"; exit 3; }
	uv venv --quiet --allow-existing --python 3.11 $(VENV)
	uv pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## samples -> registry -> release -> reports -> site
	$(BIN)/ncdsurv demo --out $(DEMO)

# Three workers and the processes they start compile each module once, whatever the environment says of bytecode.
test: export PYTHONDONTWRITEBYTECODE =
test: $(STAMP)  ## every test
	@$(BIN)/python -m compileall -q ncdsurv
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

faults: $(STAMP)  ## the long run of tests/faults: processes really killed at every single step, 300 more at random
	NCDSURV_FAULTS=all $(BIN)/python -m pytest -n 2 --dist load tests/faults

deep: $(STAMP)  ## the engine against the plain loop and SQL on many more random registries
	NCDSURV_DEEP=20 $(BIN)/python -m pytest -n 2 --dist load tests/property -k spells

check: $(STAMP)  ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:  ## pin every dependency with its hashes; names no registry
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --extra service --extra fast --extra test --extra dev \
	  --output-file requirements.lock pyproject.toml

reference: $(STAMP)  ## rebuild the built-in reference pack
	$(BIN)/python scripts/build_reference_pack.py

samples: $(STAMP)  ## regenerate data_samples/
	$(BIN)/python -m ncdsurv.synthetic.samples data_samples

standard: $(STAMP)  ## regenerate docs/data-standard/
	$(BIN)/python -m ncdsurv.conformance.standard docs/data-standard

cards: $(STAMP)  ## regenerate docs/indicators/ from the definitions
	$(BIN)/python -m ncdsurv.catalog.card_pages docs/indicators

rules: $(STAMP)  ## regenerate docs/rules/ from the scenarios of the tests
	$(BIN)/python scripts/build_rules.py

gallery: $(STAMP)  ## execute the pages of docs/gallery
	$(BIN)/python scripts/build_gallery.py

pictures: $(STAMP)  ## draw the baselines of tests/pictures anew; look at each before it is committed
	$(BIN)/python scripts/build_pictures.py

benchmark: $(STAMP)  ## engine against the best SQL, in one run
	$(BIN)/python benchmarks/engine.py --patients 500000

wheel: $(STAMP)
	uv build --wheel --no-build-isolation --python $(BIN)/python --out-dir dist

clean:
	rm -rf $(VENV) $(DEMO) dist build
