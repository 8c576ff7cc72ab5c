/*
 * walk.c
 *		Walking the lineage from a node, level by level.
 *
 * A plain breadth-first walk over the two covering indexes of edges, so that
 * the depth of each node is the least possible.  Who may read what is not
 * asked here: a walk goes on through nodes that its caller may not see.
 *
 * A node that supersedes another stands for it: upstream of what was made
 * from the other lies also what the one names, and downstream of the one lies
 * what was made from the other.  Such a step costs no depth, so each level is
 * completed by these steps before the next one begins.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "base/grow.h"
#include "base/settings.h"
#include "lineage/cursor.h"
#include "lineage/lineage_tables.h"
#include "lineage/walk.h"

#define WORD_MAX 64				/* bytes of a role or kind, with its end */

typedef struct VisitEntry
{
	int64		node;
	int64		team;
	int32		depth;
	int32		kind;			/* a word */
	int32		roles;			/* index of the first RoleEntry, -1: none */
	bool		by_supersession;
	char		status;			/* for simplehash */
} VisitEntry;

/* Ids are dense, so each half is mixed. */
static inline uint32
hash_node(int64 node)
{
	return murmurhash32((uint32) node) ^
		murmurhash32((uint32) (node >> 32) + 1);
}

#define SH_PREFIX visited
#define SH_ELEMENT_TYPE VisitEntry
#define SH_KEY_TYPE int64
#define SH_KEY node
#define SH_HASH_KEY(table, key) hash_node(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Roles of one node are a list; next is -1 at its end. */
typedef struct RoleEntry
{
	int64		child_team;
	int32		role;			/* a word */
	int32		next;
} RoleEntry;

typedef struct WordEntry
{
	char		text[WORD_MAX]; /* hash key */
	int32		number;
} WordEntry;

typedef struct NodeList
{
	int64	   *nodes;
	int64		n;
	int64		room;
} NodeList;

typedef struct Walk
{
	MrDirection direction;
	uint32		max_nodes;		/* where it ends without an error */
	bool		cut_off;		/* it did */
	int64		start;
	int32		depth;			/* of the level that is made */
	MrCursor   *edges;
	MrCursor   *supersessions;
	visited_hash *visited;
	NodeList	level;			/* whose edges are followed */
	NodeList	next;			/* which these arrive at */
	RoleEntry  *roles;
	int64		nroles;
	int64		role_room;
	HTAB	   *words;
	const char **word_texts;
	int32		nwords;
	int64		word_room;
	MrWalkRole *step_roles;
	int64		step_room;
} Walk;

static void
push_node(NodeList *list, int64 node)
{
	list->nodes = mr_grow(list->nodes, list->n, &list->room, sizeof(int64));
	list->nodes[list->n++] = node;
}

static int
compare_nodes(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The number of a role or kind. */
static int32
intern(Walk *walk, Datum word)
{
	text	   *value = DatumGetTextPP(word);
	char		key[WORD_MAX];
	WordEntry  *entry;
	bool		found;

	text_to_cstring_buffer(value, key, WORD_MAX);
	entry = hash_search(walk->words, key, HASH_ENTER, &found);
	if (!found)
	{
		walk->word_texts = mr_grow(walk->word_texts, walk->nwords,
								   &walk->word_room, sizeof(char *));
		walk->word_texts[walk->nwords] = entry->text;
		entry->number = walk->nwords++;
	}
	return entry->number;
}

/* The node's entry; found says whether it was visited before. */
static VisitEntry *
visit(Walk *walk, int64 node, bool *found)
{
	VisitEntry *entry = visited_insert(walk->visited, node, found);

	if (walk->visited->members > walk->max_nodes)
		walk->cut_off = true;
	else if (!*found && walk->visited->members > mr_max_lineage_nodes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the walk visits more than %d nodes",
						mr_max_lineage_nodes),
				 errhint("Give max_depth, or raise modelreg.max_lineage_nodes."),
				 mr_reason("lineage_too_large")));
	return entry;
}

