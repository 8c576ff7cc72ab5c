/*
 * signature.c
 *		The input and output schema of a model version.
 *
 *	{"inputs": [column...], "outputs": [column...], "params": [param...]}
 *
 *	column	{"name": text, "type": type, "required": boolean, ...}
 *	type	boolean, integer, long, float, double, string, binary, datetime,
 *			any, sparkml vector; or with a member more:
 *			tensor	"tensor-spec": {"dtype": text, "shape": [integer...]}
 *			array	"items": column without name
 *			object	"properties": {name: column without name...}
 *			map		"values": column without name
 *	param	{"name": text, "type": type, "default": value, "shape": [-1]}
 *
 * This is MLflow's schema, which writes each of the three as a string that
 * holds JSON.  Written so, a member that is not known is kept: it comes from
 * a newer MLflow.  Written by hand, it is refused: it is a typing error.
 * The normal form has no strings of JSON, no nulls but a default's, and says
 * "required" of every column and property.  Where it keeps such a member it
 * has "mlflow": true beside the three, by which it is accepted again.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "base/errors.h"
#include "base/hash.h"
#include "registry/signature.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_normalize_signature);

#define MAX_DEPTH 32			/* of items, properties and values */
#define MAX_MISTAKES 20			/* that an error lists */
#define MAX_DIMENSIONS 64

typedef struct Reader
{
	JsonbParseState *out;
	StringInfoData path;		/* of what is read now */
	StringInfoData mistakes;
	char	   *first;			/* path of the first mistake */
	int			nmistakes;
	int			depth;
	bool		mlflow;			/* as MLflow writes it, or was read from that */
	bool		kept;			/* a member that is not known */
} Reader;

/* What a value that has a type must look like. */
typedef enum Shape
{
	SHAPE_BOOLEAN, SHAPE_INTEGER, SHAPE_LONG, SHAPE_NUMBER, SHAPE_STRING,
	SHAPE_OBJECT, SHAPE_ARRAY, SHAPE_ANY
} Shape;

typedef struct ColumnType
{
	const char *name;
	const char *detail;			/* member that has to describe it, or NULL */
	Shape		shape;
	bool		of_param;
} ColumnType;

static const ColumnType column_types[] = {
	{"boolean", NULL, SHAPE_BOOLEAN, true},
	{"integer", NULL, SHAPE_INTEGER, true},
	{"long", NULL, SHAPE_LONG, true},
	{"float", NULL, SHAPE_NUMBER, true},
	{"double", NULL, SHAPE_NUMBER, true},
	{"string", NULL, SHAPE_STRING, true},
	{"binary", NULL, SHAPE_STRING, true},
	{"datetime", NULL, SHAPE_STRING, true},
	{"any", NULL, SHAPE_ANY, true},
	{"object", "properties", SHAPE_OBJECT, true},
	{"tensor", "tensor-spec", SHAPE_ANY, false},
	{"array", "items", SHAPE_ARRAY, false},
	{"map", "values", SHAPE_OBJECT, false},
	{"sparkml vector", NULL, SHAPE_ANY, false},
};

static void read_type_detail(Reader *reader, const ColumnType *type,
							 JsonbContainer *object);

static void mistake(Reader *reader, const char *format,...) pg_attribute_printf(2, 3);

/* Note a mistake at the place that is read now. */
static void
mistake(Reader *reader, const char *format,...)
{
	va_list		args;
	char		text[512];

	if (reader->first == NULL)
		reader->first = pstrdup(reader->path.data);
	if (++reader->nmistakes > MAX_MISTAKES)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (reader->nmistakes > 1)
		appendStringInfoChar(&reader->mistakes, '\n');
	appendStringInfo(&reader->mistakes, "%s %s.",
					 reader->path.len > 0 ? reader->path.data : "signature", text);
}

/* Go down to a member or element; returns what enter() was before. */
static int
enter(Reader *reader, const char *member)
{
	int			before = reader->path.len;

	if (before > 0)
		appendStringInfoChar(&reader->path, '.');
	appendStringInfoString(&reader->path, member);
	return before;
}

