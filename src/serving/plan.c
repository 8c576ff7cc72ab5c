/*
 * plan.c
 *		Plans of rollouts: in which steps, and how fast, a target is reached.
 *
 * A plan is kept as its document: durations and weights in their one way of
 * writing, and nothing that the text left out but could have said, except
 * what has a default.  Guards are only read here; quality.c holds figures
 * against them.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "audit/audit.h"
#include "base/errors.h"
#include "base/hash.h"
#include "governance/member.h"
#include "serving/duration.h"
#include "serving/plan.h"
#include "serving/plan_text.h"
#include "types/traffic_split.h"

#define FOREVER "forever"
#define BASELINE "baseline"

#define MAX_OBSERVATIONS INT64CONST(1000000000000)
#define MAX_METRIC_BYTES 255

static const MrMember plan_members[] = {
	{"warm_up", MR_MEMBER_TEXT, false},
	{"shadow", MR_MEMBER_TEXT, false},
	{"steps", MR_MEMBER_ARRAY, false},
	{"linear", MR_MEMBER_TEXT, false},
	{"in", MR_MEMBER_NUMBER, false},
	{"keep_warm", MR_MEMBER_TEXT, false},
	{"guards", MR_MEMBER_ARRAY, false},
	{NULL}
};

static const MrMember step_members[] = {
	{"weight", MR_MEMBER_TEXT, true},
	{"bake", MR_MEMBER_TEXT, false},
	{NULL}
};

static const MrMember guard_members[] = {
	{"metric", MR_MEMBER_TEXT, true},
	{"at_least", MR_MEMBER_NUMBER, false},
	{"at_most", MR_MEMBER_NUMBER, false},
	{"of", MR_MEMBER_TEXT, false},
	{"min_observations", MR_MEMBER_NUMBER, false},
	{NULL}
};

typedef struct Parse
{
	MrPlan	   *plan;
	StringInfo	mistakes;
} Parse;

/* Step k of n opens when k of n parts of the time are gone. */
void
mr_plan_make_linear(MrPlan *plan, int n, StringInfo mistakes)
{
	plan->linear = true;
	if (plan->over / n < 1000)
	{
		mr_mistake(mistakes, "%d steps of a linear plan take at least %d milliseconds.", n, n);
		return;
	}
	plan->nsteps = n + 1;
	plan->steps = palloc(plan->nsteps * sizeof(MrPlanStep));
	for (int64 k = 0; k <= n; k++)
	{
		plan->steps[k].weight = (int32) (k * MR_WHOLE / n);
		plan->steps[k].bake = k == n ? 0 :
			(k + 1) * plan->over / n - k * plan->over / n;
	}
}

/*
 * Of every two steps the first stays, and lasts as long as both, so that at no time
 * more of the way is gone than it would be.
 */
static void
halve_steps(MrPlan *plan)
{
	MrPlanStep *steps = palloc(plan->nsteps * sizeof(MrPlanStep));
	int			last = plan->nsteps - 1;
	int			n = 0;

	for (int i = 0; i < last && last > 1; i++)
	{
		if (i % 2 == 0)
			steps[n++] = plan->steps[i];
		else
			steps[n - 1].bake += plan->steps[i].bake;
	}
	steps[n++] = plan->steps[last];
	plan->steps = steps;
	plan->nsteps = n;
	if (n == 1)
		plan->nguards = 0;
}

MrPlan *
mr_plan_halve(const MrPlan *plan)
{
	MrPlan	   *half = palloc(sizeof(MrPlan));

	*half = *plan;
	if (!plan->linear)
		halve_steps(half);
	else if (plan->nsteps > 2)
		mr_plan_make_linear(half, (plan->nsteps - 1) / 2, NULL);
	else
	{
		half->linear = false;
		halve_steps(half);
	}
	return half;
}

/* A member that is a duration; 0 if it is missing, or wrong. */
static int64
read_duration(JsonbContainer *object, const char *name, const char *where,
			  StringInfo mistakes)
{
	char	   *text = mr_member_text(object, name);
	int64		duration = 0;
	MrFault		fault;

	if (text != NULL && !mr_duration_scan(text, strlen(text), &duration, &fault))
	{
		mr_mistake(mistakes, "\"%s\" of %s: %s", name, where, fault.what);
		return 0;
	}
	return duration;
}

