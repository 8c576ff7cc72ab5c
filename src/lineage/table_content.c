/*
 * table_content.c
 *		What a table of this database holds: columns, number of rows, digest.
 *
 * The table is read as its caller would read it, by one SELECT: his rights and
 * the policies for him hold, and what a view runs, it runs as him.  So this
 * must never happen within the owner switch.
 *
 * All locks are had before the snapshot is taken, so under READ COMMITTED it
 * is of the table as it is described.  An older snapshot, of the
 * transaction, does not see the rows of what was rewritten or truncated since;
 * that is an error rather than a wrong number.
 *
 * The digest is the SHA-256 of the hashes of all rows, in their order; so the
 * order of the rows does not count.  A row's hash covers the texts of its
 * values as their types print them under fixed settings (docs/lineage.md).
 * Memory is work_mem for sorting, and a batch of rows: settings are changed
 * for a batch, not for a row, and never while the SELECT runs.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "audit/audit.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/hash.h"
#include "lineage/table_content.h"

#define BATCH_ROWS 1000
#define BATCH_BYTES (256 * 1024)

/* Everything that the text of a value depends on. */
static const struct
{
	const char *name;
	const char *value;
}			print_settings[] = {
	{"datestyle", "ISO, YMD"},
	{"timezone", "UTC"},
	{"intervalstyle", "postgres"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"},
	{"lc_monetary", "C"},
	/* names of tables, types and functions */
	{"search_path", "pg_catalog, pg_temp"},
	{"quote_all_identifiers", "off"}
};

static int
begin_print(void)
{
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(print_settings); i++)
		(void) set_config_option(print_settings[i].name, print_settings[i].value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	return level;
}

static void
end_print(int level)
{
	AtEOXact_GUC(true, level);
}

/* Where the rows of the SELECT go. */
typedef struct RowSink
{
	DestReceiver pub;
	TupleDesc	desc;
	TupleTableSlot *slot;
	FmgrInfo   *print;			/* output functions, by column */
	MemoryContext batch_context;
	MemoryContext row_context;	/* of one row, while it is hashed */
	MinimalTuple batch[BATCH_ROWS];
	int			nbatch;
	Size		batch_bytes;
	StringInfoData start;		/* what each row's encoding begins with */
	pg_cryptohash_ctx *hash;
	Tuplesortstate *hashes;
} RowSink;

static void
hash_update(pg_cryptohash_ctx *ctx, const void *data, size_t len)
{
	if (pg_cryptohash_update(ctx, data, len) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(ctx));
}

static void
hash_init(pg_cryptohash_ctx *ctx)
{
	if (pg_cryptohash_init(ctx) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(ctx));
}

static void
hash_final(pg_cryptohash_ctx *ctx, void *hash)
{
	if (pg_cryptohash_final(ctx, hash, MR_HASH_LEN) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(ctx));
}

/* A field as mr_encode_bytes() writes it, but straight into the hash. */
static void
hash_field(pg_cryptohash_ctx *ctx, const char *text)
{
	uint32		len = strlen(text);
	uint32		wire = pg_hton32(len);

	hash_update(ctx, "\1", 1);
	hash_update(ctx, &wire, sizeof(wire));
	hash_update(ctx, text, len);
}

/* Hash the row in the slot, and hand the hash to the sort. */
static void
hash_row(RowSink *sink)
{
	MemoryContext old = MemoryContextSwitchTo(sink->row_context);
	bytea	   *hash = palloc(VARHDRSZ + MR_HASH_LEN);

	SET_VARSIZE(hash, VARHDRSZ + MR_HASH_LEN);
	hash_init(sink->hash);
	hash_update(sink->hash, sink->start.data, sink->start.len);
	slot_getallattrs(sink->slot);
	for (int i = 0; i < sink->desc->natts; i++)
	{
		if (sink->slot->tts_isnull[i])
			hash_update(sink->hash, "\0", 1);
		else
			hash_field(sink->hash, OutputFunctionCall(&sink->print[i],
													  sink->slot->tts_values[i]));
	}
	hash_final(sink->hash, VARDATA(hash));
	tuplesort_putdatum(sink->hashes, PointerGetDatum(hash), false);
	MemoryContextSwitchTo(old);
	MemoryContextReset(sink->row_context);
}

static void
hash_batch(RowSink *sink)
{
	int			level = begin_print();

	for (int i = 0; i < sink->nbatch; i++)
	{
		CHECK_FOR_INTERRUPTS();
		ExecStoreMinimalTuple(sink->batch[i], sink->slot, false);
		hash_row(sink);
	}
	ExecClearTuple(sink->slot);
	end_print(level);
	sink->nbatch = 0;
	sink->batch_bytes = 0;
	MemoryContextReset(sink->batch_context);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowSink    *sink = (RowSink *) self;
	MemoryContext old = MemoryContextSwitchTo(sink->batch_context);
	MinimalTuple tuple = ExecCopySlotMinimalTuple(slot);

	MemoryContextSwitchTo(old);
	sink->batch[sink->nbatch++] = tuple;
	sink->batch_bytes += tuple->t_len;
	if (sink->nbatch == BATCH_ROWS || sink->batch_bytes >= BATCH_BYTES)
		hash_batch(sink);
	return true;
}

/* Called in the executor's context, from which nothing may be kept. */
static void
begin_rows(DestReceiver *self, int operation, TupleDesc desc)
{
	RowSink    *sink = (RowSink *) self;
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(sink));

	sink->desc = CreateTupleDescCopy(desc);
	sink->slot = MakeSingleTupleTableSlot(sink->desc, &TTSOpsMinimalTuple);
	sink->print = palloc(Max(desc->natts, 1) * sizeof(FmgrInfo));
	for (int i = 0; i < desc->natts; i++)
	{
		Oid			print;
		bool		is_varlena;

		getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &print, &is_varlena);
		fmgr_info(print, &sink->print[i]);
	}
	MemoryContextSwitchTo(old);
}

