/*
 * leave.h
 *		Archiving what was leaving, once no endpoint serves it any more.
 */
#ifndef MODELREG_LEAVE_H
#define MODELREG_LEAVE_H

#include "audit/audit.h"
#include "serving/schedule.h"

extern void mr_leave_mark(const MrVerb *verb, const MrSchedule *before);
extern void mr_leave_init(void);

#endif							/* MODELREG_LEAVE_H */
