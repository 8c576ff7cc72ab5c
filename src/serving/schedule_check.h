/*
 * schedule_check.h
 *		What makes a schedule a well-formed one, for who verifies.
 */
#ifndef MODELREG_SCHEDULE_CHECK_H
#define MODELREG_SCHEDULE_CHECK_H

#include "serving/schedule.h"

/*
 * The first thing that is wrong with a schedule that was read from a document,
 * as a clause about it; NULL for nothing.
 */
extern const char *mr_schedule_flaw(const MrSchedule *schedule,
									const Jsonb *doc);

/* The same of how it goes on from the one before it, NULL for the first. */
extern const char *mr_schedule_flaw_after(const MrSchedule *schedule,
										  const MrSchedule *before);

#endif							/* MODELREG_SCHEDULE_CHECK_H */
