/*
 * rows.c
 *		Whether each immutable row still has the content that its hash covers.
 *
 * The hash is computed anew here, whatever became of the table's CHECK.  The
 * columns of format 1 are those before "hash"; they are listed here once
 * more, so that a changed table is a finding and not a misread row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "base/hash.h"
#include "verify/verify.h"

/* The rows of a table; a finding calls one by its first columns. */
typedef struct RowTable
{
	const char *name;
	int			nkeys;			/* 0: by its hash */
	const char *columns;		/* of format 1 */
	const char *sql;
	int			team;			/* number of the column team_id */
	int			texts[3];		/* of those that name texts; 0 for none */
} RowTable;

#define NO_TEXTS 0, {0}
#define SELECT_ROWS(table) \
	"SELECT t.* FROM modelreg." table " t WHERE ($1 IS NULL OR t.team_id = $1) AND "
#define OF_MODEL "($2 IS NULL OR t.model_id = $2)"
#define OF_MODELS_NODES(column) \
	"($2 IS NULL OR t." column " IN (SELECT v.node_id FROM modelreg.version v WHERE v.model_id = $2))"

/* Numbers of the table of events, and of its column what. */
#define EVENTS 0
#define EVENT_WHAT 11

static const RowTable tables[] = {
	{"event", 3,
		"chain smallint, chain_id bigint, seq bigint, at timestamp with time zone, kind text, team_id bigint, "
		"who jsonb, application_name text, client_addr text, request_id text, what jsonb, prose bytea, prev bytea",
		SELECT_ROWS("event")
		"($2 IS NULL OR (t.chain IN (4, 5) AND t.chain_id = $2))",
	6, {12}},
	{"payload", 0,
		"salt bytea, body text",
		"SELECT t.salt, t.body, t.digest AS hash, 1::smallint AS format "
		"FROM modelreg.payload t WHERE ($1 IS NULL OR t.team_id = $1) AND $2 IS NULL AND NOT (t.salt IS NULL AND t.body IS NULL)", NO_TEXTS},
	{"node", 1,
		"id bigint, team_id bigint, batch bigint, kind text, name text, version text, supersedes bigint, level integer, "
		"low bigint, input_roles text[], input_ids bigint[], uri text, digest text, rows bigint, properties bytea, "
		"who jsonb, recorded_at timestamp with time zone, occurred_at timestamp with time zone",
		SELECT_ROWS("node") OF_MODELS_NODES("id"),
	2, {15}},
	{"version", 2,
		"model_id bigint, version integer, team_id bigint, node_id bigint, identity uuid, run_id bigint, "
		"registered_at timestamp with time zone, occurred_at timestamp with time zone, who jsonb, request_id text, "
		"description bytea, signature bytea, params bytea, node_hash bytea, training_hash bytea, artifacts_hash bytea",
		SELECT_ROWS("version") OF_MODEL,
	3, {11, 12, 13}},
	{"artifact", 3,
		"model_id bigint, version integer, name text, team_id bigint, digest modelreg.digest, size bigint, media_type text, "
		"uri text, store_version text",
		SELECT_ROWS("artifact") OF_MODEL, NO_TEXTS},
	{"production", 2,
		"model_id bigint, seq bigint, team_id bigint, at timestamp with time zone, version integer, previous_seq bigint",
		SELECT_ROWS("production") OF_MODEL, NO_TEXTS},
	{"traffic_schedule", 2,
		"endpoint_id bigint, seq bigint, team_id bigint, at timestamp with time zone, kind text, rollout bigint, "
		"restored bigint, salt bytea, doc jsonb",
		SELECT_ROWS("traffic_schedule") "$2 IS NULL", NO_TEXTS},
	{"policy", 3,
		"team_id bigint, name text, revision integer, digest bytea, document jsonb, built_in boolean, who jsonb, "
		"recorded_at timestamp with time zone",
		SELECT_ROWS("policy") "($2 IS NULL OR EXISTS (SELECT FROM modelreg.model m WHERE m.id = $2 AND m.policy = t.name AND m.policy_digest = t.digest))", NO_TEXTS},
	{"evidence", 2,
		"team_id bigint, digest bytea, model_id bigint, version integer, document jsonb, recorded_at timestamp with time zone",
		SELECT_ROWS("evidence") OF_MODEL, NO_TEXTS},
	{"evaluation", 1,
		"id bigint, team_id bigint, batch bigint, node_id bigint, kind text, dataset_id bigint, slice text, "
		"metric_names text[], metric_values double precision[], passed boolean, properties bytea, who jsonb, "
		"recorded_at timestamp with time zone, occurred_at timestamp with time zone",
		SELECT_ROWS("evaluation") OF_MODELS_NODES("node_id"),
	2, {11}},
	{"attestation", 1,
		"id bigint, team_id bigint, batch bigint, model_id bigint, version integer, subject text, digest text, predicate_type text, "
		"keys bigint[], envelope bytea, who jsonb, recorded_at timestamp with time zone",
		SELECT_ROWS("attestation") OF_MODEL,
	2, {10}},
	{"note", 1,
		"id bigint, team_id bigint, batch bigint, kind text, model_id bigint, version integer, key text, value bytea, "
		"who jsonb, recorded_at timestamp with time zone",
		SELECT_ROWS("note") OF_MODEL,
	2, {8}},
};

