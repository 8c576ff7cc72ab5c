/*
 * seen.c
 *		The nodes that a walk has seen, and those that wait to be expanded.
 *
 * Pages of 64 consecutive ids in chunks of 1024 pages, which are found by
 * binary search.  What was seen and what is pending are bits in the chunk; a
 * page has what is known of its nodes, field by field, so that the depths, to
 * which each edge leads, lie close together.  Ids that lie close together, as
 * those of a history do, take some 12 bytes each; a node whose neighbours are
 * not seen takes a page, 784 bytes.  A chunk takes 24 kB.  So a walk needs at
 * most 13 bytes for each id that the registry has given out, however it is
 * shaped.  Pages do not move.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "lineage/seen.h"

#define CHUNK_IDS MR_SEEN_CHUNK_IDS
#define BLOCK_MAX 512			/* pages to allocate at once */

static inline int64
chunk_number(int64 id)
{
	return id / CHUNK_IDS;
}

static inline int
page_number(int64 id)
{
	return (int) (id % CHUNK_IDS / MR_SEEN_PAGE);
}

/* bare: only which nodes were seen and wait, and nothing of them. */
MrSeen *
mr_seen_create(bool bare)
{
	MrSeen	   *seen = palloc0(sizeof(MrSeen));

	seen->bare = bare;
	seen->room = 16;
	seen->chunks = palloc(seen->room * sizeof(MrSeenChunk *));
	seen->block = 4;
	return seen;
}

