/*
 * snapshot.c
 *		The latest snapshot, also while a query runs in parallel.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/snapmgr.h"

#include "base/owner.h"
#include "base/snapshot.h"

/*
 * A snapshot of all that is committed now, to be registered at once.  The
 * server refuses GetLatestSnapshot() while workers run; the snapshot that it
 * takes to look at a catalog without a cache is as new, and always allowed.
 */
Snapshot
mr_latest_snapshot(void)
{
	if (!IsInParallelMode())
		return GetLatestSnapshot();
	return GetCatalogSnapshot(mr_relation_oid("team"));
}
