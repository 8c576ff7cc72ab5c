# The targets that bring their own server. They need no pg_config: what is missing, they install.

.PHONY: $(PRIVATE)

help:
	@sed -n 's/^#: \{0,1\}//p' $(here)/scripts/private.mk

#: The usual ones, on the server that pg_config belongs to (or PG_CONFIG=...):
#:   make                  build modelreg.so and modelreg--VERSION.sql
#:   sudo make install     install them
#:   make installcheck     regress, isolation and TAP tests against the running server
#:   make headercheck      each header compiles by itself
#:   make clean            remove what was built
#:
#: On a private, throw-away server; missing packages are installed with apt, nothing else on the machine is touched:
#:   make test             everything: regress, isolation, TAP
#:   make demo             the story of reco-model, told by demo/demo.sh
#:   make check [TOPIC="types registry"]            regress, all topics or only these; output in results/
#:   make check-isolation [SPEC="race ..."]         isolation specs, all or only these; output in output_iso/results/
#:   make check-tap [T="test/t/x.pl ..."]           TAP tests, all or only these; logs in tmp_check/log/
#:   make proof [P="060_crash ..."]                 attacks on durability at full size, all or only these: docs/reliability.md
#:   make bench [PARTS="calls lineage ..."]         measures, all or only these parts, and writes docs/performance.md: half an hour
#:   make psql             a shell on such a server, with the extension created
#:   scripts/with-server [-i] COMMAND...            any command, with PGHOST, PGPORT, PGUSER, PGDATABASE and PATH set
#:   make ci               what CI runs (.ci/run): all supported versions, and a sanitizer; as root
#:   make distclean-private                         remove build/, the private servers and their objects
#:
#: Variables: PG_CONFIG chooses the server (default: the newest that Debian's packages installed); COPT=-Werror adds
#: compiler flags; KEEP=1 leaves the run's directory behind for a look at logs.

export PG_CONFIG COPT KEEP VALGRIND VARIANT

test:
	@$(here)/scripts/with-server scripts/run-tests regress isolation tap
check check-regress:
	@$(here)/scripts/with-server scripts/run-tests regress $(TOPIC)
check-isolation:
	@$(here)/scripts/with-server scripts/run-tests isolation $(SPEC)
check-tap:
	@$(here)/scripts/with-server scripts/run-tests tap $(T)
proof:
	@MODELREG_PROOF=full $(here)/scripts/run-proofs $(P)
demo:
	@$(here)/scripts/with-server demo/demo.sh
# openssl and git are what some of it is measured against.
bench:
	@$(here)/scripts/packages git openssl
	@rm -rf $(here)/results/bench; status=0; $(here)/scripts/with-server test/bench/run $(PARTS) || status=$$?; \
		cp $(here)/results/bench/performance* $(here)/docs/ && exit $$status
psql:
	@$(here)/scripts/with-server -i sh -c 'psql -qX -c "CREATE EXTENSION modelreg" && exec psql'
ci:
	@$(here)/.ci/run
distclean-private:
	rm -rf $(here)/build

# Other goals named beside these go their usual way.
others := $(filter-out $(PRIVATE),$(MAKECMDGOALS))
ifneq ($(others),)
.PHONY: $(others)
$(others):
	@$(MAKE) -C $(here) $@
endif
