/*
 * permit_commit.c
 *		What may take which traffic, looked at once more before the commit.
 *
 * Who lets versions into a split locks no model's decisions: that would make
 * a promotion wait.  He looks when he begins and once more before the
 * commit, holding a key of each model that is shared by all who do so; who
 * moved a version, retired a model or put it under another policy takes the
 * key alone and looks at what serves.  So of two that do not go together the
 * one that comes second is refused, and nobody holds a key while a
 * transaction is open.  Quarantines are looked at likewise, by governance.
 *
 * Both tell their own times.  So that no version serves, by these, in a stage
 * that does not permit it, each looks at all that became of the other's side
 * since then, also at what is gone again by now.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "artifact/artifact.h"
#include "audit/marks.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/lock.h"
#include "registry/registry.h"
#include "serving/hold.h"
#include "serving/in_use.h"
#include "serving/permit.h"
#include "serving/schedule_row.h"

/* A model whose key is to be taken. */
typedef struct Key
{
	int64		model;
	bool		alone;
} Key;

typedef struct Keys
{
	Key		   *keys;
	int64		n;
	int64		room;
} Keys;

static void
add_key(Keys *keys, int64 model, bool alone)
{
	keys->keys = mr_grow(keys->keys, keys->n, &keys->room, sizeof(Key));
	keys->keys[keys->n++] = (Key) {model, alone};
}

/* By model; who takes a key alone comes first. */
static int
compare_keys(const void *a, const void *b)
{
	const Key  *x = a;
	const Key  *y = b;

	if (x->model != y->model)
		return x->model < y->model ? -1 : 1;
	return y->alone - x->alone;
}

/* Each key once, and in the stronger way, in the order of models. */
static void
lock_keys(Keys *keys)
{
	qsort(keys->keys, keys->n, sizeof(Key), compare_keys);
	for (int64 i = 0; i < keys->n; i++)
	{
		const Key  *key = &keys->keys[i];

		if (i > 0 && key->model == key[-1].model)
			continue;
		if (key->alone)
			mr_lock_key(MR_LOCK_TRAFFIC, &key->model, sizeof(key->model));
		else
			mr_lock_key_shared(MR_LOCK_TRAFFIC, &key->model, sizeof(key->model));
	}
}

/* A mark is of an endpoint that lets versions in, or of a model. */
static bool
is_endpoint(const MrMark *mark)
{
	return mark->node != 0;
}

static MrNeeds
needs_of_endpoint(const MrEndpoint *endpoint)
{
	const MrSchedule *schedule;

	if (endpoint->retired)
		return (MrNeeds) {0};
	schedule = mr_endpoint_schedule(endpoint, NULL);
	return mr_needs_of_schedule(schedule, GetCurrentTimestamp(), &schedule->from);
}

/* Of the marks of an endpoint the first one stands for all changes. */
static bool
is_first(const MrMark *mark, const MrMark *marks)
{
	for (; marks < mark; marks++)
		if (marks->node == mark->node)
			return false;
	return true;
}

/*
 * The schedule that this transaction laid down at the endpoint before another
 * one of its own, or its last; NULL for none.  An endpoint is locked from when
 * it is changed, so all schedules since are of this transaction.
 */
static const MrSchedule *
own_schedule(const MrMark *mark, const MrSchedule *later)
{
	const MrSchedule *schedule;

	if (later == NULL)
	{
		MrEndpoint	endpoint = mr_endpoint_get(mark->node, NULL);

		schedule = mr_endpoint_schedule(&endpoint, NULL);
	}
	else
		schedule = mr_schedule_load_before(later->endpoint, later->seq, NULL);
	return schedule != NULL && schedule->at >= mark->at ? schedule : NULL;
}

static MrNeeds
needs_of_own(const MrSchedule *schedule)
{
	return mr_needs_of_schedule(schedule, schedule->at, &schedule->from);
}

