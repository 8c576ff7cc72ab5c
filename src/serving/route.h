/*
 * route.h
 *		Which version answers the request of a key.
 */
#ifndef MODELREG_ROUTE_H
#define MODELREG_ROUTE_H

#include "base/table.h"
#include "serving/schedule.h"

/* The position of a key, from 0 to MR_WHOLE - 1, as docs/serving.md has it. */
extern int32 mr_route_position(const uint8 *salt, const char *key, Size len);

/* config.c: when who was told something of the endpoint in the table's slot at a time must ask again. */
extern TimestampTz mr_config_stale_at(MrTable *table, TimestampTz known);
/* The permanent id of an arm, which has been registered. */
extern char *mr_arm_permanent_id(const MrArm *arm, Snapshot snapshot);

#endif							/* MODELREG_ROUTE_H */
