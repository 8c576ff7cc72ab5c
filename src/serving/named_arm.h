/*
 * named_arm.h
 *		Arms and splits of an endpoint as text, by the present names.
 */
#ifndef MODELREG_NAMED_ARM_H
#define MODELREG_NAMED_ARM_H

#include "serving/endpoint.h"
#include "serving/split.h"
#include "utils/snapshot.h"

extern char *mr_arm_text(const MrArm *arm, const MrEndpoint *endpoint,
						 Snapshot snapshot);
extern char *mr_split_text(const MrSplit *split, const MrEndpoint *endpoint,
						   Snapshot snapshot);

#endif							/* MODELREG_NAMED_ARM_H */
