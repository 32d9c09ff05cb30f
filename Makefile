# Two commands do everything, set-up included:
#   make demo   the whole way on a made-up world (no training, no torch)
#   make test   ruff, mypy and the tests: 38 minutes of processor time on two cores
#   make quick  ruff and the tests that start no program and train nothing: after each change
#   make hosts  landstep host-test --full for every host that has a page: some minutes
#   make fuzz   mutated files of every kind that is read, for FUZZ_SECONDS (300) from FUZZ_SEED (1)
# PYTHON=python3.12 make demo   takes another interpreter (3.11 or newer, with venv)

PYTHON ?= python3
FUZZ_SECONDS ?= 300
FUZZ_SEED ?= 1
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := gcc gfortran libopenmpi-dev openmpi-bin libnetcdff-dev python3-venv python3-dev
SOURCES := $(shell find src emulator data evaluation training export coupling fortran_shim -type f \
	-not -name '*.pyc') pyproject.toml CMakeLists.txt constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test quick hosts fuzz lint system clean

demo: $(VENV)/demo.stamp
	$(BIN)/landstep demo demo

test: $(VENV)/test.stamp lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --durations 15 -q

quick: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --durations 5 -q -m 'not slow'

hosts: $(VENV)/test.stamp
	@for page in docs/hosts/*.md; do host=$$(basename $$page .md); echo "== $$host"; \
	  OMP_NUM_THREADS=1 $(BIN)/landstep host-test $$host --full || exit 1; done

# Inputs that end in anything but a refusal in words go to build/fuzz, and the exit status is 1.
fuzz: $(VENV)/test.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd $(VENV) && ../$(BIN)/mypy --config-file ../pyproject.toml -p landstep

# Debian's packages: installed as root or by sudo, else named. Without them the Python part works.
system:
	@missing=""; \
	command -v gcc >/dev/null || missing=1; \
	command -v gfortran >/dev/null || missing=1; \
	command -v nf-config >/dev/null || missing=1; \
	command -v mpirun >/dev/null || missing=1; \
	$(PYTHON) -c 'import ensurepip, sysconfig, os; \
	assert os.path.exists(sysconfig.get_paths()["include"] + "/Python.h")' 2>/dev/null || missing=1; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $(PACKAGES)"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PACKAGES) >/dev/null; \
	  elif sudo -n true 2>/dev/null && command -v apt-get >/dev/null; then \
	    echo "installing $(PACKAGES)"; \
	    sudo -n apt-get update -qq && sudo -n apt-get install -y -qq $(PACKAGES) >/dev/null; \
	  else \
	    echo "not installed, and not root: apt-get install $(PACKAGES)"; \
	    echo "going on without them: the Fortran side is left out"; \
	  fi; \
	fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is too old: landstep needs Python 3.11 or newer (PYTHON=... make)"; exit 1; }

$(VENV)/bin/python: | system
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: $(VENV)/bin/python $(SOURCES)
	$(PIP) '.[cpu,plot,host]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/bin/python $(SOURCES)
	@if [ -f $@ ] && [ $@ -nt pyproject.toml ] && [ $@ -nt constraints.txt ]; then \
	  echo "installing landstep anew"; $(PIP) --no-deps --no-build-isolation .; \
	else \
	  echo "installing landstep and what its tests need"; \
	  $(PIP) '.[cpu,plot,host,train,geotiff,evaluate,test]'; \
	fi
	@touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) build demo
