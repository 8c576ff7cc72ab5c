/*
 * rows.h
 *		Nodes of a walk as rows of a result.
 */
#ifndef MODELREG_ROWS_H
#define MODELREG_ROWS_H

#include "fmgr.h"
#include "lineage/walk.h"
#include "nodes/execnodes.h"
#include "utils/array.h"

/* What is the same for all nodes of a team and kind. */
typedef struct MrRowClass
{
	bool		known;
	bool		readable;		/* for the caller */
	bool		shown;			/* the filter of kinds says so */
	char	   *team_name;		/* if readable */
	Datum		team;			/* the same */
	Datum		kind;
} MrRowClass;

typedef struct MrRows
{
	ReturnSetInfo *rsinfo;
	Snapshot	snapshot;
	MrNodeReader *nodes;
	Datum		direction;		/* a text for the first column, or 0 for none */
	ArrayType  *roles;			/* to show, or NULL for all */
	ArrayType  *kinds;
	MrRowClass *classes;		/* of the walk that is shown */
	int64		nclasses;
	int64		class_room;
	int32		roles_of;		/* of the step whose roles are the next, or 0 */
	const char **known;			/* those that the caller may know */
	int			nknown;
	bool		role_passes;	/* the filter of roles lets one of them through */
	MrNode	   *read;			/* nodes that were read ahead; id 0: not read */
	const int64 *read_from;		/* their ids in the order of the walk, or NULL */
	int64		nread;
	MemoryContext context;
	uint64		nput;
	MemoryContext row_context;
	MemoryContext read_context;
} MrRows;

extern ArrayType *mr_rows_filter(FunctionCallInfo fcinfo, int n,
								 const char *name);
extern void mr_rows_begin(MrRows *rows, FunctionCallInfo fcinfo,
						  Snapshot snapshot);
extern void mr_rows_begin_ids(MrRows *rows);
extern void mr_rows_begin_walk(MrRows *rows);
extern bool mr_rows_want(const MrWalkStep *step, void *rows);
extern bool mr_rows_show(const MrWalkStep *step, void *rows);
extern bool mr_rows_want_id(const MrWalkStep *step, void *rows);
extern bool mr_rows_pass_id(const MrWalkStep *step, void *rows);
extern void mr_rows_put(MrRows *rows, const MrWalkStep *step, Datum second,
						bool isnull);
extern void mr_rows_end(MrRows *rows);

#endif							/* MODELREG_ROWS_H */
