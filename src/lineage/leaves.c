/*
 * leaves.c
 *		Reading the entries of an index in order, a leaf page at a time.
 *
 * An index scan hands out one entry after the other, and compares and copies
 * each before: for a walk through a dense part of the lineage, which takes
 * them all, that is half of its time.  Here the scan is asked only where to
 * begin.  From there each leaf page is copied as a whole, and what is in the
 * copy is given out; then comes its right sibling.
 *
 * What is allowed to an index-only scan is so here, for the same reasons.
 * The page stays pinned while its copy is in use: VACUUM takes entries away
 * only when nobody else has a pin, and a row's place can get another row only
 * after that.  So an entry of the copy still means its row, and the visibility
 * map may be asked for it.  Entries that move to the right while the page is
 * read are in the copy already, or still right of it, since the sibling is
 * that of the copy.  The snapshot decides what is seen of those that come.
 *
 * The first column of the index is a bigint, and its columns are NOT NULL;
 * included columns see to it that entries are not merged.  So the nodes'
 * primary key is not for this: its entries can be, where a restore was rolled
 * back and begun again.
 */
#include "postgres.h"

#include "access/nbtree.h"
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
#include "lineage/leaves.h"

MrLeaves *
mr_leaves_open(const char *table, const char *index, Snapshot snapshot)
{
	MrLeaves   *leaves = palloc0(sizeof(MrLeaves));

	leaves->heap = table_open(mr_relation_oid(table), AccessShareLock);
	leaves->index = index_open(mr_relation_oid(index), AccessShareLock);
	leaves->snapshot = snapshot;
	leaves->descending = (leaves->index->rd_indoption[0] & INDOPTION_DESC) != 0;
	leaves->scan = mr_index_beginscan(leaves->heap, leaves->index, snapshot, 1);
	leaves->rows = table_index_fetch_begin(leaves->heap);
	leaves->slot = table_slot_create(leaves->heap, NULL);
	leaves->pinned = leaves->vm_buffer = InvalidBuffer;
	leaves->sibling = P_NONE;
	return leaves;
}

static void
unpin(MrLeaves *leaves)
{
	if (BufferIsValid(leaves->pinned))
		ReleaseBuffer(leaves->pinned);
	leaves->pinned = InvalidBuffer;
}

/* Copy a leaf page, which stays pinned. */
static void
read_page(MrLeaves *leaves, BlockNumber block)
{
	Page		page = leaves->copy.data;
	BTPageOpaque opaque;

	unpin(leaves);
	leaves->pinned = _bt_getbuf(leaves->index, block, BT_READ);
	PredicateLockPage(leaves->index, block, leaves->snapshot);
	memcpy(page, BufferGetPage(leaves->pinned), BLCKSZ);
	_bt_unlockbuf(leaves->index, leaves->pinned);
	opaque = (BTPageOpaque) PageGetSpecialPointer(page);
	leaves->sibling = opaque->btpo_next;
	leaves->offset = P_FIRSTDATAKEY(opaque);
	/* a page that is being deleted has nothing any more but a sibling */
	leaves->last = P_IGNORE(opaque) ? InvalidOffsetNumber :
		PageGetMaxOffsetNumber(page);
	memset(leaves->visible, 0xFF, sizeof(leaves->visible)); /* InvalidBlockNumber */
}

/* The page of the first entry that the scan finds; P_NONE when none is. */
static BlockNumber
find_page(MrLeaves *leaves, int64 key)
{
	ScanKeyData scankey;
	BlockNumber block = P_NONE;

	if (leaves->descending)
		ScanKeyInit(&scankey, 1, BTLessEqualStrategyNumber, F_INT8LE,
					Int64GetDatum(key));
	else
		ScanKeyInit(&scankey, 1, BTGreaterEqualStrategyNumber, F_INT8GE,
					Int64GetDatum(key));
	index_rescan(leaves->scan, &scankey, 1, NULL, 0);
	if (index_getnext_tid(leaves->scan, ForwardScanDirection) != NULL)
		block = ((BTScanOpaque) leaves->scan->opaque)->currPos.currPage;
	return block;
}

/* Does the next entry of the page come before a key? */
static bool
is_before(const MrLeaves *leaves, int64 key)
{
	Page		page = (Page) leaves->copy.data;
	IndexTuple	entry = (IndexTuple) PageGetItem(page, PageGetItemId(page, leaves->offset));
	bool		isnull;
	int64		at = DatumGetInt64(index_getattr(entry, 1,
												 RelationGetDescr(leaves->index),
												 &isnull));

	return leaves->descending ? at > key : at < key;
}

/* Go before the first entry whose first column is the key or comes after it. */
void
mr_leaves_seek(MrLeaves *leaves, int64 key)
{
	leaves->sibling = find_page(leaves, key);
	leaves->offset = FirstOffsetNumber;
	leaves->last = InvalidOffsetNumber;
	while (mr_leaves_turn(leaves))
	{
		while (leaves->offset <= leaves->last && is_before(leaves, key))
			leaves->offset++;
		if (leaves->offset <= leaves->last)
			return;
	}
}

/* Go on to the next page; false when there is none. */
bool
mr_leaves_turn(MrLeaves *leaves)
{
	CHECK_FOR_INTERRUPTS();
	if (leaves->sibling == P_NONE)
		return false;
	read_page(leaves, leaves->sibling);
	return true;
}

/* Ask the visibility map, and if need be the row, whether the snapshot sees it. */
bool
mr_leaves_ask(MrLeaves *leaves, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	ItemPointerData row = *tid;
	bool		again = false;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	if (VM_ALL_VISIBLE(leaves->heap, block, &leaves->vm_buffer))
	{
		PredicateLockPage(leaves->heap, block, leaves->snapshot);
		leaves->visible[block % MR_LEAVES_BLOCKS] = block;
		return true;
	}
	found = table_index_fetch_tuple(leaves->rows, &row, leaves->snapshot,
									leaves->slot, &again, NULL);
	ExecClearTuple(leaves->slot);
	return found;
}

void
mr_leaves_close(MrLeaves *leaves)
{
	unpin(leaves);
	if (BufferIsValid(leaves->vm_buffer))
		ReleaseBuffer(leaves->vm_buffer);
	ExecDropSingleTupleTableSlot(leaves->slot);
	table_index_fetch_end(leaves->rows);
	index_endscan(leaves->scan);
	index_close(leaves->index, NoLock);
	table_close(leaves->heap, NoLock);
	pfree(leaves);
}
