/*
 * schema.c
 *		Schemas, signatures and params, taken apart into facts.
 *
 * A schema is free JSON.  What has columns is compared by column:
 *
 *		{"user_age": "integer", ...}			a member per column
 *		[{"name": "user_age", "type": ...}, ...]	an element per column
 *		["user_age", ...]						columns without a type
 *		{"fields": [...], ...}					an array as above in a member
 *
 * where the member is called fields (Arrow, Avro, Spark), columns or
 * mlflow_colspec.  A type may be any JSON, and a column may have more members.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "base/hash.h"
#include "registry/facts.h"

/* The next member of an object; values that have members stay whole. */
static bool
next_member(JsonbIterator **it, JsonbValue *key, JsonbValue *value)
{
	JsonbIteratorToken token;

	CHECK_FOR_INTERRUPTS();
	while ((token = JsonbIteratorNext(it, key, true)) != WJB_DONE)
		if (token == WJB_KEY)
			return JsonbIteratorNext(it, value, true) == WJB_VALUE;
	return false;
}

/* Could the text of a string be that of a number, true, an object, ...? */
static bool
looks_like_json(const char *text)
{
	return text[0] == '\0' || strchr("-0123456789{[\"", text[0]) != NULL ||
		strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
		strcmp(text, "null") == 0;
}

/* A string as it is, where that is clear, and any other JSON as its canonical text. */
static char *
json_plain(const JsonbValue *value)
{
	if (value->type == jbvString)
	{
		char	   *text = mr_json_cstring(value);

		if (!looks_like_json(text))
			return text;
	}
	return mr_json_canonical_cstring(JsonbValueToJsonb(unconstify(JsonbValue *, value)));
}

static bool
is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/*
 * The type of a column and what else is said of it: "integer, not_null",
 * "array, items={...}".  That it is required goes without saying.
 */
static char *
describe_column(JsonbContainer *column)
{
	StringInfoData out;
	JsonbIterator *it = JsonbIteratorInit(column);
	JsonbValue	key;
	JsonbValue	value;

	initStringInfo(&out);
	if (mr_json_find(column, "type", &value))
		appendStringInfoString(&out, json_plain(&value));
	while (next_member(&it, &key, &value))
	{
		bool		yes = value.type == jbvBool && value.val.boolean;

		if (is_text(&key, "name") || is_text(&key, "type") ||
			(is_text(&key, "required") && yes))
			continue;
		appendStringInfo(&out, "%s%.*s", out.len > 0 ? ", " : "",
						 key.val.string.len, key.val.string.val);
		if (!yes)
			appendStringInfo(&out, "=%s", json_plain(&value));
	}
	return out.data;
}

/* The value of a column: its type as a string, or an object that has it. */
static char *
describe_type(const JsonbValue *value)
{
	JsonbValue	type;

	if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) &&
		mr_json_find(value->val.binary.data, "type", &type))
		return describe_column(value->val.binary.data);
	return json_plain(value);
}

static void
add_part(MrFacts *facts, const MrFact *pattern, const JsonbValue *name,
		 const char *value)
{
	MrFact		fact = *pattern;

	if (name != NULL)
		fact.part = mr_json_cstring(name);
	fact.value = value;
	mr_facts_add(facts, &fact);
}

/* Is each element a column: an object, or a name? */
static bool
are_columns(JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JsonContainerIsArray(array) || JsonContainerIsScalar(array))
		return false;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM && value.type != jbvString &&
			!(value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data)))
			return false;
	return true;
}

static void
add_elements(MrFacts *facts, const MrFact *pattern, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		JsonbValue	name;
		bool		named;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		if (value.type == jbvString)
		{
			add_part(facts, pattern, &value, NULL);
			continue;
		}
		named = mr_json_find(value.val.binary.data, "name", &name) &&
			name.type == jbvString;
		add_part(facts, pattern, named ? &name : NULL,
				 describe_column(value.val.binary.data));
	}
}

/* Facts of the members of an object, by a function for their values. */
static void
add_members(MrFacts *facts, const MrFact *pattern, JsonbContainer *object,
			bool as_parts, char *(*describe) (const JsonbValue *))
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbValue	value;

	while (next_member(&it, &key, &value))
	{
		MrFact		fact = *pattern;

		if (as_parts)
			fact.part = mr_json_cstring(&key);
		else
			fact.item = mr_json_cstring(&key);
		fact.value = describe(&value);
		mr_facts_add(facts, &fact);
	}
}

/* The array of columns within an object, or NULL. */
static JsonbContainer *
find_columns(JsonbContainer *object)
{
	static const char *const names[] = {"fields", "columns", "mlflow_colspec"};
	JsonbValue	value;

	for (int i = 0; i < lengthof(names); i++)
		if (mr_json_find(object, names[i], &value) && value.type == jbvBinary &&
			are_columns(value.val.binary.data))
			return value.val.binary.data;
	return NULL;
}

/* Where a schema says its columns: an object whose members they are, an array of them, or NULL. */
JsonbContainer *
mr_schema_columns(JsonbContainer *schema)
{
	JsonbContainer *inner = JsonContainerIsObject(schema) ? find_columns(schema) : schema;

	if (inner == NULL)
		return schema;
	return are_columns(inner) ? inner : NULL;
}

/* The columns of a schema, as parts. */
bool
mr_facts_add_columns(MrFacts *facts, const MrFact *pattern, JsonbContainer *schema)
{
	JsonbContainer *columns = mr_schema_columns(schema);

	if (columns == NULL)
		return false;
	if (JsonContainerIsObject(columns))
		add_members(facts, pattern, columns, true, describe_type);
	else
		add_elements(facts, pattern, columns);
	return true;
}

/* Each of inputs, outputs and params is an item, their columns are parts. */
bool
mr_facts_add_signature(MrFacts *facts, const MrFact *pattern,
					   JsonbContainer *signature)
{
	JsonbIterator *it = JsonbIteratorInit(signature);
	JsonbValue	key;
	JsonbValue	value;

	while (next_member(&it, &key, &value))
	{
		MrFact		fact = *pattern;

		fact.item = mr_json_cstring(&key);
		if (value.type == jbvBinary && are_columns(value.val.binary.data))
			add_elements(facts, &fact, value.val.binary.data);
		else
			add_part(facts, &fact, NULL, json_plain(&value));
	}
	return true;
}

/* The members of an object, as items. */
bool
mr_facts_add_members(MrFacts *facts, const MrFact *pattern, JsonbContainer *object)
{
	add_members(facts, pattern, object, false, json_plain);
	return true;
}
