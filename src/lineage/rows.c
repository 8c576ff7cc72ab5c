/*
 * rows.c
 *		Nodes of a walk as rows of a result, or which of them have an id there.
 *
 * What the caller may not read is a row without content; so is a role that
 * only a record says that he may not read.
 *
 * Rows come by depth, nodes lie by id: many are read ahead, in that order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/grow.h"
#include "lineage/rows.h"

/* Columns of the result; the first only where two directions are shown. */
enum
{
	OUT_DIRECTION, OUT_DEPTH, OUT_SECOND, OUT_KIND, OUT_TEAM, OUT_NAME, OUT_VERSION,
	OUT_ADDRESS, OUT_BY_SUPERSESSION, OUT_RECORDED_AT, OUT_NODE_ID,
	OUT_COLUMNS
};

#define READ_AHEAD 1024			/* nodes */
#define RESET_ROWS 16			/* whose memory is given back at once */

/* A list of roles or kinds to show; NULL when none was given. */
ArrayType *
mr_rows_filter(FunctionCallInfo fcinfo, int n, const char *name)
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

/* For who asks which nodes have an id, and makes no rows. */
void
mr_rows_begin_ids(MrRows *rows)
{
	rows->context = CurrentMemoryContext;
	rows->row_context = AllocSetContextCreate(CurrentMemoryContext,
											  "modelreg row",
											  ALLOCSET_DEFAULT_SIZES);
}

void
mr_rows_begin(MrRows *rows, FunctionCallInfo fcinfo, Snapshot snapshot)
{
	InitMaterializedSRF(fcinfo, 0);
	mr_rows_begin_ids(rows);
	rows->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rows->snapshot = snapshot;
	rows->read_context = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg nodes",
											   ALLOCSET_DEFAULT_SIZES);
	rows->nodes = mr_node_reader_open(snapshot);
}

void
mr_rows_end(MrRows *rows)
{
	MemoryContextDelete(rows->row_context);
	if (rows->nodes == NULL)
		return;
	mr_node_reader_close(rows->nodes);
	MemoryContextDelete(rows->read_context);
}

/* What was learned of classes and roles is of the walk that was shown. */
void
mr_rows_begin_walk(MrRows *rows)
{
	rows->nclasses = 0;
	rows->roles_of = 0;
}

static void
learn_class(MrRows *rows, MrRowClass *class, const MrWalkStep *step)
{
	const MrTeam *team = mr_team_by_id(step->team);

	class->known = true;
	class->readable = team != NULL;
	class->shown = passes(rows->kinds, team != NULL ? step->kind : NULL);
	class->team_name = team == NULL ? NULL : pstrdup(team->name);
	class->team = team == NULL ? (Datum) 0 : CStringGetTextDatum(team->name);
	class->kind = CStringGetTextDatum(step->kind);
}

/* A copy: what is read ahead learns of more classes, and their list moves. */
static MrRowClass
find_class(MrRows *rows, const MrWalkStep *step)
{
	MemoryContext old = MemoryContextSwitchTo(rows->context);
	MrRowClass *class;

	while (rows->nclasses <= step->class)
	{
		rows->classes = mr_grow(rows->classes, rows->nclasses,
								&rows->class_room, sizeof(MrRowClass));
		rows->classes[rows->nclasses++].known = false;
	}
	class = &rows->classes[step->class];
	if (!class->known)
		learn_class(rows, class, step);
	MemoryContextSwitchTo(old);
	return *class;
}

/* Does the node of an id, which is to come, have content to show? */
static bool
is_wanted(MrRows *rows, MrWalk *walk, int64 id)
{
	MrWalkStep		step;
	MrRowClass	class;

	(void) mr_walk_find(walk, id, &step);
	class = find_class(rows, &step);
	return class.readable;
}

/* A node to read ahead, and its place among them. */
typedef struct Ahead
{
	int64		id;
	int64		place;
} Ahead;

#define ST_SORT sort_ahead
#define ST_ELEMENT_TYPE Ahead
#define ST_COMPARE(a, b) (((a)->id > (b)->id) - ((a)->id < (b)->id))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The nodes with content among some that come next. */
static int64
list_ahead(MrRows *rows, const MrWalkStep *step, Ahead *list)
{
	int64		n = 0;

	for (int64 place = 0; place < rows->nread; place++)
		if (place == 0 || is_wanted(rows, step->walk, step->ahead[place]))
		{
			list[n].id = place == 0 ? step->node : step->ahead[place];
			list[n++].place = place;
		}
	return n;
}

/* Read the node of a step, and others that come soon after. */
static void
read_ahead(MrRows *rows, const MrWalkStep *step)
{
	MemoryContext old = MemoryContextSwitchTo(rows->read_context);
	Ahead	   *list;
	int64		n;

	MemoryContextReset(rows->read_context);
	rows->read_from = step->ahead;
	rows->nread = Max(1, Min(step->nahead, READ_AHEAD));
	rows->read = palloc0(rows->nread * sizeof(MrNode));
	list = palloc(rows->nread * sizeof(Ahead));
	n = list_ahead(rows, step, list);
	sort_ahead(list, n);
	for (int64 i = 0; i < n; i++)
		if (!mr_node_read(rows->nodes, list[i].id, &rows->read[list[i].place]))
			elog(ERROR, "node " INT64_FORMAT " does not exist", list[i].id);
	MemoryContextSwitchTo(old);
}

static const MrNode *
find_node(MrRows *rows, const MrWalkStep *step)
{
	int64		place = step->ahead - rows->read_from;

	if (step->ahead == NULL || rows->read_from == NULL || place < 0 ||
		place >= rows->nread || rows->read[place].id != step->node)
	{
		read_ahead(rows, step);
		place = 0;
	}
	return &rows->read[place];
}

