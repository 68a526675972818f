# The project's habits, one command each, the same here and in CI: `make help` lists them.
#
# A public target `test` does nothing but run `impl-test`: through `innerloop wrap test` where an `innerloop` command is
# on PATH (it then measures the run, if you opted in), directly where there is none. Looking for it starts no process.
# The command of this checkout's own .venv does not count: a broken working tree must not stop `make test`.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= python3
UV := .uv/bin/uv
RUN := $(UV) run --no-sync --
PYTEST := $(RUN) python tools/leftovers.py pytest
WORKERS := 3
READY := .venv/.ready
LUA := .cache/lua-5.1
LUA_READY := $(LUA)/.unpacked-from
SHIM := .cache/shim/.built
PACKAGES := .cache/.system-packages
COMPILER := $(if $(wildcard $(addsuffix /gcc,$(subst :, ,$(PATH)))),,no-compiler)
TARGETS := setup demo demo-team test test-slow lint bench docs wheels pyz clean
INNERLOOP := $(firstword $(filter-out $(CURDIR)/.venv/%,$(wildcard $(addsuffix /innerloop,$(subst :, ,$(PATH))))))

# The system's certificates where there are any, so that it also works where a proxy opens TLS.
CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt)

export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := $(if $(CERTIFICATES),true,false)
unexport VIRTUAL_ENV

.PHONY: help no-compiler $(TARGETS) $(TARGETS:%=impl-%)

ifeq (,$(INNERLOOP))
$(TARGETS): %: impl-%
else
$(TARGETS):
	+@$(INNERLOOP) wrap $@
endif

help: ## list these targets (the default)
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { sub("impl-", "", $$1); printf "  make %-10s %s\n", $$1, $$2 }' Makefile

impl-setup: $(READY) $(LUA_READY) $(SHIM) $(PACKAGES) ## install what everything else needs; the other targets do it by themselves

impl-demo: $(COMPILER) $(READY) $(LUA_READY) $(SHIM) ## a collector, six developers, real builds, the reports; DEMO="--keep DIR" keeps its files
	@echo "demo: building and installing innerloop into .cache/demo, as its users would have it"
	@$(RUN) python tools/install_wheels.py .cache/demo
	@.cache/demo/collector/bin/innerloop-collector demo --source $(LUA) $(DEMO)

impl-demo-team: $(READY) ## a year of a simulated team in a store that is thrown away; DEMO="--keep DIR --seed 7" keeps it
	@$(RUN) innerloop-collector demo --team $(DEMO)

# About a quarter of a test's time is waiting, so three workers keep two cores busy.
# Terminals and signals on a busy machine: in a run of all tests, what failed gets one more try, and both outcomes are printed.
impl-test: $(READY) $(LUA_READY) $(SHIM) $(PACKAGES) ## run the tests; T="tests/client -k pty" runs some of them
	@$(PYTEST) -n $(WORKERS) $(T)$(if $(T),, || { status=$$?; [ $$status = 1 ] || exit $$status; \
		echo "some tests failed; only those run once more" >&2; \
		$(PYTEST) -n 0 --last-failed --last-failed-no-failures none; })

impl-test-slow: $(READY) $(LUA_READY) $(SHIM) $(PACKAGES) ## run the tests that take minutes
	@$(PYTEST) -n 2 -m slow $(T)

impl-lint: $(READY) ## check style, types, imports, spelling and generated pages; FIX=1 repairs what can be repaired
	@$(RUN) ruff check --quiet $(if $(FIX),--fix) .
	@$(RUN) ruff format --quiet $(if $(FIX),,--check) .
	@$(RUN) mypy --no-error-summary --python-version 3.10 --package innerloop
	@$(RUN) mypy --no-error-summary --package innerloop_collector
	@$(RUN) mypy --no-error-summary tools
	@$(RUN) mypy --no-error-summary tests
	@$(RUN) lint-imports --no-cache
	@$(RUN) python tools/import_cycles.py
	@$(RUN) codespell
	@$(RUN) python tools/check_oldest_python.py
	@$(RUN) python tools/generate_docs.py --check

impl-bench: $(READY) $(LUA_READY) $(SHIM) ## measure the budgets side by side; nothing fails for being slow
	@set -e; for benchmark in $(wildcard benchmarks/*.py); do echo "== $$benchmark"; $(RUN) python $$benchmark; done

impl-docs: $(READY) ## write the generated pages of docs/ again
	@$(RUN) python tools/generate_docs.py

impl-wheels: $(READY) $(SHIM) ## build both wheels into dist/, and innerloop.pyz
	@echo "wheels: each build has a version of its own, which sorts after those of older sources"
	@$(RUN) python tools/install_wheels.py --wheels-only dist
	@$(RUN) python tools/build_pyz.py dist/innerloop.pyz

impl-pyz: $(READY) $(SHIM) ## build dist/innerloop.pyz, the client in one file
	@$(RUN) python tools/build_pyz.py dist/innerloop.pyz

impl-clean: ## remove everything that make made here, also .venv and .uv
	rm -rf .cache .uv .venv dist packages/client/src/innerloop/core/probe/bin .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): uv.lock pyproject.toml packages/client/pyproject.toml packages/collector/pyproject.toml packages/client/scripts/innerloop tools/bootstrap.py tools/locked.py
	@command -v $(PYTHON) >/dev/null || { echo "setup: there is no $(PYTHON). innerloop needs Python 3.11 or newer to be developed." >&2; exit 1; }
	@echo "setup: uv into .uv/, the locked packages into .venv/"
	@$(PYTHON) tools/bootstrap.py
	@touch $@

no-compiler:
	@echo "demo: it builds Lua, and there is no gcc. On Debian: apt-get install gcc libc6-dev" >&2; exit 1

$(PACKAGES): tools/system_packages.py | $(READY)
	@$(PYTHON) tools/system_packages.py
	@touch $@

$(SHIM): tools/build_shim.py packages/client/src/innerloop/core/probe/shim.c | $(READY)
	@echo "setup: the probe's shim, with zig; the first time takes a minute"
	@$(RUN) python tools/build_shim.py
	@touch $@

$(LUA_READY): tools/fetch_demo_source.py | $(READY)
	@$(RUN) python tools/fetch_demo_source.py $(LUA)
	@touch $@
