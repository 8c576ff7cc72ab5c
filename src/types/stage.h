/*
 * stage.h
 *		The stage of a model version: what it may do.
 */
#ifndef MODELREG_STAGE_H
#define MODELREG_STAGE_H

#include "nodes/nodes.h"

/* Stored as this number in one byte: a number is never given to another. */
typedef enum MrStage
{
	MR_STAGE_NONE = 0,			/* never stored */
	MR_STAGE_EXPERIMENTAL = 1,
	MR_STAGE_STAGING = 2,
	MR_STAGE_PRODUCTION = 3,
	MR_STAGE_ARCHIVED = 4
} MrStage;

static inline MrStage
DatumGetMrStage(Datum datum)
{
	return (MrStage) DatumGetUInt8(datum);
}

static inline Datum
MrStageGetDatum(MrStage stage)
{
	return UInt8GetDatum((uint8) stage);
}

#define PG_GETARG_MRSTAGE(n) DatumGetMrStage(PG_GETARG_DATUM(n))
#define PG_RETURN_MRSTAGE(stage) PG_RETURN_DATUM(MrStageGetDatum(stage))

/* Canonical name; static storage. */
extern const char *mr_stage_name(MrStage stage);

/* The stage that len bytes name in any case, or MR_STAGE_NONE. */
extern MrStage mr_stage_lookup(const char *start, Size len);

/* Raises what is no stage, or saves the error and returns MR_STAGE_NONE. */
extern MrStage mr_stage_parse(const char *text, Node *escontext);

#endif							/* MODELREG_STAGE_H */
