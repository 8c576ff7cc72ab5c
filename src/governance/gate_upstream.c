/*
 * gate_upstream.c
 *		What a version was made from, for the gates that ask for it.
 *
 * Whoever asks, the answer is the same: roles and nodes of teams that the
 * caller may not read count too.  What supersedes a node stands for it, as in
 * walks, and counts beside it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/grow.h"
#include "base/settings.h"
#include "governance/gate_upstream.h"
#include "lineage/cursor.h"
#include "lineage/lineage_tables.h"
#include "lineage/walk.h"
#include "lineage/words.h"
#include "types/names.h"

/* Columns of the index node_superseding. */
#define SUPERSEDING_ID 2

typedef struct Training
{
	MrCursor   *inputs;
	MrNodeIds	nodes;
} Training;

static void
add_id(MrNodeIds *nodes, int64 id)
{
	nodes->ids = mr_grow(nodes->ids, nodes->n, &nodes->room, sizeof(int64));
	nodes->ids[nodes->n++] = id;
}

static bool
input_is(MrCursor *inputs, AttrNumber column, const char *word)
{
	text	   *value = DatumGetTextPP(mr_cursor_get(inputs, column));

	return VARSIZE_ANY_EXHDR(value) == strlen(word) &&
		memcmp(VARDATA_ANY(value), word, strlen(word)) == 0;
}

/* What a node was trained on. */
static void
add_training_inputs(Training *training, int64 node)
{
	mr_cursor_seek(training->inputs, node);
	while (mr_cursor_next(training->inputs))
		if (input_is(training->inputs, EDGE_UP_ROLE, MR_ROLE_TRAINING))
			add_id(&training->nodes,
				   DatumGetInt64(mr_cursor_get(training->inputs, EDGE_UP_PARENT)));
}

static bool
visit(const MrWalkStep *step, void *arg)
{
	add_training_inputs(arg, step->node);
	return true;
}

static void
sort_ids(MrNodeIds *nodes)
{
	int64		kept = 0;

	if (nodes->n > 0)
		qsort(nodes->ids, nodes->n, sizeof(int64), mr_id_compare);
	for (int64 i = 0; i < nodes->n; i++)
		if (i == 0 || nodes->ids[i] != nodes->ids[kept - 1])
			nodes->ids[kept++] = nodes->ids[i];
	nodes->n = kept;
}

/* What supersedes any of them is one of them. */
static void
add_superseding(MrNodeIds *nodes, Snapshot snapshot)
{
	MrCursor   *superseding = mr_cursor_open("node", "node_superseding", snapshot, 1);

	for (int64 i = 0; i < nodes->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		mr_cursor_seek(superseding, nodes->ids[i]);
		while (mr_cursor_next(superseding))
			add_id(nodes, DatumGetInt64(mr_cursor_get(superseding, SUPERSEDING_ID)));
	}
	mr_cursor_close(superseding);
}

/* All nodes upstream in role training of whatever, and what supersedes them. */
MrNodeIds
mr_training_nodes(int64 node, Snapshot snapshot)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,.snapshot = snapshot,
	.max_depth = MR_NO_DEPTH_LIMIT,.max_nodes = mr_max_lineage_nodes};
	Training	training = {.inputs = mr_cursor_open("edge", "edge_up", snapshot, 1)};
	MrNode		start;

	if (!mr_node_get(node, snapshot, &start))
		elog(ERROR, "node " INT64_FORMAT " does not exist", node);
	training.nodes.too_many = !mr_walk_from(&start, &options, NULL, visit, &training);
	if (!training.nodes.too_many)
		add_training_inputs(&training, node);
	mr_cursor_close(training.inputs);
	sort_ids(&training.nodes);
	add_superseding(&training.nodes, snapshot);
	sort_ids(&training.nodes);
	return training.nodes;
}

/* Those of the version that is tested, which are walked to once however many gates ask. */
const MrNodeIds *
mr_gate_training(const MrGateSubject *subject)
{
	MrGateFound *found = subject->found;

	if (!found->has_training)
	{
		found->training = mr_training_nodes(subject->node, subject->snapshot);
		found->has_training = true;
	}
	return &found->training;
}

