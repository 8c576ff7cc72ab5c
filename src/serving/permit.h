/*
 * permit.h
 *		Which versions may take which traffic: by their stages, their models'
 *		policies, and what is quarantined.
 */
#ifndef MODELREG_PERMIT_H
#define MODELREG_PERMIT_H

#include "serving/endpoint.h"
#include "serving/schedule.h"

/* What a split that is to come asks of an arm; MR_TRAFFIC_... bits. */
typedef struct MrNeed
{
	MrArm		arm;
	uint32		traffic;
	bool		grows;			/* it gets more than it has */
} MrNeed;

typedef struct MrNeeds
{
	MrNeed	   *needs;
	int			n;
	int64		room;
} MrNeeds;

extern void mr_need_add(MrNeeds *needs, MrArm arm, uint32 traffic, bool grows);
extern MrNeeds mr_needs_of_schedule(const MrSchedule *schedule,
									TimestampTz time,
									const MrSplit *before);
extern MrNeeds mr_needs_of_split(const MrSplit *split);
extern uint32 mr_need_missing(const MrNeed *need, uint32 may);

/* What is wrong, as sentences; NULL for nothing. */
extern char *mr_permit_refusal(const MrNeeds *needs, Snapshot snapshot);
extern char *mr_permit_quarantine(const MrNeeds *needs, Snapshot snapshot);
extern bool mr_permit_is_quarantined(const MrNeed *need, Snapshot snapshot);

extern char *mr_permit_address(const MrArm *arm, Snapshot snapshot);
extern bool mr_permit_is_archived(const MrArm *arm, Snapshot snapshot);
extern char *mr_permit_return_refusal(const MrNeeds *needs, MrRights rights,
									  Snapshot snapshot);

extern void mr_permit_require(const MrNeeds *needs);
extern void mr_permit_mark(const MrNeeds *needs);
extern void mr_permit_commit_init(void);

#endif							/* MODELREG_PERMIT_H */
