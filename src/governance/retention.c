/*
 * retention.c
 *		Legal holds, and purging versions whose bytes need not be kept.
 *
 * A purge locks the team, as holds do, and the model's decisions, as
 * promotions do; so nothing comes between its looks and the event.  Retention
 * is the least time for which the policy keeps bytes in a stage: where it says
 * nothing, a maintainer may purge at any time, and purge_expired() never does.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "artifact/artifact.h"
#include "audit/marks.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/stmt.h"
#include "governance/governance_tables.h"
#include "governance/policy.h"
#include "governance/retention.h"
#include "governance/transition.h"
#include "registry/registry_tables.h"
#include "types/model_uri.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_place_hold);
PG_FUNCTION_INFO_V1(modelreg_lift_hold);
PG_FUNCTION_INFO_V1(modelreg_purge_version);
PG_FUNCTION_INFO_V1(modelreg_purge_expired);

/* Each object that goes holds a lock until the end of the transaction. */
#define MAX_VERSIONS 1000

#define EXPIRED_REASON "retention is over"

static bool
find_hold(int64 model, int32 version)
{
	MrTable    *table = mr_table_open_read("legal_hold");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	bool		found = mr_table_find_latest(table, "legal_hold_pkey", 2, keys);

	mr_table_close(table);
	return found;
}

static void
insert_hold(const MrModel *model, int32 version, TimestampTz at, int64 seq)
{
	Datum		values[LEGAL_HOLD_COLUMNS];
	bool		nulls[LEGAL_HOLD_COLUMNS] = {false};

	values[LEGAL_HOLD_MODEL_ID - 1] = Int64GetDatum(model->id);
	values[LEGAL_HOLD_VERSION - 1] = Int32GetDatum(version);
	values[LEGAL_HOLD_TEAM_ID - 1] = Int64GetDatum(model->team.id);
	values[LEGAL_HOLD_SINCE - 1] = TimestampTzGetDatum(at);
	values[LEGAL_HOLD_SEQ - 1] = Int64GetDatum(seq);
	mr_insert_row("legal_hold", values, nulls);
}

static void
delete_hold(int64 model, int32 version)
{
	MrTable    *table = mr_table_open("legal_hold");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};

	if (!mr_table_lock_latest(table, "legal_hold_pkey", 2, keys))
		elog(ERROR, "hold on version %d is missing", version);
	mr_table_delete(table);
	mr_table_close(table);
}

static void
refuse_purged(const MrModel *model, int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("version %d of \"%s\" was purged", version, mr_model_address(model)),
			 errdetail("Its bytes are gone for good."),
			 mr_reason("version_purged")));
}

/* Error 55000 for a version that was purged. */
void
mr_require_unpurged(const MrModel *model, int32 version)
{
	if (mr_version_is_purged(model->id, version, NULL))
		refuse_purged(model, version);
}

/* An event about a version (0: the model) in the team's chain; returns its number. */
static int64
append_event(MrVerb *verb, MrHead *team, const char *kind, const MrModel *model,
			 int32 version, const char *reason, TimestampTz *at)
{
	MrJson		what;

	mr_json_begin(&what);
	mr_json_add_int(&what, "model_id", model->id);
	mr_json_add_id(&what, "version", version);
	*at = mr_event_append(team, verb, kind, mr_json_end(&what), reason);
	return DatumGetInt64(team->values[HEAD_SEQ - 1]);
}

/* Returns the number of the event, 0 when the hold stands, or does not, already. */
static int64
change_hold(MrVerb *verb, const MrModel *model, int32 version, bool lift,
			const char *reason)
{
	MrHead	   *team = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	TimestampTz at;
	int64		seq;

	if (!lift && version != 0)
		mr_require_unpurged(model, version);
	if (find_hold(model->id, version) != lift)
	{
		mr_head_release(team);
		return 0;
	}
	seq = append_event(verb, team, lift ? "hold_lifted" : "hold_placed", model,
					   version, reason, &at);
	if (lift)
		delete_hold(model->id, version);
	else
		insert_hold(model, version, at, seq);
	mr_head_save(team);
	return seq;
}

/* The team of a model by its name, which is left without the team in *name. */
static MrTeam
team_of_name(const char *qualified, MrRights level, char **name)
{
	char	   *team_name;

	if (level != MR_ADMIN)
		return mr_require_team_of_model(qualified, level, name);
	mr_split_qualified_name(qualified, &team_name, name, NULL);
	return mr_require_team_as_admin(team_name);
}

