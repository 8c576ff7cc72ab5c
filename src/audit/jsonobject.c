/*
 * jsonobject.c
 *		JSON objects built member by member, for events and results.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "audit/audit.h"
#include "base/hash.h"

static void
set_string(JsonbValue *value, const char *text)
{
	value->type = jbvString;
	value->val.string.val = unconstify(char *, text);
	value->val.string.len = strlen(text);
}

static void
set_object(JsonbValue *value, Jsonb *object)
{
	value->type = jbvBinary;
	value->val.binary.data = &object->root;
	value->val.binary.len = VARSIZE(object) - VARHDRSZ;
}

static void
add_key(MrJson *json, const char *key)
{
	JsonbValue	value;

	set_string(&value, key);
	pushJsonbValue(&json->state, WJB_KEY, &value);
}

static void
add_value(MrJson *json, const char *key, JsonbValue *value)
{
	add_key(json, key);
	pushJsonbValue(&json->state, WJB_VALUE, value);
}

void
mr_json_begin(MrJson *json)
{
	json->state = NULL;
	pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

/* NULL becomes null. */
void
mr_json_add_text(MrJson *json, const char *key, const char *text)
{
	JsonbValue	value;

	if (text == NULL)
		value.type = jbvNull;
	else
		set_string(&value, text);
	add_value(json, key, &value);
}

void
mr_json_add_number(MrJson *json, const char *key, Numeric number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = number;
	add_value(json, key, &value);
}

void
mr_json_add_int(MrJson *json, const char *key, int64 number)
{
	mr_json_add_number(json, key, int64_to_numeric(number));
}

void
mr_json_add_bool(MrJson *json, const char *key, bool flag)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = flag;
	add_value(json, key, &value);
}

/* A hash, as hexadecimal; NULL becomes null. */
void
mr_json_add_hash(MrJson *json, const char *key, const bytea *hash)
{
	mr_json_add_text(json, key, hash == NULL ? NULL :
					 mr_hash_to_hex((const uint8 *) VARDATA_ANY(hash)));
}

void
mr_json_add_json(MrJson *json, const char *key, Jsonb *member)
{
	JsonbValue	value;

	set_object(&value, member);
	add_value(json, key, &value);
}

void
mr_json_add_null(MrJson *json, const char *key)
{
	mr_json_add_text(json, key, NULL);
}

/* An id or number of a version; 0, which stands for none, becomes null. */
void
mr_json_add_id(MrJson *json, const char *key, int64 id)
{
	if (id == 0)
		mr_json_add_null(json, key);
	else
		mr_json_add_int(json, key, id);
}

/* A member whose value is an array of numbers. */
void
mr_json_add_ints(MrJson *json, const char *key, const int64 *numbers, int n)
{
	mr_json_begin_array(json, key);
	for (int i = 0; i < n; i++)
		mr_json_add_int_element(json, numbers[i]);
	mr_json_end_array(json);
}

/* A member whose value is an array of objects, added one by one. */
void
mr_json_begin_array(MrJson *json, const char *key)
{
	add_key(json, key);
	pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
}

void
mr_json_add_element(MrJson *json, Jsonb *element)
{
	JsonbValue	value;

	set_object(&value, element);
	pushJsonbValue(&json->state, WJB_ELEM, &value);
}

void
mr_json_add_int_element(MrJson *json, int64 value)
{
	JsonbValue	number = {.type = jbvNumeric,.val.numeric = int64_to_numeric(value)};

	pushJsonbValue(&json->state, WJB_ELEM, &number);
}

void
mr_json_end_array(MrJson *json)
{
	pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
}

Jsonb *
mr_json_end(MrJson *json)
{
	return JsonbValueToJsonb(pushJsonbValue(&json->state, WJB_END_OBJECT, NULL));
}

/* A member that is known to be a text. */
char *
mr_json_get_text(Jsonb *json, const char *key)
{
	JsonbValue	value;

	if (!mr_json_find(&json->root, key, &value) || value.type != jbvString)
		elog(ERROR, "member \"%s\" is not a text", key);
	return mr_json_cstring(&value);
}

/* A member that is known to be a whole number. */
int64
mr_json_get_int(Jsonb *json, const char *key)
{
	JsonbValue	value;

	if (!mr_json_find(&json->root, key, &value) || value.type != jbvNumeric)
		elog(ERROR, "member \"%s\" is not a number", key);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 NumericGetDatum(value.val.numeric)));
}
