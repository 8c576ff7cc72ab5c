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

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "registry/quarantine.h"
#include "serving/endpoint.h"
#include "serving/hold.h"
#include "serving/permit.h"
#include "serving/serving_tables.h"

/* Does the schedule go on towards what derives from something quarantined? */
static bool
leads_to_quarantined(const MrSchedule *schedule, TimestampTz now)
{
	MrSplit		present;
	MrNeeds		needs;

	if (schedule->state != MR_SCHEDULE_RUNNING || !mr_schedule_runs(schedule, now))
		return false;
	present = mr_schedule_split_at(schedule, now);
	needs = mr_needs_of_schedule(schedule, now, &present);
	return mr_permit_quarantine(&needs, NULL) != NULL;
}

/* The endpoint in the table's slot. */
static bool
is_to_be_held(MrTable *table, TimestampTz now)
{
	MrTeam		team = {.name = ""};
	MrEndpoint	endpoint;

	mr_endpoint_read(table, &team, &endpoint);
	return !endpoint.retired &&
		leads_to_quarantined(mr_endpoint_schedule(&endpoint, NULL), now);
}

/* The endpoints of all teams with such a rollout, by id. */
static int64 *
find_all(int *n)
{
	MrTable    *table = mr_table_open_read("endpoint");
	MrScan	   *scan = mr_scan_begin(table, "endpoint_pkey", 0, NULL, NULL);
	TimestampTz now = GetCurrentTimestamp();
	int64	   *ids = NULL;
	int64		room = 0;

	*n = 0;
	while (mr_scan_next(scan, false))
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_to_be_held(table, now))
			continue;
		ids = mr_grow(ids, *n, &room, sizeof(int64));
		ids[(*n)++] = DatumGetInt64(mr_table_get(table, ENDPOINT_ID, NULL));
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return ids;
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
	holding.team = endpoint.team;
	holding.request_id = NULL;
	mr_json_begin(&what);
	mr_endpoint_change(head, &holding, "rollout_held",
					   mr_schedule_pause(schedule, MR_SCHEDULE_HELD, now), &what, NULL);
}

/* For mr_quarantined. */
static void
hold_all(MrVerb *verb, int64 node)
{
	int			n;
	int64	   *ids = find_all(&n);

	for (int i = 0; i < n; i++)
		hold(verb, ids[i]);
}

/* For mr_quarantine_look. */
static void
look_again(int64 node)
{
	int			n;

	if (!mr_node_is_quarantined(node, NULL))
		return;
	(void) find_all(&n);
	if (n > 0)
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
