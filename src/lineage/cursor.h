/*
 * cursor.h
 *		Reading entries of an index for one key after another, or in order.
 */
#ifndef MODELREG_CURSOR_H
#define MODELREG_CURSOR_H

#include "access/genam.h"
#include "access/itup.h"
#include "access/sdir.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct MrCursor
{
	Relation	heap;
	Relation	index;
	IndexScanDesc scan;
	ScanDirection direction;
	TupleTableSlot *slot;
	Buffer		vm_buffer;		/* of the visibility map */
} MrCursor;

extern MrCursor *mr_cursor_open(const char *table, const char *index,
								Snapshot snapshot, int nkeys);
extern void mr_cursor_seek(MrCursor *cursor, int64 key);
extern void mr_cursor_seek_pair(MrCursor *cursor, int64 key, int64 second);
extern void mr_cursor_seek_from(MrCursor *cursor, int64 key, bool backward);
extern bool mr_cursor_next(MrCursor *cursor);
extern IndexTuple mr_cursor_entry(MrCursor *cursor);
extern Datum mr_cursor_get(MrCursor *cursor, AttrNumber column);
extern void mr_cursor_fetch(MrCursor *cursor, TupleTableSlot *slot);
extern void mr_cursor_close(MrCursor *cursor);

#endif							/* MODELREG_CURSOR_H */
