/*
 * snapshot.c
 *		The latest snapshot, also while a query runs in parallel, and the
 *		transaction's own.
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

/*
 * The snapshot that a transaction above READ COMMITTED reads by; NULL where
 * each statement has one of its own.  What such a transaction names in a verb
 * is found as it is now, and is 40001 unless this snapshot finds the same:
 * else it would build on what its own reads do not show, which is wrong in
 * every order of the transactions.
 */
Snapshot
mr_own_snapshot(void)
{
	return IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : NULL;
}
