/*
 * compare.c
 *		Comparison and hash functions of the types.
 *
 * A digest and a model_uri compare by their bytes and a stage by its number,
 * which is exactly what the server does for bytea and "char"; these hand over
 * to it.  They fail for no value, so they can be declared leakproof.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(modelreg_bytes_eq);
Datum
modelreg_bytes_eq(PG_FUNCTION_ARGS)
{
	return byteaeq(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_ne);
Datum
modelreg_bytes_ne(PG_FUNCTION_ARGS)
{
	return byteane(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_lt);
Datum
modelreg_bytes_lt(PG_FUNCTION_ARGS)
{
	return bytealt(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_le);
Datum
modelreg_bytes_le(PG_FUNCTION_ARGS)
{
	return byteale(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_gt);
Datum
modelreg_bytes_gt(PG_FUNCTION_ARGS)
{
	return byteagt(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_ge);
Datum
modelreg_bytes_ge(PG_FUNCTION_ARGS)
{
	return byteage(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_cmp);
Datum
modelreg_bytes_cmp(PG_FUNCTION_ARGS)
{
	return byteacmp(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_hash);
Datum
modelreg_bytes_hash(PG_FUNCTION_ARGS)
{
	return hashvarlena(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_bytes_hash_extended);
Datum
modelreg_bytes_hash_extended(PG_FUNCTION_ARGS)
{
	return hashvarlenaextended(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_eq);
Datum
modelreg_stage_eq(PG_FUNCTION_ARGS)
{
	return chareq(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_ne);
Datum
modelreg_stage_ne(PG_FUNCTION_ARGS)
{
	return charne(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_lt);
Datum
modelreg_stage_lt(PG_FUNCTION_ARGS)
{
	return charlt(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_le);
Datum
modelreg_stage_le(PG_FUNCTION_ARGS)
{
	return charle(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_gt);
Datum
modelreg_stage_gt(PG_FUNCTION_ARGS)
{
	return chargt(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_ge);
Datum
modelreg_stage_ge(PG_FUNCTION_ARGS)
{
	return charge(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_cmp);
Datum
modelreg_stage_cmp(PG_FUNCTION_ARGS)
{
	return btcharcmp(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_hash);
Datum
modelreg_stage_hash(PG_FUNCTION_ARGS)
{
	return hashchar(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_stage_hash_extended);
Datum
modelreg_stage_hash_extended(PG_FUNCTION_ARGS)
{
	return hashcharextended(fcinfo);
}
