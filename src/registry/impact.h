/*
 * impact.h
 *		Which of some versions a node went into.
 */
#ifndef MODELREG_IMPACT_H
#define MODELREG_IMPACT_H

#include "lineage/walk.h"
#include "registry/registry.h"

typedef void (*MrImpactVisit) (const MrCurrentVersion *version,
							   const MrWalkStep *step, void *arg);

/*
 * Visit those of the versions, of which each is there once, that a node went
 * into; they need not be current, nor have a name.  It takes the shorter way, from the
 * versions or from the node.
 */
extern void mr_impact_among(const MrNode *start,
							const MrCurrentVersion *versions, int64 n,
							Snapshot snapshot, MrImpactVisit found, void *arg);

#endif							/* MODELREG_IMPACT_H */
