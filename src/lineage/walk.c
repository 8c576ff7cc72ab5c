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
 * Memory: see seen.c for the nodes; to show them in order takes 8 bytes more
 * for each.  modelreg.max_lineage_nodes is the limit.  Who may read what is
 * not asked here: a walk goes on through nodes that its caller may not see.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "base/settings.h"
#include "lineage/cursor.h"
#include "lineage/lineage_tables.h"
#include "lineage/seen.h"
#include "lineage/walk.h"
#include "lineage/words.h"

/*
 * How many ids are about one leaf page of edges; how many of these have to
 * wait before the page is read rather than each looked up; and after how many
 * useless entries (of some hub) it is left.
 */
#define WINDOW 128
#define RANGE_MIN 16
#define SKIP_MAX 256

/* What a node stands for that only a supersession leads to. */
typedef struct StandsEntry
{
	int64		node;
	int64		stands_for;
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

typedef struct Walk
{
	bool		backward;		/* upstream: ids descend */
	int32		max_depth;
	int64		max_nodes;		/* where it ends without an error */
	bool		inputs_only;	/* supersessions are not followed */
	bool		cut_off;		/* it did */
	int64		start;
	MrCursor   *edges;
	MrCursor   *supersessions;
	int64		next_standing;	/* no id before has a supersession */
	MrSeen	   *seen;
	MrWords    *words;
	stands_hash *stands;
	int32		deepest;
} Walk;

/* A node from which an edge is followed. */
typedef struct Origin
{
	int64		id;
	int32		depth;
	bool		marked;
	int64		team;
} Origin;

static MrSeenNode *
see(Walk *walk, int64 id, bool *found)
{
	MrSeenNode *node = mr_seen_add(walk->seen, id, found);

	if (walk->seen->nseen > walk->max_nodes)
		walk->cut_off = true;
	else if (!*found && walk->seen->nseen > mr_max_lineage_nodes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the walk visits more than %d nodes",
						mr_max_lineage_nodes),
				 errhint("Give max_depth, or raise modelreg.max_lineage_nodes."),
				 mr_reason("lineage_too_large")));
	return node;
}

/* A shorter way to a node, or the first one: it is to be taken. */
static void
come_nearer(Walk *walk, int64 id, MrSeenNode *node, int32 depth, bool marked)
{
	node->depth = depth;
	node->marked = marked;
	node->roles = 0;
	walk->deepest = Max(walk->deepest, depth);
	mr_seen_pend(walk->seen, id);
}

/* What the edge under the cursor says of the node that it leads to. */
static Datum
edge_role(const Walk *walk)
{
	return mr_cursor_get(walk->edges, walk->backward ? EDGE_UP_ROLE : EDGE_DOWN_ROLE);
}

static int64
edge_team(const Walk *walk)
{
	return DatumGetInt64(mr_cursor_get(walk->edges, walk->backward ?
									   EDGE_UP_PARENT_TEAM : EDGE_DOWN_CHILD_TEAM));
}

static Datum
edge_kind(const Walk *walk)
{
	return mr_cursor_get(walk->edges, walk->backward ?
						 EDGE_UP_PARENT_KIND : EDGE_DOWN_CHILD_KIND);
}

/* Follow the edge under the cursor. */
static void
follow(Walk *walk, const Origin *from)
{
	int64		id = DatumGetInt64(mr_cursor_get(walk->edges, EDGE_UP_PARENT));
	int32		depth = from->depth + 1;
	bool		found;
	MrSeenNode *node = see(walk, id, &found);

	if (!found)
		node->class = mr_words_class(walk->words, edge_team(walk), edge_kind(walk));
	else if (node->depth < depth)
		return;
	if (!found || node->depth > depth)
		come_nearer(walk, id, node, depth, from->marked);
	else if (node->marked && !from->marked)
	{
		/* no nearer, but what follows is reached without a supersession */
		node->marked = false;
		mr_seen_pend(walk->seen, id);
	}
	node->roles = mr_words_with_role(walk->words, node->roles, edge_role(walk),
									 walk->backward ? from->team :
									 mr_words_team(walk->words, node->class));
}

/* One node stands for another, at the same depth and in the same roles. */
static void
stand_for(Walk *walk, int64 id, const MrSeenNode *other, int64 other_id)
{
	bool		found;
	MrSeenNode *node = see(walk, id, &found);
	StandsEntry *entry;

	if (found && (node->depth < other->depth ||
				  (node->depth == other->depth && node->roles != 0)))
		return;
	if (id == walk->start)
		return;
	if (!found)
		node->class = other->class;
	if (!found || node->depth > other->depth)
	{
		come_nearer(walk, id, node, other->depth, true);
		found = false;
	}
	if (walk->stands == NULL)
		walk->stands = stands_create(CurrentMemoryContext, 64, NULL);
	if (found)
	{
		entry = stands_lookup(walk->stands, id);
		entry->stands_for = Min(entry->stands_for, other_id);
		return;
	}
	entry = stands_insert(walk->stands, id, &found);
	entry->stands_for = other_id;
}

