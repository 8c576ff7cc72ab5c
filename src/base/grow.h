/*
 * grow.h
 *		Arrays that grow by doubling, and the order of ids in them.
 */
#ifndef MODELREG_GROW_H
#define MODELREG_GROW_H

#include "utils/palloc.h"

/*
 * Room for one more element of an array (NULL at first) of which so many are
 * in use; returns the array, in the current memory context at first.  An
 * error leaves array and room as they were.
 */
static inline void *
mr_grow(void *array, int64 used, int64 *room, Size size)
{
	int64		more = Max(8, *room * 2);

	if (used < *room)
		return array;
	array = array == NULL ? palloc(more * size) :
		repalloc_huge(array, more * size);
	*room = more;
	return array;
}

/* The order of two ids, for qsort() and bsearch(). */
static inline int
mr_id_compare(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

#endif							/* MODELREG_GROW_H */
