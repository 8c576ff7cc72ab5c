/*
 * discoverable.c
 *		Teams whose nodes everybody may name as inputs.
 *
 * That needs the exact address and tells nothing but that the node is there.
 * A retired team is not discoverable any more.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "access/access.h"
#include "access/access_tables.h"
#include "base/table.h"

/* Whatever the caller may read. */
bool
mr_team_is_discoverable(int64 id)
{
	MrTable    *table = mr_table_open_read("team");
	Datum		key = Int64GetDatum(id);
	bool		alive = false;
	bool		discoverable = false;

	if (mr_table_find_latest(table, "team_pkey", 1, &key))
	{
		(void) mr_table_get(table, TEAM_RETIRED_AT, &alive);
		discoverable = DatumGetBool(mr_table_get(table, TEAM_DISCOVERABLE, NULL));
	}
	mr_table_close(table);
	return alive && discoverable;
}

/* The discoverable team of that name; 0 for none. */
int64
mr_discoverable_team(const char *name)
{
	MrTable    *table = mr_table_open_read("team_name");
	Datum		key = CStringGetTextDatum(name);
	bool		present = false;
	int64		id = 0;

	if (mr_table_find_latest(table, "team_name_pkey", 1, &key))
	{
		(void) mr_table_get(table, TEAM_NAME_UNTIL, &present);
		id = DatumGetInt64(mr_table_get(table, TEAM_NAME_TEAM_ID, NULL));
	}
	mr_table_close(table);
	return present && mr_team_is_discoverable(id) ? id : 0;
}
