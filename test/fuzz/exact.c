/*
 * exact.c
 *		A memory context whose chunks are malloc's, each by itself.
 *
 * AddressSanitizer then knows the limits of each chunk, which it does not
 * in the server's own contexts, where chunks lie side by side in a block.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "fuzz.h"

#if PG_VERSION_NUM >= 160000
#error "only up to 15 a chunk begins with its context"
#endif

typedef struct ExactContext
{
	MemoryContextData header;
	dlist_head	chunks;
} ExactContext;

/* The word before a chunk is its context: the server reads it there. */
typedef struct ExactChunk
{
	dlist_node	node;
	Size		size;
	MemoryContext context;
} ExactChunk;

#define CHUNK_OF(pointer) ((ExactChunk *) ((char *) (pointer) - sizeof(ExactChunk)))

static void *
exact_alloc(MemoryContext context, Size size)
{
	ExactChunk *chunk = malloc(sizeof(ExactChunk) + size);

	if (chunk == NULL)
		return NULL;
	chunk->size = size;
	chunk->context = context;
	dlist_push_head(&((ExactContext *) context)->chunks, &chunk->node);
	return (char *) chunk + sizeof(ExactChunk);
}

static void
exact_free(MemoryContext context, void *pointer)
{
	dlist_delete(&CHUNK_OF(pointer)->node);
	free(CHUNK_OF(pointer));
}

/* Always moved: who kept the old address finds nothing there. */
static void *
exact_realloc(MemoryContext context, void *pointer, Size size)
{
	void	   *moved = exact_alloc(context, size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(size, CHUNK_OF(pointer)->size));
	exact_free(context, pointer);
	return moved;
}

static void
exact_reset(MemoryContext context)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &((ExactContext *) context)->chunks)
		free(dlist_container(ExactChunk, node, iter.cur));
	dlist_init(&((ExactContext *) context)->chunks);
}

static void
exact_delete(MemoryContext context)
{
	exact_reset(context);
	free(context);
}

static Size
exact_space(MemoryContext context, void *pointer)
{
	return CHUNK_OF(pointer)->size + sizeof(ExactChunk);
}

static bool
exact_is_empty(MemoryContext context)
{
	return dlist_is_empty(&((ExactContext *) context)->chunks);
}

static void
exact_stats(MemoryContext context, MemoryStatsPrintFunc print, void *passthru,
			MemoryContextCounters *totals, bool print_to_stderr)
{
}

static const MemoryContextMethods exact_methods = {
	exact_alloc, exact_free, exact_realloc, exact_reset, exact_delete,
	exact_space, exact_is_empty, exact_stats
};

MemoryContext
exact_context_create(MemoryContext parent)
{
	ExactContext *context = malloc(sizeof(ExactContext));

	dlist_init(&context->chunks);
	MemoryContextCreate((MemoryContext) context, T_AllocSetContext,
						&exact_methods, parent, "exact");
	return (MemoryContext) context;
}
