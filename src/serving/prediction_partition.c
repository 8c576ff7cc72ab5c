/*
 * prediction_partition.c
 *		Making and dropping partitions of the log of predictions.
 *
 * A partition is made as a table of its own and then attached, for which
 * nobody who reads or writes the log has to wait; dropping one waits for
 * all of them.  Both, and expiry, hold a key that shuts out one another and
 * nobody else.  Partitions are not members of the extension: a dump
 * has them as tables, with their indexes and the trigger that a partition does
 * not get from its parent, and so every form of it restores.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/format.h"
#include "base/lock.h"
#include "base/row.h"
#include "base/stmt.h"
#include "serving/prediction.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_add_prediction_partitions);
PG_FUNCTION_INFO_V1(modelreg_drop_prediction_partitions);
PG_FUNCTION_INFO_V1(modelreg_expire_predictions);

/* So many partitions are made by one call; a log with many is slow to plan. */
#define MOST_PARTITIONS 1000

#define FIRST_MONDAY 2			/* 2000-01-03 */
#define DROP_LOCK_TIMEOUT "3s"

static Oid	dropping = InvalidOid;	/* for the guard */

/* The lower bound that ends the range before it; one that is open has no end. */
static TimestampTz
bound_at(PartitionBoundInfo bounds, int i)
{
	switch (bounds->kind[i][0])
	{
		case PARTITION_RANGE_DATUM_MINVALUE:
			return DT_NOBEGIN;
		case PARTITION_RANGE_DATUM_MAXVALUE:
			return DT_NOEND;
		default:
			return DatumGetTimestampTz(bounds->datums[i][0]);
	}
}

/* The partitions of the log, which is open and locked. */
MrPartitions
mr_partitions_of(Relation parent)
{
	PartitionDesc desc = RelationGetPartitionDesc(parent, true);
	PartitionBoundInfo bounds = desc->boundinfo;
	MrPartitions result = {palloc(Max(desc->nparts, 1) * sizeof(MrPartition)), 0};

	for (int i = 1; desc->nparts > 0 && i < bounds->ndatums; i++)
	{
		MrPartition *partition = &result.items[result.n];

		if (bounds->indexes[i] < 0)
			continue;			/* a gap */
		partition->oid = desc->oids[bounds->indexes[i]];
		partition->since = bound_at(bounds, i - 1);
		partition->until = bound_at(bounds, i);
		result.n++;
	}
	return result;
}

/* The partition that a time belongs to, or NULL. */
const MrPartition *
mr_partition_at(const MrPartitions *partitions, TimestampTz at)
{
	int			low = 0;
	int			high = partitions->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (partitions->items[middle].until <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < partitions->n && partitions->items[low].since <= at ?
		&partitions->items[low] : NULL;
}

/*
 * Keep others from making and dropping partitions, until the end of the
 * transaction; all that there are.
 */
static MrPartitions
lock_partitions(void)
{
	Relation	parent;
	MrPartitions partitions;

	mr_lock_key(MR_LOCK_PARTITIONS, "prediction", strlen("prediction"));
	parent = table_open(mr_relation_oid("prediction"), ShareUpdateExclusiveLock);
	partitions = mr_partitions_of(parent);
	/* ALTER TABLE insists on nobody having it open */
	table_close(parent, NoLock);
	return partitions;
}

static void run_utility(const char *format,...) pg_attribute_printf(1, 2);

/*
 * Run a command of ours; names and times are the only things that differ.  SPI
 * leaves its own memory context behind, in which the verb would end.
 */
static void
run_utility(const char *format,...)
{
	MemoryContext context = CurrentMemoryContext;
	StringInfoData sql;
	va_list		args;

	initStringInfo(&sql);
	va_start(args, format);
	mr_append_va(&sql, format, args);
	va_end(args);
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not run \"%s\"", sql.data);
	MemoryContextSwitchTo(context);
	pfree(sql.data);
}

char *
mr_day_text(int64 day)
{
	int			year;
	int			month;
	int			monthday;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &monthday);
	return psprintf("%04d-%02d-%02d", year, month, monthday);
}

/* prediction_20260601 begins on 2026-06-01; no two begin on one day. */
static char *
partition_name(int64 day)
{
	int			year;
	int			month;
	int			monthday;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &monthday);
	return psprintf("prediction_%04d%02d%02d", year, month, monthday);
}

