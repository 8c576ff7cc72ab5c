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
	int64		schedule_seq;	/* for whose step it counts; 0 for none */
	int32		step;
} MrObservation;

extern MrObservation mr_observation_read(int64 id);
extern void mr_observation_count_for(int64 id, int64 schedule_seq, int32 step);

#endif							/* MODELREG_QUALITY_H */
