/*
 * walk.c
 *		Walking the lineage from a node, in the order of ids.
 *
 * A parent's id is smaller than its child's, so a walk that takes the nodes
 * it has seen in the order of their ids, downstream ascending and upstream
 * descending, comes to each when all that lead to it were taken: its depth is
 * the least possible then, and its edges are read once.  Where many of the
 * next ids wait, their edges are read as one range of the index, a leaf page
 * after the other; where few do, each is looked up.
 *
 * A node that supersedes another stands for it: upstream of what was made
 * from the other lies also what the one names, and downstream of the one lies
 * what was made from the other.  Such a step costs no depth, and leads against
 * the order of ids.  Nodes that lie behind wait for another pass, in which
 * also those are taken again that turn out to be nearer.  There is one pass
 * more than a shortest path has such steps.
 *
 * A walk towards a node follows an edge only if the labels of the edge's
 * parent leave it possible that the node lies there: what derives from the
 * node has a greater id and level than it, and a low that is not above its.
 * What a superseding node leads to is told by no label, so the bounds are
 * wider where such a node may be met on the way.
 *
 * Memory: see seen.c for the nodes; to show them in order takes 8 bytes more
 * for each.  modelreg.max_lineage_nodes is the limit.  Who may read what is
 * not asked here: a walk goes on through nodes that its caller may not see.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "base/settings.h"
#include "lineage/cursor.h"
#include "lineage/kept.h"
#include "lineage/leaves.h"
#include "lineage/lineage_tables.h"
#include "lineage/seen.h"
#include "lineage/walk.h"
#include "lineage/words.h"

/*
 * How many ids are about one leaf page of edges; how many of these have to
 * wait, or were taken last, before the page is read rather than each looked
 * up; and after how many useless entries (of some hub) it is left.
 */
#define WINDOW 128
#define RANGE_MIN 16
#define SKIP_MAX 256
#define MISSES_MAX 16			/* edges out of bounds before a leap */
#define MANY_EDGES 256			/* of one node, to be read by page */

/* What a node stands for that only a supersession leads to. */
typedef struct StandsEntry
{
	int64		node;
	int64		stands_for;
	int64		origin;			/* at the end of all that it stands for, or 0 */
	char		status;			/* for simplehash */
} StandsEntry;

#define SH_PREFIX stands
#define SH_ELEMENT_TYPE StandsEntry
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
	int64		max_nodes;		/* where it ends without an error */
	bool		cut_off;		/* it did */
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
	TupleDesc	desc;			/* of their index */
	MrLeaves   *range;			/* edges in order */
	IndexTuple	range_entry;	/* that it is at, or NULL */
	int64		range_key;		/* of that entry, or 0 */
	int64		recent[RANGE_MIN];	/* ids that were taken last */
	uint32		ntaken;
	MrCursor   *supersessions;
	int64		next_standing;	/* no id before has a supersession */
	MrSeen	   *seen;
	MrWords    *words;
	stands_hash *stands;
	int32		deepest;
};

/* A node from which an edge is followed. */
typedef struct Origin
{
	int64		id;
	int32		depth;
	bool		marked;
	int64		team;
} Origin;

/* Its order is that in which the walk takes nodes. */
static const char *
edge_index(const MrWalk *walk)
{
	return walk->backward ? "edge_up" : "edge_down";
}

static MrSeenNode
see(MrWalk *walk, int64 id, bool *found)
{
	MrSeenNode	node = mr_seen_add(walk->seen, id, found);

	if (id == walk->stop_at)
		walk->ended = true;
	if (walk->seen->nseen > walk->max_nodes)
		walk->cut_off = walk->ended = true;
	else if (!*found && walk->seen->nseen > mr_max_lineage_nodes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the walk visits more than %d nodes",
						mr_max_lineage_nodes),
				 errhint("Raise modelreg.max_lineage_nodes, or give max_depth where the function takes it."),
				 mr_reason("lineage_too_large")));
	return node;
}

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

/* A bare walk takes each node once. */
static void
see_bare(MrWalk *walk, int64 id, bool found)
{
	if (!found)
		mr_seen_pend(walk->seen, id);
}

