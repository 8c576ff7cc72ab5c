/*
 * quarantine.h
 *		Which nodes are quarantined, and what derives from them.
 */
#ifndef MODELREG_QUARANTINE_H
#define MODELREG_QUARANTINE_H

#include "utils/snapshot.h"

/* Ids of nodes, ascending. */
typedef struct MrQuarantined
{
	int64	   *nodes;
	int64		n;
} MrQuarantined;

extern bool mr_node_is_quarantined(int64 node, Snapshot snapshot);
extern MrQuarantined mr_upstream_quarantined(int64 node,
											 const char *const *roles,
											 int nroles, Snapshot snapshot,
											 bool *complete);
extern bool mr_derives_from_quarantined(int64 node, Snapshot snapshot);
extern char *mr_quarantined_addresses(const MrQuarantined *quarantined,
									  Snapshot snapshot);

#endif							/* MODELREG_QUARANTINE_H */