static void
end_rows(DestReceiver *self)
{
	hash_batch((RowSink *) self);
}

static void
destroy_sink(DestReceiver *self)
{
}

static RowSink *
make_sink(void)
{
	RowSink    *sink = palloc0(sizeof(RowSink));

	sink->pub.receiveSlot = receive_row;
	sink->pub.rStartup = begin_rows;
	sink->pub.rShutdown = end_rows;
	sink->pub.rDestroy = destroy_sink;
	sink->pub.mydest = DestTuplestore;	/* what SPI discards is no SELECT to it */
	sink->batch_context = AllocSetContextCreate(CurrentMemoryContext,
												"modelreg batch", ALLOCSET_DEFAULT_SIZES);
	sink->row_context = AllocSetContextCreate(CurrentMemoryContext,
											  "modelreg row", ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&sink->start);
	mr_encode_row_start(&sink->start, "table_row", 1);
	sink->hash = pg_cryptohash_create(PG_SHA256);
	sink->hashes = tuplesort_begin_datum(BYTEAOID,
										 lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr,
										 InvalidOid, false, work_mem, NULL,
										 TUPLESORT_NONE);
	return sink;
}

/* The digest over the hashes of all rows, in their order. */
static char *
finish_digest(RowSink *sink)
{
	uint8		digest[MR_HASH_LEN];
	Datum		hash;

	tuplesort_performsort(sink->hashes);
	hash_init(sink->hash);
	while (mr_tuplesort_getdatum(sink->hashes, &hash))
	{
		CHECK_FOR_INTERRUPTS();
		hash_update(sink->hash, VARDATA_ANY(DatumGetPointer(hash)), MR_HASH_LEN);
		pfree(DatumGetPointer(hash));
	}
	hash_final(sink->hash, digest);
	tuplesort_end(sink->hashes);
	pg_cryptohash_free(sink->hash);
	return psprintf("sha256:%s", mr_hash_to_hex(digest));
}

static void
raise_not_found(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the table does not exist"),
			 errhint("Name a table or a view of this database, with its schema."),
			 mr_reason("table_not_found")));
}

static bool
has_rows(char relkind)
{
	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE ||
		relkind == RELKIND_VIEW || relkind == RELKIND_MATVIEW ||
		relkind == RELKIND_FOREIGN_TABLE;
}

/* Open what the caller may read; the lock stays, as that of a SELECT. */
static Relation
open_table(Oid relid)
{
	char		relkind = get_rel_relkind(relid);
	Relation	rel;
	bool		missing = false;

	if (relkind == '\0')
		raise_not_found();
	if (!has_rows(relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is no table and no view", get_rel_name(relid)),
				 errhint("Name a table, a view, a materialized view or a foreign table."),
				 mr_reason("not_a_table")));
	if (pg_class_aclcheck_ext(relid, GetUserId(), ACL_SELECT, &missing) != ACLCHECK_OK &&
		!missing)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(relkind), get_rel_name(relid));
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		raise_not_found();
	return rel;
}

static Jsonb *
describe_column(Form_pg_attribute column)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "name", NameStr(column->attname));
	mr_json_add_text(&json, "type", format_type_with_typemod(column->atttypid,
															 column->atttypmod));
	if (column->attnotnull)
		mr_json_add_bool(&json, "not_null", true);
	return mr_json_end(&json);
}

/* [{"name": "user_age", "type": "integer", "not_null": true}, ...], in order. */
static Jsonb *
describe_columns(TupleDesc desc)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < desc->natts; i++)
	{
		JsonbValue	column;

		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		JsonbToJsonbValue(describe_column(TupleDescAttr(desc, i)), &column);
		pushJsonbValue(&state, WJB_ELEM, &column);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

static void
raise_changed(const MrTableContent *content)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("table %s was changed at the same time", content->relation),
			 errdetail("It, or a table that it reads, was renamed, rewritten or truncated, or is younger than the transaction's snapshot, which does not see its rows."),
			 errhint("Repeat the transaction."),
			 mr_reason("concurrent_update")));
}

