/*
 * checks.c
 *		The CHECKs of the registry's tables, read once.
 *
 * The server keeps a CHECK as text.  The executor reads it anew for each
 * statement that writes, which for a row's hash, whose expression names all
 * columns, is more work than to insert the row.  Here each backend keeps what
 * it has read, beside the text that it was read from: a CHECK that is another
 * one by now is read again.  What the expressions mean, and the functions
 * that they call, is looked up for each statement as ever.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/executor.h"
#include "nodes/nodes.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/checks.h"
#include "base/compat.h"

typedef struct CheckKey
{
	Oid			relation;
	int			number;			/* among those of the relation */
} CheckKey;

typedef struct KnownCheck
{
	CheckKey	key;			/* hash key */
	char	   *text;			/* NULL until it was read */
	Expr	   *expr;
} KnownCheck;

static HTAB *known_checks = NULL;

static KnownCheck *
find_check(Oid relation, int number)
{
	CheckKey	key = {relation, number};
	KnownCheck *known;
	bool		found;

	if (known_checks == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(CheckKey),.entrysize = sizeof(KnownCheck)};

		known_checks = hash_create("modelreg checks", 64, &control,
								   HASH_ELEM | HASH_BLOBS);
	}
	known = hash_search(known_checks, &key, HASH_ENTER, &found);
	if (!found)
		known->text = NULL;
	return known;
}

/*
 * The expression of a CHECK's text.  One that another takes the place of is
 * not freed, as a statement may be at it; that takes an ALTER TABLE.
 */
static Expr *
read_check(Oid relation, int number, const char *text)
{
	KnownCheck *known = find_check(relation, number);

	if (known->text == NULL || strcmp(known->text, text) != 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
		Expr	   *expr = stringToNode(text);

		known->text = NULL;
		known->text = pstrdup(text);
		known->expr = expr;
		MemoryContextSwitchTo(old);
	}
	return known->expr;
}

/*
 * Prepare the CHECKs of a table for the executor, which would do so itself
 * where this was not called.
 */
void
mr_checks_prepare(ResultRelInfo *result_rel, EState *estate)
{
	Relation	rel = result_rel->ri_RelationDesc;
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	MemoryContext old;
	ExprState **states;

	if (constr == NULL || constr->num_check == 0 ||
		result_rel->ri_CheckConstraintExprs != NULL)
		return;
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	states = palloc0(constr->num_check * sizeof(ExprState *));
	for (int i = 0; i < constr->num_check; i++)
		if (mr_is_enforced(&constr->check[i]))
			states[i] = ExecPrepareExpr(read_check(RelationGetRelid(rel), i,
												   constr->check[i].ccbin), estate);
	result_rel->ri_CheckConstraintExprs = states;
	MemoryContextSwitchTo(old);
}
