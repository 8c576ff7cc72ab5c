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
 * wider where such a node may be met on the way.  Where only the answer
 * counts, it takes what lies nearest to the target first, out of order, as
 * long as that leads on by long steps.
 *
 * Memory: see seen.c for the nodes.  modelreg.max_lineage_nodes is the limit,
 * unless the walk guards others than who has set it.  A walk that keeps its
 * edges is ended by their number, too.  Who may read what is not asked here: a
 * walk goes on through nodes that its caller may not see.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/settings.h"
#include "lineage/lineage_tables.h"
#include "lineage/walk_state.h"

/*
 * How many ids are about one leaf page of edges; how many of these have to
 * wait, or were taken last, before the page is read rather than each looked
 * up; and after how many useless entries (of some hub) it is left.
 */
#define WINDOW 128
#define RANGE_MIN MR_WALK_RECENT
#define SKIP_MAX 256
#define MISSES_MAX 16			/* edges out of bounds before a leap */
#define MANY_EDGES 64			/* of one node, to be read by page */
#define FIRST_STEPS 16			/* towards a target, ... */
#define STEP_IDS 16				/* ... and ids that are worth one more */
#define KEPT_EDGES 8			/* that are kept for each node that may be seen */

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

pg_noreturn static void
raise_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the walk visits more than %d nodes",
					mr_max_lineage_nodes),
			 errhint("Raise modelreg.max_lineage_nodes, or give max_depth where the function takes it."),
			 mr_reason("lineage_too_large")));
}

static inline MrSeenNode
see(MrWalk *walk, int64 id, bool *found)
{
	MrSeenNode	node = mr_seen_add(walk->seen, id, found);

	if (id == walk->stop_at)
		walk->ended = true;
	if (*found)
		return node;
	if (walk->seen->nseen > walk->max_nodes)
	{
		if (walk->raises)
			raise_too_large();
		walk->cut_off = walk->ended = true;
	}
	return node;
}

/* A bare walk takes each node once. */
static inline void
see_bare(MrWalk *walk, MrSeenNode node, bool found)
{
	if (!found)
		mr_seen_pend(walk->seen, &node);
}

/* A shorter way to a node, or the first one: it is to be taken. */
static inline void
come_nearer(MrWalk *walk, MrSeenNode node, int32 depth, bool marked)
{
	node.page->depth[node.at] = depth;
	node.page->roles[node.at] = 0;
	mr_seen_set_bit(&node.page->marked, node.at, marked);
	walk->deepest = Max(walk->deepest, depth);
	mr_seen_pend(walk->seen, &node);
}

/* What an entry has behind its header. */
static inline const char *
entry_data(IndexTuple entry)
{
	return (const char *) entry + MAXALIGN(sizeof(IndexTupleData));
}

/* From where an edge leads in the walk's direction, and to where. */
static inline int64
edge_from(IndexTuple edge)
{
	return ((const MrEdgeUp *) entry_data(edge))->child;
}

static inline int64
edge_to(IndexTuple edge)
{
	return ((const MrEdgeUp *) entry_data(edge))->parent;
}

/* Team and kind of the node that the edge leads to, and the role. */
static inline MrEnding *
edge_ending(const MrWalk *walk, IndexTuple edge)
{
	const char *data = entry_data(edge);
	const char *end = (const char *) edge + IndexTupleSize(edge);
	const MrEdgeUp *up = (const MrEdgeUp *) data;
	const MrEdgeDown *down = (const MrEdgeDown *) data;

	if (walk->backward)
		return mr_words_ending(walk->words, up->parent_team, up->texts,
							   (end - (const char *) up->texts) / sizeof(uint32));
	return mr_words_ending(walk->words, down->child_team, down->texts,
						   (end - (const char *) down->texts) / sizeof(uint32));
}

/* Does the edge lead nowhere near the target? */
static inline bool
leads_astray(const MrWalk *walk, IndexTuple edge, int64 id)
{
	const MrBounds *bounds = &walk->bounds;
	const MrEdgeUp *up = (const MrEdgeUp *) entry_data(edge);

	if (id < bounds->lowest)
		return true;
	/* an edge to what was seen before needs no second look */
	if (id == bounds->target || mr_seen_has(walk->seen, id))
		return false;
	return up->parent_low > bounds->highest || up->parent_level <= bounds->level;
}

/* Did the walk within which this one goes not see the node? */
static inline bool
is_outside(const MrWalk *walk, int64 id)
{
	return walk->within != NULL && !mr_seen_has(walk->within->seen, id);
}

