/*
 * schedule_document.c
 *		The document of a schedule's row.
 *
 * Members that are empty are left out, and so is what follows from another:
 * of steps with times only the last has a bake, and only if something waits
 * behind it.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "audit/audit.h"
#include "base/hash.h"
#include "governance/member.h"
#include "serving/schedule.h"

static const char *const state_names[] = {
	[MR_SCHEDULE_RUNNING] = "running",
	[MR_SCHEDULE_PAUSED] = "paused",
	[MR_SCHEDULE_HELD] = "held",
	[MR_SCHEDULE_ENDED] = "ended"
};

const char *
mr_schedule_state_name(MrScheduleState state)
{
	return state_names[state];
}

/* [model, version], or with a number behind if it is above zero. */
static void
write_arm(MrJson *json, const MrArm *arm, int32 number)
{
	pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
	mr_json_add_int_element(json, arm->model);
	mr_json_add_int_element(json, arm->version);
	if (number > 0)
		mr_json_add_int_element(json, number);
	pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
}

static void
write_arms(MrJson *json, const char *name, const MrArm *arms, int n)
{
	if (n == 0)
		return;
	mr_json_begin_array(json, name);
	for (int i = 0; i < n; i++)
		write_arm(json, &arms[i], 0);
	mr_json_end_array(json);
}

static void
write_split(MrJson *json, const char *name, const MrSplit *split)
{
	if (split->n == 0)
		return;
	mr_json_begin_array(json, name);
	for (int i = 0; i < split->n; i++)
		write_arm(json, &split->shares[i].arm, split->shares[i].weight);
	mr_json_end_array(json);
}

static Jsonb *
write_step(const MrStep *step, bool opens, bool bake)
{
	MrJson		json;

	mr_json_begin(&json);
	if (opens)
		mr_json_add_int(&json, "opens", step->opens);
	if (bake)
		mr_json_add_int(&json, "bake", step->bake);
	mr_json_begin_array(&json, "segments");
	for (int i = 0; i < step->segments.n; i++)
		write_arm(&json, &step->segments.segments[i].arm, step->segments.segments[i].width);
	mr_json_end_array(&json);
	write_arms(&json, "shadow", step->shadow, step->nshadow);
	write_arms(&json, "warm", step->warm, step->nwarm);
	return mr_json_end(&json);
}

Jsonb *
mr_schedule_write(const MrSchedule *schedule)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_begin_array(&json, "steps");
	for (int i = 0; i < schedule->nsteps; i++)
		mr_json_add_element(&json, write_step(&schedule->steps[i], true,
											  i == schedule->nsteps - 1 && schedule->nwaiting > 0));
	mr_json_end_array(&json);
	if (schedule->nwaiting > 0)
	{
		mr_json_begin_array(&json, "waiting");
		for (int i = 0; i < schedule->nwaiting; i++)
			mr_json_add_element(&json, write_step(&schedule->waiting[i], false,
												  i < schedule->nwaiting - 1));
		mr_json_end_array(&json);
	}
	if (schedule->plan != NULL)
		mr_json_add_json(&json, "plan", mr_plan_json(schedule->plan));
	write_split(&json, "from", &schedule->from);
	write_split(&json, "target", &schedule->target);
	mr_json_add_text(&json, "state", state_names[schedule->state]);
	return mr_json_end(&json);
}

static void
raise_unreadable(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("a schedule that is kept cannot be read"),
			 errdetail_internal("Its %s is not what it has to be.", what)));
}

static int64
number_of(const JsonbValue *value, const char *what)
{
	int64		number;

	if (value->type != jbvNumeric)
		raise_unreadable(what);
	if (mr_json_to_int(value, &number))
		return number;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 NumericGetDatum(value->val.numeric)));
}

static bool
find_member(JsonbContainer *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, name, strlen(name), value) != NULL;
}

/* A member that is a list; NULL if it is missing. */
static JsonbContainer *
find_list(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (!find_member(object, name, &value))
		return NULL;
	if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		raise_unreadable(name);
	return value.val.binary.data;
}

static int64
find_number(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (!find_member(object, name, &value))
		raise_unreadable(name);
	return number_of(&value, name);
}

/* [model, version, number], or without the number if that is NULL. */
static void
read_arm(const JsonbValue *element, MrArm *arm, int32 *number, const char *what)
{
	int			n = number == NULL ? 2 : 3;
	int64		values[3];

	if (element->type != jbvBinary || !JsonContainerIsArray(element->val.binary.data) ||
		JsonContainerSize(element->val.binary.data) != n)
		raise_unreadable(what);
	for (int i = 0; i < n; i++)
	{
		values[i] = number_of(getIthJsonbValueFromContainer(element->val.binary.data, i), what);
		if (values[i] < 0 || (i > 0 && (values[i] < 1 || values[i] > PG_INT32_MAX)))
			raise_unreadable(what);
	}
	arm->model = values[0];
	arm->version = (int32) values[1];
	if (number != NULL)
		*number = (int32) values[2];
}

