/*
 * signature_compatibility.c
 *		Whether callers written for one signature work with another.
 *
 * A schema registry asks whether a reader with one schema understands what a
 * writer with another wrote.  Of a model both questions are asked: it reads
 * inputs and params that its callers write, and writes outputs that they
 * read.  BACKWARD takes callers of the old signature and a model of the new
 * one, FORWARD the other way round.  docs/compatibility.md has the rules,
 * which are those by which MLflow enforces a signature.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/hash.h"
#include "registry/compatibility.h"
#include "registry/signature.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_signature_compatibility);

/* A column or param; those of a list are in the order of their names. */
typedef struct Column
{
	JsonbValue	name;			/* jbvNull for none */
	JsonbContainer *body;
} Column;

typedef struct Columns
{
	Column	   *items;
	int			n;
	bool		named;
} Columns;

/* Types that are read as another one without losing anything. */
static const struct
{
	const char *written;
	const char *read_as;
}			promotions[] = {
	{"integer", "long"}, {"integer", "double"}, {"float", "double"}
};

static void compare_types(MrReading *reading, JsonbContainer *written,
						  JsonbContainer *read);

static bool
get_member(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return mr_json_find(object, key, value) && value->type != jbvNull;
}

/* A member that the normal form has. */
static JsonbContainer *
get_container(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!get_member(object, key, &value) || value.type != jbvBinary)
		elog(ERROR, "signature has no member \"%s\" where it is in normal form", key);
	return value.val.binary.data;
}

static char *
get_string(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!get_member(object, key, &value) || value.type != jbvString)
		elog(ERROR, "signature has no string \"%s\" where it is in normal form", key);
	return mr_json_cstring(&value);
}

/* Must it be written?  A param without a default has to be. */
static bool
is_required(const MrReading *reading, JsonbContainer *column)
{
	JsonbValue	value;

	if (reading->of_params)
		return !get_member(column, "default", &value);
	return get_member(column, "required", &value) && value.type == jbvBool &&
		value.val.boolean;
}

static bool
is_promoted(const char *written, const char *read)
{
	for (int i = 0; i < lengthof(promotions); i++)
		if (strcmp(promotions[i].written, written) == 0 &&
			strcmp(promotions[i].read_as, read) == 0)
			return true;
	return false;
}

/* Are all sizes of one dimension among those of another; -1 is any. */
static bool
dimension_fits(JsonbContainer *written, JsonbContainer *read, int i)
{
	JsonbValue *from = getIthJsonbValueFromContainer(written, i);
	JsonbValue *to = getIthJsonbValueFromContainer(read, i);
	int64		size = DatumGetInt64(DirectFunctionCall1(numeric_int8,
														 NumericGetDatum(to->val.numeric)));

	return size == -1 ||
		size == DatumGetInt64(DirectFunctionCall1(numeric_int8,
												  NumericGetDatum(from->val.numeric)));
}

static void
compare_shapes(MrReading *reading, JsonbContainer *written, JsonbContainer *read)
{
	int			n = JsonContainerSize(written);
	bool		fits = n == JsonContainerSize(read);

	for (int i = 0; fits && i < n; i++)
		fits = dimension_fits(written, read, i);
	if (!fits)
		mr_reading_report(reading, "has shape %s in the %s signature, which is not always %s of the %s one",
						  mr_json_container_cstring(written), reading->writer,
						  mr_json_container_cstring(read), reading->reader);
}

/* Elements of another type are converted by no server of tensors. */
static void
compare_tensors(MrReading *reading, JsonbContainer *written, JsonbContainer *read)
{
	JsonbContainer *from = get_container(written, "tensor-spec");
	JsonbContainer *to = get_container(read, "tensor-spec");
	char	   *from_dtype = get_string(from, "dtype");
	char	   *to_dtype = get_string(to, "dtype");

	if (strcmp(from_dtype, to_dtype) != 0)
		mr_reading_report(reading, "has elements of %s in the %s signature and of %s in the %s one",
						  mr_text_clip(from_dtype), reading->writer,
						  mr_text_clip(to_dtype), reading->reader);
	compare_shapes(reading, get_container(from, "shape"), get_container(to, "shape"));
}

/* What is written must be there where the reader requires it, and of a type that it can read. */
static void
compare_columns(MrReading *reading, JsonbContainer *written, JsonbContainer *read)
{
	const char *what = reading->of_params ? "has no default" : "is required";
	bool		required = is_required(reading, read);

	if (written == NULL && required)
		mr_reading_report(reading, "%s in the %s signature and is missing in the %s one",
						  what, reading->reader, reading->writer);
	if (written == NULL)
		return;
	if (required && !is_required(reading, written))
		mr_reading_report(reading, "%s in the %s signature and %s in the %s one",
						  what, reading->reader,
						  reading->of_params ? "has one" : "is optional", reading->writer);
	compare_types(reading, written, read);
}

