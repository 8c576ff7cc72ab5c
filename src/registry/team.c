/*
 * team.c
 *		Teams, and who has which right.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access_tables.h"
#include "audit/audit.h"
#include "audit/history.h"
#include "base/args.h"
#include "base/errors.h"
#include "registry/registry.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_create_team);
PG_FUNCTION_INFO_V1(modelreg_rename_team);
PG_FUNCTION_INFO_V1(modelreg_retire_team);
PG_FUNCTION_INFO_V1(modelreg_set_quota);
PG_FUNCTION_INFO_V1(modelreg_set_discoverable);
PG_FUNCTION_INFO_V1(modelreg_grant_level);
PG_FUNCTION_INFO_V1(modelreg_revoke_level);
PG_FUNCTION_INFO_V1(modelreg_grant_registry_right);
PG_FUNCTION_INFO_V1(modelreg_revoke_registry_right);
PG_FUNCTION_INFO_V1(modelreg_rebind_roles);

static const MrTeam no_team = {MR_NO_TEAM, "", 0, false};

/* What a grant or revoke is about. */
typedef struct Grant
{
	int64		team;
	char	   *role_name;
	Oid			role;
	char	   *level;
} Grant;

/* Save the head after the event, and let every backend know. */
static void
save(MrHead *head)
{
	mr_head_save(head);
	mr_rights_changed();
}

static void
raise_not_found(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("team \"%s\" does not exist", name),
			 mr_reason("team_not_found")));
}

/*
 * A team by name for an admin, who may change teams that he may not read; by
 * a name that it had in the past, if the caller can do with that.
 */
static MrTeam
find_team_as_admin(const char *name, bool *past)
{
	MrTable    *table;
	Datum		key = CStringGetTextDatum(name);
	MrTeam		team = {.name = pstrdup(name)};
	bool		present;

	mr_require_registry(MR_ADMIN);
	table = mr_table_open_read("team_name");
	if (!mr_table_find_latest(table, "team_name_pkey", 1, &key))
		raise_not_found(name);
	(void) mr_table_get(table, TEAM_NAME_UNTIL, &present);
	team.id = DatumGetInt64(mr_table_get(table, TEAM_NAME_TEAM_ID, NULL));
	mr_table_close(table);
	*past = !present;
	return team;
}

/* The live team of a name, for an admin.  Errors: 42501, 42704. */
MrTeam
mr_require_team_as_admin(const char *name)
{
	bool		past;
	MrTeam		team = find_team_as_admin(name, &past);

	if (past)
		raise_not_found(name);
	return team;
}

static void
insert_team_name(const char *name, int64 team, TimestampTz at)
{
	Datum		values[TEAM_NAME_COLUMNS];
	bool		nulls[TEAM_NAME_COLUMNS] = {false};

	values[TEAM_NAME_NAME - 1] = CStringGetTextDatum(name);
	values[TEAM_NAME_TEAM_ID - 1] = Int64GetDatum(team);
	values[TEAM_NAME_SINCE - 1] = TimestampTzGetDatum(at);
	nulls[TEAM_NAME_UNTIL - 1] = true;
	mr_insert_row("team_name", values, nulls);
}

/* Error 42710 when any team has, or ever had, the name. */
static void
check_name_is_new(const char *name)
{
	MrTable    *table = mr_table_open_read("team_name");
	Datum		key = CStringGetTextDatum(name);

	if (mr_table_find_latest(table, "team_name_pkey", 1, &key))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("the name \"%s\" is or was a team's", name),
				 errhint("The name of a team is never used again; choose another one."),
				 mr_reason("team_exists")));
	mr_table_close(table);
}

