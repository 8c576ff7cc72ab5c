/*
 * retention.h
 *		What was purged comes into no stage again.
 */
#ifndef MODELREG_RETENTION_H
#define MODELREG_RETENTION_H

#include "registry/registry.h"

extern void mr_require_unpurged(const MrModel *model, int32 version);

#endif							/* MODELREG_RETENTION_H */
