/*
 * kept.c
 *		The edges that a walk has followed, by the node that they lead to.
 *
 * Who walks upstream from many nodes and asks which of them derive from one
 * that it came to goes back by these: no index has to be read, which of a
 * hub has a million entries where a hundred matter.  An edge takes 24 bytes,
 * and a parent 24 more, with the room to grow up to twice as much.  One that is
 * followed again is here twice.  A node may have 65,536 inputs, so who keeps
 * edges says how many at most.
 */
#include "postgres.h"

#include "base/grow.h"
#include "lineage/kept.h"
#include "lineage/words.h"

/* A parent, and the edge to it that was added last. */
typedef struct ParentEntry
{
	int64		parent;
	int64		last;
	char		status;			/* for simplehash */
} ParentEntry;

#define SH_PREFIX parents
#define SH_ELEMENT_TYPE ParentEntry
#define SH_KEY_TYPE int64
#define SH_KEY parent
#define SH_HASH_KEY(table, key) mr_hash_id(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct MrKept
{
	MrKeptEdge *edges;
	int64		n;
	int64		room;
	int64		most;
	parents_hash *parents;
};

/* In the current memory context, to which what is added belongs too. */
MrKept *
mr_kept_create(int64 most)
{
	MrKept	   *kept = palloc0(sizeof(MrKept));

	kept->most = most;
	kept->parents = parents_create(CurrentMemoryContext, 64, NULL);
	return kept;
}

/* false: there are as many as there may be. */
bool
mr_kept_add(MrKept *kept, int64 parent, int64 child, int32 role)
{
	MrKeptEdge *edge;
	ParentEntry *entry;
	bool		found;

	if (kept->n >= kept->most)
		return false;
	kept->edges = mr_grow(kept->edges, kept->n, &kept->room, sizeof(MrKeptEdge));
	entry = parents_insert(kept->parents, parent, &found);
	edge = &kept->edges[kept->n];
	edge->child = child;
	edge->role = role;
	edge->next = found ? entry->last : -1;
	entry->last = kept->n++;
	return true;
}

static const MrKeptEdge *
edge_at(MrKept *kept, int64 place)
{
	return place < 0 ? NULL : &kept->edges[place];
}

/* An edge that leads to the parent, in no order; NULL for none. */
const MrKeptEdge *
mr_kept_first(MrKept *kept, int64 parent)
{
	ParentEntry *entry = parents_lookup(kept->parents, parent);

	return edge_at(kept, entry == NULL ? -1 : entry->last);
}

/* The next one to the same parent. */
const MrKeptEdge *
mr_kept_next(MrKept *kept, const MrKeptEdge *edge)
{
	return edge_at(kept, edge->next);
}
