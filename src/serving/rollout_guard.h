/*
 * rollout_guard.h
 *		What follows from what is observed during a guarded rollout.
 */
#ifndef MODELREG_ROLLOUT_GUARD_H
#define MODELREG_ROLLOUT_GUARD_H

#include "audit/audit.h"
#include "serving/endpoint.h"
#include "serving/quality.h"
#include "serving/schedule.h"

extern void mr_rollout_guard_find_step(const MrEndpoint *endpoint,
									   MrObservation *observation,
									   Snapshot snapshot);
extern void mr_rollout_guard_mark(const MrVerb *verb,
								  const MrObservation *observation,
								  int64 id);
extern void mr_rollout_guard_init(void);

#endif							/* MODELREG_ROLLOUT_GUARD_H */
