/*
 * path.c
 *		is_derived_from(), path() and path_nodes(): how one node leads to another.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/grow.h"
#include "lineage/cursor.h"
#include "lineage/lineage_tables.h"
#include "lineage/rows.h"

PG_FUNCTION_INFO_V1(modelreg_is_derived_from);
PG_FUNCTION_INFO_V1(modelreg_path);
PG_FUNCTION_INFO_V1(modelreg_path_nodes);

/* The two ends, by the arguments node and ancestor. */
typedef struct Ends
{
	Snapshot	snapshot;
	MrNode		node;
	MrNode		ancestor;
} Ends;

static void
read_ends(FunctionCallInfo fcinfo, Ends *ends)
{
	char	   *node = mr_arg_text(fcinfo, 0, "node");
	char	   *ancestor = mr_arg_text(fcinfo, 1, "ancestor");

	ends->snapshot = GetActiveSnapshot();
	mr_node_load(node, ends->snapshot, &ends->node);
	mr_node_load(ancestor, ends->snapshot, &ends->ancestor);
}

/*
 * The walk from the node to all that may lie on the way to the ancestor; NULL
 * when there is no way.
 */
static MrWalk *
walk_between(const Ends *ends)
{
	MrBounds	bounds = mr_bounds_towards(&ends->ancestor, ends->snapshot);
	MrWalkOptions options = {.direction = MR_UPSTREAM,
		.snapshot = ends->snapshot,.max_depth = MR_NO_DEPTH_LIMIT,
	.towards = &bounds};
	MrWalk	   *walk = mr_walk_begin(&options);

	mr_walk_start(walk, &ends->node);
	(void) mr_walk_run(walk);
	if (ends->node.id != ends->ancestor.id &&
		mr_walk_has(walk, ends->ancestor.id))
		return walk;
	mr_walk_end(walk);
	return NULL;
}

/* A node of a path, and the role in which the one before it has it. */
typedef struct PathStep
{
	MrWalkStep		step;
	const char *role;			/* NULL: it stands for the one before */
} PathStep;

typedef struct Path
{
	MrWalk	   *walk;
	MrCursor   *edges;			/* downstream */
	PathStep   *steps;			/* from the ancestor on */
	int64		n;
	int64		room;
} Path;

/* May the last step of a shortest path have come from there? */
static bool
comes_before(const MrWalkStep *before, const MrWalkStep *step)
{
	return before->depth == step->depth - 1 &&
		(step->by_supersession || !before->by_supersession);
}

/*
 * The node before the last one of the path so far.  The first edge of the
 * index that serves is taken, so the path is always the same one.
 */
static int64
find_before(Path *path)
{
	PathStep   *last = &path->steps[path->n - 1];
	MrWalkStep		before;

	mr_cursor_seek(path->edges, last->step.node);
	while (mr_cursor_next(path->edges))
	{
		int64		child = DatumGetInt64(mr_cursor_get(path->edges, EDGE_DOWN_CHILD));

		if (!mr_walk_find(path->walk, child, &before) ||
			!comes_before(&before, &last->step))
			continue;
		last->role = TextDatumGetCString(mr_cursor_get(path->edges, EDGE_DOWN_ROLE));
		return child;
	}
	return mr_walk_stands_for(path->walk, last->step.node);
}

static void
add_step(Path *path, int64 node)
{
	path->steps = mr_grow(path->steps, path->n, &path->room, sizeof(PathStep));
	if (!mr_walk_find(path->walk, node, &path->steps[path->n].step))
		elog(ERROR, "node " INT64_FORMAT " is not on the path", node);
	path->steps[path->n++].role = NULL;
}

/* Follow a shortest path from the ancestor back to the node. */
static void
find_path(Path *path, const Ends *ends)
{
	int64		node = ends->ancestor.id;

	path->edges = mr_cursor_open("edge", "edge_down", ends->snapshot, 1);
	add_step(path, node);
	while (node != ends->node.id)
	{
		node = find_before(path);
		add_step(path, node);
	}
	mr_cursor_close(path->edges);
}

