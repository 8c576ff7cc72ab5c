/*
 * rights.c
 *		Which teams a role may read, and what it may do there.
 *
 * A backend keeps, for each role that it acted as, the rights in all teams.
 * The whole cache goes when a verb changes a team or a membership (it sends
 * a relcache message for the table) or when a role changes.  Messages are
 * accepted before each look, and the cache is filled under the latest
 * snapshot, so that the next statement sees a revoke whatever its isolation.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "access/access.h"
#include "access/access_tables.h"
#include "base/grow.h"
#include "base/owner.h"
#include "base/snapshot.h"
#include "base/table.h"

PG_FUNCTION_INFO_V1(modelreg_readable_teams);
PG_FUNCTION_INFO_V1(modelreg_my_rights);

typedef struct RoleRights
{
	Oid			role;			/* hash key */
	MrRights	registry;
	MrTeam	   *teams;			/* the readable ones, by id */
	MrTeam	  **by_name;		/* the same, by name */
	int			nteams;
} RoleRights;

/* The cache; cache_context NULL when it has to be made anew. */
static MemoryContext cache_context = NULL;
static HTAB *cache = NULL;
static bool cache_valid = false;
static Oid	team_relid = InvalidOid;
static Oid	membership_relid = InvalidOid;

static const struct
{
	MrRights	level;
	const char *name;
}			levels[] = {
	{MR_READER, "reader"},
	{MR_CONTRIBUTOR, "contributor"},
	{MR_EVALUATOR, "evaluator"},
	{MR_REVIEWER, "reviewer"},
	{MR_MAINTAINER, "maintainer"},
	{MR_ADMIN, "admin"},
	{MR_AUDITOR, "auditor"},
	{MR_POOLER, "pooler"},
};

const char *
mr_level_name(MrRights level)
{
	for (int i = 0; i < lengthof(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	elog(ERROR, "unknown level %u", level);
}

/* The bit of a level's name, or 0. */
MrRights
mr_level_parse(const char *name)
{
	for (int i = 0; i < lengthof(levels); i++)
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].level;
	return 0;
}

static void
forget_on_relcache(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == team_relid || relid == membership_relid)
		cache_valid = false;
}

static void
forget_on_syscache(Datum arg, int cacheid, uint32 hashvalue)
{
	cache_valid = false;
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	CacheRegisterRelcacheCallback(forget_on_relcache, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, forget_on_syscache, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget_on_syscache, (Datum) 0);
	registered = true;
}

