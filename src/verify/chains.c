/*
 * chains.c
 *		The links between the events of each chain, and the rows of facts
 *		that an event covers together.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "base/hash.h"
#include "verify/verify.h"

/* The event before, while walking along the chains. */
typedef struct Link
{
	bool		present;
	int16		chain;
	int64		chain_id;
	int64		seq;
	TimestampTz at;
	uint8		hash[MR_HASH_LEN];
} Link;

static const char events_sql[] =
"SELECT t.chain, t.chain_id, t.seq, t.at, t.prev, t.hash FROM modelreg.event t "
"WHERE ($1 IS NULL OR t.team_id = $1) AND ($2 IS NULL OR (t.chain IN (4, 5) AND t.chain_id = $2)) "
"ORDER BY t.chain, t.chain_id, t.seq";

/* A chain's name, or its number when it is none. */
const char *
mr_verify_chain_name(int16 chain)
{
	return chain >= MR_CHAIN_REGISTRY && chain <= MR_CHAIN_LAST ?
		mr_chain_name(chain) : psprintf("%d", chain);
}

/* The hash of a column into 32 bytes; false when it is none. */
bool
mr_verify_read_hash(Datum value, bool isnull, uint8 *hash)
{
	bytea	   *bytes;

	if (isnull)
		return false;
	bytes = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(bytes) != MR_HASH_LEN)
		return false;
	memcpy(hash, VARDATA_ANY(bytes), MR_HASH_LEN);
	return true;
}

static void
report_gap(MrVerify *verify, const Link *event, int64 first)
{
	char	   *chain = psprintf("chain %s/" INT64_FORMAT,
								 mr_verify_chain_name(event->chain), event->chain_id);

	if (event->seq < first)
		mr_verify_report(verify, "chain", chain,
						 "there is an event " INT64_FORMAT " too many", event->seq);
	else if (event->seq == first + 1)
		mr_verify_report(verify, "chain", chain,
						 "event " INT64_FORMAT " is missing", first);
	else
		mr_verify_report(verify, "chain", chain,
						 "events " INT64_FORMAT " to " INT64_FORMAT " are missing",
						 first, event->seq - 1);
}

/* Compare an event with the one before it, which is present unless it is the first. */
static void
check_link(MrVerify *verify, const Link *last, const Link *event, const uint8 *prev)
{
	static const uint8 zero[MR_HASH_LEN];
	int64		expected = last->present ? last->seq + 1 : 1;
	char	   *object = psprintf("event %s/" INT64_FORMAT "/" INT64_FORMAT,
								  mr_verify_chain_name(event->chain), event->chain_id,
								  event->seq);

	if (event->seq != expected)
		report_gap(verify, event, expected);
	else if (memcmp(prev, last->present ? last->hash : zero, MR_HASH_LEN) != 0)
		mr_verify_report(verify, "chain", object,
						 "prev is not the hash of the event before");
	if (last->present && event->at <= last->at)
		mr_verify_report(verify, "chain", object,
						 "its time is not later than that of the event before");
}

static void
walk_event(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	Link	   *last = state;
	Link		event = {.present = true};
	uint8		prev[MR_HASH_LEN];
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;

	if (nulls[0] || nulls[1] || nulls[2] || nulls[3] ||
		!mr_verify_read_hash(values[4], nulls[4], prev) ||
		!mr_verify_read_hash(values[5], nulls[5], event.hash))
	{
		mr_verify_report(verify, "chain", "event",
						 "an event has no place in any chain");
		return;
	}
	event.chain = DatumGetInt16(values[0]);
	event.chain_id = DatumGetInt64(values[1]);
	event.seq = DatumGetInt64(values[2]);
	event.at = DatumGetTimestampTz(values[3]);
	if (event.chain != last->chain || event.chain_id != last->chain_id)
		last->present = false;
	check_link(verify, last, &event, prev);
	*last = event;
}

static void
verify_links(MrVerify *verify, const void *arg)
{
	Link		last = {0};

	mr_verify_scan(verify, events_sql, walk_event, &last);
}

void
mr_verify_chains(MrVerify *verify)
{
	if (!mr_verify_is_shown(verify, "chains"))
		mr_verify_run(verify, "chains", verify_links, NULL);
}

/*
 * The rows of facts, and the events that cover them, batch by batch.  A
 * batch without rows, and one without an event, come once, with NULLs.
 */
#define FACTS_OF(table) \
	"SELECT t.team_id, t.batch, '" table "' COLLATE \"C\" AS tbl, t.id, t.hash FROM modelreg." table " t " \
	"WHERE t.batch IS NOT NULL AND ($1 IS NULL OR t.team_id = $1)"

static const char facts_sql[] =
"WITH fact AS (" FACTS_OF("attestation") " UNION ALL " FACTS_OF("evaluation") " UNION ALL " FACTS_OF("node") " UNION ALL " FACTS_OF("note") "), "
"covered AS (SELECT e.chain_id, e.seq, e.what, " MR_SQL_INT("e.what->>'batch'") " AS batch "
"FROM modelreg.event e WHERE e.chain = 3 AND e.kind = 'facts_recorded' AND ($1 IS NULL OR e.chain_id = $1)), "
"batch AS (SELECT DISTINCT ON (c.chain_id, c.batch) c.* FROM covered c WHERE c.batch IS NOT NULL "
"ORDER BY c.chain_id, c.batch, c.seq) "
"SELECT COALESCE(f.team_id, b.chain_id), COALESCE(f.batch, b.batch), b.seq, b.what->'rows', b.what->>'digest', "
"f.tbl, f.id, f.hash "
"FROM fact f FULL JOIN batch b ON b.chain_id = f.team_id AND b.batch = f.batch "
"ORDER BY 1, 2, 6, 7";