static void
make_partition(int64 since, int64 until)
{
	char	   *name = partition_name(since);

	run_utility("CREATE TABLE modelreg.%s (LIKE modelreg.prediction INCLUDING STORAGE INCLUDING COMPRESSION) USING heap", name);
	run_utility("REVOKE USAGE ON TYPE modelreg.%s FROM PUBLIC", name);
	run_utility("CREATE INDEX %s_key ON modelreg.%s (endpoint_id, request_key, at)", name, name);
	run_utility("CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON modelreg.%s FOR EACH STATEMENT EXECUTE FUNCTION modelreg.guard_truncate()", name);
	run_utility("ALTER TABLE modelreg.%s ENABLE ALWAYS TRIGGER guard_truncate", name);
	run_utility("ALTER TABLE modelreg.%s ENABLE ROW LEVEL SECURITY", name);
	run_utility("COMMENT ON TABLE modelreg.%s IS 'Predictions since %s and before %s, in UTC; to be read in modelreg.predictions.'",
				name, mr_day_text(since), mr_day_text(until));
	run_utility("ALTER TABLE ONLY modelreg.prediction ATTACH PARTITION modelreg.%s FOR VALUES FROM ('%s 00:00:00+00') TO ('%s 00:00:00+00')",
				name, mr_day_text(since), mr_day_text(until));
}

typedef int64 (*NextDay) (int64 day);

/* When the period ends in which a day lies; and the one before it. */
static int64
next_day(int64 day)
{
	return day + 1;
}

static int64
next_week(int64 day)
{
	int			weekday = (day - FIRST_MONDAY) % 7;

	return day + 7 - (weekday < 0 ? weekday + 7 : weekday);
}

static int64
next_month(int64 day)
{
	int			year;
	int			month;
	int			monthday;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &monthday);
	return month == 12 ? date2j(year + 1, 1, 1) - POSTGRES_EPOCH_JDATE :
		date2j(year, month + 1, 1) - POSTGRES_EPOCH_JDATE;
}

/* The first day of the period that a day lies in. */
static int64
period_start(NextDay next, int64 day)
{
	int64		start = day;

	while (next(start - 1) > day)
		start--;
	return start;
}

static NextDay
period_arg(FunctionCallInfo fcinfo, int n)
{
	static const struct
	{
		const char *name;
		NextDay		next;
	}			periods[] = {{"day", next_day}, {"week", next_week}, {"month", next_month}};
	char	   *name = mr_arg_text(fcinfo, n, "per");

	for (int i = 0; i < lengthof(periods); i++)
		if (strcmp(periods[i].name, name) == 0)
			return periods[i].next;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("partitions cannot be made per \"%s\"", mr_text_clip(name)),
			 errhint("They are made per day, week or month."),
			 mr_reason("invalid_argument")));
}

static int64
day_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	DateADT		day;

	mr_arg_require(fcinfo, n, name);
	day = PG_GETARG_DATEADT(n);
	if (day < MR_FIRST_DAY || day > MR_LAST_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a day of the years 1000 to 9998", name),
				 mr_reason("invalid_argument")));
	return day;
}

int64
mr_day_of(TimestampTz at)
{
	return (at - (at < 0 ? USECS_PER_DAY - 1 : 0)) / USECS_PER_DAY;
}

/* The first day from this one on that no partition has. */
static int64
first_free_day(const MrPartitions *partitions, int64 day, int64 until)
{
	const MrPartition *partition;

	while (day < until &&
		   (partition = mr_partition_at(partitions, day * USECS_PER_DAY)) != NULL)
		day = partition->until == DT_NOEND ? until : mr_day_of(partition->until - 1) + 1;
	return day;
}

/* A period may have partitions already: what is made ends before the next. */
static int64
end_of_free(const MrPartitions *partitions, int64 day, int64 end)
{
	for (int i = 0; i < partitions->n; i++)
	{
		TimestampTz since = partitions->items[i].since;

		if (since >= day * USECS_PER_DAY && since < end * USECS_PER_DAY)
			return mr_day_of(since);
	}
	return end;
}

/* Days from one on and before another. */
typedef struct Span
{
	int64		since;
	int64		until;
} Span;

/* The first span from a day on that needs a partition; false for none. */
static bool
find_missing(const MrPartitions *partitions, int64 day, int64 until,
			 NextDay next, Span *span)
{
	while ((day = first_free_day(partitions, day, until)) < until)
	{
		CHECK_FOR_INTERRUPTS();
		*span = (Span) {day, end_of_free(partitions, day, next(day))};
		if (span->until > day)
			return true;
		day++;
	}
	return false;
}

/* All spans that need one.  Error 54000 when they are too many, before any is made. */
static Span *
find_all_missing(const MrPartitions *partitions, int64 since, int64 until,
				 NextDay next, int *n)
{
	Span	   *spans = palloc((MOST_PARTITIONS + 1) * sizeof(Span));

	*n = 0;
	for (int64 day = since; find_missing(partitions, day, until, next, &spans[*n]);
		 day = spans[(*n)++].until)
		if (*n == MOST_PARTITIONS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %d partitions are missing before %s",
							MOST_PARTITIONS, mr_day_text(until)),
					 errhint("Name an earlier day, or per => 'month'."),
					 mr_reason("too_many_partitions")));
	return spans;
}

