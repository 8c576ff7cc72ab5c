/*
 * create.c
 *		The verbs create_endpoint and retire_endpoint.
 *
 * An endpoint is born with all of its traffic at one version: from its first
 * instant on its shares add up to exactly 100%.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/marks.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "registry/held_name.h"
#include "registry/registry.h"
#include "serving/endpoint.h"
#include "serving/follow.h"
#include "serving/leave.h"
#include "serving/permit.h"
#include "serving/serving_tables.h"
#include "serving/settings.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_create_endpoint);
PG_FUNCTION_INFO_V1(modelreg_retire_endpoint);

/* What a caller asked for. */
typedef struct Birth
{
	char	   *name;			/* of the endpoint, without the team */
	MrModel		model;
	bool		has_version;	/* else it is the one that is current */
	int32		version;
	bool		follows;
	MrPlan	   *plan;			/* by which it follows, or NULL */
	MrSettings	settings;
	char	   *reason;
} Birth;

static void
check_name_is_free(MrVerb *verb, const char *name)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		keys[2] = {Int64GetDatum(verb->team.id), CStringGetTextDatum(name)};

	if (mr_table_find_latest(table, "endpoint_live_name", 2, keys))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("endpoint \"%s.%s\" exists already", verb->team.name, name),
				 mr_reason("endpoint_exists")));
	mr_table_close(table);
}

/* Until its first event, by which a schedule is laid down, the head has none. */
static void
insert_head(MrVerb *verb, int64 id, const Birth *birth, TimestampTz at)
{
	Datum		values[ENDPOINT_COLUMNS];
	bool		nulls[ENDPOINT_COLUMNS] = {false};

	mr_head_init(MR_CHAIN_ENDPOINT, id, values, nulls);
	values[ENDPOINT_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[ENDPOINT_NAME - 1] = CStringGetTextDatum(birth->name);
	values[ENDPOINT_CREATED_AT - 1] = TimestampTzGetDatum(at);
	nulls[ENDPOINT_RETIRED_AT - 1] = true;
	values[ENDPOINT_MODEL_ID - 1] = Int64GetDatum(birth->model.id);
	values[ENDPOINT_FOLLOWS - 1] = BoolGetDatum(birth->follows);
	nulls[ENDPOINT_PLAN - 1] = birth->plan == NULL;
	values[ENDPOINT_PLAN - 1] = birth->plan == NULL ? (Datum) 0 :
		JsonbPGetDatum(mr_plan_json(birth->plan));
	mr_settings_put(&birth->settings, values, nulls);
	values[ENDPOINT_SCHEDULE_SEQ - 1] = Int64GetDatum(0);
	values[ENDPOINT_SCHEDULE_HASH - 1] = values[HEAD_HASH - 1];
	mr_insert_row("endpoint", values, nulls);
	CommandCounterIncrement();
}

/* What the first event of its chain tells besides the schedule. */
static void
describe(MrJson *what, const Birth *birth)
{
	mr_json_add_bool(what, "follows", birth->follows);
	if (birth->plan != NULL)
		mr_json_add_json(what, "plan", mr_plan_json(birth->plan));
	mr_settings_tell(&birth->settings, what);
}

/* All of the traffic to the version. */
static void
lay_first_schedule(MrVerb *verb, int64 id, const Birth *birth)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_ENDPOINT, id);
	MrSplit		split = mr_split_whole((MrArm) {birth->model.id, birth->version});
	MrNeeds		needs = mr_needs_of_split(&split);
	MrJson		what;

	mr_permit_require(&needs);
	mr_json_begin(&what);
	describe(&what, birth);
	mr_endpoint_change(head, verb, "created",
					   mr_schedule_first(&split, mr_event_time(head)), &what, birth->reason);
	mr_permit_mark(&needs);
}

/*
 * What is current, while the model's decisions are locked: whoever promotes
 * after us sees the endpoint that follows.
 */
static int32
lock_current(MrModel *model)
{
	MrHead	   *decisions = mr_model_lock(model);

	mr_model_renew(model, decisions);
	mr_head_release(decisions);
	if (model->current_version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no version of \"%s\" is current", mr_model_address(model)),
				 errhint("Promote one to Production first, or name a version."),
				 mr_reason("nothing_current")));
	return model->current_version;
}

static int64
create(MrVerb *verb, Birth *birth)
{
	MrHead	   *team = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrJson		what;
	int64		id;
	TimestampTz at;

	check_name_is_free(verb, birth->name);
	if (!birth->has_version)
		birth->version = lock_current(&birth->model);
	else
		mr_require_version(&birth->model, birth->version, NULL);
	if (birth->follows)
		mr_follow_require_plan(&birth->model, birth->plan);
	id = mr_nextval("endpoint_id_seq");
	mr_json_begin(&what);
	mr_json_add_int(&what, "endpoint_id", id);
	mr_json_add_text(&what, "name", birth->name);
	mr_json_add_int(&what, "model_id", birth->model.id);
	at = mr_event_append(team, verb, "endpoint_created", mr_json_end(&what), NULL);
	mr_head_save(team);
	insert_head(verb, id, birth, at);
	mr_held_name_begin("endpoint_name", verb->team.id, birth->name, id, at);
	lay_first_schedule(verb, id, birth);
	return id;
}

