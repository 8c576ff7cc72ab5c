/*
 * show.c
 *		What a walk knows of the nodes that it saw, and showing them in order.
 *
 * Nodes are shown by depth and id; to order them takes 8 bytes for each that
 * is shown, and 8 for each step of depth.  Where only their ids are asked for,
 * they are given by id.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "lineage/walk_state.h"

/* As many ids as an array has room for. */
#define IDS_MAX ((MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(int64))

static void
describe(MrWalk *walk, int64 id, MrSeenNode node, MrWalkStep *step)
{
	step->walk = walk;
	step->node = id;
	step->team = mr_words_team(walk->words, class_of(node));
	step->depth = depth_of(node);
	step->class = class_of(node);
	step->kind = mr_words_kind(walk->words, class_of(node));
	step->by_supersession = is_marked(node);
	step->roles = mr_stands_roles(walk, id, node);
	step->ahead = NULL;
	step->nahead = 0;
}

/*
 * The roles in which the last step of a shortest path arrived, each once and
 * in order, of those that the caller may know, and whether there are others.
 * There are none for what stands for the start itself.
 */
const char **
mr_walk_roles(const MrWalkStep *step, int *n, bool *hidden)
{
	MrWalk	   *walk = step->walk;
	MemoryContext old = MemoryContextSwitchTo(walk->context);
	const MrWalkRole *roles;
	int			nroles = mr_words_roles(walk->words, step->roles, &roles);
	int			ndistinct = 0;
	const char **known;

	MemoryContextSwitchTo(old);
	known = palloc(Max(nroles, 1) * sizeof(char *));
	*n = 0;
	for (int i = 0; i < nroles; i++)
	{
		if (i == 0 || strcmp(roles[i - 1].role, roles[i].role) != 0)
			ndistinct++;
		if ((*n == 0 || strcmp(known[*n - 1], roles[i].role) != 0) &&
			mr_may_read(roles[i].child_team))
			known[(*n)++] = roles[i].role;
	}
	if (hidden != NULL)
		*hidden = *n < ndistinct;
	return known;
}

/* What the walk knows of a node; false when it was not seen. */
bool
mr_walk_find(MrWalk *walk, int64 id, MrWalkStep *step)
{
	if (!mr_walk_has(walk, id))
		return false;
	describe(walk, id, mr_seen_get(walk->seen, id), step);
	return true;
}

/* Whether nodes of a class are to be shown. */
enum
{
	NOT_ASKED, WANTED, UNWANTED
};

/* The nodes in the order in which they are shown. */
typedef struct Order
{
	MrWalk	   *walk;
	MrWant		want;			/* NULL: all are wanted */
	void	   *arg;
	char	   *answers;		/* by class */
	int64		n;
	int64	   *places;			/* by depth: of its first node, then the next */
	int64	   *ids;
} Order;

static bool
is_wanted(Order *order, int64 id, const MrSeenPage *page)
{
	char	   *answer = &order->answers[page->class[id % MR_SEEN_PAGE]];
	MrWalkStep		step;

	if (*answer == NOT_ASKED)
	{
		describe(order->walk, id, mr_seen_get(order->walk->seen, id), &step);
		*answer = order->want(&step, order->arg) ? WANTED : UNWANTED;
	}
	return *answer == WANTED;
}

/* Those nodes of a page that are to be shown, as bits. */
static uint64
wanted_of(Order *order, int64 first, uint64 bits, const MrSeenPage *page)
{
	uint64		wanted = bits & ~page->start;

	if (order->want == NULL)
		return wanted;
	for (bits = wanted; bits != 0; bits &= bits - 1)
		if (!is_wanted(order, first + pg_rightmost_one_pos64(bits), page))
			wanted ^= bits & -bits;
	return wanted;
}

static void
count_depths(int64 first, uint64 bits, const MrSeenPage *page, void *arg)
{
	Order	   *order = arg;

	for (bits = wanted_of(order, first, bits, page); bits != 0; bits &= bits - 1)
	{
		order->places[page->depth[pg_rightmost_one_pos64(bits)] + 1]++;
		order->n++;
	}
}

static void
put_in_place(int64 first, uint64 bits, const MrSeenPage *page, void *arg)
{
	Order	   *order = arg;

	for (bits = wanted_of(order, first, bits, page); bits != 0; bits &= bits - 1)
	{
		int			at = pg_rightmost_one_pos64(bits);

		order->ids[order->places[page->depth[at]]++] = first + at;
	}
}

