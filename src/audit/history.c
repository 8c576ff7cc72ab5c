/*
 * history.c
 *		Was the server's history taken back since the registry was written?
 *
 * After a recovery to a moment in the past the registry does not know what
 * clients were told later, and the one that it was restored from may be
 * running still: two registries with one identity, which give the same numbers
 * to different versions.  So nothing is written to it until somebody has said
 * what it is, by declare_restore() or new_identity().
 *
 * The registry's row notes in which cluster and on which timeline its chain
 * was written last.  Every end of a recovery begins a timeline, and the file
 * of its history says why; where that was a standby's promotion, the history
 * goes on.  In another cluster, after pg_upgrade or the restore of a dump,
 * nothing can be known of that.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "storage/fd.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "audit/history.h"
#include "base/errors.h"
#include "base/table.h"

/* What the server writes of a recovery that was given no target. */
#define NO_TARGET "no recovery target specified"

/* Found to be in order by this backend; 0 for none yet. */
static TimeLineID settled = 0;

/* Note the present cluster and timeline in the registry's row. */
void
mr_history_stamp(Datum *values, bool *nulls)
{
	values[REGISTRY_SYSTEM_IDENTIFIER - 1] = Int64GetDatum((int64) GetSystemIdentifier());
	values[REGISTRY_TIMELINE_ID - 1] = Int64GetDatum(GetWALInsertionTimeLine());
	nulls[REGISTRY_SYSTEM_IDENTIFIER - 1] = nulls[REGISTRY_TIMELINE_ID - 1] = false;
}

/* The timeline that the registry was written on in this cluster, or 0. */
static TimeLineID
timeline_of_registry(void)
{
	Datum		key = Int64GetDatum(1);
	MrTable    *table = mr_table_open_read("registry");
	TimeLineID	timeline = 0;

	if (mr_table_find_latest(table, "registry_pkey", 1, &key) &&
		(uint64) DatumGetInt64(mr_table_get(table, REGISTRY_SYSTEM_IDENTIFIER, NULL)) == GetSystemIdentifier())
		timeline = (TimeLineID) DatumGetInt64(mr_table_get(table, REGISTRY_TIMELINE_ID, NULL));
	mr_table_close(table);
	return timeline;
}

/*
 * One line of a history file, "timeline <tab> place <tab> why the next one
 * began", or something else.  Returns the reason, of a timeline that is not
 * older than since, if it is a target; else NULL.
 */
static char *
target_of_line(char *line, TimeLineID since)
{
	unsigned int timeline;
	char	   *reason = strchr(line, '\t');

	if (reason != NULL)
		reason = strchr(reason + 1, '\t');
	if (reason == NULL || sscanf(line, "%u", &timeline) != 1 || timeline < since)
		return NULL;
	reason++;
	reason[strcspn(reason, "\r\n")] = '\0';
	return strcmp(reason, NO_TARGET) == 0 ? NULL : pstrdup(reason);
}

/*
 * The target of the first recovery that ended after a timeline, on the way to
 * the present one; NULL if there was none.
 */
static char *
recovery_target(TimeLineID since, TimeLineID present)
{
	char		path[MAXPGPATH];
	char		line[MAXPGPATH];
	char	   *target = NULL;
	FILE	   *file;

	if (since > present)
		return psprintf("it was on timeline %u before", since);
	TLHistoryFilePath(path, present);
	file = AllocateFile(path, PG_BINARY_R);
	if (file == NULL)
		return psprintf("the file \"%s\" cannot be read", path);
	while (target == NULL && fgets(line, sizeof(line), file) != NULL)
		target = target_of_line(line, since);
	FreeFile(file);
	return target;
}

/* Error 55000 in a registry that was restored, which nobody has declared. */
void
mr_history_require(void)
{
	TimeLineID	present = GetWALInsertionTimeLine();
	TimeLineID	since;
	char	   *target = NULL;

	if (present == settled)
		return;
	since = timeline_of_registry();
	if (since != 0 && since != present)
		target = recovery_target(since, present);
	if (target != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the registry was restored to an earlier time, which nobody has declared"),
				 errdetail("Timeline %u of the server: %s.", present, target),
				 errhint("An admin calls modelreg.declare_restore() where this registry takes the place of the other, modelreg.new_identity() where it is a copy."),
				 mr_reason("restore_not_declared")));
	/* not by what this transaction wrote and may yet roll back */
	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		settled = present;
}
