/*
 * earlier.c
 *		The splits that an endpoint had before, and the one to which the end of
 *		a rollout gives the traffic back.
 *
 * Where a rollout started is where an abort goes.  But if more would come to a version
 * there that was quarantined meanwhile, the traffic goes where a
 * rollback would take it, as far as no decision about a stage is needed for
 * that: who records a bad figure decides nothing.  Where there is no such split it
 * goes back all the same, and the event names what should not serve.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "serving/earlier.h"
#include "serving/schedule_row.h"

bool
mr_schedule_went_back(const MrSchedule *schedule)
{
	return strcmp(schedule->kind, "rolled_back") == 0;
}

/*
 * Before a schedule comes the one that was laid down before it; before one
 * that went back, what came before where it went.
 */
static const MrSchedule *
place_of(const MrSchedule *schedule)
{
	while (mr_schedule_went_back(schedule) && schedule->restored != 0)
	{
		CHECK_FOR_INTERRUPTS();
		schedule = mr_schedule_load(schedule->endpoint, schedule->restored, NULL, NULL);
	}
	return schedule;
}

/*
 * The splits that stood outside any rollout before a time, the newest first,
 * until one is taken.  The one that stands is none of them, unless a rollout
 * runs.
 */
void
mr_each_earlier_split(const MrSchedule *present, TimestampTz at,
					  MrEarlierTake take, void *arg)
{
	bool		runs = mr_schedule_runs(present, at);
	MrSplit		stands = mr_schedule_present_split(present, at);
	const MrSchedule *later = place_of(present);
	const MrSchedule *schedule;

	while ((schedule = mr_schedule_load_before(later->endpoint, later->seq, NULL)) != NULL)
	{
		MrSplit		split = mr_schedule_present_split(schedule, later->at);

		CHECK_FOR_INTERRUPTS();
		if (!mr_schedule_runs(schedule, later->at) &&
			(runs || !mr_split_equal(&split, &stands)) && take(schedule, &split, arg))
			return;
		later = place_of(schedule);
	}
}

/* What was found that is permitted as it is. */
typedef struct Found
{
	int64		seq;			/* 0 for nothing */
	MrSplit		split;
} Found;

static bool
take_permitted(const MrSchedule *schedule, const MrSplit *split, void *arg)
{
	Found	   *found = arg;
	MrNeeds		needs = mr_needs_of_split(split);

	if (mr_permit_refusal(&needs, NULL) != NULL || mr_permit_quarantine(&needs, NULL) != NULL)
		return false;
	*found = (Found) {schedule->seq, *split};
	return true;
}

/* The event names what should not serve; the others are left, to be looked at again before the commit. */
static void
tell_unpermitted(MrJson *what, MrNeeds *needs)
{
	int			n = 0;

	mr_json_begin_array(what, "unpermitted");
	for (int i = 0; i < needs->n; i++)
	{
		MrJson		arm;

		if (!mr_permit_is_quarantined(&needs->needs[i], NULL))
		{
			needs->needs[n++] = needs->needs[i];
			continue;
		}
		mr_json_begin(&arm);
		mr_json_add_int(&arm, "model_id", needs->needs[i].arm.model);
		mr_json_add_int(&arm, "version", needs->needs[i].arm.version);
		mr_json_add_element(what, mr_json_end(&arm));
	}
	mr_json_end_array(what);
	needs->n = n;
}

/* End the rollout that runs at a locked endpoint, with what the event tells besides; returns its number. */
int64
mr_abort(MrHead *head, MrVerb *verb, const MrSchedule *present, TimestampTz at,
		 MrJson *what, const char *reason)
{
	MrSplit		stands = mr_schedule_present_split(present, at);
	MrSchedule *schedule = mr_schedule_abort(present, at);
	MrNeeds		needs = mr_needs_of_schedule(schedule, at, &stands);
	bool		permitted = mr_permit_quarantine(&needs, NULL) == NULL;
	Found		found = {0};
	int64		number;

	if (!permitted)
		mr_each_earlier_split(present, at, take_permitted, &found);
	if (found.seq != 0)
	{
		schedule = mr_schedule_move(present, &found.split, at);
		schedule->restored = found.seq;
		needs = mr_needs_of_split(&found.split);
		mr_json_add_int(what, "restored", found.seq);
	}
	else if (!permitted)
		tell_unpermitted(what, &needs);
	number = mr_endpoint_change(head, verb, "rollout_aborted", schedule, what, reason);
	mr_permit_mark(&needs);
	return number;
}