static int
enter_element(Reader *reader, int number)
{
	int			before = reader->path.len;

	appendStringInfo(&reader->path, "[%d]", number);
	return before;
}

/* Down to a member whose name the user chose. */
static int
enter_named(Reader *reader, const JsonbValue *name)
{
	StringInfoData quoted;
	int			before;

	initStringInfo(&quoted);
	escape_json(&quoted, mr_text_clip_part(name->val.string.val,
										   name->val.string.len));
	before = enter(reader, quoted.data);
	pfree(quoted.data);
	return before;
}

static void
leave(Reader *reader, int before)
{
	reader->path.len = before;
	reader->path.data[before] = '\0';
}

static void
put_key(Reader *reader, const char *key)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	pushJsonbValue(&reader->out, WJB_KEY, &value);
}

static void
put_value(Reader *reader, const char *key, JsonbValue *value)
{
	put_key(reader, key);
	pushJsonbValue(&reader->out, WJB_VALUE, value);
}

/* A member that is there and not null. */
static bool
get_member(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return mr_json_find(object, key, value) && value->type != jbvNull;
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data);
}

static bool
is_named(const JsonbValue *key, const char *name)
{
	return key->val.string.len == strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

/*
 * Members of an object that are not among the known ones: kept where a newer
 * MLflow may have written them, else a mistake.
 */
static void
read_unknown(Reader *reader, JsonbContainer *object, const char *const *known)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &key, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		const char *const *name = known;

		(void) JsonbIteratorNext(&it, &value, true);
		while (*name != NULL && !is_named(&key, *name))
			name++;
		if (*name != NULL)
			continue;
		if (reader->mlflow)
		{
			pushJsonbValue(&reader->out, WJB_KEY, &key);
			pushJsonbValue(&reader->out, WJB_VALUE, &value);
			reader->kept = true;
		}
		else
			mistake(reader, "has the unknown member \"%s\"",
					mr_text_clip_part(key.val.string.val, key.val.string.len));
	}
}

static const ColumnType *
find_type(const JsonbValue *value)
{
	for (int i = 0; i < lengthof(column_types); i++)
		if (is_named(value, column_types[i].name))
			return &column_types[i];
	return NULL;
}

static const ColumnType *
read_type(Reader *reader, JsonbContainer *object, const char *member)
{
	const ColumnType *type = NULL;
	JsonbValue	value;

	if (!get_member(object, member, &value))
		mistake(reader, "has no member \"type\"");
	else if (value.type != jbvString)
	{
		int			before = enter(reader, member);

		mistake(reader, "must be a string");
		leave(reader, before);
	}
	else
	{
		type = find_type(&value);
		if (type == NULL)
			mistake(reader, "has the unknown type \"%s\"",
					mr_text_clip_part(value.val.string.val, value.val.string.len));
		else
			put_value(reader, "type", &value);
	}
	return type;
}

/* Is the column required?  MLflow before 2 wrote "optional" instead. */
static void
read_required(Reader *reader, JsonbContainer *object)
{
	JsonbValue	value;
	JsonbValue	required = {.type = jbvBool,.val.boolean = true};

	if (get_member(object, "required", &value))
	{
		if (value.type == jbvBool)
			required = value;
		else
			mistake(reader, "has a member \"required\" that is not true or false");
	}
	else if (reader->mlflow && get_member(object, "optional", &value) &&
			 value.type == jbvBool)
		required.val.boolean = !value.val.boolean;
	put_value(reader, "required", &required);
}

/* A name, if there is one; it is checked by check_names(). */
static bool
read_name(Reader *reader, JsonbContainer *object, JsonbValue *name)
{
	if (!get_member(object, "name", name))
		return false;
	if (name->type != jbvString || name->val.string.len == 0)
	{
		mistake(reader, "has a name that is not a string, or empty");
		name->type = jbvNull;
		return true;
	}
	put_value(reader, "name", name);
	return true;
}

