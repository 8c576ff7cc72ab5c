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

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/hash.h"

PG_FUNCTION_INFO_V1(modelreg_canonical_json);

/* Of objects and arrays within each other, in what is stored. */
#define DEPTH_MAX 256

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
		mr_append(buf, "\"", 1);
		mr_append(buf, val, len);
		mr_append(buf, "\"", 1);
	}
}

/* A numeric as it is stored in its short form, which pg_upgrade keeps. */
#define IS_SHORT(header) (((header) & 0xC000) == 0x8000)
#define NEGATIVE_OR_SCALED 0x3F80	/* or, with the next bit, below 1 */
#define BELOW_ONE 0x0040
#define WEIGHT 0x003F
#define DIGITS_OF_16 3

/*
 * Nearly all numbers are small and whole: these are read from their digits to
 * the base 10000, since the server takes longer to print one than to hash a row.
 */
static bool
read_small(Numeric number, uint64 *value)
{
	struct varlena *stored = (struct varlena *) number;
	const uint16 *words = (const uint16 *) VARDATA_ANY(stored);
	int			ndigits = VARSIZE_ANY_EXHDR(stored) / sizeof(uint16) - 1;

	if (VARATT_IS_1B(stored) || !IS_SHORT(words[0]) ||
		(words[0] & (NEGATIVE_OR_SCALED | BELOW_ONE)) != 0 ||
		(words[0] & WEIGHT) > DIGITS_OF_16 || ndigits > (words[0] & WEIGHT) + 1)
		return false;
	*value = 0;
	for (int i = 0; i <= (words[0] & WEIGHT); i++)
		*value = *value * 10000 + (i < ndigits ? words[i + 1] : 0);
	return true;
}

/* As the server prints it, without zeros at the end behind a point. */
static void
append_number(StringInfo buf, Numeric number)
{
	char		digits[MAXINT8LEN + 1];
	uint64		value;
	char	   *text;
	int			len;

	if (read_small(number, &value))
	{
		mr_append(buf, digits, pg_ulltoa_n(value, digits));
		return;
	}
	text = DatumGetCString(DirectFunctionCall1(numeric_out,
											   NumericGetDatum(number)));
	len = strlen(text);
	if (strchr(text, '.') != NULL)
	{
		while (text[len - 1] == '0')
			len--;
		if (text[len - 1] == '.')
			len--;
	}
	mr_append(buf, text, len);
}

/* An entry of a container: its kind, and where it is. */
typedef struct Entry
{
	JEntry		kind;
	char	   *data;			/* a number or container is aligned behind it */
	int			len;
} Entry;

typedef struct Member
{
	Entry		name;
	Entry		value;
} Member;

/* Read entry i of so many, which begins at an offset: where the next one does. */
static uint32
read_entry(JsonbContainer *container, int i, int n, uint32 offset, Entry *entry)
{
	char	   *data = (char *) &container->children[n];
	uint32		end = offset;

	entry->kind = container->children[i];
	JBE_ADVANCE_OFFSET(end, entry->kind);
	entry->data = data + (JBE_ISSTRING(entry->kind) ? offset : INTALIGN(offset));
	entry->len = end - offset;
	return end;
}

static void
append_entry(StringInfo buf, const Entry *entry)
{
	if (JBE_ISSTRING(entry->kind))
		append_string(buf, entry->data, entry->len);
	else if (JBE_ISNUMERIC(entry->kind))
		append_number(buf, (Numeric) entry->data);
	else if (JBE_ISNULL(entry->kind))
		mr_append(buf, "null", 4);
	else if (JBE_ISBOOL_TRUE(entry->kind))
		mr_append(buf, "true", 4);
	else if (JBE_ISBOOL_FALSE(entry->kind))
		mr_append(buf, "false", 5);
	else
		mr_json_canonical(buf, (JsonbContainer *) entry->data);
}

static int
compare_names(const void *a, const void *b)
{
	const Entry *x = &((const Member *) a)->name;
	const Entry *y = &((const Member *) b)->name;
	int			order = memcmp(x->data, y->data, Min(x->len, y->len));

	return order != 0 ? order : x->len - y->len;
}

/* What most objects have; their members need no memory of their own. */
#define FEW_MEMBERS 16

/* In the order of their names.  A few are nearly in order already, as jsonb puts shorter names first. */
static void
sort_members(Member *members, int n)
{
	if (n > FEW_MEMBERS)
		qsort(members, n, sizeof(Member), compare_names);
	else
		for (int i = 1; i < n; i++)
			for (int k = i; k > 0 && compare_names(&members[k - 1], &members[k]) > 0; k--)
			{
				Member		member = members[k];

				members[k] = members[k - 1];
				members[k - 1] = member;
			}
}

static void
append_members(StringInfo buf, JsonbContainer *container, Member *members, int n)
{
	uint32		offset = 0;

	for (int i = 0; i < n; i++)
		offset = read_entry(container, i, 2 * n, offset, &members[i].name);
	for (int i = 0; i < n; i++)
		offset = read_entry(container, n + i, 2 * n, offset, &members[i].value);
	sort_members(members, n);
	for (int i = 0; i < n; i++)
	{
		mr_append(buf, i == 0 ? "{" : ",", 1);
		append_entry(buf, &members[i].name);
		mr_append(buf, ":", 1);
		append_entry(buf, &members[i].value);
	}
}

static void
append_object(StringInfo buf, JsonbContainer *container)
{
	Member		few[FEW_MEMBERS];
	int			n = JsonContainerSize(container);
	Member	   *members = n <= FEW_MEMBERS ? few : palloc(n * sizeof(Member));

	append_members(buf, container, members, n);
	mr_append(buf, n == 0 ? "{}" : "}", n == 0 ? 2 : 1);
	if (members != few)
		pfree(members);
}