static void
insert_heads(int64 id, const char *name, TimestampTz at)
{
	Datum		values[TEAM_COLUMNS];
	bool		nulls[TEAM_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	mr_head_init(MR_CHAIN_TEAM, id, values, nulls);
	values[TEAM_NAME - 1] = CStringGetTextDatum(name);
	nulls[TEAM_NAME - 1] = false;
	values[TEAM_DISCOVERABLE - 1] = BoolGetDatum(false);
	nulls[TEAM_DISCOVERABLE - 1] = false;
	mr_insert_row("team", values, nulls);
	mr_head_init(MR_CHAIN_FACTS, id, values, nulls);
	mr_insert_row("fact_head", values, nulls);
	insert_team_name(name, id, at);
}

static void
insert_membership(const Grant *grant)
{
	Datum		values[MEMBERSHIP_COLUMNS];
	bool		nulls[MEMBERSHIP_COLUMNS] = {false};

	values[MEMBERSHIP_TEAM_ID - 1] = Int64GetDatum(grant->team);
	values[MEMBERSHIP_ROLE_NAME - 1] = CStringGetTextDatum(grant->role_name);
	values[MEMBERSHIP_ROLE_OID - 1] = ObjectIdGetDatum(grant->role);
	values[MEMBERSHIP_LEVEL - 1] = CStringGetTextDatum(grant->level);
	mr_insert_row("membership", values, nulls);
}

static Jsonb *
describe_grant(const Grant *grant)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "role", grant->role_name);
	mr_json_add_int(&json, "role_oid", grant->role);
	mr_json_add_text(&json, "level", grant->level);
	return mr_json_end(&json);
}

static int64
create_team(MrVerb *verb, const char *name, const Grant *maintainer)
{
	MrHead	   *head = mr_registry_head_lock(verb);
	Grant		first = *maintainer;
	MrJson		json;
	TimestampTz at;

	check_name_is_new(name);
	first.team = mr_nextval("team_id_seq");
	mr_json_begin(&json);
	mr_json_add_int(&json, "team_id", first.team);
	mr_json_add_text(&json, "name", name);
	mr_json_add_json(&json, "maintainer", describe_grant(&first));
	at = mr_event_append(head, verb, "team_created", mr_json_end(&json), NULL);
	insert_heads(first.team, name, at);
	insert_membership(&first);
	save(head);
	return first.team;
}

/*
 * modelreg.create_team(name text, request_id text) returns bigint, the
 * team's permanent id.
 *
 * Errors: 42501 for who is no admin, 22023 for what is no name, 42710 for a
 * name that a team has or had.
 */
Datum
modelreg_create_team(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "name");
	Grant		maintainer = {.level = "maintainer"};
	MrVerb		verb;
	int64		id = 0;

	mr_require_registry(MR_ADMIN);
	mr_check_team_name(name, NULL);
	maintainer.role = GetUserId();
	maintainer.role_name = GetUserNameFromId(maintainer.role, false);
	mr_verb_begin(&verb, fcinfo, "create_team", &no_team, 1);
	if (!mr_verb_repeats(&verb))
		id = create_team(&verb, name, &maintainer);
	PG_RETURN_INT64(mr_verb_end_int(&verb, "team_id", id));
}

/* The name that a team had until now has an end. */
static void
end_team_name(const char *name, TimestampTz at)
{
	MrTable    *table = mr_table_open("team_name");
	Datum		values[TEAM_NAME_COLUMNS];
	bool		nulls[TEAM_NAME_COLUMNS];
	Datum		key = CStringGetTextDatum(name);

	if (!mr_table_lock(table, "team_name_pkey", 1, &key))
		elog(ERROR, "name of team \"%s\" is missing", name);
	mr_table_read(table, values, nulls);
	values[TEAM_NAME_UNTIL - 1] = TimestampTzGetDatum(at);
	nulls[TEAM_NAME_UNTIL - 1] = false;
	mr_table_update(table, values, nulls);
	mr_table_close(table);
}

static void
rename_team(MrVerb *verb, const char *new_name)
{
	MrHead	   *registry = mr_registry_head_lock(verb);
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	char	   *old_name = TextDatumGetCString(head->values[TEAM_NAME - 1]);
	int64		team = verb->team.id;
	MrJson		json;
	TimestampTz at;

	if (strcmp(old_name, new_name) == 0)
	{
		mr_head_release(registry);
		mr_head_release(head);
		return;
	}
	/* somebody else may have renamed it while we waited */
	if (strcmp(old_name, verb->team.name) != 0)
		raise_not_found(verb->team.name);
	check_name_is_new(new_name);
	mr_json_begin(&json);
	mr_json_add_int(&json, "team_id", team);
	mr_json_add_text(&json, "name", new_name);
	at = mr_event_append(registry, verb, "team_renamed", mr_json_end(&json), NULL);
	end_team_name(old_name, at);
	insert_team_name(new_name, team, at);
	head->values[TEAM_NAME - 1] = CStringGetTextDatum(new_name);
	mr_head_save(head);
	save(registry);
}

/*
 * modelreg.rename_team(team text, new_name text, request_id text)
 *
 * A repeated call names the team as it was called before.
 */
