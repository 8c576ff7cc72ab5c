/*
 * fold.c
 *		The folds that rooms have added.
 */
#include "postgres.h"

#include "audit/fold.h"

#define MAX_FOLDS 16

static const MrFold *folds[MAX_FOLDS];
static int	nfolds = 0;

/* When the library is loaded. */
void
mr_fold_add(const MrFold *fold)
{
	if (nfolds == MAX_FOLDS)
		elog(ERROR, "too many folds");
	folds[nfolds++] = fold;
}

/* The nth one from 0, NULL behind the last. */
const MrFold *
mr_fold_get(int n)
{
	return n < nfolds ? folds[n] : NULL;
}
