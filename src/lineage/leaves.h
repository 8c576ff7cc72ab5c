/*
 * leaves.h
 *		Reading the entries of an index in order, a leaf page at a time.
 */
#ifndef MODELREG_LEAVES_H
#define MODELREG_LEAVES_H

#include "access/itup.h"
#include "access/genam.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "storage/buf.h"
#include "utils/snapshot.h"

#define MR_LEAVES_BLOCKS 8		/* of the table, of which is known that ... */

typedef struct MrLeaves
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
	Buffer		vm_buffer;		/* of the visibility map */
	BlockNumber visible[MR_LEAVES_BLOCKS];	/* ... everybody sees their rows, as
											 * was found for entries of this copy */
} MrLeaves;

extern MrLeaves *mr_leaves_open(const char *table, const char *index,
								Snapshot snapshot);
extern void mr_leaves_seek(MrLeaves *leaves, int64 key);
extern bool mr_leaves_turn(MrLeaves *leaves);
extern bool mr_leaves_ask(MrLeaves *leaves, ItemPointer tid);
extern void mr_leaves_close(MrLeaves *leaves);

/* Does the snapshot see the row of an entry of this copy? */
static inline bool
mr_leaves_sees(MrLeaves *leaves, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);

	return leaves->visible[block % MR_LEAVES_BLOCKS] == block ||
		mr_leaves_ask(leaves, tid);
}

/* The next entry, valid until the next call; NULL when there is none. */
static inline IndexTuple
mr_leaves_next(MrLeaves *leaves)
{
	Page		page = leaves->copy.data;

	do
		while (leaves->offset <= leaves->last)
		{
			ItemId		item = PageGetItemId(page, leaves->offset++);
			IndexTuple	entry = (IndexTuple) PageGetItem(page, item);

			if (mr_leaves_sees(leaves, &entry->t_tid))
				return entry;
		}
	while (mr_leaves_turn(leaves));
	return NULL;
}

#endif							/* MODELREG_LEAVES_H */