static int
make_partitions(int64 since, int64 until, NextDay next)
{
	MrPartitions partitions = lock_partitions();
	int			n;
	Span	   *spans = find_all_missing(&partitions, since, until, next, &n);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		make_partition(spans[i].since, spans[i].until);
	}
	return n;
}

static void
begin_for_admin(MrVerb *verb, FunctionCallInfo fcinfo, const char *name)
{
	MrTeam		none = {0};

	mr_require_registry(MR_ADMIN);
	mr_verb_begin(verb, fcinfo, name, &none, -1);
}

/*
 * modelreg.add_prediction_partitions(until date, since date, per text)
 *		returns integer, how many were made
 *
 * Errors: 22004 and 22023 for arguments, 42501 for who is no admin,
 * 54000 for more than 1000.
 */
Datum
modelreg_add_prediction_partitions(PG_FUNCTION_ARGS)
{
	int64		until = day_arg(fcinfo, 0, "until");
	int64		since = PG_ARGISNULL(1) ? mr_day_of(GetCurrentTimestamp()) :
		day_arg(fcinfo, 1, "since");
	NextDay		next = period_arg(fcinfo, 2);
	MrVerb		verb;
	int			made;

	begin_for_admin(&verb, fcinfo, "add_prediction_partitions");
	made = make_partitions(period_start(next, since), until, next);
	mr_verb_end(&verb);
	PG_RETURN_INT32(made);
}

/* Who has rows in a partition, and whether all of them may go. */
static MrStmt present_stmt = {
	"SELECT e.id, COALESCE($2 <= $3 - make_interval(days => e.prediction_days), false) FROM modelreg.endpoint e "
	"WHERE EXISTS (SELECT FROM modelreg.prediction p WHERE p.endpoint_id = e.id AND p.at >= $1 AND p.at < $2)",
	3, {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}, NULL
};

/* Does an endpoint keep its predictions longer than until now? */
static MrStmt kept_stmt = {
	"SELECT 1 FROM modelreg.endpoint e WHERE e.retired_at IS NULL AND $2 > $3 - make_interval(days => e.prediction_days) "
	"AND EXISTS (SELECT FROM modelreg.prediction p WHERE p.endpoint_id = e.id AND p.at >= $1 AND p.at < $2 "
	"AND p.at > $3 - make_interval(days => e.prediction_days))",
	3, {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID}, NULL
};

static uint64
ask_about(MrStmt *stmt, const MrPartition *partition, TimestampTz now, long limit)
{
	Datum		values[3] = {TimestampTzGetDatum(partition->since),
		TimestampTzGetDatum(partition->until), TimestampTzGetDatum(now)};

	return mr_stmt_read(stmt, values, NULL, limit);
}

/* One does not queue up behind a long report, and all others behind one. */
static void
limit_waiting(void)
{
	if (strcmp(GetConfigOption("lock_timeout", false, false), "0") == 0)
		(void) set_config_option("lock_timeout", DROP_LOCK_TIMEOUT, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Keep all others from reading and recording until the end of the
 * transaction: what is asked about a partition after that still holds when
 * it goes.
 */
static void
lock_log(void)
{
	limit_waiting();
	LockRelationOid(mr_relation_oid("prediction"), AccessExclusiveLock);
}

/* The log is locked. */
static void
drop_partition(const MrPartition *partition)
{
	dropping = partition->oid;
	PG_TRY();
	{
		run_utility("DROP TABLE modelreg.%s",
					quote_identifier(get_rel_name(partition->oid)));
	}
	PG_CATCH();
	{
		dropping = InvalidOid;
		PG_RE_THROW();
	}
	PG_END_TRY();
	dropping = InvalidOid;
}

bool
mr_partition_drop_passes(Oid relation)
{
	return OidIsValid(relation) && relation == dropping;
}

static void
raise_kept(int kept, int n)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("predictions are to be kept longer"),
			 errdetail("In %d of %d partitions there are predictions of endpoints that keep them longer (prediction_days).",
					   kept, n),
			 errhint("modelreg.expire_predictions() removes what no endpoint keeps any more."),
			 mr_reason("predictions_kept")));
}

/* An error if a partition is still needed. */
static void
require_unneeded(const MrPartitions *partitions)
{
	TimestampTz now = GetCurrentTimestamp();
	int			kept = 0;

	for (int i = 0; i < partitions->n; i++)
		kept += ask_about(&kept_stmt, &partitions->items[i], now, 1);
	if (kept > 0)
		raise_kept(kept, partitions->n);
}

