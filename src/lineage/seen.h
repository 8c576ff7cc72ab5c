/*
 * seen.h
 *		The nodes that a walk has seen, and those that wait to be expanded.
 */
#ifndef MODELREG_SEEN_H
#define MODELREG_SEEN_H

#define MR_SEEN_PAGE 64			/* ids of a page: a bit of a word for each */
#define MR_SEEN_PAGES 1024		/* pages of a chunk */

/* What is known of the nodes of a page, field by field. */
typedef struct MrSeenPage
{
	int32		depth[MR_SEEN_PAGE];
	uint32		class[MR_SEEN_PAGE];	/* team and kind */
	int32		roles[MR_SEEN_PAGE];	/* a set of roles, 0 for none */
	uint64		start;			/* bits: the walk starts here */
	uint64		marked;			/* every shortest path crosses a supersession */
} MrSeenPage;

typedef struct MrSeenNode
{
	MrSeenPage *page;
	int			at;
} MrSeenNode;

typedef struct MrSeenChunk
{
	int64		number;
	uint64		pages_pending[MR_SEEN_PAGES / 64];	/* that have any */
	uint64		seen[MR_SEEN_PAGES];
	uint64		pending[MR_SEEN_PAGES];
	MrSeenPage *pages[MR_SEEN_PAGES];	/* valid where seen */
} MrSeenChunk;

typedef struct MrSeen
{
	bool		bare;			/* it has no pages */
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

extern MrSeen *mr_seen_create(bool bare);
extern bool mr_seen_has(MrSeen *seen, int64 id);
extern MrSeenNode mr_seen_get(MrSeen *seen, int64 id);
extern MrSeenNode mr_seen_add(MrSeen *seen, int64 id, bool *found);
extern void mr_seen_pend(MrSeen *seen, int64 id);
extern void mr_seen_pend_all(MrSeen *seen);
extern bool mr_seen_unpend(MrSeen *seen, int64 id);
extern int64 mr_seen_next_pending(MrSeen *seen, int64 from, bool backward);
extern int	mr_seen_count_pending(MrSeen *seen, int64 low, int64 high);

typedef void (*MrSeenVisit) (int64 id, MrSeenNode node, void *arg);
extern void mr_seen_each(MrSeen *seen, MrSeenVisit visit, void *arg);

/* One of a page's bits. */
static inline bool
mr_seen_bit(uint64 bits, int at)
{
	return (bits & (UINT64CONST(1) << at)) != 0;
}

static inline void
mr_seen_set_bit(uint64 *bits, int at, bool value)
{
	*bits = (*bits & ~(UINT64CONST(1) << at)) | ((uint64) value << at);
}

#endif							/* MODELREG_SEEN_H */
