/*
 * cursor.c
 *		Reading entries of an index for one key after another, or in order.
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

/* A cursor is opened for seeks by so many keys, 1 or 2. */
MrCursor *
mr_cursor_open(const char *table, const char *index, Snapshot snapshot,
			   int nkeys)
{
	MrCursor   *cursor = palloc0(sizeof(MrCursor));

	cursor->heap = table_open(mr_relation_oid(table), AccessShareLock);
	cursor->index = index_open(mr_relation_oid(index), AccessShareLock);
	cursor->slot = table_slot_create(cursor->heap, NULL);
	cursor->vm_buffer = InvalidBuffer;
	cursor->scan = mr_index_beginscan(cursor->heap, cursor->index, snapshot,
									  nkeys);
	cursor->scan->xs_want_itup = true;
	return cursor;
}

static void
seek(MrCursor *cursor, StrategyNumber strategy, RegProcedure procedure,
	 int64 key)
{
	ScanKeyData scankey;

	ScanKeyInit(&scankey, 1, strategy, procedure, Int64GetDatum(key));
	index_rescan(cursor->scan, &scankey, 1, NULL, 0);
}

/* Go before the first entry whose first column is the key; no other follows. */
void
mr_cursor_seek(MrCursor *cursor, int64 key)
{
	seek(cursor, BTEqualStrategyNumber, F_INT8EQ, key);
	cursor->direction = ForwardScanDirection;
}

/* The same, whose second column is not less than another. */
void
mr_cursor_seek_pair(MrCursor *cursor, int64 key, int64 second)
{
	ScanKeyData scankeys[2];

	ScanKeyInit(&scankeys[0], 1, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(key));
	ScanKeyInit(&scankeys[1], 2, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(second));
	index_rescan(cursor->scan, scankeys, 2, NULL, 0);
	cursor->direction = ForwardScanDirection;
}

/*
 * Go before the first entry whose first column is not less than the key, or
 * backward, before the last whose is not greater.  A leaf page is read as a
 * whole, so this is for those who read on.
 */
void
mr_cursor_seek_from(MrCursor *cursor, int64 key, bool backward)
{
	if (backward)
		seek(cursor, BTLessEqualStrategyNumber, F_INT8LE, key);
	else
		seek(cursor, BTGreaterEqualStrategyNumber, F_INT8GE, key);
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

	do
	{
		CHECK_FOR_INTERRUPTS();
		tid = index_getnext_tid(cursor->scan, cursor->direction);
	} while (tid != NULL && !entry_is_visible(cursor, tid));
	return tid != NULL;
}

/* The entry itself, valid until the next call. */
IndexTuple
mr_cursor_entry(MrCursor *cursor)
{
	return cursor->scan->xs_itup;
}

/* A column of the entry, valid until the next call. */
Datum
mr_cursor_get(MrCursor *cursor, AttrNumber column)
{
	bool		isnull;

	return index_getattr(cursor->scan->xs_itup, column,
						 cursor->scan->xs_itupdesc, &isnull);
}

/* Put the row of the entry into a slot. */
void
mr_cursor_fetch(MrCursor *cursor, TupleTableSlot *slot)
{
	if (!index_fetch_heap(cursor->scan, slot))
		elog(ERROR, "an entry of index \"%s\" has no row",
			 RelationGetRelationName(cursor->index));
}

void
mr_cursor_close(MrCursor *cursor)
{
	if (BufferIsValid(cursor->vm_buffer))
		ReleaseBuffer(cursor->vm_buffer);
	index_endscan(cursor->scan);
	ExecDropSingleTupleTableSlot(cursor->slot);
	index_close(cursor->index, NoLock);
	table_close(cursor->heap, NoLock);
	pfree(cursor);
}