static void
add_step(const char *name, const JsonbValue *value, void *arg)
{
	Parse	   *parse = arg;
	MrPlanStep *step = &parse->plan->steps[parse->plan->nsteps++];
	char	   *where = psprintf("step %d", parse->plan->nsteps);
	JsonbContainer *object = mr_value_object(value);
	char	   *weight;
	MrFault		fault;

	*step = (MrPlanStep) {0, 0};
	if (object == NULL)
	{
		mr_mistake(parse->mistakes, "%s must be an object.", where);
		return;
	}
	mr_members_check(object, NULL, step_members, where, parse->mistakes);
	weight = mr_member_text(object, "weight");
	if (weight != NULL &&
		!mr_percent_scan(weight, strlen(weight), &step->weight, &fault))
	{
		step->weight = 0;
		mr_mistake(parse->mistakes, "\"weight\" of %s: %s", where, fault.what);
	}
	step->bake = read_duration(object, "bake", where, parse->mistakes);
}

static void
read_steps(Parse *parse, JsonbContainer *steps)
{
	int			n = JsonContainerSize(steps);

	if (n == 0 || n > MR_MAX_STEPS)
	{
		mr_mistake(parse->mistakes, "a plan has 1 to %d steps.", MR_MAX_STEPS);
		return;
	}
	parse->plan->steps = palloc(n * sizeof(MrPlanStep));
	mr_member_each(steps, add_step, parse);
}

/* The one of at_least and at_most that is there. */
static void
read_bound(JsonbContainer *object, MrGuard *guard, const char *where,
		   StringInfo mistakes)
{
	Numeric		at_least = mr_member_number(object, "at_least");
	Numeric		at_most = mr_member_number(object, "at_most");

	if ((at_least == NULL) == (at_most == NULL))
	{
		mr_mistake(mistakes, "%s needs either \"at_least\" or \"at_most\".", where);
		return;
	}
	guard->at_least = at_least != NULL;
	guard->bound = at_least != NULL ? at_least : at_most;
	guard->bound_float = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
															NumericGetDatum(guard->bound)));
	if (isinf(guard->bound_float))
		mr_mistake(mistakes, "the bound of %s is out of range.", where);
	if (guard->of_baseline && guard->bound_float <= 0)
		mr_mistake(mistakes, "the bound of %s is a factor of the baseline and must be above zero.", where);
}

static void
read_observations(JsonbContainer *object, MrGuard *guard, const char *where,
				  StringInfo mistakes)
{
	Numeric		given = mr_member_number(object, "min_observations");
	float8		number = given == NULL ? 1 :
		DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(given)));

	if (number < 1 || number > MAX_OBSERVATIONS || number != floor(number))
	{
		mr_mistake(mistakes, "\"min_observations\" of %s must be a whole number from 1 to " INT64_FORMAT ".",
				   where, MAX_OBSERVATIONS);
		return;
	}
	guard->min_observations = (int64) number;
}

/* No two guards bound the same in the same direction. */
static void
check_other_guards(const MrPlan *plan, const MrGuard *guard, const char *where,
				   StringInfo mistakes)
{
	for (const MrGuard *other = plan->guards; other < guard; other++)
		if (other->metric != NULL && strcmp(other->metric, guard->metric) == 0 &&
			other->at_least == guard->at_least && other->of_baseline == guard->of_baseline)
			mr_mistake(mistakes, "%s says again what guard %d does.", where,
					   (int) (other - plan->guards) + 1);
}

static void
add_guard(const char *name, const JsonbValue *value, void *arg)
{
	Parse	   *parse = arg;
	MrGuard    *guard = &parse->plan->guards[parse->plan->nguards++];
	char	   *where = psprintf("guard %d", parse->plan->nguards);
	JsonbContainer *object = mr_value_object(value);
	char	   *of;

	*guard = (MrGuard) {0};
	if (object == NULL)
	{
		mr_mistake(parse->mistakes, "%s must be an object.", where);
		return;
	}
	mr_members_check(object, NULL, guard_members, where, parse->mistakes);
	guard->metric = mr_member_text(object, "metric");
	if (guard->metric != NULL && strlen(guard->metric) > MAX_METRIC_BYTES)
		mr_mistake(parse->mistakes, "the metric of %s has a name of more than %d bytes.", where, MAX_METRIC_BYTES);
	of = mr_member_text(object, "of");
	guard->of_baseline = of != NULL && strcmp(of, BASELINE) == 0;
	if (of != NULL && !guard->of_baseline)
		mr_mistake(parse->mistakes, "\"of\" of %s must be " BASELINE ".", where);
	read_bound(object, guard, where, parse->mistakes);
	read_observations(object, guard, where, parse->mistakes);
	if (guard->metric != NULL && guard->bound != NULL)
		check_other_guards(parse->plan, guard, where, parse->mistakes);
}

