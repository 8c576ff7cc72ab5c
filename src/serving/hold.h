/*
 * hold.h
 *		A quarantine holds the rollouts towards what derives from the node.
 */
#ifndef MODELREG_HOLD_H
#define MODELREG_HOLD_H

#include "serving/endpoint.h"

extern bool mr_is_hold(const MrSchedule *schedule);
extern bool mr_hold_anew(MrEndpoint *endpoint, Jsonb *who);
extern void mr_hold_init(void);

#endif							/* MODELREG_HOLD_H */
