/*
 * walk.h
 *		Walking the lineage from a node.
 */
#ifndef MODELREG_WALK_H
#define MODELREG_WALK_H

#include "lineage/lineage.h"
#include "utils/array.h"

typedef enum MrDirection
{
	MR_UPSTREAM,				/* to what the node was made from */
	MR_DOWNSTREAM				/* to what was made from it */
} MrDirection;

typedef struct MrWalk MrWalk;

/* A node that a walk visits. */
typedef struct MrWalkStep
{
	MrWalk	   *walk;
	int64		node;
	int64		team;
	int32		depth;
	uint32		class;			/* one number for each team and kind, from 0 */
	const char *kind;
	bool		by_supersession;	/* every shortest path crosses one; longer
									 * ones need not */
	int32		roles;			/* one number for each set of roles in which the
								 * last step arrived, 0 for none */
	const int64 *ahead;			/* nodes to be shown from this one on */
	int64		nahead;			/* 0 when it is not being shown */
} MrWalkStep;

/*
 * Called for each node by depth and id; false ends the visits, or, where only
 * ids are asked for, leaves the node out.
 */
typedef bool (*MrVisit) (const MrWalkStep *step, void *arg);

/* Called for one node of each class: are the class's nodes to be shown? */
typedef bool (*MrWant) (const MrWalkStep *step, void *arg);

#define MR_NO_DEPTH_LIMIT PG_INT32_MAX

/* For what must be known whatever the caller's modelreg.max_lineage_nodes is. */
#define MR_NO_NODE_LIMIT PG_INT64_MAX

/*
 * Where the parents of edges have to lie on the way to a node.  It is worth to
 * keep for many walks towards one node.
 */
typedef struct MrBounds
{
	int64		target;			/* 0: there are none */
	int64		lowest;			/* id of a parent */
	int64		highest;		/* low of a parent */
	int32		level;			/* a parent's is greater, but for the target's */
} MrBounds;

typedef struct MrWalkOptions
{
	MrDirection direction;
	Snapshot	snapshot;
	int32		max_depth;		/* or MR_NO_DEPTH_LIMIT */
	int64		max_nodes;		/* cut off when it sees more, or more than
								 * modelreg.max_lineage_nodes; 0: an error
								 * above that; or MR_NO_NODE_LIMIT */
	const MrBounds *towards;	/* upstream: only ways that may lead there */
	MrWalk	   *within;			/* downstream: only what that one saw */
	bool		keeps_edges;	/* upstream: for a walk within this one; only
								 * with max_nodes, which limits them too */
	bool		inputs_only;	/* whatever superseded any of it later */
	bool		bare;			/* only mr_walk_has() is asked; no max_depth */
} MrWalkOptions;

extern MrBounds mr_bounds_towards(const MrNode *target, Snapshot snapshot);
extern MrWalk *mr_walk_begin(const MrWalkOptions *options);
extern void mr_walk_start(MrWalk *walk, const MrNode *node);
extern bool mr_walk_run(MrWalk *walk);
extern bool mr_walk_goes_on(const MrWalk *walk);
extern bool mr_walk_has(MrWalk *walk, int64 node);
extern bool mr_walk_find(MrWalk *walk, int64 node, MrWalkStep *step);
extern const char **mr_walk_roles(const MrWalkStep *step, int *n, bool *hidden);
extern int64 mr_walk_stands_for(MrWalk *walk, int64 node);
extern void mr_walk_show(MrWalk *walk, MrWant want, MrVisit visit, void *arg);
extern ArrayType *mr_walk_ids(MrWalk *walk, MrWant want, MrVisit passes, void *arg);
extern void mr_walk_end(MrWalk *walk);

extern bool mr_walk_from(const MrNode *start, const MrWalkOptions *options,
						 MrWant want, MrVisit visit, void *arg);
extern bool mr_derives(const MrNode *node, const MrBounds *ancestor,
					   Snapshot snapshot, int64 max_nodes, int64 *nseen,
					   bool *complete);

#endif							/* MODELREG_WALK_H */
