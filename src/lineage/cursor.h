/*
 * cursor.h
 *		Reading entries of an index for one key or range after another.
 */
#ifndef MODELREG_CURSOR_H
#define MODELREG_CURSOR_H

#include "access/genam.h"
#include "access/sdir.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct MrCursor
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc by_key;		/* NULL until it is needed */
	IndexScanDesc by_range;
	IndexScanDesc scan;			/* the one that is used now */
	ScanDirection direction;
	TupleTableSlot *slot;
	Buffer		vm_buffer;		/* of the visibility map */
} MrCursor;

extern MrCursor *mr_cursor_open(const char *table, const char *index,
								Snapshot snapshot);
extern void mr_cursor_seek(MrCursor *cursor, int64 key);
extern void mr_cursor_seek_range(MrCursor *cursor, int64 low, int64 high,
								 bool backward);
extern bool mr_cursor_next(MrCursor *cursor);
extern Datum mr_cursor_get(MrCursor *cursor, AttrNumber column);
extern void mr_cursor_close(MrCursor *cursor);

#endif							/* MODELREG_CURSOR_H */
