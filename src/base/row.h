/*
 * row.h
 *		Rows in the making: columns that may be NULL, and records to return.
 */
#ifndef MODELREG_ROW_H
#define MODELREG_ROW_H

#include "fmgr.h"

extern void mr_set_text(Datum *values, bool *nulls, int i, const char *text);
extern void mr_set_bytes(Datum *values, bool *nulls, int i,
						 const bytea *bytes);
extern Datum mr_make_record(FunctionCallInfo fcinfo, const Datum *values,
							const bool *nulls);

#endif							/* MODELREG_ROW_H */
