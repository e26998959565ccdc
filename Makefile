# Every target works from a fresh checkout: it first creates .venv and installs into it.
#   make dream  [CONTENT=photo] [STYLE=painting] [SIZE=px] [OUT=folder] [QUICK=1]
#   make test   make test-all [FIGURES=file.md]   make test-oldest   make test-newest
#   make lab   make book   make lock
#   make app    [HOST=address] [PORT=8866] [TOKEN=secret] [RUNS=1] [UPLOAD=20]
#   make bench  [QUICK=1]    make quality  [QUICK=1]
#   make study  [PRESET=full] [WORKERS=2] [OUT=folder]
#   make notebooks  [ONLY="01 03"]    make links  [REPO=owner/name]

PYTHON  ?= python3
CONTENT ?= chelsea
STYLE   ?= night_flow
SIZE    ?=
OUT     ?= outputs
REPO    ?=
ONLY    ?=
QUICK   ?=
PRESET  ?= quick
WORKERS ?=
FIGURES ?=
HOST    ?= 127.0.0.1
PORT    ?= 8866
TOKEN   ?=
RUNS    ?= 1
UPLOAD  ?= 20

BIN   := .venv/bin
READY := .venv/.ready

# One process for each core, up to four: each takes up to 3 GB and computes on one core. A file's tests
# stay together, for they share networks, and a notebook's cells need its one kernel. In the order of
# collection the many short files, the examples in the package, come last, and no process waits long
# for the others.
PYTEST := TF_NUM_INTRAOP_THREADS=1 $(BIN)/python -m pytest --numprocesses logical \
	--maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: dream test test-all test-oldest test-newest bench quality study lint lab app notebooks book links doctor lock clean
.DEFAULT_GOAL := dream

dream: $(READY)
	@$(if $(QUICK),DREAMKIT_PROFILE=quick )$(BIN)/python -m dreamkit demo \
		--content "$(CONTENT)" --style "$(STYLE)" $(if $(SIZE),--size "$(SIZE)") --out "$(OUT)"

test: $(READY) lint
	$(PYTEST) -m "not slow"
	DREAMKIT_PROFILE=ci $(PYTEST) --override-ini addopts=-ra \
		--nbval-lax --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg \
		--nbval-cell-timeout 600 notebooks/

# The tests that `make test` leaves out because they take long; prints what was tried and held.
test-all: test
	$(PYTEST) -m slow $(if $(FIGURES),--figures "$(FIGURES)")

# The quick tests with the oldest versions that requirements.txt allows, and with the newest.
test-oldest: RESOLUTION = lowest-direct
test-newest: RESOLUTION = highest
test-oldest test-newest:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv venv --quiet --allow-existing --seed .venv-$(RESOLUTION)
	$(PYTHON) -m uv pip install --quiet --resolution $(RESOLUTION) --upgrade \
		--python .venv-$(RESOLUTION) --requirement requirements.txt
	$(subst .venv,.venv-$(RESOLUTION),$(PYTEST)) -m "not slow"

# Compares speed and memory with other programs; writes benchmarks/results.md and results.png.
bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

# Compares pictures with other methods' for up to 2.4 hours, or goes on with it. See book/quality.md.
quality: $(READY)
	$(BIN)/python -m benchmarks.quality $(if $(QUICK),--quick)

# Runs the clear-or-distorted study into outputs/study, or finishes one that was stopped.
study: $(READY)
	@$(BIN)/python -m dreamkit study --preset "$(PRESET)" --out "$(OUT)/study" \
		$(if $(WORKERS),--workers "$(WORKERS)")

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

lab: $(READY)
	$(BIN)/jupyter lab notebooks

# Serves the playground as a web page; RUNS pictures are made at once, and the rest wait in a queue.
app: $(READY)
	@$(BIN)/python -m dreamkit app --host "$(HOST)" --port "$(PORT)" --runs "$(RUNS)" \
		--upload "$(UPLOAD)" $(if $(TOKEN),--token "$(TOKEN)")

# Runs all notebooks and solutions in place; DREAMKIT_* variables choose the networks.
notebooks: $(READY)
	$(BIN)/python notebooks/execute.py $(ONLY)

# Turns the saved notebooks into a web site, outputs/book/index.html, without running them.
book: $(READY)
	$(BIN)/python -m sphinx -b html -c book -W --keep-going --nitpicky --quiet --fresh-env \
		. outputs/book
	$(BIN)/python book/check.py outputs/book

# Copies the repository's address from pyproject.toml into badges and set-up cells.
links: $(READY)
	@$(BIN)/python notebooks/links.py $(if $(REPO),--repo "$(REPO)")

doctor: $(READY)
	@$(BIN)/python -m dreamkit doctor

# Pins versions that work together, for Python 3.10 to 3.13 on Linux, macOS and Windows.
lock:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --universal --python-version 3.10 --quiet --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock requirements.txt

$(READY): requirements.lock pyproject.toml
	@echo "Setting up .venv (once, a few minutes) …"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else \
		f"Python {v[0]}.{v[1]} does not work: choose 3.10 to 3.13, as in make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m dreamkit weights prepare || true
	@touch $(READY)

clean:
	rm -rf .venv .pytest_cache .ruff_cache build dist