static void
reset_cache(void)
{
	HASHCTL		control = {0};

	register_callbacks();
	if (cache_context != NULL)
		MemoryContextReset(cache_context);
	else
		cache_context = AllocSetContextCreate(TopMemoryContext,
											  "modelreg rights",
											  ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(RoleRights);
	control.hcxt = cache_context;
	cache = hash_create("modelreg rights", 8, &control,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	team_relid = mr_relation_oid("team");
	membership_relid = mr_relation_oid("membership");
	cache_valid = true;
}

/* Does the role of this OID still have this name? */
bool
mr_role_is_named(Oid role, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		same;

	if (!HeapTupleIsValid(tuple))
		return false;
	same = strcmp(NameStr(((Form_pg_authid) GETSTRUCT(tuple))->rolname),
				  name) == 0;
	ReleaseSysCache(tuple);
	return same;
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = ((const MrTeam *) a)->id;
	int64		y = ((const MrTeam *) b)->id;

	return (x > y) - (x < y);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp((*(MrTeam *const *) a)->name, (*(MrTeam *const *) b)->name);
}

static MrTeam *
find_by_id(MrTeam *teams, int n, int64 id)
{
	MrTeam		key = {.id = id};

	return n == 0 ? NULL : bsearch(&key, teams, n, sizeof(MrTeam), compare_ids);
}

/* All teams of the registry, by id. */
static MrTeam *
load_teams(Snapshot snapshot, int *n)
{
	MrTable    *table = mr_table_open_read("team");
	TableScanDesc scan = table_beginscan(table->rel, snapshot, 0, NULL);
	int64		room = 0;
	MrTeam	   *teams = NULL;

	*n = 0;
	while (table_scan_getnextslot(scan, ForwardScanDirection, table->slot))
	{
		MrTeam	   *team;
		bool		alive;

		CHECK_FOR_INTERRUPTS();
		teams = mr_grow(teams, *n, &room, sizeof(MrTeam));
		team = &teams[(*n)++];
		team->id = DatumGetInt64(mr_table_get(table, TEAM_ID, NULL));
		team->name = TextDatumGetCString(mr_table_get(table, TEAM_NAME, NULL));
		team->rights = 0;
		(void) mr_table_get(table, TEAM_RETIRED_AT, &alive);
		team->retired = !alive;
	}
	table_endscan(scan);
	mr_table_close(table);
	if (*n > 1)
		qsort(teams, *n, sizeof(MrTeam), compare_ids);
	return teams;
}

static MrRights
with_included(MrRights level)
{
	if (level & (MR_ADMIN | MR_AUDITOR | MR_POOLER))
		return level;
	if (level & MR_MAINTAINER)
		level |= MR_CONTRIBUTOR;
	return level | MR_READER;
}

/*
 * Add the rights of the role itself and of every role that it is a member of,
 * with or without INHERIT; being a superuser makes nobody a member.
 */
static void
load_memberships(Snapshot snapshot, RoleRights *rights, MrTeam *teams, int n)
{
	MrTable    *table = mr_table_open_read("membership");
	TableScanDesc scan = table_beginscan(table->rel, snapshot, 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, table->slot))
	{
		Oid			role = DatumGetObjectId(mr_table_get(table, MEMBERSHIP_ROLE_OID, NULL));
		char	   *name = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_ROLE_NAME, NULL));
		int64		team_id = DatumGetInt64(mr_table_get(table, MEMBERSHIP_TEAM_ID, NULL));
		char	   *level = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_LEVEL, NULL));
		MrTeam	   *team;

		CHECK_FOR_INTERRUPTS();
		if (!mr_role_is_named(role, name) ||
			!(role == rights->role || is_member_of_role_nosuper(rights->role, role)))
			continue;
		if (team_id == MR_NO_TEAM)
			rights->registry |= with_included(mr_level_parse(level));
		else if ((team = find_by_id(teams, n, team_id)) != NULL)
			team->rights |= with_included(mr_level_parse(level));
	}
	table_endscan(scan);
	mr_table_close(table);
}

/* Keep the readable teams in the cache's context. */
static void
keep_readable(RoleRights *rights, MrTeam *teams, int n)
{
	MemoryContext old = MemoryContextSwitchTo(cache_context);

	rights->teams = palloc(Max(n, 1) * sizeof(MrTeam));
	rights->by_name = palloc(Max(n, 1) * sizeof(MrTeam *));
	rights->nteams = 0;
	for (int i = 0; i < n; i++)
	{
		if (rights->registry & MR_AUDITOR)
			teams[i].rights |= MR_READER;
		if (teams[i].rights == 0)
			continue;
		teams[i].name = pstrdup(teams[i].name);
		rights->teams[rights->nteams] = teams[i];
		rights->by_name[rights->nteams] = &rights->teams[rights->nteams];
		rights->nteams++;
	}
	qsort(rights->by_name, rights->nteams, sizeof(MrTeam *), compare_names);
	MemoryContextSwitchTo(old);
}

static void
load_rights(RoleRights *rights)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg rights load",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	MrTeam	   *teams;
	int			n;

	rights->registry = superuser_arg(rights->role) ?
		MR_ADMIN | MR_AUDITOR : 0;
	teams = load_teams(snapshot, &n);
	load_memberships(snapshot, rights, teams, n);
	keep_readable(rights, teams, n);
	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}

