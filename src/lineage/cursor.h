/*
 * cursor.h
 *		Reading entries of an index for one key after another.
 */
#ifndef MODELREG_CURSOR_H
#define MODELREG_CURSOR_H

#include "access/genam.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct MrCursor
{
	Relation	heap;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	Buffer		vm_buffer;		/* of the visibility map */
} MrCursor;

extern MrCursor *mr_cursor_open(const char *table, const char *index,
								Snapshot snapshot);
extern void mr_cursor_seek(MrCursor *cursor, int64 key);
extern bool mr_cursor_next(MrCursor *cursor);
extern Datum mr_cursor_get(MrCursor *cursor, AttrNumber column);
extern void mr_cursor_close(MrCursor *cursor);

#endif							/* MODELREG_CURSOR_H */
