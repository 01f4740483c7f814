# make chat    sets up everything (once, up to 12 minutes on two cores), then serves Open WebUI on :8080 and the API on :8000
# make serve   the same without Open WebUI
# make setup   only sets up;   make test, make lint   what they need, then run it
# make audit   asks PyPI for known vulnerabilities of all pinned packages; fails where it can't be asked about one
# make bench   measures speed and size on a synthetic archive, then retrieval and answers on the sample archive
# make clean   removes what setup made (not the archive in data/, not the models)
#
# PYTHON=...       the Python to use (3.11 or 3.12)
# ARCHIVAR_*       every setting of the program, see README

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv/bin

.PHONY: help setup chat serve test lint audit bench screenshot clean
help:
	@sed -n 's/^# //p' Makefile

setup:
	@$(PYTHON) -m setup setup

chat:
	@$(PYTHON) -m setup chat
	@exec $(VENV)/archivar chat

serve:
	@$(PYTHON) -m setup serve
	@exec $(VENV)/archivar serve

test:
	@$(PYTHON) -m setup test
	@exec $(VENV)/pytest $(PYTEST_ARGS)

lint:
	@$(PYTHON) -m setup lint
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy

audit:
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/pip install --quiet --upgrade pip-audit
	@.venv-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

bench:
	@$(PYTHON) -m setup serve
	@$(VENV)/archivar bench scale --passages 10000
	@exec $(VENV)/archivar evaluate questions --questions sample/questions.jsonl --answers

screenshot:
	@$(PYTHON) -m setup test
	@ARCHIVAR_SCREENSHOT=docs/screenshot.png $(VENV)/pytest -q tests/browser -k screenshot

clean:
	rm -rf .venv .venv-webui .venv-audit build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
