/*
 * held_name.c
 *		Names of what a team has: who holds one, and held it when.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "registry/held_name.h"

enum
{
	HOLDER_ID = 3, SINCE, UNTIL, COLUMNS = UNTIL
};

/* The id of who held a name at a time, as the active snapshot knows it; 0 for nobody. */
int64
mr_held_name_at(MrTable *table, const char *index, int64 team, const char *name,
				TimestampTz at)
{
	Datum		keys[3] = {Int64GetDatum(team), CStringGetTextDatum(name), TimestampTzGetDatum(at)};
	MrScan	   *scan = mr_scan_begin_to(table, index, 3, keys, GetActiveSnapshot());
	int64		id = 0;
	bool		open;

	if (mr_scan_next(scan, true))
	{
		TimestampTz until = DatumGetTimestampTz(mr_table_get(table, UNTIL, &open));

		if (open || until > at)
			id = DatumGetInt64(mr_table_get(table, HOLDER_ID, NULL));
	}
	mr_scan_end(scan);
	return id;
}

/* From then on somebody holds a name. */
void
mr_held_name_begin(const char *table, int64 team, const char *name, int64 holder,
				   TimestampTz at)
{
	Datum		values[COLUMNS] = {Int64GetDatum(team), CStringGetTextDatum(name),
	Int64GetDatum(holder), TimestampTzGetDatum(at)};
	bool		nulls[COLUMNS] = {[UNTIL - 1] = true};

	mr_insert_row(table, values, nulls);
}

/* Who holds a name holds it no longer. */
void
mr_held_name_end(MrTable *table, const char *index, int64 team, const char *name,
				 TimestampTz at)
{
	Datum		keys[2] = {Int64GetDatum(team), CStringGetTextDatum(name)};
	MrScan	   *scan = mr_scan_begin(table, index, 2, keys, NULL);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	if (!mr_scan_next(scan, true))
		elog(ERROR, "name \"%s\" of team " INT64_FORMAT " is missing", name, team);
	ExecMaterializeSlot(table->slot);
	mr_scan_end(scan);
	mr_table_read(table, values, nulls);
	values[UNTIL - 1] = TimestampTzGetDatum(at);
	nulls[UNTIL - 1] = false;
	mr_table_update(table, values, nulls);
	CommandCounterIncrement();
}
