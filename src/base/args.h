/*
 * args.h
 *		Reading the arguments of verbs.
 */
#ifndef MODELREG_ARGS_H
#define MODELREG_ARGS_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/jsonb.h"

extern char *mr_arg_text(FunctionCallInfo fcinfo, int n, const char *name);
extern char *mr_arg_text_or_null(FunctionCallInfo fcinfo, int n);
extern Jsonb *mr_arg_object_or_null(FunctionCallInfo fcinfo, int n, const char *name);
extern void mr_check_occurred_at(TimestampTz at);
extern bool mr_arg_occurred_at(FunctionCallInfo fcinfo, int n, TimestampTz *at);
extern void mr_arg_require(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* MODELREG_ARGS_H */