/* Where the columns stand; hash 0 when the table is not as it should be. */
typedef struct RowScan
{
	const RowTable *table;
	bool		started;
	int			hash;			/* number of the column "hash" */
} RowScan;

static char *
list_columns(TupleDesc desc, int natts)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		appendStringInfo(&list, "%s%s %s", i > 0 ? ", " : "",
						 NameStr(column->attname),
						 format_type_be(column->atttypid));
	}
	return list.data;
}

/* Compare the table's columns with those of format 1. */
static void
start_scan(MrVerify *verify, RowScan *scan, TupleDesc desc)
{
	int			hash = SPI_fnumber(desc, "hash");
	char	   *columns = hash > 0 ? list_columns(desc, hash - 1) : "";

	scan->started = true;
	if (strcmp(columns, scan->table->columns) == 0 &&
		SPI_gettypeid(desc, hash) == BYTEAOID &&
		desc->natts == hash + 1 && SPI_fnumber(desc, "format") == hash + 1 &&
		SPI_gettypeid(desc, hash + 1) == INT2OID)
		scan->hash = hash;
	else
		mr_verify_report(verify, "layout", scan->table->name,
						 "the table has other columns than its rows' format: %s",
						 list_columns(desc, desc->natts));
}

/* The arrays that formats have, told without a look at the catalogs. */
static bool
has_shape(Oid type)
{
	return type == TEXTARRAYOID || type == INT8ARRAYOID || type == FLOAT8ARRAYOID;
}

/* Arrays of other shapes have no encoding. */
static bool
can_encode(TupleDesc desc, int natts, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < natts; i++)
	{
		ArrayType  *array;

		if (nulls[i] || !has_shape(TupleDescAttr(desc, i)->atttypid))
			continue;
		array = DatumGetArrayTypeP(values[i]);
		if (ARR_NDIM(array) > 1 || (ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] != 1))
			return false;
	}
	return true;
}

static const char *
check_hash(RowScan *scan, TupleDesc desc, const Datum *values, const bool *nulls)
{
	int			hash = scan->hash - 1;
	bytea	   *stored;

	if (nulls[hash] || nulls[hash + 1])
		return "the row has no hash or no format";
	if (DatumGetInt16(values[hash + 1]) != 1)
		return "the row's format is unknown";
	if (!can_encode(desc, hash, values, nulls))
		return "the row has an array of another shape than its format";
	stored = DatumGetByteaPP(values[hash]);
	if (VARSIZE_ANY_EXHDR(stored) != MR_HASH_LEN ||
		memcmp(VARDATA_ANY(stored),
			   VARDATA(mr_row_hash(scan->table->name, 1, desc, hash, values, nulls)),
			   MR_HASH_LEN) != 0)
		return "the row is not the one that its hash was computed over";
	return NULL;
}

