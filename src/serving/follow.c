/*
 * follow.c
 *		Endpoints that go where what is current in Production goes.
 *
 * A promotion starts the rollout of each follower by its plan, from the
 * weights of now, and rollback_model() takes all of them back at once, in the
 * transaction that moves the pointer and under the lock of the model's
 * decisions.  Who begins to follow takes that lock too, so that no follower
 * misses a change; endpoints are locked after it, by id.  Where nothing is
 * current any more, the traffic stays as it is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/stmt.h"
#include "governance/policy.h"
#include "serving/endpoint.h"
#include "serving/follow.h"
#include "serving/permit.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"

PG_FUNCTION_INFO_V1(modelreg_follow);
PG_FUNCTION_INFO_V1(modelreg_unfollow);

/*
 * Promotions may come faster than rollouts end.  Of more versions than these
 * those with the smallest shares give them up at once.
 */
#define MAX_SUPERSEDED 16

/* The kinds of traffic that a plan takes a version through. */
uint32
mr_follow_traffic(const MrPlan *plan)
{
	uint32		traffic = MR_TRAFFIC_FULL;

	if (plan->shadow != 0)
		traffic |= MR_TRAFFIC_SHADOW;
	if (plan->nsteps > 1)
		traffic |= plan->linear ? MR_TRAFFIC_LINEAR : MR_TRAFFIC_CANARY;
	return traffic;
}

/* A plan to follow by.  Error 22023 for one that leads to no share. */
MrPlan *
mr_follow_plan(const char *text)
{
	MrPlan	   *plan = mr_plan_parse(text);

	if (plan->nsteps == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an endpoint cannot follow by a plan that leads to no share"),
				 errhint("Give the plan steps, such as 'canary' or 'linear over 2 hours'."),
				 mr_reason("invalid_plan")));
	return plan;
}

/* Error 55000 where the model's policy does not let Production take the plan's traffic. */
void
mr_follow_require_plan(const MrModel *model, const MrPlan *plan)
{
	uint32		may = mr_policy_of(model, NULL)->traffic[MR_STAGE_PRODUCTION];

	if ((mr_follow_traffic(plan) & ~may) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("policy \"%s\" does not permit the traffic of this plan in stage Production",
					model->policy),
			 errhint("Choose another plan; modelreg.policy_document() tells which stage takes what."),
			 mr_reason("traffic_not_permitted")));
}

/* The endpoints that follow a model, by id. */
static int64 *
followers_of(int64 model, int *n)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		key = Int64GetDatum(model);
	MrScan	   *scan = mr_scan_begin(table, "endpoint_followed", 1, &key, NULL);
	int64	   *ids = NULL;
	int64		room = 0;

	*n = 0;
	while (mr_scan_next(scan, false))
	{
		ids = mr_grow(ids, *n, &room, sizeof(int64));
		ids[(*n)++] = DatumGetInt64(mr_table_get(table, ENDPOINT_ID, NULL));
	}
	mr_scan_end(scan);
	mr_table_close(table);
	if (*n > 1)
		qsort(ids, *n, sizeof(int64), mr_id_compare);
	return ids;
}

/* Is the target what serves, or what the rollout leads to? */
static bool
leads_to(const MrSchedule *schedule, const MrSplit *target, TimestampTz now)
{
	MrSplit		present = mr_schedule_present_split(schedule, now);

	return mr_schedule_runs(schedule, now) ? mr_split_equal(&schedule->target, target) :
		mr_split_equal(&present, target);
}

/* Has a change of the pointer nothing to do? */
static bool
is_there(const MrSchedule *schedule, const MrSplit *target, bool back, TimestampTz now)
{
	return leads_to(schedule, target, now) &&
		!(back && mr_schedule_runs(schedule, now));
}

/* Lighter ones first; of equal ones the later version stays. */
static int
compare_weights(const void *a, const void *b)
{
	const MrShare *x = a;
	const MrShare *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return mr_arm_compare(&x->arm, &y->arm);
}

