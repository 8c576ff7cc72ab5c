/*
 * json.c
 *		Canonical JSON: one text for one value, whatever wrote it.
 *
 * Members are ordered by the bytes of their names in UTF-8, numbers are
 * plain decimals without exponent, trailing zeros after the point or minus
 * zero, strings are escaped only where JSON demands it, and there is no
 * white space.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "base/hash.h"

PG_FUNCTION_INFO_V1(modelreg_canonical_json);

/* Has it a character that JSON escapes? */
static bool
needs_escape(const char *val, int len)
{
	for (int i = 0; i < len; i++)
		if ((unsigned char) val[i] < ' ' || val[i] == '"' || val[i] == '\\')
			return true;
	return false;
}

static void
append_string(StringInfo buf, const char *val, int len)
{
	if (needs_escape(val, len))
		escape_json(buf, pnstrdup(val, len));
	else
	{
		appendStringInfoCharMacro(buf, '"');
		appendBinaryStringInfo(buf, val, len);
		appendStringInfoCharMacro(buf, '"');
	}
}

/* As the server prints it, without zeros at the end behind a point. */
static void
append_number(StringInfo buf, Numeric number)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(number)));
	int			len = strlen(text);

	if (strchr(text, '.') != NULL)
	{
		while (text[len - 1] == '0')
			len--;
		if (text[len - 1] == '.')
			len--;
	}
	appendBinaryStringInfo(buf, text, len);
}

static void
append_value(StringInfo buf, JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(buf, "null");
			break;
		case jbvBool:
			appendStringInfoString(buf, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			append_number(buf, value->val.numeric);
			break;
		case jbvString:
			append_string(buf, value->val.string.val, value->val.string.len);
			break;
		case jbvBinary:
			mr_json_canonical(buf, value->val.binary.data);
			break;
		default:
			elog(ERROR, "unexpected jsonb value type %d", (int) value->type);
	}
}

static int
compare_names(const void *a, const void *b)
{
	const JsonbValue *x = &((const JsonbPair *) a)->key;
	const JsonbValue *y = &((const JsonbPair *) b)->key;
	int			common = Min(x->val.string.len, y->val.string.len);
	int			order = memcmp(x->val.string.val, y->val.string.val, common);

	return order != 0 ? order : x->val.string.len - y->val.string.len;
}

static void
append_object(StringInfo buf, JsonbContainer *container)
{
	int			n = JsonContainerSize(container);
	JsonbPair  *pairs = palloc(Max(n, 1) * sizeof(JsonbPair));
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	value;

	JsonbIteratorNext(&it, &value, true);	/* WJB_BEGIN_OBJECT */
	for (int i = 0; i < n; i++)
	{
		JsonbIteratorNext(&it, &pairs[i].key, true);
		JsonbIteratorNext(&it, &pairs[i].value, true);
	}
	qsort(pairs, n, sizeof(JsonbPair), compare_names);
	appendStringInfoChar(buf, '{');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		append_value(buf, &pairs[i].key);
		appendStringInfoChar(buf, ':');
		append_value(buf, &pairs[i].value);
	}
	appendStringInfoChar(buf, '}');
	pfree(pairs);
}

static void
append_array(StringInfo buf, JsonbContainer *container)
{
	int			n = JsonContainerSize(container);
	bool		scalar = JsonContainerIsScalar(container);
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	value;

	JsonbIteratorNext(&it, &value, true);	/* WJB_BEGIN_ARRAY */
	if (!scalar)
		appendStringInfoChar(buf, '[');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		JsonbIteratorNext(&it, &value, true);
		append_value(buf, &value);
	}
	if (!scalar)
		appendStringInfoChar(buf, ']');
}

/* Append the canonical text of a jsonb value. */
void
mr_json_canonical(StringInfo buf, JsonbContainer *container)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (JsonContainerIsObject(container))
		append_object(buf, container);
	else
		append_array(buf, container);
}

char *
mr_json_canonical_cstring(Jsonb *json)
{
	StringInfoData buf;

	initStringInfo(&buf);
	mr_json_canonical(&buf, &json->root);
	return buf.data;
}

/* The SHA-256 of the canonical text, as a digest is written. */
char *
mr_json_digest(Jsonb *json)
{
	char	   *text = mr_json_canonical_cstring(json);
	uint8		hash[MR_HASH_LEN];

	mr_sha256(text, strlen(text), hash);
	return psprintf("sha256:%s", mr_hash_to_hex(hash));
}

/*
 * modelreg.canonical_json(jsonb) returns text: the text that hashes and
 * signatures are computed over.
 */
Datum
modelreg_canonical_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(mr_json_canonical_cstring(PG_GETARG_JSONB_P(0))));
}
