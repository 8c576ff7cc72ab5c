/*
 * walk.h
 *		Walking the lineage from a node, level by level.
 */
#ifndef MODELREG_WALK_H
#define MODELREG_WALK_H

#include "lineage/lineage.h"

typedef enum MrDirection
{
	MR_UPSTREAM,				/* to what the node was made from */
	MR_DOWNSTREAM				/* to what was made from it */
} MrDirection;

/*
 * A role in which the last step of a shortest path arrived.  It is written
 * in the record of the edge's child, so who may not read child_team may not
 * see it.
 */
typedef struct MrWalkRole
{
	const char *role;
	int64		child_team;
} MrWalkRole;

/* A node that a walk visits. */
typedef struct MrStep
{
	int64		node;
	int64		team;
	int32		depth;
	const char *kind;
	bool		by_supersession;	/* every shortest path crosses one */
	const MrWalkRole *roles;
	int			nroles;			/* 0: it stands for the start itself */
} MrStep;

/* Called for each node by depth and id; false ends the walk. */
typedef bool (*MrVisit) (const MrStep *step, void *arg);

#define MR_NO_DEPTH_LIMIT PG_INT32_MAX

extern void mr_walk(const MrNode *start, MrDirection direction,
					int32 max_depth, Snapshot snapshot, MrVisit visit,
					void *arg);
extern bool mr_walk_within(const MrNode *start, MrDirection direction,
						   int32 max_nodes, Snapshot snapshot, MrVisit visit,
						   void *arg);
extern void mr_walk_inputs(const MrNode *start, Snapshot snapshot,
						   MrVisit visit, void *arg);

#endif							/* MODELREG_WALK_H */
