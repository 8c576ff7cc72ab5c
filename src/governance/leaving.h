/*
 * leaving.h
 *		Versions that stay in stage Production only while they serve.
 */
#ifndef MODELREG_LEAVING_H
#define MODELREG_LEAVING_H

#include "datatype/timestamp.h"
#include "registry/registry.h"

extern bool mr_leaving_has(int64 model, int32 version);
extern int32 *mr_leaving_of(int64 model, int *n);
extern void mr_leaving_begin(const MrModel *model, int32 version,
							 TimestampTz at, int64 seq);
extern void mr_leaving_end(int64 model, int32 version);

#endif							/* MODELREG_LEAVING_H */
