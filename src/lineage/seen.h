/*
 * seen.h
 *		The nodes that a walk has seen, and those that wait to be expanded.
 */
#ifndef MODELREG_SEEN_H
#define MODELREG_SEEN_H

#define MR_SEEN_PAGE 64			/* ids of a page: a bit of a word for each */
#define MR_SEEN_PAGES 1024		/* pages of a chunk */

/* What is known of a node. */
typedef struct MrSeenNode
{
	int32		depth;
	uint32		start:1;		/* the walk starts here */
	uint32		marked:1;		/* every shortest path crosses a supersession */
	uint32		class:30;		/* its team and kind */
	int32		roles;			/* a set of roles, 0 for none */
} MrSeenNode;

typedef struct MrSeenPage
{
	uint64		seen;
	uint64		pending;
	MrSeenNode	nodes[MR_SEEN_PAGE];	/* valid where seen */
} MrSeenPage;

typedef struct MrSeenChunk
{
	int64		number;
	uint64		pending[MR_SEEN_PAGES / 64];	/* pages that have any */
	MrSeenPage *pages[MR_SEEN_PAGES];
} MrSeenChunk;

typedef struct MrSeen
{
	int64		nseen;
	int64		npending;
	MrSeenChunk **chunks;		/* by number */
	int			nchunks;
	int			room;
	MrSeenChunk *last;			/* used last */
	MrSeenPage *free_pages;
	int			nfree;
	int			block;			/* pages to allocate next */
} MrSeen;

extern MrSeen *mr_seen_create(void);
extern MrSeenNode *mr_seen_get(MrSeen *seen, int64 id);
extern MrSeenNode *mr_seen_add(MrSeen *seen, int64 id, bool *found);
extern void mr_seen_pend(MrSeen *seen, int64 id);
extern void mr_seen_pend_all(MrSeen *seen);
extern bool mr_seen_unpend(MrSeen *seen, int64 id);
extern int64 mr_seen_next_pending(MrSeen *seen, int64 from, bool backward);
extern int	mr_seen_count_pending(MrSeen *seen, int64 low, int64 high);

typedef void (*MrSeenVisit) (int64 id, MrSeenNode *node, void *arg);
extern void mr_seen_each(MrSeen *seen, MrSeenVisit visit, void *arg);

#endif							/* MODELREG_SEEN_H */
