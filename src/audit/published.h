/*
 * published.h
 *		A document of audit_head() that was kept, and the chains that are here.
 */
#ifndef MODELREG_PUBLISHED_H
#define MODELREG_PUBLISHED_H

#include "audit/audit.h"
#include "base/hash.h"
#include "utils/snapshot.h"

/* A chain as the document has it. */
typedef struct MrPublished
{
	const char *chain;
	MrChain		number;
	int64		id;
	int64		seq;
	uint8		hash[MR_HASH_LEN];
} MrPublished;

/* What became of it. */
typedef enum MrExtends
{
	MR_CHAIN_EXTENDS,			/* it has that event, and maybe later ones */
	MR_CHAIN_BEHIND,			/* it ends before that event */
	MR_CHAIN_DIFFERS,			/* it has another event there, or none */
	MR_CHAIN_MISSING			/* there is no such chain */
} MrExtends;

typedef void (*MrPublishedChain) (const MrPublished *p, void *state);

extern void mr_published_check(Jsonb *document);
extern Jsonb *mr_arg_published(FunctionCallInfo fcinfo, int n);
extern char *mr_published_identity(Jsonb *document);
extern void mr_published_each(Jsonb *document, MrPublishedChain chain,
							  void *state);
extern MrExtends mr_published_compare(MrTable *event, const MrPublished *p,
									  Snapshot snapshot, int64 *seq);

#endif							/* MODELREG_PUBLISHED_H */
