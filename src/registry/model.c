/*
 * model.c
 *		Registered models: finding them, and create, rename and retire.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/access_tables.h"
#include "audit/audit.h"
#include "audit/marks.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/snapshot.h"
#include "registry/former_name.h"
#include "registry/held_name.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "registry/search.h"
#include "types/model_uri.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_create_model);
PG_FUNCTION_INFO_V1(modelreg_rename_model);
PG_FUNCTION_INFO_V1(modelreg_retire_model);

static void
read_model(MrTable *table, const MrTeam *team, MrModel *model)
{
	bool		isnull;
	Datum		current = mr_table_get(table, MODEL_CURRENT_VERSION, &isnull);

	model->team = *team;
	model->id = DatumGetInt64(mr_table_get(table, MODEL_ID, NULL));
	model->name = TextDatumGetCString(mr_table_get(table, MODEL_NAME, NULL));
	model->policy = TextDatumGetCString(mr_table_get(table, MODEL_POLICY, NULL));
	model->policy_digest = DatumGetByteaPCopy(mr_table_get(table, MODEL_POLICY_DIGEST, NULL));
	model->current_version = isnull ? 0 : DatumGetInt32(current);
}

static bool
find_row(MrTable *table, const MrTeam *team, const char *name, Snapshot snapshot)
{
	Datum		keys[2] = {Int64GetDatum(team->id), CStringGetTextDatum(name)};

	return mr_table_find(table, "model_live_name", 2, keys, snapshot);
}

/* The live model of that name (without the team), as a snapshot sees it. */
bool
mr_model_find(const MrTeam *team, const char *name, Snapshot snapshot,
			  MrModel *model)
{
	MrTable    *table = mr_table_open_read("model");
	bool		found = find_row(table, team, name, snapshot);

	if (found)
		read_model(table, team, model);
	mr_table_close(table);
	return found;
}

/* The live model of that name, for a verb that builds on it. */
static bool
find_to_build_on(const MrTeam *team, const char *name, MrModel *model)
{
	Snapshot	own = mr_own_snapshot();
	bool		found = mr_model_find(team, name, NULL, model);
	MrModel		seen;

	if (own != NULL &&
		(mr_model_find(team, name, own, &seen) != found ||
		 (found && seen.id != model->id)))
		mr_table_raise_concurrent_update(mr_table_open_read("model"));
	return found;
}

/* The live model of an id, which is known to be of that team. */
bool
mr_model_by_id(const MrTeam *team, int64 id, Snapshot snapshot, MrModel *model)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(id);
	bool		live = false;

	if (mr_table_find(table, "model_pkey", 1, &key, snapshot))
	{
		(void) mr_table_get(table, MODEL_RETIRED_AT, &live);
		read_model(table, team, model);
	}
	mr_table_close(table);
	return live;
}

/* The model of an id, retired or not; of any team, which is without rights. */
MrModel
mr_model_get(int64 id, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(id);
	MrTeam		team = {.name = ""};
	MrModel		model;

	if (!mr_table_find(table, "model_pkey", 1, &key, snapshot))
		elog(ERROR, "model " INT64_FORMAT " does not exist", id);
	team.id = DatumGetInt64(mr_table_get(table, MODEL_TEAM_ID, NULL));
	read_model(table, &team, &model);
	mr_table_close(table);
	return model;
}

static void
raise_not_found(const char *qualified)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist or you may not read it",
					qualified),
			 errhint("The view modelreg.models lists the models that you may read."),
			 mr_reason("model_not_found")));
}

/*
 * Find the row of the live model named team.name, as a snapshot sees it, for
 * a reader of its team; it is left in the table's slot.  Errors: 22023 for
 * what is no such name, 42704 for a model that does not exist or that the
 * caller may not read.
 */
MrTeam
mr_model_open(MrTable *table, const char *qualified, Snapshot snapshot)
{
	const char *dot = strchr(qualified, '.');
	char	   *team_name = dot ? pnstrdup(qualified, dot - qualified) : NULL;
	const MrTeam *found = dot ? mr_team_by_name(team_name) : NULL;
	MrTeam		team;
	char	   *name;

	/* what is there has a name that can be one */
	if (found == NULL || !find_row(table, found, dot + 1, snapshot))
	{
		mr_split_qualified_name(qualified, &team_name, &name, NULL);
		raise_not_found(qualified);
	}
	team = *found;
	team.name = team_name;
	return team;
}

/*
 * The live model named team.name, as a snapshot sees it, in whose team the
 * caller has one of the rights.  Errors: as mr_model_open(), and 42501.
 */
