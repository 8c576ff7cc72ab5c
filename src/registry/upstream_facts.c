/*
 * upstream_facts.c
 *		In what the upstream of two versions differs.
 *
 * Both are walked along inputs alone: what superseded one of them later is
 * nothing that the version was made from, and so the answer never changes.
 * Large histories are mostly the same on both sides.  What both have is
 * dropped by id and role, at 32 bytes a node, before any row is read.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "base/grow.h"
#include "lineage/lineage.h"
#include "lineage/walk.h"
#include "registry/upstream_facts.h"
#include "types/names.h"

/* A node upstream, in one role of the last step. */
typedef struct Ancestor
{
	int64		node;
	int64		team;
	const char *role;			/* NULL: others, that the caller may not know */
	bool		common;			/* the other version has it too */
} Ancestor;

typedef struct Ancestors
{
	Ancestor   *items;
	int64		n;
	int64		room;
	HTAB	   *roles;			/* texts, for both sides */
} Ancestors;

typedef struct RoleText
{
	char		text[64];		/* roles have at most 63 bytes */
} RoleText;

static void
add_ancestor(Ancestors *ancestors, const MrWalkStep *step, const char *role)
{
	Ancestor   *item;

	ancestors->items = mr_grow(ancestors->items, ancestors->n, &ancestors->room,
							   sizeof(Ancestor));
	item = &ancestors->items[ancestors->n++];
	item->node = step->node;
	item->team = step->team;
	item->common = false;
	item->role = role == NULL ? NULL :
		((RoleText *) hash_search(ancestors->roles, role, HASH_ENTER, NULL))->text;
}

/* Once per role that the caller may know, and once for all others. */
static bool
visit(const MrWalkStep *step, void *arg)
{
	int			n;
	bool		hidden;
	const char **roles = mr_walk_roles(step, &n, &hidden);

	for (int i = 0; i < n; i++)
		add_ancestor(arg, step, roles[i]);
	if (n == 0 || hidden)
		add_ancestor(arg, step, NULL);
	pfree(roles);
	return true;
}

static int
compare_ancestors(const void *a, const void *b)
{
	const Ancestor *x = a;
	const Ancestor *y = b;

	CHECK_FOR_INTERRUPTS();		/* sorting millions takes seconds */
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->role == NULL || y->role == NULL)
		return (x->role != NULL) - (y->role != NULL);
	return strcmp(x->role, y->role);
}

static void
collect(int64 id, Snapshot snapshot, HTAB *roles, Ancestors *ancestors)
{
	MrWalkOptions options = {.direction = MR_UPSTREAM,.snapshot = snapshot,
	.max_depth = MR_NO_DEPTH_LIMIT,.inputs_only = true};
	MrNode		start;

	if (!mr_node_get(id, snapshot, &start))
		elog(ERROR, "node " INT64_FORMAT " does not exist", id);
	ancestors->roles = roles;
	(void) mr_walk_from(&start, &options, NULL, visit, ancestors);
	if (ancestors->n > 0)
		qsort(ancestors->items, ancestors->n, sizeof(Ancestor), compare_ancestors);
}

/* Of one node on both sides: a role that is not known may be any of them. */
static void
mark_roles(Ancestor *a, int64 na, Ancestor *b, int64 nb)
{
	bool		a_hides = a->role == NULL;
	bool		b_hides = b->role == NULL;
	int64		i = 0;
	int64		j = 0;

	while (i < na || j < nb)
	{
		int			order = i == na ? 1 : j == nb ? -1 : compare_ancestors(&a[i], &b[j]);

		if (order <= 0)
			a[i].common = order == 0 || b_hides || a[i].role == NULL;
		if (order >= 0)
			b[j].common = order == 0 || a_hides || b[j].role == NULL;
		i += order <= 0;
		j += order >= 0;
	}
}

static int64
end_of_node(const Ancestors *ancestors, int64 from)
{
	int64		end = from + 1;

	while (end < ancestors->n && ancestors->items[end].node == ancestors->items[from].node)
		end++;
	return end;
}

static void
mark_common(Ancestors *a, Ancestors *b)
{
	int64		i = 0;
	int64		j = 0;

	while (i < a->n && j < b->n)
	{
		int64		i_end = end_of_node(a, i);
		int64		j_end = end_of_node(b, j);
		int64		i_node = a->items[i].node;
		int64		j_node = b->items[j].node;

		CHECK_FOR_INTERRUPTS();
		if (i_node == j_node)
			mark_roles(&a->items[i], i_end - i, &b->items[j], j_end - j);
		if (i_node <= j_node)
			i = i_end;
		if (j_node <= i_node)
			j = j_end;
	}
}

/* What only one has; roles that are not known count where no other is. */
static bool
is_difference(const Ancestors *ancestors, int64 at)
{
	const Ancestor *ancestor = &ancestors->items[at];

	return !ancestor->common &&
		(ancestor->role != NULL || end_of_node(ancestors, at) == at + 1);
}

/*
 * Nodes go by their name, so that another version of it is a change.  A run
 * is named anew each time, so it goes by its role alone.
 */
static void
add_node(MrFacts *facts, MrNodeReader *nodes, const Ancestor *ancestor,
		 const char *team, Snapshot snapshot)
{
	MrFact		fact = {.role = ancestor->role,.node = ancestor->node};
	MrNode		node;

	if (!mr_node_read(nodes, ancestor->node, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", ancestor->node);
	fact.kind = node.kind;
	fact.value = mr_node_address(&node, snapshot);
	if (strcmp(node.kind, MR_NODE_KIND_RUN) != 0 || node.version[0] != '\0')
		fact.item = psprintf("%s.%s", team, node.name);
	mr_facts_add(facts, &fact);
}

static void
describe(const Ancestors *ancestors, Snapshot snapshot, MrUpstream *upstream)
{
	MrNodeReader *nodes = mr_node_reader_open(snapshot);

	for (int64 i = 0; i < ancestors->n; i++)
	{
		const Ancestor *ancestor = &ancestors->items[i];
		MrFact		unreadable = {.role = ancestor->role};
		const MrTeam *team;

		CHECK_FOR_INTERRUPTS();
		if (!is_difference(ancestors, i))
			continue;
		team = mr_team_by_id(ancestor->team);
		if (team != NULL)
			add_node(&upstream->nodes, nodes, ancestor, pstrdup(team->name), snapshot);
		else
		{
			unreadable.value = psprintf(INT64_FORMAT, ancestor->node);
			mr_facts_add(&upstream->unreadable, &unreadable);
		}
	}
	mr_node_reader_close(nodes);
}

/* What only one of two nodes was made from; what is found is added. */
void
mr_upstream_compare(int64 before, int64 after, Snapshot snapshot,
					MrUpstream *before_only, MrUpstream *after_only)
{
	HASHCTL		control = {.keysize = sizeof(RoleText),.entrysize = sizeof(RoleText),
	.hcxt = CurrentMemoryContext};
	HTAB	   *roles = hash_create("modelreg roles", 32, &control,
									HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	Ancestors	a = {0};
	Ancestors	b = {0};

	collect(before, snapshot, roles, &a);
	collect(after, snapshot, roles, &b);
	mark_common(&a, &b);
	describe(&a, snapshot, before_only);
	describe(&b, snapshot, after_only);
}
