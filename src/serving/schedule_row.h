/*
 * schedule_row.h
 *		Schedules as rows: laying one down, and finding those that are.
 *
 * What is loaded is used until the end of the transaction, or for as long as
 * the memory context in which it was loaded, whichever is shorter.
 */
#ifndef MODELREG_SCHEDULE_ROW_H
#define MODELREG_SCHEDULE_ROW_H

#include "serving/schedule.h"
#include "utils/snapshot.h"

extern MrSchedule *mr_schedule_of_columns(const Datum *values,
										  const bool *nulls);
extern bytea *mr_schedule_insert(MrSchedule *schedule);
extern const MrSchedule *mr_schedule_load(int64 endpoint, int64 seq,
										  const bytea *hash,
										  Snapshot snapshot);
extern const MrSchedule *mr_schedule_load_at(int64 endpoint, TimestampTz time,
											 Snapshot snapshot);
extern const MrSchedule *mr_schedule_load_before(int64 endpoint, int64 seq,
												 Snapshot snapshot);

#endif							/* MODELREG_SCHEDULE_ROW_H */