/* A shorter way to a node, or the first one: it is to be taken. */
static void
come_nearer(MrWalk *walk, int64 id, MrSeenNode node, int32 depth, bool marked)
{
	node.page->depth[node.at] = depth;
	node.page->roles[node.at] = 0;
	mr_seen_set_bit(&node.page->marked, node.at, marked);
	walk->deepest = Max(walk->deepest, depth);
	mr_seen_pend(walk->seen, id);
}

/* A column of an edge's entry in the index; none is NULL. */
static inline Datum
edge_column(const MrWalk *walk, IndexTuple edge, AttrNumber column)
{
	bool		isnull;

	return index_getattr(edge, column, walk->desc, &isnull);
}

static inline Datum
edge_role(const MrWalk *walk, IndexTuple edge)
{
	return edge_column(walk, edge, walk->backward ? EDGE_UP_ROLE : EDGE_DOWN_ROLE);
}

/* Team and kind of the node that the edge leads to. */
static uint32
edge_class(const MrWalk *walk, IndexTuple edge)
{
	Datum		team = edge_column(walk, edge, walk->backward ?
								   EDGE_UP_PARENT_TEAM : EDGE_DOWN_CHILD_TEAM);
	Datum		kind = edge_column(walk, edge, walk->backward ?
								   EDGE_UP_PARENT_KIND : EDGE_DOWN_CHILD_KIND);

	return mr_words_class(walk->words, DatumGetInt64(team), kind);
}

/* Does the edge lead nowhere near the target? */
static bool
leads_astray(const MrWalk *walk, IndexTuple edge, int64 id)
{
	const MrBounds *bounds = &walk->bounds;

	if (id < bounds->lowest)
		return true;
	/* an edge to what was seen before needs no second look */
	if (id == bounds->target || mr_seen_has(walk->seen, id))
		return false;
	return DatumGetInt64(edge_column(walk, edge, EDGE_UP_PARENT_LOW)) > bounds->highest ||
		DatumGetInt32(edge_column(walk, edge, EDGE_UP_PARENT_LEVEL)) <= bounds->level;
}

/* Did the walk within which this one goes not see the node? */
static bool
is_outside(const MrWalk *walk, int64 id)
{
	return walk->within != NULL && !mr_seen_has(walk->within->seen, id);
}

/* The limits of a walk that has any, beside its depth. */
static bool
is_out_of_bounds(const MrWalk *walk, IndexTuple edge, int64 id)
{
	return (walk->bounds.target != 0 && leads_astray(walk, edge, id)) ||
		is_outside(walk, id);
}

/* A node was seen at the end of an edge, first or not first. */
static void
arrive(MrWalk *walk, int64 id, MrSeenNode node, bool found, int32 role,
	   const Origin *from)
{
	int32		depth = from->depth + 1;

	if (!found || depth_of(node) > depth)
		come_nearer(walk, id, node, depth, from->marked);
	else if (is_marked(node) && !from->marked)
	{
		/* no nearer, but what follows is reached without a supersession */
		mr_seen_set_bit(&node.page->marked, node.at, false);
		mr_seen_pend(walk->seen, id);
	}
	node.page->roles[node.at] = mr_words_with_role(walk->words, last_roles(node), role);
}

/* The role of an edge that leads to a node. */
static int32
role_of(MrWalk *walk, IndexTuple edge, MrSeenNode node, const Origin *from)
{
	int64		child_team = walk->backward ? from->team :
	mr_words_team(walk->words, class_of(node));

	return mr_words_role(walk->words, child_team, edge_role(walk, edge));
}

/* Follow an edge; false when it leads out of bounds. */
static bool
follow(MrWalk *walk, IndexTuple edge, const Origin *from)
{
	int64		id = DatumGetInt64(edge_column(walk, edge, EDGE_UP_PARENT));
	bool		found;
	MrSeenNode	node;

	if (walk->is_bounded && is_out_of_bounds(walk, edge, id))
		return false;
	node = see(walk, id, &found);
	if (walk->bare)
	{
		see_bare(walk, id, found);
		return true;
	}
	if (!found)
		node.page->class[node.at] = edge_class(walk, edge);
	if (walk->kept != NULL)
		mr_kept_add(walk->kept, id, from->id, role_of(walk, edge, node, from));
	if (!found || depth_of(node) > from->depth)
		arrive(walk, id, node, found, role_of(walk, edge, node, from), from);
	return true;
}

