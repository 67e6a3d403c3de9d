# How a PGXS extension of this shape is built and tested.  Names no project:
# the Makefile that includes this file sets EXTENSION, SQL_PARTS, PAGES,
# REGRESS and ISOLATION.

# The control file is the one place the version is written.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)

INSTALL_SQL = build/$(EXTENSION)--$(EXTVERSION).sql
MODULE_big  = $(EXTENSION)
OBJS        = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c))) build/pages.o
DATA        = $(filter-out %/$(notdir $(INSTALL_SQL)),$(wildcard src/upgrade/*--*.sql))
DATA_built  = $(INSTALL_SQL)
EXTRA_CLEAN = build tmp_check

PG_CPPFLAGS += -Isrc -DOPS_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   += -Wextra -Wshadow -Wno-unused-parameter -Wno-sign-compare $(if $(STRICT),-Werror)

# Only this server's own TLS library, and only if it has one.
SHLIB_LINK += $(filter -lcrypto,$(LIBS))

TAP_TESTS      = 1
PROVE_TESTS   ?= test/t/*.pl
REGRESS_OPTS   = --outputdir=build
ISOLATION_OPTS = --inputdir=test --outputdir=build/isolation --load-extension=$(EXTENSION)

PG_CONFIG ?= pg_config
PGXS      := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

PROVE_FLAGS += -Itest/lib

$(INSTALL_SQL): $(SQL_PARTS) $(EXTENSION).control
	@mkdir -p build/isolation && cat $(SQL_PARTS) > $@

# Pages are written as markdown and travel inside the library.
build/pages.c: $(PAGES)
	@mkdir -p build/isolation
	@awk -f src/core/pages.awk $(PAGES) > $@

$(OBJS): $(wildcard src/*.h src/*/*.h) $(EXTENSION).control
