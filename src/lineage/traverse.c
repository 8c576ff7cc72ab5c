/*
 * traverse.c
 *		upstream() and downstream().
 *
 * A walk passes through everything, and the filters choose which of the
 * visited nodes are shown.  What the caller may not read is a row without
 * content; so is a role that only a record says that he may not read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "lineage/lineage.h"
#include "lineage/walk.h"

PG_FUNCTION_INFO_V1(modelreg_upstream);
PG_FUNCTION_INFO_V1(modelreg_downstream);

/* Columns of the result. */
enum
{
	OUT_DEPTH = 1, OUT_ROLE, OUT_KIND, OUT_TEAM, OUT_NAME, OUT_VERSION,
	OUT_ADDRESS, OUT_BY_SUPERSESSION, OUT_RECORDED_AT, OUT_NODE_ID,
	OUT_COLUMNS = OUT_NODE_ID
};

typedef struct Traversal
{
	ReturnSetInfo *rsinfo;
	Snapshot	snapshot;
	MrNodeReader *nodes;
	ArrayType  *roles;			/* to show, or NULL for all */
	ArrayType  *kinds;
	MemoryContext row_context;
} Traversal;

/* Is the word in the array?  NULL stands for everything. */
static bool
passes(ArrayType *words, const char *word)
{
	Datum	   *elements;
	int			n;
	bool		found = false;

	if (words == NULL)
		return true;
	deconstruct_array(words, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	for (int i = 0; i < n && !found && word != NULL; i++)
		found = strcmp(TextDatumGetCString(elements[i]), word) == 0;
	return found;
}

/* Fill the columns of a node that the caller may read. */
static void
describe(Traversal *traversal, const MrStep *step, const char *team,
		 Datum *values, bool *nulls)
{
	MrNode		node;
	char	   *address;

	if (!mr_node_read(traversal->nodes, step->node, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", step->node);
	address = mr_node_address(&node, traversal->snapshot);
	values[OUT_KIND - 1] = CStringGetTextDatum(node.kind);
	values[OUT_TEAM - 1] = CStringGetTextDatum(team);
	values[OUT_NAME - 1] = CStringGetTextDatum(node.name);
	values[OUT_VERSION - 1] = CStringGetTextDatum(node.version);
	if (address != NULL)
		values[OUT_ADDRESS - 1] = CStringGetTextDatum(address);
	values[OUT_BY_SUPERSESSION - 1] = BoolGetDatum(step->by_supersession);
	values[OUT_RECORDED_AT - 1] = TimestampTzGetDatum(node.recorded_at);
	values[OUT_NODE_ID - 1] = Int64GetDatum(node.id);
	for (int i = OUT_KIND; i <= OUT_COLUMNS; i++)
		nulls[i - 1] = i == OUT_ADDRESS && address == NULL;
}

static void
put_row(Traversal *traversal, const char *role, Datum *values, bool *nulls)
{
	if (!passes(traversal->roles, role))
		return;
	nulls[OUT_ROLE - 1] = role == NULL;
	if (role != NULL)
		values[OUT_ROLE - 1] = CStringGetTextDatum(role);
	tuplestore_putvalues(traversal->rsinfo->setResult,
						 traversal->rsinfo->setDesc, values, nulls);
}

/* One row per role that the caller may know, or one without a role. */
static void
put_rows(Traversal *traversal, const MrStep *step, Datum *values, bool *nulls)
{
	const char *last = NULL;

	for (int i = 0; i < step->nroles; i++)
	{
		if ((last != NULL && strcmp(last, step->roles[i].role) == 0) ||
			!mr_may_read(step->roles[i].child_team))
			continue;
		last = step->roles[i].role;
		put_row(traversal, last, values, nulls);
	}
	if (last == NULL)
		put_row(traversal, NULL, values, nulls);
}

static bool
show(const MrStep *step, void *arg)
{
	Traversal  *traversal = arg;
	MemoryContext old = MemoryContextSwitchTo(traversal->row_context);
	const MrTeam *team = mr_team_by_id(step->team);
	char	   *team_name = team == NULL ? NULL : pstrdup(team->name);
	Datum		values[OUT_COLUMNS] = {0};
	bool		nulls[OUT_COLUMNS];

	if (passes(traversal->kinds, team_name != NULL ? step->kind : NULL))
	{
		memset(nulls, true, sizeof(nulls));
		values[OUT_DEPTH - 1] = Int32GetDatum(step->depth);
		nulls[OUT_DEPTH - 1] = false;
		if (team_name != NULL)
			describe(traversal, step, team_name, values, nulls);
		put_rows(traversal, step, values, nulls);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(traversal->row_context);
	return true;
}

/* A list of roles or kinds; NULL when none was given. */
static ArrayType *
read_words(FunctionCallInfo fcinfo, int n, const char *name)
{
	ArrayType  *words;

	if (PG_ARGISNULL(n))
		return NULL;
	words = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(words) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"%s\" must have one dimension", name),
				 mr_reason("invalid_filter")));
	if (array_contains_nulls(words))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not contain nulls", name),
				 mr_reason("null_argument")));
	return words;
}

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

static Datum
traverse(FunctionCallInfo fcinfo, MrDirection direction)
{
	char	   *address = mr_arg_text(fcinfo, 0, "node");
	Traversal	traversal = {0};
	int32		max_depth = read_max_depth(fcinfo, 3);
	MrNode		start;

	traversal.roles = read_words(fcinfo, 1, "roles");
	traversal.kinds = read_words(fcinfo, 2, "kinds");
	traversal.snapshot = GetActiveSnapshot();
	mr_node_load(address, traversal.snapshot, &start);
	InitMaterializedSRF(fcinfo, 0);
	traversal.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	traversal.row_context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg row",
												  ALLOCSET_DEFAULT_SIZES);
	traversal.nodes = mr_node_reader_open(traversal.snapshot);
	mr_walk(&start, direction, max_depth, traversal.snapshot, show, &traversal);
	mr_node_reader_close(traversal.nodes);
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