/* Follow an edge back that the other walk kept. */
static void
follow_back(MrWalk *walk, const MrKeptEdge *edge, const Origin *from)
{
	bool		found;
	MrSeenNode	node = see(walk, edge->child, &found);

	if (!found)
		node.page->class[node.at] = class_of(mr_seen_get(walk->within->seen, edge->child));
	if (!found || depth_of(node) > from->depth)
		arrive(walk, edge->child, node, found, edge->role, from);
}

/* Note what a node stands for; of several the one with the smallest id. */
static void
note_stand(MrWalk *walk, int64 id, int64 other_id, bool first)
{
	bool		found;
	StandsEntry *entry;

	if (walk->stands == NULL)
		walk->stands = stands_create(walk->context, 64, NULL);
	entry = stands_insert(walk->stands, id, &found);
	entry->stands_for = first || !found ? other_id : Min(entry->stands_for, other_id);
	entry->origin = 0;
}

/* One node stands for another, at the same depth and in the same roles. */
static void
stand_for(MrWalk *walk, int64 id, MrSeenNode other, int64 other_id)
{
	bool		found;
	bool		nearer;
	MrSeenNode	node;

	if (is_outside(walk, id))
		return;
	node = see(walk, id, &found);
	if (walk->bare)
	{
		see_bare(walk, id, found);
		return;
	}
	nearer = !found || depth_of(node) > depth_of(other);
	if (!nearer && (is_start(node) || depth_of(node) < depth_of(other) ||
					last_roles(node) != 0))
		return;
	if (!found)
		node.page->class[node.at] = class_of(other);
	if (nearer)
		come_nearer(walk, id, node, depth_of(other), true);
	note_stand(walk, id, other_id, nearer);
}

/*
 * See what the node stands for, or what stands for it.  Nodes come in order,
 * so the index is asked only where it has something next.
 */
static void
follow_supersessions(MrWalk *walk, int64 id, MrSeenNode node)
{
	MrCursor   *cursor = walk->supersessions;

	if (walk->backward ? id > walk->next_standing : id < walk->next_standing)
		return;
	mr_cursor_seek_from(cursor, id, walk->backward);
	while (mr_cursor_next(cursor))
	{
		int64		key = DatumGetInt64(mr_cursor_get(cursor, 1));

		if (key != id)
		{
			walk->next_standing = key;
			return;
		}
		stand_for(walk, DatumGetInt64(mr_cursor_get(cursor, 2)), node, id);
	}
	walk->next_standing = walk->backward ? 0 : PG_INT64_MAX;
}

/* What a step from the node starts with. */
static void
start_from(const MrWalk *walk, MrSeenNode node, Origin *origin)
{
	origin->depth = depth_of(node);
	origin->marked = is_marked(node);
	origin->team = mr_words_team(walk->words, class_of(node));
}

/* Take a pending node; false when its edges are not to be followed. */
static bool
take(MrWalk *walk, int64 id, Origin *origin)
{
	MrSeenNode	node;

	if (!mr_seen_unpend(walk->seen, id))
		return false;
	node = mr_seen_get(walk->seen, id);
	walk->recent[walk->ntaken++ % RANGE_MIN] = id;
	follow_supersessions(walk, id, node);
	origin->id = id;
	if (walk->bare)
		return true;
	start_from(walk, node, origin);
	if (origin->depth < walk->max_depth)
		return true;
	if (id != walk->bounds.target)
		walk->goes_on = true;
	return false;
}

/*
 * Of a hub with many edges a walk within another needs few: go to the next
 * one that leads to a node of that one.  false: there is none.
 */
static bool
leap(MrWalk *walk, int64 id)
{
	int64		last = DatumGetInt64(mr_cursor_get(walk->probes, EDGE_DOWN_CHILD));
	int64		next = mr_seen_next_pending(walk->within->seen, last + 1, false);

	if (next != 0)
		mr_cursor_seek_pair(walk->probes, id, next);
	return next != 0;
}

/*
 * Take one node.  false: it has so many edges that it is better read by page,
 * and waits again.
 */
