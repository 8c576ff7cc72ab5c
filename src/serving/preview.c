/*
 * preview.c
 *		What a rollout would do, for those who want to see before they start it.
 *
 * Runs the same code as the verbs, and neither reads nor writes: models need
 * not exist.  Their ids, which order the arms, are replaced by the order of
 * their names.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "governance/member.h"
#include "serving/duration.h"
#include "serving/schedule.h"

/* No plan takes this long; so no time of a preview is beyond what can be. */
#define LATEST_START (END_TIMESTAMP - 1024 * (MR_MAX_DURATION + USECS_PER_DAY))

#define MAX_ACTS 1000

typedef struct Preview
{
	ReturnSetInfo *rsinfo;
	char	   *models[1 + 2 * MR_MAX_ARMS];	/* the first has no name */
	int			nmodels;
	TimestampTz starts;
	MrSchedule *schedule;
	int			number;			/* of the schedule, from 0 */
	StringInfo	mistakes;
} Preview;

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
collect_models(Preview *preview, const MrTrafficSplit *split)
{
	for (int i = 0; i < split->n; i++)
		if (split->shares[i].arm.model != NULL)
			preview->models[preview->nmodels++] = split->shares[i].arm.model;
}

static int64
model_id(const Preview *preview, const char *name)
{
	int			i = 0;

	while (name != NULL && (i == 0 || strcmp(preview->models[i], name) != 0))
		i++;
	return i;
}

static MrSplit
to_split(const Preview *preview, const MrTrafficSplit *named)
{
	MrSplit		split = {palloc(named->n * sizeof(MrShare)), named->n};

	for (int i = 0; i < named->n; i++)
	{
		split.shares[i].arm.model = model_id(preview, named->shares[i].arm.model);
		split.shares[i].arm.version = named->shares[i].arm.version;
		split.shares[i].weight = named->shares[i].share;
	}
	return split;
}

static char *
arm_text(const Preview *preview, const MrArm *arm)
{
	MrNamedArm	named = {preview->models[arm->model], arm->version};

	return mr_named_arm_print(&named);
}

static Datum
split_datum(const Preview *preview, const MrSegments *segments)
{
	MrSplit		split = mr_split_of(segments);
	MrTrafficSplit named;

	named.n = split.n;
	for (int i = 0; i < split.n; i++)
		named.shares[i] = (MrNamedShare) {{preview->models[split.shares[i].arm.model],
		split.shares[i].arm.version}, split.shares[i].weight};
	return CStringGetTextDatum(mr_traffic_split_print(&named));
}

static Datum
arms_datum(const Preview *preview, const MrArm *arms, int n)
{
	Datum	   *texts = palloc((n + 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		texts[i] = CStringGetTextDatum(arm_text(preview, &arms[i]));
	return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Segments as text: arms with their widths, in the order of positions. */
static Datum
segments_datum(const Preview *preview, const MrSegments *segments)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < segments->n; i++)
		appendStringInfo(&buf, "%s%s: %d", i > 0 ? ", " : "",
						 arm_text(preview, &segments->segments[i].arm), segments->segments[i].width);
	return CStringGetTextDatum(buf.data);
}

static void
put_step(Preview *preview, int number, const MrStep *step, bool waits)
{
	Datum		values[9];
	bool		nulls[9] = {false};
	Interval	bake = {.time = step->bake};

	CHECK_FOR_INTERRUPTS();
	values[0] = Int32GetDatum(preview->number);
	values[1] = Int32GetDatum(number);
	values[2] = TimestampTzGetDatum(step->opens);
	nulls[2] = waits;
	values[3] = IntervalPGetDatum(&bake);
	nulls[3] = step->bake == 0;
	values[4] = split_datum(preview, &step->segments);
	values[5] = arms_datum(preview, step->shadow, step->nshadow);
	values[6] = arms_datum(preview, step->warm, step->nwarm);
	values[7] = segments_datum(preview, &step->segments);
	values[8] = CStringGetTextDatum(mr_schedule_state_name(preview->schedule->state));
	tuplestore_putvalues(preview->rsinfo->setResult, preview->rsinfo->setDesc, values, nulls);
}

static void
put_schedule(Preview *preview)
{
	const MrSchedule *schedule = preview->schedule;

	for (int i = 0; i < schedule->nsteps; i++)
		put_step(preview, i, &schedule->steps[i], false);
	for (int i = 0; i < schedule->nwaiting; i++)
		put_step(preview, schedule->nsteps + i, &schedule->waiting[i], true);
}

/* What an act makes of the schedule, or NULL where it has nothing to act on. */
static MrSchedule *
act_on(const MrSchedule *schedule, const char *act, TimestampTz now)
{
	bool		runs = mr_schedule_runs(schedule, now);
	bool		frozen = schedule->state == MR_SCHEDULE_PAUSED || schedule->state == MR_SCHEDULE_HELD;

	if (strcmp(act, "pause") == 0 && runs && !frozen)
		return mr_schedule_pause(schedule, MR_SCHEDULE_PAUSED, now);
	if (strcmp(act, "hold") == 0 && runs && schedule->state != MR_SCHEDULE_HELD)
		return mr_schedule_pause(schedule, MR_SCHEDULE_HELD, now);
	if (strcmp(act, "resume") == 0 && frozen)
		return mr_schedule_resume(schedule, now);
	if (strcmp(act, "pass") == 0 && mr_schedule_awaits_evidence(schedule, now))
		return mr_schedule_open_next(schedule, now);
	if (strcmp(act, "complete") == 0 && runs)
		return mr_schedule_complete(schedule, now);
	if (strcmp(act, "abort") == 0 && runs)
		return mr_schedule_abort(schedule, now);
	return NULL;
}

static const MrMember act_members[] = {
	{"act", MR_MEMBER_TEXT, true},
	{"after", MR_MEMBER_TEXT, true},
	{NULL}
};

/* When an act is; of what is wrong, the mistakes get a sentence. */
static TimestampTz
time_of_act(const Preview *preview, JsonbContainer *object, const char *where)
{
	char	   *after = mr_member_text(object, "after");
	int64		duration = 0;
	MrFault		fault;

	if (after != NULL && !mr_duration_scan(after, strlen(after), &duration, &fault))
		mr_mistake(preview->mistakes, "\"after\" of %s: %s", where, fault.what);
	else if (after != NULL && preview->starts + duration <= preview->schedule->at)
		mr_mistake(preview->mistakes, "%s is not after what is before it.", where);
	return preview->starts + duration;
}

static void
perform(const char *name, const JsonbValue *value, void *arg)
{
	Preview    *preview = arg;
	char	   *where = psprintf("act %d", ++preview->number);
	JsonbContainer *object = mr_value_object(value);
	TimestampTz now;
	MrSchedule *next;

	/* what comes behind a mistake cannot be told */
	if (preview->mistakes->len > 0)
		return;
	if (object == NULL)
	{
		mr_mistake(preview->mistakes, "%s must be an object.", where);
		return;
	}
	mr_members_check(object, NULL, act_members, where, preview->mistakes);
	now = time_of_act(preview, object, where);
	if (preview->mistakes->len > 0)
		return;
	next = act_on(preview->schedule, mr_member_text(object, "act"), now);
	if (next == NULL)
	{
		mr_mistake(preview->mistakes, "%s, \"%s\", finds nothing to act on; acts are pause, hold, resume, pass, complete and abort.",
				   where, mr_text_clip(mr_member_text(object, "act")));
		return;
	}
	preview->schedule = next;
	put_schedule(preview);
}

static void
perform_all(Preview *preview, Jsonb *acts)
{
	StringInfoData mistakes;

	initStringInfo(&mistakes);
	preview->mistakes = &mistakes;
	if (!JB_ROOT_IS_ARRAY(acts) || JB_ROOT_IS_SCALAR(acts) || JB_ROOT_COUNT(acts) > MAX_ACTS)
		mr_mistake(&mistakes, "acts are a list of at most %d objects.", MAX_ACTS);
	else
		mr_member_each(&acts->root, perform, preview);
	if (mistakes.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid acts of a preview"),
				 errdetail_internal("%s", mistakes.data),
				 errhint("An act is written as {\"act\": \"pause\", \"after\": \"30 minutes\"}."),
				 mr_reason("invalid_acts")));
}

