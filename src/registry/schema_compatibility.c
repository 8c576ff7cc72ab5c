/*
 * schema_compatibility.c
 *		Whether who reads data of one schema can read data of another.
 *
 * A schema is free JSON, of whatever wrote it: a column is a member or an
 * element (schema.c), whose type is a name, or an object that has one and
 * parts.  Names of types that are known to say the same are the same; what
 * nobody here knows is compatible with itself alone.  docs/compatibility.md
 * has the rules.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/hash.h"
#include "registry/compatibility.h"
#include "registry/facts.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_schema_compatibility);

#define MAX_DEPTH 32			/* of types within types, as in signatures */

/*
 * A column, or a type within one: its name as a string, an object that has a
 * "type", or any other JSON.  jbvNull where only the column's name is known.
 */
typedef struct Column
{
	JsonbValue	name;			/* jbvNull for none */
	int			number;
	JsonbValue	node;
} Column;

typedef struct Columns
{
	Column	   *items;			/* by name, those of one name by number */
	int			n;
} Columns;

typedef enum Family
{
	SIGNED, UNSIGNED, FLOATING, TEXT, BINARY, BOOLEAN
} Family;

/*
 * Types by the names that Arrow, Avro, Spark, MLflow, numpy and SQL give them.
 * int8 is left out: it has 8 bits for some, and 8 bytes for others.
 */
static const struct KnownType
{
	const char *name;
	Family		family;
	int			bits;			/* 0: of any length */
}			type_names[] = {
	{"byte", SIGNED, 8}, {"tinyint", SIGNED, 8},
	{"short", SIGNED, 16}, {"smallint", SIGNED, 16}, {"int16", SIGNED, 16}, {"int2", SIGNED, 16},
	{"int", SIGNED, 32}, {"integer", SIGNED, 32}, {"int32", SIGNED, 32}, {"int4", SIGNED, 32},
	{"long", SIGNED, 64}, {"bigint", SIGNED, 64}, {"int64", SIGNED, 64},
	{"uint8", UNSIGNED, 8}, {"uint16", UNSIGNED, 16}, {"uint32", UNSIGNED, 32}, {"uint64", UNSIGNED, 64},
	{"float16", FLOATING, 16}, {"halffloat", FLOATING, 16},
	{"float", FLOATING, 32}, {"real", FLOATING, 32}, {"float32", FLOATING, 32}, {"float4", FLOATING, 32},
	{"double", FLOATING, 64}, {"double precision", FLOATING, 64}, {"float64", FLOATING, 64}, {"float8", FLOATING, 64},
	{"string", TEXT, 0}, {"text", TEXT, 0}, {"utf8", TEXT, 0}, {"varchar", TEXT, 0}, {"character varying", TEXT, 0},
	{"binary", BINARY, 0}, {"bytes", BINARY, 0}, {"bytea", BINARY, 0},
	{"boolean", BOOLEAN, 0}, {"bool", BOOLEAN, 0}
};

/* Members that have to be the same on both sides. */
static const char *const exact_members[] = {
	"logicalType", "precision", "scale", "size", "symbols", "unit", "timezone",
	"format", "dtype", "shape", "tensor-spec"
};

/* Members that are a type, and what is put behind the name of the column. */
static const char *const type_members[][2] = {
	{"items", "[]"}, {"elementType", "[]"}, {"values", "{}"},
	{"valueType", "{}"}, {"keyType", "{} key"}
};

/* Members that are columns. */
static const char *const column_members[] = {"fields", "columns", "properties"};

/* Is null among the values?  In this order, the more a reader is told. */
typedef enum Nulls
{
	NULLS_NEVER, NULLS_UNSAID, NULLS_MAY_BE
} Nulls;

static void compare_nodes(MrReading *reading, const JsonbValue *written,
						  const JsonbValue *read);
static void compare_lists(MrReading *reading, const char *before,
						  JsonbContainer *written, JsonbContainer *read);

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* A member of a node that is an object and has it. */
static bool
get_member(const JsonbValue *node, const char *key, JsonbValue *value)
{
	return is_object(node) && mr_json_find(node->val.binary.data, key, value) &&
		value->type != jbvNull;
}

