# operations_runbook: what this project is.  How it is built stands in pgxs.mk.
EXTENSION  = operations_runbook
PGFILEDESC = "operations_runbook - an operations runbook inside the database"

# The order in which the parts of the install script follow one another.
SQL_PARTS = src/core/install.sql src/rls/rls.sql src/rls/probe.sql \
            src/bloat/bloat.sql src/bloat/density.sql \
            src/cleanup/retention.sql src/cleanup/plan.sql src/cleanup/cleanup.sql \
            src/schedule/window.sql src/schedule/mode.sql \
            src/schedule/maintenance.sql src/schedule/maintenance_plan.sql src/schedule/jobs.sql \
            src/health/health.sql src/incident/history.sql

# Markdown pages that ops.runbook() answers with.
PAGES = $(sort $(wildcard src/*/pages/*.md))

REGRESS   = install $(filter-out install,$(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql))))
ISOLATION = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))

# Those that mostly wait begin first, so that the others are done meanwhile.
LONG_TESTS  = $(wildcard test/t/115_*.pl)
SHORT_TESTS = $(filter-out $(LONG_TESTS),$(sort $(wildcard test/t/*.pl)))
PROVE_TESTS = $(LONG_TESTS) $(SHORT_TESTS)

# What plain "make" does; pgxs.mk says how.
all:

# Targets that build their own machine: root on Debian, see test/README.md.
.PHONY: demo demo-stop test lint indent bench fuzz dist deb docs

demo:
	@test/demo.sh start

demo-stop:
	@test/demo.sh stop

test:
	@test/run.sh

lint:
	@test/lint/run.sh

indent:
	@test/lint/indent.sh --write

bench:
	@test/bench/run.sh

fuzz:
	@test/fuzz/run.sh

dist:
	@test/dist.sh

deb:
	@test/deb.sh

docs:
	@test/docs.sh

include pgxs.mk
