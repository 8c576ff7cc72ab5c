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
append_small(StringInfo buf, Numeric number)
{
	struct varlena *stored = (struct varlena *) number;
	const uint16 *words = (const uint16 *) VARDATA_ANY(stored);
	int			ndigits = VARSIZE_ANY_EXHDR(stored) / sizeof(uint16) - 1;
	uint64		value = 0;
	char		text[MAXINT8LEN + 1];

	if (VARATT_IS_1B(stored) || !IS_SHORT(words[0]) ||
		(words[0] & (NEGATIVE_OR_SCALED | BELOW_ONE)) != 0 ||
		(words[0] & WEIGHT) > DIGITS_OF_16 || ndigits > (words[0] & WEIGHT) + 1)
		return false;
	for (int i = 0; i <= (words[0] & WEIGHT); i++)
		value = value * 10000 + (i < ndigits ? words[i + 1] : 0);
	mr_append(buf, text, pg_ulltoa_n(value, text));
	return true;
}

/* As the server prints it, without zeros at the end behind a point. */
static void
append_number(StringInfo buf, Numeric number)
{
	char	   *text;
	int			len;

	if (append_small(buf, number))
		return;
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

static void
append_members(StringInfo buf, JsonbContainer *container, Member *members, int n)
{
	uint32		offset = 0;

	for (int i = 0; i < n; i++)
		offset = read_entry(container, i, 2 * n, offset, &members[i].name);
	for (int i = 0; i < n; i++)
		offset = read_entry(container, n + i, 2 * n, offset, &members[i].value);
	qsort(members, n, sizeof(Member), compare_names);
	for (int i = 0; i < n; i++)
	{
		mr_append(buf, i == 0 ? "{" : ",", 1);
		append_entry(buf, &members[i].name);
		mr_append(buf, ":", 1);
		append_entry(buf, &members[i].value);
	}
}

/* What most objects have; their members need no memory of their own. */
#define FEW_MEMBERS 16

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
