/*
 * facts.c
 *		What is so of two things, side by side, and in what they differ.
 *
 * Facts with one key are a set of values.  Values that both sides have are no
 * difference; those that are left are paired in their order, each pair a
 * change, and what has no partner came or went.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/grow.h"
#include "registry/facts.h"

void
mr_facts_add(MrFacts *facts, const MrFact *fact)
{
	facts->facts = mr_grow(facts->facts, facts->n, &facts->room, sizeof(MrFact));
	facts->facts[facts->n++] = *fact;
}

/* NULL comes first. */
static int
compare_texts(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int
compare_keys(const MrFact *a, const MrFact *b)
{
	int			order = compare_texts(a->kind, b->kind);

	if (order == 0)
		order = compare_texts(a->role, b->role);
	if (order == 0)
		order = compare_texts(a->item, b->item);
	if (order == 0)
		order = compare_texts(a->part, b->part);
	if (order == 0)
		order = (a->unnamed > b->unnamed) - (a->unnamed < b->unnamed);
	return order;
}

static int
compare_facts(const void *a, const void *b)
{
	int			order = compare_keys(a, b);

	CHECK_FOR_INTERRUPTS();
	return order != 0 ? order :
		compare_texts(((const MrFact *) a)->value, ((const MrFact *) b)->value);
}

/* Take out what both have; both are in order. */
static void
drop_common(MrFact *a, int64 *na, MrFact *b, int64 *nb)
{
	int64		i = 0;
	int64		j = 0;
	int64		kept_a = 0;
	int64		kept_b = 0;

	while (i < *na || j < *nb)
	{
		int			order = i == *na ? 1 : j == *nb ? -1 :
			compare_texts(a[i].value, b[j].value);

		CHECK_FOR_INTERRUPTS();
		if (order < 0)
			a[kept_a++] = a[i++];
		else if (order > 0)
			b[kept_b++] = b[j++];
		else
		{
			i++;
			j++;
		}
	}
	*na = kept_a;
	*nb = kept_b;
}

/* The facts of one key on both sides. */
static void
compare_values(MrFact *before, int64 nbefore, MrFact *after, int64 nafter,
			   MrDifference report, void *arg)
{
	drop_common(before, &nbefore, after, &nafter);
	for (int64 i = 0; i < nbefore || i < nafter; i++)
		report(i < nbefore ? &before[i] : NULL, i < nafter ? &after[i] : NULL, arg);
}

/* Where the facts that have the key of the one at a place end. */
static int64
end_of_key(const MrFacts *facts, int64 from)
{
	int64		end = from + 1;

	while (end < facts->n && compare_keys(&facts->facts[end], &facts->facts[from]) == 0)
		end++;
	return end;
}

/* Report all differences, by key; the facts are put in order. */
void
mr_facts_compare(MrFacts *before, MrFacts *after, MrDifference report, void *arg)
{
	int64		i = 0;
	int64		j = 0;

	if (before->n > 0)
		qsort(before->facts, before->n, sizeof(MrFact), compare_facts);
	if (after->n > 0)
		qsort(after->facts, after->n, sizeof(MrFact), compare_facts);
	while (i < before->n || j < after->n)
	{
		int			order = i == before->n ? 1 : j == after->n ? -1 :
			compare_keys(&before->facts[i], &after->facts[j]);
		int64		i_end = order <= 0 ? end_of_key(before, i) : i;
		int64		j_end = order >= 0 ? end_of_key(after, j) : j;

		CHECK_FOR_INTERRUPTS();
		compare_values(before->facts + i, i_end - i, after->facts + j, j_end - j,
					   report, arg);
		i = i_end;
		j = j_end;
	}
}
