/*
 * endpoint.c
 *		Endpoints: finding them, and the one way to change one.
 */
#include "postgres.h"

#include "commands/async.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/access_tables.h"
#include "audit/marks.h"
#include "base/args.h"
#include "base/errors.h"
#include "registry/held_name.h"
#include "registry/registry.h"
#include "serving/endpoint.h"
#include "serving/leave.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"
#include "types/names.h"
#include "types/parse.h"

/* What the head of an endpoint has, as it was found or locked. */
static void
read_values(const Datum *values, const bool *nulls, MrEndpoint *endpoint)
{
	endpoint->id = DatumGetInt64(values[ENDPOINT_ID - 1]);
	endpoint->seq = DatumGetInt64(values[ENDPOINT_SEQ - 1]);
	endpoint->name = TextDatumGetCString(values[ENDPOINT_NAME - 1]);
	endpoint->retired = !nulls[ENDPOINT_RETIRED_AT - 1];
	endpoint->model = DatumGetInt64(values[ENDPOINT_MODEL_ID - 1]);
	endpoint->follows = DatumGetBool(values[ENDPOINT_FOLLOWS - 1]);
	endpoint->plan = nulls[ENDPOINT_PLAN - 1] ? NULL :
		DatumGetJsonbPCopy(values[ENDPOINT_PLAN - 1]);
	endpoint->schedule_seq = DatumGetInt64(values[ENDPOINT_SCHEDULE_SEQ - 1]);
	endpoint->schedule_hash = DatumGetByteaPCopy(values[ENDPOINT_SCHEDULE_HASH - 1]);
}

/* The row in the table's slot, which is known to be of that team. */
void
mr_endpoint_read(MrTable *table, const MrTeam *team, MrEndpoint *endpoint)
{
	Datum		values[ENDPOINT_COLUMNS];
	bool		nulls[ENDPOINT_COLUMNS];

	mr_table_read(table, values, nulls);
	endpoint->team = *team;
	read_values(values, nulls, endpoint);
}

static void
raise_not_found(const char *qualified)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("endpoint \"%s\" does not exist or you may not read it",
					qualified),
			 errhint("The view modelreg.endpoints lists the endpoints that you may read."),
			 mr_reason("endpoint_not_found")));
}

static bool
find_row(MrTable *table, int64 team, const char *name, Snapshot snapshot)
{
	Datum		keys[2] = {Int64GetDatum(team), CStringGetTextDatum(name)};

	return mr_table_find(table, "endpoint_live_name", 2, keys, snapshot);
}

/*
 * Find the row of the live endpoint named team.name, as a snapshot sees it,
 * for a reader of its team; it is left in the table's slot.  Errors: 22023
 * for what is no such name, 42704 for an endpoint that does not exist or that
 * the caller may not read.
 */
MrTeam
mr_endpoint_open(MrTable *table, const char *qualified, Snapshot snapshot)
{
	const char *dot = strchr(qualified, '.');
	char	   *team_name = dot ? pnstrdup(qualified, dot - qualified) : NULL;
	const MrTeam *found = dot ? mr_team_by_name(team_name) : NULL;
	MrTeam		team;
	char	   *name;

	/* what is there has a name that can be one */
	if (found == NULL || !find_row(table, found->id, dot + 1, snapshot))
	{
		mr_split_qualified_name(qualified, &team_name, &name, NULL);
		raise_not_found(qualified);
	}
	team = *found;
	team.name = team_name;
	return team;
}

/*
 * The live endpoint named team.name, as a snapshot sees it, in whose team the
 * caller has one of the rights.  Errors: as mr_endpoint_open(), and 42501.
 */
MrEndpoint
mr_require_endpoint(const char *qualified, MrRights level, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("endpoint");
	MrTeam		team = mr_endpoint_open(table, qualified, snapshot);
	MrEndpoint	endpoint;

	mr_endpoint_read(table, &team, &endpoint);
	mr_table_close(table);
	mr_require_rights(&endpoint.team, level);
	return endpoint;
}

