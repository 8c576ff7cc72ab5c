/*
 * settings.h
 *		What of an endpoint its team sets: how stale, and how long kept.
 */
#ifndef MODELREG_SETTINGS_H
#define MODELREG_SETTINGS_H

#include "audit/audit.h"
#include "datatype/timestamp.h"
#include "fmgr.h"

typedef struct MrSettings
{
	Interval   *max_staleness;	/* as a time alone, or NULL */
	int32		prediction_days;	/* 0 for none */
} MrSettings;

extern MrSettings mr_settings_args(FunctionCallInfo fcinfo, int first);
extern void mr_settings_put(const MrSettings *settings, Datum *values,
							bool *nulls);
extern void mr_settings_tell(const MrSettings *settings, MrJson *what);

#endif							/* MODELREG_SETTINGS_H */
