/*
 * args.h
 *		Reading the arguments of verbs.
 */
#ifndef MODELREG_ARGS_H
#define MODELREG_ARGS_H

#include "fmgr.h"

extern char *mr_arg_text(FunctionCallInfo fcinfo, int n, const char *name);
extern char *mr_arg_text_or_null(FunctionCallInfo fcinfo, int n);
extern char *mr_arg_object_or_null(FunctionCallInfo fcinfo, int n, const char *name);
extern void mr_arg_require(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* MODELREG_ARGS_H */
