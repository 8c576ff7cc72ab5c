/*
 * setup_roles.c
 *		A group role for each level of a team, made by who may make roles.
 *
 * Roles belong to the cluster and not to the registry, so they are made with
 * the caller's own rights and never as the owner.  A role that is there
 * already is used only if it has the level: giving one to a role that somebody
 * made for something else would give it to all its members, unseen.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"

#include "access/access_tables.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/table.h"
#include "registry/registry.h"

PG_FUNCTION_INFO_V1(modelreg_setup_roles);

static const MrRights levels[] = {
	MR_READER, MR_CONTRIBUTOR, MR_EVALUATOR, MR_REVIEWER, MR_MAINTAINER
};

#define NLEVELS ((int) lengthof(levels))

typedef struct LevelRole
{
	char	   *name;
	const char *level;
	bool		has_level;		/* else there is to be no role of the name */
} LevelRole;

/* Before it is looked for the team, so that who may not learns of none. */
static void
require_createrole(void)
{
	if (!has_createrole_privilege(GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to create roles"),
				 errdetail("This needs CREATEROLE, beside the level maintainer or the right admin."),
				 errhint("Have who runs the cluster create the roles, and give them their levels with modelreg.grant_level()."),
				 mr_reason("permission_denied")));
}

/* The server would cut a longer name, and two levels would be one role. */
static void
check_prefix(const char *prefix)
{
	int			room = NAMEDATALEN - 1 - (int) strlen("_contributor");

	if (prefix[0] != '\0' && strlen(prefix) <= room)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a prefix of names of roles must have 1 to %d bytes", room),
			 mr_reason("invalid_name")));
}

/* Does the role that has the name now have the level itself? */
static bool
has_level(int64 team, const char *name, Oid role, const char *level)
{
	MrTable    *table = mr_table_open_read("membership");
	Datum		keys[3] = {Int64GetDatum(team), CStringGetTextDatum(name),
	CStringGetTextDatum(level)};
	bool		found = mr_table_find_latest(table, "membership_pkey", 3, keys) &&
		DatumGetObjectId(mr_table_get(table, MEMBERSHIP_ROLE_OID, NULL)) == role;

	mr_table_close(table);
	return found;
}

/* The groups; error 42710 that names all roles which are there for something else. */
static void
find_groups(const MrTeam *team, const char *prefix, LevelRole *groups)
{
	StringInfoData taken;

	initStringInfo(&taken);
	for (int i = 0; i < NLEVELS; i++)
	{
		LevelRole	   *group = &groups[i];
		Oid			role;

		group->level = mr_level_name(levels[i]);
		group->name = psprintf("%s_%s", prefix, group->level);
		role = get_role_oid(group->name, true);
		group->has_level = OidIsValid(role) &&
			has_level(team->id, group->name, role, group->level);
		if (OidIsValid(role) && !group->has_level)
			appendStringInfo(&taken, "%s\"%s\"", taken.len > 0 ? ", " : "", group->name);
	}
	if (taken.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there are roles of these names already"),
				 errdetail("They do not have the level in team \"%s\": %s.", team->name, taken.data),
				 errhint("Give another prefix; or, if all members of such a role are meant, give it the level with modelreg.grant_level()."),
				 mr_reason("role_exists")));
}

/* As the caller. */
static void
make_group(const MrTeam *team, const LevelRole *group)
{
	char	   *create = psprintf("CREATE ROLE %s NOLOGIN", quote_identifier(group->name));
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		args[3] = {CStringGetTextDatum(team->name), CStringGetTextDatum(group->name),
	CStringGetTextDatum(group->level)};

	if (SPI_execute(create, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create role \"%s\"", group->name);
	if (SPI_execute_with_args("SELECT modelreg.grant_level($1, $2, $3)", 3, types, args,
							  NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not grant level %s", group->level);
}

static void
set_for_now(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Who makes a role is no member of it, and so has no level by it, whatever the
 * session says (from 16 on).
 */
static void
make_missing(const MrTeam *team, const LevelRole *groups)
{
	int			level = NewGUCNestLevel();

	set_for_now("search_path", "pg_catalog, pg_temp");
	if (GetConfigOption("createrole_self_grant", true, false) != NULL)
		set_for_now("createrole_self_grant", "");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	for (int i = 0; i < NLEVELS; i++)
		if (!groups[i].has_level)
			make_group(team, &groups[i]);
	SPI_finish();
	AtEOXact_GUC(false, level);
}

static void
put_group(ReturnSetInfo *rsinfo, const LevelRole *group)
{
	Datum		values[3] = {CStringGetTextDatum(group->name),
	CStringGetTextDatum(group->level), BoolGetDatum(!group->has_level)};
	bool		nulls[3] = {false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * modelreg.setup_roles(team text, prefix text) returns table (role_name text,
 *		level text, created boolean): a row for each level
 *
 * Errors: 42501, 42704 for an unknown team, 42710 for roles that are there
 * already, 22023 for a prefix of no possible names, 42939 for one of the
 * server's own.
 */
Datum
modelreg_setup_roles(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "team");
	char	   *prefix = mr_arg_text_or_null(fcinfo, 1);
	MemoryContext context = CurrentMemoryContext;
	LevelRole		groups[lengthof(levels)];
	MrTeam		team;

	require_createrole();
	team = mr_require_team_for_grant(name);
	if (prefix == NULL)
		prefix = team.name;
	check_prefix(prefix);
	PreventCommandIfReadOnly("setup_roles");
	mr_lock_key(MR_LOCK_ROLES, prefix, strlen(prefix));
	AcceptInvalidationMessages();
	find_groups(&team, prefix, groups);
	InitMaterializedSRF(fcinfo, 0);
	make_missing(&team, groups);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < NLEVELS; i++)
		put_group((ReturnSetInfo *) fcinfo->resultinfo, &groups[i]);
	return (Datum) 0;
}