/* The split with the smallest shares given to an arm, so that few are left. */
static MrSplit
give_up_smallest(const MrSplit *split, MrArm to)
{
	MrSplit		left = {palloc((split->n + 1) * sizeof(MrShare)), 0};
	MrShare    *sorted = palloc(split->n * sizeof(MrShare));
	int32		given = 0;

	memcpy(sorted, split->shares, split->n * sizeof(MrShare));
	qsort(sorted, split->n, sizeof(MrShare), compare_weights);
	for (int i = 0; i < split->n; i++)
		if (i < split->n - MAX_SUPERSEDED || mr_arm_compare(&sorted[i].arm, &to) == 0)
			given += sorted[i].weight;
		else
			left.shares[left.n++] = sorted[i];
	left.shares[left.n++] = (MrShare) {to, given};
	qsort(left.shares, left.n, sizeof(MrShare), mr_share_compare);
	return left;
}

/* By the plan to a version alone, from what serves now. */
static MrSchedule *
roll_out(const MrSchedule *before, const MrSplit *target, MrPlan *plan, TimestampTz now)
{
	MrSplit		present = mr_schedule_present_split(before, now);

	if (present.n > MAX_SUPERSEDED)
	{
		MrSplit		fewer = give_up_smallest(&present, target->shares[0].arm);

		before = mr_schedule_move(before, &fewer, now);
	}
	return mr_schedule_start_shortened(before, target, plan, now);
}

/* Names the endpoint where its rollout is refused, which somebody else's promotion started. */
static void
name_endpoint(void *arg)
{
	errcontext("rollout of endpoint \"%s\"", mr_endpoint_address(arg));
}

/* Error 55000 for what the version may not take, with the endpoint's name. */
static void
require_permit(const MrEndpoint *endpoint, const MrNeeds *needs)
{
	ErrorContextCallback callback = {error_context_stack, name_endpoint, unconstify(MrEndpoint *, endpoint)};

	error_context_stack = &callback;
	mr_permit_require(needs);
	error_context_stack = callback.previous;
}

/*
 * Lay down a schedule that leads to a version alone, in so many steps of a plan (0
 * for none) or fewer; returns the number of the event.
 */
static int64
change_to(MrVerb *verb, const MrEndpoint *endpoint, MrHead *head, const char *kind,
		  MrSchedule *schedule, int steps, const char *reason)
{
	MrSplit		present = mr_schedule_present_split(mr_endpoint_schedule(endpoint, NULL), schedule->at);
	MrNeeds		needs = mr_needs_of_schedule(schedule, schedule->at, &present);
	MrJson		what;
	int64		number;

	require_permit(endpoint, &needs);
	mr_json_begin(&what);
	if (steps != 0 && schedule->plan->nsteps != steps)
		mr_json_add_int(&what, "shortened", schedule->plan->nsteps);
	if (schedule->restored != 0)
		mr_json_add_int(&what, "restored", schedule->restored);
	number = mr_endpoint_change(head, verb, kind, schedule, &what, reason);
	mr_permit_mark(&needs);
	return number;
}

/* A rollout to a version alone by a plan. */
static int64
start(MrVerb *verb, const MrEndpoint *endpoint, MrHead *head, const MrSplit *target,
	  MrPlan *plan, const char *reason)
{
	MrSchedule *schedule = roll_out(mr_endpoint_schedule(endpoint, NULL), target, plan,
									mr_event_time(head));

	schedule->rollout = DatumGetInt64(head->values[HEAD_SEQ - 1]) + 1;
	return change_to(verb, endpoint, head, "rollout_started", schedule, plan->nsteps, reason);
}

/* Does a schedule end at the target, or was it to? */
static bool
ends_at(const MrSchedule *schedule, const MrSplit *target)
{
	const MrStep *last = schedule->nwaiting > 0 ? &schedule->waiting[schedule->nwaiting - 1] :
		&schedule->steps[schedule->nsteps - 1];
	MrSplit		split = mr_split_of(&last->segments);

	return mr_split_equal(&split, target);
}