/* The body of a property, or NULL. */
static JsonbContainer *
find_property(JsonbContainer *properties, const JsonbValue *name)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(properties, name->val.string.val,
									 name->val.string.len, &value) == NULL)
		return NULL;
	return value.val.binary.data;
}

/*
 * Each property that is read, and those that are written and nobody reads:
 * a model refuses an object that has them, where a caller leaves them alone.
 */
static void
compare_properties(MrReading *reading, JsonbContainer *written, JsonbContainer *read)
{
	JsonbContainer *sides[2] = {read, written};

	for (int side = 0; side < 2; side++)
	{
		JsonbIterator *it = JsonbIteratorInit(sides[side]);
		JsonbValue	name;
		JsonbValue	value;

		(void) JsonbIteratorNext(&it, &name, true);
		while (JsonbIteratorNext(&it, &name, true) == WJB_KEY)
		{
			JsonbContainer *other = find_property(sides[1 - side], &name);
			int			length = mr_reading_enter(reading, ".", &name, "");

			CHECK_FOR_INTERRUPTS();
			(void) JsonbIteratorNext(&it, &value, true);
			if (side == 0)
				compare_columns(reading, other, value.val.binary.data);
			else if (other == NULL && reading->by_model)
				mr_reading_report(reading, "is no property in the %s signature, which refuses what it does not name",
								  reading->reader);
			mr_reading_leave(reading, length);
		}
	}
}

/* Both are of the same type, which may have parts. */
static void
compare_parts(MrReading *reading, const char *type, JsonbContainer *written,
			  JsonbContainer *read)
{
	int			length = reading->path.len;
	bool		of_params = reading->of_params;

	reading->of_params = false; /* its properties have no defaults */
	if (strcmp(type, "tensor") == 0)
		compare_tensors(reading, written, read);
	else if (strcmp(type, "object") == 0)
		compare_properties(reading, get_container(written, "properties"),
						   get_container(read, "properties"));
	else if (strcmp(type, "array") == 0)
	{
		(void) mr_reading_enter(reading, "[]", NULL, "");
		compare_types(reading, get_container(written, "items"), get_container(read, "items"));
	}
	else if (strcmp(type, "map") == 0)
	{
		(void) mr_reading_enter(reading, "{}", NULL, "");
		compare_types(reading, get_container(written, "values"), get_container(read, "values"));
	}
	reading->of_params = of_params;
	mr_reading_leave(reading, length);
}

/* A param is one value, or with a shape a list of them. */
static void
compare_lists(MrReading *reading, JsonbContainer *written, JsonbContainer *read)
{
	JsonbValue	from;
	JsonbValue	to;
	bool		from_list = get_member(written, "shape", &from);
	bool		to_list = get_member(read, "shape", &to);

	if (from_list != to_list)
		mr_reading_report(reading, "is %s in the %s signature and %s in the %s one",
						  from_list ? "a list" : "one value", reading->writer,
						  to_list ? "a list" : "one value", reading->reader);
	else if (from_list)
		compare_shapes(reading, from.val.binary.data, to.val.binary.data);
}

static void
compare_types(MrReading *reading, JsonbContainer *written, JsonbContainer *read)
{
	char	   *from = get_string(written, "type");
	char	   *to = get_string(read, "type");

	if (reading->of_params)
		compare_lists(reading, written, read);
	if (strcmp(to, "any") == 0)
		return;
	if (strcmp(from, to) == 0)
		compare_parts(reading, from, written, read);
	else if (!is_promoted(from, to))
		mr_reading_report(reading, "is %s in the %s signature, which cannot be read as %s of the %s one",
						  from, reading->writer, to, reading->reader);
	pfree(from);
	pfree(to);
}

static int
compare_names(const void *a, const void *b)
{
	const JsonbValue *x = &((const Column *) a)->name;
	const JsonbValue *y = &((const Column *) b)->name;
	int			common = Min(x->val.string.len, y->val.string.len);
	int			order = memcmp(x->val.string.val, y->val.string.val, common);

	return order != 0 ? order : x->val.string.len - y->val.string.len;
}

/* The columns of a list by name, or where they have none in their order. */
static Columns
read_columns(JsonbContainer *list)
{
	Columns		columns = {.n = JsonContainerSize(list)};
	JsonbIterator *it = JsonbIteratorInit(list);
	JsonbValue	value;

	columns.items = palloc(Max(columns.n, 1) * sizeof(Column));
	(void) JsonbIteratorNext(&it, &value, true);
	for (int i = 0; i < columns.n; i++)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		columns.items[i].body = value.val.binary.data;
		columns.named = get_member(value.val.binary.data, "name", &columns.items[i].name);
	}
	if (columns.named)
		qsort(columns.items, columns.n, sizeof(Column), compare_names);
	return columns;
}

