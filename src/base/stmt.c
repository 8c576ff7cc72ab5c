/*
 * stmt.c
 *		Fixed SQL statements, planned once per backend.
 *
 * The statements read only: rows are written through table.c, so that there
 * is one place that hashes them and opens the guard.
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "base/snapshot.h"
#include "base/stmt.h"

static void
prepare(MrStmt *stmt)
{
	SPIPlanPtr	plan;

	if (stmt->plan != NULL)
		return;
	plan = SPI_prepare(stmt->sql, stmt->nargs, stmt->types);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", stmt->sql,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", stmt->sql);
	stmt->plan = plan;
}

/*
 * Run the statement under a snapshot and leave its rows in SPI_tuptable.
 * The caller has connected to SPI.  nulls is as for SPI_execute_plan(), limit
 * 0 for no limit.  The memory context stays the caller's: SPI leaves its own
 * behind, which SPI_finish() deletes with all that was made in it since.
 */
uint64
mr_stmt_read_as_of(MrStmt *stmt, Datum *values, const char *nulls,
				   Snapshot snapshot, long limit)
{
	MemoryContext context = CurrentMemoryContext;
	int			result;

	prepare(stmt);
	result = SPI_execute_snapshot(stmt->plan, values, nulls, snapshot,
								  InvalidSnapshot, true, false, limit);
	MemoryContextSwitchTo(context);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", stmt->sql,
			 SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * The same under the latest snapshot, which a verb has to read under: after
 * it waited for a lock the statement's own snapshot is stale.
 */
uint64
mr_stmt_read(MrStmt *stmt, Datum *values, const char *nulls, long limit)
{
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	uint64		rows = mr_stmt_read_as_of(stmt, values, nulls, snapshot, limit);

	UnregisterSnapshot(snapshot);
	return rows;
}

/* A value of the result; row and column count from 0 and 1, as in SPI. */
Datum
mr_stmt_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}
