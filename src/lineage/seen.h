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

/* What is valid only where some node of the page was seen is not cleared before. */
typedef struct MrSeenChunk
{
	int64		number;
	uint64		pages_pending[MR_SEEN_PAGES / 64];	/* that have any */
	uint64		seen[MR_SEEN_PAGES];
	uint64		pending[MR_SEEN_PAGES]; /* valid where seen */
	MrSeenPage *pages[MR_SEEN_PAGES];	/* valid where seen */
} MrSeenChunk;

/* Where a node is. */
typedef struct MrSeenNode
{
	MrSeenChunk *chunk;
	MrSeenPage *page;			/* NULL in a bare one */
	int			number;			/* of the page in the chunk */
	int			at;				/* in the page */
} MrSeenNode;

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
extern MrSeenChunk *mr_seen_find_chunk(MrSeen *seen, int64 number);
extern MrSeenChunk *mr_seen_add_chunk(MrSeen *seen, int64 number);
extern void mr_seen_add_node(MrSeen *seen, MrSeenNode *node);
extern void mr_seen_pend_all(MrSeen *seen);
extern int64 mr_seen_next_pending(MrSeen *seen, int64 from, bool backward);
extern int	mr_seen_count_pending(MrSeen *seen, int64 low, int64 high);

/* Called for each page that has any; bits says which of its nodes were seen. */
typedef void (*MrSeenVisit) (int64 first, uint64 bits, const MrSeenPage *page,
							 void *arg);
extern void mr_seen_each_page(MrSeen *seen, MrSeenVisit visit, void *arg);

/*
 * What a walk does for every edge is inline.
 */

#define MR_SEEN_CHUNK_IDS ((int64) MR_SEEN_PAGE * MR_SEEN_PAGES)

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

/* The chunk of an id; NULL when nothing of it was seen. */
static inline MrSeenChunk *
mr_seen_chunk(MrSeen *seen, int64 id)
{
	int64		number = (uint64) id / MR_SEEN_CHUNK_IDS;

	if (seen->last != NULL && seen->last->number == number)
		return seen->last;
	return mr_seen_find_chunk(seen, number);
}

static inline MrSeenNode
mr_seen_place(MrSeenChunk *chunk, int64 id)
{
	MrSeenNode	node;

	node.chunk = chunk;
	node.number = (int) ((uint64) id % MR_SEEN_CHUNK_IDS / MR_SEEN_PAGE);
	node.at = (int) ((uint64) id % MR_SEEN_PAGE);
	node.page = chunk->pages[node.number];
	return node;
}

/* A node that was seen. */
static inline MrSeenNode
mr_seen_get(MrSeen *seen, int64 id)
{
	return mr_seen_place(mr_seen_chunk(seen, id), id);
}

static inline bool
mr_seen_has(MrSeen *seen, int64 id)
{
	MrSeenChunk *chunk = mr_seen_chunk(seen, id);
	MrSeenNode	node;

	if (chunk == NULL)
		return false;
	node = mr_seen_place(chunk, id);
	return mr_seen_bit(chunk->seen[node.number], node.at);
}

/* The node of an id; if it was not seen it is then, and the caller fills it. */
static inline MrSeenNode
mr_seen_add(MrSeen *seen, int64 id, bool *found)
{
	MrSeenChunk *chunk = mr_seen_chunk(seen, id);
	MrSeenNode	node;

	if (chunk == NULL)
		chunk = mr_seen_add_chunk(seen, id / MR_SEEN_CHUNK_IDS);
	node = mr_seen_place(chunk, id);
	*found = mr_seen_bit(chunk->seen[node.number], node.at);
	if (!*found)
		mr_seen_add_node(seen, &node);
	return node;
}

/* A node that was seen is to be expanded. */
static inline void
mr_seen_pend(MrSeen *seen, const MrSeenNode *node)
{
	MrSeenChunk *chunk = node->chunk;

	if (mr_seen_bit(chunk->pending[node->number], node->at))
		return;
	mr_seen_set_bit(&chunk->pending[node->number], node->at, true);
	mr_seen_set_bit(&chunk->pages_pending[node->number / 64], node->number % 64, true);
	seen->npending++;
}

/* It is expanded now; false when it did not wait. */
static inline bool
mr_seen_unpend(MrSeen *seen, const MrSeenNode *node)
{
	MrSeenChunk *chunk = node->chunk;

	if (!mr_seen_bit(chunk->seen[node->number] & chunk->pending[node->number], node->at))
		return false;
	mr_seen_set_bit(&chunk->pending[node->number], node->at, false);
	if (chunk->pending[node->number] == 0)
		mr_seen_set_bit(&chunk->pages_pending[node->number / 64], node->number % 64, false);
	seen->npending--;
	return true;
}

#endif							/* MODELREG_SEEN_H */