Datum
modelreg_rename_team(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "team");
	char	   *new_name = mr_arg_text(fcinfo, 1, "new_name");
	bool		past;
	MrTeam		team = find_team_as_admin(name, &past);
	MrVerb		verb;

	mr_check_team_name(new_name, NULL);
	mr_verb_begin(&verb, fcinfo, "rename_team", &team, 2);
	if (!mr_verb_repeats(&verb))
	{
		if (past)
			raise_not_found(name);
		rename_team(&verb, new_name);
	}
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

static bool
has_live_model(int64 team)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(team);
	bool		found = mr_table_find_latest(table, "model_live_name", 1, &key);

	mr_table_close(table);
	return found;
}

static void
retire_team(MrVerb *verb, const char *reason)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrJson		json;
	TimestampTz at;

	if (!head->nulls[TEAM_RETIRED_AT - 1])
	{
		mr_head_release(head);
		return;
	}
	if (has_live_model(verb->team.id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("team \"%s\" still has models", verb->team.name),
				 errhint("Retire them first, with modelreg.retire_model()."),
				 mr_reason("team_in_use")));
	mr_json_begin(&json);
	at = mr_event_append(head, verb, "team_retired", mr_json_end(&json), reason);
	head->values[TEAM_RETIRED_AT - 1] = TimestampTzGetDatum(at);
	head->nulls[TEAM_RETIRED_AT - 1] = false;
	save(head);
}

/* modelreg.retire_team(team text, reason text, request_id text) */
Datum
modelreg_retire_team(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team_as_admin(mr_arg_text(fcinfo, 0, "team"));
	char	   *reason = mr_arg_text_or_null(fcinfo, 1);
	MrVerb		verb;

	mr_verb_begin(&verb, fcinfo, "retire_team", &team, 2);
	if (!mr_verb_repeats(&verb))
		retire_team(&verb, reason);
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

static void
set_quota(MrVerb *verb, bool limited, int64 bytes)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrJson		json;

	head->nulls[TEAM_BYTE_QUOTA - 1] = !limited;
	head->values[TEAM_BYTE_QUOTA - 1] = Int64GetDatum(bytes);
	mr_json_begin(&json);
	if (limited)
		mr_json_add_int(&json, "bytes", bytes);
	else
		mr_json_add_null(&json, "bytes");
	mr_event_append(head, verb, "quota_set", mr_json_end(&json), NULL);
	save(head);
}

/* modelreg.set_quota(team text, bytes bigint, request_id text) */
Datum
modelreg_set_quota(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team_as_admin(mr_arg_text(fcinfo, 0, "team"));
	bool		limited = !PG_ARGISNULL(1);
	int64		bytes = limited ? PG_GETARG_INT64(1) : 0;
	MrVerb		verb;

	if (bytes < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quota must not be negative"),
				 mr_reason("invalid_quota")));
	mr_verb_begin(&verb, fcinfo, "set_quota", &team, 2);
	if (!mr_verb_repeats(&verb))
		set_quota(&verb, limited, bytes);
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

static void
set_discoverable(MrVerb *verb, bool discoverable)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrJson		json;

	if (DatumGetBool(head->values[TEAM_DISCOVERABLE - 1]) == discoverable)
	{
		mr_head_release(head);
		return;
	}
	head->values[TEAM_DISCOVERABLE - 1] = BoolGetDatum(discoverable);
	mr_json_begin(&json);
	mr_json_add_bool(&json, "discoverable", discoverable);
	mr_event_append(head, verb, "discoverable_set", mr_json_end(&json), NULL);
	mr_head_save(head);
}