/* The endpoint that had a name in its team at a time; 0 for none. */
static int64
id_at(int64 team, const char *name, TimestampTz at)
{
	MrTable    *table = mr_table_open_read("endpoint_name");
	int64		id = mr_held_name_at(table, "endpoint_name_pkey", team, name, at);

	mr_table_close(table);
	return id;
}

/*
 * The endpoint that was named team.name at a time, by the names of that time,
 * retired or not, for a reader of its team.
 */
MrEndpoint
mr_require_endpoint_at(const char *qualified, TimestampTz at)
{
	MrEndpoint	endpoint;
	const MrTeam *team;
	char	   *team_name;
	char	   *name;
	Datum		key;
	MrTable    *table;

	mr_split_qualified_name(qualified, &team_name, &name, NULL);
	team = mr_team_at(team_name, at);
	key = Int64GetDatum(team == NULL ? 0 : id_at(team->id, name, at));
	table = mr_table_open_read("endpoint");
	if (team == NULL ||
		!mr_table_find(table, "endpoint_pkey", 1, &key, GetActiveSnapshot()))
		raise_not_found(qualified);
	mr_endpoint_read(table, team, &endpoint);
	endpoint.team.name = pstrdup(team->name);
	mr_table_close(table);
	return endpoint;
}

/* The endpoint of an id, retired or not; of any team, which is without rights. */
MrEndpoint
mr_endpoint_get(int64 id, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		key = Int64GetDatum(id);
	MrTeam		team = {.name = ""};
	MrEndpoint	endpoint;

	if (!mr_table_find(table, "endpoint_pkey", 1, &key, snapshot))
		elog(ERROR, "endpoint " INT64_FORMAT " does not exist", id);
	team.id = DatumGetInt64(mr_table_get(table, ENDPOINT_TEAM_ID, NULL));
	mr_endpoint_read(table, &team, &endpoint);
	mr_table_close(table);
	return endpoint;
}

/* team.name of an endpoint. */
char *
mr_endpoint_address(const MrEndpoint *endpoint)
{
	return psprintf("%s.%s", endpoint->team.name, endpoint->name);
}

/* Error 22023 for a model of another team: rights to read go together. */
void
mr_require_team_of_endpoint(const MrTeam *team, const char *model,
							const char *team_of_model)
{
	if (strcmp(team_of_model, team->name) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" is not of team \"%s\"", model, team->name),
			 errdetail("An endpoint serves models of its own team."),
			 mr_reason("other_team")));
}

#define ETAG_HEX 16

/* What tells one schedule of an endpoint from every other. */
char *
mr_endpoint_etag(int64 schedule_seq, const bytea *schedule_hash)
{
	char		hex[ETAG_HEX + 1];

	hex[hex_encode(VARDATA_ANY(schedule_hash), ETAG_HEX / 2, hex)] = '\0';
	return psprintf(INT64_FORMAT "-%s", schedule_seq, hex);
}

/* The live endpoint of a verb's team by its name, which is known to be readable. */
MrEndpoint
mr_endpoint_find_in_verb(MrVerb *verb, const char *qualified, const char *name)
{
	MrTable    *table = mr_table_open_read("endpoint");
	MrEndpoint	endpoint;

	if (!find_row(table, verb->team.id, name, NULL))
		raise_not_found(qualified);
	mr_endpoint_read(table, &verb->team, &endpoint);
	mr_table_close(table);
	return endpoint;
}

/*
 * Begin a verb about the endpoint that its first argument names, for who has
 * one of the rights in its team.  False when it repeats an earlier call,
 * whatever became of the endpoint since; else *endpoint is found.
 */
