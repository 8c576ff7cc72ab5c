/*
 * impact.c
 *		impact(): the versions that a node went into.
 *
 * Of a snapshot that everything was made from a million nodes may lie
 * downstream, but few versions are current, and those are few steps away.  So
 * where only these are asked for and a walk of some nodes downstream does not
 * end, the versions are searched from their side: what lies some steps
 * upstream of them is walked, and within that the way back from the node.
 * Who is found there at no greater depth is at that depth; the others are
 * searched again, with more steps, and at last with all.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/grow.h"
#include "lineage/lineage.h"
#include "lineage/walk.h"
#include "registry/registry.h"
#include "registry/version_node.h"
#include "types/names.h"
#include "types/stage.h"

PG_FUNCTION_INFO_V1(modelreg_impact);

/* Columns of the result. */
enum
{
	OUT_DEPTH = 1, OUT_ROLE, OUT_TEAM, OUT_MODEL, OUT_VERSION, OUT_ADDRESS,
	OUT_STAGE, OUT_STAGE_SINCE, OUT_IS_CURRENT, OUT_BY_SUPERSESSION,
	OUT_NODE_ID, OUT_COLUMNS = OUT_NODE_ID
};

/* Nodes to see downstream before the other side is tried, and then there. */
#define FIRST_DOWNSTREAM 2000
#define FIRST_UPSTREAM 1000000

/*
 * Steps upstream at first, and how many more each time: what lies there grows
 * by some factor with each step where inputs spread, and little along a chain.
 * After so many, all are taken.
 */
#define FIRST_STEPS 2
#define MORE_STEPS(steps) ((steps) + (steps) / 2)
#define MOST_STEPS 100

/* The nodes of the current versions that are still to be found. */
typedef struct Sought
{
	int64		start;			/* which is not sought */
	MrNode	   *versions;		/* id, team and kind; by id */
	int64		n;
	int64		room;
} Sought;

typedef struct Impact
{
	ReturnSetInfo *rsinfo;
	Snapshot	snapshot;
	bool		current_only;
	Sought	   *sought;			/* only these, NULL for all */
	int32		max_depth;		/* up to which they are found */
	MemoryContext row_context;
} Impact;

static void
set_stage(Impact *impact, int64 model, int32 version, Datum *values)
{
	TimestampTz since = 0;
	MrStage		stage = mr_version_stage(model, version, impact->snapshot, &since);

	values[OUT_STAGE - 1] = CStringGetTextDatum(mr_stage_name(stage));
	values[OUT_STAGE_SINCE - 1] = TimestampTzGetDatum(since);
}

/* The roles that the caller may know, with commas; NULL for none. */
static char *
list_roles(const MrStep *step)
{
	StringInfoData list;
	int			n;
	const char **roles = mr_walk_roles(step, &n, NULL);

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", roles[i]);
	return n > 0 ? list.data : NULL;
}

