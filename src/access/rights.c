/*
 * rights.c
 *		Which teams a role may read, and what it may do there.
 *
 * A backend keeps, for each role that it acted as, the teams that it may read
 * and its rights there, and reads for that only what is this role's: who reads
 * three of a thousand teams pays for three.
 * The whole cache goes when a verb changes a team or a membership (it sends
 * a relcache message for the table) or when a role changes.  Messages are
 * accepted before each look, and the cache is filled under the latest
 * snapshot, so that the next statement sees a revoke whatever its isolation.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "access/access.h"
#include "access/access_tables.h"
#include "base/compat.h"
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
	/* who owns the database is a member of pg_database_owner */
	CacheRegisterSyscacheCallback(DATABASEOID, forget_on_syscache, (Datum) 0);
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

/* Teams with rights there: one by one as they are found, then by id. */
typedef struct Found
{
	MrTeam	   *teams;
	int			n;
	int64		room;
} Found;

static MrTeam *
add_team(Found *found, int64 id, MrRights rights)
{
	MrTeam	   *team;

	found->teams = mr_grow(found->teams, found->n, &found->room, sizeof(MrTeam));
	team = &found->teams[found->n++];
	team->id = id;
	team->name = NULL;
	team->rights = rights;
	team->retired = false;
	return team;
}

/* What the row in the table's slot says of a team. */
static void
read_team(MrTable *table, MrTeam *team)
{
	bool		alive;

	team->name = TextDatumGetCString(mr_table_get(table, TEAM_NAME, NULL));
	(void) mr_table_get(table, TEAM_RETIRED_AT, &alive);
	team->retired = !alive;
}

/* An auditor reads all. */
static void
add_all_teams(Found *found, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("team");
	TableScanDesc scan = table_beginscan(table->rel, snapshot, 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, table->slot))
	{
		CHECK_FOR_INTERRUPTS();
		read_team(table, add_team(found,
								  DatumGetInt64(mr_table_get(table, TEAM_ID, NULL)),
								  MR_READER));
	}
	table_endscan(scan);
	mr_table_close(table);
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

/* The levels of one role: those that name it by its OID and present name. */
static void
add_levels_of(Oid role, MrTable *table, Snapshot snapshot, Found *found,
			  MrRights *registry)
{
	Datum		key = ObjectIdGetDatum(role);
	MrScan	   *scan = mr_scan_begin(table, "membership_role", 1, &key, snapshot);

	while (mr_scan_next(scan, false))
	{
		int64		team = DatumGetInt64(mr_table_get(table, MEMBERSHIP_TEAM_ID, NULL));
		char	   *name = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_ROLE_NAME, NULL));
		char	   *level = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_LEVEL, NULL));
		MrRights	rights = with_included(mr_level_parse(level));

		if (!mr_role_is_named(role, name))
			continue;
		if (team == MR_NO_TEAM)
			*registry |= rights;
		else
			(void) add_team(found, team, rights);
	}
	mr_scan_end(scan);
}

/*
 * The role itself and every role that it is a member of, with or without
 * INHERIT, but not where it may neither inherit nor become the role; being a
 * superuser makes nobody a member.
 */
static List *
roles_of(Oid role)
{
	List	   *roles = list_make1_oid(role);

	for (int i = 0; i < list_length(roles); i++)
	{
		CatCList   *members = SearchSysCacheList1(AUTHMEMMEMROLE,
												  ObjectIdGetDatum(list_nth_oid(roles, i)));

		for (int j = 0; j < members->n_members; j++)
		{
			Form_pg_auth_members member =
				(Form_pg_auth_members) GETSTRUCT(&members->members[j]->tuple);

			if (mr_membership_lets(member))
				roles = list_append_unique_oid(roles, member->roleid);
		}
		ReleaseSysCacheList(members);
	}
	/* nobody is granted that role: the owner of the database has it */
	if (is_member_of_role_nosuper(role, ROLE_PG_DATABASE_OWNER))
		roles = list_append_unique_oid(roles, ROLE_PG_DATABASE_OWNER);
	return roles;
}