/* A role is in the record of the step before. */
static void
show_path(const Path *path, MrRows *rows)
{
	for (int64 i = path->n - 1; i >= 0; i--)
	{
		const PathStep *step = &path->steps[i];
		bool		known = step->role != NULL &&
			mr_may_read(path->steps[i + 1].step.team);

		mr_rows_put(rows, &step->step,
					known ? CStringGetTextDatum(step->role) : (Datum) 0, !known);
	}
}

/*
 * modelreg.path(node text, ancestor text) returns a table: a shortest path
 *		from the node to what it derives from, both included; no row when it
 *		does not.
 *
 * Errors: 22004 and 22023 for arguments, 42704 for a node that is not there
 * or not readable, 54000 above modelreg.max_lineage_nodes.
 */
Datum
modelreg_path(PG_FUNCTION_ARGS)
{
	MrRows		rows = {0};
	Path		path = {0};
	Ends		ends;

	read_ends(fcinfo, &ends);
	mr_rows_begin(&rows, fcinfo, ends.snapshot);
	path.walk = walk_between(&ends);
	if (path.walk != NULL)
	{
		find_path(&path, &ends);
		show_path(&path, &rows);
		mr_walk_end(path.walk);
	}
	mr_rows_end(&rows);
	return (Datum) 0;
}

/* The nodes of the one walk that the other saw as well. */
typedef struct Between
{
	MrRows		rows;
	MrWalk	   *back;			/* from the ancestor downstream */
} Between;

static bool
show_between(const MrWalkStep *step, void *arg)
{
	Between    *between = arg;

	return !mr_walk_has(between->back, step->node) ||
		mr_rows_show(step, &between->rows);
}

static void
show_all_between(Between *between, MrWalk *walk, const Ends *ends)
{
	MrWalkOptions options = {.direction = MR_DOWNSTREAM,
		.snapshot = ends->snapshot,.max_depth = MR_NO_DEPTH_LIMIT,
		.within = walk,.bare = true};
	MrWalkStep		start;

	between->back = mr_walk_begin(&options);
	mr_walk_start(between->back, &ends->ancestor);
	(void) mr_walk_run(between->back);
	(void) mr_walk_find(walk, ends->node.id, &start);
	mr_rows_put(&between->rows, &start, (Datum) 0, true);
	mr_walk_show(walk, NULL, show_between, between);
	mr_walk_end(between->back);
}

/*
 * modelreg.path_nodes(node text, ancestor text) returns a table: all nodes on
 *		any path from the node to the ancestor, both included, as upstream()
 *		shows them; no row when there is no path.
 *
 * Errors: as path().
 */
Datum
modelreg_path_nodes(PG_FUNCTION_ARGS)
{
	Between		between = {0};
	MrWalk	   *walk;
	Ends		ends;

	read_ends(fcinfo, &ends);
	mr_rows_begin(&between.rows, fcinfo, ends.snapshot);
	walk = walk_between(&ends);
	if (walk != NULL)
	{
		show_all_between(&between, walk, &ends);
		mr_walk_end(walk);
	}
	mr_rows_end(&between.rows);
	return (Datum) 0;
}

/*
 * modelreg.is_derived_from(node text, ancestor text) returns boolean: is the
 *		ancestor upstream of the node?  A node does not derive from itself.
 *
 * Errors: as path().
 */
Datum
modelreg_is_derived_from(PG_FUNCTION_ARGS)
{
	Ends		ends;
	MrBounds	bounds;

	read_ends(fcinfo, &ends);
	bounds = mr_bounds_towards(&ends.ancestor, ends.snapshot);
	PG_RETURN_BOOL(mr_derives(&ends.node, &bounds, ends.snapshot, 0, NULL, NULL));
}