/* The rights of the current role, as of now. */
static RoleRights *
current_rights(void)
{
	Oid			role = GetUserId();
	RoleRights *rights;
	bool		found;

	AcceptInvalidationMessages();
	if (!cache_valid)
		reset_cache();
	rights = hash_search(cache, &role, HASH_FIND, NULL);
	while (rights == NULL)
	{
		RoleRights	loaded = {.role = role};

		load_rights(&loaded);
		if (!cache_valid)
		{
			reset_cache();		/* a message came while we read */
			continue;
		}
		rights = hash_search(cache, &role, HASH_ENTER, &found);
		*rights = loaded;
	}
	return rights;
}

/* The registry-wide rights of the current role. */
MrRights
mr_registry_rights(void)
{
	return current_rights()->registry;
}

/* A team that the current role may read, or NULL.  Valid until the next look. */
const MrTeam *
mr_team_by_name(const char *name)
{
	RoleRights *rights = current_rights();
	MrTeam		key = {.name = unconstify(char *, name)};
	MrTeam	   *pkey = &key;
	MrTeam	  **found;

	if (rights->nteams == 0)
		return NULL;
	found = bsearch(&pkey, rights->by_name, rights->nteams,
					sizeof(MrTeam *), compare_names);
	return found ? *found : NULL;
}

const MrTeam *
mr_team_by_id(int64 id)
{
	RoleRights *rights = current_rights();

	return find_by_id(rights->teams, rights->nteams, id);
}

/*
 * Was a role, by its name, listed as one through which many log in?  Not one
 * that was made anew under the name since.
 */
bool
mr_role_is_pooler(const char *name)
{
	MrTable    *table = mr_table_open_read("membership");
	Datum		keys[3] = {Int64GetDatum(MR_NO_TEAM), CStringGetTextDatum(name),
	CStringGetTextDatum("pooler")};
	bool		found = mr_table_find_latest(table, "membership_pkey", 3, keys) &&
		mr_role_is_named(DatumGetObjectId(mr_table_get(table, MEMBERSHIP_ROLE_OID, NULL)), name);

	mr_table_close(table);
	return found;
}

bool
mr_may_read(int64 team)
{
	return mr_team_by_id(team) != NULL;
}

/* Ids of the teams that the current role may read, in order. */
int64 *
mr_readable_teams(int *n)
{
	RoleRights *rights = current_rights();
	int64	   *ids = palloc(Max(rights->nteams, 1) * sizeof(int64));

	*n = rights->nteams;
	for (int i = 0; i < *n; i++)
		ids[i] = rights->teams[i].id;
	return ids;
}

/*
 * Tell every backend, this one at its next command, that rights or teams
 * changed.  Whoever writes the two tables calls it.
 */
void
mr_rights_changed(void)
{
	CacheInvalidateRelcacheByRelid(mr_relation_oid("membership"));
}

/* modelreg.readable_teams() returns bigint[]; with 0 for who reads the registry's own rows. */
Datum
modelreg_readable_teams(PG_FUNCTION_ARGS)
{
	RoleRights *rights = current_rights();
	Datum	   *ids = palloc((rights->nteams + 1) * sizeof(Datum));
	int			n = 0;

	if (rights->registry & (MR_ADMIN | MR_AUDITOR))
		ids[n++] = Int64GetDatum(MR_NO_TEAM);
	for (int i = 0; i < rights->nteams; i++)
		ids[n++] = Int64GetDatum(rights->teams[i].id);
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, n, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
put_rights(ReturnSetInfo *rsinfo, const char *team, MrRights rights)
{
	for (int i = 0; i < lengthof(levels); i++)
	{
		Datum		values[2];
		bool		nulls[2] = {team == NULL, false};

		if (!(rights & levels[i].level))
			continue;
		values[0] = team ? CStringGetTextDatum(team) : (Datum) 0;
		values[1] = CStringGetTextDatum(levels[i].name);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* modelreg.my_rights(): one row per team and level, included levels too. */
Datum
modelreg_my_rights(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RoleRights *rights;

	InitMaterializedSRF(fcinfo, 0);
	rights = current_rights();
	put_rights(rsinfo, NULL, rights->registry);
	for (int i = 0; i < rights->nteams; i++)
		put_rights(rsinfo, rights->by_name[i]->name, rights->by_name[i]->rights);
	return (Datum) 0;
}