/* One team that was found twice is one, with what is known of either. */
static void
merge(MrTeam *team, const MrTeam *other)
{
	team->rights |= other->rights;
	if (other->name == NULL)
		return;
	team->name = other->name;
	team->retired = other->retired;
}

/* Put the teams in order, each once. */
static void
sort_teams(Found *found)
{
	int			kept = 0;

	if (found->n > 1)
		qsort(found->teams, found->n, sizeof(MrTeam), compare_ids);
	for (int i = 0; i < found->n; i++)
		if (kept > 0 && found->teams[kept - 1].id == found->teams[i].id)
			merge(&found->teams[kept - 1], &found->teams[i]);
		else
			found->teams[kept++] = found->teams[i];
	found->n = kept;
}

/* Read the teams of which only the id is known; who is gone is left out. */
static void
name_teams(Found *found, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("team");
	int			kept = 0;

	for (int i = 0; i < found->n; i++)
	{
		MrTeam		team = found->teams[i];
		Datum		key = Int64GetDatum(team.id);

		if (team.name == NULL &&
			!mr_table_find(table, "team_pkey", 1, &key, snapshot))
			continue;
		if (team.name == NULL)
			read_team(table, &team);
		found->teams[kept++] = team;
	}
	found->n = kept;
	mr_table_close(table);
}

/* Keep the teams in the cache's context. */
static void
keep(RoleRights *rights, const Found *found)
{
	MemoryContext old = MemoryContextSwitchTo(cache_context);
	int			n = found->n;

	rights->teams = palloc(Max(n, 1) * sizeof(MrTeam));
	rights->by_name = palloc(Max(n, 1) * sizeof(MrTeam *));
	rights->nteams = n;
	for (int i = 0; i < n; i++)
	{
		rights->teams[i] = found->teams[i];
		rights->teams[i].name = pstrdup(found->teams[i].name);
		rights->by_name[i] = &rights->teams[i];
	}
	qsort(rights->by_name, n, sizeof(MrTeam *), compare_names);
	MemoryContextSwitchTo(old);
}

/* Read the roles' levels, and the teams that they are in. */
static void
find_rights(RoleRights *rights, Snapshot snapshot, Found *found)
{
	MrTable    *table = mr_table_open_read("membership");
	ListCell   *cell;

	foreach(cell, roles_of(rights->role))
		add_levels_of(lfirst_oid(cell), table, snapshot, found, &rights->registry);
	mr_table_close(table);
	if (rights->registry & MR_AUDITOR)
		add_all_teams(found, snapshot);
	sort_teams(found);
	name_teams(found, snapshot);
}

static void
load_rights(RoleRights *rights)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg rights load",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	Found		found = {0};

	rights->registry = superuser_arg(rights->role) ?
		MR_ADMIN | MR_AUDITOR : 0;
	find_rights(rights, snapshot, &found);
	keep(rights, &found);
	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}

/* The rights of a role, as of now. */
static RoleRights *
rights_of(Oid role)
{
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

static RoleRights *
current_rights(void)
{
	return rights_of(GetUserId());
}

/* The registry-wide rights of the current role. */
MrRights
mr_registry_rights(void)
{
	return current_rights()->registry;
}

/* Those of another role. */
MrRights
mr_role_registry_rights(Oid role)
{
	return rights_of(role)->registry;
}

static MrTeam *
find_team(const RoleRights *rights, int64 id)
{
	MrTeam		key = {.id = id};

	if (rights->nteams == 0)
		return NULL;
	return bsearch(&key, rights->teams, rights->nteams, sizeof(MrTeam),
				   compare_ids);
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
	return find_team(current_rights(), id);
}

/*
 * What a role may do in a team now.  Nothing if it was dropped, renamed or made
 * anew since it had this OID and this name.
 */
MrRights
mr_role_rights(Oid role, const char *name, int64 team)
{
	const MrTeam *found;

	AcceptInvalidationMessages();
	if (!mr_role_is_named(role, name))
		return 0;
	found = find_team(rights_of(role), team);
	return found != NULL ? found->rights : 0;
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