/* The limits of a walk that has any, beside its depth. */
static inline bool
is_out_of_bounds(const MrWalk *walk, IndexTuple edge, int64 id)
{
	return (walk->bounds.target != 0 && leads_astray(walk, edge, id)) ||
		is_outside(walk, id);
}

/* A node was seen at the end of an edge, first or not first. */
static inline void
arrive(MrWalk *walk, MrSeenNode node, bool found, int32 role, const Origin *from)
{
	int32		depth = from->depth + 1;

	if (!found || depth_of(node) > depth)
		come_nearer(walk, node, depth, from->marked);
	else if (is_marked(node) && !from->marked)
	{
		/* no nearer, but what follows is reached without a supersession */
		mr_seen_set_bit(&node.page->marked, node.at, false);
		mr_seen_pend(walk->seen, &node);
	}
	node.page->roles[node.at] = mr_words_with_role(walk->words, last_roles(node), role);
}

/* The same, and what the edge's entry says of it is noted. */
static inline void
arrive_by(MrWalk *walk, IndexTuple edge, int64 id, MrSeenNode node, bool found,
		  const Origin *from)
{
	MrEnding   *ending = edge_ending(walk, edge);
	int32		role = mr_words_role(walk->words, ending,
									 walk->backward ? from->team : ending->team);

	if (!found)
		node.page->class[node.at] = ending->class;
	if (walk->kept != NULL && !mr_kept_add(walk->kept, id, from->id, role))
		walk->cut_off = walk->ended = true;
	if (!found || depth_of(node) > from->depth)
		arrive(walk, node, found, role, from);
}

/* Follow an edge; false when it leads out of bounds. */
static inline bool
follow(MrWalk *walk, IndexTuple edge, const Origin *from)
{
	int64		id = edge_to(edge);
	bool		found;
	MrSeenNode	node;

	if (walk->is_bounded && is_out_of_bounds(walk, edge, id))
		return false;
	node = see(walk, id, &found);
	if (walk->bare)
		see_bare(walk, node, found);
	else if (!found || depth_of(node) > from->depth || walk->kept != NULL)
		arrive_by(walk, edge, id, node, found, from);
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
		arrive(walk, node, found, edge->role, from);
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
		see_bare(walk, node, found);
		return;
	}
	nearer = !found || depth_of(node) > depth_of(other);
	if (!nearer && (is_start(node) || depth_of(node) < depth_of(other)))
		return;
	if (!found)
		node.page->class[node.at] = class_of(other);
	if (nearer)
		come_nearer(walk, node, depth_of(other), true);
	mr_stands_note(walk, id, other_id);
}

/* Is it known that no supersession leads on from the node? */
static inline bool
stands_alone(const MrWalk *walk, int64 id)
{
	if (walk->backward)
		return id > walk->next_standing && id <= walk->asked;
	return id < walk->next_standing && id >= walk->asked;
}

/*
 * See what the node stands for, or what stands for it.  Nodes mostly come in
 * order, so the index is asked only where it has something next.
 */
