/*
 * fold.h
 *		What the events tell of the state, for who verifies.
 *
 * verify() reads each event once, those of a chain in their order, and gives
 * it to every fold that has a step for its kind.  At the end the fold is
 * given the rows of state, and answers whether they are what the events tell.
 * What is wrong it need not say: unless it answers yes, the statements that
 * it shows to have nothing to find run as if there were no fold.  So
 * whatever is unusual may be answered with no, which only takes longer.
 *
 * A room adds its folds when the library is loaded.
 */
#ifndef MODELREG_FOLD_H
#define MODELREG_FOLD_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "audit/audit.h"

typedef struct MrEventRow
{
	int16		chain;
	int64		chain_id;
	int64		seq;
	TimestampTz at;
	int64		team;
	const char *kind;			/* kind_len bytes */
	int			kind_len;
	Jsonb	   *what;
} MrEventRow;

/* Events of a kind; NULL: of every kind that no step before has. */
typedef struct MrFoldStep
{
	MrChain		chain;
	const char *kind;
	bool		(*take) (void *state, const MrEventRow *event);
} MrFoldStep;

/* Rows of state: of a statement, a constant. */
typedef struct MrFoldRows
{
	const char *sql;
	bool		(*take) (void *state, const Datum *values, const bool *nulls);
} MrFoldRows;

typedef struct MrFold
{
	const char *const *shows;	/* names of verify()'s statements */
	int			nshows;
	const MrFoldStep *steps;
	int			nsteps;
	const MrFoldRows *rows;
	int			nrows;
	/* its state, in a context that is deleted when verify() has ended */
	void	   *(*begin) (MemoryContext context);
	bool		(*end) (void *state);
} MrFold;

extern void mr_fold_add(const MrFold *fold);
extern const MrFold *mr_fold_get(int n);

#endif							/* MODELREG_FOLD_H */