enum
{
	FACT_TEAM, FACT_BATCH, FACT_SEQ, FACT_ROWS, FACT_DIGEST, FACT_TABLE,
	FACT_ID, FACT_HASH, FACT_COLUMNS
};

/* Tables of facts in the order of their names, as the digest takes them. */
static const char *const fact_tables[] = {"attestation", "evaluation", "node", "note"};

/* The batch that is being read. */
typedef struct Batch
{
	bool		present;
	int64		team;
	int64		batch;
	int64		seq;			/* of the event; 0 for none */
	MemoryContext context;
	char	   *told;			/* canonical JSON of the event's rows */
	char	   *digest;
	int64		counts[lengthof(fact_tables)];
	uint8		running[MR_HASH_LEN];
} Batch;

static char *
print_counts(const Batch *batch)
{
	MrJson		json;

	mr_json_begin(&json);
	for (int i = 0; i < lengthof(fact_tables); i++)
		if (batch->counts[i] > 0)
			mr_json_add_int(&json, fact_tables[i], batch->counts[i]);
	return mr_json_canonical_cstring(mr_json_end(&json));
}

/* All rows of a batch were read: compare with what its event says. */
static void
finish_batch(MrVerify *verify, Batch *batch)
{
	char	   *object;
	char	   *found;

	if (!batch->present || batch->seq == 0)
		return;
	object = psprintf("event facts/" INT64_FORMAT "/" INT64_FORMAT,
					  batch->team, batch->seq);
	found = print_counts(batch);
	if (strcmp(found, batch->told) != 0)
		mr_verify_report(verify, "facts", object,
						 "it tells of the rows %s, there are %s",
						 batch->told, found);
	else if (strcmp(batch->digest, mr_hash_to_hex(batch->running)) != 0)
		mr_verify_report(verify, "facts", object,
						 "its digest is not that of the rows %s of batch " INT64_FORMAT,
						 found, batch->batch);
}

static void
start_batch(Batch *batch, const Datum *values, const bool *nulls)
{
	MemoryContext context = batch->context;
	MemoryContext old;

	MemoryContextReset(context);
	memset(batch, 0, sizeof(Batch));
	batch->context = context;
	batch->present = true;
	batch->team = DatumGetInt64(values[FACT_TEAM]);
	batch->batch = DatumGetInt64(values[FACT_BATCH]);
	if (nulls[FACT_SEQ])
		return;
	old = MemoryContextSwitchTo(context);
	batch->seq = DatumGetInt64(values[FACT_SEQ]);
	batch->told = nulls[FACT_ROWS] ? pstrdup("null") :
		mr_json_canonical_cstring(DatumGetJsonbP(values[FACT_ROWS]));
	batch->digest = nulls[FACT_DIGEST] ? pstrdup("") :
		TextDatumGetCString(values[FACT_DIGEST]);
	MemoryContextSwitchTo(old);
}

static void
add_fact(Batch *batch, const char *table, int64 id, const uint8 *hash)
{
	StringInfoData buf;

	for (int i = 0; i < lengthof(fact_tables); i++)
		if (strcmp(fact_tables[i], table) == 0)
			batch->counts[i]++;
	initStringInfo(&buf);
	mr_encode_row_start(&buf, "facts", 1);
	mr_encode_bytes(&buf, batch->running, MR_HASH_LEN);
	mr_encode_bytes(&buf, table, strlen(table));
	mr_encode_datum(&buf, INT8OID, Int64GetDatum(id), false);
	mr_encode_bytes(&buf, hash, MR_HASH_LEN);
	mr_sha256(buf.data, buf.len, batch->running);
}

static void
walk_fact(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	Batch	   *batch = state;
	uint8		hash[MR_HASH_LEN] = {0};
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;
	char	   *table;

	if (!batch->present || batch->team != DatumGetInt64(values[FACT_TEAM]) ||
		batch->batch != DatumGetInt64(values[FACT_BATCH]))
	{
		finish_batch(verify, batch);
		start_batch(batch, values, nulls);
	}
	if (nulls[FACT_TABLE] || nulls[FACT_ID])
		return;
	table = TextDatumGetCString(values[FACT_TABLE]);
	(void) mr_verify_read_hash(values[FACT_HASH], nulls[FACT_HASH], hash);
	add_fact(batch, table, DatumGetInt64(values[FACT_ID]), hash);
	if (batch->seq == 0 && !mr_fact_batch_is_open(batch->batch))
		mr_verify_report(verify, "facts",
						 psprintf("%s " INT64_FORMAT, table,
								  DatumGetInt64(values[FACT_ID])),
						 "no event covers its batch " INT64_FORMAT,
						 batch->batch);
}

static void
verify_batches(MrVerify *verify, const void *arg)
{
	Batch		batch = {0};

	batch.context = AllocSetContextCreate(CurrentMemoryContext,
										  "modelreg verify batch",
										  ALLOCSET_SMALL_SIZES);
	mr_verify_scan(verify, facts_sql, walk_fact, &batch);
	finish_batch(verify, &batch);
	MemoryContextDelete(batch.context);
}

void
mr_verify_facts(MrVerify *verify)
{
	if (verify->scope != MR_VERIFY_MODEL)
		mr_verify_run(verify, "facts", verify_batches, NULL);
}
