/*
 * quarantine.c
 *		Which nodes are quarantined, and what derives from them.
 *
 * Nearly always nothing is, and then one look at an empty index says so.
 * Towards a few nodes a bounded walk each is the quickest; where many are
 * quarantined, all that lies upstream is walked once.  Who may read what is not
 * asked: what somebody else quarantined counts all the same.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/grow.h"
#include "base/settings.h"
#include "base/snapshot.h"
#include "base/table.h"
#include "lineage/cursor.h"
#include "lineage/lineage.h"
#include "lineage/lineage_tables.h"
#include "lineage/walk.h"
#include "registry/quarantine.h"
#include "registry/registry_tables.h"

/* Towards so many nodes a walk each is tried. */
#define FEW 8

/* So many nodes are named where an error lists them. */
#define NAMED_MAX 20

static void
add_node(MrQuarantined *list, int64 *room, int64 node)
{
	list->nodes = mr_grow(list->nodes, list->n, room, sizeof(int64));
	list->nodes[list->n++] = node;
}

static MrQuarantined
read_all(Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("quarantine");
	MrScan	   *scan = mr_scan_begin(table, "quarantine_pkey", 0, NULL, snapshot);
	MrQuarantined all = {NULL, 0};
	int64		room = 0;

	while (mr_scan_next(scan, false))
		add_node(&all, &room,
				 DatumGetInt64(mr_table_get(table, QUARANTINE_NODE_ID, NULL)));
	mr_scan_end(scan);
	mr_table_close(table);
	return all;
}

/* Is the node itself quarantined?  A snapshot NULL stands for the latest. */
bool
mr_node_is_quarantined(int64 node, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("quarantine");
	Datum		key = Int64GetDatum(node);
	bool		found = mr_table_find(table, "quarantine_pkey", 1, &key, snapshot);

	mr_table_close(table);
	return found;
}

static MrNode
require_node(int64 id, Snapshot snapshot)
{
	MrNode		node;

	if (!mr_node_get(id, snapshot, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", id);
	return node;
}

/*
 * Only who can tell that something is missing goes by the caller's setting:
 * with a low one nobody gets past a quarantine, nor is kept from one.
 */
static int64
node_limit(const bool *complete)
{
	return complete == NULL ? MR_NO_NODE_LIMIT : mr_max_lineage_nodes;
}

/* Is the one of the nodes the other, or upstream of it? */
static bool
leads_to(int64 quarantined, const MrNode *node, Snapshot snapshot, bool *complete)
{
	MrNode		target;
	MrBounds	bounds;

	if (quarantined == node->id)
		return true;
	target = require_node(quarantined, snapshot);
	bounds = mr_bounds_towards(&target, snapshot);
	return mr_derives(node, &bounds, snapshot, node_limit(complete), NULL, complete);
}

/* All that the node derives from, and itself. */
static MrWalk *
walk_upstream(const MrNode *node, Snapshot snapshot, bool *complete)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,.snapshot = snapshot,
		.max_depth = MR_NO_DEPTH_LIMIT,.bare = true,
		.max_nodes = node_limit(complete)};
	MrWalk	   *walk = mr_walk_begin(&options);

	mr_walk_start(walk, node);
	if (!mr_walk_run(walk))
		*complete = false;
	return walk;
}

static bool
has_role(MrCursor *edges, const char *const *roles, int nroles)
{
	char	   *role = TextDatumGetCString(mr_cursor_get(edges, EDGE_DOWN_ROLE));
	bool		found = false;

	for (int i = 0; i < nroles && !found; i++)
		found = strcmp(role, roles[i]) == 0;
	pfree(role);
	return found;
}

/*
 * Is a node that the walk saw the input of another one in one of the roles, or
 * does it stand, over however many others, for one that is?
 */
