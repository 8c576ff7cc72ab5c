/*
 * quality.h
 *		What was observed of versions while they served.
 */
#ifndef MODELREG_QUALITY_H
#define MODELREG_QUALITY_H

#include "datatype/timestamp.h"
#include "serving/split.h"

/* A sum over so many observations; {0} is the one over none. */
typedef struct MrObserved
{
	float8		total;
	int64		n;
} MrObserved;

/* A row of quality_observation. */
typedef struct MrObservation
{
	int64		endpoint;
	MrArm		arm;
	char	   *metric;
	MrObserved	observed;
	TimestampTz window_start;
	TimestampTz window_end;
	TimestampTz recorded_at;
} MrObservation;

extern MrObservation mr_observation_read(int64 id);

#endif							/* MODELREG_QUALITY_H */
