/*
 * args.c
 *		Reading the arguments of verbs.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"

/* Error 22004 when an argument that has to be given is NULL. */
void
mr_arg_require(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name),
				 mr_reason("null_argument")));
}

/* A text argument that has to be given, as a C string. */
char *
mr_arg_text(FunctionCallInfo fcinfo, int n, const char *name)
{
	mr_arg_require(fcinfo, n, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

char *
mr_arg_text_or_null(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* A jsonb argument that is an object; else 22023, and 54000 if it is too deep. */
Jsonb *
mr_arg_object_or_null(FunctionCallInfo fcinfo, int n, const char *name)
{
	Jsonb	   *json = PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);

	if (json != NULL && !JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a JSON object", name),
				 mr_reason("invalid_argument")));
	if (json != NULL)
		mr_json_check_depth(json, name);
	return json;
}

/* Error 22023 for no moment at all. */
void
mr_check_occurred_at(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("occurred_at must be finite"),
				 mr_reason("invalid_time")));
}

/*
 * When something happened, as the caller claims; false when he says nothing.
 * Error 22023 for no moment at all.
 */
bool
mr_arg_occurred_at(FunctionCallInfo fcinfo, int n, TimestampTz *at)
{
	if (PG_ARGISNULL(n))
		return false;
	*at = PG_GETARG_TIMESTAMPTZ(n);
	mr_check_occurred_at(*at);
	return true;
}

/* An array argument that was given, wherever it begins.  Error 2202E for more than one dimension. */
ArrayType *
mr_arg_array(FunctionCallInfo fcinfo, int n, const char *name)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"%s\" must have one dimension", name),
				 mr_reason("invalid_argument")));
	return array;
}

/*
 * An argument that is hashed: an array as if it began at 1, as no verb looks at
 * where one begins.  Error 2202E for one of more than one dimension.
 */
Datum
mr_arg_from_first(FunctionCallInfo fcinfo, int n, const char *name, Oid type)
{
	ArrayType  *array;

	if (PG_ARGISNULL(n) || !OidIsValid(get_element_type(type)))
		return PG_GETARG_DATUM(n);
	array = mr_arg_array(fcinfo, n, name);
	if (ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] != 1)
	{
		array = PG_GETARG_ARRAYTYPE_P_COPY(n);
		ARR_LBOUND(array)[0] = 1;
	}
	return PointerGetDatum(array);
}

/*
 * An array argument whose elements, of a type, are about as many things, which
 * what calls in the plural; a column without elements when it is NULL.  Error
 * 2202E for another length or more than one dimension.
 */
void
mr_arg_column(FunctionCallInfo fcinfo, int n, const char *name, Oid type,
			  int length, const char *what, MrColumn *column)
{
	ArrayType  *array;
	int16		len;
	bool		byval;
	char		align;

	if (PG_ARGISNULL(n))
		return;
	array = PG_GETARG_ARRAYTYPE_P(n);
	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(array, type, len, byval, align, &column->values,
					  &column->nulls, &column->n);
	if (ARR_NDIM(array) > 1 || (length != MR_ANY_LENGTH && column->n != length))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument \"%s\" must have one dimension, and an element for each of the %d %s",
						name, length == MR_ANY_LENGTH ? column->n : length, what),
				 errhint("Give null for elements that are not known, or leave the argument out."),
				 mr_reason("invalid_argument")));
}
