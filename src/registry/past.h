/*
 * past.h
 *		What a model's names of versions stood for at a time.
 */
#ifndef MODELREG_PAST_H
#define MODELREG_PAST_H

#include "datatype/timestamp.h"
#include "types/stage.h"
#include "utils/snapshot.h"

/* A model at a time, as a snapshot knows it. */
typedef struct MrPast
{
	int64		model;
	TimestampTz at;
	Snapshot	snapshot;
} MrPast;

/* The number of a version, 0 for none. */
extern int32 mr_past_latest(const MrPast *past);
extern int32 mr_past_current(const MrPast *past);
extern int32 mr_past_alias(const MrPast *past, const char *alias);
extern int32 mr_past_newest_in_stage(const MrPast *past, MrStage stage);

/* The stage that a version of that time was in. */
extern MrStage mr_past_stage(const MrPast *past, int32 version);

#endif							/* MODELREG_PAST_H */