/* Those that end before a day, for nobody to record into any more. */
static MrPartitions
lock_partitions_before(int64 day)
{
	MrPartitions partitions = lock_partitions();
	int			n = 0;

	while (n < partitions.n && partitions.items[n].until <= day * USECS_PER_DAY)
		n++;
	partitions.n = n;
	require_unneeded(&partitions);	/* who is refused waits for nobody */
	if (n > 0)
		lock_log();
	require_unneeded(&partitions);
	return partitions;
}

/*
 * modelreg.drop_prediction_partitions(before date) returns integer, how many
 *		were dropped
 *
 * Errors: 22004 and 22023 for the argument, 42501 for who is no admin, 55000
 * where an endpoint keeps its predictions longer, 55P03 after lock_timeout.
 */
Datum
modelreg_drop_prediction_partitions(PG_FUNCTION_ARGS)
{
	int64		before = day_arg(fcinfo, 0, "before");
	MrPartitions partitions;
	MrVerb		verb;

	begin_for_admin(&verb, fcinfo, "drop_prediction_partitions");
	partitions = lock_partitions_before(before);
	for (int i = 0; i < partitions.n; i++)
		drop_partition(&partitions.items[i]);
	mr_verb_end(&verb);
	PG_RETURN_INT32(partitions.n);
}

/* Those endpoints with rows in a partition whose rows are all to go. */
typedef struct Expired
{
	int64	   *endpoints;
	int			n;
	bool		all;			/* nobody else has any there */
} Expired;

static Expired
find_expired(const MrPartition *partition, TimestampTz now)
{
	uint64		present = ask_about(&present_stmt, partition, now, 0);
	Expired		expired = {.endpoints = palloc((present + 1) * sizeof(int64))};

	for (uint64 row = 0; row < present; row++)
	{
		bool		isnull;

		if (DatumGetBool(mr_stmt_value(row, 2, &isnull)))
			expired.endpoints[expired.n++] = DatumGetInt64(mr_stmt_value(row, 1, &isnull));
	}
	expired.all = present > 0 && expired.n == present;
	return expired;
}

static bool
is_expired(const Expired *expired, int64 endpoint)
{
	for (int i = 0; i < expired->n; i++)
		if (expired->endpoints[i] == endpoint)
			return true;
	return false;
}

static int64
delete_expired(const MrPartition *partition, const Expired *expired)
{
	MrTable    *table;
	AttrNumber	column = get_attnum(partition->oid, "endpoint_id");
	Snapshot	snapshot;
	TableScanDesc scan;
	int64		deleted = 0;

	if (expired->n == 0)
		return 0;
	table = mr_table_open(get_rel_name(partition->oid));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = table_beginscan(table->rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, table->slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_expired(expired, DatumGetInt64(mr_table_get(table, column, NULL))))
			continue;
		mr_table_delete(table);
		deleted++;
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	mr_table_close(table);
	return deleted;
}

/*
 * Drop those of which nothing is to be kept.  What was recorded while others
 * were waited for may have to be.
 */
static int
drop_expired(const MrPartitions *due, TimestampTz now, int64 *deleted)
{
	int			dropped = 0;

	if (due->n > 0)
		lock_log();
	for (int i = 0; i < due->n; i++)
	{
		Expired		expired = find_expired(&due->items[i], now);

		if (expired.all)
		{
			drop_partition(&due->items[i]);
			dropped++;
		}
		else
			*deleted += delete_expired(&due->items[i], &expired);
	}
	return dropped;
}

/* What waits for locks comes last. */
static int
expire(int64 *deleted)
{
	MrPartitions partitions = lock_partitions();
	MrPartitions due = {palloc(Max(partitions.n, 1) * sizeof(MrPartition)), 0};
	TimestampTz now = GetCurrentTimestamp();

	*deleted = 0;
	for (int i = 0; i < partitions.n; i++)
	{
		Expired		expired = find_expired(&partitions.items[i], now);

		if (expired.all)
			due.items[due.n++] = partitions.items[i];
		else
			*deleted += delete_expired(&partitions.items[i], &expired);
	}
	return drop_expired(&due, now, deleted);
}

/*
 * modelreg.expire_predictions() returns a row: how many partitions were
 *		dropped, and how many rows deleted from others
 *
 * Errors: 42501 for who is no admin, 55P03 after lock_timeout.
 */
Datum
modelreg_expire_predictions(PG_FUNCTION_ARGS)
{
	MrVerb		verb;
	Datum		values[2];
	bool		nulls[2] = {false};
	int64		deleted;

	InitMaterializedSRF(fcinfo, 0);
	begin_for_admin(&verb, fcinfo, "expire_predictions");
	values[0] = Int32GetDatum(expire(&deleted));
	values[1] = Int64GetDatum(deleted);
	mr_verb_end(&verb);
	tuplestore_putvalues(((ReturnSetInfo *) fcinfo->resultinfo)->setResult,
						 ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, values, nulls);
	return (Datum) 0;
}