static void
follow_supersessions(MrWalk *walk, int64 id, MrSeenNode node)
{
	MrCursor   *cursor = walk->supersessions;

	walk->asked = id;
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
static inline bool
take(MrWalk *walk, int64 id, Origin *origin)
{
	MrSeenChunk *chunk = mr_seen_chunk(walk->seen, id);
	MrSeenNode	node;

	if (chunk == NULL)
		return false;
	node = mr_seen_place(chunk, id);
	if (!mr_seen_unpend(walk->seen, &node))
		return false;
	walk->recent[walk->ntaken++ % RANGE_MIN] = id;
	if (!stands_alone(walk, id))
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

/* A node was taken too early. */
static void
wait_again(MrWalk *walk, int64 id)
{
	MrSeenNode	node = mr_seen_get(walk->seen, id);

	mr_seen_pend(walk->seen, &node);
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
			wait_again(walk, id);
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
static inline void
advance(MrWalk *walk)
{
	walk->range_entry = mr_leaves_next(walk->range);
	walk->range_key = walk->range_entry == NULL ? 0 : edge_from(walk->range_entry);
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
			if (from != key)
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

/* Nothing is known yet of what comes next. */
static void
begin_pass(MrWalk *walk)
{
	walk->asked = walk->next_standing = walk->backward ? PG_INT64_MAX : 1;
	if (walk->inputs_only)
		walk->next_standing = walk->backward ? 0 : PG_INT64_MAX;
	walk->range_key = 0;
}

/*
 * Of a walk that ends at its target: take what waits nearest to it, as long as
 * that leads on by more ids than are read by page in the same time, and is not
 * at an end soon.  What was taken so need not be taken again.
 */
static void
hurry(MrWalk *walk)
{
	int64		credit = FIRST_STEPS * STEP_IDS;
	int64		nearest = PG_INT64_MAX;
	int64		id;

	begin_pass(walk);
	while (credit > 0 && !walk->ended &&
		   (id = mr_seen_next_pending(walk->seen, walk->stop_at, false)) != 0)
	{
		if (id < nearest)
			credit += nearest == PG_INT64_MAX ? 0 : nearest - id;
		nearest = Min(nearest, id);
		credit -= STEP_IDS;
		if (!expand_one(walk, id))
			return;
	}
}

/* Take all nodes that wait, in passes. */
static void
expand_all(MrWalk *walk)
{
	while (walk->seen->npending > 0 && !walk->ended)
	{
		int64		from = walk->backward ? PG_INT64_MAX : 1;

		begin_pass(walk);
		while (!walk->ended &&
			   (from = mr_seen_next_pending(walk->seen, from, walk->backward)) != 0)
		{
			/* nodes without edges are taken without a look at an index */
			CHECK_FOR_INTERRUPTS();
			from = expand_from(walk, from);
		}
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
		walk->probes = mr_cursor_open("edge", edge_index(walk), walk->snapshot,
									  walk->within == NULL ? 1 : 2);
	walk->supersessions = mr_cursor_open("node", walk->backward ?
										 "node_superseding" : "node_superseded",
										 walk->snapshot, 1);
}

/* The setting bounds what its user asks for, and nothing that guards others. */
static int64
node_limit(int64 max_nodes)
{
	if (max_nodes == MR_NO_NODE_LIMIT)
		return max_nodes;
	return max_nodes == 0 ? mr_max_lineage_nodes : Min(max_nodes, mr_max_lineage_nodes);
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
	walk->max_nodes = node_limit(options->max_nodes);
	walk->raises = options->max_nodes == 0;
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
	walk->kept = options->keeps_edges ? mr_kept_create(KEPT_EDGES * walk->max_nodes) : NULL;
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
		see_bare(walk, node, found);
		MemoryContextSwitchTo(old);
		return;
	}
	node.page->class[node.at] = mr_words_class(walk->words, start->team,
											   start->kind);
	mr_seen_set_bit(&node.page->start, node.at, true);
	come_nearer(walk, node, 0, false);
	MemoryContextSwitchTo(old);
}

/* Walk as far as the options say; false when the walk was cut off. */
bool
mr_walk_run(MrWalk *walk)
{
	MemoryContext old = MemoryContextSwitchTo(walk->context);

	if (walk->stop_at != 0)
		hurry(walk);
	expand_all(walk);
	if (!walk->ended)
		mr_stands_hand_on(walk);
	MemoryContextSwitchTo(old);
	return !walk->cut_off;
}

/* A bare walk until a node that is no start is seen; false when it is not. */
static bool
reaches(MrWalk *walk, int64 node)
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

/*
 * Visit what lies upstream or downstream of a node, but not the node itself,
 * as the snapshot sees it.  false, and no visit, when the walk was cut off.
 * The visitor runs in the caller's memory context and may read, not write.
 */
bool
mr_walk_from(const MrNode *start, const MrWalkOptions *options,
			 MrWant want, MrVisit visitor, void *arg)
{
	MrWalk	   *walk = mr_walk_begin(options);
	bool		complete;

	mr_walk_start(walk, start);
	complete = mr_walk_run(walk);
	if (complete)
		mr_walk_show(walk, want, visitor, arg);
	mr_walk_end(walk);
	return complete;
}

/*
 * Is the node of the bounds upstream of another, as the snapshot sees it?  Not
 * of itself.  To nseen (NULL: no matter) is added how many nodes were seen.
 * max_nodes is that of MrWalkOptions; complete becomes false when it is not
 * known, because that takes more.
 */
bool
mr_derives(const MrNode *node, const MrBounds *ancestor, Snapshot snapshot,
		   int64 max_nodes, int64 *nseen, bool *complete)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,.snapshot = snapshot,
		.max_depth = MR_NO_DEPTH_LIMIT,.towards = ancestor,.bare = true,
		.max_nodes = max_nodes};
	MrWalk	   *walk;
	bool		derives;

	if (node->id == ancestor->target)
		return false;
	walk = mr_walk_begin(&options);
	mr_walk_start(walk, node);
	derives = reaches(walk, ancestor->target);
	if (nseen != NULL)
		*nseen += walk->seen->nseen;
	if (complete != NULL && walk->cut_off && !derives)
		*complete = false;
	mr_walk_end(walk);
	return derives;
}
