/*
 * kept.h
 *		The edges that a walk has followed, by the node that they lead to.
 */
#ifndef MODELREG_KEPT_H
#define MODELREG_KEPT_H

typedef struct MrKeptEdge
{
	int64		child;			/* from which it was followed */
	int32		role;			/* a number of the walk's words */
	int64		next;			/* place of another edge of the parent, or -1 */
} MrKeptEdge;

typedef struct MrKept MrKept;

extern MrKept *mr_kept_create(int64 most);
extern bool mr_kept_add(MrKept *kept, int64 parent, int64 child, int32 role);
extern const MrKeptEdge *mr_kept_first(MrKept *kept, int64 parent);
extern const MrKeptEdge *mr_kept_next(MrKept *kept, const MrKeptEdge *edge);

#endif							/* MODELREG_KEPT_H */
