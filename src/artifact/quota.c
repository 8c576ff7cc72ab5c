/*
 * quota.c
 *		How many bytes each team's uploads hold or have reserved.
 *
 * An upload is charged in full when it begins, before deduplication, and
 * discharged when it is aborted or swept.  Versions charge nothing, so that a
 * pipeline's long transaction never holds its team's counter; beginning and
 * aborting do, until their transactions end, which are short.
 */
#include "postgres.h"


#include "access/access_tables.h"
#include "artifact/upload.h"
#include "base/errors.h"
#include "base/lock.h"

/* The team's quota, or -1 for no limit. */
static int64
find_quota(int64 team)
{
	MrTable    *table = mr_table_open_read("team");
	Datum		key = Int64GetDatum(team);
	bool		unlimited = true;
	int64		quota = -1;

	if (mr_table_find_latest(table, "team_pkey", 1, &key))
		quota = DatumGetInt64(mr_table_get(table, TEAM_BYTE_QUOTA, &unlimited));
	mr_table_close(table);
	return unlimited ? -1 : quota;
}

static void
require_room(const MrTeam *team, int64 bytes, int64 size)
{
	int64		quota = find_quota(team->id);

	if (quota < 0 || size <= quota - bytes)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("the byte quota of team \"%s\" is exhausted", team->name),
			 errdetail("The quota is " INT64_FORMAT " bytes; uploads hold " INT64_FORMAT ", and " INT64_FORMAT " more were asked for.",
					   quota, bytes, size),
			 errhint("modelreg.abort_upload() and modelreg.sweep_uploads() free what no version uses; an admin can raise the quota with modelreg.set_quota()."),
			 mr_reason("quota_exceeded")));
}

/* Early, without a lock: an error that would come later anyway. */
void
mr_team_bytes_check(const MrTeam *team, int64 size)
{
	MrTable    *table = mr_table_open_read("team_bytes");
	Datum		key = Int64GetDatum(team->id);
	int64		bytes = 0;

	if (mr_table_find_latest(table, "team_bytes_pkey", 1, &key))
		bytes = DatumGetInt64(mr_table_get(table, TEAM_BYTES_BYTES, NULL));
	mr_table_close(table);
	require_room(team, bytes, size);
}

/* The counter is locked, or made under the lock of its key. */
static bool
lock_counter(MrTable *table, int64 team)
{
	Datum		key = Int64GetDatum(team);

	if (mr_table_lock_latest(table, "team_bytes_pkey", 1, &key))
		return true;
	mr_lock_key(MR_LOCK_TEAM_BYTES, &team, sizeof(team));
	return mr_table_lock_latest(table, "team_bytes_pkey", 1, &key);
}

/* Charge an upload; 53400 if the team's quota does not allow it. */
void
mr_team_bytes_add(const MrTeam *team, int64 size)
{
	MrTable    *table = mr_table_open("team_bytes");
	bool		exists = lock_counter(table, team->id);
	int64		bytes = exists ?
		DatumGetInt64(mr_table_get(table, TEAM_BYTES_BYTES, NULL)) : 0;
	Datum		values[TEAM_BYTES_COLUMNS];
	bool		nulls[TEAM_BYTES_COLUMNS] = {false};

	require_room(team, bytes, size);
	values[TEAM_BYTES_TEAM_ID - 1] = Int64GetDatum(team->id);
	values[TEAM_BYTES_BYTES - 1] = Int64GetDatum(bytes + size);
	if (exists)
		mr_table_update(table, values, nulls);
	else
		mr_table_insert(table, values, nulls);
	mr_table_close(table);
}

/* Discharge an upload. */
void
mr_team_bytes_subtract(int64 team, int64 size)
{
	MrTable    *table = mr_table_open("team_bytes");
	Datum		values[TEAM_BYTES_COLUMNS];
	bool		nulls[TEAM_BYTES_COLUMNS];

	if (!lock_counter(table, team))
		elog(ERROR, "no bytes are charged to team " INT64_FORMAT, team);
	mr_table_read(table, values, nulls);
	values[TEAM_BYTES_BYTES - 1] =
		Int64GetDatum(DatumGetInt64(values[TEAM_BYTES_BYTES - 1]) - size);
	mr_table_update(table, values, nulls);
	mr_table_close(table);
}
