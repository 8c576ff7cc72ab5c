/*
 * values.c
 *		Targets for JSON, for rows and for searches: canonical JSON is one text
 *		for one value, a signature's normal form is its own, the encoding of a
 *		row can be read back, and so can the key of a place in a search.
 */
#include "postgres.h"

#include <dlfcn.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "base/hash.h"
#include "fuzz.h"
#include "registry/search_path.h"

#define MAX_FIELDS 8
#define UUID_BYTES 16

static FmgrInfo parse_function, equal_function, canonical_function, normalize_function;

static void
prepare(void)
{
	if (parse_function.fn_oid != InvalidOid)
		return;
	fmgr_info_cxt(function_oid("pg_catalog.jsonb_in(cstring)"), &parse_function, TopMemoryContext);
	fmgr_info_cxt(function_oid("pg_catalog.jsonb_eq(jsonb,jsonb)"), &equal_function, TopMemoryContext);
	fmgr_info_cxt(function_oid("modelreg.canonical_json(jsonb)"), &canonical_function, TopMemoryContext);
	fmgr_info_cxt(function_oid("modelreg.normalize_signature(jsonb)"), &normalize_function, TopMemoryContext);
}

static bool
parse_json(const char *text, Datum *value)
{
	Datum		arg = CStringGetDatum(text);

	return try_call(&parse_function, 1, &arg, value);
}

static bool
same_json(Datum a, Datum b)
{
	Datum		args[] = {a, b};

	return DatumGetBool(must_call(&equal_function, 2, args));
}

/* Canonical text of a value, which parses back to it and is canonical. */
static char *
canonical(Datum value)
{
	char	   *json = TextDatumGetCString(must_call(&canonical_function, 1, &value));
	Datum		parsed = (Datum) 0;

	check(parse_json(json, &parsed));
	check(same_json(value, parsed));
	check(strcmp(json, TextDatumGetCString(must_call(&canonical_function, 1, &parsed))) == 0);
	return json;
}

/* One text of JSON, or any value in two spellings, with another value. */
void
fuzz_json(const uint8 *data, size_t len, const char *unused)
{
	Source		source = {data, data + len};
	Source		again;
	Datum		one = (Datum) 0;
	Datum		spelled = (Datum) 0;
	Datum		other = (Datum) 0;

	prepare();
	if (is_text(data, len) && parse_json(pnstrdup((const char *) data, len), &one))
		canonical(one);
	again = source;
	if (!parse_json(next_document(&source, false), &one) ||
		!parse_json(next_document(&again, true), &spelled) ||
		!parse_json(next_document(&source, false), &other))
		return;
	check(strcmp(canonical(one), canonical(spelled)) == 0);
	check((strcmp(canonical(one), canonical(other)) == 0) == same_json(one, other));
}

/* A normal form is its own. */
static void
check_signature(const char *json)
{
	Datum		value = (Datum) 0;
	Datum		normal = (Datum) 0;
	Datum		again = (Datum) 0;

	if (!parse_json(json, &value) ||
		!try_call(&normalize_function, 1, &value, &normal))
		return;
	check(try_call(&normalize_function, 1, &normal, &again) &&
		  same_json(normal, again));
}

/* A text of JSON as it is, and signatures of one column made up, the last as MLflow writes it. */
void
fuzz_signature(const uint8 *data, size_t len, const char *unused)
{
	Source		source = {data, data + len};
	StringInfoData quoted;

	prepare();
	if (is_text(data, len))
		check_signature(pnstrdup((const char *) data, len));
	check_signature(next_document(&source, false));
	source.at = data;
	check_signature(psprintf("{\"inputs\": [%s]}", next_document(&source, false)));
	check_signature(psprintf("{\"params\": [%s]}", next_document(&source, true)));
	source.at = data;
	initStringInfo(&quoted);
	escape_json(&quoted, psprintf("[%s]", next_document(&source, false)));
	check_signature(psprintf("{\"inputs\": %s}", quoted.data));
}

static const Oid field_types[] = {
	TEXTOID, BYTEAOID, JSONBOID, INT8OID, INT4OID, INT2OID, FLOAT8OID,
	TIMESTAMPTZOID, BOOLOID, UUIDOID, TEXTARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID
};