static void
put_version(Impact *impact, const MrStep *step, const char *team)
{
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	char	   *role = list_roles(step);
	MrVersionName name;
	MrNode		node;
	int64		model;
	int32		version;

	if (!mr_node_get(step->node, impact->snapshot, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", step->node);
	model = pg_strtoint64(node.name);
	version = pg_strtoint32(node.version);
	mr_describe_version(team, model, version, impact->snapshot, &name);
	if (impact->current_only && !name.is_current)
		return;
	values[OUT_DEPTH - 1] = Int32GetDatum(step->depth);
	values[OUT_ROLE - 1] = role == NULL ? (Datum) 0 : CStringGetTextDatum(role);
	nulls[OUT_ROLE - 1] = role == NULL;
	values[OUT_TEAM - 1] = CStringGetTextDatum(team);
	values[OUT_MODEL - 1] = CStringGetTextDatum(psprintf("%s.%s", team, name.name));
	values[OUT_VERSION - 1] = Int32GetDatum(version);
	values[OUT_ADDRESS - 1] = CStringGetTextDatum(name.address);
	set_stage(impact, model, version, values);
	values[OUT_IS_CURRENT - 1] = BoolGetDatum(name.is_current);
	values[OUT_BY_SUPERSESSION - 1] = BoolGetDatum(step->by_supersession);
	values[OUT_NODE_ID - 1] = Int64GetDatum(step->node);
	tuplestore_putvalues(impact->rsinfo->setResult, impact->rsinfo->setDesc,
						 values, nulls);
}

/* Is the version one that is sought?  Then it is found. */
static bool
find_sought(Impact *impact, const MrStep *step)
{
	MrNode		key = {.id = step->node};
	MrNode	   *version = step->depth > impact->max_depth ? NULL :
		bsearch(&key, impact->sought->versions, impact->sought->n,
				sizeof(MrNode), mr_node_compare);

	if (version != NULL)
		version->team = MR_NO_TEAM;
	return version != NULL;
}

/* Versions of teams that the caller may not read are left out. */
static bool
visit(const MrStep *step, void *arg)
{
	Impact	   *impact = arg;
	MemoryContext old;
	const MrTeam *team;

	if (strcmp(step->kind, MR_NODE_KIND_VERSION) != 0 ||
		(impact->sought != NULL && !find_sought(impact, step)))
		return true;
	old = MemoryContextSwitchTo(impact->row_context);
	team = mr_team_by_id(step->team);
	if (team != NULL)
		put_version(impact, step, pstrdup(team->name));
	MemoryContextSwitchTo(old);
	MemoryContextReset(impact->row_context);
	return true;
}

static bool
walk_down(Impact *impact, const MrNode *start, int64 max_nodes, MrWalk *within)
{
	MrWalkOptions options = {.direction = MR_DOWNSTREAM,
		.snapshot = impact->snapshot,.max_depth = MR_NO_DEPTH_LIMIT,
	.max_nodes = max_nodes,.within = within};

	return mr_walk_from(start, &options, visit, impact);
}

static void
seek_version(int64 team, int64 node, void *arg)
{
	Sought	   *sought = arg;
	MrNode		version = {.id = node,.team = team,.kind = MR_NODE_KIND_VERSION};

	if (node == sought->start)
		return;
	sought->versions = mr_grow(sought->versions, sought->n, &sought->room,
							   sizeof(MrNode));
	sought->versions[sought->n++] = version;
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

/*
 * Look so many steps upstream of the versions that are sought for the node,
 * and show those that are found.  false when too much lies there.
 */
static bool
look_upstream(Impact *impact, const MrNode *start, const MrBounds *towards)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,
		.snapshot = impact->snapshot,.max_depth = impact->max_depth,
	.max_nodes = FIRST_UPSTREAM,.towards = towards};
	MrWalk	   *walk = mr_walk_begin(&options);
	bool		complete;

	for (int64 i = 0; i < impact->sought->n; i++)
		mr_walk_start(walk, &impact->sought->versions[i]);
	complete = mr_walk_run(walk);
	if (complete && mr_walk_has(walk, start->id))
		(void) walk_down(impact, start, 0, walk);
	mr_walk_end(walk);
	keep_sought(impact->sought);
	return complete;
}

/* From the side of the current versions. */
static void
find_current(Impact *impact, const MrNode *start)
{
	Sought		sought = {.start = start->id};
	MrBounds	towards = mr_bounds_towards(start, impact->snapshot);
	int32		steps = FIRST_STEPS;
	bool		fits = true;

	mr_each_current_version(impact->snapshot, seek_version, &sought);
	if (sought.n > 1)
		qsort(sought.versions, sought.n, sizeof(MrNode), mr_node_compare);
	impact->sought = &sought;
	do
	{
		impact->max_depth = steps <= MOST_STEPS ? steps : MR_NO_DEPTH_LIMIT;
		fits = look_upstream(impact, start, &towards);
		steps = MORE_STEPS(steps);
	} while (fits && sought.n > 0 && impact->max_depth != MR_NO_DEPTH_LIMIT);
	if (!fits)
	{
		impact->max_depth = MR_NO_DEPTH_LIMIT;
		(void) walk_down(impact, start, 0, NULL);
	}
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
	if (!impact.current_only)
		(void) walk_down(&impact, &start, 0, NULL);
	else if (!walk_down(&impact, &start, FIRST_DOWNSTREAM, NULL))
		find_current(&impact, &start);
	return (Datum) 0;
}
