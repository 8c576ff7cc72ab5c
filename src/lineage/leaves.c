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
 * included columns see to it that entries are not merged.
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

struct MrLeaves
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	bool		descending;
	IndexScanDesc scan;			/* finds where to begin */
	IndexFetchTableData *rows;
	TupleTableSlot *slot;
	Buffer		pinned;			/* the page of the copy */
	PGAlignedBlock copy;
	OffsetNumber offset;		/* of the entry to give out next */
	OffsetNumber last;
	BlockNumber sibling;		/* P_NONE: this is the last page */
	int64		begin;			/* entries before are not given out */
	bool		begun;			/* none will come any more */
	Buffer		vm_buffer;		/* of the visibility map */
	BlockNumber visible_block;	/* everybody sees the rows of this block, as
								 * was found for an entry of this copy */
};

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
	leaves->visible_block = InvalidBlockNumber;
}

/* The page of the first entry that the scan finds; P_NONE when none is. */
static BlockNumber
find_page(MrLeaves *leaves)
{
	ScanKeyData scankey;
	BlockNumber block = P_NONE;

	if (leaves->descending)
		ScanKeyInit(&scankey, 1, BTLessEqualStrategyNumber, F_INT8LE,
					Int64GetDatum(leaves->begin));
	else
		ScanKeyInit(&scankey, 1, BTGreaterEqualStrategyNumber, F_INT8GE,
					Int64GetDatum(leaves->begin));
	index_rescan(leaves->scan, &scankey, 1, NULL, 0);
	if (index_getnext_tid(leaves->scan, ForwardScanDirection) != NULL)
		block = ((BTScanOpaque) leaves->scan->opaque)->currPos.currPage;
	return block;
}

/* Go before the first entry whose first column is the key or comes after it. */
void
mr_leaves_seek(MrLeaves *leaves, int64 key)
{
	BlockNumber block;

	leaves->begin = key;
	leaves->begun = false;
	block = find_page(leaves);
	leaves->sibling = P_NONE;
	leaves->offset = FirstOffsetNumber;
	leaves->last = InvalidOffsetNumber;
	if (block != P_NONE)
		read_page(leaves, block);
}

/* Does the snapshot see the row of an entry? */
static bool
is_visible(MrLeaves *leaves, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	ItemPointerData row = *tid;
	bool		again = false;
	bool		found;

	if (block == leaves->visible_block)
		return true;
	if (VM_ALL_VISIBLE(leaves->heap, block, &leaves->vm_buffer))
	{
		PredicateLockPage(leaves->heap, block, leaves->snapshot);
		leaves->visible_block = block;
		return true;
	}
	found = table_index_fetch_tuple(leaves->rows, &row, leaves->snapshot,
									leaves->slot, &again, NULL);
	ExecClearTuple(leaves->slot);
	return found;
}

/* Is the entry one that comes before the key of the seek? */
static bool
is_before(const MrLeaves *leaves, IndexTuple entry)
{
	bool		isnull;
	int64		key = DatumGetInt64(index_getattr(entry, 1,
												  RelationGetDescr(leaves->index),
												  &isnull));

	return leaves->descending ? key > leaves->begin : key < leaves->begin;
}

/* The next entry, valid until the next call; NULL when there is none. */
IndexTuple
mr_leaves_next(MrLeaves *leaves)
{
	Page		page = leaves->copy.data;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		while (leaves->offset <= leaves->last)
		{
			ItemId		item = PageGetItemId(page, leaves->offset++);
			IndexTuple	entry = (IndexTuple) PageGetItem(page, item);

			if (!leaves->begun && is_before(leaves, entry))
				continue;
			leaves->begun = true;
			if (is_visible(leaves, &entry->t_tid))
				return entry;
		}
		if (leaves->sibling == P_NONE)
			return NULL;
		read_page(leaves, leaves->sibling);
	}
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