/* Of models that were decided about alone, of those of all that was let in shared. */
static void
collect_keys(const MrMark *marks, int64 n, Keys *keys)
{
	for (int64 i = 0; i < n; i++)
	{
		if (!is_endpoint(&marks[i]))
		{
			add_key(keys, marks[i].model, true);
			continue;
		}
		if (!is_first(&marks[i], marks))
			continue;
		for (const MrSchedule *own = own_schedule(&marks[i], NULL); own != NULL;
			 own = own_schedule(&marks[i], own))
		{
			MrNeeds		needs = needs_of_own(own);

			CHECK_FOR_INTERRUPTS();
			for (int k = 0; k < needs.n; k++)
				add_key(keys, needs.needs[k].arm.model, false);
		}
	}
}

/* Of two that were done at the same time; the refusal is NULL where the caller may not read it. */
static void
refuse_at_commit(const char *refusal)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("what may take which traffic was changed meanwhile"),
			 refusal == NULL ? 0 : errdetail_internal("%s", refusal),
			 errhint("Repeat the transaction."),
			 mr_reason("traffic_not_permitted")));
}

/* Are the bytes gone that an endpoint is to load? */
static bool
is_purged_and_needed(const MrEndpoint *endpoint, const MrMark *mark)
{
	MrArm		arm = {mark->model, mark->version};

	return mark->version != 0 && !endpoint->retired &&
		mr_version_is_purged(mark->model, mark->version, NULL) &&
		mr_schedule_use(mr_endpoint_schedule(endpoint, NULL), &arm, GetCurrentTimestamp()) != MR_USE_NONE;
}

/* A mark, among all that the transaction has. */
typedef struct Check
{
	const MrMark *mark;
	const MrMark *all;
	int64		n;
} Check;

/* When this transaction first changed an endpoint: since then nobody else did; DT_NOEND for never. */
static TimestampTz
changed_at(const Check *check, int64 endpoint)
{
	for (int64 i = 0; i < check->n; i++)
		if (is_endpoint(&check->all[i]) && check->all[i].node == endpoint)
			return check->all[i].at;
	return DT_NOEND;
}

/* Only what is of the model, and of the version unless that is 0, counts. */
static void
add_sought(MrNeeds *needs, const MrNeeds *all, const MrMark *mark)
{
	for (int i = 0; i < all->n; i++)
		if (all->needs[i].arm.model == mark->model &&
			(mark->version == 0 || all->needs[i].arm.version == mark->version))
			mr_need_add(needs, all->needs[i].arm, all->needs[i].traffic, false);
}

/*
 * What served at any time since the decision, or is to serve, by the schedules
 * of others.  Where this transaction changed the endpoint too, what stood there
 * before the decision was known to it.
 */
static MrNeeds
needs_since(const MrEndpoint *endpoint, const MrMark *mark, TimestampTz changed)
{
	const MrSchedule *schedule = mr_endpoint_schedule(endpoint, NULL);
	MrNeeds		needs = {0};

	while (schedule != NULL)
	{
		bool		meanwhile = schedule->at > mark->at;

		CHECK_FOR_INTERRUPTS();
		if (schedule->at < changed && (meanwhile || changed == DT_NOEND))
		{
			MrNeeds		all = mr_needs_of_schedule(schedule, Max(schedule->at, mark->at),
												   &schedule->from);

			add_sought(&needs, &all, mark);
		}
		schedule = meanwhile ?
			mr_schedule_load_before(schedule->endpoint, schedule->seq, NULL) : NULL;
	}
	return needs;
}

/* What the version, or any of the model, has had at an endpoint since the decision. */
static MrNeeds
needs_against(const MrEndpoint *endpoint, const Check *check)
{
	MrNeeds		needs = needs_since(endpoint, check->mark, DT_NOEND);
	TimestampTz changed = needs.n == 0 ? DT_NOEND : changed_at(check, endpoint->id);
	MrNeeds		now;

	if (changed == DT_NOEND)
		return needs;
	needs = needs_since(endpoint, check->mark, changed);
	now = needs_of_endpoint(endpoint);
	add_sought(&needs, &now, check->mark);
	return needs;
}