static void
read_guards(Parse *parse, JsonbContainer *guards)
{
	int			n = JsonContainerSize(guards);

	if (n == 0 || n > MR_MAX_GUARDS)
	{
		mr_mistake(parse->mistakes, "\"guards\" of the plan has 1 to %d guards.", MR_MAX_GUARDS);
		return;
	}
	parse->plan->guards = palloc(n * sizeof(MrGuard));
	mr_member_each(guards, add_guard, parse);
}

static void
read_linear(Parse *parse, JsonbContainer *root)
{
	int			n = mr_member_count(root, "in", MR_DEFAULT_LINEAR);

	parse->plan->over = read_duration(root, "linear", "the plan", parse->mistakes);
	if (mr_member_number(root, "in") != NULL && (n < 1 || n > MR_MAX_STEPS))
		mr_mistake(parse->mistakes, "\"in\" of the plan must be a whole number from 1 to %d.", MR_MAX_STEPS);
	else if (n > 0 && parse->plan->over > 0)
		mr_plan_make_linear(parse->plan, n, parse->mistakes);
	parse->plan->linear = true;
}

/* Which members can stand together. */
static void
check_members(JsonbContainer *root, StringInfo mistakes)
{
	char	   *shadow = mr_member_text(root, "shadow");
	bool		steps = mr_member_array(root, "steps") != NULL;
	bool		linear = mr_member_text(root, "linear") != NULL;

	if (steps && linear)
		mr_mistake(mistakes, "the plan has either \"steps\" or \"linear\".");
	if (!steps && !linear && shadow == NULL)
		mr_mistake(mistakes, "the plan needs \"steps\", \"linear\" or \"shadow\".");
	if (!linear && mr_member_number(root, "in") != NULL)
		mr_mistake(mistakes, "\"in\" of the plan belongs to \"linear\".");
	if ((steps || linear) && shadow != NULL && strcmp(shadow, FOREVER) == 0)
		mr_mistake(mistakes, "a shadow that stays for ever has no steps behind it.");
	if (!steps && !linear && mr_member_text(root, "keep_warm") != NULL)
		mr_mistake(mistakes, "\"keep_warm\" of the plan needs steps that take the traffic from something.");
}

static void
read_document(Parse *parse, JsonbContainer *root)
{
	MrPlan	   *plan = parse->plan;
	char	   *shadow = mr_member_text(root, "shadow");
	JsonbContainer *part;

	mr_members_check(root, NULL, plan_members, "the plan", parse->mistakes);
	check_members(root, parse->mistakes);
	plan->warm_up = read_duration(root, "warm_up", "the plan", parse->mistakes);
	plan->shadow = shadow != NULL && strcmp(shadow, FOREVER) == 0 ? MR_FOREVER :
		read_duration(root, "shadow", "the plan", parse->mistakes);
	plan->keep_warm = read_duration(root, "keep_warm", "the plan", parse->mistakes);
	if ((part = mr_member_array(root, "steps")) != NULL)
		read_steps(parse, part);
	else if (mr_member_text(root, "linear") != NULL)
		read_linear(parse, root);
	if ((part = mr_member_array(root, "guards")) != NULL)
		read_guards(parse, part);
}

/* Steps that people list, whichever way: they grow, bake, and arrive. */
static void
check_steps(const MrPlan *plan, StringInfo mistakes)
{
	if (!plan->linear && plan->nsteps > MR_MAX_STEPS)
		mr_mistake(mistakes, "a plan has 1 to %d steps.", MR_MAX_STEPS);
	for (int i = 0; i < plan->nsteps && !plan->linear; i++)
	{
		const MrPlanStep *step = &plan->steps[i];
		bool		last = i == plan->nsteps - 1;

		if (step->weight <= (i == 0 ? 0 : plan->steps[i - 1].weight))
			mr_mistake(mistakes, "step %d has no larger weight than what is before it.", i + 1);
		if (last && step->weight != MR_WHOLE)
			mr_mistake(mistakes, "the last step must have the weight 100%%.");
		if (last && step->bake > 0)
			mr_mistake(mistakes, "the last step has nothing to bake for.");
		if (!last && step->bake == 0)
			mr_mistake(mistakes, "step %d must say for how long it bakes.", i + 1);
	}
	if (plan->nguards > 0 && plan->nsteps < 2)
		mr_mistake(mistakes, "guards need a step before the one of 100%%.");
}

