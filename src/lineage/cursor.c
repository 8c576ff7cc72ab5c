/*
 * cursor.c
 *		Reading entries of an index for one key or range after another.
 *
 * As an index-only scan does: the row itself is fetched only where the
 * visibility map does not say that everybody sees its page.  The index's
 * first column is a bigint, its columns are NOT NULL.
 */
#include "postgres.h"

#include "access/itup.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/owner.h"
#include "lineage/cursor.h"

MrCursor *
mr_cursor_open(const char *table, const char *index, Snapshot snapshot)
{
	MrCursor   *cursor = palloc0(sizeof(MrCursor));

	cursor->heap = table_open(mr_relation_oid(table), AccessShareLock);
	cursor->index = index_open(mr_relation_oid(index), AccessShareLock);
	cursor->slot = table_slot_create(cursor->heap, NULL);
	cursor->vm_buffer = InvalidBuffer;
	cursor->snapshot = snapshot;
	return cursor;
}

/* The scan for one key or for a range of keys, as both are used in turn. */
static void
use_scan(MrCursor *cursor, IndexScanDesc *scan, ScanKey keys, int nkeys)
{
	if (*scan == NULL)
	{
		*scan = mr_index_beginscan(cursor->heap, cursor->index,
								   cursor->snapshot, nkeys);
		(*scan)->xs_want_itup = true;
	}
	index_rescan(*scan, keys, nkeys, NULL, 0);
	cursor->scan = *scan;
}

/* Go before the first entry whose first column is the key. */
void
mr_cursor_seek(MrCursor *cursor, int64 key)
{
	ScanKeyData scankey;

	ScanKeyInit(&scankey, 1, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(key));
	use_scan(cursor, &cursor->by_key, &scankey, 1);
	cursor->direction = ForwardScanDirection;
}

/*
 * Go before the first entry whose first column is between two keys, which
 * are included, or backward, before the last.
 */
void
mr_cursor_seek_range(MrCursor *cursor, int64 low, int64 high, bool backward)
{
	ScanKeyData scankeys[2];

	ScanKeyInit(&scankeys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(low));
	ScanKeyInit(&scankeys[1], 1, BTLessEqualStrategyNumber, F_INT8LE,
				Int64GetDatum(high));
	use_scan(cursor, &cursor->by_range, scankeys, 2);
	cursor->direction = backward ? BackwardScanDirection : ForwardScanDirection;
}

/* Does the snapshot see the row of the entry that the scan is at? */
static bool
entry_is_visible(MrCursor *cursor, ItemPointer tid)
{
	IndexScanDesc scan = cursor->scan;

	if (VM_ALL_VISIBLE(cursor->heap, ItemPointerGetBlockNumber(tid),
					   &cursor->vm_buffer))
	{
		PredicateLockPage(cursor->heap, ItemPointerGetBlockNumber(tid),
						  scan->xs_snapshot);
		return true;
	}
	if (!index_fetch_heap(scan, cursor->slot))
		return false;
	ExecClearTuple(cursor->slot);
	return true;
}

/* The next entry; false when there is none. */
bool
mr_cursor_next(MrCursor *cursor)
{
	ItemPointer tid;

	CHECK_FOR_INTERRUPTS();
	while ((tid = index_getnext_tid(cursor->scan, cursor->direction)) != NULL)
		if (entry_is_visible(cursor, tid))
			return true;
	return false;
}

/* A column of the entry, valid until the next call. */
Datum
mr_cursor_get(MrCursor *cursor, AttrNumber column)
{
	bool		isnull;

	return index_getattr(cursor->scan->xs_itup, column,
						 cursor->scan->xs_itupdesc, &isnull);
}

void
mr_cursor_close(MrCursor *cursor)
{
	if (BufferIsValid(cursor->vm_buffer))
		ReleaseBuffer(cursor->vm_buffer);
	if (cursor->by_key != NULL)
		index_endscan(cursor->by_key);
	if (cursor->by_range != NULL)
		index_endscan(cursor->by_range);
	ExecDropSingleTupleTableSlot(cursor->slot);
	index_close(cursor->index, NoLock);
	table_close(cursor->heap, NoLock);
	pfree(cursor);
}