static void
check_model_at(const MrEndpoint *endpoint, void *arg)
{
	const Check *check = arg;
	const MrMark *mark = check->mark;
	MrNeeds		needs = needs_against(endpoint, check);
	char	   *refusal;

	refusal = mr_permit_refusal(&needs, NULL);
	if (refusal == NULL && is_purged_and_needed(endpoint, mark))
		refusal = psprintf("Version %d was purged.", mark->version);
	if (refusal != NULL)
		refuse_at_commit(refusal);
}

/* Did this transaction move the version itself, or change all of its model? */
static bool
moved_here(const Check *check, const MrArm *arm)
{
	for (int64 i = 0; i < check->n; i++)
		if (!is_endpoint(&check->all[i]) && check->all[i].model == arm->model &&
			(check->all[i].version == 0 || check->all[i].version == arm->version))
			return true;
	return false;
}

/*
 * A version that somebody moved since it was let in was in another stage then.
 * One that was moved when the clock was ahead may have been before: by more
 * than may be, the clock is what is wrong.
 */
static char *
moved_since(const MrNeeds *needs, TimestampTz at)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < needs->n; i++)
	{
		const MrArm *arm = &needs->needs[i].arm;
		TimestampTz since;

		if (mr_version_stage(arm->model, arm->version, NULL, &since) == MR_STAGE_NONE || since <= at)
			continue;
		mr_clock_require(since, now);
		if (since <= now)
			return psprintf("%s was moved to another stage.", mr_permit_address(arm, NULL));
	}
	return NULL;
}

/*
 * What a schedule of this transaction has asked since it was laid down, but of
 * versions that the transaction moved itself: NULL if that was permitted.
 */
static char *
refusal_since(const Check *check, const MrSchedule *schedule)
{
	MrNeeds		all = needs_of_own(schedule);
	MrNeeds		needs = {0};
	char	   *refusal;

	for (int i = 0; i < all.n; i++)
		if (!moved_here(check, &all.needs[i].arm))
			mr_need_add(&needs, all.needs[i].arm, all.needs[i].traffic, false);
	refusal = mr_permit_refusal(&needs, NULL);
	return refusal != NULL ? refusal : moved_since(&needs, schedule->at);
}

static void
check_endpoint(const Check *check)
{
	MrEndpoint	endpoint = mr_endpoint_get(check->mark->node, NULL);
	MrNeeds		needs = needs_of_endpoint(&endpoint);
	char	   *refusal = mr_permit_refusal(&needs, NULL);

	/* a hold is laid down anew */
	if (refusal != NULL && mr_hold_anew(&endpoint, check->mark->who))
		return;
	for (const MrSchedule *own = own_schedule(check->mark, NULL); refusal == NULL && own != NULL;
		 own = own_schedule(check->mark, own))
	{
		CHECK_FOR_INTERRUPTS();
		if (!mr_is_hold(own))
			refusal = refusal_since(check, own);
	}
	if (refusal != NULL)
		refuse_at_commit(mr_team_by_id(endpoint.team.id) == NULL ? NULL : refusal);
}

static void
check_mark(Check *check)
{
	if (!is_endpoint(check->mark))
		mr_each_live_endpoint(check->mark->team, NULL, check_model_at, check);
	else if (is_first(check->mark, check->all))
		check_endpoint(check);
}

/* Before the commit: thousands of versions may have been moved. */
static void
check_marks(const MrMark *marks, int64 n)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg traffic",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	Keys		keys = {0};

	collect_keys(marks, n, &keys);
	lock_keys(&keys);
	MemoryContextSwitchTo(old);
	MemoryContextReset(work);
	MemoryContextSwitchTo(work);
	for (int64 i = 0; i < n; i++)
	{
		Check		check = {&marks[i], marks, n};

		CHECK_FOR_INTERRUPTS();
		check_mark(&check);
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}

void
mr_permit_commit_init(void)
{
	mr_marks_run_by(MR_MARK_TRAFFIC, check_marks);
}
