/*
 * stands.c
 *		What stands for what on a walk, and the roles that come with it.
 *
 * A supersession costs no depth, so where one leads is arrived at in the roles
 * of the node that it leads from, beside those of the edges that lead there.
 * Which these are is known when the walk is at its end.  A node supersedes one
 * other at most, so an entry for each that supersedes says all.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/compat.h"
#include "lineage/walk_state.h"

/* Note that one node supersedes the other, over which the walk came. */
void
mr_stands_note(MrWalk *walk, int64 id, int64 other_id)
{
	bool		found;

	if (walk->stands == NULL)
		walk->stands = stands_create(walk->context, 64, NULL);
	stands_insert(walk->stands, Max(id, other_id), &found)->superseded = Min(id, other_id);
}

/* What a node supersedes, to which no edge led on a shortest path upstream. */
int64
mr_walk_stands_for(MrWalk *walk, int64 node)
{
	StandsEntry *entry = walk->stands == NULL ? NULL :
		stands_lookup(walk->stands, node);

	if (entry == NULL)
		elog(ERROR, "nothing leads to node " INT64_FORMAT, node);
	return entry->superseded;
}

/* All roles of a node, those of what it stands for included. */
static int32
all_roles(MrWalk *walk, int64 id)
{
	RolesEntry *entry = all_roles_lookup(walk->all_roles, id);

	return entry != NULL ? entry->roles : last_roles(mr_seen_get(walk->seen, id));
}

/* A node at the same depth as another gets that one's roles. */
static void
inherit(MrWalk *walk, int64 id, int64 other_id)
{
	bool		found;
	int32		before;
	int32		roles;

	if (depth_of(mr_seen_get(walk->seen, id)) != depth_of(mr_seen_get(walk->seen, other_id)))
		return;
	before = all_roles(walk, id);
	roles = mr_words_unite(walk->words, all_roles(walk, other_id), before);
	if (roles != before)
		all_roles_insert(walk->all_roles, id, &found)->roles = roles;
}

#define ST_SORT sort_ids
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The nodes that supersede, by id. */
static int64 *
list_superseding(MrWalk *walk, int64 n)
{
	int64	   *ids = MemoryContextAllocHuge(walk->context, n * sizeof(int64));
	stands_iterator it;
	int64		i = 0;

	stands_start_iterate(walk->stands, &it);
	for (StandsEntry *entry; (entry = stands_iterate(walk->stands, &it)) != NULL;)
		ids[i++] = entry->superseding;
	sort_ids(ids, n);
	return ids;
}

/*
 * At the end of a walk: hand roles on, along chains in the walk's direction of
 * supersession, which is against that of its edges.
 */
void
mr_stands_hand_on(MrWalk *walk)
{
	int64		n = walk->stands == NULL ? 0 : walk->stands->members;
	int64	   *ids;

	if (n == 0)
		return;
	ids = list_superseding(walk, n);
	walk->all_roles = all_roles_create(walk->context, n, NULL);
	for (int64 i = 0; i < n; i++)
	{
		int64		id = ids[walk->backward ? i : n - 1 - i];
		int64		superseded = stands_lookup(walk->stands, id)->superseded;

		CHECK_FOR_INTERRUPTS();
		if (walk->backward)
			inherit(walk, id, superseded);
		else
			inherit(walk, superseded, id);
	}
	pfree(ids);
}

/*
 * The roles of a node that are shown.  Who supersedes whom is in the record of
 * a node of the same team: who may not read that one knows of the edges alone.
 */
int32
mr_stands_roles(const MrWalk *walk, int64 id, MrSeenNode node)
{
	RolesEntry *entry = walk->all_roles == NULL ? NULL :
		all_roles_lookup(walk->all_roles, id);

	if (entry == NULL || !mr_may_read(mr_words_team(walk->words, class_of(node))))
		return last_roles(node);
	return entry->roles;
}