static void
add_role(Walk *walk, VisitEntry *entry, int32 role, int64 child_team)
{
	RoleEntry  *added;

	for (int32 i = entry->roles; i >= 0; i = walk->roles[i].next)
		if (walk->roles[i].role == role && walk->roles[i].child_team == child_team)
			return;
	if (walk->nroles == PG_INT32_MAX)
		elog(ERROR, "too many roles in one walk");
	walk->roles = mr_grow(walk->roles, walk->nroles, &walk->role_room,
						  sizeof(RoleEntry));
	added = &walk->roles[walk->nroles];
	added->role = role;
	added->child_team = child_team;
	added->next = entry->roles;
	entry->roles = (int32) walk->nroles++;
}

/* An edge arrives at a node of the level that is made, or at a former one. */
static void
arrive(Walk *walk, int64 node, int64 team, int32 kind, int32 role,
	   int64 child_team, bool by_supersession)
{
	bool		found;
	VisitEntry *entry = visit(walk, node, &found);

	if (!found)
	{
		entry->team = team;
		entry->depth = walk->depth;
		entry->kind = kind;
		entry->roles = -1;
		entry->by_supersession = by_supersession;
		push_node(&walk->next, node);
	}
	else if (entry->depth < walk->depth)
		return;
	entry->by_supersession &= by_supersession;
	add_role(walk, entry, role, child_team);
}

/* Follow the edges of one node. */
static void
expand(Walk *walk, int64 node)
{
	/* By value: arrivals move the entries. */
	VisitEntry	from = *visited_lookup(walk->visited, node);
	MrCursor   *edges = walk->edges;

	mr_cursor_seek(edges, node);
	while (!walk->cut_off && mr_cursor_next(edges))
	{
		if (walk->direction == MR_UPSTREAM)
			arrive(walk, DatumGetInt64(mr_cursor_get(edges, EDGE_UP_PARENT)),
				   DatumGetInt64(mr_cursor_get(edges, EDGE_UP_PARENT_TEAM)),
				   intern(walk, mr_cursor_get(edges, EDGE_UP_PARENT_KIND)),
				   intern(walk, mr_cursor_get(edges, EDGE_UP_ROLE)),
				   from.team, from.by_supersession);
		else
		{
			int64		team = DatumGetInt64(mr_cursor_get(edges, EDGE_DOWN_CHILD_TEAM));

			arrive(walk, DatumGetInt64(mr_cursor_get(edges, EDGE_DOWN_CHILD)),
				   team,
				   intern(walk, mr_cursor_get(edges, EDGE_DOWN_CHILD_KIND)),
				   intern(walk, mr_cursor_get(edges, EDGE_DOWN_ROLE)),
				   team, from.by_supersession);
		}
	}
}

/*
 * Add what a node of the level stands for, or what stands for it: it has the
 * same kind, team and depth, and is there in the same roles.
 */
static void
add_standing_for(Walk *walk, NodeList *level, int64 node)
{
	VisitEntry	from = *visited_lookup(walk->visited, node);

	mr_cursor_seek(walk->supersessions, node);
	while (mr_cursor_next(walk->supersessions))
	{
		int64		other = DatumGetInt64(mr_cursor_get(walk->supersessions, 2));
		bool		found;
		VisitEntry *entry = visit(walk, other, &found);

		if (found)
			continue;
		entry->team = from.team;
		entry->depth = from.depth;
		entry->kind = from.kind;
		entry->roles = from.roles;
		entry->by_supersession = true;
		push_node(level, other);
	}
}

/* Complete a level and put it in order. */
static void
complete_level(Walk *walk, NodeList *level)
{
	for (int64 i = 0; i < level->n; i++)
		add_standing_for(walk, level, level->nodes[i]);
	if (level->n > 1)
		qsort(level->nodes, level->n, sizeof(int64), compare_nodes);
}

/* The roles of a node, in the order of their texts. */
static int
compare_roles(const void *a, const void *b)
{
	const MrWalkRole *x = a;
	const MrWalkRole *y = b;
	int			order = strcmp(x->role, y->role);

	if (order != 0)
		return order;
	return (x->child_team > y->child_team) - (x->child_team < y->child_team);
}