/* The schedules of an endpoint in which a version has a part, the newest first. */
static MrStmt schedules_stmt = {
	"SELECT DISTINCT a.seq FROM modelreg.traffic_arm a WHERE a.model_id = $1 AND a.version = $2 AND a.endpoint_id = $3 ORDER BY a.seq DESC",
	3, {INT8OID, INT4OID, INT8OID}, NULL
};

/* The newest schedule that led to the version, of those in which it had a part; 0 for none. */
static int64
find_restored(int64 endpoint, const MrSplit *target)
{
	const MrArm *arm = &target->shares[0].arm;
	Datum		values[3] = {Int64GetDatum(arm->model), Int32GetDatum(arm->version), Int64GetDatum(endpoint)};
	uint64		n = mr_stmt_read(&schedules_stmt, values, NULL, 0);
	int64	   *numbers = palloc_extended(Max(n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	bool		isnull;

	for (uint64 i = 0; i < n; i++)
		numbers[i] = DatumGetInt64(mr_stmt_value(i, 1, &isnull));
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ends_at(mr_schedule_load(endpoint, numbers[i], NULL, NULL), target))
			return numbers[i];
	}
	return 0;
}

/* At once to the version, as the model's rollback has it. */
static int64
go_back(MrVerb *verb, const MrEndpoint *endpoint, MrHead *head, const MrSplit *target,
		const char *reason)
{
	const MrSchedule *before = mr_endpoint_schedule(endpoint, NULL);
	MrSchedule *schedule = mr_schedule_move(before, target, mr_event_time(head));

	schedule->restored = find_restored(endpoint->id, target);
	return change_to(verb, endpoint, head, "rolled_back", schedule, 0, reason);
}

/* An endpoint goes where the pointer went, unless it does not follow any more. */
static void
follow_pointer(MrVerb *verb, int64 id, MrArm arm, bool back, const char *reason)
{
	MrEndpoint	endpoint = mr_endpoint_get(id, NULL);
	MrHead	   *head = mr_head_lock(MR_CHAIN_ENDPOINT, id);
	MrSplit		target = mr_split_whole(arm);

	mr_endpoint_renew(&endpoint, head);
	endpoint.team = verb->team;
	if (endpoint.retired || !endpoint.follows ||
		is_there(mr_endpoint_schedule(&endpoint, NULL), &target, back, mr_event_time(head)))
		mr_head_release(head);
	else if (back)
		go_back(verb, &endpoint, head, &target, reason);
	else
		start(verb, &endpoint, head, &target, mr_plan_read(&endpoint.plan->root), reason);
}

/* For mr_production_changed. */
static void
production_changed(MrVerb *verb, int64 model, int32 version, bool back,
				   const char *reason)
{
	MrArm		arm = {model, version};
	int			n;
	int64	   *ids;

	if (version == 0)
		return;
	ids = followers_of(model, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		follow_pointer(verb, ids[i], arm, back, reason);
	}
}

/* The model under the lock of its decisions.  Error 42704 when it was retired. */
static MrModel
lock_model(const MrVerb *verb, int64 id)
{
	MrModel		model;
	MrHead	   *head;

	if (!mr_model_by_id(&verb->team, id, NULL, &model))
	{
		model = mr_model_get(id, NULL);
		model.team = verb->team;
	}
	head = mr_model_lock(&model);
	mr_model_renew(&model, head);
	mr_head_release(head);
	return model;
}

static void
refuse_running(const MrEndpoint *endpoint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a rollout of endpoint \"%s\" is running", mr_endpoint_address(endpoint)),
			 errdetail("It does not lead to the version that is current in Production."),
			 errhint("End it with modelreg.complete_rollout() or modelreg.abort_rollout() first."),
			 mr_reason("rollout_running")));
}

static bool
follows_by(const MrEndpoint *endpoint, Jsonb *plan)
{
	return endpoint->follows && endpoint->plan != NULL &&
		compareJsonbContainers(&endpoint->plan->root, &plan->root) == 0;
}