/* Arms with numbers that add up to the whole. */
typedef struct Reading
{
	const char *what;
	void	   *items;			/* MrArm or MrShare */
	int			n;
	int64		sum;
} Reading;

static void
add_arm(const char *name, const JsonbValue *value, void *arg)
{
	Reading    *reading = arg;

	read_arm(value, &((MrArm *) reading->items)[reading->n++], NULL, reading->what);
}

static void
add_weight(const char *name, const JsonbValue *value, void *arg)
{
	Reading    *reading = arg;
	MrShare    *share = &((MrShare *) reading->items)[reading->n++];

	read_arm(value, &share->arm, &share->weight, reading->what);
	reading->sum += share->weight;
}

static MrArm *
read_arms(JsonbContainer *object, const char *name, int *n)
{
	JsonbContainer *list = find_list(object, name);
	Reading		reading = {.what = name};

	*n = 0;
	if (list == NULL)
		return NULL;
	reading.items = palloc((JsonContainerSize(list) + 1) * sizeof(MrArm));
	mr_member_each(list, add_arm, &reading);
	*n = reading.n;
	return reading.items;
}

/* Shares that add up to the whole, in the order of the list. */
static MrShare *
read_shares(JsonbContainer *object, const char *name, int *n)
{
	JsonbContainer *list = find_list(object, name);
	Reading		reading = {.what = name};

	*n = 0;
	if (list == NULL)
		return NULL;
	reading.items = palloc((JsonContainerSize(list) + 1) * sizeof(MrShare));
	mr_member_each(list, add_weight, &reading);
	if (reading.sum != MR_WHOLE)
		raise_unreadable(name);
	*n = reading.n;
	return reading.items;
}

static MrSplit
read_split(JsonbContainer *object, const char *name)
{
	MrSplit		split;

	split.shares = read_shares(object, name, &split.n);
	for (int i = 1; i < split.n; i++)
		if (mr_arm_compare(&split.shares[i - 1].arm, &split.shares[i].arm) >= 0)
			raise_unreadable(name);
	return split;
}

static MrSegments
read_segments(JsonbContainer *object)
{
	MrSegments	segments;
	MrShare    *shares = read_shares(object, "segments", &segments.n);

	if (segments.n == 0)
		raise_unreadable("segments");
	segments.segments = palloc(segments.n * sizeof(MrSegment));
	for (int i = 0; i < segments.n; i++)
		segments.segments[i] = (MrSegment) {shares[i].arm, shares[i].weight};
	return segments;
}

/* Steps, with times or waiting. */
typedef struct Steps
{
	MrStep	   *steps;
	int			n;
	bool		waiting;
} Steps;

static void
add_step(const char *name, const JsonbValue *value, void *arg)
{
	Steps	   *steps = arg;
	MrStep	   *step = &steps->steps[steps->n++];
	JsonbContainer *object = mr_value_object(value);
	JsonbValue	bake;

	if (object == NULL)
		raise_unreadable("step");
	step->opens = steps->waiting ? 0 : find_number(object, "opens");
	step->bake = find_member(object, "bake", &bake) ? number_of(&bake, "bake") : 0;
	step->segments = read_segments(object);
	step->shadow = read_arms(object, "shadow", &step->nshadow);
	step->warm = read_arms(object, "warm", &step->nwarm);
	if (!steps->waiting && steps->n > 1)
	{
		step[-1].bake = step->opens - step[-1].opens;
		if (step[-1].bake < 0)
			raise_unreadable("opens");
	}
}

static MrStep *
read_steps(JsonbContainer *object, const char *name, bool waiting, int *n)
{
	JsonbContainer *list = find_list(object, name);
	Steps		steps = {NULL, 0, waiting};

	if (list != NULL)
	{
		steps.steps = palloc((JsonContainerSize(list) + 1) * sizeof(MrStep));
		mr_member_each(list, add_step, &steps);
	}
	*n = steps.n;
	return steps.steps;
}

static MrScheduleState
read_state(JsonbContainer *object)
{
	char	   *name = mr_member_text(object, "state");

	for (int i = 0; name != NULL && i < lengthof(state_names); i++)
		if (strcmp(name, state_names[i]) == 0)
			return i;
	raise_unreadable("state");
	return MR_SCHEDULE_ENDED;	/* not reached */
}

/* Fill in what the document of a schedule has. */
void
mr_schedule_read(Jsonb *doc, MrSchedule *schedule)
{
	JsonbContainer *root = &doc->root;
	JsonbContainer *plan;

	if (!JsonContainerIsObject(root))
		raise_unreadable("document");
	schedule->steps = read_steps(root, "steps", false, &schedule->nsteps);
	if (schedule->nsteps == 0)
		raise_unreadable("steps");
	schedule->waiting = read_steps(root, "waiting", true, &schedule->nwaiting);
	plan = mr_member_object(root, "plan");
	schedule->plan = plan == NULL ? NULL : mr_plan_read(plan);
	schedule->from = read_split(root, "from");
	schedule->target = read_split(root, "target");
	schedule->state = read_state(root);
}
