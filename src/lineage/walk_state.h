/*
 * walk_state.h
 *		What a walk is, for the files that walk and show.
 */
#ifndef MODELREG_WALK_STATE_H
#define MODELREG_WALK_STATE_H

#include "lineage/cursor.h"
#include "lineage/kept.h"
#include "lineage/leaves.h"
#include "lineage/seen.h"
#include "lineage/walk.h"
#include "lineage/words.h"

#define MR_WALK_RECENT 16		/* ids that a walk remembers */

/* A supersession that a walk came over, at one depth. */
typedef struct StandsEntry
{
	int64		superseding;
	int64		superseded;
	char		status;			/* for simplehash */
} StandsEntry;

#define SH_PREFIX stands
#define SH_ELEMENT_TYPE StandsEntry
#define SH_KEY_TYPE int64
#define SH_KEY superseding
#define SH_HASH_KEY(table, key) mr_hash_id(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The roles of a node, with those of what it stands for. */
typedef struct RolesEntry
{
	int64		node;
	int32		roles;
	char		status;			/* for simplehash */
} RolesEntry;

#define SH_PREFIX all_roles
#define SH_ELEMENT_TYPE RolesEntry
#define SH_KEY_TYPE int64
#define SH_KEY node
#define SH_HASH_KEY(table, key) mr_hash_id(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct MrWalk
{
	bool		backward;		/* upstream: ids descend */
	int32		max_depth;
	int64		max_nodes;		/* where it ends, ... */
	bool		raises;			/* ... by an error, */
	bool		cut_off;		/* or without one */
	int64		stop_at;		/* the node that ends it, or 0 */
	bool		ended;			/* there, or cut off */
	bool		inputs_only;	/* supersessions are not followed */
	bool		bare;			/* nodes are seen, and nothing else is noted */
	bool		goes_on;		/* behind max_depth */
	bool		is_bounded;		/* by one of the next two */
	MrBounds	bounds;
	MrWalk	   *within;
	MrKept	   *kept;			/* its edges, for a walk within it, or NULL */
	bool		goes_back;		/* by the edges that the other kept */
	MemoryContext context;		/* the other's, where it goes back */
	Snapshot	snapshot;
	MrCursor   *probes;			/* edges of one node */
	MrLeaves   *range;			/* edges in order */
	IndexTuple	range_entry;	/* that it is at, or NULL */
	int64		range_key;		/* of that entry, or 0 */
	int64		recent[MR_WALK_RECENT];	/* ids that were taken last */
	uint32		ntaken;
	MrCursor   *supersessions;
	int64		asked;			/* from this id to before the next one ... */
	int64		next_standing;	/* ... none has a supersession */
	MrSeen	   *seen;
	MrWords    *words;
	stands_hash *stands;		/* NULL: there is none */
	all_roles_hash *all_roles;	/* of nodes where edges do not tell them, or NULL */
	int32		deepest;
};

static inline int32
depth_of(MrSeenNode node)
{
	return node.page->depth[node.at];
}

static inline uint32
class_of(MrSeenNode node)
{
	return node.page->class[node.at];
}

static inline int32
last_roles(MrSeenNode node)
{
	return node.page->roles[node.at];
}

static inline bool
is_start(MrSeenNode node)
{
	return mr_seen_bit(node.page->start, node.at);
}

static inline bool
is_marked(MrSeenNode node)
{
	return mr_seen_bit(node.page->marked, node.at);
}

extern void mr_stands_note(MrWalk *walk, int64 id, int64 other_id);
extern void mr_stands_hand_on(MrWalk *walk);
extern int32 mr_stands_roles(const MrWalk *walk, int64 id, MrSeenNode node);

#endif							/* MODELREG_WALK_STATE_H */
