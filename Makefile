# The two commands of the README are `make bench` and `make test`; each does all the set-up it needs.
PYTHON ?= $(or $(shell sh .ci/python 3.11 3.12 3.13 2>/dev/null),python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
RUN    ?= runs/toybox
STUDY  ?= runs/demo-study
PORT   ?= 8501
PART   ?=
FAMILY_TESTS := $(wildcard tests/test_pipeline_*.py) tests/test_device_placement.py tests/test_footprint.py tests/test_real_weights.py
METHODS ?= dreamix,text-to-video,plug-and-play,unedited,frozen-frame,shuffled-frames,ideal

.PHONY: bench bench-full demo-study test test-slow test-durations gpu-check check lint types audit docs install hooks clean

bench: $(VENV)/ready            ## edit and compare on a part of the embedded benchmark, say where the page is
	$(BIN)/dreamix bench compare toybox-quick --out $(RUN) --methods $(METHODS)

bench-full: $(VENV)/ready       ## the same on all 29 videos and 127 edits; goes on where it was
	$(BIN)/dreamix bench compare toybox --out $(RUN)-full --methods $(METHODS)

# People rate at one address, simulated raters fill the admin page of another: never one database.
demo-study: $(VENV)/ready       ## a rater study of the quick run, ready to click, and its admin page with simulated raters
	test -f $(RUN)/run.json || $(MAKE) bench
	test -f $(STUDY)/study.yaml || $(BIN)/dreamix study new $(RUN) --out $(STUDY)
	$(BIN)/dreamix study build $(STUDY)
	test -f $(STUDY)/simulated.sqlite || $(BIN)/dreamix study simulate $(STUDY) --seed 1 --raters 26 --drop-out 0.25 --careless 0.1 --between 900 --trial 40
	@PORT=$(PORT) DREAMIX=$(BIN)/dreamix sh docs/demo_study.sh $(STUDY)

test: $(VENV)/ready             ## the fast suite: no network, no GPU
	$(BIN)/pytest -q -m "not slow" -n 2 --dist loadscope

SPLIT  := $(if $(PART),--splits $(notdir $(PART)) --group $(patsubst %/,%,$(dir $(PART))) --durations-path tests/durations.json)
test-slow: $(VENV)/ready        ## the slow checks, all of them or one part of equal length: PART=3/10
	$(BIN)/pytest -q -m slow -n 2 --dist loadscope --no-loadscope-reorder --durations=15 $(SPLIT)

test-durations: $(VENV)/ready   ## all slow checks, and how long each took, by which they are cut into parts
	$(BIN)/pytest -q -m slow -n 2 --dist loadscope --store-durations --clean-durations --durations-path tests/durations.json

gpu-check: $(VENV)/ready        ## the checks of every pretrained family on the accelerator, or the processor: a table
	$(BIN)/pytest -q -m check --device auto --family-table -p no:cacheprovider -rN $(FAMILY_TESTS)

check: lint types test          ## everything a commit has to pass

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/ready
	$(BIN)/mypy

audit: $(VENV)/ready            ## known flaws of what is installed; asks the index, fails where it has no answer
	$(BIN)/python .ci/audit.py

docs: $(VENV)/docs-ready        ## these pages and the API reference as a site that opens from disk; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo build/site/index.html

$(VENV)/docs-ready: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@

install: $(VENV)/ready          ## create the environment

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev,hub,cluster,offline,study,postgres,s3,gcs,https]"
	touch $@

hooks: $(VENV)/ready            ## run ruff and the file checks before every commit
	$(BIN)/pre-commit install

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
