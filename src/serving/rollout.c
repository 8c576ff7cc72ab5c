/*
 * rollout.c
 *		The verbs that start, pause, resume, complete and abort a rollout.
 *
 * A rollout is a schedule: once it is laid down nothing has to happen for its
 * steps to open.  Each verb lays down another one, made of the one that holds
 * at the time of its event.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/args.h"
#include "base/errors.h"
#include "registry/registry.h"
#include "serving/earlier.h"
#include "serving/endpoint.h"
#include "serving/permit.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_start_rollout);
PG_FUNCTION_INFO_V1(modelreg_pause_rollout);
PG_FUNCTION_INFO_V1(modelreg_resume_rollout);
PG_FUNCTION_INFO_V1(modelreg_complete_rollout);
PG_FUNCTION_INFO_V1(modelreg_abort_rollout);

/* What a verb does at a locked endpoint. */
typedef struct Call
{
	MrVerb		verb;
	MrEndpoint	endpoint;
	MrHead	   *head;
	const MrSchedule *present;
	MrSplit		split;			/* that stands now */
	TimestampTz at;				/* of the event that is to come */
	char	   *reason;
	char	   *expected;
} Call;

static void
lock(Call *call)
{
	call->head = mr_endpoint_lock_expected(&call->endpoint, call->expected);
	call->present = mr_endpoint_schedule(&call->endpoint, NULL);
	call->at = mr_event_time(call->head);
	call->split = mr_schedule_present_split(call->present, call->at);
}

/* Lay down a schedule by an event that tells nothing else; returns its number. */
static int64
change(Call *call, const char *kind, MrSchedule *schedule)
{
	MrJson		what;

	mr_json_begin(&what);
	return mr_endpoint_change(call->head, &call->verb, kind, schedule, &what, call->reason);
}

/* The same for one that brings traffic to versions, if they may have it. */
static int64
change_if_permitted(Call *call, const char *kind, MrSchedule *schedule)
{
	MrNeeds		needs = mr_needs_of_schedule(schedule, call->at, &call->split);
	int64		number;

	mr_permit_require(&needs);
	number = change(call, kind, schedule);
	mr_permit_mark(&needs);
	return number;
}

/* Nothing is to be changed after all. */
static int64
leave(Call *call)
{
	mr_head_release(call->head);
	return 0;
}

static bool
runs(const Call *call)
{
	return mr_schedule_runs(call->present, call->at);
}

/*
 * The model of an arm of a split: the endpoint's own, or the one that is
 * named, which is of the endpoint's team.
 */
static MrModel
model_of_arm(Call *call, const MrNamedArm *arm)
{
	MrModel		model;
	char	   *team;
	char	   *name;

	if (arm->model == NULL)
	{
		if (!mr_model_by_id(&call->verb.team, call->endpoint.model, NULL, &model))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("the model of endpoint \"%s\" was retired",
							mr_endpoint_address(&call->endpoint)),
					 errhint("Name the model of each version."),
					 mr_reason("model_not_found")));
		return model;
	}
	mr_split_qualified_name(arm->model, &team, &name, NULL);
	mr_require_team_of_endpoint(&call->verb.team, arm->model, team);
	return mr_model_find_in_verb(&call->verb, arm->model, name);
}

/* Versions without a share are none of its arms; one is there under one name only. */
static MrSplit
resolve(Call *call, const MrTrafficSplit *named)
{
	MrSplit		split = {palloc(Max(named->n, 1) * sizeof(MrShare)), 0};

	for (int i = 0; i < named->n; i++)
	{
		const MrNamedShare *share = &named->shares[i];
		MrModel		model = model_of_arm(call, &share->arm);

		mr_require_version(&model, share->arm.version, NULL);
		if (share->share > 0)
			split.shares[split.n++] = (MrShare) {{model.id, share->arm.version}, share->share};
	}
	qsort(split.shares, split.n, sizeof(MrShare), mr_share_compare);
	for (int i = 1; i < split.n; i++)
		if (mr_arm_compare(&split.shares[i - 1].arm, &split.shares[i].arm) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("version %d is there twice, with and without its model",
							split.shares[i].arm.version),
					 mr_reason("invalid_argument")));
	return split;
}

/* All of it to one version, or a split; exactly one of the two is given. */
static MrTrafficSplit *
target_arg(FunctionCallInfo fcinfo)
{
	MrTrafficSplit *target = palloc0(sizeof(MrTrafficSplit));

	if (PG_ARGISNULL(1) == PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a rollout leads to a version or to a split"),
				 errhint("Give one of version and split."),
				 mr_reason("invalid_argument")));
	if (!PG_ARGISNULL(2))
	{
		(void) mr_traffic_split_parse(text_to_cstring(PG_GETARG_TEXT_PP(2)), NULL, target);
		return target;
	}
	target->n = 1;
	target->shares[0].arm.version = PG_GETARG_INT32(1);
	target->shares[0].share = MR_WHOLE;
	return target;
}

static void
refuse_while_running(Call *call)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a rollout runs at \"%s\"", mr_endpoint_address(&call->endpoint)),
			 errdetail("Event " INT64_FORMAT " started it.", call->present->rollout),
			 errhint("Call modelreg.complete_rollout() or modelreg.abort_rollout() first."),
			 mr_reason("rollout_running")));
}