static void
append_array(StringInfo buf, JsonbContainer *container)
{
	int			n = JsonContainerSize(container);
	bool		scalar = JsonContainerIsScalar(container);
	uint32		offset = 0;
	Entry		entry;

	if (!scalar)
		mr_append(buf, "[", 1);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			mr_append(buf, ",", 1);
		offset = read_entry(container, i, n, offset, &entry);
		append_entry(buf, &entry);
	}
	if (!scalar)
		mr_append(buf, "]", 1);
}

/* Append the canonical text of a jsonb value, without a NUL after it. */
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
mr_json_container_cstring(JsonbContainer *container)
{
	StringInfoData buf;

	initStringInfo(&buf);
	mr_json_canonical(&buf, container);
	buf.data[buf.len] = '\0';
	return buf.data;
}

char *
mr_json_canonical_cstring(Jsonb *json)
{
	return mr_json_container_cstring(&json->root);
}

/*
 * Error 54000 for JSON that is nested so deep that not everybody who has to
 * read it could: the server reads it by recursion, verify() from further down
 * the stack than who wrote it.
 */
void
mr_json_check_depth(Jsonb *json, const char *name)
{
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			depth = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		depth += token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY;
		depth -= token == WJB_END_OBJECT || token == WJB_END_ARRAY;
		if (depth > DEPTH_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("argument \"%s\" is nested more than %d deep", name, DEPTH_MAX),
					 errhint("Store it as an artifact, or as a text."),
					 mr_reason("json_too_deep")));
	}
}

static void
read_value(const Entry *entry, JsonbValue *value)
{
	if (JBE_ISSTRING(entry->kind))
	{
		value->type = jbvString;
		value->val.string.val = entry->data;
		value->val.string.len = entry->len;
	}
	else if (JBE_ISNUMERIC(entry->kind))
	{
		value->type = jbvNumeric;
		value->val.numeric = (Numeric) entry->data;
	}
	else if (JBE_ISNULL(entry->kind))
		value->type = jbvNull;
	else if (JBE_ISCONTAINER(entry->kind))
	{
		value->type = jbvBinary;
		value->val.binary.data = (JsonbContainer *) entry->data;
		value->val.binary.len = entry->len;
	}
	else
	{
		value->type = jbvBool;
		value->val.boolean = JBE_ISBOOL_TRUE(entry->kind);
	}
}

static bool
is_named(const Entry *entry, const char *name)
{
	return entry->len == strlen(name) && memcmp(entry->data, name, entry->len) == 0;
}

/* A member of an object, null too; false if there is none. */
bool
mr_json_find(JsonbContainer *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, name, strlen(name), value) != NULL;
}

bool
mr_json_has(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value);
}

/* A value that is known to be a string. */
char *
mr_json_cstring(const JsonbValue *string)
{
	return pnstrdup(string->val.string.val, string->val.string.len);
}

/*
 * Members of an object by their names, which come in jsonb's own order:
 * shorter ones first.  False if it has not all of them, or is no object.
 */
bool
mr_json_read(JsonbContainer *object, const char *const *names, int n,
			 JsonbValue *values)
{
	int			size = JsonContainerSize(object);
	int			places[MR_JSON_READ_MAX];
	int			found = 0;
	uint32		offset = 0;
	Entry		entry;

	Assert(n <= MR_JSON_READ_MAX);
	if (!JsonContainerIsObject(object))
		return false;
	for (int i = 0; i < size; i++)
	{
		offset = read_entry(object, i, 2 * size, offset, &entry);
		if (found < n && is_named(&entry, names[found]))
			places[found++] = i;
	}
	if (found < n)
		return false;
	for (int i = 0, k = 0; k < n; i++)
	{
		offset = read_entry(object, size + i, 2 * size, offset, &entry);
		if (places[k] == i)
			read_value(&entry, &values[k++]);
	}
	return true;
}

/* A whole number from 0 to 9999999999999999; false for anything else. */
bool
mr_json_to_int(const JsonbValue *value, int64 *number)
{
	uint64		small;

	if (value->type != jbvNumeric || !read_small(value->val.numeric, &small))
		return false;
	*number = (int64) small;
	return true;
}

/* The SHA-256 of the canonical text. */
bytea *
mr_json_hash(Jsonb *json)
{
	char	   *text = mr_json_canonical_cstring(json);

	return mr_sha256_bytea(text, strlen(text));
}

/* The same as a digest is written. */
char *
mr_json_digest(Jsonb *json)
{
	return psprintf("sha256:%s", mr_hash_to_hex((uint8 *) VARDATA(mr_json_hash(json))));
}

#if PG_VERSION_NUM >= 160000

/* The JSON of a text that may be none: NULL then. */
Jsonb *
mr_jsonb_from_text(const char *text)
{
	ErrorSaveContext escontext = {.type = T_ErrorSaveContext};
	Datum		json;

	if (!DirectInputFunctionCallSafe(jsonb_in, unconstify(char *, text),
									 JSONBOID, -1, (Node *) &escontext, &json))
		return NULL;
	return DatumGetJsonbP(json);
}

#else

/* The same; the parser holds nothing that an error would have to give back. */
Jsonb *
mr_jsonb_from_text(const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile json = NULL;

	PG_TRY();
	{
		json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	return json;
}

#endif

/*
 * modelreg.canonical_json(jsonb) returns text: the text that hashes and
 * signatures are computed over.
 */
Datum
modelreg_canonical_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(mr_json_canonical_cstring(PG_GETARG_JSONB_P(0))));
}
