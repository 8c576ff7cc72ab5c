/*
 * schedules.c
 *		Schedules of endpoints: whether the server's own reader takes each, and
 *		whether it is one that the event can have laid down.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/grow.h"
#include "serving/schedule_check.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"
#include "verify/verify.h"

/* Those of an endpoint in their order, with the columns by their numbers. */
static const char schedules_sql[] =
"SELECT s.endpoint_id::bigint, s.seq::bigint, s.team_id::bigint, s.at::timestamptz, s.kind::text, s.rollout::bigint, s.restored::bigint, "
"s.salt::bytea, s.doc::jsonb, s.hash::bytea FROM modelreg.traffic_schedule s WHERE ($1 IS NULL OR s.team_id = $1) ORDER BY s.endpoint_id, s.seq";

/* The endpoint whose schedules are being read. */
typedef struct Walk
{
	int64		endpoint;
	int64	   *seqs;			/* of its schedules so far */
	int64		n;
	int64		room;
	bool		sound;			/* nothing is wrong with the one before by itself */
	MrSchedule *before;			/* NULL before the first */
	MemoryContext context;		/* in which that is */
	MemoryContext other;		/* for the next one */
} Walk;

typedef struct Reading
{
	const Datum *values;
	const bool *nulls;
	MrSchedule *schedule;
} Reading;

static void
read_schedule(MrVerify *verify, const void *arg)
{
	Reading    *reading = unconstify(void *, arg);

	for (int i = 0; i < TRAFFIC_SCHEDULE_HASH; i++)
		if (reading->nulls[i] && i != TRAFFIC_SCHEDULE_ROLLOUT - 1 && i != TRAFFIC_SCHEDULE_RESTORED - 1)
			elog(ERROR, "it has a null");
	reading->schedule = mr_schedule_of_columns(reading->values, reading->nulls);
}

static void
start_endpoint(Walk *walk, int64 endpoint)
{
	walk->endpoint = endpoint;
	walk->n = 0;
	walk->sound = true;
	walk->before = NULL;
}

/* Only who goes back names an earlier schedule. */
static const char *
flaw_of_restored(const MrSchedule *schedule, const Walk *walk)
{
	if (schedule->restored == 0)
		return NULL;
	if (strcmp(schedule->kind, "rolled_back") != 0 && strcmp(schedule->kind, "rollout_aborted") != 0)
		return "it restores a schedule, which its kind does not";
	if (bsearch(&schedule->restored, walk->seqs, walk->n, sizeof(int64), mr_id_compare) == NULL)
		return psprintf("there is no earlier schedule " INT64_FORMAT " for it to restore", schedule->restored);
	return NULL;
}

/* By itself. */
static const char *
find_flaw(MrVerify *verify, Reading *reading)
{
	char	   *error = mr_verify_catch(verify, read_schedule, reading);

	if (error != NULL)
		return psprintf("it cannot be read: %s", error);
	return mr_schedule_flaw(reading->schedule,
							DatumGetJsonbP(reading->values[TRAFFIC_SCHEDULE_DOC - 1]));
}

/* Of one that has no flaw by itself; after one that has, little can be said. */
static const char *
find_flaw_among(const Walk *walk, const MrSchedule *schedule)
{
	const char *flaw = walk->sound ? mr_schedule_flaw_after(schedule, walk->before) : NULL;

	return flaw != NULL ? flaw : flaw_of_restored(schedule, walk);
}

/* What was read becomes the one before the next. */
static void
go_on(Walk *walk, MrSchedule *schedule, int64 seq, bool sound)
{
	MemoryContext free = walk->context;

	walk->context = walk->other;
	walk->other = free;
	MemoryContextReset(free);
	walk->before = schedule;
	walk->sound = sound;
	walk->seqs = mr_grow(walk->seqs, walk->n, &walk->room, sizeof(int64));
	walk->seqs[walk->n++] = seq;
}

static void
check_schedule(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	Walk	   *walk = state;
	Reading		reading = {slot->tts_values, slot->tts_isnull, NULL};
	int64		endpoint = DatumGetInt64(reading.values[TRAFFIC_SCHEDULE_ENDPOINT_ID - 1]);
	int64		seq = DatumGetInt64(reading.values[TRAFFIC_SCHEDULE_SEQ - 1]);
	MemoryContext old = MemoryContextSwitchTo(walk->other);
	const char *flaw;
	bool		sound;

	if (endpoint != walk->endpoint)
		start_endpoint(walk, endpoint);
	flaw = find_flaw(verify, &reading);
	sound = flaw == NULL;
	if (sound)
		flaw = find_flaw_among(walk, reading.schedule);
	if (flaw != NULL)
		mr_verify_report(verify, "traffic",
						 psprintf("traffic_schedule " INT64_FORMAT "/" INT64_FORMAT, endpoint, seq),
						 "%s", flaw);
	MemoryContextSwitchTo(old);
	go_on(walk, reading.schedule, seq, sound);
}

void
mr_verify_schedules(MrVerify *verify, const void *arg)
{
	Walk		walk = {.room = 64};

	walk.seqs = palloc(walk.room * sizeof(int64));
	walk.context = AllocSetContextCreate(CurrentMemoryContext, "modelreg verify schedule", ALLOCSET_DEFAULT_SIZES);
	walk.other = AllocSetContextCreate(CurrentMemoryContext, "modelreg verify schedule", ALLOCSET_DEFAULT_SIZES);
	mr_verify_scan(verify, schedules_sql, check_schedule, &walk);
	MemoryContextDelete(walk.context);
	MemoryContextDelete(walk.other);
	pfree(walk.seqs);
}
