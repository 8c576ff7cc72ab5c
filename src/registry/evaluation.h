/*
 * evaluation.h
 *		Metrics, and the evaluations that they come with.
 */
#ifndef MODELREG_EVALUATION_H
#define MODELREG_EVALUATION_H

#include "audit/audit.h"

typedef struct MrMetric
{
	char	   *name;
	float8		value;
} MrMetric;

typedef struct MrMetrics
{
	MrMetric   *items;			/* by the bytes of their names */
	int			n;
} MrMetrics;

/* What is not known is NULL, or 0 where it says so. */
typedef struct MrEvaluation
{
	int64		node;			/* what was evaluated */
	int64		model;			/* if it is a version, else 0 */
	int32		version;
	const char *kind;
	int64		dataset;		/* 0 for none */
	const char *slice;			/* "" for all of it */
	MrMetrics	metrics;
	const bool *passed;
	const char *properties;		/* canonical JSON of an object */
	const TimestampTz *occurred_at;
	bool		is_fact;		/* one of the team's facts; else the caller's
								 * event covers the hash */
} MrEvaluation;

extern MrMetrics mr_metrics_parse(Jsonb *json);
extern int64 mr_evaluation_insert(MrVerb *verb, const MrEvaluation *evaluation,
								  bytea **hash);

#endif							/* MODELREG_EVALUATION_H */