typedef struct Field
{
	Oid			type;
	Datum		value;
	bool		isnull;
} Field;

/* A value from its binary form, as a client would send it. */
static bool
receive(Oid type, const char *data, int len, Datum *value)
{
	StringInfoData buf;
	FmgrInfo	recv;
	Oid			id;
	Oid			param;
	Datum		args[3];

	getTypeBinaryInputInfo(type, &id, &param);
	fmgr_info(id, &recv);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, data, len);
	args[0] = PointerGetDatum(&buf);
	args[1] = ObjectIdGetDatum(param);
	args[2] = Int32GetDatum(-1);
	return try_call(&recv, 3, args, value) && buf.cursor == buf.len;
}

static Datum
make_array(Oid element, Datum *values, bool *nulls, int n)
{
	int			lower = 1;
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(element, &len, &byval, &align);
	return PointerGetDatum(n == 0 ? construct_empty_array(element) :
						   construct_md_array(values, nulls, 1, &n, &lower, element, len, byval, align));
}


static bool
next_array(Source *source, Oid element, Datum *value)
{
	Datum		values[MAX_FIELDS];
	bool		nulls[MAX_FIELDS];
	int			n = next_byte(source) % MAX_FIELDS;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = next_byte(source) % 4 == 0;
		if (!nulls[i] && !next_value(source, element, &values[i]))
			return false;
	}
	*value = make_array(element, values, nulls, n);
	return true;
}

/* A value of a type, or false for bytes that are none. */
bool
next_value(Source *source, Oid type, Datum *value)
{
	char		bytes[UUID_BYTES];
	int			len = get_typlen(type);

	prepare();
	if (len < 0)
		len = next_byte(source) % UUID_BYTES;
	if (get_element_type(type) != InvalidOid)
		return next_array(source, get_element_type(type), value);
	if (type == JSONBOID)
		return parse_json(next_document(source, false), value);
	if (type == TEXTOID)
	{
		*value = CStringGetTextDatum(next_text(source));
		return true;
	}
	for (int i = 0; i < len; i++)
		bytes[i] = next_byte(source);
	return receive(type, bytes, len, value);
}

/* Equal as the type has it, and a float8 bit by bit but for NaNs. */
static bool
same_value(Oid type, Datum a, Datum b)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO);
	Datum		args[] = {a, b};

	if (type == FLOAT8OID)
		return isnan(DatumGetFloat8(a)) ? isnan(DatumGetFloat8(b)) : a == b;
	return DatumGetBool(must_call(&entry->eq_opr_finfo, 2, args));
}

static uint32
read_length(const char *at)
{
	const uint8 *u = (const uint8 *) at;

	return (uint32) u[0] << 24 | u[1] << 16 | u[2] << 8 | u[3];
}

static const char *read_field(const char *at, const char *end, Field *field);

static Datum
read_array(Oid element, const char *at, const char *end)
{
	Datum		values[MAX_FIELDS];
	bool		nulls[MAX_FIELDS];
	int			n = 0;

	while (at < end)
	{
		Field		inner = {.type = element};

		check(n < MAX_FIELDS);
		at = read_field(at, end, &inner);
		values[n] = inner.value;
		nulls[n++] = inner.isnull;
	}
	return make_array(element, values, nulls, n);
}

/* Reads back one field of a type, by docs/audit-format.md; what follows it. */
static const char *
read_field(const char *at, const char *end, Field *field)
{
	uint32		len;

	check(at < end && (*at == 0 || *at == 1));
	field->isnull = *at++ == 0;
	if (field->isnull)
		return at;
	check(end - at >= 4);
	len = read_length(at);
	at += 4;
	check(end - at >= len);
	if (get_element_type(field->type) != InvalidOid)
		field->value = read_array(get_element_type(field->type), at, at + len);
	else if (field->type == JSONBOID)
		check(parse_json(pnstrdup(at, len), &field->value));
	else
		check(receive(field->type, at, len, &field->value));
	return at + len;
}