static int64
start(Call *call, const MrTrafficSplit *named, MrPlan *plan)
{
	MrSplit		target;
	MrSchedule *schedule;

	lock(call);
	target = resolve(call, named);
	if (runs(call))
		refuse_while_running(call);
	if (mr_split_equal(&call->split, &target))
		return leave(call);
	schedule = mr_schedule_start(call->present, &target, plan, call->at);
	schedule->rollout = DatumGetInt64(call->head->values[HEAD_SEQ - 1]) + 1;
	schedule->restored = 0;
	return change_if_permitted(call, "rollout_started", schedule);
}

/*
 * modelreg.start_rollout(endpoint text, version integer,
 *		split modelreg.traffic_split, plan text, reason text, expected text,
 *		request_id text) returns bigint
 *
 * Returns the number of the event, by which the rollout is called; NULL when
 * the traffic is so already.  Errors: 22023 for a plan, 42704, 42501, 55000 while
 * another one runs, for versions that may not take the traffic, and when
 * another schedule holds than was expected.
 */
Datum
modelreg_start_rollout(PG_FUNCTION_ARGS)
{
	Call		call = {.reason = mr_arg_text_or_null(fcinfo, 4),
	.expected = mr_arg_text_or_null(fcinfo, 5)};
	MrTrafficSplit *target = target_arg(fcinfo);
	MrPlan	   *plan = mr_plan_parse(mr_arg_text(fcinfo, 3, "plan"));
	int64		number = 0;

	if (mr_endpoint_verb_begin(&call.verb, fcinfo, "start_rollout", MR_MAINTAINER, 6,
							   &call.endpoint))
		number = start(&call, target, plan);
	MR_VERB_RETURN_NUMBER(&call.verb, "number", number);
}

/* Is the present schedule what an earlier call of the verb has made? */
static bool
was_laid_by(const Call *call, const char *kind)
{
	return strcmp(call->present->kind, kind) == 0;
}

static void
require_rollout(Call *call)
{
	if (runs(call))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no rollout runs at \"%s\"", mr_endpoint_address(&call->endpoint)),
			 errhint("modelreg.rollback() goes back to an earlier split, modelreg.start_rollout() to another one."),
			 mr_reason("no_rollout")));
}

static int64
pause_rollout(Call *call)
{
	lock(call);
	require_rollout(call);
	if (call->present->state == MR_SCHEDULE_PAUSED)
		return leave(call);
	return change(call, "rollout_paused",
				  mr_schedule_pause(call->present, MR_SCHEDULE_PAUSED, call->at));
}

static int64
resume_rollout(Call *call)
{
	lock(call);
	require_rollout(call);
	if (call->present->state == MR_SCHEDULE_RUNNING)
		return leave(call);
	return change_if_permitted(call, "rollout_resumed",
							   mr_schedule_resume(call->present, call->at));
}

static int64
complete_rollout(Call *call)
{
	lock(call);
	if (was_laid_by(call, "rollout_completed"))
		return leave(call);
	require_rollout(call);
	return change_if_permitted(call, "rollout_completed",
							   mr_schedule_complete(call->present, call->at));
}

/* What stood before may stand again, as far as stages go: it serves. */
static int64
abort_rollout(Call *call)
{
	MrJson		what;

	lock(call);
	if (was_laid_by(call, "rollout_aborted"))
		return leave(call);
	require_rollout(call);
	mr_json_begin(&what);
	return mr_abort(call->head, &call->verb, call->present, call->at, &what, call->reason);
}

/*
 * The frame of the verbs about a rollout that runs: (endpoint text, reason
 * text, expected text, request_id text) returns bigint, the number of the
 * event, NULL when it is so already.  Errors: 42704, 42501, 55000 when none
 * runs or another schedule holds than was expected.
 */
static Datum
run(FunctionCallInfo fcinfo, const char *name, int64 (*act) (Call *call))
{
	Call		call = {.reason = mr_arg_text_or_null(fcinfo, 1),
	.expected = mr_arg_text_or_null(fcinfo, 2)};
	int64		number = 0;

	if (mr_endpoint_verb_begin(&call.verb, fcinfo, name, MR_MAINTAINER, 3, &call.endpoint))
		number = act(&call);
	MR_VERB_RETURN_NUMBER(&call.verb, "number", number);
}

/* The weights stay as they are. */
Datum
modelreg_pause_rollout(PG_FUNCTION_ARGS)
{
	return run(fcinfo, "pause_rollout", pause_rollout);
}

/* Also one that a quarantine holds; 55000 while that touches what would grow. */
Datum
modelreg_resume_rollout(PG_FUNCTION_ARGS)
{
	return run(fcinfo, "resume_rollout", resume_rollout);
}

/* To the target at once. */
Datum
modelreg_complete_rollout(PG_FUNCTION_ARGS)
{
	return run(fcinfo, "complete_rollout", complete_rollout);
}

/* Back to what stood before the rollout. */
Datum
modelreg_abort_rollout(PG_FUNCTION_ARGS)
{
	return run(fcinfo, "abort_rollout", abort_rollout);
}
