/*
 * leaves.h
 *		Reading the entries of an index in order, a leaf page at a time.
 */
#ifndef MODELREG_LEAVES_H
#define MODELREG_LEAVES_H

#include "access/itup.h"
#include "utils/snapshot.h"

typedef struct MrLeaves MrLeaves;

extern MrLeaves *mr_leaves_open(const char *table, const char *index,
								Snapshot snapshot);
extern void mr_leaves_seek(MrLeaves *leaves, int64 key);
extern IndexTuple mr_leaves_next(MrLeaves *leaves);
extern void mr_leaves_close(MrLeaves *leaves);

#endif							/* MODELREG_LEAVES_H */