/* modelreg.set_discoverable(team text, discoverable boolean, request_id text) */
Datum
modelreg_set_discoverable(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team(mr_arg_text(fcinfo, 0, "team"), MR_MAINTAINER);
	MrVerb		verb;

	mr_arg_require(fcinfo, 1, "discoverable");
	mr_verb_begin(&verb, fcinfo, "set_discoverable", &team, 2);
	if (!mr_verb_repeats(&verb))
		set_discoverable(&verb, PG_GETARG_BOOL(1));
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

static bool
find_membership(MrTable *table, const Grant *grant)
{
	Datum		keys[3];

	keys[0] = Int64GetDatum(grant->team);
	keys[1] = CStringGetTextDatum(grant->role_name);
	keys[2] = CStringGetTextDatum(grant->level);
	return mr_table_lock(table, "membership_pkey", 3, keys);
}

static void
delete_membership(MrTable *table)
{
	mr_table_delete(table);
	CommandCounterIncrement();
}

/*
 * Bring a membership into being (wanted) or to an end, with its event.  One
 * that names a role which was dropped and made anew is bound to the new one.
 */
static void
set_membership(MrVerb *verb, const Grant *grant, bool wanted)
{
	MrHead	   *head = grant->team == MR_NO_TEAM ? mr_registry_head_lock(verb) :
		mr_head_lock(MR_CHAIN_TEAM, grant->team);
	MrTable    *table = mr_table_open("membership");
	bool		exists = find_membership(table, grant);
	bool		same = exists &&
		DatumGetObjectId(mr_table_get(table, MEMBERSHIP_ROLE_OID, NULL)) == grant->role;
	bool		change = wanted ? !same : exists;

	if (change && exists)
		delete_membership(table);
	mr_table_close(table);
	if (!change)
	{
		mr_head_release(head);
		return;
	}
	if (wanted)
		insert_membership(grant);
	mr_event_append(head, verb, wanted ? "level_granted" : "level_revoked",
					describe_grant(grant), NULL);
	save(head);
}

static void
check_level(const char *level, MrRights allowed)
{
	if (!(mr_level_parse(level) & allowed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown level \"%s\"", level),
				 errhint("Levels of a team are reader, contributor, evaluator, reviewer and maintainer; registry-wide rights are admin, auditor and pooler."),
				 mr_reason("unknown_level")));
}

static void
run_membership_verb(FunctionCallInfo fcinfo, const char *name,
					const MrTeam *team, int first_arg, MrRights allowed,
					bool wanted)
{
	Grant		grant = {.team = team->id};
	MrVerb		verb;

	grant.role_name = mr_arg_text(fcinfo, first_arg, "role_name");
	grant.level = mr_arg_text(fcinfo, first_arg + 1, "level");
	check_level(grant.level, allowed);
	mr_verb_begin(&verb, fcinfo, name, team, first_arg + 2);
	if (!mr_verb_repeats(&verb))
	{
		grant.role = get_role_oid(grant.role_name, !wanted);
		set_membership(&verb, &grant, wanted);
	}
	mr_verb_end(&verb);
}

#define TEAM_LEVELS \
	(MR_READER | MR_CONTRIBUTOR | MR_EVALUATOR | MR_REVIEWER | MR_MAINTAINER)

/* Maintainers say who is in their team, and admins in every one. */
MrTeam
mr_require_team_for_grant(const char *name)
{
	const MrTeam *team = mr_team_by_name(name);
	bool		maintainer = team != NULL && team->rights & MR_MAINTAINER;

	if (!maintainer && mr_registry_rights() & MR_ADMIN)
		return mr_require_team_as_admin(name);
	return mr_require_team(name, MR_MAINTAINER);
}

/*
 * modelreg.grant_level(team text, role_name text, level text, request_id text)
 *
 * Errors: 42501, 42704 for an unknown team or role, 22023 for no level.
 */
Datum
modelreg_grant_level(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team_for_grant(mr_arg_text(fcinfo, 0, "team"));

	run_membership_verb(fcinfo, "grant_level", &team, 1, TEAM_LEVELS, true);
	PG_RETURN_VOID();
}

/* modelreg.revoke_level(team text, role_name text, level text, request_id text) */
Datum
modelreg_revoke_level(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team_for_grant(mr_arg_text(fcinfo, 0, "team"));

	run_membership_verb(fcinfo, "revoke_level", &team, 1, TEAM_LEVELS, false);
	PG_RETURN_VOID();
}

static void
require_superuser(const char *what)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to %s", what),
				 mr_reason("permission_denied")));
}

/* modelreg.grant_registry_right(role_name text, level text, request_id text) */
Datum
modelreg_grant_registry_right(PG_FUNCTION_ARGS)
{
	require_superuser("grant registry-wide rights");
	run_membership_verb(fcinfo, "grant_registry_right", &no_team, 0,
						MR_ADMIN | MR_AUDITOR | MR_POOLER, true);
	PG_RETURN_VOID();
}

/* modelreg.revoke_registry_right(role_name text, level text, request_id text) */
Datum
modelreg_revoke_registry_right(PG_FUNCTION_ARGS)
{
	require_superuser("revoke registry-wide rights");
	run_membership_verb(fcinfo, "revoke_registry_right", &no_team, 0,
						MR_ADMIN | MR_AUDITOR | MR_POOLER, false);
	PG_RETURN_VOID();
}