MrModel
mr_require_model(const char *qualified, MrRights level, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("model");
	MrTeam		team = mr_model_open(table, qualified, snapshot);
	MrModel		model;

	read_model(table, &team, &model);
	mr_table_close(table);
	mr_require_rights(&model.team, level);
	return model;
}

/*
 * The team of a model that need not exist any more, as a verb asks for it that
 * may repeat an earlier call.  name is the model's, without the team.
 */
MrTeam
mr_require_team_of_model(const char *qualified, MrRights level, char **name)
{
	const MrTeam *found;
	MrTeam		team;
	char	   *team_name;

	mr_split_qualified_name(qualified, &team_name, name, NULL);
	found = mr_team_by_name(team_name);
	if (found == NULL)
		raise_not_found(qualified);
	team = *found;
	team.name = team_name;
	mr_require_rights(&team, level);
	return team;
}

/* The model that a verb is about, now that it is known not to repeat a call. */
MrModel
mr_model_find_in_verb(MrVerb *verb, const char *qualified, const char *name)
{
	MrModel		model;

	if (!find_to_build_on(&verb->team, name, &model))
		raise_not_found(qualified);
	return model;
}

/*
 * Begin a verb about the model that its first argument names.  False when it
 * repeats an earlier call, whatever the model is named by now; else *model is
 * found.
 */
bool
mr_model_verb_begin(MrVerb *verb, FunctionCallInfo fcinfo, const char *verb_name,
					MrRights level, int request_id_arg, MrModel *model)
{
	char	   *qualified = mr_arg_text(fcinfo, 0, "model");
	char	   *name;
	MrTeam		team = mr_require_team_of_model(qualified, level, &name);

	mr_verb_begin(verb, fcinfo, verb_name, &team, request_id_arg);
	if (mr_verb_repeats(verb))
		return false;
	*model = mr_model_find_in_verb(verb, qualified, name);
	return true;
}

/* The team that had a name at a time, if the caller may read it. */
const MrTeam *
mr_team_at(const char *name, TimestampTz at)
{
	MrTable    *table = mr_table_open_read("team_name");
	Datum		key = CStringGetTextDatum(name);
	int64		id = 0;
	bool		open;

	if (mr_table_find(table, "team_name_pkey", 1, &key, GetActiveSnapshot()) &&
		DatumGetTimestampTz(mr_table_get(table, TEAM_NAME_SINCE, NULL)) <= at)
	{
		TimestampTz until = DatumGetTimestampTz(mr_table_get(table, TEAM_NAME_UNTIL, &open));

		if (open || until > at)
			id = DatumGetInt64(mr_table_get(table, TEAM_NAME_TEAM_ID, NULL));
	}
	mr_table_close(table);
	return id == 0 ? NULL : mr_team_by_id(id);
}

/* The model that had a name in its team at a time; 0 for none. */
static int64
model_id_at(int64 team, const char *name, TimestampTz at)
{
	MrTable    *table = mr_table_open_read("model_name");
	int64		id = mr_held_name_at(table, "model_name_pkey", team, name, at);

	mr_table_close(table);
	return id;
}

/*
 * The model that was named team.name at a time, by the names of that time,
 * retired or not, for a reader of its team.
 */
MrModel
mr_require_model_at(const char *qualified, TimestampTz at)
{
	MrModel		model;
	const MrTeam *team;
	char	   *team_name;
	char	   *name;
	Datum		key;
	MrTable    *table;

	mr_split_qualified_name(qualified, &team_name, &name, NULL);
	team = mr_team_at(team_name, at);
	key = Int64GetDatum(team == NULL ? 0 : model_id_at(team->id, name, at));
	table = mr_table_open_read("model");
	if (team == NULL ||
		!mr_table_find(table, "model_pkey", 1, &key, GetActiveSnapshot()))
		raise_not_found(qualified);
	read_model(table, team, &model);
	model.team.name = pstrdup(model.team.name);
	mr_table_close(table);
	return model;
}

/* Lock the decisions of a model.  Error 42704 when it was retired meanwhile. */
MrHead *
mr_model_lock(const MrModel *model)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_DECISIONS, model->id);

	if (!head->nulls[MODEL_RETIRED_AT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was retired", mr_model_address(model)),
				 mr_reason("model_not_found")));
	return head;
}

