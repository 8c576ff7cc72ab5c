/*
 * impact.c
 *		impact(): the versions that a node went into.
 *
 * Of a snapshot that everything was made from a million nodes may lie
 * downstream, but few versions are current, and those are few steps away.  So
 * where only these are asked for and a walk of some nodes downstream does not
 * end, the versions are searched from their side: what lies some steps
 * upstream of them is walked, and from the node the way back by the edges that
 * were followed.  Who is found there at no greater depth is at that depth; the
 * others are searched again, with more steps, for as long as there are any.
 * Neither side may see many more nodes than the other has: with a budget that
 * grows they take turns, so that the smaller one ends it.  Upstream the edges
 * that are kept count too, as few nodes may have very many.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/grow.h"
#include "lineage/lineage.h"
#include "lineage/walk.h"
#include "registry/impact.h"
#include "registry/registry.h"
#include "registry/version_node.h"
#include "types/model_uri.h"
#include "types/names.h"
#include "types/stage.h"

PG_FUNCTION_INFO_V1(modelreg_impact);

/* Columns of the result. */
enum
{
	OUT_DEPTH = 1, OUT_ROLE, OUT_TEAM, OUT_MODEL, OUT_MODEL_ID, OUT_VERSION,
	OUT_ADDRESS, OUT_STAGE, OUT_STAGE_SINCE, OUT_IS_CURRENT, OUT_BY_SUPERSESSION,
	OUT_NODE_ID, OUT_COLUMNS = OUT_NODE_ID
};

/* Nodes to see downstream before the other side is tried. */
#define FIRST_DOWNSTREAM 256

/*
 * Nodes to see on one side and then on the other: some for each version at
 * first, more each time, and after so many all downstream.
 */
#define FIRST_BUDGET(versions) Min(8 * Max(versions, FIRST_DOWNSTREAM), MOST_BUDGET)
#define MORE_BUDGET(budget) (8 * (budget))
#define MOST_BUDGET 1000000

/*
 * Steps upstream at first, and how many more each time: what lies there grows
 * by some factor with each step where inputs spread, and little along a chain.
 * After so many, all are taken.
 */
#define FIRST_STEPS 2
#define MORE_STEPS(steps) ((steps) + (steps) / 2)
#define MOST_STEPS 100

/* The current versions that are still to be found. */
typedef struct Sought
{
	int64		start;			/* whose node is not sought */
	MrCurrentVersion *versions; /* by node */
	int64		n;
	int64		room;
	int32		steps;			/* upstream of them, to look next */
} Sought;

typedef struct Impact
{
	ReturnSetInfo *rsinfo;
	Snapshot	snapshot;
	bool		current_only;
	Sought	   *sought;			/* only these, NULL for all */
	int32		max_depth;		/* up to which they are found */
	MrImpactVisit found;		/* of those, NULL to put rows */
	void	   *arg;
	MrTable    *stages;			/* to put rows */
	MemoryContext row_context;
} Impact;

static void
set_stage(Impact *impact, int64 model, int32 version, Datum *values)
{
	TimestampTz since = 0;
	MrStage		stage = mr_version_stage_in(impact->stages, model, version,
											impact->snapshot, &since);

	values[OUT_STAGE - 1] = CStringGetTextDatum(mr_stage_name(stage));
	values[OUT_STAGE_SINCE - 1] = TimestampTzGetDatum(since);
}

/* The roles that the caller may know, with commas; NULL for none. */
static char *
list_roles(const MrWalkStep *step)
{
	StringInfoData list;
	int			n;
	const char **roles = mr_walk_roles(step, &n, NULL);

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", roles[i]);
	return n > 0 ? list.data : NULL;
}

/* What is shown of a version but its stage. */
typedef struct Shown
{
	int64		model;
	int32		version;
	MrVersionName name;
} Shown;

/* Of what is current all is known. */
static void
describe_current(const MrCurrentVersion *current, const char *team, Shown *shown)
{
	shown->model = current->model;
	shown->version = current->version;
	shown->name.name = current->name;
	shown->name.is_current = true;
	shown->name.address = mr_model_uri_of_version(team, current->name, current->version);
}

