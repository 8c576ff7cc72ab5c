/*
 * facts.h
 *		What is so of two things, side by side, and in what they differ.
 */
#ifndef MODELREG_FACTS_H
#define MODELREG_FACTS_H

#include "utils/jsonb.h"

/* A value and what it is of; NULL where there is nothing to say. */
typedef struct MrFact
{
	const char *kind;
	const char *role;
	const char *item;
	const char *part;			/* of the item */
	const char *value;
	int64		unnamed;		/* what the part does not name is this, or 0 */
	int64		node;			/* of the lineage, or 0 */
} MrFact;

/* A list of facts begins as {0}; the same key may have several values. */
typedef struct MrFacts
{
	MrFact	   *facts;
	int64		n;
	int64		room;
} MrFacts;

extern void mr_facts_add(MrFacts *facts, const MrFact *fact);

/* Called with NULL for what only the other side has. */
typedef void (*MrDifference) (const MrFact *before, const MrFact *after,
							  void *arg);

extern void mr_facts_compare(MrFacts *before, MrFacts *after,
							 MrDifference report, void *arg);

/*
 * Facts of JSON, each a copy of the pattern with item or part, and value;
 * false, and none, for JSON that cannot be taken apart.
 */
extern bool mr_facts_add_columns(MrFacts *facts, const MrFact *pattern,
								 JsonbContainer *schema);
extern bool mr_facts_add_signature(MrFacts *facts, const MrFact *pattern,
								   JsonbContainer *signature);
extern bool mr_facts_add_members(MrFacts *facts, const MrFact *pattern,
								 JsonbContainer *object);

extern JsonbContainer *mr_schema_columns(JsonbContainer *schema);

#endif							/* MODELREG_FACTS_H */
