/*
 * prediction.h
 *		The log of predictions and its partitions.
 */
#ifndef MODELREG_PREDICTION_H
#define MODELREG_PREDICTION_H

#include "datatype/timestamp.h"
#include "utils/relcache.h"

enum
{
	PREDICTION_ENDPOINT_ID = 1, PREDICTION_TEAM_ID, PREDICTION_AT,
	PREDICTION_RECORDED_AT, PREDICTION_MODEL_ID, PREDICTION_EVENT,
	PREDICTION_VERSION, PREDICTION_STEP, PREDICTION_REQUEST_KEY,
	PREDICTION_OUTPUT,
	PREDICTION_COLUMNS = PREDICTION_OUTPUT
};

/* A partition has the times from since on and before until. */
typedef struct MrPartition
{
	Oid			oid;
	TimestampTz since;
	TimestampTz until;
} MrPartition;

/* All, by time. */
typedef struct MrPartitions
{
	MrPartition *items;
	int			n;
} MrPartitions;

extern MrPartitions mr_partitions_of(Relation parent);
extern const MrPartition *mr_partition_at(const MrPartitions *partitions,
										  TimestampTz at);

/*
 * Days in UTC, from 2000-01-01 on: 1000-01-01 to 9999-01-01, since names of
 * partitions have four digits for the year.
 */
#define MR_FIRST_DAY ((int64) -365242)
#define MR_LAST_DAY ((int64) 2921575)

extern int64 mr_day_of(TimestampTz at);
extern char *mr_day_text(int64 day);

/* For the guard: is this the drop that expiry makes now? */
extern bool mr_partition_drop_passes(Oid relation);

#endif							/* MODELREG_PREDICTION_H */