/* What is common to columns, properties, items and values. */
static void
read_column_body(Reader *reader, JsonbContainer *object, bool has_name,
				 bool has_required)
{
	const char *known[6];
	int			n = 0;
	const ColumnType *type = read_type(reader, object, "type");

	known[n++] = "type";
	if (has_name)
		known[n++] = "name";
	if (has_required)
	{
		read_required(reader, object);
		known[n++] = "required";
		if (reader->mlflow)
			known[n++] = "optional";
	}
	if (type != NULL && type->detail != NULL)
	{
		known[n++] = type->detail;
		read_type_detail(reader, type, object);
	}
	known[n] = NULL;
	if (type != NULL)
		read_unknown(reader, object, known);
}

/* A column that stands inside another one; its key is put already. */
static void
read_nested_column(Reader *reader, JsonbValue *value, bool has_required)
{
	pushJsonbValue(&reader->out, WJB_BEGIN_OBJECT, NULL);
	if (!is_object(value))
		mistake(reader, "must be an object");
	else if (reader->depth >= MAX_DEPTH)
		mistake(reader, "is nested more than %d deep", MAX_DEPTH);
	else
	{
		reader->depth++;
		read_column_body(reader, value->val.binary.data, false, has_required);
		reader->depth--;
	}
	pushJsonbValue(&reader->out, WJB_END_OBJECT, NULL);
}

/* {name: column...} */
static void
read_properties(Reader *reader, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbValue	value;

	pushJsonbValue(&reader->out, WJB_BEGIN_OBJECT, NULL);
	if (JsonContainerSize(object) == 0)
		mistake(reader, "must name at least one property");
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		int			before = enter_named(reader, &key);

		(void) JsonbIteratorNext(&it, &value, true);
		pushJsonbValue(&reader->out, WJB_KEY, &key);
		read_nested_column(reader, &value, true);
		leave(reader, before);
	}
	pushJsonbValue(&reader->out, WJB_END_OBJECT, NULL);
}

/* Is it a whole number from min to max? */
static bool
is_whole(const JsonbValue *value, int64 min, int64 max)
{
	Numeric		number = value->val.numeric;
	Datum		low = NumericGetDatum(int64_to_numeric(min));
	Datum		high = NumericGetDatum(int64_to_numeric(max));

	if (value->type != jbvNumeric)
		return false;
	return DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(number), low)) &&
		DatumGetBool(DirectFunctionCall2(numeric_le, NumericGetDatum(number), high)) &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(number),
										 DirectFunctionCall2(numeric_trunc,
															 NumericGetDatum(number),
															 Int32GetDatum(0))));
}

static void
read_dimensions(Reader *reader, JsonbContainer *array)
{
	int			n = JsonContainerSize(array);

	if (n > MAX_DIMENSIONS)
	{
		mistake(reader, "has more than %d dimensions", MAX_DIMENSIONS);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		JsonbValue *dimension = getIthJsonbValueFromContainer(array, i);
		int			before = enter_element(reader, i);

		if (!is_whole(dimension, -1, PG_INT64_MAX))
			mistake(reader, "must be a whole number of at least 0, or -1 for one that is not known");
		leave(reader, before);
	}
}

/* {"dtype": text, "shape": [integer...]} */
static void
read_tensor_spec(Reader *reader, JsonbContainer *object)
{
	static const char *const known[] = {"dtype", "shape", NULL};
	JsonbValue	value;
	int			before;

	pushJsonbValue(&reader->out, WJB_BEGIN_OBJECT, NULL);
	before = enter(reader, "dtype");
	if (!get_member(object, "dtype", &value) || value.type != jbvString ||
		value.val.string.len == 0)
		mistake(reader, "must be the name of an element type, such as \"float32\"");
	else
		put_value(reader, "dtype", &value);
	leave(reader, before);
	before = enter(reader, "shape");
	if (!get_member(object, "shape", &value) || !is_array(&value))
		mistake(reader, "must be an array of dimensions");
	else
	{
		read_dimensions(reader, value.val.binary.data);
		put_value(reader, "shape", &value);
	}
	leave(reader, before);
	read_unknown(reader, object, known);
	pushJsonbValue(&reader->out, WJB_END_OBJECT, NULL);
}