static bool
is_in_role(MrWalk *walk, MrCursor *edges, int64 id, const char *const *roles,
		   int nroles, Snapshot snapshot)
{
	while (id != 0)
	{
		mr_cursor_seek(edges, id);
		while (mr_cursor_next(edges))
		{
			CHECK_FOR_INTERRUPTS();
			if (mr_walk_has(walk, DatumGetInt64(mr_cursor_get(edges, EDGE_DOWN_CHILD))) &&
				has_role(edges, roles, nroles))
				return true;
		}
		id = require_node(id, snapshot).supersedes;
	}
	return false;
}

/* Of all that are quarantined those upstream, by one walk. */
static MrQuarantined
choose_by_walk(const MrQuarantined *all, const MrNode *node,
			   const char *const *roles, int nroles, Snapshot snapshot,
			   bool *complete)
{
	MrWalk	   *walk = walk_upstream(node, snapshot, complete);
	MrCursor   *edges = mr_cursor_open("edge", "edge_down", snapshot, 1);
	MrQuarantined chosen = {NULL, 0};
	int64		room = 0;

	for (int64 i = 0; i < all->n; i++)
	{
		int64		id = all->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (id == node->id ||
			(mr_walk_has(walk, id) &&
			 (roles == NULL || is_in_role(walk, edges, id, roles, nroles, snapshot))))
			add_node(&chosen, &room, id);
	}
	mr_cursor_close(edges);
	mr_walk_end(walk);
	return chosen;
}

/* The same, by a walk towards each. */
static MrQuarantined
choose_one_by_one(const MrQuarantined *all, const MrNode *node,
				  Snapshot snapshot, bool *complete)
{
	MrQuarantined chosen = {NULL, 0};
	int64		room = 0;

	for (int64 i = 0; i < all->n; i++)
		if (leads_to(all->nodes[i], node, snapshot, complete))
			add_node(&chosen, &room, all->nodes[i]);
	return chosen;
}

/*
 * The quarantined nodes from which a node derives, itself among them, as a
 * snapshot (NULL: the latest) sees them; of those upstream only what is an
 * input in one of the roles, unless roles is NULL.  Above
 * modelreg.max_lineage_nodes complete becomes false, and some may be missing;
 * where it is NULL all are found.
 */
MrQuarantined
mr_upstream_quarantined(int64 node, const char *const *roles, int nroles,
						Snapshot snapshot, bool *complete)
{
	Snapshot	looking = RegisterSnapshot(snapshot != NULL ? snapshot :
										   mr_latest_snapshot());
	MrQuarantined found = read_all(looking);

	if (found.n > 0)
	{
		MrNode		start = require_node(node, looking);

		if (found.n <= FEW)
			found = choose_one_by_one(&found, &start, looking, complete);
		if (found.n > FEW || (found.n > 0 && roles != NULL))
			found = choose_by_walk(&found, &start, roles, nroles, looking, complete);
	}
	UnregisterSnapshot(looking);
	return found;
}

/* Is the node, or anything from which it derives, quarantined? */
bool
mr_derives_from_quarantined(int64 node, Snapshot snapshot)
{
	MrQuarantined found = mr_upstream_quarantined(node, NULL, 0, snapshot, NULL);

	return found.n > 0;
}

/*
 * What of them the current role may read by their addresses, and how many
 * there are beside: "run:search.train, and 2 more".
 */
char *
mr_quarantined_addresses(const MrQuarantined *quarantined, Snapshot snapshot)
{
	StringInfoData text;
	int64		named = 0;

	initStringInfo(&text);
	for (int64 i = 0; i < quarantined->n && named < NAMED_MAX; i++)
	{
		MrNode		node = require_node(quarantined->nodes[i], snapshot);
		char	   *address = mr_node_address(&node, snapshot);

		if (address != NULL)
			appendStringInfo(&text, "%s%s", named++ > 0 ? ", " : "", address);
	}
	if (named == 0)
		appendStringInfo(&text, INT64_FORMAT " that you may not read",
						 quarantined->n);
	else if (named < quarantined->n)
		appendStringInfo(&text, ", and " INT64_FORMAT " more", quarantined->n - named);
	return text.data;
}