static void
compare_named(MrReading *reading, const Columns *written, const Columns *read)
{
	for (int i = 0; i < read->n; i++)
	{
		Column	   *found = written->n == 0 ? NULL :
			bsearch(&read->items[i], written->items, written->n, sizeof(Column), compare_names);
		int			length = mr_reading_enter(reading, "", &read->items[i].name, "");

		CHECK_FOR_INTERRUPTS();
		compare_columns(reading, found == NULL ? NULL : found->body, read->items[i].body);
		mr_reading_leave(reading, length);
	}
}

/*
 * By position.  A model takes the first of more inputs than it knows; outputs
 * without names are read as a whole, so that there is one more is not
 * overlooked.
 */
static void
compare_unnamed(MrReading *reading, const Columns *written, const Columns *read)
{
	if (!reading->by_model && written->n > read->n)
		mr_reading_report(reading, "are %d without names in the %s signature and %d in the %s one",
						  written->n, reading->writer, read->n, reading->reader);
	for (int i = 0; i < read->n; i++)
	{
		char	   *at = psprintf("[%d]", i);
		int			length = mr_reading_enter(reading, at, NULL, "");

		CHECK_FOR_INTERRUPTS();
		compare_columns(reading, i < written->n ? written->items[i].body : NULL,
						read->items[i].body);
		mr_reading_leave(reading, length);
	}
}

static JsonbContainer *
find_side(Jsonb *signature, const char *side)
{
	JsonbValue	value;

	if (signature == NULL || !get_member(&signature->root, side, &value))
		return NULL;
	return value.val.binary.data;
}

static void
compare_lists_of_columns(MrReading *reading, JsonbContainer *from, JsonbContainer *to)
{
	Columns		written = from == NULL ? (Columns) {.named = true} : read_columns(from);
	Columns		read = read_columns(to);

	if (written.named != read.named)
		mr_reading_report(reading, "have %s in the %s signature and %s in the %s one",
						  written.named ? "names" : "no names", reading->writer,
						  read.named ? "names" : "no names", reading->reader);
	else if (read.named)
		compare_named(reading, &written, &read);
	else
		compare_unnamed(reading, &written, &read);
}

/*
 * A signature without a side reads all that is written, and promises nothing
 * of what it writes; without params there are none.
 */
static void
compare_side(const char *side, Jsonb *writer, Jsonb *reader, MrReading *reading)
{
	JsonbContainer *written = find_side(writer, side);
	JsonbContainer *read = find_side(reader, side);

	reading->side = side;
	reading->of_params = strcmp(side, "params") == 0;
	initStringInfo(&reading->path);
	if (read != NULL && written == NULL && !reading->of_params)
		mr_reading_report(reading, "are not said in the %s signature", reading->writer);
	else if (read != NULL)
		compare_lists_of_columns(reading, written, read);
	pfree(reading->path.data);
}

/* Callers of one signature, a model of the other. */
static void
compare_calls(Jsonb *caller, Jsonb *model, MrReading reading)
{
	const char *caller_name = reading.writer;

	reading.by_model = true;
	compare_side("inputs", caller, model, &reading);
	compare_side("params", caller, model, &reading);
	reading.by_model = false;
	reading.writer = reading.reader;
	reading.reader = caller_name;
	compare_side("outputs", model, caller, &reading);
}

void
mr_signature_compare(Jsonb *old_signature, Jsonb *new_signature,
					 MrCompatibility mode, MrIncompatibility report, void *arg)
{
	MrReading	backward = {.writer = "old",.reader = "new",.report = report,.arg = arg,
	.context = CurrentMemoryContext};
	MrReading	forward = {.writer = "new",.reader = "old",.report = report,.arg = arg,
	.context = CurrentMemoryContext};

	if (mode & MR_BACKWARD)
		compare_calls(old_signature, new_signature, backward);
	if (mode & MR_FORWARD)
		compare_calls(new_signature, old_signature, forward);
}

static Jsonb *
signature_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : mr_signature_normalize(PG_GETARG_JSONB_P(n));
}

/*
 * modelreg.signature_compatibility(old_signature jsonb, new_signature jsonb,
 *		mode text) returns a table: what is not compatible.
 *
 * Errors: 22004 and 22023 for the mode, 22023 that lists all mistakes of a
 * signature.
 */
Datum
modelreg_signature_compatibility(PG_FUNCTION_ARGS)
{
	MrCompatibility mode = mr_compatibility_argument(fcinfo, 2);
	Jsonb	   *old_signature = signature_argument(fcinfo, 0);
	Jsonb	   *new_signature = signature_argument(fcinfo, 1);

	InitMaterializedSRF(fcinfo, 0);
	mr_signature_compare(old_signature, new_signature, mode, mr_incompatibility_row,
						 fcinfo->resultinfo);
	return (Datum) 0;
}