static bool
is_member(const JsonbValue *node, const char *key, bool expected)
{
	JsonbValue	value;

	return get_member(node, key, &value) && value.type == jbvBool &&
		value.val.boolean == expected;
}

static bool
is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/* A string as it is, for people, and all else as JSON. */
static char *
print_value(const JsonbValue *value)
{
	if (value->type == jbvString)
		return mr_text_clip_part(value->val.string.val, value->val.string.len);
	return mr_text_clip(mr_json_canonical_cstring(JsonbValueToJsonb(unconstify(JsonbValue *, value))));
}

/* An object or array where it is; a scalar is wrapped. */
static JsonbContainer *
container_of(const JsonbValue *value)
{
	return value->type == jbvBinary ? value->val.binary.data :
		&JsonbValueToJsonb(unconstify(JsonbValue *, value))->root;
}

/* Each level of a schema asks this of all below it, so nothing is copied. */
static bool
is_same(const JsonbValue *a, const JsonbValue *b)
{
	return a->type == b->type &&
		compareJsonbContainers(container_of(a), container_of(b)) == 0;
}

/* Avro writes a type with null as ["null", type]: take the type out. */
static bool
take_from_union(JsonbValue *type)
{
	JsonbContainer *array = type->val.binary.data;

	if (type->type != jbvBinary || !JsonContainerIsArray(array) ||
		JsonContainerSize(array) != 2)
		return false;
	for (int i = 0; i < 2; i++)
		if (is_text(getIthJsonbValueFromContainer(array, i), "null"))
		{
			*type = *getIthJsonbValueFromContainer(array, 1 - i);
			return true;
		}
	return false;
}

/* The type of a node; returns whether it is said to have nulls. */
static bool
get_type(const JsonbValue *node, JsonbValue *type)
{
	if (!get_member(node, "type", type))
		*type = *node;
	return take_from_union(type);
}

static Nulls
get_nulls(const JsonbValue *node, bool in_union)
{
	if (in_union || is_member(node, "nullable", true) || is_member(node, "required", false))
		return NULLS_MAY_BE;
	if (is_member(node, "nullable", false) || is_member(node, "not_null", true))
		return NULLS_NEVER;
	return NULLS_UNSAID;
}

static const struct KnownType *
find_type_name(const JsonbValue *value)
{
	char	   *name = mr_json_cstring(value);

	for (int i = 0; i < lengthof(type_names); i++)
		if (pg_strcasecmp(type_names[i].name, name) == 0)
			return &type_names[i];
	return NULL;
}

/* Are all values of one type read as another one without losing anything? */
static bool
is_promoted(const JsonbValue *written, const JsonbValue *read)
{
	const struct KnownType *from = find_type_name(written);
	const struct KnownType *to = find_type_name(read);

	if (from == NULL || to == NULL)
		return false;
	if (from->family == to->family)
		return from->bits <= to->bits;
	if (from->family == UNSIGNED && to->family == SIGNED)
		return from->bits < to->bits;
	if (to->family == FLOATING && (from->family == SIGNED || from->family == UNSIGNED))
		return from->bits < to->bits;
	return false;
}

static void
compare_types(MrReading *reading, const JsonbValue *written, const JsonbValue *read)
{
	JsonbValue	inner;

	if (read->type == jbvNull || is_same(written, read))
		return;
	if (written->type == jbvNull)
		mr_reading_report(reading, "has no type in the %s schema and is %s in the %s one",
						  reading->writer, print_value(read), reading->reader);
	else if (get_member(written, "type", &inner) || get_member(read, "type", &inner))
		compare_nodes(reading, written, read);
	else if (written->type != jbvString || read->type != jbvString ||
			 !is_promoted(written, read))
		mr_reading_report(reading, "is %s in the %s schema, which cannot be read as %s of the %s one",
						  print_value(written), reading->writer,
						  print_value(read), reading->reader);
}

static void
compare_exact(MrReading *reading, const char *member, const JsonbValue *written,
			  const JsonbValue *read)
{
	JsonbValue	from;
	JsonbValue	to;
	bool		has_from = get_member(written, member, &from);
	bool		has_to = get_member(read, member, &to);

	if ((has_from || has_to) && !(has_from && has_to && is_same(&from, &to)))
		mr_reading_report(reading, "has %s %s in the %s schema and %s in the %s one", member,
						  has_from ? print_value(&from) : "unsaid", reading->writer,
						  has_to ? print_value(&to) : "unsaid", reading->reader);
}

