/*
 * snapshot.h
 *		The latest snapshot, also while a query runs in parallel, and the
 *		transaction's own.
 */
#ifndef MODELREG_SNAPSHOT_H
#define MODELREG_SNAPSHOT_H

#include "utils/snapshot.h"

extern Snapshot mr_latest_snapshot(void);
extern Snapshot mr_own_snapshot(void);

#endif							/* MODELREG_SNAPSHOT_H */