bool
mr_endpoint_verb_begin(MrVerb *verb, FunctionCallInfo fcinfo,
					   const char *verb_name, MrRights level,
					   int request_id_arg, MrEndpoint *endpoint)
{
	char	   *qualified = mr_arg_text(fcinfo, 0, "endpoint");
	const MrTeam *found;
	MrTeam		team;
	char	   *team_name;
	char	   *name;

	mr_split_qualified_name(qualified, &team_name, &name, NULL);
	found = mr_team_by_name(team_name);
	if (found == NULL)
		raise_not_found(qualified);
	team = *found;
	team.name = team_name;
	mr_require_rights(&team, level);
	mr_verb_begin(verb, fcinfo, verb_name, &team, request_id_arg);
	if (mr_verb_repeats(verb))
		return false;
	*endpoint = mr_endpoint_find_in_verb(verb, qualified, name);
	return true;
}

/* What of an endpoint can change, as its head has it that was waited for. */
void
mr_endpoint_renew(MrEndpoint *endpoint, const MrHead *head)
{
	read_values(head->values, head->nulls, endpoint);
}

/*
 * Lock an endpoint; what it has is read anew.  Error 42704 when it was retired
 * meanwhile.
 */
MrHead *
mr_endpoint_lock(MrEndpoint *endpoint)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_ENDPOINT, endpoint->id);

	mr_endpoint_renew(endpoint, head);
	if (endpoint->retired)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("endpoint \"%s\" was retired", mr_endpoint_address(endpoint)),
				 mr_reason("endpoint_not_found")));
	return head;
}

/* Error 55000 when another schedule holds than the caller has seen. */
static void
check_expected(const MrEndpoint *endpoint, const char *expected)
{
	char	   *etag = mr_endpoint_etag(endpoint->schedule_seq, endpoint->schedule_hash);

	if (expected == NULL || strcmp(expected, etag) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the traffic of \"%s\" was changed meanwhile",
					mr_endpoint_address(endpoint)),
			 errdetail("Its etag is %s, not %s.", etag, mr_text_clip(expected)),
			 errhint("Look at it again and decide anew."),
			 mr_reason("changed_meanwhile")));
}

/* The same for who looked first, and passes the etag that he saw, or NULL. */
MrHead *
mr_endpoint_lock_expected(MrEndpoint *endpoint, const char *expected)
{
	MrHead	   *head = mr_endpoint_lock(endpoint);

	check_expected(endpoint, expected);
	return head;
}

/* The schedule that holds, as a snapshot sees it by which the endpoint was read. */
const MrSchedule *
mr_endpoint_schedule(const MrEndpoint *endpoint, Snapshot snapshot)
{
	return mr_schedule_load(endpoint->id, endpoint->schedule_seq,
							endpoint->schedule_hash, snapshot);
}

/* The one that held at a time.  Error 42704 for a time before the first. */
const MrSchedule *
mr_endpoint_schedule_at(const MrEndpoint *endpoint, TimestampTz at, Snapshot snapshot)
{
	const MrSchedule *schedule = mr_schedule_load_at(endpoint->id, at, snapshot);

	if (schedule == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("endpoint \"%s\" had no traffic yet", mr_endpoint_address(endpoint)),
				 errdetail("As of %s.", timestamptz_to_str(at)),
				 mr_reason("endpoint_not_found")));
	return schedule;
}

#define CHANNEL_OF_ALL "modelreg_endpoints"

/* Tell those who LISTEN for the endpoint, and for all, of its last event. */
void
mr_endpoint_notify(int64 id, int64 seq)
{
	char		channel[64];
	char		payload[64];

	snprintf(channel, sizeof(channel), "modelreg_endpoint_" INT64_FORMAT, id);
	snprintf(payload, sizeof(payload), INT64_FORMAT " " INT64_FORMAT, id, seq);
	Async_Notify(channel, payload);
	Async_Notify(CHANNEL_OF_ALL, payload);
}

