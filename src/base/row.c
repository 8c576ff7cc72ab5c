/*
 * row.c
 *		Rows in the making: columns that may be NULL, and records to return.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/row.h"

/* Value i, counted from 0, is a text; NULL for none. */
void
mr_set_text(Datum *values, bool *nulls, int i, const char *text)
{
	nulls[i] = text == NULL;
	values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* The same for a bytea, which is not copied. */
void
mr_set_bytes(Datum *values, bool *nulls, int i, const bytea *bytes)
{
	nulls[i] = bytes == NULL;
	values[i] = PointerGetDatum(bytes);
}

/*
 * The descriptor of a function's result: what a function in FROM is expected
 * to return, else what the catalog says, asked at the first call in a query.
 */
static TupleDesc
result_descriptor(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FmgrInfo   *function = fcinfo->flinfo;

	if (result != NULL && result->expectedDesc != NULL)
		return BlessTupleDesc(result->expectedDesc);
	if (function->fn_extra == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(function->fn_mcxt);
		TupleDesc	desc;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		function->fn_extra = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	return function->fn_extra;
}

/* The record that a function returns, which is no set. */
Datum
mr_make_record(FunctionCallInfo fcinfo, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = result_descriptor(fcinfo);

	return HeapTupleGetDatum(heap_form_tuple(desc, unconstify(Datum *, values),
											 unconstify(bool *, nulls)));
}