/* Fill the columns of a node that the caller may read. */
static void
describe(MrRows *rows, const MrWalkStep *step, const MrRowClass *class,
		 Datum *values, bool *nulls)
{
	MrNode		node = *find_node(rows, step);
	char	   *address = mr_node_address_in(class->team_name, &node, rows->snapshot);

	values[OUT_KIND] = class->kind;
	values[OUT_TEAM] = class->team;
	values[OUT_NAME] = CStringGetTextDatum(node.name);
	values[OUT_VERSION] = CStringGetTextDatum(node.version);
	if (address != NULL)
		values[OUT_ADDRESS] = CStringGetTextDatum(address);
	values[OUT_BY_SUPERSESSION] = BoolGetDatum(step->by_supersession);
	values[OUT_RECORDED_AT] = TimestampTzGetDatum(node.recorded_at);
	values[OUT_NODE_ID] = Int64GetDatum(node.id);
	for (int i = OUT_KIND; i < OUT_COLUMNS; i++)
		nulls[i] = i == OUT_ADDRESS && address == NULL;
}

/* The second column is the role of a step, or what the function says. */
static void
put_row(MrRows *rows, Datum second, bool isnull, Datum *values, bool *nulls)
{
	int			first = rows->direction == (Datum) 0 ? OUT_DEPTH : OUT_DIRECTION;

	values[OUT_SECOND] = second;
	nulls[OUT_SECOND] = isnull;
	tuplestore_putvalues(rows->rsinfo->setResult, rows->rsinfo->setDesc,
						 values + first, nulls + first);
}

static void
put_role(MrRows *rows, const char *role, Datum *values, bool *nulls)
{
	if (passes(rows->roles, role))
		put_row(rows, role == NULL ? (Datum) 0 : CStringGetTextDatum(role),
				role == NULL, values, nulls);
}

/* The roles of a step are mostly those of the one before.  true: they are others. */
static bool
learn_roles(MrRows *rows, const MrWalkStep *step)
{
	MemoryContext old;

	if (step->roles != 0 && step->roles == rows->roles_of)
		return false;
	old = MemoryContextSwitchTo(rows->context);
	if (rows->known != NULL)
		pfree(rows->known);
	rows->known = mr_walk_roles(step, &rows->nknown, NULL);
	rows->roles_of = step->roles;
	MemoryContextSwitchTo(old);
	return true;
}

/* One row per role that the caller may know, or one without a role. */
static void
put_rows(MrRows *rows, const MrWalkStep *step, Datum *values, bool *nulls)
{
	(void) learn_roles(rows, step);
	for (int i = 0; i < rows->nknown; i++)
		put_role(rows, rows->known[i], values, nulls);
	if (rows->nknown == 0)
		put_role(rows, NULL, values, nulls);
}

static void
fill_row(MrRows *rows, const MrWalkStep *step, const MrRowClass *class,
		 Datum *values, bool *nulls)
{
	memset(nulls, true, OUT_COLUMNS * sizeof(bool));
	values[OUT_DIRECTION] = rows->direction;
	nulls[OUT_DIRECTION] = false;
	values[OUT_DEPTH] = Int32GetDatum(step->depth);
	nulls[OUT_DEPTH] = false;
	if (class->readable)
		describe(rows, step, class, values, nulls);
}

/* The nodes that mr_rows_show() is to be called for. */
bool
mr_rows_want(const MrWalkStep *step, void *rows)
{
	return find_class(rows, step).shown;
}

/* Of what the caller may not read there is a row, but no id. */
bool
mr_rows_want_id(const MrWalkStep *step, void *rows)
{
	MrRowClass	class = find_class(rows, step);

	return class.readable && class.shown;
}

static bool
passes_a_role(MrRows *rows)
{
	MemoryContext old = MemoryContextSwitchTo(rows->row_context);
	bool		found = false;

	for (int i = 0; i < rows->nknown && !found; i++)
		found = passes(rows->roles, rows->known[i]);
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->row_context);
	return found;
}

/* Where a filter of roles is given: does it let a row of the node through? */
bool
mr_rows_pass_id(const MrWalkStep *step, void *arg)
{
	MrRows	   *rows = arg;

	if (learn_roles(rows, step))
		rows->role_passes = passes_a_role(rows);
	return rows->role_passes;
}

/* A visitor of a walk: a row for each role of the node. */
bool
mr_rows_show(const MrWalkStep *step, void *arg)
{
	MrRows	   *rows = arg;
	MrRowClass	class = find_class(rows, step);
	Datum		values[OUT_COLUMNS] = {0};
	bool		nulls[OUT_COLUMNS];
	MemoryContext old;

	old = MemoryContextSwitchTo(rows->row_context);
	fill_row(rows, step, &class, values, nulls);
	put_rows(rows, step, values, nulls);
	MemoryContextSwitchTo(old);
	if (++rows->nput % RESET_ROWS == 0)
		MemoryContextReset(rows->row_context);
	return true;
}

/* One row, whose second column is given. */
void
mr_rows_put(MrRows *rows, const MrWalkStep *step, Datum second, bool isnull)
{
	Datum		values[OUT_COLUMNS] = {0};
	bool		nulls[OUT_COLUMNS];
	MrRowClass	class = find_class(rows, step);
	MemoryContext old = MemoryContextSwitchTo(rows->row_context);

	CHECK_FOR_INTERRUPTS();
	fill_row(rows, step, &class, values, nulls);
	put_row(rows, second, isnull, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->row_context);
}
