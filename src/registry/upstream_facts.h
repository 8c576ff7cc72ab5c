/*
 * upstream_facts.h
 *		In what the upstream of two versions differs.
 */
#ifndef MODELREG_UPSTREAM_FACTS_H
#define MODELREG_UPSTREAM_FACTS_H

#include "registry/facts.h"
#include "utils/snapshot.h"

/* What one version was made from and the other not. */
typedef struct MrUpstream
{
	MrFacts		nodes;			/* value: the address */
	MrFacts		unreadable;		/* only the role may be shown */
} MrUpstream;

extern void mr_upstream_compare(int64 before, int64 after, Snapshot snapshot,
								MrUpstream *before_only,
								MrUpstream *after_only);

#endif							/* MODELREG_UPSTREAM_FACTS_H */
