/*
 * in_use.h
 *		Whether endpoints need a version.
 */
#ifndef MODELREG_IN_USE_H
#define MODELREG_IN_USE_H

#include "serving/endpoint.h"

/* How much an endpoint needs a version, from now on; each includes those before. */
typedef enum MrUse
{
	MR_USE_NONE,
	MR_USE_WARM,				/* it is to be loaded: its bytes stay */
	MR_USE_SERVING				/* a share, or as a shadow: it stays permitted */
} MrUse;

extern MrUse mr_schedule_use(const MrSchedule *schedule, const MrArm *arm,
							 TimestampTz from);
extern MrUse mr_version_use(int64 team, int64 model, int32 version,
							Snapshot snapshot);

#endif							/* MODELREG_IN_USE_H */
