/*
 * earlier.h
 *		The splits that an endpoint had before, and the one to which the end of
 *		a rollout gives the traffic back.
 */
#ifndef MODELREG_EARLIER_H
#define MODELREG_EARLIER_H

#include "serving/endpoint.h"
#include "serving/permit.h"

/* A split that stood at the end of a schedule; true ends the search. */
typedef bool (*MrEarlierTake) (const MrSchedule *schedule,
							   const MrSplit *split, void *arg);

extern bool mr_schedule_went_back(const MrSchedule *schedule);
extern void mr_each_earlier_split(const MrSchedule *present, TimestampTz at,
								  MrEarlierTake take, void *arg);
extern int64 mr_abort(MrHead *head, MrVerb *verb, const MrSchedule *present,
					  TimestampTz at, MrJson *what, const char *reason);

#endif							/* MODELREG_EARLIER_H */
