/*
 * schedule_row.c
 *		Schedules as rows: laying one down, and finding those that are.
 *
 * Reading the document of a schedule takes many times as long as finding its
 * row, so a backend keeps what it has read.  The key is the endpoint and the
 * hash of the row: a hash never lies, while a number that an aborted
 * subtransaction gave to one event is given to another.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "base/row.h"
#include "base/table.h"
#include "serving/schedule.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"

/* What a backend keeps from one transaction to the next. */
#define KEPT_BYTES (16 * 1024 * 1024)

typedef struct KeptKey
{
	int64		endpoint;
	uint8		hash[MR_HASH_LEN];
} KeptKey;

typedef struct Kept
{
	KeptKey		key;
	const MrSchedule *schedule;
} Kept;

static MemoryContext kept_context = NULL;
static HTAB *kept = NULL;
static Size kept_bytes = 0;		/* counted, as every transaction's end asks */

static bool
keeps_too_much(void)
{
	return kept_bytes > KEPT_BYTES;
}

/* What was handed out is used until the end of the transaction, but not longer. */
static void
forget_at_end(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (kept_context == NULL || !keeps_too_much())
		return;
	MemoryContextDelete(kept_context);
	kept_context = NULL;
	kept = NULL;
	kept_bytes = 0;
}