/* What decisions change of a model, as its head has it that was waited for. */
void
mr_model_renew(MrModel *model, const MrHead *decisions)
{
	const Datum *values = decisions->values;
	bool		none = decisions->nulls[MODEL_CURRENT_VERSION - 1];

	model->current_version = none ? 0 : DatumGetInt32(values[MODEL_CURRENT_VERSION - 1]);
	model->policy = TextDatumGetCString(values[MODEL_POLICY - 1]);
	model->policy_digest = DatumGetByteaPCopy(values[MODEL_POLICY_DIGEST - 1]);
}

/* team.name of a model. */
char *
mr_model_address(const MrModel *model)
{
	return psprintf("%s.%s", model->team.name, model->name);
}

/* models:/team.name/version of a version. */
char *
mr_version_uri(const MrModel *model, int32 version)
{
	return mr_model_uri_of_version(model->team.name, model->name, version);
}

/*
 * A version's row, as a snapshot sees it, or NULL to build on it; error 42704
 * if the model has none.
 */
MrVersionBirth
mr_require_version(const MrModel *model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("version");
	Snapshot	own = snapshot == NULL ? mr_own_snapshot() : NULL;
	MrVersionBirth birth = {0};
	Datum		keys[2] = {Int64GetDatum(model->id), Int32GetDatum(version)};
	bool		seen = own != NULL && mr_table_find(table, "version_pkey", 2, keys, own);
	bool		found = mr_table_find(table, "version_pkey", 2, keys, snapshot);

	if (own != NULL && found != seen)
		mr_table_raise_concurrent_update(table);
	if (found)
	{
		birth.identity = *DatumGetUUIDP(mr_table_get(table, VERSION_IDENTITY, NULL));
		birth.registered_at = DatumGetTimestampTz(mr_table_get(table, VERSION_REGISTERED_AT, NULL));
	}
	mr_table_close(table);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d",
						mr_model_address(model), version),
				 errhint("The view modelreg.versions lists them."),
				 mr_reason("version_not_found")));
	return birth;
}

/* The live model of a name, or else the one that had it when it was retired. */
MrModel
mr_model_find_or_retired(MrVerb *verb, const char *qualified, const char *name)
{
	MrModel		model;
	int64		owner;

	if (find_to_build_on(&verb->team, name, &model))
		return model;
	owner = mr_model_last_holder(verb->team.id, name, NULL);
	if (owner != 0)
		model = mr_model_get(owner, NULL);
	if (owner == 0 || strcmp(model.name, name) != 0)
		raise_not_found(qualified);
	return model;
}

/* The policy of a model that may be retired, with the digest of its revision. */
static char *
policy_of(int64 model, bytea **digest)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(model);
	char	   *policy;

	if (!mr_table_find_latest(table, "model_pkey", 1, &key))
		elog(ERROR, "model " INT64_FORMAT " is missing", model);
	policy = TextDatumGetCString(mr_table_get(table, MODEL_POLICY, NULL));
	*digest = DatumGetByteaPCopy(mr_table_get(table, MODEL_POLICY_DIGEST, NULL));
	mr_table_close(table);
	return policy;
}

/*
 * A freed name is taken again only under its former policy, in the revision
 * that it had, or by an admin: else a model would change its policy so.
 */
static void
check_former_policy(MrVerb *verb, const char *name, const char *policy,
					const bytea *policy_digest)
{
	int64		owner = mr_model_last_holder(verb->team.id, name, NULL);
	bytea	   *digest;
	char	   *former;

	if (owner == 0)
		return;
	former = policy_of(owner, &digest);
	if (strcmp(former, policy) == 0 && mr_same_hash(digest, policy_digest))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 strcmp(former, policy) == 0 ?
			 errmsg("the name \"%s.%s\" belonged to a model under another revision of policy \"%s\"",
					verb->team.name, name, policy) :
			 errmsg("the name \"%s.%s\" belonged to a model under policy \"%s\"",
					verb->team.name, name, former),
			 errhint("Create the model under that policy, or ask an admin."),
			 mr_reason("policy_differs")));
}

/* The team's head is locked.  A live model's name is taken. */
static void
check_name_is_free(MrVerb *verb, const char *name, const char *policy,
				   const bytea *policy_digest, bool admin)
{
	MrModel		other;

	if (mr_model_find(&verb->team, name, NULL, &other))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s.%s\" exists already", verb->team.name, name),
				 mr_reason("model_exists")));
	if (!admin)
		check_former_policy(verb, name, policy, policy_digest);
}

