/*
 * leaving.c
 *		Versions that stay in stage Production only while they serve.
 *
 * A promotion archives what it replaces.  While an endpoint serves that, or is
 * to serve it in a coming step, it stays in its stage and is leaving: the
 * decision that would have archived it names it, and whoever takes its last
 * share, or decides about the model next, archives it.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/grow.h"
#include "base/table.h"
#include "governance/governance_tables.h"
#include "governance/leaving.h"

/* Is the version leaving? */
bool
mr_leaving_has(int64 model, int32 version)
{
	MrTable    *table = mr_table_open_read("leaving");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	bool		found = mr_table_find_latest(table, "leaving_pkey", 2, keys);

	mr_table_close(table);
	return found;
}

/* The versions of a model that are leaving, ascending. */
int32 *
mr_leaving_of(int64 model, int *n)
{
	MrTable    *table = mr_table_open_read("leaving");
	Datum		key = Int64GetDatum(model);
	MrScan	   *scan = mr_scan_begin(table, "leaving_pkey", 1, &key, NULL);
	int32	   *versions = NULL;
	int64		room = 0;

	*n = 0;
	while (mr_scan_next(scan, false))
	{
		versions = mr_grow(versions, *n, &room, sizeof(int32));
		versions[(*n)++] = DatumGetInt32(mr_table_get(table, LEAVING_VERSION, NULL));
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return versions;
}

/* By the event of that number. */
void
mr_leaving_begin(const MrModel *model, int32 version, TimestampTz at, int64 seq)
{
	Datum		values[LEAVING_COLUMNS];
	bool		nulls[LEAVING_COLUMNS] = {false};

	values[LEAVING_MODEL_ID - 1] = Int64GetDatum(model->id);
	values[LEAVING_VERSION - 1] = Int32GetDatum(version);
	values[LEAVING_TEAM_ID - 1] = Int64GetDatum(model->team.id);
	values[LEAVING_SINCE - 1] = TimestampTzGetDatum(at);
	values[LEAVING_SEQ - 1] = Int64GetDatum(seq);
	mr_insert_row("leaving", values, nulls);
}

/* The version moved, or is current again. */
void
mr_leaving_end(int64 model, int32 version)
{
	MrTable    *table;
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};

	if (!mr_leaving_has(model, version))
		return;
	table = mr_table_open("leaving");
	if (!mr_table_lock_latest(table, "leaving_pkey", 2, keys))
		elog(ERROR, "leaving version %d is missing", version);
	mr_table_delete(table);
	mr_table_close(table);
}