/* The member that a type of several parts is described by. */
static void
read_type_detail(Reader *reader, const ColumnType *type, JsonbContainer *object)
{
	JsonbValue	value;
	int			before = enter(reader, type->detail);

	if (!get_member(object, type->detail, &value) || !is_object(&value))
		mistake(reader, "must be an object, as the type is \"%s\"", type->name);
	else
	{
		put_key(reader, type->detail);
		if (strcmp(type->detail, "tensor-spec") == 0)
			read_tensor_spec(reader, value.val.binary.data);
		else if (strcmp(type->detail, "properties") == 0)
			read_properties(reader, value.val.binary.data);
		else
			read_nested_column(reader, &value, false);
	}
	leave(reader, before);
}

static bool
has_shape(const JsonbValue *value, Shape shape)
{
	switch (shape)
	{
		case SHAPE_BOOLEAN:
			return value->type == jbvBool;
		case SHAPE_INTEGER:
			return is_whole(value, PG_INT32_MIN, PG_INT32_MAX);
		case SHAPE_LONG:
			return is_whole(value, PG_INT64_MIN, PG_INT64_MAX);
		case SHAPE_NUMBER:
			return value->type == jbvNumeric;
		case SHAPE_STRING:
			return value->type == jbvString;
		case SHAPE_OBJECT:
			return is_object(value);
		case SHAPE_ARRAY:
			return is_array(value);
		case SHAPE_ANY:
			return true;
	}
	return false;
}

/* The default is one value of the type, or with a shape an array of them. */
static void
check_default(Reader *reader, JsonbValue *value, const ColumnType *type,
			  bool is_list)
{
	int			n;

	if (!is_list)
	{
		if (!has_shape(value, type->shape))
			mistake(reader, "must be of type \"%s\"", type->name);
		return;
	}
	if (!is_array(value))
	{
		mistake(reader, "must be an array, as the param has a shape");
		return;
	}
	n = JsonContainerSize(value->val.binary.data);
	for (int i = 0; i < n && reader->nmistakes <= MAX_MISTAKES; i++)
	{
		int			before = enter_element(reader, i);

		if (!has_shape(getIthJsonbValueFromContainer(value->val.binary.data, i),
					   type->shape))
			mistake(reader, "must be of type \"%s\"", type->name);
		leave(reader, before);
	}
}

/* "shape" of a param: null for one value, an array for a list of them. */
static bool
read_param_shape(Reader *reader, JsonbContainer *object)
{
	JsonbValue	value;
	int			before;

	if (!get_member(object, "shape", &value))
		return false;
	before = enter(reader, "shape");
	if (!is_array(&value))
		mistake(reader, "must be null or an array of dimensions");
	else
	{
		read_dimensions(reader, value.val.binary.data);
		put_value(reader, "shape", &value);
	}
	leave(reader, before);
	return is_array(&value);
}

static void
read_param_default(Reader *reader, JsonbContainer *object,
				   const ColumnType *type, bool is_list)
{
	JsonbValue	value;

	if (get_member(object, "default", &value))
	{
		int			before = enter(reader, "default");

		if (type != NULL)
			check_default(reader, &value, type, is_list);
		leave(reader, before);
	}
	else
		value.type = jbvNull;
	put_value(reader, "default", &value);
}

/* MLflow says "dtype" where it later said "type", and some time both. */
static const char *
param_type_member(Reader *reader, JsonbContainer *object)
{
	JsonbValue	type;
	JsonbValue	dtype;
	bool		has_type = get_member(object, "type", &type);

	if (!get_member(object, "dtype", &dtype))
		return "type";
	if (has_type && type.type == jbvString && dtype.type == jbvString &&
		(type.val.string.len != dtype.val.string.len ||
		 memcmp(type.val.string.val, dtype.val.string.val, type.val.string.len) != 0))
		mistake(reader, "has a \"type\" and another \"dtype\"");
	return has_type ? "type" : "dtype";
}

