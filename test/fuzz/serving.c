/*
 * serving.c
 *		Target for plans and schedules.
 *
 * A plan that is taken is kept as a document that says the same.  Of a rollout
 * by it, whatever is done to it, every step has all positions, positions move
 * only from arms that shrink to arms that grow, and what is kept of a schedule
 * reads again as it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "serving/schedule.h"
#include "fuzz.h"

#define MAX_ACTS 12

/* Our library, whose functions are called by their names, is loaded with the first that fmgr looks up. */
static void
load_library(void)
{
	static FmgrInfo function;

	if (function.fn_oid == InvalidOid)
		fmgr_info_cxt(function_oid("modelreg.normalized_plan(text)"), &function, TopMemoryContext);
}

static void
check_kept_plan(MrPlan *plan)
{
	Jsonb	   *document = mr_plan_json(plan);
	char	   *text = mr_json_canonical_cstring(document);

	check(strcmp(text, mr_json_canonical_cstring(mr_plan_json(mr_plan_read(&document->root)))) == 0);
	check(strcmp(text, mr_json_canonical_cstring(mr_plan_json(mr_plan_parse(text)))) == 0);
}

/* Arms out of eight of two models, with weights that add up. */
static MrSplit
next_split(Source *source)
{
	int			n = 1 + next_byte(source) % 5;
	int			first = next_byte(source) % 8;
	int32		left = MR_WHOLE;
	MrSplit		split = {palloc(n * sizeof(MrShare)), n};

	for (int i = 0; i < n; i++)
	{
		int			k = (first + i) % 8;
		int32		part = 1 + (next_byte(source) << 8 | next_byte(source)) * 3 % (left - n);

		split.shares[i] = (MrShare) {{k / 4, 1 + k % 4}, i == n - 1 ? left : part};
		left -= split.shares[i].weight;
	}
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0 && mr_arm_compare(&split.shares[k - 1].arm, &split.shares[k].arm) > 0; k--)
		{
			MrShare		share = split.shares[k];

			split.shares[k] = split.shares[k - 1];
			split.shares[k - 1] = share;
		}
	return split;
}

static void
check_segments(const MrSegments *segments)
{
	int64		sum = 0;

	check(segments->n >= 1 && segments->n <= MR_MAX_SEGMENTS);
	for (int i = 0; i < segments->n; i++)
	{
		sum += segments->segments[i].width;
		check(segments->segments[i].width >= 1);
		check(i == 0 || mr_arm_compare(&segments->segments[i - 1].arm, &segments->segments[i].arm) != 0);
	}
	check(sum == MR_WHOLE);
}

/* Between two places at which either changes its arm nothing changes. */
static void
check_move(const MrSegments *before, const MrSegments *after)
{
	MrSplit		had = mr_split_of(before);
	MrSplit		has = mr_split_of(after);
	int32		end_before = 0;
	int32		end_after = 0;
	int			i = -1;
	int			k = -1;

	for (int32 at = 0; at < MR_WHOLE; at = Min(end_before, end_after))
	{
		const MrArm *old;
		const MrArm *new;

		if (at == end_before)
			end_before += before->segments[++i].width;
		if (at == end_after)
			end_after += after->segments[++k].width;
		old = &before->segments[i].arm;
		new = &after->segments[k].arm;
		check(mr_arm_compare(old, new) == 0 ||
			  (mr_split_weight(&has, old) < mr_split_weight(&had, old) &&
			   mr_split_weight(&has, new) > mr_split_weight(&had, new)));
		check(mr_arm_compare(mr_segments_at(after, at), new) == 0);
	}
}

static void
check_schedule(const MrSchedule *schedule)
{
	Jsonb	   *document = mr_schedule_write(schedule);
	MrSchedule	again = *schedule;

	check(schedule->nsteps >= 1 && schedule->steps[0].opens == schedule->at);
	for (int i = 0; i < schedule->nsteps + schedule->nwaiting; i++)
	{
		const MrStep *step = i < schedule->nsteps ? &schedule->steps[i] : &schedule->waiting[i - schedule->nsteps];

		check_segments(&step->segments);
		if (i > 0)
			check_move(&step[-1].segments, &step->segments);
		if (i > 0 && i < schedule->nsteps)
			check(step->opens == step[-1].opens + step[-1].bake);
	}
	mr_schedule_read(document, &again);
	check(again.nsteps == schedule->nsteps && again.nwaiting == schedule->nwaiting);
	check(strcmp(mr_json_canonical_cstring(document), mr_json_canonical_cstring(mr_schedule_write(&again))) == 0);
}

/* Something that can be done to a rollout at a time, or NULL. */
static MrSchedule *
next_act(Source *source, const MrSchedule *schedule, TimestampTz now)
{
	switch (next_byte(source) % 6)
	{
		case 0:
			return mr_schedule_pause(schedule, MR_SCHEDULE_PAUSED, now);
		case 1:
			return mr_schedule_pause(schedule, MR_SCHEDULE_HELD, now);
		case 2:
			return mr_schedule_resume(schedule, now);
		case 3:
			return mr_schedule_awaits_evidence(schedule, now) ? mr_schedule_open_next(schedule, now) : NULL;
		case 4:
			return mr_schedule_complete(schedule, now);
		default:
			return mr_schedule_abort(schedule, now);
	}
}

static const MrSegments *
segments_at(const MrSchedule *schedule, TimestampTz time)
{
	return &schedule->steps[Max(mr_schedule_step_at(schedule, time), 0)].segments;
}

static void
act(Source *source, const MrSchedule *schedule)
{
	for (int n = 0; n < MAX_ACTS && mr_schedule_runs(schedule, schedule->at + 1); n++)
	{
		TimestampTz now = schedule->at + 1 + ((int64) next_byte(source) << 2 * next_byte(source) % 40);
		MrSchedule *next = mr_schedule_runs(schedule, now) ? next_act(source, schedule, now) : NULL;

		if (next == NULL)
			continue;
		check_schedule(next);
		/* a pass and a resume may open a step at once, the others begin where this one was */
		check_move(segments_at(schedule, now - 1), &next->steps[0].segments);
		schedule = next;
	}
}

static Datum
run_plan(PG_FUNCTION_ARGS)
{
	Source	   *source = (Source *) PG_GETARG_POINTER(1);
	MrPlan	   *plan = mr_plan_parse(PG_GETARG_CSTRING(0));
	MrSplit		present = next_split(source);
	MrSplit		target = next_split(source);
	MrSchedule *schedule = mr_schedule_first(&present, 0);

	check_kept_plan(plan);
	schedule = mr_schedule_start(schedule, &target, plan, 1);
	check_schedule(schedule);
	check_move(segments_at(schedule, 0), &schedule->steps[0].segments);
	act(source, schedule);
	PG_RETURN_BOOL(true);
}

static void
try_plan(const char *text, Source *source)
{
	Datum		args[] = {CStringGetDatum(text), PointerGetDatum(source)};
	FmgrInfo	function = {.fn_addr = run_plan,.fn_nargs = 2};
	Datum		result;

	(void) try_call(&function, 2, args, &result);
}

/* The first line is the plan, the rest a rollout. */
void
fuzz_plan(const uint8 *data, size_t len, const char *unused)
{
	const uint8 *end = memchr(data, '\0', len);
	size_t		size = end == NULL ? len : end - data;
	Source		source = {data + size, data + len};

	load_library();
	if (is_text(data, size))
		try_plan(pnstrdup((const char *) data, size), &source);
}