/* One event tells what changes, and lays down the schedule; returns its number. */
static int64
lay_down(MrHead *head, MrVerb *verb, const char *kind, MrSchedule *schedule,
		 MrJson *what, const char *reason)
{
	int64		seq = DatumGetInt64(head->values[HEAD_SEQ - 1]) + 1;
	int64		before = DatumGetInt64(head->values[ENDPOINT_SCHEDULE_SEQ - 1]);
	TimestampTz at = schedule != NULL ? schedule->at : mr_event_time(head);

	if (schedule != NULL)
	{
		bytea	   *hash;

		if (before != 0)
			mr_leave_mark(verb, mr_schedule_load(head->id, before,
												 DatumGetByteaPP(head->values[ENDPOINT_SCHEDULE_HASH - 1]), NULL));
		schedule->endpoint = head->id;
		schedule->team = verb->team.id;
		schedule->seq = seq;
		schedule->kind = pstrdup(kind);
		hash = mr_schedule_insert(schedule);
		mr_json_add_hash(what, "schedule", hash);
		head->values[ENDPOINT_SCHEDULE_SEQ - 1] = Int64GetDatum(seq);
		head->values[ENDPOINT_SCHEDULE_HASH - 1] = PointerGetDatum(hash);
	}
	mr_event_append_at(head, verb, at, kind, mr_json_end(what), reason);
	mr_endpoint_notify(head->id, seq);
	mr_head_save(head);
	return seq;
}

/*
 * The one way to change what an endpoint does: one event of its chain tells
 * it, and lays down the schedule, unless that is NULL and stays.  The schedule was
 * made for the time of mr_event_time(); what has begun what the event tells
 * besides.  The head, which may have been changed, is saved.  Returns the
 * event's number.
 *
 * What serves by it is looked at again before the commit: what had no share any
 * more by the clock may have left its stage meanwhile.
 */
int64
mr_endpoint_change(MrHead *head, MrVerb *verb, const char *kind,
				   MrSchedule *schedule, MrJson *what, const char *reason)
{
	MrMark		mark = {.team = verb->team.id,.node = head->id,.who = verb->who};
	int64		seq = lay_down(head, verb, kind, schedule, what, reason);

	if (schedule != NULL)
	{
		mark.at = schedule->at;
		mr_mark(MR_MARK_TRAFFIC, &mark);
	}
	return seq;
}

/* The same for who looks before the commit, and finds that another one is to be laid down. */
int64
mr_endpoint_change_at_commit(MrHead *head, MrVerb *verb, const char *kind,
							 MrSchedule *schedule, MrJson *what)
{
	return lay_down(head, verb, kind, schedule, what, NULL);
}

/* The endpoint follows its model no more, which the event tells. */
void
mr_endpoint_stop_following(MrHead *head, MrJson *what)
{
	if (!DatumGetBool(head->values[ENDPOINT_FOLLOWS - 1]))
		return;
	head->values[ENDPOINT_FOLLOWS - 1] = BoolGetDatum(false);
	head->nulls[ENDPOINT_PLAN - 1] = true;
	mr_json_add_bool(what, "follows", false);
	mr_json_add_null(what, "plan");
}

/*
 * The live endpoints of a team (MR_NO_TEAM: of all), by no order.  What a
 * visit leaves in memory is gone before the next.
 */
void
mr_each_live_endpoint(int64 of, Snapshot snapshot, MrEndpointVisit visit, void *arg)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		key = Int64GetDatum(of);
	MrScan	   *scan = mr_scan_begin(table, "endpoint_live_name", of == MR_NO_TEAM ? 0 : 1, &key, snapshot);
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "modelreg endpoint", ALLOCSET_DEFAULT_SIZES);

	while (mr_scan_next(scan, false))
	{
		MemoryContext old = MemoryContextSwitchTo(work);
		MrTeam		team = {.name = ""};
		MrEndpoint	endpoint;

		team.id = DatumGetInt64(mr_table_get(table, ENDPOINT_TEAM_ID, NULL));
		mr_endpoint_read(table, &team, &endpoint);
		visit(&endpoint, arg);
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	MemoryContextDelete(work);
	mr_scan_end(scan);
	mr_table_close(table);
}
