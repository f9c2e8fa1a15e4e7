# make run    installs into .venv and opens the lab
# make test   installs what the tests need, the browser and PostgreSQL too, and runs everything
# make bench  measures the figures of the README
.PHONY: run test bench format clean

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8501
BIN := .venv/bin
SCREEN := $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s)))

run: .venv/run.stamp
	$(BIN)/streamlit run app.py --server.address $(HOST) --server.port $(PORT) --server.headless $(if $(SCREEN),false,true)

test: .venv/test.stamp
	sh tests/install_system.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist worksteal -m 'not browser and not drill'
	$(BIN)/pytest -n 2 --dist loadfile -m 'browser or drill' --reruns 2  # real browsers and kills share the machine

bench: .venv/test.stamp
	sh tests/install_system.sh
	for script in tests/benchmarks/bench_*.py; do echo; echo "== $$script"; $(BIN)/python $$script || exit 1; done

format: .venv/test.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	sh tests/install_system.sh python
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/test.stamp: requirements-test.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@