static void
read_param_body(Reader *reader, JsonbContainer *object)
{
	const char *known[] = {"name", "type", "dtype", "default", "shape", NULL, NULL};
	const ColumnType *type = read_type(reader, object,
									   param_type_member(reader, object));
	bool		is_list;

	if (type != NULL && !type->of_param)
		mistake(reader, "has the type \"%s\", which is none for a param", type->name);
	else if (type != NULL && type->detail != NULL)
	{
		known[5] = type->detail;
		read_type_detail(reader, type, object);
	}
	is_list = read_param_shape(reader, object);
	read_param_default(reader, object, type, is_list);
	read_unknown(reader, object, known);
}

/* A name with the number of its column, to find two of one name. */
typedef struct NameAt
{
	JsonbValue	name;
	int			number;
} NameAt;

static int
compare_names(const void *a, const void *b)
{
	const NameAt *x = a;
	const NameAt *y = b;
	int			common = Min(x->name.val.string.len, y->name.val.string.len);
	int			order = memcmp(x->name.val.string.val, y->name.val.string.val, common);

	if (order == 0)
		order = x->name.val.string.len - y->name.val.string.len;
	return order != 0 ? order : x->number - y->number;
}

/* All elements have a name or none has, and none twice. */
static void
check_names(Reader *reader, NameAt *names, int nnamed, int n, bool all)
{
	int			nstrings = 0;

	if (nnamed < n && (all || nnamed > 0))
		mistake(reader, all ? "has an element without a name" :
				"has elements with a name and others without");
	for (int i = 0; i < nnamed; i++)
		if (names[i].name.type == jbvString)
			names[nstrings++] = names[i];
	qsort(names, nstrings, sizeof(NameAt), compare_names);
	for (int i = 1; i < nstrings; i++)
	{
		JsonbValue *name = &names[i].name;
		int			before;

		if (name->val.string.len != names[i - 1].name.val.string.len ||
			memcmp(name->val.string.val, names[i - 1].name.val.string.val,
				   name->val.string.len) != 0)
			continue;
		before = enter_element(reader, names[i].number);
		mistake(reader, "has the name \"%s\", as has number %d",
				mr_text_clip_part(name->val.string.val, name->val.string.len),
				names[i - 1].number);
		leave(reader, before);
	}
}

/* An array of columns or params. */
static void
read_list(Reader *reader, JsonbContainer *array, bool params)
{
	int			n = JsonContainerSize(array);
	NameAt	   *names = palloc(Max(n, 1) * sizeof(NameAt));
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	value;
	int			nnamed = 0;

	if (n == 0 && !params)
		mistake(reader, "must not be empty");
	pushJsonbValue(&reader->out, WJB_BEGIN_ARRAY, NULL);
	(void) JsonbIteratorNext(&it, &value, true);
	for (int i = 0; i < n; i++)
	{
		int			before = enter_element(reader, i);

		(void) JsonbIteratorNext(&it, &value, true);
		pushJsonbValue(&reader->out, WJB_BEGIN_OBJECT, NULL);
		names[nnamed].number = i;
		if (!is_object(&value))
			mistake(reader, "must be an object");
		else
		{
			nnamed += read_name(reader, value.val.binary.data, &names[nnamed].name);
			if (params)
				read_param_body(reader, value.val.binary.data);
			else
				read_column_body(reader, value.val.binary.data, true, true);
		}
		pushJsonbValue(&reader->out, WJB_END_OBJECT, NULL);
		leave(reader, before);
	}
	pushJsonbValue(&reader->out, WJB_END_ARRAY, NULL);
	check_names(reader, names, nnamed, n, params);
	pfree(names);
}