/*
 * See what the node stands for, or what stands for it.  Nodes come in order,
 * so the index is asked only where it has something next.
 */
static void
follow_supersessions(Walk *walk, int64 id, const MrSeenNode *node)
{
	MrCursor   *cursor = walk->supersessions;

	if (walk->backward ? id > walk->next_standing : id < walk->next_standing)
		return;
	mr_cursor_seek_range(cursor, walk->backward ? 0 : id,
						 walk->backward ? id : PG_INT64_MAX, walk->backward);
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

/* Take a pending node; false when its edges are not to be followed. */
static bool
take(Walk *walk, int64 id, Origin *origin)
{
	MrSeenNode *node;

	if (!mr_seen_unpend(walk->seen, id))
		return false;
	node = mr_seen_get(walk->seen, id);
	follow_supersessions(walk, id, node);
	origin->id = id;
	origin->depth = node->depth;
	origin->marked = node->marked;
	origin->team = mr_words_team(walk->words, node->class);
	return node->depth < walk->max_depth;
}

static void
expand_one(Walk *walk, int64 id)
{
	Origin		origin;

	if (!take(walk, id, &origin))
		return;
	mr_cursor_seek(walk->edges, id);
	while (!walk->cut_off && mr_cursor_next(walk->edges))
		follow(walk, &origin);
}

/* The id beside another, in the order of the walk. */
static int64
beside(const Walk *walk, int64 id)
{
	return walk->backward ? id - 1 : id + 1;
}

static bool
is_beyond(const Walk *walk, int64 id, int64 limit)
{
	return walk->backward ? id < limit : id > limit;
}

/* Take all pending nodes from one id to before another: they have no edges. */
static void
take_between(Walk *walk, int64 from, int64 before)
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

/*
 * Read edges from an id to the last one of a window.  Returns the id from
 * which to go on: behind the window, or where a hub that is not to be
 * followed fills the way.
 */
static int64
read_range(Walk *walk, int64 from, int64 last)
{
	Origin		origin = {.id = 0};
	bool		wanted = false;
	int			skipped = 0;

	mr_cursor_seek_range(walk->edges, Min(from, last), Max(from, last),
						 walk->backward);
	while (!walk->cut_off && mr_cursor_next(walk->edges))
	{
		int64		key = DatumGetInt64(mr_cursor_get(walk->edges, EDGE_UP_CHILD));

		if (key != origin.id)
		{
			take_between(walk, from, key);
			wanted = take(walk, key, &origin);
			origin.id = key;
			from = beside(walk, key);
		}
		if (wanted)
			follow(walk, &origin);
		skipped = wanted ? 0 : skipped + 1;
		if (skipped > SKIP_MAX)
			return from;
	}
	take_between(walk, from, beside(walk, last));
	return beside(walk, last);
}

/* Take the nodes that wait from the given one on; returns where to go on. */
static int64
expand_from(Walk *walk, int64 id)
{
	int64		last = walk->backward ? Max(id - WINDOW + 1, 1) : id + WINDOW - 1;

	if (mr_seen_count_pending(walk->seen, Min(id, last), Max(id, last)) >= RANGE_MIN)
		return read_range(walk, id, last);
	expand_one(walk, id);
	return beside(walk, id);
}

/* Take all nodes that wait, in passes. */
static void
expand_all(Walk *walk)
{
	while (walk->seen->npending > 0 && !walk->cut_off)
	{
		int64		from = walk->backward ? PG_INT64_MAX : 1;

		walk->next_standing = !walk->inputs_only ? from :
			walk->backward ? 0 : PG_INT64_MAX;
		while (!walk->cut_off &&
			   (from = mr_seen_next_pending(walk->seen, from, walk->backward)) != 0)
			from = expand_from(walk, from);
	}
}

static void
begin_walk(Walk *walk, const MrNode *start, Snapshot snapshot)
{
	bool		found;
	MrSeenNode *node;

	walk->seen = mr_seen_create();
	walk->words = mr_words_create();
	walk->edges = mr_cursor_open("edge", walk->backward ? "edge_up" : "edge_down",
								 snapshot);
	walk->supersessions = mr_cursor_open("node", walk->backward ?
										 "node_superseding" : "node_superseded",
										 snapshot);
	walk->start = start->id;
	node = see(walk, start->id, &found);
	node->class = mr_words_class(walk->words, start->team,
								 CStringGetTextDatum(start->kind));
	come_nearer(walk, start->id, node, 0, false);
}

/* The nodes in the order in which they are shown. */
typedef struct Order
{
	int64	   *places;			/* by depth: of its first node, then the next */
	int64	   *ids;
} Order;

static void
count_depth(int64 id, MrSeenNode *node, void *arg)
{
	((Order *) arg)->places[node->depth + 1]++;
}

static void
put_in_place(int64 id, MrSeenNode *node, void *arg)
{
	Order	   *order = arg;

	order->ids[order->places[node->depth]++] = id;
}

static int64 *
order_by_depth(Walk *walk)
{
	Order		order;

	order.places = MemoryContextAllocExtended(CurrentMemoryContext,
											  ((int64) walk->deepest + 2) * sizeof(int64),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	order.ids = MemoryContextAllocHuge(CurrentMemoryContext,
									   walk->seen->nseen * sizeof(int64));
	mr_seen_each(walk->seen, count_depth, &order);
	for (int32 depth = 1; depth <= walk->deepest; depth++)
		order.places[depth] += order.places[depth - 1];
	mr_seen_each(walk->seen, put_in_place, &order);
	return order.ids;
}

/* The roles of a node, or of what it stands for. */
static int32
roles_of(Walk *walk, int64 id, const MrSeenNode *node)
{
	while (node->roles == 0 && id != walk->start)
	{
		id = stands_lookup(walk->stands, id)->stands_for;
		node = mr_seen_get(walk->seen, id);
	}
	return node->roles;
}

/* Show the nodes to the visitor, until he wants no more. */
static void
show_all(Walk *walk, MrVisit visitor, void *arg, MemoryContext context)
{
	int64	   *ids = order_by_depth(walk);
	bool		more = true;

	for (int64 i = 0; i < walk->seen->nseen && more; i++)
	{
		const MrSeenNode *node = mr_seen_get(walk->seen, ids[i]);
		MrStep		step;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (ids[i] == walk->start)
			continue;
		step.node = ids[i];
		step.team = mr_words_team(walk->words, node->class);
		step.depth = node->depth;
		step.kind = mr_words_kind(walk->words, node->class);
		step.by_supersession = node->marked;
		step.nroles = mr_words_roles(walk->words, roles_of(walk, ids[i], node),
									 &step.roles);
		old = MemoryContextSwitchTo(context);
		more = visitor(&step, arg);
		MemoryContextSwitchTo(old);
	}
}

static bool
walk_from(Walk *walk, const MrNode *start, Snapshot snapshot, MrVisit visitor,
		  void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg walk",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	snapshot = RegisterSnapshot(snapshot);
	begin_walk(walk, start, snapshot);
	expand_all(walk);
	if (!walk->cut_off)
		show_all(walk, visitor, arg, old);
	mr_cursor_close(walk->edges);
	mr_cursor_close(walk->supersessions);
	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return !walk->cut_off;
}

/*
 * Visit all nodes up to max_depth steps upstream or downstream of a node, but
 * not the node itself, as the snapshot sees them.  The visitor runs in the
 * caller's memory context and may read, but not write.
 */
void
mr_walk(const MrNode *start, MrDirection direction, int32 max_depth,
		Snapshot snapshot, MrVisit visitor, void *arg)
{
	Walk		walk = {.backward = direction == MR_UPSTREAM,
	.max_depth = max_depth,.max_nodes = PG_INT64_MAX};

	(void) walk_from(&walk, start, snapshot, visitor, arg);
}

/*
 * The same without a limit of depth, but false, and nothing is visited, when
 * there are more than max_nodes nodes.
 */
bool
mr_walk_within(const MrNode *start, MrDirection direction, int32 max_nodes,
			   Snapshot snapshot, MrVisit visitor, void *arg)
{
	Walk		walk = {.backward = direction == MR_UPSTREAM,
		.max_depth = MR_NO_DEPTH_LIMIT,
	.max_nodes = Min(max_nodes, mr_max_lineage_nodes)};

	return walk_from(&walk, start, snapshot, visitor, arg);
}

/*
 * Visit all that a node was made from when it was recorded: upstream along
 * inputs alone, whatever superseded any of it later.
 */
void
mr_walk_inputs(const MrNode *start, Snapshot snapshot, MrVisit visitor, void *arg)
{
	Walk		walk = {.backward = true,.max_depth = MR_NO_DEPTH_LIMIT,
	.max_nodes = PG_INT64_MAX,.inputs_only = true};

	(void) walk_from(&walk, start, snapshot, visitor, arg);
}