/* Bind the membership in the table's slot; false when no role has its name. */
static bool
rebind(MrTable *table, bool *changed)
{
	Datum		values[MEMBERSHIP_COLUMNS];
	bool		nulls[MEMBERSHIP_COLUMNS];
	Oid			role;

	mr_table_read(table, values, nulls);
	role = get_role_oid(TextDatumGetCString(values[MEMBERSHIP_ROLE_NAME - 1]), true);
	*changed = OidIsValid(role) &&
		role != DatumGetObjectId(values[MEMBERSHIP_ROLE_OID - 1]);
	if (*changed)
	{
		values[MEMBERSHIP_ROLE_OID - 1] = ObjectIdGetDatum(role);
		mr_table_update(table, values, nulls);
	}
	return OidIsValid(role);
}

/* Name of a team, whoever asks. */
static Datum
team_name(int64 id)
{
	MrTable    *table = mr_table_open_read("team");
	Datum		key = Int64GetDatum(id);
	Datum		name;

	if (!mr_table_find_latest(table, "team_pkey", 1, &key))
		elog(ERROR, "team " INT64_FORMAT " is missing", id);
	name = mr_table_get_copy(table, TEAM_NAME);
	mr_table_close(table);
	return name;
}

static void
put_membership(ReturnSetInfo *rsinfo, MrTable *table, bool bound)
{
	Datum		values[4];
	bool		nulls[4] = {false};
	int64		id = DatumGetInt64(mr_table_get(table, MEMBERSHIP_TEAM_ID, NULL));

	nulls[0] = id == MR_NO_TEAM;
	values[0] = id == MR_NO_TEAM ? (Datum) 0 : team_name(id);
	values[1] = mr_table_get(table, MEMBERSHIP_ROLE_NAME, NULL);
	values[2] = mr_table_get(table, MEMBERSHIP_LEVEL, NULL);
	values[3] = BoolGetDatum(bound);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The membership in the table's slot, as an event tells it. */
static Jsonb *
describe_membership(MrTable *table)
{
	MrJson		json;
	char	   *name = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_ROLE_NAME, NULL));

	mr_json_begin(&json);
	mr_json_add_int(&json, "team_id",
					DatumGetInt64(mr_table_get(table, MEMBERSHIP_TEAM_ID, NULL)));
	mr_json_add_text(&json, "role", name);
	mr_json_add_int(&json, "role_oid", get_role_oid(name, false));
	mr_json_add_text(&json, "level",
					 TextDatumGetCString(mr_table_get(table, MEMBERSHIP_LEVEL, NULL)));
	return mr_json_end(&json);
}

/* Rebind every membership; report what changed or has no role. */
static int64
rebind_all(ReturnSetInfo *rsinfo, MrJson *what)
{
	MrTable    *table = mr_table_open("membership");
	MrScan	   *scan = mr_scan_begin(table, "membership_pkey", 0, NULL, NULL);
	int64		changes = 0;

	while (mr_scan_next(scan, false))
	{
		bool		changed;
		bool		bound;

		ExecMaterializeSlot(table->slot);
		bound = rebind(table, &changed);
		if (changed || !bound)
			put_membership(rsinfo, table, bound);
		if (changed)
			mr_json_add_element(what, describe_membership(table));
		changes += changed;
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return changes;
}

/*
 * modelreg.rebind_roles(): see its COMMENT.  From here on the registry is this
 * cluster's, also if no role had to be bound.
 */
Datum
modelreg_rebind_roles(PG_FUNCTION_ARGS)
{
	MrVerb		verb;
	MrHead	   *head;
	MrJson		json;
	int64		changes;

	require_superuser("rebind roles");
	InitMaterializedSRF(fcinfo, 0);
	mr_verb_begin(&verb, fcinfo, "rebind_roles", &no_team, -1);
	head = mr_registry_head_lock(&verb);
	mr_json_begin(&json);
	mr_json_begin_array(&json, "bound");
	changes = rebind_all((ReturnSetInfo *) fcinfo->resultinfo, &json);
	mr_json_end_array(&json);
	if (changes > 0)
	{
		mr_event_append(head, &verb, "roles_rebound", mr_json_end(&json), NULL);
		save(head);
	}
	else
	{
		mr_history_stamp(head->values, head->nulls);
		mr_head_save(head);
	}
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}