/* The place of the first chunk whose number is not less. */
static int
find_place(const MrSeen *seen, int64 number)
{
	int			low = 0;
	int			high = seen->nchunks;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (seen->chunks[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The chunk of a number; NULL when there is none yet. */
MrSeenChunk *
mr_seen_find_chunk(MrSeen *seen, int64 number)
{
	int			place = find_place(seen, number);

	if (place == seen->nchunks || seen->chunks[place]->number != number)
		return NULL;
	return seen->last = seen->chunks[place];
}

MrSeenChunk *
mr_seen_add_chunk(MrSeen *seen, int64 number)
{
	int			place = find_place(seen, number);
	MrSeenChunk *chunk = palloc(sizeof(MrSeenChunk));

	if (seen->nchunks == seen->room)
		seen->chunks = repalloc_huge(seen->chunks,
									 (seen->room *= 2) * sizeof(MrSeenChunk *));
	memmove(&seen->chunks[place + 1], &seen->chunks[place],
			(seen->nchunks++ - place) * sizeof(MrSeenChunk *));
	seen->chunks[place] = chunk;
	/* to clear all of it takes longer than to walk a few nodes far apart */
	memset(chunk, 0, offsetof(MrSeenChunk, pending));
	chunk->number = number;
	return seen->last = chunk;
}

/* Pages come in blocks, as palloc would round each up. */
static MrSeenPage *
new_page(MrSeen *seen)
{
	MrSeenPage *page;

	if (seen->nfree == 0)
	{
		seen->free_pages = palloc(seen->block * sizeof(MrSeenPage));
		seen->nfree = seen->block;
		seen->block = Min(seen->block * 2, BLOCK_MAX);
	}
	page = seen->free_pages++;
	seen->nfree--;
	page->start = page->marked = 0;
	return page;
}

/* A node is seen for the first time. */
void
mr_seen_add_node(MrSeen *seen, MrSeenNode *node)
{
	MrSeenChunk *chunk = node->chunk;

	if (chunk->seen[node->number] == 0)
	{
		chunk->pending[node->number] = 0;
		node->page = chunk->pages[node->number] = seen->bare ? NULL : new_page(seen);
	}
	mr_seen_set_bit(&chunk->seen[node->number], node->at, true);
	seen->nseen++;
}

/* All that were seen wait, so that mr_seen_next_pending() finds them. */
void
mr_seen_pend_all(MrSeen *seen)
{
	seen->npending = seen->nseen;
	for (int i = 0; i < seen->nchunks; i++)
	{
		MrSeenChunk *chunk = seen->chunks[i];

		memcpy(chunk->pending, chunk->seen, sizeof(chunk->seen));
		for (int number = 0; number < MR_SEEN_PAGES; number++)
			if (chunk->seen[number] != 0)
				chunk->pages_pending[number / 64] |= UINT64CONST(1) << (number % 64);
	}
}

/* The nodes of a page that wait, as bits. */
static inline uint64
pending_of(const MrSeenChunk *chunk, int number)
{
	return chunk->seen[number] == 0 ? 0 : chunk->pending[number];
}

/* The bits of a word from a position on, or up to it. */
static inline uint64
bits_from(uint64 word, int position, bool backward)
{
	if (backward)
		return word & (PG_UINT64_MAX >> (63 - position));
	return word & (PG_UINT64_MAX << position);
}

static inline int
first_bit(uint64 word, bool backward)
{
	return backward ? pg_leftmost_one_pos64(word) : pg_rightmost_one_pos64(word);
}

/* The first page with a pending node from a page on; -1 for none. */
static int
next_page(const MrSeenChunk *chunk, int from, bool backward)
{
	int			position = from % 64;

	for (int word = from / 64; word >= 0 && word < lengthof(chunk->pages_pending);
		 word += backward ? -1 : 1)
	{
		uint64		bits = bits_from(chunk->pages_pending[word], position, backward);

		if (bits != 0)
			return word * 64 + first_bit(bits, backward);
		position = backward ? 63 : 0;
	}
	return -1;
}

/* The first pending node of a chunk from an id in it on; 0 for none. */
static int64
next_in_chunk(const MrSeenChunk *chunk, int64 from, bool backward)
{
	int			number = page_number(from);
	int			position = from % MR_SEEN_PAGE;
	uint64		bits = bits_from(pending_of(chunk, number), position, backward);

	if (bits != 0)
		return from - position + first_bit(bits, backward);
	number += backward ? -1 : 1;
	if (number < 0 || number >= MR_SEEN_PAGES ||
		(number = next_page(chunk, number, backward)) < 0)
		return 0;
	return chunk->number * CHUNK_IDS + number * MR_SEEN_PAGE +
		first_bit(chunk->pending[number], backward);
}

/* The first pending node from an id on, or down from it; 0 for none. */
int64
mr_seen_next_pending(MrSeen *seen, int64 from, bool backward)
{
	int64		number = chunk_number(from);
	int			place = find_place(seen, number);

	if (backward && (place == seen->nchunks || seen->chunks[place]->number > number))
		place--;
	for (; place >= 0 && place < seen->nchunks; place += backward ? -1 : 1)
	{
		MrSeenChunk *chunk = seen->chunks[place];
		int64		start = chunk->number * CHUNK_IDS;
		int64		id;

		if (chunk->number == number)
			start = from;
		else if (backward)
			start += CHUNK_IDS - 1;
		id = next_in_chunk(chunk, start, backward);
		if (id != 0)
			return id;
	}
	return 0;
}

/* How many nodes are pending between two ids, which are included. */
int
mr_seen_count_pending(MrSeen *seen, int64 low, int64 high)
{
	int			count = 0;

	low = Max(low, 0);
	for (int64 page = low / MR_SEEN_PAGE; page <= high / MR_SEEN_PAGE; page++)
	{
		int64		id = Max(low, page * MR_SEEN_PAGE);
		MrSeenChunk *chunk = mr_seen_chunk(seen, id);
		uint64		bits;

		if (chunk == NULL)
			continue;
		bits = bits_from(pending_of(chunk, page_number(id)), id % MR_SEEN_PAGE, false);
		if (page == high / MR_SEEN_PAGE)
			bits = bits_from(bits, high % MR_SEEN_PAGE, true);
		count += pg_popcount64(bits);
	}
	return count;
}

/* Visit all pages by id. */
void
mr_seen_each_page(MrSeen *seen, MrSeenVisit visit, void *arg)
{
	for (int i = 0; i < seen->nchunks; i++)
	{
		MrSeenChunk *chunk = seen->chunks[i];

		CHECK_FOR_INTERRUPTS();
		for (int number = 0; number < MR_SEEN_PAGES; number++)
			if (chunk->seen[number] != 0)
				visit(chunk->number * CHUNK_IDS + number * MR_SEEN_PAGE,
					  chunk->seen[number], chunk->pages[number], arg);
	}
}