static void
insert_decisions_head(MrVerb *verb, int64 id, const char *name,
					  const char *policy, bytea *policy_digest, TimestampTz at)
{
	Datum		values[MODEL_COLUMNS];
	bool		nulls[MODEL_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	mr_head_init(MR_CHAIN_DECISIONS, id, values, nulls);
	values[MODEL_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[MODEL_NAME - 1] = CStringGetTextDatum(name);
	values[MODEL_POLICY - 1] = CStringGetTextDatum(policy);
	values[MODEL_POLICY_DIGEST - 1] = PointerGetDatum(policy_digest);
	values[MODEL_CREATED_AT - 1] = TimestampTzGetDatum(at);
	memset(&nulls[MODEL_TEAM_ID - 1], false,
		   (MODEL_CREATED_AT - MODEL_TEAM_ID + 1) * sizeof(bool));
	mr_insert_row("model", values, nulls);
}

static void
insert_registrations_head(MrVerb *verb, int64 id)
{
	Datum		values[REGISTRATION_HEAD_COLUMNS];
	bool		nulls[REGISTRATION_HEAD_COLUMNS] = {false};

	mr_head_init(MR_CHAIN_REGISTRATIONS, id, values, nulls);
	values[REGISTRATION_HEAD_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[REGISTRATION_HEAD_LAST_VERSION - 1] = Int32GetDatum(0);
	mr_insert_row("registration_head", values, nulls);
}

/* Append an event to the team's chain; its time is that of all it changes. */
static TimestampTz
append_team_event(MrVerb *verb, MrHead *head, const char *kind, MrJson *what,
				  const char *reason)
{
	TimestampTz at = mr_event_append(head, verb, kind, mr_json_end(what), reason);

	mr_head_save(head);
	return at;
}

static int64
create_model(MrVerb *verb, const char *name, const char *policy, bool admin,
			 const char *description)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	bytea	   *policy_digest = mr_policy_digest(verb, head, policy);
	int64		id;
	MrJson		what;
	TimestampTz at;

	check_name_is_free(verb, name, policy, policy_digest, admin);
	id = mr_nextval("model_id_seq");
	mr_json_begin(&what);
	mr_json_add_int(&what, "model_id", id);
	mr_json_add_text(&what, "name", name);
	mr_json_add_text(&what, "policy", policy);
	mr_json_add_hash(&what, "policy_digest", policy_digest);
	at = append_team_event(verb, head, "model_created", &what, NULL);
	insert_decisions_head(verb, id, name, policy, policy_digest, at);
	insert_registrations_head(verb, id);
	mr_held_name_begin("model_name", verb->team.id, name, id, at);
	if (description != NULL)
		mr_search_description_changed(verb, id, 0, description,
									  mr_note_insert(verb, MR_NOTE_DESCRIPTION, id, 0,
													 NULL, description));
	return id;
}

/*
 * modelreg.create_model(model text, policy text, description text,
 *		request_id text) returns bigint, the model's permanent id.
 *
 * Errors: 22023 for a bad name or an unknown policy, 42704 for the team,
 * 42501, 42710 for a name that a live model has.
 */
Datum
modelreg_create_model(PG_FUNCTION_ARGS)
{
	char	   *qualified = mr_arg_text(fcinfo, 0, "model");
	char	   *policy = mr_arg_text(fcinfo, 1, "policy");
	char	   *description = mr_arg_text_or_null(fcinfo, 2);
	bool		admin = (mr_registry_rights() & MR_ADMIN) != 0;
	char	   *team_name;
	char	   *name;
	MrTeam		team;
	MrVerb		verb;
	int64		id = 0;

	mr_split_qualified_name(qualified, &team_name, &name, NULL);
	team = mr_require_team(team_name, MR_MAINTAINER);
	mr_verb_begin(&verb, fcinfo, "create_model", &team, 3);
	if (!mr_verb_repeats(&verb))
		id = create_model(&verb, name, policy, admin, description);
	PG_RETURN_INT64(mr_verb_end_int(&verb, "model_id", id));
}

static void
end_model_name(int64 team, const char *name, TimestampTz at)
{
	MrTable    *table = mr_table_open("model_name");

	mr_held_name_end(table, "model_name_pkey", team, name, at);
	mr_table_close(table);
}

static void
rename_model(MrVerb *verb, const MrModel *model, const char *new_name, bool admin)
{
	MrHead	   *team = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrHead	   *head = mr_head_lock(MR_CHAIN_DECISIONS, model->id);
	char	   *old_name = TextDatumGetCString(head->values[MODEL_NAME - 1]);
	bool		live = head->nulls[MODEL_RETIRED_AT - 1];
	MrJson		what;
	TimestampTz at;

	/* somebody else may have renamed or retired it while we waited */
	if (!live || (strcmp(old_name, model->name) != 0 &&
				  strcmp(old_name, new_name) != 0))
		raise_not_found(mr_model_address(model));
	if (strcmp(old_name, new_name) == 0)
	{
		mr_head_release(head);
		mr_head_release(team);
		return;
	}
	check_name_is_free(verb, new_name,
					   TextDatumGetCString(head->values[MODEL_POLICY - 1]),
					   DatumGetByteaPP(head->values[MODEL_POLICY_DIGEST - 1]), admin);
	if (!admin)
		mr_model_check_takes_place(model, new_name);
	mr_json_begin(&what);
	mr_json_add_int(&what, "model_id", model->id);
	mr_json_add_text(&what, "name", new_name);
	at = append_team_event(verb, team, "model_renamed", &what, NULL);
	end_model_name(verb->team.id, old_name, at);
	mr_held_name_begin("model_name", verb->team.id, new_name, model->id, at);
	head->values[MODEL_NAME - 1] = CStringGetTextDatum(new_name);
	mr_head_save(head);			/* the team's event tells it */
}

/*
 * modelreg.rename_model(model text, new_name text, request_id text)
 *
 * new_name is without the team.  Errors as for create_model().
 */
Datum
modelreg_rename_model(PG_FUNCTION_ARGS)
{
	char	   *new_name = mr_arg_text(fcinfo, 1, "new_name");
	bool		admin = (mr_registry_rights() & MR_ADMIN) != 0;
	MrModel		model = {0};
	MrVerb		verb;

	mr_check_object_name(new_name, NULL);
	if (mr_model_verb_begin(&verb, fcinfo, "rename_model", MR_MAINTAINER, 2,
							&model))
		rename_model(&verb, &model, new_name, admin);
	mr_verb_end_int(&verb, "model_id", model.id);
	PG_RETURN_VOID();
}

static void
check_not_in_use(const MrModel *model, MrHead *head)
{
	bool		current = !head->nulls[MODEL_CURRENT_VERSION - 1];
	char	   *endpoints = mr_version_in_use == NULL ? NULL :
		mr_version_in_use(model->id, 0);

	if (!current && endpoints == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("model \"%s\" is in use", mr_model_address(model)),
			 current ? errdetail("Version %d is current in Production.",
								 DatumGetInt32(head->values[MODEL_CURRENT_VERSION - 1])) :
			 errdetail("Endpoints: %s.", endpoints),
			 current ? errhint("Promote the current version to Archived first.") :
			 errhint("Have other models serve there, with modelreg.start_rollout(), or retire the endpoints."),
			 mr_reason("model_in_use")));
}

static void
remove_aliases(int64 model)
{
	MrTable    *table = mr_table_open("alias");
	Datum		key = Int64GetDatum(model);

	while (mr_table_lock(table, "alias_pkey", 1, &key))
	{
		mr_table_delete(table);
		CommandCounterIncrement();
	}
	mr_table_close(table);
}

static void
retire_model(MrVerb *verb, const MrModel *model, const char *reason)
{
	MrHead	   *team = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrHead	   *head = mr_head_lock(MR_CHAIN_DECISIONS, model->id);
	MrMark		mark = {.team = verb->team.id,.model = model->id};
	MrJson		what;
	TimestampTz at;

	if (!head->nulls[MODEL_RETIRED_AT - 1])
	{
		mr_head_release(head);
		mr_head_release(team);
		return;
	}
	check_not_in_use(model, head);
	mr_json_begin(&what);
	mr_json_add_int(&what, "model_id", model->id);
	mark.at = at = append_team_event(verb, team, "model_retired", &what, reason);
	mr_mark(MR_MARK_TRAFFIC, &mark);
	end_model_name(verb->team.id, TextDatumGetCString(head->values[MODEL_NAME - 1]), at);
	remove_aliases(model->id);
	head->values[MODEL_RETIRED_AT - 1] = TimestampTzGetDatum(at);
	head->nulls[MODEL_RETIRED_AT - 1] = false;
	mr_head_save(head);			/* the team's event tells it */
}

/*
 * modelreg.retire_model(model text, reason text, request_id text)
 *
 * Errors: 42704, 42501, 55006 while a version is current or serves.
 */
Datum
modelreg_retire_model(PG_FUNCTION_ARGS)
{
	char	   *reason = mr_arg_text_or_null(fcinfo, 1);
	MrModel		model = {0};
	MrVerb		verb;

	if (mr_model_verb_begin(&verb, fcinfo, "retire_model", MR_MAINTAINER, 2,
							&model))
		retire_model(&verb, &model, reason);
	mr_verb_end_int(&verb, "model_id", model.id);
	PG_RETURN_VOID();
}
