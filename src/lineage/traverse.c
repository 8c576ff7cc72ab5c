/*
 * traverse.c
 *		upstream(), downstream() and lineage(), upstream_ids() and
 *		downstream_ids().
 *
 * A walk passes through everything, and the filters choose which of the
 * visited nodes are shown.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/errors.h"
#include "lineage/rows.h"

PG_FUNCTION_INFO_V1(modelreg_upstream);
PG_FUNCTION_INFO_V1(modelreg_downstream);
PG_FUNCTION_INFO_V1(modelreg_lineage);
PG_FUNCTION_INFO_V1(modelreg_upstream_ids);
PG_FUNCTION_INFO_V1(modelreg_downstream_ids);

static int32
read_max_depth(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return MR_NO_DEPTH_LIMIT;
	if (PG_GETARG_INT32(n) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_depth must not be negative: %d", PG_GETARG_INT32(n)),
				 mr_reason("invalid_depth")));
	return PG_GETARG_INT32(n);
}

/* A call of one of the functions; max_depth is in the walk's options. */
typedef struct Traversal
{
	MrNode		start;
	MrWalkOptions options;
	MrRows		rows;
} Traversal;

static void
begin(Traversal *traversal, FunctionCallInfo fcinfo)
{
	char	   *address = mr_arg_text(fcinfo, 0, "node");

	memset(traversal, 0, sizeof(Traversal));
	traversal->options.snapshot = GetActiveSnapshot();
	traversal->options.max_depth = read_max_depth(fcinfo, 3);
	traversal->rows.roles = mr_rows_filter(fcinfo, 1, "roles");
	traversal->rows.kinds = mr_rows_filter(fcinfo, 2, "kinds");
	mr_node_load(address, traversal->options.snapshot, &traversal->start);
}

static void
begin_rows(Traversal *traversal, FunctionCallInfo fcinfo)
{
	begin(traversal, fcinfo);
	mr_rows_begin(&traversal->rows, fcinfo, traversal->options.snapshot);
}

static void
walk(Traversal *traversal, MrDirection direction)
{
	traversal->options.direction = direction;
	mr_rows_begin_walk(&traversal->rows);
	(void) mr_walk_from(&traversal->start, &traversal->options, mr_rows_want,
						mr_rows_show, &traversal->rows);
}

static Datum
traverse(FunctionCallInfo fcinfo, MrDirection direction)
{
	Traversal	traversal;

	begin_rows(&traversal, fcinfo);
	walk(&traversal, direction);
	mr_rows_end(&traversal.rows);
	return (Datum) 0;
}

/*
 * modelreg.upstream(node, roles, kinds, max_depth) returns a table: what the
 *		node was made from, as the caller's snapshot sees it.
 *
 * Errors: 22023 and 22004 for arguments, 42704 for a node that is not there
 * or not readable, 54000 above modelreg.max_lineage_nodes.
 */
Datum
modelreg_upstream(PG_FUNCTION_ARGS)
{
	return traverse(fcinfo, MR_UPSTREAM);
}

/* modelreg.downstream(): what was made from the node; else as upstream(). */
Datum
modelreg_downstream(PG_FUNCTION_ARGS)
{
	return traverse(fcinfo, MR_DOWNSTREAM);
}

/* modelreg.lineage(): both, and a first column that says which. */
Datum
modelreg_lineage(PG_FUNCTION_ARGS)
{
	Traversal	traversal;

	begin_rows(&traversal, fcinfo);
	traversal.rows.direction = CStringGetTextDatum("upstream");
	walk(&traversal, MR_UPSTREAM);
	traversal.rows.direction = CStringGetTextDatum("downstream");
	walk(&traversal, MR_DOWNSTREAM);
	mr_rows_end(&traversal.rows);
	return (Datum) 0;
}

static Datum
collect_ids(FunctionCallInfo fcinfo, MrDirection direction)
{
	Traversal	traversal;
	MrWalk	   *walk;
	ArrayType  *ids;

	begin(&traversal, fcinfo);
	mr_rows_begin_ids(&traversal.rows);
	traversal.options.direction = direction;
	walk = mr_walk_begin(&traversal.options);
	mr_walk_start(walk, &traversal.start);
	(void) mr_walk_run(walk);
	ids = mr_walk_ids(walk, mr_rows_want_id,
					  traversal.rows.roles == NULL ? NULL : mr_rows_pass_id,
					  &traversal.rows);
	mr_walk_end(walk);
	mr_rows_end(&traversal.rows);
	PG_RETURN_ARRAYTYPE_P(ids);
}

/*
 * modelreg.upstream_ids(node, roles, kinds, max_depth) returns bigint[]: the
 *		ids that upstream() shows, each once and ascending.  No row is read
 *		for them.
 *
 * Errors: as upstream(); 54000 also for more ids than an array has room for.
 */
Datum
modelreg_upstream_ids(PG_FUNCTION_ARGS)
{
	return collect_ids(fcinfo, MR_UPSTREAM);
}

/* modelreg.downstream_ids(): those of downstream(). */
Datum
modelreg_downstream_ids(PG_FUNCTION_ARGS)
{
	return collect_ids(fcinfo, MR_DOWNSTREAM);
}
