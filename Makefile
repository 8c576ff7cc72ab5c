# modelreg: a machine learning model registry as a PostgreSQL extension.
#
# Two kinds of targets. The usual ones of a PGXS extension (all, install, installcheck, clean) work on the server that
# PG_CONFIG names. The private ones (`make help` lists them) bring a throw-away server of their own and touch no other.

PRIVATE = help test demo bench check check-regress check-isolation check-tap proof psql ci distclean-private

# Where this Makefile is, for builds outside the tree; PGXS sets srcdir only when it is included.
here := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))

ifneq ($(filter $(PRIVATE),$(MAKECMDGOALS)),)
include $(here)/scripts/private.mk
else

MODULE_big = modelreg
EXTENSION = modelreg
EXTVERSION = 0.1

# A room may call those before it, never those after it; the script creates them in this order.
ROOMS = base types access audit lineage artifact registry attestation governance serving verify guard

# ROOM.sql first, then the room's other files by name.
room_sql = $(wildcard $(here)/src/$(1)/$(1).sql) \
	$(filter-out $(here)/src/$(1)/$(1).sql,$(sort $(wildcard $(here)/src/$(1)/*.sql)))
SQL_PARTS := $(foreach room,$(ROOMS),$(call room_sql,$(room)))
C_FILES := $(foreach room,$(ROOMS),$(sort $(wildcard $(here)/src/$(room)/*.c))) $(wildcard $(here)/src/*.c)

OBJS := $(patsubst $(here)/%.c,%.o,$(C_FILES))
ifneq ($(here),.)
$(shell mkdir -p $(sort $(dir $(OBJS))))
endif
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
EXTRA_CLEAN = $(OBJS:.o=.d)

PG_CPPFLAGS = -I$(here)/src
# -Wextra without what the server's conventions make unavoidable: callbacks and PG_FUNCTION_ARGS have parameters that a
# function does not need, and sizes of varlenas, arrays and lists are int where C has size_t.
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -MMD -MP
SHLIB_LINK = -lcrypto

# Topics run one after the other in one database. REGRESS_ORDER, if it is set, names those that come first.
REGRESS_ORDER =
topics := $(sort $(patsubst $(here)/sql/%.sql,%,$(wildcard $(here)/sql/*.sql)))
REGRESS := $(strip $(REGRESS_ORDER) $(filter-out $(REGRESS_ORDER),$(topics)))
REGRESS_OPTS = --load-extension=modelreg
ISOLATION := $(sort $(patsubst $(here)/test/specs/%.spec,%,$(wildcard $(here)/test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(here)/test --load-extension=modelreg
PROVE_TESTS := $(sort $(patsubst $(here)/%,%,$(wildcard $(here)/test/t/*.pl)))
TAP_TESTS := $(if $(PROVE_TESTS),1)
# The registry wants UTF8, and expected output is sorted by bytes, whatever the server's own locale is.
ENCODING = UTF8
NO_LOCALE = 1

# Bitcode for inlining by the JIT gains nothing here and would need clang: `make with_llvm=yes` makes it all the same.
ifneq ($(origin with_llvm),command line)
override with_llvm := no
endif

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The server's headers are not ours to warn about.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server), \
	$(patsubst -I$(includedir_internal),-isystem $(includedir_internal),$(CPPFLAGS)))

# The script is put together anew each time and replaced only if it became another one, so that a removed part counts too.
define assemble
{ printf '%s\n' '/* $(DATA_built): assembled by make from src/ */' '' \
	'-- complain if the script is sourced in psql, rather than via CREATE EXTENSION' \
	'\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit' '' \
	'-- as CREATE EXTENSION has it, in case somebody changes that: nothing is found in a schema that others can write to' \
	'SET LOCAL search_path = pg_catalog, pg_temp;'; \
  $(foreach part,$(SQL_PARTS),printf '\n%s\n\n' '/* $(patsubst $(here)/%,%,$(part)) */'; cat '$(part)';) }
endef

.PHONY: FORCE
FORCE:
$(DATA_built): FORCE
	@$(assemble) | cmp -s - $@ || { echo 'assemble $@'; $(assemble) >$@; }

# Compilers write what each object includes into a .d beside it; a bitcode file goes with its object.
$(OBJS): $(here)/Makefile
$(OBJS:.o=.bc): %.bc: %.o
-include $(OBJS:.o=.d)

# A header stands by itself, once postgres.h has come.
HEADER_FILES := $(sort $(wildcard $(here)/src/*/*.h))
.PHONY: headercheck $(addsuffix .check,$(HEADER_FILES))
headercheck: $(addsuffix .check,$(HEADER_FILES))
$(addsuffix .check,$(HEADER_FILES)): %.check: %
	@echo '#include "$(patsubst $(here)/src/%,%,$<)"' | \
		$(CC) $(filter-out -MMD -MP,$(CFLAGS)) $(CPPFLAGS) -include postgres.h -fsyntax-only -x c -

endif
