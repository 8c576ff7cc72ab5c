/*
 * duration.h
 *		Durations in plans: text such as "1 hour 30 minutes", microseconds.
 */
#ifndef MODELREG_DURATION_H
#define MODELREG_DURATION_H

#include "types/parse.h"

/* Above zero and at most ten years of 365 days. */
#define MR_MAX_DURATION (INT64CONST(315360000) * 1000000)

extern bool mr_duration_scan(const char *start, Size len, int64 *duration,
							 MrFault *fault);
extern char *mr_duration_print(int64 duration);

#endif							/* MODELREG_DURATION_H */