static TimestampTz
arg_starts(FunctionCallInfo fcinfo, int n)
{
	TimestampTz starts;

	mr_arg_require(fcinfo, n, "starts");
	starts = PG_GETARG_TIMESTAMPTZ(n);
	if (TIMESTAMP_NOT_FINITE(starts) || starts > LATEST_START)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("starts must be finite, and leave time for the plan"),
				 mr_reason("invalid_time")));
	return starts;
}

static void
arg_split(FunctionCallInfo fcinfo, int n, const char *name, MrTrafficSplit *split)
{
	mr_arg_require(fcinfo, n, name);
	mr_traffic_split_parse(TextDatumGetCString(PG_GETARG_DATUM(n)), NULL, split);
}

/*
 * modelreg.preview_rollout(present traffic_split, target traffic_split,
 *		plan text, starts timestamptz, acts jsonb) returns a row for each step
 *		of the schedule that the rollout begins with, and of those that the
 *		acts make of it.
 *
 * Errors: 22023 for a plan or acts that cannot be.
 */
PG_FUNCTION_INFO_V1(modelreg_preview_rollout);
Datum
modelreg_preview_rollout(PG_FUNCTION_ARGS)
{
	Preview		preview = {.nmodels = 1};
	MrTrafficSplit present;
	MrTrafficSplit target;
	MrSplit		split;
	MrPlan	   *plan;

	arg_split(fcinfo, 0, "present", &present);
	arg_split(fcinfo, 1, "target", &target);
	plan = mr_plan_parse(mr_arg_text(fcinfo, 2, "plan"));
	preview.starts = arg_starts(fcinfo, 3);
	collect_models(&preview, &present);
	collect_models(&preview, &target);
	qsort(preview.models + 1, preview.nmodels - 1, sizeof(char *), compare_names);
	InitMaterializedSRF(fcinfo, 0);
	preview.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	split = to_split(&preview, &present);
	preview.schedule = mr_schedule_first(&split, preview.starts);
	split = to_split(&preview, &target);
	preview.schedule = mr_schedule_start(preview.schedule, &split, plan, preview.starts);
	put_schedule(&preview);
	if (!PG_ARGISNULL(4))
		perform_all(&preview, PG_GETARG_JSONB_P(4));
	return (Datum) 0;
}

/*
 * modelreg.normalized_plan(plan text) returns jsonb: the document as which a
 * plan is kept.  Errors: 22023 for what is no plan.
 */
PG_FUNCTION_INFO_V1(modelreg_normalized_plan);
Datum
modelreg_normalized_plan(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(mr_plan_json(mr_plan_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}