static bool
expand_one(MrWalk *walk, int64 id)
{
	Origin		origin;
	int			misses = 0;
	int			n = 0;

	if (!take(walk, id, &origin))
		return true;
	if (walk->within == NULL)
		mr_cursor_seek(walk->probes, id);
	else
		mr_cursor_seek_pair(walk->probes, id, 0);
	while (!walk->ended && mr_cursor_next(walk->probes))
	{
		misses = follow(walk, mr_cursor_entry(walk->probes), &origin) ? 0 : misses + 1;
		if (walk->within != NULL && misses > MISSES_MAX && !leap(walk, id))
			break;
		if (walk->within == NULL && ++n > MANY_EDGES)
		{
			mr_seen_pend(walk->seen, id);
			return false;
		}
	}
	return true;
}

static void
expand_back(MrWalk *walk, int64 id)
{
	MrKept	   *kept = walk->within->kept;
	Origin		origin;

	if (!take(walk, id, &origin))
		return;
	for (const MrKeptEdge *edge = mr_kept_first(kept, id); edge != NULL && !walk->ended;
		 edge = mr_kept_next(kept, edge))
	{
		CHECK_FOR_INTERRUPTS();
		follow_back(walk, edge, &origin);
	}
}

/* The id beside another, in the order of the walk. */
static int64
beside(const MrWalk *walk, int64 id)
{
	return walk->backward ? id - 1 : id + 1;
}

static bool
is_beyond(const MrWalk *walk, int64 id, int64 limit)
{
	return walk->backward ? id < limit : id > limit;
}

/* Take all pending nodes from one id to before another: they have no edges. */
static void
take_between(MrWalk *walk, int64 from, int64 before)
{
	Origin		ignored;
	int64		id;

	while ((id = mr_seen_next_pending(walk->seen, from, walk->backward)) != 0 &&
		   is_beyond(walk, before, id))
	{
		(void) take(walk, id, &ignored);
		from = beside(walk, id);
	}
}

/* The next entry of the range. */
static void
advance(MrWalk *walk)
{
	walk->range_entry = mr_leaves_next(walk->range);
	walk->range_key = walk->range_entry == NULL ? 0 :
		DatumGetInt64(edge_column(walk, walk->range_entry, EDGE_UP_CHILD));
}

static void
seek(MrWalk *walk, int64 id)
{
	if (walk->range == NULL)
		walk->range = mr_leaves_open("edge", edge_index(walk), walk->snapshot);
	mr_leaves_seek(walk->range, id);
	advance(walk);
}

/*
 * Bring the range to the first entry of an id or of what follows it.  Where it
 * stands shortly before, it reads on; it is never behind, as ids come in order.
 */
static void
position(MrWalk *walk, int64 id)
{
	int64		near = walk->backward ? id + WINDOW : id - WINDOW;

	if (walk->range_key == 0 || is_beyond(walk, near, walk->range_key))
		seek(walk, id);
	for (int i = 0; i < SKIP_MAX && walk->range_key != 0 &&
		 is_beyond(walk, id, walk->range_key); i++)
		advance(walk);
	if (walk->range_key != 0 && is_beyond(walk, id, walk->range_key))
		seek(walk, id);
}

/*
 * Read edges from an id to the last one of a window.  Returns the id from
 * which to go on: behind the window, or where a hub that is not to be
 * followed fills the way.
 */
static int64
read_range(MrWalk *walk, int64 from, int64 last)
{
	Origin		origin = {.id = 0};
	bool		wanted = false;
	int			skipped = 0;

	position(walk, from);
	while (!walk->ended && walk->range_key != 0 &&
		   !is_beyond(walk, walk->range_key, last))
	{
		int64		key = walk->range_key;

		if (key != origin.id)
		{
			take_between(walk, from, key);
			wanted = take(walk, key, &origin);
			origin.id = key;
			from = beside(walk, key);
		}
		if (wanted)
			(void) follow(walk, walk->range_entry, &origin);
		skipped = wanted ? 0 : skipped + 1;
		if (skipped > SKIP_MAX)
			return from;
		advance(walk);
	}
	take_between(walk, from, beside(walk, last));
	return beside(walk, last);
}

/*
 * Do many nodes wait from an id to another, or, as in a chain, where each
 * waits for the one before, were many taken shortly before?
 */
