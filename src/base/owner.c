/*
 * owner.c
 *		Acting as the extension's owner for a stretch of C code.
 *
 * A verb is SECURITY INVOKER.  It decides whether its caller may do what is
 * asked, and only then becomes the owner, for the writes alone.  Inside no
 * privilege and no row-level security holds, so nothing that a user supplied
 * may run there.  An error needs no clean-up: the end of the transaction or
 * subtransaction puts back the user and the settings.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/owner.h"

/*
 * OIDs of the registry's relations by name, as far as this backend asked for
 * them.  They all go when anything changes in pg_class, which is rare.
 */
typedef struct KnownRelation
{
	char		name[NAMEDATALEN];	/* hash key */
	Oid			oid;
} KnownRelation;

static HTAB *known_relations = NULL;
static bool known_valid = false;

static void
forget_relations(Datum arg, int cacheid, uint32 hashvalue)
{
	known_valid = false;
}

static void
reset_known_relations(void)
{
	HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = sizeof(KnownRelation)};

	if (known_relations == NULL)
		CacheRegisterSyscacheCallback(RELNAMENSP, forget_relations, (Datum) 0);
	else
		hash_destroy(known_relations);
	known_relations = hash_create("modelreg relations", 64, &control,
								  HASH_ELEM | HASH_STRINGS);
	known_valid = true;
}

static Oid
look_up_relation(const char *name)
{
	Oid			oid = get_relname_relid(name, get_namespace_oid("modelreg", false));

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"modelreg.%s\" does not exist", name),
				 errhint("The extension's library and its SQL objects are of different versions; run ALTER EXTENSION modelreg UPDATE.")));
	return oid;
}

/* OID of a table, index or sequence of the registry, by its name. */
Oid
mr_relation_oid(const char *name)
{
	KnownRelation *known;
	Oid			oid;

	if (!known_valid)
		reset_known_relations();
	known = hash_search(known_relations, name, HASH_FIND, NULL);
	if (known != NULL)
		return known->oid;
	oid = look_up_relation(name);
	if (known_valid)			/* no message came while we looked */
	{
		known = hash_search(known_relations, name, HASH_ENTER, NULL);
		known->oid = oid;
	}
	return oid;
}

/* The owner of the registry's tables, who created the extension. */
static Oid
owner_oid(void)
{
	HeapTuple	tuple = SearchSysCache1(RELOID,
										ObjectIdGetDatum(mr_relation_oid("registry")));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for modelreg.registry");
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * search_path is the system's alone until AtEOXact_GUC() of the level that is
 * returned, so that no statement finds a planted object.
 */
static int
begin_search_path(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/* Become the owner, until mr_owner_end(). */
void
mr_owner_begin(MrOwnerScope *scope)
{
	GetUserIdAndSecContext(&scope->user, &scope->context);
	SetUserIdAndSecContext(owner_oid(),
						   scope->context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	scope->guc_level = begin_search_path();
}

/* Be the caller again, who sees from here on what was written. */
void
mr_owner_end(MrOwnerScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->context);
	CommandCounterIncrement();
}

/*
 * Run fixed statements as the caller, who sees what he may read, until
 * mr_caller_end().  What is allocated meanwhile and is to be kept is not of
 * the current memory context.
 */
void
mr_caller_begin(MrCallerScope *scope)
{
	scope->guc_level = begin_search_path();
	scope->memory = CurrentMemoryContext;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

void
mr_caller_end(MrCallerScope *scope)
{
	SPI_finish();
	MemoryContextSwitchTo(scope->memory);
	AtEOXact_GUC(false, scope->guc_level);
}

/* The next value of one of the registry's sequences; needs mr_owner_begin. */
int64
mr_nextval(const char *sequence)
{
	return nextval_internal(mr_relation_oid(sequence), false);
}
