/*
 * grow.h
 *		Arrays that grow by doubling.
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

#endif							/* MODELREG_GROW_H */