/* Of no class it is known yet whether its nodes are wanted. */
static void
ask_again(Order *order)
{
	order->answers = MemoryContextAllocZero(order->walk->context,
											order->walk->words->nteam_words);
}

static void
order_by_depth(MrWalk *walk, Order *order)
{
	ask_again(order);
	order->places = MemoryContextAllocExtended(walk->context,
											   ((int64) walk->deepest + 2) * sizeof(int64),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	mr_seen_each_page(walk->seen, count_depths, order);
	if (order->n == 0)
		return;
	order->ids = MemoryContextAllocHuge(walk->context, order->n * sizeof(int64));
	for (int32 depth = 1; depth <= walk->deepest; depth++)
		order->places[depth] += order->places[depth - 1];
	mr_seen_each_page(walk->seen, put_in_place, order);
}

/*
 * Show the nodes to the visitor, but not those from which the walk started,
 * until he wants no more; those of a class that is not wanted are passed over
 * (NULL: all are).
 */
void
mr_walk_show(MrWalk *walk, MrWant want, MrVisit visitor, void *arg)
{
	Order		order = {.walk = walk,.want = want,.arg = arg};
	bool		more = true;

	order_by_depth(walk, &order);
	for (int64 i = 0; i < order.n && more; i++)
	{
		MrWalkStep		step;

		CHECK_FOR_INTERRUPTS();
		describe(walk, order.ids[i], mr_seen_get(walk->seen, order.ids[i]), &step);
		step.ahead = &order.ids[i];
		step.nahead = order.n - i;
		more = visitor(&step, arg);
	}
}

static void
count_ids(int64 first, uint64 bits, const MrSeenPage *page, void *arg)
{
	Order	   *order = arg;

	order->n += pg_popcount64(wanted_of(order, first, bits, page));
}

static void
put_ids(int64 first, uint64 bits, const MrSeenPage *page, void *arg)
{
	Order	   *order = arg;

	for (bits = wanted_of(order, first, bits, page); bits != 0; bits &= bits - 1)
		order->ids[order->n++] = first + pg_rightmost_one_pos64(bits);
}

/* Keep the ids of those nodes that pass. */
static void
keep_passing(Order *order, MrVisit passes)
{
	int64		n = 0;

	for (int64 i = 0; i < order->n; i++)
	{
		int64		id = order->ids[i];
		MrWalkStep	step;

		CHECK_FOR_INTERRUPTS();
		describe(order->walk, id, mr_seen_get(order->walk->seen, id), &step);
		if (passes(&step, order->arg))
			order->ids[n++] = id;
	}
	order->n = n;
}

/* An array of one dimension for so many ids, which are filled in later. */
static ArrayType *
make_array(int64 n)
{
	ArrayType  *array = MemoryContextAllocHuge(CurrentMemoryContext,
											   ARR_OVERHEAD_NONULLS(1) + n * sizeof(int64));

	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT8OID;
	ARR_LBOUND(array)[0] = 1;
	return array;
}

/* It has so many ids after all. */
static ArrayType *
finish_array(ArrayType *array, int64 n)
{
	if (n == 0)
		return construct_empty_array(INT8OID);
	if (n > IDS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more ids than an array has room for: " INT64_FORMAT, n),
				 errhint("Give roles, kinds or max_depth, or call the function that returns rows."),
				 mr_reason("lineage_too_large")));
	ARR_DIMS(array)[0] = n;
	SET_VARSIZE(array, ARR_OVERHEAD_NONULLS(1) + n * sizeof(int64));
	return array;
}

/*
 * The ids of the nodes, ascending, but not of those from which the walk
 * started: of the classes that are wanted, those that pass (NULL: all do).
 * They are in the caller's memory context.
 */
ArrayType *
mr_walk_ids(MrWalk *walk, MrWant want, MrVisit passes, void *arg)
{
	Order		order = {.walk = walk,.want = want,.arg = arg};
	ArrayType  *array;

	ask_again(&order);
	mr_seen_each_page(walk->seen, count_ids, &order);
	array = make_array(order.n);
	order.ids = (int64 *) ARR_DATA_PTR(array);
	order.n = 0;
	mr_seen_each_page(walk->seen, put_ids, &order);
	if (passes != NULL)
		keep_passing(&order, passes);
	return finish_array(array, order.n);
}
