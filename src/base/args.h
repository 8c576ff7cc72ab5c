/*
 * args.h
 *		Reading the arguments of verbs.
 */
#ifndef MODELREG_ARGS_H
#define MODELREG_ARGS_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"

/* An array argument, with an element for each of many; n is 0 when none was given. */
typedef struct MrColumn
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
} MrColumn;

/* Of mr_arg_column(): as many elements as there are. */
#define MR_ANY_LENGTH (-1)

extern ArrayType *mr_arg_array(FunctionCallInfo fcinfo, int n, const char *name);
extern Datum mr_arg_from_first(FunctionCallInfo fcinfo, int n, const char *name,
								   Oid type);
extern void mr_arg_column(FunctionCallInfo fcinfo, int n, const char *name,
						  Oid type, int length, const char *what,
						  MrColumn *column);
extern char *mr_arg_text(FunctionCallInfo fcinfo, int n, const char *name);
extern char *mr_arg_text_or_null(FunctionCallInfo fcinfo, int n);
extern Jsonb *mr_arg_object_or_null(FunctionCallInfo fcinfo, int n, const char *name);
extern void mr_check_occurred_at(TimestampTz at);
extern bool mr_arg_occurred_at(FunctionCallInfo fcinfo, int n, TimestampTz *at);
extern void mr_arg_require(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* MODELREG_ARGS_H */
