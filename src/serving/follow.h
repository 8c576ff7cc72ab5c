/*
 * follow.h
 *		Endpoints that go where what is current in Production goes.
 */
#ifndef MODELREG_FOLLOW_H
#define MODELREG_FOLLOW_H

#include "registry/registry.h"
#include "serving/plan.h"

extern MrPlan *mr_follow_plan(const char *text);
extern void mr_follow_require_plan(const MrModel *model, const MrPlan *plan);
extern uint32 mr_follow_traffic(const MrPlan *plan);
extern void mr_follow_init(void);

#endif							/* MODELREG_FOLLOW_H */
