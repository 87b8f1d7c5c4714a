# Each target is one line of `make help`. Options for the program behind a target go into ARGS: make lab ARGS="--no-browser --port 8890"
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
NOTEBOOK ?=

.PHONY: .venv help setup lab copy update test check data refresh bench assignments classroom test-classroom site slides test-pages test-serving hub test-hub clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## */\t/' | awk -F '\t' '{printf "make %-15s %s\n", $$1, $$2}'

setup: .venv/ready  ## make .venv and install the project into it

# Compared by what they say, not by their times: a copied or a read-only folder stays ready, and a branch with the same packages too.
.venv/ready: pyproject.toml constraints.txt
	@cat $^ | cmp -s - $@ || $(MAKE) --no-print-directory .venv

# Always `python -m`, never a script of .venv/bin: their first line holds a path, which must not be long, have spaces or change.
.venv:
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v[:2] <= (3, 13) or sys.exit(f"Python 3.11 to 3.13 is needed, but $(PYTHON) is {v[0]}.{v[1]}: name another one, for example make lab PYTHON=python3.12")'
	@$(PYTHON) -c 'import sys; sys.path.insert(0, "course_utils"); from tensorflow_start import without_wheel; sys.exit(without_wheel() or 0)'
	@echo "Setting up .venv; the first time takes some minutes."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@$(BIN)/python -m jupyterlab.labextensions disable --level=sys_prefix @jupyterlab/apputils-extension:announcements >/dev/null 2>&1
	@cat pyproject.toml constraints.txt > .venv/ready

data: setup  ## fetch and verify the data sets, and render the cars
	@$(BIN)/python -m course_utils.data
	@$(BIN)/python -m course_utils.datasets.carvana

lab: setup  ## open JupyterLab on the first lesson (ARGS="--no-browser --port 8890")
	@$(MAKE) --no-print-directory data || echo "Some data are missing; the lessons that need them will say so."
	@$(BIN)/python -m tools.lab $(ARGS)

copy: setup  ## copy a lesson to my/, where no update touches it (NOTEBOOK=02)
	@$(BIN)/python -m tools.copy_lesson $(NOTEBOOK)

update:  ## bring the newest version, and keep what you have written
	@$(PYTHON) -m tools.update
	@$(MAKE) --no-print-directory setup

# What is stored and compared is a beginner's.
test check refresh: export COURSE_PROGRESS := 0

# What test-pages, test-classroom and test-hub run is theirs alone, also where their packages are installed.
# Two at a time, a thread for each is enough: more of them would wait for one another, spinning.
test: data  ## style, unit tests, and every notebook's stored outputs compared
	@test -z "$(NOTEBOOK)" || { echo "make test runs everything. For one lesson: make check NOTEBOOK=$(NOTEBOOK)"; exit 2; }
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check --quiet .
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not classroom and not hub" --ignore=tests/test_browser.py --ignore=tests/test_site.py --ignore=tests/test_slides.py $(ARGS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q --nbval --nbval-current-env -n 2 --dist loadfile -p tools.notebook_table notebooks

check: data  ## one lesson in a minute: style, form, unit tests, mutants, stored outputs (NOTEBOOK=02)
	@$(BIN)/python -m tools.check $(NOTEBOOK)

refresh: data  ## execute, clean and store the notebooks (one: NOTEBOOK=01)
	@$(BIN)/python -m tools.refresh $(NOTEBOOK)

bench: data  ## measure speed side by side, into benchmarks/RESULTS.md (one part: ARGS=otsu)
	@$(BIN)/python -m benchmarks $(ARGS)

assignments: setup  ## write nbgrader assignments from the exercises (one lesson: NOTEBOOK=02)
	@$(BIN)/python -m publish.assignments $(NOTEBOOK) $(ARGS)

classroom: setup  ## install nbgrader, for teachers who collect and grade work
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[classroom]"

test-classroom: classroom data  ## every assignment through nbgrader: full marks, none, and cheats
	@$(BIN)/python -m pytest -q tests/test_assignments.py $(ARGS)

site: .venv/pages  ## build the reading site from the stored outputs, in build/site/html
	@$(BIN)/python -m publish.site $(ARGS)

.venv/pages: .venv/ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[site]"
	@touch .venv/pages

slides: .venv/pages  ## make a deck of slides of each lesson, in build/slides
	@$(BIN)/python -m publish.slides

test-pages: .venv/pages  ## in a real browser: a lesson in JupyterLab, and site and slides on a phone, a screen and a projector
	@$(BIN)/python -m pytest -q tests/test_browser.py tests/test_site.py tests/test_slides.py $(ARGS)

# MLServer needs other versions of some packages than the lessons do, so it gets an environment of its own; the lessons never see it.
test-serving: setup  ## lesson 13's swap under load on MLServer, in an environment of its own (2 GB in build/serving)
	@$(MAKE) --no-print-directory build/serving/ready || echo "MLServer could not be installed, see above: its test is skipped."
	@$(BIN)/python -m pytest -q -rs tests/test_engines.py $(ARGS)

build/serving/ready: constraints.txt
	@$(BIN)/python -m venv build/serving
	@build/serving/bin/python -m pip install --quiet --disable-pip-version-check mlserver==1.7.1 $$(grep ^tensorflow== constraints.txt)
	@touch $@

# The hub's environment sees .venv's packages behind its own and adds only what is missing; the lessons never see it.
hub: build/hub/ready data  ## a class's JupyterHub on this computer, see deploy/hub/README.md
	@build/hub/bin/python -m jupyterhub -f deploy/hub/jupyterhub_config.py $(ARGS)

test-hub: build/hub/ready data  ## up to thirty students at work on JupyterHub (150 MB in build/hub, ten minutes)
	@$(BIN)/python -m pytest -q -rsP tests/test_hub.py tests/test_hub_running.py $(ARGS)

build/hub/ready: .venv/ready
	@command -v npm >/dev/null || { echo "The hub's proxy needs Node.js 20 or newer with npm (on Debian: apt-get install npm)."; exit 2; }
	@$(BIN)/python -m venv build/hub
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(build/hub/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lessons.pth"
	@build/hub/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt jupyterhub==6.1.1 jupyterhub-idle-culler==2.0.0
	@npm install --silent --no-fund --no-audit --prefix build/hub configurable-http-proxy@5.3.0
	@touch $@

clean:  ## remove .venv and caches; data/ stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build course_utils.egg-info