static void
parse_json(const char *text, Parse *parse)
{
	Jsonb	   *json = mr_jsonb_from_text(text);

	if (json == NULL || !JB_ROOT_IS_OBJECT(json))
		mr_mistake(parse->mistakes, "the text begins with a brace, but is no JSON object.");
	else
		read_document(parse, &json->root);
}

MrPlan *
mr_plan_parse(const char *text)
{
	StringInfoData mistakes;
	Parse		parse = {palloc0(sizeof(MrPlan)), &mistakes};

	initStringInfo(&mistakes);
	if (text[strspn(text, " \t\r\n")] == '{')
		parse_json(text, &parse);
	else
		mr_plan_scan_text(text, parse.plan, &mistakes);
	if (mistakes.len == 0)
		check_steps(parse.plan, &mistakes);
	if (mistakes.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid plan: \"%s\"", mr_text_clip(text)),
				 errdetail_internal("%s", mistakes.data),
				 errhint("modelreg.preview_rollout() shows what a plan does."),
				 mr_reason("invalid_plan")));
	return parse.plan;
}

MrPlan *
mr_plan_read(JsonbContainer *document)
{
	StringInfoData mistakes;
	Parse		parse = {palloc0(sizeof(MrPlan)), &mistakes};

	initStringInfo(&mistakes);
	if (!JsonContainerIsObject(document))
		mr_mistake(&mistakes, "the plan must be an object.");
	else
		read_document(&parse, document);
	if (mistakes.len == 0)
		check_steps(parse.plan, &mistakes);
	if (mistakes.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a plan that is kept cannot be read"),
				 errdetail_internal("%s", mistakes.data)));
	return parse.plan;
}

static void
add_duration(MrJson *json, const char *name, int64 duration)
{
	if (duration == MR_FOREVER)
		mr_json_add_text(json, name, FOREVER);
	else if (duration > 0)
		mr_json_add_text(json, name, mr_duration_print(duration));
}

static void
write_steps(MrJson *json, const MrPlan *plan)
{
	mr_json_begin_array(json, "steps");
	for (int i = 0; i < plan->nsteps; i++)
	{
		StringInfoData weight;
		MrJson		step;

		initStringInfo(&weight);
		mr_percent_append(&weight, plan->steps[i].weight);
		mr_json_begin(&step);
		mr_json_add_text(&step, "weight", weight.data);
		add_duration(&step, "bake", plan->steps[i].bake);
		mr_json_add_element(json, mr_json_end(&step));
	}
	mr_json_end_array(json);
}

static Jsonb *
write_guard(const MrGuard *guard)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "metric", guard->metric);
	mr_json_add_number(&json, guard->at_least ? "at_least" : "at_most", guard->bound);
	if (guard->of_baseline)
		mr_json_add_text(&json, "of", BASELINE);
	mr_json_add_int(&json, "min_observations", guard->min_observations);
	return mr_json_end(&json);
}

Jsonb *
mr_plan_json(const MrPlan *plan)
{
	MrJson		json;

	mr_json_begin(&json);
	add_duration(&json, "warm_up", plan->warm_up);
	add_duration(&json, "shadow", plan->shadow);
	if (plan->linear)
	{
		add_duration(&json, "linear", plan->over);
		mr_json_add_int(&json, "in", plan->nsteps - 1);
	}
	else if (plan->nsteps > 0)
		write_steps(&json, plan);
	add_duration(&json, "keep_warm", plan->keep_warm);
	if (plan->nguards > 0)
	{
		mr_json_begin_array(&json, "guards");
		for (int i = 0; i < plan->nguards; i++)
			mr_json_add_element(&json, write_guard(&plan->guards[i]));
		mr_json_end_array(&json);
	}
	return mr_json_end(&json);
}
