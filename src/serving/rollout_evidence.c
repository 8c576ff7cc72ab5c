/*
 * rollout_evidence.c
 *		What has been observed during a step of a rollout, added up.
 *
 * A step may last for days, so that adding up all its observations anew with
 * each that comes would take ever longer.  The sums are rows that whoever
 * holds the key of the endpoint's guards changes as his transaction commits.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/decimal.h"
#include "base/grow.h"
#include "base/table.h"
#include "serving/quality_tables.h"
#include "serving/rollout_evidence.h"

MrObservedSum
mr_observed_sum(MrObserved observed)
{
	return (MrObservedSum) {mr_decimal(observed.total), observed.n};
}

/* A count that is beyond its type stays there. */
void
mr_observed_add(MrObservedSum *sum, MrObservedSum more)
{
	if (sum->total == NULL)
		sum->total = more.total;
	else if (more.total != NULL)
		sum->total = mr_calculate(numeric_add, sum->total, more.total);
	if (pg_add_s64_overflow(sum->n, more.n, &sum->n))
		sum->n = PG_INT64_MAX;
}

static MrSum *
find(const MrSums *list, const char *metric, const MrArm *arm)
{
	for (int64 i = 0; i < list->n; i++)
		if (mr_arm_compare(&list->items[i].arm, arm) == 0 &&
			strcmp(list->items[i].metric, metric) == 0)
			return &list->items[i];
	return NULL;
}

/* The metric has to outlive the list. */
void
mr_sums_add(MrSums *list, const char *metric, MrArm arm,
				MrObservedSum observed)
{
	MrSum *known = find(list, metric, &arm);

	if (known != NULL)
		mr_observed_add(&known->observed, observed);
	else
	{
		list->items = mr_grow(list->items, list->n, &list->room, sizeof(MrSum));
		list->items[list->n++] = (MrSum) {metric, arm, observed};
	}
}

/* Nothing was observed of what the list does not have. */
MrObservedSum
mr_sums_of(const MrSums *list, const char *metric, const MrArm *arm)
{
	MrSum *known = find(list, metric, arm);

	return known == NULL ? (MrObservedSum) {0} : known->observed;
}

/* Of the row that a table is at. */
static MrObservedSum
read_sum(MrTable *table)
{
	return (MrObservedSum) {
		DatumGetNumericCopy(mr_table_get(table, ROLLOUT_EVIDENCE_TOTAL, NULL)),
		DatumGetInt64(mr_table_get(table, ROLLOUT_EVIDENCE_OBSERVATIONS, NULL))
	};
}

static void
store_one(MrTable *table, const MrStepKey *step, const MrSum *evidence)
{
	Datum		values[ROLLOUT_EVIDENCE_COLUMNS];
	bool		nulls[ROLLOUT_EVIDENCE_COLUMNS] = {false};
	MrObservedSum sum = evidence->observed;
	bool		exists;

	values[ROLLOUT_EVIDENCE_ENDPOINT_ID - 1] = Int64GetDatum(step->endpoint);
	values[ROLLOUT_EVIDENCE_SCHEDULE_SEQ - 1] = Int64GetDatum(step->schedule_seq);
	values[ROLLOUT_EVIDENCE_STEP - 1] = Int32GetDatum(step->step);
	values[ROLLOUT_EVIDENCE_METRIC - 1] = CStringGetTextDatum(evidence->metric);
	values[ROLLOUT_EVIDENCE_MODEL_ID - 1] = Int64GetDatum(evidence->arm.model);
	values[ROLLOUT_EVIDENCE_VERSION - 1] = Int32GetDatum(evidence->arm.version);
	values[ROLLOUT_EVIDENCE_TEAM_ID - 1] = Int64GetDatum(step->team);
	exists = mr_table_lock_latest(table, "rollout_evidence_pkey", 6, values);
	if (exists)
		mr_observed_add(&sum, read_sum(table));
	values[ROLLOUT_EVIDENCE_TOTAL - 1] = NumericGetDatum(sum.total);
	values[ROLLOUT_EVIDENCE_OBSERVATIONS - 1] = Int64GetDatum(sum.n);
	if (exists)
		mr_table_update(table, values, nulls);
	else
		mr_table_insert(table, values, nulls);
}

/* Add to the sums of a step, for whoever holds the key of the endpoint's guards. */
void
mr_sums_store(const MrStepKey *step, const MrSums *list)
{
	MrTable    *table = mr_table_open("rollout_evidence");

	for (int64 i = 0; i < list->n; i++)
		store_one(table, step, &list->items[i]);
	mr_table_close(table);
	CommandCounterIncrement();
}

/* The sums of a step as a snapshot (NULL: the latest) sees them. */
MrSums
mr_sums_load(const MrStepKey *step, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("rollout_evidence");
	Datum		keys[3] = {Int64GetDatum(step->endpoint), Int64GetDatum(step->schedule_seq),
	Int32GetDatum(step->step)};
	MrScan	   *scan = mr_scan_begin(table, "rollout_evidence_pkey", 3, keys, snapshot);
	MrSums list = {0};

	while (mr_scan_next(scan, false))
	{
		MrArm		arm = {DatumGetInt64(mr_table_get(table, ROLLOUT_EVIDENCE_MODEL_ID, NULL)),
		DatumGetInt32(mr_table_get(table, ROLLOUT_EVIDENCE_VERSION, NULL))};

		mr_sums_add(&list, TextDatumGetCString(mr_table_get(table, ROLLOUT_EVIDENCE_METRIC, NULL)),
					arm, read_sum(table));
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return list;
}