/* A part that the reader names has to be there; what only the writer says is left alone. */
static bool
get_parts(MrReading *reading, const char *member, const JsonbValue *written,
		  const JsonbValue *read, JsonbValue *from, JsonbValue *to)
{
	if (!get_member(read, member, to))
		return false;
	if (get_member(written, member, from))
		return true;
	mr_reading_report(reading, "has no %s in the %s schema", member, reading->writer);
	return false;
}

/* Any JSON that should be columns is left to be the same. */
static void
compare_column_member(MrReading *reading, const char *member,
					  const JsonbValue *written, const JsonbValue *read)
{
	JsonbValue	from;
	JsonbValue	to;

	if (!get_parts(reading, member, written, read, &from, &to))
		return;
	if (from.type == jbvBinary && to.type == jbvBinary)
		compare_lists(reading, ".", from.val.binary.data, to.val.binary.data);
	else
		compare_exact(reading, member, written, read);
}

static void
compare_members(MrReading *reading, const JsonbValue *written, const JsonbValue *read)
{
	for (int i = 0; i < lengthof(exact_members); i++)
		compare_exact(reading, exact_members[i], written, read);
	for (int i = 0; i < lengthof(type_members); i++)
	{
		int			length = mr_reading_enter(reading, type_members[i][1], NULL, "");
		JsonbValue	from;
		JsonbValue	to;

		if (get_parts(reading, type_members[i][0], written, read, &from, &to))
			compare_nodes(reading, &from, &to);
		mr_reading_leave(reading, length);
	}
	for (int i = 0; i < lengthof(column_members); i++)
		compare_column_member(reading, column_members[i], written, read);
}

static void
compare_parts(MrReading *reading, const JsonbValue *written, const JsonbValue *read)
{
	JsonbValue	from;
	JsonbValue	to;
	Nulls		from_nulls = get_nulls(written, get_type(written, &from));
	Nulls		to_nulls = get_nulls(read, get_type(read, &to));

	if (from_nulls > to_nulls)
		mr_reading_report(reading, "may be null in the %s schema and %s in the %s one",
						  reading->writer,
						  to_nulls == NULLS_NEVER ? "never is" : "is not said to be",
						  reading->reader);
	compare_types(reading, &from, &to);
	compare_members(reading, written, read);
}

/* What is nested too deep to be looked into has to be the same. */
static void
compare_nodes(MrReading *reading, const JsonbValue *written, const JsonbValue *read)
{
	CHECK_FOR_INTERRUPTS();
	if (reading->depth < MAX_DEPTH)
	{
		reading->depth++;
		compare_parts(reading, written, read);
		reading->depth--;
	}
	else if (!is_same(written, read))
		mr_reading_report(reading, "differs, and is nested more than %d deep", MAX_DEPTH);
}

/* By name, and where there is none by position. */
static int
compare_keys(const Column *a, const Column *b)
{
	const JsonbValue *x = &a->name;
	const JsonbValue *y = &b->name;
	int			order;

	if (x->type != jbvString || y->type != jbvString)
		return x->type == y->type ? (a->number > b->number) - (a->number < b->number) :
			(x->type == jbvString) - (y->type == jbvString);
	order = memcmp(x->val.string.val, y->val.string.val,
				   Min(x->val.string.len, y->val.string.len));
	return order != 0 ? order : x->val.string.len - y->val.string.len;
}

static int
compare_columns(const void *a, const void *b)
{
	const Column *x = a;
	const Column *y = b;
	int			order = compare_keys(x, y);

	return order != 0 ? order : x->number - y->number;
}

static void
read_element(Column *column, const JsonbValue *value)
{
	column->node = *value;
	column->name.type = jbvNull;
	if (value->type == jbvString)
	{
		column->name = *value;
		column->node.type = jbvNull;
	}
	else if (!get_member(value, "name", &column->name) || column->name.type != jbvString)
		column->name.type = jbvNull;
}