/* Does one of the nodes supersede it? */
bool
mr_node_is_superseded_in(int64 node, const MrNodeIds *by, Snapshot snapshot)
{
	MrCursor   *superseding = mr_cursor_open("node", "node_superseding", snapshot, 1);
	bool		found = false;

	mr_cursor_seek(superseding, node);
	while (!found && mr_cursor_next(superseding))
	{
		int64		id = DatumGetInt64(mr_cursor_get(superseding, SUPERSEDING_ID));

		found = bsearch(&id, by->ids, by->n, sizeof(int64), mr_id_compare) != NULL;
	}
	mr_cursor_close(superseding);
	return found;
}

/* A node that the search for origins has come to. */
typedef struct ReachedEntry
{
	int64		node;
	char		status;			/* for simplehash */
} ReachedEntry;

#define SH_PREFIX reached
#define SH_ELEMENT_TYPE ReachedEntry
#define SH_KEY_TYPE int64
#define SH_KEY node
#define SH_HASH_KEY(table, key) mr_hash_id(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Search
{
	int64		version;
	const bool *wanted;
	int64	   *found;
	MrCursor   *inputs;
	MrCursor   *superseding;
	reached_hash *reached;
	MrNodeIds	queue;			/* in the order in which they were reached */
} Search;

static void
reach(Search *search, int64 node)
{
	bool		known;

	(void) reached_insert(search->reached, node, &known);
	if (known)
		return;
	if (search->queue.n >= mr_max_lineage_nodes)
		search->queue.too_many = true;
	else
		add_id(&search->queue, node);
}

static void
find_origin(Search *search, MrOrigin origin, int64 node)
{
	if (search->found[origin] == 0)
		search->found[origin] = node;
}

/* The input that the cursor is at: what it tells, and whether to go on there. */
static void
take_input(Search *search, int64 node)
{
	MrCursor   *inputs = search->inputs;
	int64		input = DatumGetInt64(mr_cursor_get(inputs, EDGE_UP_PARENT));

	if (input_is(inputs, EDGE_UP_PARENT_KIND, MR_NODE_KIND_SNAPSHOT) &&
		input_is(inputs, EDGE_UP_ROLE, MR_ROLE_TRAINING))
		find_origin(search, MR_ORIGIN_TRAINING, input);
	if (node == search->version &&
		input_is(inputs, EDGE_UP_PARENT_KIND, MR_NODE_KIND_RUN) &&
		input_is(inputs, EDGE_UP_ROLE, MR_ROLE_RUN))
		find_origin(search, MR_ORIGIN_RUN, input);
	if (input_is(inputs, EDGE_UP_PARENT_KIND, MR_NODE_KIND_COMMIT))
		find_origin(search, MR_ORIGIN_COMMIT, input);
	if (input_is(inputs, EDGE_UP_PARENT_KIND, MR_NODE_KIND_TRANSFORM))
		find_origin(search, MR_ORIGIN_TRANSFORM, input);
	if (!input_is(inputs, EDGE_UP_PARENT_KIND, MR_NODE_KIND_VERSION))
		reach(search, input);
}

static bool
is_complete(const Search *search)
{
	for (int i = 0; i < MR_ORIGINS; i++)
		if (search->wanted[i] && search->found[i] == 0)
			return false;
	return true;
}

/*
 * The nearest node that tells each of what is wanted; 0 for none.  Other
 * versions are not looked behind: how a base model was made does not tell how
 * this one was.  false when it is not known, as there are more than
 * modelreg.max_lineage_nodes to look at.
 */
bool
mr_find_origins(int64 version, const bool *wanted, Snapshot snapshot, int64 *found)
{
	Search		search = {.version = version,.wanted = wanted,.found = found};

	memset(found, 0, MR_ORIGINS * sizeof(int64));
	search.inputs = mr_cursor_open("edge", "edge_up", snapshot, 1);
	search.superseding = mr_cursor_open("node", "node_superseding", snapshot, 1);
	search.reached = reached_create(CurrentMemoryContext, 64, NULL);
	reach(&search, version);
	for (int64 i = 0; i < search.queue.n && !search.queue.too_many &&
		 !is_complete(&search); i++)
	{
		int64		node = search.queue.ids[i];

		CHECK_FOR_INTERRUPTS();
		mr_cursor_seek(search.inputs, node);
		while (mr_cursor_next(search.inputs))
			take_input(&search, node);
		mr_cursor_seek(search.superseding, node);
		while (mr_cursor_next(search.superseding))
			reach(&search, DatumGetInt64(mr_cursor_get(search.superseding, SUPERSEDING_ID)));
	}
	mr_cursor_close(search.inputs);
	mr_cursor_close(search.superseding);
	reached_destroy(search.reached);
	return !search.queue.too_many || is_complete(&search);
}