/* The endpoint follows from now on; returns the number of the event. */
static int64
begin_following(MrVerb *verb, MrHead *head, Jsonb *plan, const char *reason)
{
	MrJson		what;

	mr_json_begin(&what);
	mr_json_add_bool(&what, "follows", true);
	mr_json_add_json(&what, "plan", plan);
	head->values[ENDPOINT_FOLLOWS - 1] = BoolGetDatum(true);
	head->values[ENDPOINT_PLAN - 1] = JsonbPGetDatum(plan);
	head->nulls[ENDPOINT_PLAN - 1] = false;
	return mr_endpoint_change(head, verb, "followed", NULL, &what, reason);
}

/* Returns the number of the last event, 0 when all is so already. */
static int64
follow(MrVerb *verb, MrEndpoint *endpoint, MrPlan *plan, const char *reason,
	   const char *expected)
{
	MrModel		model = lock_model(verb, endpoint->model);
	MrHead	   *head = mr_endpoint_lock_expected(endpoint, expected);
	const MrSchedule *schedule = mr_endpoint_schedule(endpoint, NULL);
	TimestampTz now = mr_event_time(head);
	MrSplit		target = mr_split_whole((MrArm) {model.id, model.current_version});
	bool		starts = model.current_version != 0 && !leads_to(schedule, &target, now);
	Jsonb	   *document = mr_plan_json(plan);
	int64		number = 0;

	mr_follow_require_plan(&model, plan);
	if (starts && mr_schedule_runs(schedule, now))
		refuse_running(endpoint);
	if (!follows_by(endpoint, document))
		number = begin_following(verb, head, document, reason);
	else
		mr_head_release(head);
	if (starts)
		number = start(verb, endpoint, mr_endpoint_lock(endpoint), &target, plan, reason);
	return number;
}

/*
 * modelreg.follow(endpoint text, plan text, reason text, expected text,
 *		request_id text) returns bigint: the number of the last event, NULL for none
 *
 * Level maintainer.  Errors: 42704, 42501, 22023 for the plan, 55000 for
 * traffic that is not permitted, for another rollout that is running and when
 * another schedule holds than was expected.
 */
Datum
modelreg_follow(PG_FUNCTION_ARGS)
{
	MrPlan	   *plan = mr_follow_plan(mr_arg_text(fcinfo, 1, "plan"));
	char	   *reason = mr_arg_text_or_null(fcinfo, 2);
	char	   *expected = mr_arg_text_or_null(fcinfo, 3);
	MrEndpoint	endpoint;
	MrVerb		verb;
	int64		number = 0;

	if (mr_endpoint_verb_begin(&verb, fcinfo, "follow", MR_MAINTAINER, 4, &endpoint))
		number = follow(&verb, &endpoint, plan, reason, expected);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/* Returns the number of the event, 0 when it does not follow. */
static int64
unfollow(MrVerb *verb, MrEndpoint *endpoint, const char *reason, const char *expected)
{
	MrHead	   *head = mr_endpoint_lock_expected(endpoint, expected);
	MrJson		what;

	if (!endpoint->follows)
	{
		mr_head_release(head);
		return 0;
	}
	mr_json_begin(&what);
	mr_endpoint_stop_following(head, &what);
	return mr_endpoint_change(head, verb, "unfollowed", NULL, &what, reason);
}

/*
 * modelreg.unfollow(endpoint text, reason text, expected text, request_id text)
 *		returns bigint: the number of the event, NULL when it does not follow
 *
 * What runs goes on.  Level maintainer.  Errors: 42704, 42501, 55000 when
 * another schedule holds than was expected.
 */
Datum
modelreg_unfollow(PG_FUNCTION_ARGS)
{
	char	   *reason = mr_arg_text_or_null(fcinfo, 1);
	char	   *expected = mr_arg_text_or_null(fcinfo, 2);
	MrEndpoint	endpoint;
	MrVerb		verb;
	int64		number = 0;

	if (mr_endpoint_verb_begin(&verb, fcinfo, "unfollow", MR_MAINTAINER, 3, &endpoint))
		number = unfollow(&verb, &endpoint, reason, expected);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

void
mr_follow_init(void)
{
	mr_production_changed = production_changed;
}