/* The team of a model, whose id is left in *model, by a version's permanent id. */
static MrTeam
team_of_permanent_id(const char *address, MrRights level, int64 *model)
{
	MrTable    *table = mr_version_open(address, GetActiveSnapshot());
	int64		team = DatumGetInt64(mr_table_get(table, VERSION_TEAM_ID, NULL));

	*model = DatumGetInt64(mr_table_get(table, VERSION_MODEL_ID, NULL));
	mr_table_close(table);
	return mr_require_team_by_id(team, level == MR_ADMIN ? MR_READER : level);
}

/*
 * Begin a verb about a model that may be retired: its first argument is the
 * name, or the permanent id of a version, since the name may be another
 * model's by now.  Otherwise as mr_model_verb_begin().
 */
static bool
begin_verb(MrVerb *verb, FunctionCallInfo fcinfo, const char *verb_name,
		   MrRights level, MrModel *model)
{
	char	   *address = mr_arg_text(fcinfo, 0, "model");
	char	   *name = NULL;
	int64		id = 0;
	MrTeam		team;

	if (level == MR_ADMIN)
		mr_require_registry(MR_ADMIN);
	if (strncmp(address, MR_URI_PERMANENT_SCHEME, strlen(MR_URI_PERMANENT_SCHEME)) == 0)
		team = team_of_permanent_id(address, level, &id);
	else
		team = team_of_name(address, level, &name);
	mr_verb_begin(verb, fcinfo, verb_name, &team, 3);
	if (mr_verb_repeats(verb))
		return false;
	if (name != NULL)
		*model = mr_model_find_or_retired(verb, address, name);
	else
		*model = mr_model_get(id, NULL);
	model->team = verb->team;
	return true;
}

/* The frame of both verbs. */
static Datum
run_hold(FunctionCallInfo fcinfo, const char *verb_name, bool lift)
{
	char	   *reason = mr_reason_arg(fcinfo, 2);
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	if (begin_verb(&verb, fcinfo, verb_name, lift ? MR_ADMIN : MR_MAINTAINER, &model))
		number = change_hold(&verb, &model, mr_version_arg(fcinfo, 1, &model), lift,
							 reason);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/*
 * modelreg.place_hold(model text, version integer, reason text,
 *		request_id text) returns bigint: the number of the event, or NULL
 *
 * Level maintainer.  Errors: 42704, 42501, 55000 for what was purged.
 */
Datum
modelreg_place_hold(PG_FUNCTION_ARGS)
{
	return run_hold(fcinfo, "place_hold", false);
}

/* modelreg.lift_hold(): the same, for admins. */
Datum
modelreg_lift_hold(PG_FUNCTION_ARGS)
{
	return run_hold(fcinfo, "lift_hold", true);
}

/* How many days the policy keeps bytes in a stage; 0 where it says nothing. */
static int
retention_days(const MrModel *model, MrStage stage)
{
	MrPolicyRow row = mr_policy_row_of(model, NULL);
	JsonbContainer *days = mr_member_object(&row.document->root, "retention_days");

	return days == NULL ? 0 : mr_member_count(days, mr_stage_name(stage), 0);
}

/* All that stands against a purge, a sentence each. */
static char *
list_obstacles(const MrModel *model, int32 version)
{
	StringInfoData list;
	TimestampTz since = 0;
	MrStage		stage = mr_version_stage(model->id, version, NULL, &since);
	int			days = retention_days(model, stage);
	char	   *endpoints = mr_version_in_use == NULL ? NULL :
		mr_version_in_use(model->id, version);

	initStringInfo(&list);
	if (stage == MR_STAGE_STAGING || stage == MR_STAGE_PRODUCTION)
		appendStringInfo(&list, "It is in stage %s.\n", mr_stage_name(stage));
	if (mr_tenure_may_return(model->id, version))
		appendStringInfoString(&list, "modelreg.rollback_model() would go back to it.\n");
	if (endpoints != NULL)
		appendStringInfo(&list, "Endpoints need it: %s.\n", endpoints);
	if (find_hold(model->id, version))
		appendStringInfoString(&list, "A legal hold stands on it.\n");
	if (find_hold(model->id, 0))
		appendStringInfoString(&list, "A legal hold stands on its model.\n");
	if (since + days * USECS_PER_DAY > GetCurrentTimestamp())
		appendStringInfo(&list, "Policy \"%s\" keeps versions in stage %s for %d days.\n",
						 model->policy, mr_stage_name(stage), days);
	if (list.len > 0)
		list.data[--list.len] = '\0';
	return list.data;
}

/* The two heads under which a version is purged. */
typedef struct Heads
{
	MrHead	   *team;
	MrHead	   *decisions;
} Heads;

/* The model's policy is from now on as it is under the locks. */
static Heads
lock_heads(MrModel *model)
{
	Heads		heads;

	heads.team = mr_head_lock(MR_CHAIN_TEAM, model->team.id);
	heads.decisions = mr_head_lock(MR_CHAIN_DECISIONS, model->id);
	mr_model_renew(model, heads.decisions);
	return heads;
}

static void
release_heads(Heads *heads)
{
	mr_head_release(heads->decisions);
	mr_head_release(heads->team);
}

/* Write the event, remove the bytes; returns the event's number. */
static int64
purge(MrVerb *verb, const MrModel *model, int32 version, TimestampTz registered_at,
	  const char *reason, Heads *heads)
{
	MrMark		mark = {.team = model->team.id,.model = model->id,.version = version};
	TimestampTz at;
	int64		seq = append_event(verb, heads->team, "version_purged", model,
								   version, reason, &at);

	mark.at = at;
	mr_mark(MR_MARK_TRAFFIC, &mark);
	mr_purge_bytes(model->team.id, model->id, version, registered_at);
	mr_purge_record(model->team.id, model->id, version, at, seq);
	mr_head_save(heads->team);
	mr_head_release(heads->decisions);
	CommandCounterIncrement();
	return seq;
}

static void
raise_refused(const MrModel *model, int32 version, const char *obstacles)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("version %d of \"%s\" cannot be purged", version, mr_model_address(model)),
			 errdetail("%s", obstacles),
			 mr_reason("purge_refused")));
}