static void
raise_arguments(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("Give model and version, or follows and plan."),
			 mr_reason("invalid_argument")));
}

/* Its traffic is a version's that was named, or it follows a model. */
static char *
read_birth(FunctionCallInfo fcinfo, Birth *birth)
{
	bool		follows = !PG_ARGISNULL(3);

	if (follows == !PG_ARGISNULL(1))
		raise_arguments(follows ? "an endpoint that follows a model is given no other one" :
						"an endpoint needs a model");
	if (follows && !PG_ARGISNULL(2))
		raise_arguments("an endpoint that follows a model begins with its current version");
	if (!follows && !PG_ARGISNULL(4))
		raise_arguments("a plan is of an endpoint that follows a model");
	birth->follows = follows;
	birth->has_version = !PG_ARGISNULL(2);
	birth->version = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	if (follows)
		birth->plan = mr_follow_plan(PG_ARGISNULL(4) ? "all at once" : mr_arg_text(fcinfo, 4, "plan"));
	birth->settings = mr_settings_args(fcinfo, 5);
	birth->reason = mr_arg_text_or_null(fcinfo, 7);
	return mr_arg_text(fcinfo, follows ? 3 : 1, "model");
}

static void
find_model(MrVerb *verb, const char *qualified, Birth *birth)
{
	char	   *team;
	char	   *name;

	mr_split_qualified_name(qualified, &team, &name, NULL);
	mr_require_team_of_endpoint(&verb->team, qualified, team);
	birth->model = mr_model_find_in_verb(verb, qualified, name);
}

/*
 * modelreg.create_endpoint(endpoint text, model text, version integer,
 *		follows text, plan text, max_staleness interval, prediction_days integer,
 *		reason text, request_id text) returns bigint, the endpoint's permanent id.
 *
 * Errors: 22023 for a bad name or plan, 42704 for team, model or version,
 * 42501, 42710 for a name that a live endpoint has, 55000 for a version that
 * may not take all of the traffic.
 */
Datum
modelreg_create_endpoint(PG_FUNCTION_ARGS)
{
	char	   *qualified = mr_arg_text(fcinfo, 0, "endpoint");
	Birth		birth = {0};
	char	   *model;
	char	   *team_name;
	MrTeam		team;
	MrVerb		verb;
	int64		id = 0;

	mr_split_qualified_name(qualified, &team_name, &birth.name, NULL);
	team = mr_require_team(team_name, MR_MAINTAINER);
	model = read_birth(fcinfo, &birth);
	mr_verb_begin(&verb, fcinfo, "create_endpoint", &team, 8);
	if (!mr_verb_repeats(&verb))
	{
		find_model(&verb, model, &birth);
		id = create(&verb, &birth);
	}
	PG_RETURN_INT64(mr_verb_end_int(&verb, "endpoint_id", id));
}

static void
end_name(int64 team, const char *name, TimestampTz at)
{
	MrTable    *table = mr_table_open("endpoint_name");

	mr_held_name_end(table, "endpoint_name_pkey", team, name, at);
	mr_table_close(table);
}

/* From then on it serves nothing; its history stays. */
static void
retire(MrVerb *verb, MrEndpoint *endpoint, const char *expected, const char *reason)
{
	MrHead	   *team = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrHead	   *head = mr_endpoint_lock_expected(endpoint, expected);
	MrJson		what;
	TimestampTz at;

	mr_json_begin(&what);
	mr_json_add_int(&what, "endpoint_id", endpoint->id);
	at = mr_event_append(team, verb, "endpoint_retired", mr_json_end(&what), reason);
	mr_mark_decision(at);		/* though the team's chain tells it */
	mr_head_save(team);
	end_name(verb->team.id, endpoint->name, at);
	head->values[ENDPOINT_RETIRED_AT - 1] = TimestampTzGetDatum(at);
	head->nulls[ENDPOINT_RETIRED_AT - 1] = false;
	mr_endpoint_notify(endpoint->id, endpoint->seq);
	mr_leave_mark(verb, mr_endpoint_schedule(endpoint, NULL));
	mr_head_save(head);			/* the team's event tells it */
}

/*
 * modelreg.retire_endpoint(endpoint text, reason text, expected text,
 *		request_id text)
 *
 * Errors: 42704, 42501, 55000 when another schedule holds than was expected.
 */
Datum
modelreg_retire_endpoint(PG_FUNCTION_ARGS)
{
	char	   *reason = mr_arg_text_or_null(fcinfo, 1);
	char	   *expected = mr_arg_text_or_null(fcinfo, 2);
	MrEndpoint	endpoint = {0};
	MrVerb		verb;

	if (mr_endpoint_verb_begin(&verb, fcinfo, "retire_endpoint", MR_MAINTAINER, 3,
							   &endpoint))
		retire(&verb, &endpoint, expected, reason);
	mr_verb_end_int(&verb, "endpoint_id", endpoint.id);
	PG_RETURN_VOID();
}
