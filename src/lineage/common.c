/*
 * common.c
 *		common_upstream(): what two nodes were both made from.
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "base/args.h"
#include "lineage/rows.h"

PG_FUNCTION_INFO_V1(modelreg_common_upstream);

typedef struct Common
{
	MrRows		rows;
	MrWalk	   *other;			/* upstream of the first node */
} Common;

/* What lies upstream of the second node, if it does of the first. */
static bool
show_common(const MrWalkStep *step, void *arg)
{
	Common	   *common = arg;
	MrWalkStep		of_first;

	if (!mr_walk_find(common->other, step->node, &of_first))
		return true;
	of_first.by_supersession |= step->by_supersession;
	mr_rows_put(&common->rows, &of_first, Int32GetDatum(step->depth), false);
	return true;
}

static MrWalk *
walk_up(const MrNode *node, Snapshot snapshot)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,.snapshot = snapshot,
	.max_depth = MR_NO_DEPTH_LIMIT};
	MrWalk	   *walk = mr_walk_begin(&options);

	mr_walk_start(walk, node);
	(void) mr_walk_run(walk);
	return walk;
}

/*
 * modelreg.common_upstream(a text, b text) returns a table: the nodes that
 *		lie upstream of both, with their depth from each.  A node counts as
 *		upstream of itself here, so that an ancestor of the other is shown.
 *
 * Errors: 22004 and 22023 for arguments, 42704 for a node that is not there
 * or not readable, 54000 above modelreg.max_lineage_nodes.
 */
Datum
modelreg_common_upstream(PG_FUNCTION_ARGS)
{
	char	   *first = mr_arg_text(fcinfo, 0, "a");
	char	   *second = mr_arg_text(fcinfo, 1, "b");
	Snapshot	snapshot = GetActiveSnapshot();
	Common		common = {0};
	MrNode		nodes[2];
	MrWalk	   *walk;
	MrWalkStep		itself;

	mr_node_load(first, snapshot, &nodes[0]);
	mr_node_load(second, snapshot, &nodes[1]);
	mr_rows_begin(&common.rows, fcinfo, snapshot);
	common.other = walk_up(&nodes[0], snapshot);
	walk = walk_up(&nodes[1], snapshot);
	(void) mr_walk_find(walk, nodes[1].id, &itself);
	(void) show_common(&itself, &common);
	mr_walk_show(walk, NULL, show_common, &common);
	mr_walk_end(walk);
	mr_walk_end(common.other);
	mr_rows_end(&common.rows);
	return (Datum) 0;
}
