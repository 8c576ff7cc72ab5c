/*
 * plan.h
 *		Plans of rollouts: in which steps, and how fast, a target is reached.
 */
#ifndef MODELREG_PLAN_H
#define MODELREG_PLAN_H

#include "utils/jsonb.h"
#include "utils/numeric.h"

#define MR_MAX_STEPS 1000
#define MR_MAX_GUARDS 32

/* Of MrPlan.shadow: until somebody ends the rollout. */
#define MR_FOREVER INT64CONST(-1)

typedef struct MrPlanStep
{
	int32		weight;			/* of the way to the target, in millionths */
	int64		bake;			/* until the next step; 0 of the last */
} MrPlanStep;

/* What a metric of the arms that grow must be, lest the rollout is aborted. */
typedef struct MrGuard
{
	char	   *metric;
	bool		at_least;		/* else at most */
	bool		of_baseline;	/* the bound is a factor of the baseline's value */
	Numeric		bound;
	float8		bound_float;
	int64		min_observations;
} MrGuard;

/* Durations are microseconds, 0 for none. */
typedef struct MrPlan
{
	int64		warm_up;
	int64		shadow;			/* or MR_FOREVER */
	bool		linear;
	int64		over;			/* of a linear plan */
	MrPlanStep *steps;			/* of a linear plan also the first, of weight 0 */
	int			nsteps;			/* 0: shadow alone */
	int64		keep_warm;
	MrGuard    *guards;
	int			nguards;
} MrPlan;

/*
 * The plan of a text, a shorthand or a JSON object.  Error 22023, with all
 * that is wrong.
 */
extern MrPlan *mr_plan_parse(const char *text);

/* Its normalized document, and the plan of one. */
extern Jsonb *mr_plan_json(const MrPlan *plan);
extern MrPlan *mr_plan_read(JsonbContainer *document);

/* A plan with about half of the steps of one that has two or more, which takes as long. */
extern MrPlan *mr_plan_halve(const MrPlan *plan);

#endif							/* MODELREG_PLAN_H */