static bool
is_dense(const MrWalk *walk, int64 id, int64 last)
{
	int64		earlier = walk->recent[walk->ntaken % RANGE_MIN];

	if (mr_seen_count_pending(walk->seen, Min(id, last), Max(id, last)) >= RANGE_MIN)
		return true;
	return walk->ntaken >= RANGE_MIN && Max(id, earlier) - Min(id, earlier) <= WINDOW;
}

/* Take the nodes that wait from the given one on; returns where to go on. */
static int64
expand_from(MrWalk *walk, int64 id)
{
	int64		last = walk->backward ? Max(id - WINDOW + 1, 1) :
		Min(id, PG_INT64_MAX - WINDOW) + WINDOW - 1;

	if (walk->goes_back)
	{
		expand_back(walk, id);
		return beside(walk, id);
	}
	if (is_dense(walk, id, last))
		return read_range(walk, id, last);
	return expand_one(walk, id) ? beside(walk, id) : read_range(walk, id, id);
}

/* Take all nodes that wait, in passes. */
static void
expand_all(MrWalk *walk)
{
	while (walk->seen->npending > 0 && !walk->ended)
	{
		int64		from = walk->backward ? PG_INT64_MAX : 1;

		walk->next_standing = !walk->inputs_only ? from :
			walk->backward ? 0 : PG_INT64_MAX;
		walk->range_key = 0;
		while (!walk->ended &&
			   (from = mr_seen_next_pending(walk->seen, from, walk->backward)) != 0)
			from = expand_from(walk, from);
	}
}

/*
 * Bounds on the way to a node.  The way may also lead to any node of a smaller
 * id that is superseded by one of a greater: from there it goes on.
 */
MrBounds
mr_bounds_towards(const MrNode *target, Snapshot snapshot)
{
	MrBounds	bounds = {target->id, target->id, target->low, target->level};
	MrCursor   *cursor = mr_cursor_open("node", "node_superseded", snapshot, 1);

	mr_cursor_seek_from(cursor, PG_INT64_MAX, true);
	while (mr_cursor_next(cursor) &&
		   DatumGetInt64(mr_cursor_get(cursor, 1)) >= bounds.lowest)
	{
		int64		superseded = DatumGetInt64(mr_cursor_get(cursor, 2));

		bounds.lowest = Min(bounds.lowest, superseded);
		bounds.highest = Max(bounds.highest, superseded);
		bounds.level = -1;
	}
	mr_cursor_close(cursor);
	return bounds;
}

static void
open_cursors(MrWalk *walk)
{
	if (!walk->goes_back)
	{
		walk->probes = mr_cursor_open("edge", edge_index(walk), walk->snapshot,
									  walk->within == NULL ? 1 : 2);
		walk->desc = RelationGetDescr(walk->probes->index);
	}
	walk->supersessions = mr_cursor_open("node", walk->backward ?
										 "node_superseding" : "node_superseded",
										 walk->snapshot, 1);
}

/*
 * A walk that is to be started from one node or several, and then run.  One
 * that goes back by the edges of another shares its words, and so lives in
 * its memory, until the other ends.
 */