/* Does a snapshot see another file of the relation than the present one, or none? */
static bool
is_rewritten(Oid relid, Snapshot snapshot)
{
	Relation	classes = table_open(RelationRelationId, AccessShareLock);
	HeapTuple	now = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	then;
	bool		result;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(classes, ClassOidIndexId, true, snapshot, 1, &key);
	then = systable_getnext(scan);
	result = !HeapTupleIsValid(then) || !HeapTupleIsValid(now) ||
		((Form_pg_class) GETSTRUCT(then))->relfilenode !=
		((Form_pg_class) GETSTRUCT(now))->relfilenode;
	systable_endscan(scan);
	if (HeapTupleIsValid(now))
		ReleaseSysCache(now);
	table_close(classes, AccessShareLock);
	return result;
}

/* Do policies choose among its rows, for whom it is read? */
static bool
has_row_security(const PlannedStmt *plan, RangeTblEntry *entry)
{
	Oid			user;

	return mr_is_named(plan, entry, &user) &&
		check_enable_rls(entry->relid, user, true) == RLS_ENABLED;
}

/*
 * Look at all that the plan reads.  Not its relationOids: the planner puts
 * there whatever a constant of type oid names, be it no relation at all.
 */
static void
examine_plan(const PlannedStmt *plan, MrTableContent *content)
{
	ListCell   *lc;

	content->row_security = false;
	foreach(lc, plan->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);

		if (!OidIsValid(entry->relid))
			continue;
		if (is_rewritten(entry->relid, GetActiveSnapshot()))
			raise_changed(content);
		content->row_security |= has_row_security(plan, entry);
	}
}

/*
 * Plan the SELECT, which locks all that it will read, and push the snapshot
 * under which it is to run.  Names are looked up once more when it is parsed,
 * so it could be about another table of a schema that was just renamed.
 */
static SPIPlanPtr
prepare_select(Oid relid, const char *what, MrTableContent *content)
{
	SPIPlanPtr	plan = SPI_prepare(psprintf("SELECT %s FROM %s", what, content->relation),
								   0, NULL);
	CachedPlanSource *source;
	CachedPlan *planned;

	if (plan == NULL)
		elog(ERROR, "could not prepare a SELECT: %s", SPI_result_code_string(SPI_result));
	source = linitial(SPI_plan_get_plan_sources(plan));
	if (!list_member_oid(source->relationOids, relid))
		raise_changed(content);
	planned = SPI_plan_get_cached_plan(plan);
	PushActiveSnapshot(GetTransactionSnapshot());
	examine_plan(linitial_node(PlannedStmt, planned->stmt_list), content);
	ReleaseCachedPlan(planned, NULL);
	return plan;
}

/* Count the rows, and with a sink hash them, in one SELECT. */
static int64
run_select(Oid relid, MrTableContent *content, RowSink *sink)
{
	SPIExecuteOptions options = {.read_only = true,.dest = sink == NULL ? NULL : &sink->pub};
	SPIPlanPtr	plan;
	int64		rows;
	bool		isnull;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	plan = prepare_select(relid, sink == NULL ? "pg_catalog.count(*)" : "*", content);
	if (SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not read table %s", content->relation);
	rows = sink != NULL ? SPI_processed :
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	PopActiveSnapshot();
	SPI_finish();
	return rows;
}

/*
 * What the functions of a view do must not change for whom the caller acts:
 * he was authorized as another one.
 */
static void
check_same_user(Oid user)
{
	if (GetUserId() != user)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the role changed while the table was read"),
				 mr_reason("restricted_operation")));
}

/* The schema of a session's own tables is called alike in all sessions. */
static void
describe(Relation rel, MrTableContent *content)
{
	int			level = begin_print();
	Oid			schema = RelationGetNamespace(rel);

	content->relation =
		quote_qualified_identifier(isTempNamespace(schema) ? "pg_temp" :
								   get_namespace_name(schema),
								   RelationGetRelationName(rel));
	content->schema = describe_columns(RelationGetDescr(rel));
	end_print(level);
}

/*
 * Read a table as the current user.  Errors: 42501 for who may not, 42P01 and
 * 42809 for what is no table, 40001 for one that was changed meanwhile, and
 * whatever a SELECT raises.
 */
void
mr_table_content_read(Oid relid, bool with_digest, MrTableContent *content)
{
	Oid			user = GetUserId();
	Relation	rel = open_table(relid);
	RowSink    *sink = with_digest ? make_sink() : NULL;

	describe(rel, content);
	content->rows = run_select(relid, content, sink);
	content->digest = sink == NULL ? NULL : finish_digest(sink);
	check_same_user(user);
	relation_close(rel, NoLock);
}