/* Some fields are encoded, read back, and encoded once more. */
void
fuzz_row(const uint8 *data, size_t len, const char *unused)
{
	Source		source = {data, data + len};
	Field		fields[MAX_FIELDS];
	StringInfoData row;
	StringInfoData again;
	const char *at;
	int			n = 0;

	prepare();
	for (; n < MAX_FIELDS && source.at < source.end; n++)
	{
		uint8		b = next_byte(&source);

		fields[n].type = field_types[b % lengthof(field_types)];
		fields[n].isnull = b >= 0xf0;
		if (!fields[n].isnull && !next_value(&source, fields[n].type, &fields[n].value))
			return;
	}
	initStringInfo(&row);
	initStringInfo(&again);
	for (int i = 0; i < n; i++)
		mr_encode_datum(&row, fields[i].type, fields[i].value, fields[i].isnull);
	at = row.data;
	for (int i = 0; i < n; i++)
	{
		Field		read = {.type = fields[i].type};

		at = read_field(at, row.data + row.len, &read);
		check(read.isnull == fields[i].isnull);
		check(read.isnull || same_value(read.type, read.value, fields[i].value));
		mr_encode_datum(&again, read.type, read.value, read.isnull);
	}
	check(at == row.data + row.len);
	check(row.len == again.len && memcmp(row.data, again.data, row.len) == 0);
}

/* mr_search_key_parse() as a function that fmgr calls. */
static Datum
parse_key(PG_FUNCTION_ARGS)
{
	mr_search_key_parse((MrSearch *) PG_GETARG_POINTER(0), PG_GETARG_CSTRING(1),
						(MrSearchPlace *) PG_GETARG_POINTER(2));
	PG_RETURN_BOOL(true);
}

/* A key that is taken for one is printed as it was. */
static void
check_key(MrSearch *search, const char *key)
{
	MrSearchPlace place;
	Datum		args[] = {PointerGetDatum(search), CStringGetDatum(key), PointerGetDatum(&place)};
	FmgrInfo	function = {.fn_addr = parse_key, .fn_nargs = 3};
	Datum		result;

	if (try_call(&function, 3, args, &result))
		check(strcmp(mr_search_key_print(search, &place), key) == 0);
}

/* Does the pattern stand for the name?  The plain way, which takes long. */
static bool
matches(const char *pattern, const char *name)
{
	if (*pattern == '*')
		return matches(pattern + 1, name) ||
			(*name != '\0' && matches(pattern, name + pg_utf_mblen((const unsigned char *) name)));
	if (*name == '\0' || *pattern == '\0')
		return *name == *pattern;
	if (*pattern == '?')
		return matches(pattern + 1, name + pg_utf_mblen((const unsigned char *) name));
	return *pattern == *name && matches(pattern + 1, name + 1);
}

/* What a key of a search begins with, and the bytes. */
static char *
make_key(const MrSearch *search, const uint8 *bytes, size_t len)
{
	StringInfoData hex;

	initStringInfo(&hex);
	appendStringInfo(&hex, "01%02x", search->path);
	for (int i = 0; i < MR_SEARCH_PRINT_LEN; i++)
		appendStringInfo(&hex, "%02x", search->print[i]);
	for (size_t i = 0; i < len; i++)
		appendStringInfo(&hex, "%02x", bytes[i]);
	return hex.data;
}

/* A key as text, a key of bytes for a path, and a pattern with a name. */
void
fuzz_search(const uint8 *data, size_t len, const char *unused)
{
	MrSearch   *search = palloc0(sizeof(MrSearch));
	Source		source = {data, data + len};
	const int  *npaths;
	char	   *name;

	prepare();
	npaths = dlsym(RTLD_DEFAULT, "mr_search_npaths");
	search->path = next_byte(&source) % *npaths;
	memset(search->print, 0x5a, MR_SEARCH_PRINT_LEN);
	if (is_text(source.at, source.end - source.at))
		check_key(search, pnstrdup((const char *) source.at, source.end - source.at));
	check_key(search, make_key(search, source.at, source.end - source.at));
	name = next_byte(&source) % 2 ? next_text(&source) : next_pattern(&source);
	for (int i = 0; i < 3; i++)
	{
		char	   *pattern = next_pattern(&source);

		check(mr_search_name_matches(pattern, name) == matches(pattern, name));
	}
}