static Columns
read_columns(JsonbContainer *container)
{
	bool		is_array = JsonContainerIsArray(container);
	Columns		columns = {palloc(Max(JsonContainerSize(container), 1) * sizeof(Column)), 0};
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	Column	   *column = columns.items;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			column->name = value;
		else if (token == WJB_VALUE)
			column->node = value;
		else if (token == WJB_ELEM)
			read_element(column, &value);
		if (token == (is_array ? WJB_ELEM : WJB_VALUE))
		{
			column->number = columns.n++;
			column++;
		}
	}
	qsort(columns.items, columns.n, sizeof(Column), compare_columns);
	return columns;
}

/* Who reads a column that may be missing, or has a default, does without. */
static void
report_missing(MrReading *reading, const JsonbValue *read)
{
	JsonbValue	value;

	if (!is_member(read, "required", false) && !get_member(read, "default", &value))
		mr_reading_report(reading, "is missing in the %s schema", reading->writer);
}

static int
enter_column(MrReading *reading, const char *before, const Column *column)
{
	char		place[16];

	if (column->name.type == jbvString)
		return mr_reading_enter(reading, before, &column->name, "");
	snprintf(place, sizeof(place), "[%d]", column->number);
	return mr_reading_enter(reading, place, NULL, "");
}

/* What is read is looked for in what is written; columns of one name are paired in their order. */
static void
compare_lists(MrReading *reading, const char *before, JsonbContainer *written,
			  JsonbContainer *read)
{
	Columns		from = read_columns(written);
	Columns		to = read_columns(read);
	int			i = 0;

	for (int j = 0; j < to.n; j++)
	{
		int			length;

		CHECK_FOR_INTERRUPTS();
		while (i < from.n && compare_keys(&from.items[i], &to.items[j]) < 0)
			i++;
		length = enter_column(reading, before, &to.items[j]);
		if (i < from.n && compare_keys(&from.items[i], &to.items[j]) == 0)
			compare_nodes(reading, &from.items[i++].node, &to.items[j].node);
		else
			report_missing(reading, &to.items[j].node);
		mr_reading_leave(reading, length);
	}
}

/* A schema that is missing reads all data, and promises nothing of its own. */
static void
compare_schemas(MrReading *reading, Jsonb *writer, Jsonb *reader)
{
	JsonbContainer *written = writer == NULL ? NULL : mr_schema_columns(&writer->root);
	JsonbContainer *read = reader == NULL ? NULL : mr_schema_columns(&reader->root);

	initStringInfo(&reading->path);
	if (reader == NULL || (writer != NULL &&
						   compareJsonbContainers(&writer->root, &reader->root) == 0))
		return;
	if (writer == NULL)
		mr_reading_report(reading, "the %s schema is missing", reading->writer);
	else if (written == NULL || read == NULL)
		mr_reading_report(reading, "the schemas differ, and have no columns to be compared by");
	else
		compare_lists(reading, "", written, read);
}

void
mr_schema_compare(Jsonb *old_schema, Jsonb *new_schema, MrCompatibility mode,
				  MrIncompatibility report, void *arg)
{
	MrReading	backward = {.writer = "old",.reader = "new",.report = report,.arg = arg,
	.context = CurrentMemoryContext};
	MrReading	forward = {.writer = "new",.reader = "old",.report = report,.arg = arg,
	.context = CurrentMemoryContext};

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "modelreg schemas",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	if (mode & MR_BACKWARD)
		compare_schemas(&backward, old_schema, new_schema);
	if (mode & MR_FORWARD)
		compare_schemas(&forward, new_schema, old_schema);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * modelreg.schema_compatibility(old_schema jsonb, new_schema jsonb, mode text)
 *		returns a table: what is not compatible.
 *
 * Errors: 22004 and 22023 for the mode.
 */
Datum
modelreg_schema_compatibility(PG_FUNCTION_ARGS)
{
	MrCompatibility mode = mr_compatibility_argument(fcinfo, 2);
	Jsonb	   *old_schema = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	Jsonb	   *new_schema = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);

	InitMaterializedSRF(fcinfo, 0);
	mr_schema_compare(old_schema, new_schema, mode, mr_incompatibility_row,
					  fcinfo->resultinfo);
	return (Datum) 0;
}
