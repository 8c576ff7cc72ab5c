/*
 * types.c
 *		Targets for the types and for names: text and binary forms are fixed
 *		points, comparisons are one total order that agrees with equality and
 *		with both hashes.
 *
 * An input is one to three texts between NULs, and as a whole a binary form.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "fuzz.h"

#define MAX_TEXTS 3

typedef struct TypeFunctions
{
	Oid			type;
	FmgrInfo	in, out, recv, send;
	FmgrInfo	lt, le, eq, ne, ge, gt, cmp;
	FmgrInfo	hash, hash_extended;
	Oid			in_param, recv_param;
} TypeFunctions;

static TypeFunctions f;

static void
look_up(Oid id, FmgrInfo *function)
{
	fmgr_info_cxt(id, function, TopMemoryContext);
}

static void
look_up_named(const char *type, const char *suffix, const char *args, FmgrInfo *function)
{
	look_up(function_oid(psprintf("%s_%s(%s%s)", type, suffix, type,
								  strcmp(args, "2") == 0 ? psprintf(",%s", type) : args)),
			function);
}

/* Once: the fuzzer never changes its target. */
static void
prepare(const char *type)
{
	Oid			id;
	bool		varlena;

	if (f.type != InvalidOid)
		return;
	f.type = DatumGetObjectId(DirectFunctionCall1(regtypein, CStringGetDatum(type)));
	getTypeInputInfo(f.type, &id, &f.in_param);
	look_up(id, &f.in);
	getTypeOutputInfo(f.type, &id, &varlena);
	look_up(id, &f.out);
	getTypeBinaryInputInfo(f.type, &id, &f.recv_param);
	look_up(id, &f.recv);
	getTypeBinaryOutputInfo(f.type, &id, &varlena);
	look_up(id, &f.send);
	look_up_named(type, "lt", "2", &f.lt);
	look_up_named(type, "le", "2", &f.le);
	look_up_named(type, "eq", "2", &f.eq);
	look_up_named(type, "ne", "2", &f.ne);
	look_up_named(type, "ge", "2", &f.ge);
	look_up_named(type, "gt", "2", &f.gt);
	look_up_named(type, "cmp", "2", &f.cmp);
	look_up_named(type, "hash", "", &f.hash);
	look_up_named(type, "hash_extended", ",bigint", &f.hash_extended);
}

static bool
parse(const char *text, Datum *value)
{
	Datum		args[] = {CStringGetDatum(text), ObjectIdGetDatum(f.in_param), Int32GetDatum(-1)};

	return try_call(&f.in, 3, args, value);
}

static bool
receive(const void *data, size_t len, Datum *value)
{
	StringInfoData buf;
	Datum		args[] = {PointerGetDatum(&buf), ObjectIdGetDatum(f.recv_param), Int32GetDatum(-1)};

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, data, len);
	if (!try_call(&f.recv, 3, args, value))
		return false;
	check(buf.cursor == buf.len);
	return true;
}

static int
call2(FmgrInfo *function, Datum a, Datum b)
{
	Datum		args[] = {a, b};

	return DatumGetInt32(must_call(function, 2, args));
}

static bool
holds(FmgrInfo *function, Datum a, Datum b)
{
	Datum		args[] = {a, b};

	return DatumGetBool(must_call(function, 2, args));
}

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

static void
check_pair(Datum a, Datum b)
{
	int			order = sign(call2(&f.cmp, a, b));
	Datum		hash_args[] = {a, Int64GetDatum(42)};
	Datum		hash_args_b[] = {b, Int64GetDatum(42)};

	check(sign(call2(&f.cmp, b, a)) == -order);
	check(holds(&f.lt, a, b) == (order < 0));
	check(holds(&f.le, a, b) == (order <= 0));
	check(holds(&f.eq, a, b) == (order == 0));
	check(holds(&f.ne, a, b) == (order != 0));
	check(holds(&f.ge, a, b) == (order >= 0));
	check(holds(&f.gt, a, b) == (order > 0));
	if (order != 0)
		return;
	check(must_call(&f.hash, 1, &a) == must_call(&f.hash, 1, &b));
	check(DatumGetInt64(must_call(&f.hash_extended, 2, hash_args)) ==
		  DatumGetInt64(must_call(&f.hash_extended, 2, hash_args_b)));
}

/* Printed and parsed, sent and received, a value is the same. */
static void
check_value(Datum value)
{
	char	   *text = DatumGetCString(must_call(&f.out, 1, &value));
	bytea	   *wire = DatumGetByteaP(must_call(&f.send, 1, &value));
	Datum		parsed = (Datum) 0;
	Datum		received = (Datum) 0;
	bytea	   *wire_again;

	check(is_text((uint8 *) text, strlen(text)));
	check(parse(text, &parsed));
	check_pair(value, parsed);
	check(holds(&f.eq, value, parsed));
	check(strcmp(text, DatumGetCString(must_call(&f.out, 1, &parsed))) == 0);
	check(receive(VARDATA(wire), VARSIZE(wire) - VARHDRSZ, &received));
	check_pair(value, received);
	check(holds(&f.eq, value, received));
	wire_again = DatumGetByteaP(must_call(&f.send, 1, &received));
	check(VARSIZE(wire) == VARSIZE(wire_again) && memcmp(wire, wire_again, VARSIZE(wire)) == 0);
}