MrWalk *
mr_walk_begin(const MrWalkOptions *options)
{
	bool		goes_back = options->within != NULL && options->within->kept != NULL;
	MemoryContext context = goes_back ? options->within->context :
	AllocSetContextCreate(CurrentMemoryContext, "modelreg walk",
						  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrWalk	   *walk = palloc0(sizeof(MrWalk));

	walk->context = context;
	walk->goes_back = goes_back;
	walk->backward = options->direction == MR_UPSTREAM;
	walk->max_depth = options->max_depth;
	walk->max_nodes = options->max_nodes == 0 ? PG_INT64_MAX :
		Min(options->max_nodes, mr_max_lineage_nodes);
	walk->snapshot = RegisterSnapshot(options->snapshot);
	walk->within = options->within;
	walk->inputs_only = options->inputs_only;
	walk->bare = options->bare;
	if (options->towards != NULL)
		walk->bounds = *options->towards;
	walk->is_bounded = options->towards != NULL || options->within != NULL;
	if (walk->within != NULL && !goes_back)
		mr_seen_pend_all(walk->within->seen);
	walk->seen = mr_seen_create(walk->bare);
	walk->words = goes_back ? walk->within->words : mr_words_create();
	walk->kept = options->keeps_edges ? mr_kept_create() : NULL;
	open_cursors(walk);
	MemoryContextSwitchTo(old);
	return walk;
}

void
mr_walk_start(MrWalk *walk, const MrNode *start)
{
	MemoryContext old = MemoryContextSwitchTo(walk->context);
	bool		found;
	MrSeenNode	node = see(walk, start->id, &found);

	if (walk->bare)
	{
		see_bare(walk, start->id, found);
		MemoryContextSwitchTo(old);
		return;
	}
	node.page->class[node.at] = mr_words_class(walk->words, start->team,
											   CStringGetTextDatum(start->kind));
	mr_seen_set_bit(&node.page->start, node.at, true);
	come_nearer(walk, start->id, node, 0, false);
	MemoryContextSwitchTo(old);
}

/* Walk as far as the options say; false when the walk was cut off. */
bool
mr_walk_run(MrWalk *walk)
{
	MemoryContext old = MemoryContextSwitchTo(walk->context);

	expand_all(walk);
	MemoryContextSwitchTo(old);
	return !walk->cut_off;
}

/* Walk until a node that is no start is seen; false when it is not. */
bool
mr_walk_reaches(MrWalk *walk, int64 node)
{
	walk->stop_at = node;
	(void) mr_walk_run(walk);
	return mr_walk_has(walk, node);
}

/* Were there nodes, other than that of the bounds, at max_depth? */
bool
mr_walk_goes_on(const MrWalk *walk)
{
	return walk->goes_on;
}

/* Was a node seen? */
bool
mr_walk_has(MrWalk *walk, int64 node)
{
	return mr_seen_has(walk->seen, node);
}

void
mr_walk_end(MrWalk *walk)
{
	if (walk->probes != NULL)
		mr_cursor_close(walk->probes);
	if (walk->range != NULL)
		mr_leaves_close(walk->range);
	mr_cursor_close(walk->supersessions);
	UnregisterSnapshot(walk->snapshot);
	if (!walk->goes_back)
		MemoryContextDelete(walk->context);
}

static StandsEntry *
find_stand(MrWalk *walk, int64 node)
{
	StandsEntry *entry = walk->stands == NULL ? NULL :
		stands_lookup(walk->stands, node);

	if (entry == NULL)
		elog(ERROR, "nothing leads to node " INT64_FORMAT, node);
	return entry;
}

/* What a node stands for to which no edge led on a shortest path. */
int64
mr_walk_stands_for(MrWalk *walk, int64 node)
{
	return find_stand(walk, node)->stands_for;
}

static bool
is_origin(MrWalk *walk, int64 id)
{
	MrSeenNode	node = mr_seen_get(walk->seen, id);

	return last_roles(node) != 0 || is_start(node);
}

/*
 * The node to which an edge led and for which this one stands, over however
 * many others; each of them keeps it, so that a chain is followed once.
 */
static int64
origin_of(MrWalk *walk, int64 id)
{
	int64		origin = id;

	while (!is_origin(walk, origin))
	{
		StandsEntry *entry = find_stand(walk, origin);

		CHECK_FOR_INTERRUPTS();
		origin = entry->origin != 0 ? entry->origin : entry->stands_for;
	}
	while (id != origin)
	{
		StandsEntry *entry = find_stand(walk, id);

		id = entry->origin != 0 ? entry->origin : entry->stands_for;
		entry->origin = origin;
	}
	return origin;
}

static void
describe(MrWalk *walk, int64 id, MrSeenNode node, MrStep *step)
{
	step->walk = walk;
	step->node = id;
	step->team = mr_words_team(walk->words, class_of(node));
	step->depth = depth_of(node);
	step->class = class_of(node);
	step->kind = mr_words_kind(walk->words, class_of(node));
	step->by_supersession = is_marked(node);
	step->ahead = NULL;
	step->nahead = 0;
}

/*
 * The roles in which the last step of a shortest path arrived, each once and
 * in order, of those that the caller may know, and whether there are others.
 * There are none for what stands for the start itself.
 */
const char **
mr_walk_roles(const MrStep *step, int *n, bool *hidden)
{
	MrWalk	   *walk = step->walk;
	MrSeenNode	origin = mr_seen_get(walk->seen, origin_of(walk, step->node));
	MemoryContext old = MemoryContextSwitchTo(walk->context);
	const MrWalkRole *roles;
	int			nroles = mr_words_roles(walk->words, last_roles(origin), &roles);
	int			ndistinct = 0;
	const char **known;

	MemoryContextSwitchTo(old);
	known = palloc(Max(nroles, 1) * sizeof(char *));
	*n = 0;
	for (int i = 0; i < nroles; i++)
	{
		if (i == 0 || strcmp(roles[i - 1].role, roles[i].role) != 0)
			ndistinct++;
		if ((*n == 0 || strcmp(known[*n - 1], roles[i].role) != 0) &&
			mr_may_read(roles[i].child_team))
			known[(*n)++] = roles[i].role;
	}
	if (hidden != NULL)
		*hidden = *n < ndistinct;
	return known;
}

/* What the walk knows of a node; false when it was not seen. */
bool
mr_walk_find(MrWalk *walk, int64 id, MrStep *step)
{
	if (!mr_walk_has(walk, id))
		return false;
	describe(walk, id, mr_seen_get(walk->seen, id), step);
	return true;
}

/* The nodes in the order in which they are shown. */
typedef struct Order
{
	int64	   *places;			/* by depth: of its first node, then the next */
	int64	   *ids;
} Order;

static void
count_depth(int64 id, MrSeenNode node, void *arg)
{
	((Order *) arg)->places[depth_of(node) + 1]++;
}

static void
put_in_place(int64 id, MrSeenNode node, void *arg)
{
	Order	   *order = arg;

	order->ids[order->places[depth_of(node)]++] = id;
}

static int64 *
order_by_depth(MrWalk *walk)
{
	Order		order;

	order.places = MemoryContextAllocExtended(walk->context,
											  ((int64) walk->deepest + 2) * sizeof(int64),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	order.ids = MemoryContextAllocHuge(walk->context,
									   walk->seen->nseen * sizeof(int64));
	mr_seen_each(walk->seen, count_depth, &order);
	for (int32 depth = 1; depth <= walk->deepest; depth++)
		order.places[depth] += order.places[depth - 1];
	mr_seen_each(walk->seen, put_in_place, &order);
	return order.ids;
}

/*
 * Show the nodes to the visitor, but not those from which the walk started,
 * until he wants no more.
 */
void
mr_walk_show(MrWalk *walk, MrVisit visitor, void *arg)
{
	int64	   *ids = order_by_depth(walk);
	bool		more = true;

	for (int64 i = 0; i < walk->seen->nseen && more; i++)
	{
		MrSeenNode	node = mr_seen_get(walk->seen, ids[i]);
		MrStep		step;

		CHECK_FOR_INTERRUPTS();
		if (is_start(node))
			continue;
		describe(walk, ids[i], node, &step);
		step.ahead = &ids[i];
		step.nahead = walk->seen->nseen - i;
		more = visitor(&step, arg);
	}
}

/*
 * Visit what lies upstream or downstream of a node, but not the node itself,
 * as the snapshot sees it.  false, and no visit, when the walk was cut off.
 * The visitor runs in the caller's memory context and may read, not write.
 */
bool
mr_walk_from(const MrNode *start, const MrWalkOptions *options,
			 MrVisit visitor, void *arg)
{
	MrWalk	   *walk = mr_walk_begin(options);
	bool		complete;

	mr_walk_start(walk, start);
	complete = mr_walk_run(walk);
	if (complete)
		mr_walk_show(walk, visitor, arg);
	mr_walk_end(walk);
	return complete;
}

/*
 * Is the node of the bounds upstream of another, as the snapshot sees it?  Not
 * of itself.  To nseen (NULL: no matter) is added how many nodes were seen.
 */
bool
mr_derives(const MrNode *node, const MrBounds *ancestor, Snapshot snapshot,
		   int64 *nseen)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,.snapshot = snapshot,
		.max_depth = MR_NO_DEPTH_LIMIT,.towards = ancestor,.bare = true};
	MrWalk	   *walk;
	bool		derives;

	if (node->id == ancestor->target)
		return false;
	walk = mr_walk_begin(&options);
	mr_walk_start(walk, node);
	derives = mr_walk_reaches(walk, ancestor->target);
	if (nseen != NULL)
		*nseen += walk->seen->nseen;
	mr_walk_end(walk);
	return derives;
}