/* A value as SQL prints it; a chain has a name. */
static void
append_key(StringInfo name, const RowTable *table, TupleTableSlot *slot, int i)
{
	Oid			output;
	bool		is_varlena;

	if (slot->tts_isnull[i])
		return;
	if (strcmp(table->name, "event") == 0 && i == 0)
	{
		appendStringInfoString(name, mr_verify_chain_name(DatumGetInt16(slot->tts_values[i])));
		return;
	}
	getTypeOutputInfo(TupleDescAttr(slot->tts_tupleDescriptor, i)->atttypid,
					  &output, &is_varlena);
	appendStringInfoString(name, OidOutputFunctionCall(output, slot->tts_values[i]));
}

/* What a finding calls a row. */
static char *
name_row(const RowScan *scan, TupleTableSlot *slot)
{
	StringInfoData name;
	int			hash = scan->hash - 1;

	initStringInfo(&name);
	appendStringInfo(&name, "%s ", scan->table->name);
	for (int i = 0; i < scan->table->nkeys; i++)
	{
		if (i > 0)
			appendStringInfoChar(&name, '/');
		append_key(&name, scan->table, slot, i);
	}
	if (scan->table->nkeys == 0 && !slot->tts_isnull[hash])
		appendStringInfoString(&name, TextDatumGetCString(DirectFunctionCall2(binary_encode,
																			  slot->tts_values[hash],
																			  CStringGetTextDatum("hex"))));
	return name.data;
}

/* The texts that a row names have to be there. */
static void
name_texts(MrVerify *verify, const RowTable *table, TupleTableSlot *slot)
{
	for (int i = 0; i < lengthof(table->texts) && table->texts[i] != 0; i++)
		if (!slot->tts_isnull[table->texts[i] - 1] && verify->texts != NULL)
			mr_verify_texts_name(verify->texts, slot->tts_values[table->texts[i] - 1],
								 DatumGetInt64(slot->tts_values[table->team - 1]));
}

/* A column that more than one check takes apart is unpacked once. */
static void
unpack(TupleTableSlot *slot, int column)
{
	if (!slot->tts_isnull[column - 1])
		slot->tts_values[column - 1] =
			PointerGetDatum(PG_DETOAST_DATUM(slot->tts_values[column - 1]));
}

static void
check_row(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	RowScan    *scan = state;
	TupleDesc	desc = slot->tts_tupleDescriptor;
	const Datum *values = slot->tts_values;
	bool		is_event = verify->pass != NULL && scan->table == &tables[EVENTS];
	const char *wrong;

	if (!scan->started)
		start_scan(verify, scan, desc);
	if (scan->hash == 0)
		return;
	if (is_event)
		unpack(slot, EVENT_WHAT);
	wrong = check_hash(scan, desc, values, slot->tts_isnull);
	if (wrong != NULL)
		mr_verify_report(verify, "row",
						 name_row(scan, slot), "%s", wrong);
	name_texts(verify, scan->table, slot);
	if (is_event)
		mr_verify_pass_event(verify->pass, values, slot->tts_isnull);
}

static void
verify_table(MrVerify *verify, const void *arg)
{
	RowScan		scan = {.table = arg};

	mr_verify_scan(verify, scan.table->sql, check_row, &scan);
}

static bool
verify_tables(MrVerify *verify)
{
	bool		all_read = true;

	for (int i = 0; i < lengthof(tables); i++)
	{
		bool		read = mr_verify_run(verify, tables[i].name, verify_table, &tables[i]);

		all_read = all_read && read;
	}
	return all_read;
}

/* On the way through all rows of the registry other checks go along. */
void
mr_verify_rows(MrVerify *verify)
{
	if (verify->scope == MR_VERIFY_ALL)
	{
		verify->pass = mr_verify_pass_begin();
		verify->texts = mr_verify_texts_begin();
	}
	if (verify_tables(verify) && verify->scope == MR_VERIFY_ALL)
	{
		mr_verify_pass_end(verify);
		mr_verify_texts_end(verify);
	}
}