/* Is it there at all?  A string of JSON is replaced by the value in it. */
static bool
get_list(Reader *reader, JsonbContainer *object, const char *member,
		 JsonbValue *value)
{
	Jsonb	   *json;

	if (!get_member(object, member, value))
		return false;
	if (value->type != jbvString)
		return true;
	json = mr_jsonb_from_text(mr_json_cstring(value));
	if (json == NULL)
	{
		mistake(reader, "is a string that holds no JSON");
		return false;
	}
	if (!JsonbExtractScalar(&json->root, value))
	{
		value->type = jbvBinary;
		value->val.binary.data = &json->root;
		value->val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	return value->type != jbvNull;
}

/* One of the three; returns whether it says anything. */
static bool
read_part(Reader *reader, JsonbContainer *object, const char *member)
{
	bool		params = strcmp(member, "params") == 0;
	int			before = enter(reader, member);
	JsonbValue	value;
	bool		present = get_list(reader, object, member, &value);

	if (present && !is_array(&value))
		mistake(reader, "must be an array");
	else if (present && params && JsonContainerSize(value.val.binary.data) == 0)
		present = false;
	else if (present)
	{
		put_key(reader, member);
		read_list(reader, value.val.binary.data, params);
	}
	leave(reader, before);
	return present;
}

/* Is a part a string that holds JSON, or does it say that it was read so? */
static bool
is_mlflow(JsonbContainer *object, const char *const *parts)
{
	JsonbValue	value;

	if (get_member(object, "mlflow", &value) && value.type == jbvBool &&
		value.val.boolean)
		return true;
	for (; *parts != NULL; parts++)
		if (get_member(object, *parts, &value) && value.type == jbvString)
			return true;
	return false;
}

static void
read_signature(Reader *reader, JsonbContainer *object)
{
	static const char *const parts[] = {"inputs", "outputs", "params", NULL};
	static const char *const known[] = {"inputs", "outputs", "params", "mlflow", NULL};
	JsonbValue	yes = {.type = jbvBool,.val.boolean = true};
	int			present = 0;

	reader->mlflow = is_mlflow(object, parts);
	for (int i = 0; parts[i] != NULL; i++)
		present += read_part(reader, object, parts[i]);
	read_unknown(reader, object, reader->mlflow ? known : parts);
	if (reader->kept)
		put_value(reader, "mlflow", &yes);
	if (present == 0 && reader->nmistakes == 0)
		mistake(reader, "says nothing of inputs, outputs or params");
}

static void
raise_mistakes(Reader *reader)
{
	if (reader->nmistakes > MAX_MISTAKES)
		appendStringInfo(&reader->mistakes, "\nAnd %d more.",
						 reader->nmistakes - MAX_MISTAKES);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 reader->first[0] == '\0' ? errmsg("invalid signature") :
			 errmsg("invalid signature at %s", reader->first),
			 errdetail("%s", reader->mistakes.data),
			 errhint("A signature is {\"inputs\": [{\"name\": \"user_age\", \"type\": \"double\"}], \"outputs\": [...], \"params\": [...]}, or what MLflow writes."),
			 mr_reason("invalid_signature")));
}

Jsonb *
mr_signature_normalize(Jsonb *signature)
{
	Reader		reader = {0};
	JsonbValue *result;

	initStringInfo(&reader.path);
	initStringInfo(&reader.mistakes);
	pushJsonbValue(&reader.out, WJB_BEGIN_OBJECT, NULL);
	if (JB_ROOT_IS_OBJECT(signature))
		read_signature(&reader, &signature->root);
	else
		mistake(&reader, "must be an object");
	result = pushJsonbValue(&reader.out, WJB_END_OBJECT, NULL);
	if (reader.nmistakes > 0)
		raise_mistakes(&reader);
	return JsonbValueToJsonb(result);
}

/*
 * modelreg.normalize_signature(signature jsonb) returns jsonb
 *
 * Errors: 22023 that lists all mistakes.
 */
Datum
modelreg_normalize_signature(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(mr_signature_normalize(PG_GETARG_JSONB_P(0)));
}