static void
make_kept(void)
{
	static bool registered = false;
	HASHCTL		info = {.keysize = sizeof(KeptKey),.entrysize = sizeof(Kept)};

	if (kept != NULL)
		return;
	if (!registered)
		RegisterXactCallback(forget_at_end, NULL);
	registered = true;
	if (kept_context == NULL)
		kept_context = AllocSetContextCreate(TopMemoryContext, "modelreg schedules", ALLOCSET_DEFAULT_SIZES);
	info.hcxt = kept_context;
	kept = hash_create("modelreg schedules", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static KeptKey
make_key(int64 endpoint, const bytea *hash)
{
	KeptKey		key = {.endpoint = endpoint};

	if (VARSIZE_ANY_EXHDR(hash) != MR_HASH_LEN)
		elog(ERROR, "the hash of a schedule is not %d bytes long", MR_HASH_LEN);
	memcpy(key.hash, VARDATA_ANY(hash), MR_HASH_LEN);
	return key;
}

static const MrSchedule *
find_kept(int64 endpoint, const bytea *hash)
{
	KeptKey		key = make_key(endpoint, hash);
	Kept	   *entry = kept == NULL ? NULL : hash_search(kept, &key, HASH_FIND, NULL);

	return entry == NULL ? NULL : entry->schedule;
}

/* A number that is NULL for none; 0 then. */
static int64
id_of(const Datum *values, const bool *nulls, AttrNumber column)
{
	return nulls[column - 1] ? 0 : DatumGetInt64(values[column - 1]);
}

/* The schedule of a row's columns, in the current memory context. */
MrSchedule *
mr_schedule_of_columns(const Datum *values, const bool *nulls)
{
	MrSchedule *schedule = palloc0(sizeof(MrSchedule));
	bytea	   *salt = DatumGetByteaPP(values[TRAFFIC_SCHEDULE_SALT - 1]);

	if (VARSIZE_ANY_EXHDR(salt) != MR_SALT_LEN)
		elog(ERROR, "the salt of a schedule is not %d bytes long", MR_SALT_LEN);
	memcpy(schedule->salt, VARDATA_ANY(salt), MR_SALT_LEN);
	schedule->endpoint = id_of(values, nulls, TRAFFIC_SCHEDULE_ENDPOINT_ID);
	schedule->seq = id_of(values, nulls, TRAFFIC_SCHEDULE_SEQ);
	schedule->team = id_of(values, nulls, TRAFFIC_SCHEDULE_TEAM_ID);
	schedule->at = DatumGetTimestampTz(values[TRAFFIC_SCHEDULE_AT - 1]);
	schedule->kind = TextDatumGetCString(values[TRAFFIC_SCHEDULE_KIND - 1]);
	schedule->rollout = id_of(values, nulls, TRAFFIC_SCHEDULE_ROLLOUT);
	schedule->restored = id_of(values, nulls, TRAFFIC_SCHEDULE_RESTORED);
	schedule->hash = DatumGetByteaPCopy(values[TRAFFIC_SCHEDULE_HASH - 1]);
	mr_schedule_read(DatumGetJsonbPCopy(values[TRAFFIC_SCHEDULE_DOC - 1]), schedule);
	return schedule;
}

/* That of the row in the table's slot. */
static MrSchedule *
read_row(MrTable *table)
{
	Datum		values[TRAFFIC_SCHEDULE_COLUMNS];
	bool		nulls[TRAFFIC_SCHEDULE_COLUMNS];

	mr_table_read(table, values, nulls);
	return mr_schedule_of_columns(values, nulls);
}

/*
 * Read the row in the slot and keep it.  Of what is more than a backend keeps,
 * it belongs to the caller alone, for the rest of this transaction.
 */
static const MrSchedule *
read_to_keep(MrTable *table)
{
	MemoryContext context;
	MemoryContext old;
	MrSchedule *schedule;
	KeptKey		key;
	bool		found;

	make_kept();
	if (keeps_too_much())
		return read_row(table);
	context = AllocSetContextCreate(CurrentMemoryContext, "modelreg schedule", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	schedule = read_row(table);
	MemoryContextSwitchTo(old);
	key = make_key(schedule->endpoint, schedule->hash);
	((Kept *) hash_search(kept, &key, HASH_ENTER, &found))->schedule = schedule;
	MemoryContextSetParent(context, kept_context);
	kept_bytes += MemoryContextMemAllocated(context, true);
	return schedule;
}

/* The schedule of the row in the table's slot. */
static const MrSchedule *
schedule_of_row(MrTable *table)
{
	const MrSchedule *schedule =
		find_kept(DatumGetInt64(mr_table_get(table, TRAFFIC_SCHEDULE_ENDPOINT_ID, NULL)),
				  DatumGetByteaPP(mr_table_get(table, TRAFFIC_SCHEDULE_HASH, NULL)));

	return schedule != NULL ? schedule : read_to_keep(table);
}

/*
 * The schedule that an event laid down.  Who knows the hash of its row from
 * the head gives it; then a schedule that is kept needs no look at the table.
 */
const MrSchedule *
mr_schedule_load(int64 endpoint, int64 seq, const bytea *hash, Snapshot snapshot)
{
	const MrSchedule *schedule = hash == NULL ? NULL : find_kept(endpoint, hash);
	Datum		keys[2] = {Int64GetDatum(endpoint), Int64GetDatum(seq)};
	MrTable    *table;

	if (schedule != NULL)
		return schedule;
	table = mr_table_open_read("traffic_schedule");
	if (!mr_table_find(table, "traffic_schedule_pkey", 2, keys, snapshot))
		elog(ERROR, "endpoint " INT64_FORMAT " has no schedule " INT64_FORMAT, endpoint, seq);
	schedule = schedule_of_row(table);
	mr_table_close(table);
	if (hash != NULL && !mr_same_hash(schedule->hash, hash))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("schedule " INT64_FORMAT " of endpoint " INT64_FORMAT " is not the one that its head names",
						seq, endpoint)));
	return schedule;
}

/* The last one up to a place in an index, or NULL. */
static const MrSchedule *
load_last(const char *index, int64 endpoint, Datum place, Snapshot snapshot)
{
	Datum		keys[2] = {Int64GetDatum(endpoint), place};
	MrTable    *table = mr_table_open_read("traffic_schedule");
	MrScan	   *scan = mr_scan_begin_to(table, index, 2, keys, snapshot);
	const MrSchedule *schedule = mr_scan_next(scan, true) ? schedule_of_row(table) : NULL;

	mr_scan_end(scan);
	mr_table_close(table);
	return schedule;
}

/* The schedule that holds at a time; NULL before the first. */
const MrSchedule *
mr_schedule_load_at(int64 endpoint, TimestampTz time, Snapshot snapshot)
{
	return load_last("traffic_schedule_at", endpoint, TimestampTzGetDatum(time), snapshot);
}

/* The one before that of an event; NULL for the first. */
const MrSchedule *
mr_schedule_load_before(int64 endpoint, int64 seq, Snapshot snapshot)
{
	return load_last("traffic_schedule_pkey", endpoint, Int64GetDatum(seq - 1), snapshot);
}

static void
set_id(Datum *values, bool *nulls, AttrNumber column, int64 id)
{
	nulls[column - 1] = id == 0;
	values[column - 1] = Int64GetDatum(id);
}

static void
insert_arm(MrTable *table, const MrSchedule *schedule, int step, const MrArm *arm,
		   int32 share)
{
	Datum		values[TRAFFIC_ARM_COLUMNS];
	bool		nulls[TRAFFIC_ARM_COLUMNS] = {false};

	CHECK_FOR_INTERRUPTS();
	values[TRAFFIC_ARM_ENDPOINT_ID - 1] = Int64GetDatum(schedule->endpoint);
	values[TRAFFIC_ARM_SEQ - 1] = Int64GetDatum(schedule->seq);
	values[TRAFFIC_ARM_STEP - 1] = Int32GetDatum(step);
	values[TRAFFIC_ARM_MODEL_ID - 1] = Int64GetDatum(arm->model);
	values[TRAFFIC_ARM_VERSION - 1] = Int32GetDatum(arm->version);
	values[TRAFFIC_ARM_SHARE - 1] = Int32GetDatum(share);
	values[TRAFFIC_ARM_TEAM_ID - 1] = Int64GetDatum(schedule->team);
	values[TRAFFIC_ARM_OPENS - 1] = TimestampTzGetDatum(schedule->steps[step].opens);
	mr_table_insert(table, values, nulls);
}

/* A row for each step and arm with a share, and with share 0 for each shadow. */
static void
insert_arms(const MrSchedule *schedule)
{
	MrTable    *table = mr_table_open("traffic_arm");

	for (int i = 0; i < schedule->nsteps; i++)
	{
		const MrStep *step = &schedule->steps[i];
		MrSplit		split = mr_split_of(&step->segments);

		for (int k = 0; k < split.n; k++)
			insert_arm(table, schedule, i, &split.shares[k].arm, split.shares[k].weight);
		for (int k = 0; k < step->nshadow; k++)
			insert_arm(table, schedule, i, &step->shadow[k], 0);
		pfree(split.shares);
	}
	mr_table_close(table);
}

/*
 * Lay a schedule down: endpoint, team, seq, at and kind are filled in.  Its
 * hash is filled in here, and returned for the head.
 */
bytea *
mr_schedule_insert(MrSchedule *schedule)
{
	Datum		values[TRAFFIC_SCHEDULE_COLUMNS];
	bool		nulls[TRAFFIC_SCHEDULE_COLUMNS] = {false};
	bytea	   *salt = palloc(VARHDRSZ + MR_SALT_LEN);

	SET_VARSIZE(salt, VARHDRSZ + MR_SALT_LEN);
	memcpy(VARDATA(salt), schedule->salt, MR_SALT_LEN);
	values[TRAFFIC_SCHEDULE_ENDPOINT_ID - 1] = Int64GetDatum(schedule->endpoint);
	values[TRAFFIC_SCHEDULE_SEQ - 1] = Int64GetDatum(schedule->seq);
	values[TRAFFIC_SCHEDULE_TEAM_ID - 1] = Int64GetDatum(schedule->team);
	values[TRAFFIC_SCHEDULE_AT - 1] = TimestampTzGetDatum(schedule->at);
	values[TRAFFIC_SCHEDULE_KIND - 1] = CStringGetTextDatum(schedule->kind);
	set_id(values, nulls, TRAFFIC_SCHEDULE_ROLLOUT, schedule->rollout);
	set_id(values, nulls, TRAFFIC_SCHEDULE_RESTORED, schedule->restored);
	values[TRAFFIC_SCHEDULE_SALT - 1] = PointerGetDatum(salt);
	values[TRAFFIC_SCHEDULE_DOC - 1] = JsonbPGetDatum(mr_schedule_write(schedule));
	schedule->hash = mr_insert_row("traffic_schedule", values, nulls);
	insert_arms(schedule);
	return schedule->hash;
}