static void
describe_node(Impact *impact, int64 id, const char *team, Shown *shown)
{
	MrNode		node;

	if (!mr_node_get(id, impact->snapshot, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", id);
	shown->model = pg_strtoint64(node.name);
	shown->version = pg_strtoint32(node.version);
	mr_describe_version(team, shown->model, shown->version, impact->snapshot,
						&shown->name);
}

static void
put_version(Impact *impact, const MrWalkStep *step, const char *team, const Shown *shown)
{
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	char	   *role = list_roles(step);

	values[OUT_DEPTH - 1] = Int32GetDatum(step->depth);
	values[OUT_ROLE - 1] = role == NULL ? (Datum) 0 : CStringGetTextDatum(role);
	nulls[OUT_ROLE - 1] = role == NULL;
	values[OUT_TEAM - 1] = CStringGetTextDatum(team);
	values[OUT_MODEL - 1] = CStringGetTextDatum(psprintf("%s.%s", team, shown->name.name));
	values[OUT_MODEL_ID - 1] = Int64GetDatum(shown->model);
	values[OUT_VERSION - 1] = Int32GetDatum(shown->version);
	values[OUT_ADDRESS - 1] = CStringGetTextDatum(shown->name.address);
	set_stage(impact, shown->model, shown->version, values);
	values[OUT_IS_CURRENT - 1] = BoolGetDatum(shown->name.is_current);
	values[OUT_BY_SUPERSESSION - 1] = BoolGetDatum(step->by_supersession);
	values[OUT_NODE_ID - 1] = Int64GetDatum(step->node);
	tuplestore_putvalues(impact->rsinfo->setResult, impact->rsinfo->setDesc,
						 values, nulls);
}

static int
compare_nodes(const void *a, const void *b)
{
	int64		x = ((const MrCurrentVersion *) a)->node;
	int64		y = ((const MrCurrentVersion *) b)->node;

	CHECK_FOR_INTERRUPTS();		/* a million models may have one */
	return (x > y) - (x < y);
}

/* The version, if it is one that is sought: then it is found.  Else NULL. */
static const MrCurrentVersion *
find_sought(Impact *impact, const MrWalkStep *step)
{
	MrCurrentVersion key = {.node = step->node};
	MrCurrentVersion *version = step->depth > impact->max_depth ? NULL :
		bsearch(&key, impact->sought->versions, impact->sought->n,
				sizeof(MrCurrentVersion), compare_nodes);

	if (version != NULL)
		version->team = MR_NO_TEAM;
	return version;
}

/* Versions of teams that the caller may not read are left out. */
static void
put_readable(Impact *impact, const MrWalkStep *step, const MrCurrentVersion *current)
{
	MemoryContext old = MemoryContextSwitchTo(impact->row_context);
	const MrTeam *team = mr_team_by_id(step->team);
	Shown		shown;

	if (team != NULL)
	{
		char	   *name = pstrdup(team->name);

		if (current != NULL)
			describe_current(current, name, &shown);
		else
			describe_node(impact, step->node, name, &shown);
		if (!impact->current_only || shown.name.is_current)
			put_version(impact, step, name, &shown);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(impact->row_context);
}

static bool
visit(const MrWalkStep *step, void *arg)
{
	Impact	   *impact = arg;
	const MrCurrentVersion *sought = NULL;

	if (impact->sought != NULL && (sought = find_sought(impact, step)) == NULL)
		return true;
	if (impact->found != NULL)
		impact->found(sought, step, impact->arg);
	else
		put_readable(impact, step, sought);
	return true;
}

static bool
walk_down(Impact *impact, const MrNode *start, int64 max_nodes, MrWalk *within)
{
	MrWalkOptions options = {.direction = MR_DOWNSTREAM,
		.snapshot = impact->snapshot,.max_depth = MR_NO_DEPTH_LIMIT,
	.max_nodes = max_nodes,.within = within};

	return mr_walk_from(start, &options, mr_want_version, visit, impact);
}

static void
seek_version(const MrCurrentVersion *version, void *arg)
{
	Sought	   *sought = arg;

	if (version->node == sought->start)
		return;
	sought->versions = mr_grow(sought->versions, sought->n, &sought->room,
							   sizeof(MrCurrentVersion));
	sought->versions[sought->n++] = *version;
}

/* Forget those that were found. */
static void
keep_sought(Sought *sought)
{
	int64		kept = 0;

	for (int64 i = 0; i < sought->n; i++)
		if (sought->versions[i].team != MR_NO_TEAM)
			sought->versions[kept++] = sought->versions[i];
	sought->n = kept;
}

static void
start_from_sought(MrWalk *walk, const Sought *sought)
{
	for (int64 i = 0; i < sought->n; i++)
	{
		MrNode		node = {.id = sought->versions[i].node,
			.team = sought->versions[i].team,.kind = MR_NODE_KIND_VERSION};

		mr_walk_start(walk, &node);
	}
}

/*
 * Look some steps upstream of the versions that are sought for the node, and
 * show those that are found.  false when the walk was cut off; goes_on: more
 * steps may find more.
 */
static bool
look_upstream(Impact *impact, const MrNode *start, const MrBounds *towards,
			  int64 budget, bool *goes_on)
{
	Sought	   *sought = impact->sought;
	MrWalkOptions options = {.direction = MR_UPSTREAM,
		.snapshot = impact->snapshot,
		.max_depth = sought->steps <= MOST_STEPS ? sought->steps : MR_NO_DEPTH_LIMIT,
	.max_nodes = budget,.towards = towards,.keeps_edges = true};
	MrWalk	   *walk = mr_walk_begin(&options);
	bool		complete;

	start_from_sought(walk, sought);
	complete = mr_walk_run(walk);
	*goes_on = mr_walk_goes_on(walk);
	/* where all ways were walked to their ends, every depth is the least */
	impact->max_depth = *goes_on ? options.max_depth : MR_NO_DEPTH_LIMIT;
	if (complete && mr_walk_has(walk, start->id))
		(void) walk_down(impact, start, 0, walk);
	mr_walk_end(walk);
	keep_sought(sought);
	return complete;
}

/* Look farther and farther; false when one walk would see more nodes than it may. */
static bool
find_upstream(Impact *impact, const MrNode *start, const MrBounds *towards,
			  int64 budget)
{
	bool		goes_on = true;

	while (goes_on && impact->sought->n > 0)
	{
		if (!look_upstream(impact, start, towards, budget, &goes_on))
			return false;
		impact->sought->steps = MORE_STEPS(impact->sought->steps);
	}
	return true;
}

/* From the side of the versions that are sought, and from the node's in turn. */
static void
find_from_both(Impact *impact, const MrNode *start, Sought *sought)
{
	MrBounds	towards = mr_bounds_towards(start, impact->snapshot);

	if (sought->n > 1)
		qsort(sought->versions, sought->n, sizeof(MrCurrentVersion), compare_nodes);
	impact->sought = sought;
	for (int64 budget = FIRST_BUDGET(sought->n); budget <= MOST_BUDGET;
		 budget = MORE_BUDGET(budget))
	{
		if (find_upstream(impact, start, &towards, budget))
			return;
		impact->max_depth = MR_NO_DEPTH_LIMIT;
		if (walk_down(impact, start, budget, NULL))
			return;
	}
	impact->max_depth = MR_NO_DEPTH_LIMIT;
	(void) walk_down(impact, start, 0, NULL);
}

static void
find_current(Impact *impact, const MrNode *start)
{
	Sought		sought = {.start = start->id,.steps = FIRST_STEPS};

	mr_each_current_version(impact->snapshot, seek_version, &sought);
	find_from_both(impact, start, &sought);
}

void
mr_impact_among(const MrNode *start, const MrCurrentVersion *versions, int64 n,
				Snapshot snapshot, MrImpactVisit found, void *arg)
{
	Impact		impact = {.snapshot = snapshot,.found = found,.arg = arg,
	.max_depth = MR_NO_DEPTH_LIMIT};
	Sought		sought = {.start = start->id,.steps = FIRST_STEPS};

	for (int64 i = 0; i < n; i++)
		seek_version(&versions[i], &sought);
	if (sought.n > 0)
		find_from_both(&impact, start, &sought);
}

/*
 * modelreg.impact(node text, current_only boolean) returns a table: a row per
 *		version downstream of the node, as the caller's snapshot sees them.
 *
 * Errors: 22004 and 22023 for arguments, 42704 for a node that is not there
 * or not readable, 54000 above modelreg.max_lineage_nodes.
 */
Datum
modelreg_impact(PG_FUNCTION_ARGS)
{
	char	   *address = mr_arg_text(fcinfo, 0, "node");
	Impact		impact = {.snapshot = GetActiveSnapshot()};
	MrNode		start;

	mr_arg_require(fcinfo, 1, "current_only");
	impact.current_only = PG_GETARG_BOOL(1);
	mr_node_load(address, impact.snapshot, &start);
	InitMaterializedSRF(fcinfo, 0);
	impact.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	impact.row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg impact row",
											   ALLOCSET_DEFAULT_SIZES);
	impact.stages = mr_table_open_read("version_stage");
	if (!impact.current_only)
		(void) walk_down(&impact, &start, 0, NULL);
	else if (!walk_down(&impact, &start, FIRST_DOWNSTREAM, NULL))
		find_current(&impact, &start);
	mr_table_close(impact.stages);
	return (Datum) 0;
}
