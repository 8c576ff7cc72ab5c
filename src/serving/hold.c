/*
 * hold.c
 *		A quarantine holds the rollouts towards what derives from the node.
 *
 * In its own transaction, with an event in each endpoint's chain: the weights
 * stay as they are, and no further step opens.  What serves goes on, and so
 * does what leads away from the node.  Endpoints of other teams are held as
 * well; their events tell who quarantined something, and not what.  A
 * rollout that was not seen, because it was not committed, is found before
 * the commit under the key that shuts out who starts one.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "serving/endpoint.h"
#include "serving/hold.h"
#include "serving/permit.h"
#include "serving/schedule_row.h"

/* The kind of the event. */
#define HELD "rollout_held"

/* Does the schedule go on towards what derives from something quarantined? */
static bool
leads_to_quarantined(const MrSchedule *schedule, TimestampTz now)
{
	MrSplit		present;
	MrNeeds		needs;

	if (schedule->state != MR_SCHEDULE_RUNNING || !mr_schedule_runs(schedule, now))
		return false;
	present = mr_schedule_present_split(schedule, now);
	needs = mr_needs_of_schedule(schedule, now, &present);
	return mr_permit_quarantine(&needs, NULL) != NULL;
}

/* Endpoints that are to be held, by their ids. */
typedef struct Found
{
	int64	   *ids;
	int			n;
	int64		room;
	TimestampTz now;
} Found;

static void
visit(const MrEndpoint *endpoint, void *arg)
{
	Found	   *found = arg;

	if (!leads_to_quarantined(mr_endpoint_schedule(endpoint, NULL), found->now))
		return;
	found->ids = mr_grow(found->ids, found->n, &found->room, sizeof(int64));
	found->ids[found->n++] = endpoint->id;
}

/* The endpoints of all teams with such a rollout, in the order of locks. */
static Found
find_all(void)
{
	Found		found = {.room = 16,.now = GetCurrentTimestamp()};

	/* so that it grows where it is, whatever memory a visit has */
	found.ids = palloc(found.room * sizeof(int64));
	mr_each_live_endpoint(MR_NO_TEAM, NULL, visit, &found);
	qsort(found.ids, found.n, sizeof(int64), mr_id_compare);
	return found;
}

/* Under the endpoint's lock the rollout may have ended, or lead elsewhere. */
static void
hold(const MrVerb *verb, int64 id)
{
	MrVerb		holding = *verb;
	MrEndpoint	endpoint = mr_endpoint_get(id, NULL);
	MrHead	   *head = mr_head_lock(MR_CHAIN_ENDPOINT, id);
	const MrSchedule *schedule;
	TimestampTz now = mr_event_time(head);
	MrJson		what;

	mr_endpoint_renew(&endpoint, head);
	schedule = mr_endpoint_schedule(&endpoint, NULL);
	if (endpoint.retired || !leads_to_quarantined(schedule, now))
	{
		mr_head_release(head);
		return;
	}
	/* the request id is that of a call for the node's team */
	mr_verb_on_behalf(&holding, &endpoint.team);
	mr_json_begin(&what);
	mr_endpoint_change(head, &holding, HELD,
					   mr_schedule_pause(schedule, MR_SCHEDULE_HELD, now), &what, NULL);
}

/*
 * Until the hold is committed the rollout goes on, for all who ask: by the
 * commit a step may have opened, and what had its share no more may have left its
 * stage.  A quarantine is not refused for that.  What serves by now goes on, and what is
 * left of the rollout is held.
 */
static void
hold_as_of_now(MrEndpoint *endpoint, MrVerb *verb)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_ENDPOINT, endpoint->id);
	const MrSchedule *before = mr_schedule_load_before(endpoint->id, endpoint->schedule_seq, NULL);
	TimestampTz now = mr_event_time(head);
	MrSplit		stands = mr_schedule_present_split(before, now);
	MrJson		what;

	mr_json_begin(&what);
	mr_endpoint_change_at_commit(head, verb, HELD, mr_schedule_runs(before, now) ?
								 mr_schedule_pause(before, MR_SCHEDULE_HELD, now) :
								 mr_schedule_move(before, &stands, now), &what);
}

/* Was the schedule laid down by a quarantine? */
bool
mr_is_hold(const MrSchedule *schedule)
{
	return strcmp(schedule->kind, HELD) == 0;
}

/* Before the commit; false if the endpoint was not held. */
bool
mr_hold_anew(MrEndpoint *endpoint, Jsonb *who)
{
	MrVerb		verb = {.name = "quarantine",.who = who,.team = endpoint->team,.on_behalf = true};
	MemoryContext context = CurrentMemoryContext;

	if (!mr_is_hold(mr_endpoint_schedule(endpoint, NULL)))
		return false;
	mr_owner_begin(&verb.scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	hold_as_of_now(endpoint, &verb);
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&verb.scope);
	return true;
}

/* For mr_quarantined. */
static void
hold_all(MrVerb *verb, int64 node)
{
	Found		found = find_all();

	for (int i = 0; i < found.n; i++)
		hold(verb, found.ids[i]);
}

/* For mr_quarantine_look. */
static void
look_again(void)
{
	if (find_all().n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("a rollout towards what is to be quarantined was started meanwhile"),
				 errhint("Repeat the transaction."),
				 mr_reason("quarantined")));
}

void
mr_hold_init(void)
{
	mr_quarantined = hold_all;
	mr_quarantine_look = look_again;
}