static void
raise_busy(const MrModel *model, int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("bytes of version %d of \"%s\" are being used", version,
					mr_model_address(model)),
			 errdetail("Another transaction registers or uploads the same bytes."),
			 errhint("Try again when it has ended."),
			 mr_reason("bytes_in_use")));
}

/* Returns the number of the event, 0 when it was purged already. */
static int64
purge_version(MrVerb *verb, MrModel *model, int32 version, const char *reason)
{
	TimestampTz registered_at = mr_require_version(model, version, NULL).registered_at;
	Heads		heads = lock_heads(model);
	char	   *obstacles;

	if (mr_version_is_purged(model->id, version, NULL))
	{
		release_heads(&heads);
		return 0;
	}
	obstacles = list_obstacles(model, version);
	if (obstacles[0] != '\0')
		raise_refused(model, version, obstacles);
	if (!mr_purge_try_begin(model->team.id, model->id, version, registered_at))
		raise_busy(model, version);
	return purge(verb, model, version, registered_at, reason, &heads);
}

/*
 * modelreg.purge_version(model text, version integer, reason text,
 *		request_id text) returns bigint: the number of the event, or NULL
 *
 * Level maintainer.  Errors: 42704, 42501, 55000 with all that stands against
 * it, 55006 while somebody registers the same bytes.
 */