static void
check_order(Datum a, Datum b, Datum c)
{
	if (holds(&f.le, a, b) && holds(&f.le, b, c))
		check(holds(&f.le, a, c));
}

/* The texts between NULs, each in memory of its own; false if one is none. */
static int
split(const uint8 *data, size_t len, char **texts)
{
	int			n = 0;
	Source		source = {data, data + len};

	while (n < MAX_TEXTS && source.at <= source.end)
	{
		const uint8 *end = memchr(source.at, '\0', source.end - source.at);
		size_t		size = (end == NULL ? source.end : end) - source.at;

		if (is_text(source.at, size))
			texts[n++] = pnstrdup((const char *) source.at, size);
		source.at += size + 1;
	}
	return n;
}

void
fuzz_type(const uint8 *data, size_t len, const char *type)
{
	char	   *texts[MAX_TEXTS];
	int			ntexts = split(data, len, texts);
	Datum		values[MAX_TEXTS + 1];
	int			n = 0;

	prepare(type);
	for (int i = 0; i < ntexts; i++)
		n += parse(texts[i], &values[n]);
	n += receive(data, len, &values[n]);
	for (int i = 0; i < n; i++)
	{
		check_value(values[i]);
		for (int j = 0; j < n; j++)
		{
			check_pair(values[i], values[j]);
			for (int k = 0; k < n; k++)
				check_order(values[i], values[j], values[k]);
		}
	}
}

static FmgrInfo check_name, parse_node_key, uri_in, uri_model, uri_alias;

static void
prepare_names(void)
{
	if (check_name.fn_oid != InvalidOid)
		return;
	look_up(function_oid("modelreg.check_name(text,text)"), &check_name);
	look_up(function_oid("modelreg.parse_node_key(text)"), &parse_node_key);
	look_up(function_oid("modelreg.model_uri_in(cstring)"), &uri_in);
	look_up(function_oid("modelreg.uri_model(modelreg.model_uri)"), &uri_model);
	look_up(function_oid("modelreg.uri_alias(modelreg.model_uri)"), &uri_alias);
}

/* Whatever is a name comes back as it was given. */
static bool
name_ok(const char *sort, const char *name)
{
	Datum		args[] = {CStringGetTextDatum(sort), CStringGetTextDatum(name)};
	Datum		result = (Datum) 0;

	if (!try_call(&check_name, 2, args, &result))
		return false;
	check(strcmp(TextDatumGetCString(result), name) == 0);
	return true;
}

static void
check_uri(const char *uri, FmgrInfo *part, const char *expected)
{
	Datum		arg = CStringGetDatum(uri);
	Datum		parsed = must_call(&uri_in, 1, &arg);

	check(strcmp(TextDatumGetCString(must_call(part, 1, &parsed)), expected) == 0);
}

/* The five fields of a node key, or false. */
static bool
node_key(const char *key, char **fields)
{
	Datum		arg = CStringGetTextDatum(key);
	Datum		record = (Datum) 0;
	bool		isnull;

	if (!try_call(&parse_node_key, 1, &arg, &record))
		return false;
	for (int i = 0; i < 5; i++)
		fields[i] = TextDatumGetCString(GetAttributeByNum(DatumGetHeapTupleHeader(record), i + 1, &isnull));
	return true;
}

static void
check_node_key(const char *key)
{
	char	   *fields[5];
	char	   *again[5];

	if (!node_key(key, fields))
		return;
	check(node_key(fields[4], again));
	for (int i = 0; i < 5; i++)
		check(strcmp(fields[i], again[i]) == 0);
	check(name_ok("team", fields[1]) && name_ok("object", fields[2]));
}

/* Names make qualified names, and these make addresses and node keys. */
void
fuzz_names(const uint8 *data, size_t len, const char *unused)
{
	char	   *texts[MAX_TEXTS];
	int			n = split(data, len, texts);

	prepare_names();
	for (int i = 0; i < n; i++)
	{
		check_node_key(texts[i]);
		if (name_ok("alias", texts[i]))
			check_uri(psprintf("models:/t.m@%s", texts[i]), &uri_alias, texts[i]);
		if (name_ok("qualified", texts[i]))
			check_uri(psprintf("models:/%s", texts[i]), &uri_model, texts[i]);
	}
	if (n < 2)
		return;
	check((name_ok("team", texts[0]) && name_ok("object", texts[1])) ==
		  (strchr(texts[0], '.') == NULL && name_ok("qualified", psprintf("%s.%s", texts[0], texts[1]))));
}
