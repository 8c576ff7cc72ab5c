/*
 * rollout_evidence.h
 *		What has been observed during a step of a rollout, added up.
 */
#ifndef MODELREG_ROLLOUT_EVIDENCE_H
#define MODELREG_ROLLOUT_EVIDENCE_H

#include "serving/quality.h"
#include "utils/numeric.h"
#include "utils/snapshot.h"

/* A step of a schedule. */
typedef struct MrStepKey
{
	int64		team;
	int64		endpoint;
	int64		schedule_seq;
	int32		step;			/* from 0 */
} MrStepKey;

/*
 * What was observed, added up without rounding: ten times 0.1 is 1, in
 * whatever order and beside whatever else.  {0} is the sum over none.
 */
typedef struct MrObservedSum
{
	Numeric		total;			/* NULL: 0 */
	int64		n;
} MrObservedSum;

/* Sums of one metric of one arm; a list of these begins as {0}. */
typedef struct MrSum
{
	const char *metric;
	MrArm		arm;
	MrObservedSum observed;
} MrSum;

typedef struct MrSums
{
	MrSum *items;
	int64		n;
	int64		room;
} MrSums;

extern void mr_sums_add(MrSums *list, const char *metric,
							MrArm arm, MrObservedSum observed);
extern void mr_sums_store(const MrStepKey *step,
							  const MrSums *list);
extern MrSums mr_sums_load(const MrStepKey *step,
									   Snapshot snapshot);
extern MrObservedSum mr_sums_of(const MrSums *list,
								 const char *metric, const MrArm *arm);
extern MrObservedSum mr_observed_sum(MrObserved observed);
extern void mr_observed_add(MrObservedSum *sum, MrObservedSum more);

#endif							/* MODELREG_ROLLOUT_EVIDENCE_H */