Datum
modelreg_purge_version(PG_FUNCTION_ARGS)
{
	char	   *reason = mr_reason_arg(fcinfo, 2);
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	mr_arg_require(fcinfo, 1, "version");
	if (begin_verb(&verb, fcinfo, "purge_version", MR_MAINTAINER, &model))
		number = purge_version(&verb, &model, PG_GETARG_INT32(1), reason);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/* Candidates of purge_expired() behind one of them, in the order of ids. */
static MrStmt find_due = {
	"SELECT s.team_id, s.model_id, s.version FROM modelreg.version_stage s"
	" JOIN modelreg.model m ON m.id = s.model_id"
	" JOIN modelreg.policy p ON p.team_id = m.team_id AND p.name = m.policy AND p.digest = m.policy_digest"
	" WHERE ($1 = 0 OR s.team_id = $1) AND (s.team_id, s.model_id, s.version) > ($2, $3, $4)"
	" AND s.stage::text IN ('Experimental', 'Archived')"
	" AND s.since + make_interval(hours => (p.document->'retention_days'->>s.stage::text)::integer * 24) <= clock_timestamp()"
	" AND NOT EXISTS (SELECT FROM modelreg.purged_version x WHERE x.model_id = s.model_id AND x.version = s.version)"
	" AND NOT EXISTS (SELECT FROM modelreg.legal_hold h WHERE h.model_id = s.model_id AND h.version IN (0, s.version))"
	" AND EXISTS (SELECT FROM modelreg.artifact a WHERE a.model_id = s.model_id AND a.version = s.version AND a.uri IS NULL)"
	" ORDER BY 1, 2, 3 LIMIT 100",
	4, {INT8OID, INT8OID, INT8OID, INT4OID}, NULL
};

typedef struct Due
{
	int64		team;
	int64		model;
	int32		version;
} Due;

/* The next candidates; palloc'd. */
static Due *
next_due(int64 team, const Due *after, int *n)
{
	Datum		values[4] = {Int64GetDatum(team), Int64GetDatum(after->team),
	Int64GetDatum(after->model), Int32GetDatum(after->version)};
	Due		   *due;
	bool		isnull;

	*n = (int) mr_stmt_read(&find_due, values, NULL, 0);
	due = palloc((*n + 1) * sizeof(Due));
	for (int i = 0; i < *n; i++)
	{
		due[i].team = DatumGetInt64(mr_stmt_value(i, 1, &isnull));
		due[i].model = DatumGetInt64(mr_stmt_value(i, 2, &isnull));
		due[i].version = DatumGetInt32(mr_stmt_value(i, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return due;
}

/* Is it due, and does nothing stand against it? */
static bool
may_purge_due(const MrModel *model, int32 version)
{
	MrStage		stage = mr_version_stage(model->id, version, NULL, NULL);

	return !mr_version_is_purged(model->id, version, NULL) &&
		retention_days(model, stage) > 0 &&
		list_obstacles(model, version)[0] == '\0';
}

/*
 * Purge one of them unless something stands against it; was it purged?  What
 * would be refused is not locked; of what is, *team is the team.
 */
static bool
purge_due(MrVerb *verb, const Due *due, int64 *team)
{
	MrModel		model = mr_model_get(due->model, NULL);
	TimestampTz registered_at = mr_require_version(&model, due->version, NULL).registered_at;
	Heads		heads;

	if (!may_purge_due(&model, due->version))
		return false;
	*team = due->team;
	heads = lock_heads(&model);
	if (!may_purge_due(&model, due->version) ||
		!mr_purge_try_begin(model.team.id, model.id, due->version, registered_at))
	{
		release_heads(&heads);
		return false;
	}
	verb->team = model.team;
	(void) purge(verb, &model, due->version, registered_at, EXPIRED_REASON, &heads);
	return true;
}

/*
 * Without a team, those of the first one of which something is locked: another
 * team's head would come after the decisions of this one.
 */
static int32
purge_all_due(MrVerb *verb, int64 team, int32 max_versions)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "modelreg purge",
											   ALLOCSET_DEFAULT_SIZES);
	Due			after = {0};
	int32		purged = 0;
	int			n;

	do
	{
		Due		   *due = next_due(team, &after, &n);

		for (int i = 0; i < n && purged < max_versions; i++)
		{
			MemoryContext context;

			CHECK_FOR_INTERRUPTS();
			after = due[i];
			if (team != MR_NO_TEAM && due[i].team != team)
				break;
			context = MemoryContextSwitchTo(work);
			if (purge_due(verb, &due[i], &team))
				purged++;
			MemoryContextSwitchTo(context);
			MemoryContextReset(work);
		}
		pfree(due);
	} while (n > 0 && purged < max_versions);
	return purged;
}

/*
 * modelreg.purge_expired(team text, max_versions integer) returns integer:
 *		how many versions it purged
 *
 * Level maintainer, or admin for the first team with something due (team NULL).
 */
Datum
modelreg_purge_expired(PG_FUNCTION_ARGS)
{
	MrTeam		team = {MR_NO_TEAM, "", 0, false};
	MrVerb		verb;
	int32		purged;

	mr_arg_require(fcinfo, 1, "max_versions");
	if (PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > MAX_VERSIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_versions must be 1 to %d", MAX_VERSIONS),
				 errhint("Call again until it returns 0."),
				 mr_reason("invalid_batch")));
	if (PG_ARGISNULL(0))
		mr_require_registry(MR_ADMIN);
	else
		team = mr_require_team(mr_arg_text(fcinfo, 0, "team"), MR_MAINTAINER);
	mr_verb_begin(&verb, fcinfo, "purge_expired", &team, -1);
	purged = purge_all_due(&verb, team.id, PG_GETARG_INT32(1));
	mr_verb_end(&verb);
	PG_RETURN_INT32(purged);
}