static void
collect_roles(Walk *walk, const VisitEntry *entry, MrStep *step)
{
	step->nroles = 0;
	for (int32 i = entry->roles; i >= 0; i = walk->roles[i].next)
	{
		walk->step_roles = mr_grow(walk->step_roles, step->nroles,
								   &walk->step_room, sizeof(MrWalkRole));
		walk->step_roles[step->nroles].role = walk->word_texts[walk->roles[i].role];
		walk->step_roles[step->nroles++].child_team = walk->roles[i].child_team;
	}
	if (step->nroles > 1)
		qsort(walk->step_roles, step->nroles, sizeof(MrWalkRole), compare_roles);
	step->roles = walk->step_roles;
}

/* Show the level to the visitor; false when he wants no more. */
static bool
show_level(Walk *walk, NodeList *level, MrVisit visitor, void *arg,
		   MemoryContext context)
{
	for (int64 i = 0; i < level->n; i++)
	{
		VisitEntry *entry = visited_lookup(walk->visited, level->nodes[i]);
		MemoryContext old;
		MrStep		step;
		bool		more;

		CHECK_FOR_INTERRUPTS();
		if (entry->node == walk->start)
			continue;
		step.node = entry->node;
		step.team = entry->team;
		step.depth = entry->depth;
		step.kind = walk->word_texts[entry->kind];
		step.by_supersession = entry->by_supersession;
		collect_roles(walk, entry, &step);
		old = MemoryContextSwitchTo(context);
		more = visitor(&step, arg);
		MemoryContextSwitchTo(old);
		if (!more)
			return false;
	}
	return true;
}

static void
begin_walk(Walk *walk, const MrNode *start, Snapshot snapshot)
{
	HASHCTL		control = {0};
	VisitEntry *entry;
	bool		found;

	control.keysize = WORD_MAX;
	control.entrysize = sizeof(WordEntry);
	control.hcxt = CurrentMemoryContext;
	walk->words = hash_create("modelreg roles and kinds", 32, &control,
							  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	walk->visited = visited_create(CurrentMemoryContext, 256, NULL);
	walk->edges = mr_cursor_open("edge", walk->direction == MR_UPSTREAM ?
								 "edge_up" : "edge_down", snapshot);
	walk->supersessions = mr_cursor_open("node", walk->direction == MR_UPSTREAM ?
										 "node_superseding" : "node_superseded",
										 snapshot);
	walk->start = start->id;
	entry = visit(walk, start->id, &found);
	entry->team = start->team;
	entry->depth = 0;
	entry->kind = intern(walk, CStringGetTextDatum(start->kind));
	entry->roles = -1;
	entry->by_supersession = false;
	push_node(&walk->level, start->id);
	complete_level(walk, &walk->level);
}

/* Make the next level from the edges of this one. */
static void
next_level(Walk *walk)
{
	NodeList	done = walk->level;

	walk->depth++;
	walk->next.n = 0;
	for (int64 i = 0; i < walk->level.n && !walk->cut_off; i++)
		expand(walk, walk->level.nodes[i]);
	complete_level(walk, &walk->next);
	walk->level = walk->next;
	walk->next = done;
}

static bool
walk_from(Walk *walk, const MrNode *start, int32 max_depth, Snapshot snapshot,
		  MrVisit visitor, void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg walk",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	snapshot = RegisterSnapshot(snapshot);
	begin_walk(walk, start, snapshot);
	while (walk->level.n > 0 && !walk->cut_off &&
		   show_level(walk, &walk->level, visitor, arg, old) &&
		   walk->depth < max_depth)
		next_level(walk);
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
	Walk		walk = {.direction = direction,.max_nodes = PG_UINT32_MAX};

	(void) walk_from(&walk, start, max_depth, snapshot, visitor, arg);
}

/* The same without a limit of depth, but false after max_nodes nodes. */
bool
mr_walk_within(const MrNode *start, MrDirection direction, int32 max_nodes,
			   Snapshot snapshot, MrVisit visitor, void *arg)
{
	Walk		walk = {.direction = direction,
	.max_nodes = Min(max_nodes, mr_max_lineage_nodes)};

	return walk_from(&walk, start, MR_NO_DEPTH_LIMIT, snapshot, visitor, arg);
}
