/*
 * table.c
 *		Finding, locking and writing rows of the registry's own tables.
 *
 * All rows are written here, through the executor's simple insert, update
 * and delete, so that indexes, CHECKs and triggers hold.  An insert fills the
 * column "hash", which covers all columns before it, and "format", which
 * follows it.  An update or delete opens the guard for that one row and that
 * one command.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "base/checks.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/owner.h"
#include "base/snapshot.h"
#include "base/table.h"

struct MrScan
{
	MrTable    *table;
	Relation	index;
	IndexScanDesc scan;
	Snapshot	latest;			/* registered here, or NULL */
};

/* The one row and command that the guard lets pass, and only once. */
static struct
{
	Oid			relation;
	ItemPointerData tid;
	CmdType		command;
}			armed;

static AttrNumber
find_hash_column(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), "hash") == 0)
			return i + 1;
	return 0;
}

static void
open_executor(MrTable *table)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	rte->rtekind = RTE_RELATION;
	rte->relid = RelationGetRelid(table->rel);
	rte->relkind = table->rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
	table->estate = CreateExecutorState();
	mr_init_range_table(table->estate, rte);
	table->result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(table->result_rel, table->rel, 1, NULL, 0);
	ExecOpenIndices(table->result_rel, false);
	table->new_slot = table_slot_create(table->rel, NULL);
}

static MrTable *
open_table(const char *name, LOCKMODE mode)
{
	MrTable    *table = palloc0(sizeof(MrTable));

	table->name = name;
	table->rel = table_open(mr_relation_oid(name), mode);
	table->slot = table_slot_create(table->rel, NULL);
	return table;
}

/* Open one of the registry's tables to write rows. */
MrTable *
mr_table_open(const char *name)
{
	MrTable    *table = open_table(name, RowExclusiveLock);

	table->hash_attno = find_hash_column(RelationGetDescr(table->rel));
	open_executor(table);
	return table;
}

/* Open one of the registry's tables to find rows; holds on a standby. */
MrTable *
mr_table_open_read(const char *name)
{
	return open_table(name, AccessShareLock);
}

/* Close the table; locks stay until the end of the transaction. */
void
mr_table_close(MrTable *table)
{
	if (table->finder != NULL)
		mr_scan_end(table->finder);
	if (table->estate != NULL)
	{
		ExecCloseIndices(table->result_rel);
		ExecResetTupleTable(table->estate->es_tupleTable, false);
		ExecDropSingleTupleTableSlot(table->new_slot);
		FreeExecutorState(table->estate);
	}
	ExecDropSingleTupleTableSlot(table->slot);
	table_close(table->rel, NoLock);
	pfree(table);
}

/*
 * The function of an operator of an index.  Equality, which is nearly all, is
 * in the cache of types.
 */
static FmgrInfo *
index_operator(Relation index, int column, StrategyNumber strategy,
			   FmgrInfo *other)
{
	Oid			family = index->rd_opfamily[column];
	Oid			type = index->rd_opcintype[column];

	if (strategy == BTEqualStrategyNumber)
	{
		TypeCacheEntry *known = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO |
												  TYPECACHE_BTREE_OPFAMILY);

		if (known->btree_opf == family && OidIsValid(known->eq_opr_finfo.fn_oid))
			return &known->eq_opr_finfo;
	}
	fmgr_info(get_opcode(get_opfamily_member(family, type, type, strategy)), other);
	return other;
}

static void
init_key(ScanKey key, Relation index, int column, StrategyNumber strategy,
		 Datum value)
{
	FmgrInfo	other;

	ScanKeyEntryInitializeWithInfo(key, 0, column + 1, strategy, InvalidOid,
								   index->rd_indcollation[column],
								   index_operator(index, column, strategy, &other),
								   value);
}

static MrScan *
open_scan(MrTable *table, const char *index, Snapshot snapshot)
{
	MrScan	   *scan = palloc(sizeof(MrScan));

	scan->table = table;
	scan->index = index_open(mr_relation_oid(index), AccessShareLock);
	scan->latest = snapshot == NULL ? RegisterSnapshot(mr_latest_snapshot()) : NULL;
	return scan;
}

static void
start_scan(MrScan *scan, Snapshot snapshot, ScanKey keys, int nkeys)
{
	scan->scan = mr_index_beginscan(scan->table->rel, scan->index,
									snapshot ? snapshot : scan->latest, nkeys);
	index_rescan(scan->scan, keys, nkeys, NULL, 0);
}

static MrScan *
begin_scan(MrTable *table, const char *index, int nkeys, const Datum *keys,
		   StrategyNumber last, Snapshot snapshot)
{
	MrScan	   *scan = open_scan(table, index, snapshot);
	ScanKeyData scankeys[INDEX_MAX_KEYS];

	for (int i = 0; i < nkeys; i++)
		init_key(&scankeys[i], scan->index, i,
				 i == nkeys - 1 ? last : BTEqualStrategyNumber, keys[i]);
	start_scan(scan, snapshot, scankeys, nkeys);
	return scan;
}

/*
 * Scan by the first nkeys columns of an index.  The keys have the columns'
 * exact types.  A snapshot NULL stands for the latest.  mr_scan_next() leaves
 * each row in the table's slot.
 */
MrScan *
mr_scan_begin(MrTable *table, const char *index, int nkeys,
			  const Datum *keys, Snapshot snapshot)
{
	return begin_scan(table, index, nkeys, keys, BTEqualStrategyNumber, snapshot);
}

/* The same, but the last key is an upper bound, which is included. */
MrScan *
mr_scan_begin_to(MrTable *table, const char *index, int nkeys,
				 const Datum *keys, Snapshot snapshot)
{
	return begin_scan(table, index, nkeys, keys, BTLessEqualStrategyNumber,
					  snapshot);
}

/* The order function of a column of an index, with the value to compare. */
static void
init_row_member(ScanKey key, Relation index, int column,
				StrategyNumber strategy, Datum value, int flags)
{
	Oid			type = index->rd_opcintype[column];
	Oid			order = get_opfamily_proc(index->rd_opfamily[column],
										  type, type, BTORDER_PROC);

	ScanKeyEntryInitialize(key, SK_ROW_MEMBER | flags, column + 1, strategy,
						   InvalidOid, index->rd_indcollation[column], order,
						   value);
}

/* Compare several columns as one row; the index wants two or more. */
static void
init_row_key(ScanKey key, Relation index, const MrPlace *place,
			 StrategyNumber strategy)
{
	/* the scan keeps a pointer to the members */
	ScanKey		members = palloc(place->nplace * sizeof(ScanKeyData));

	for (int i = 0; i < place->nplace; i++)
		init_row_member(&members[i], index, place->nequal + i, strategy,
						place->place[i],
						i == place->nplace - 1 ? SK_ROW_END : 0);
	key->sk_flags = SK_ROW_HEADER;
	key->sk_attno = place->nequal + 1;
	key->sk_strategy = strategy;
	key->sk_argument = PointerGetDatum(members);
}

/*
 * Scan from a place on, in the direction in which mr_scan_next() is then
 * called: the first nequal columns have these values, and the next nplace
 * come, as one row, behind those of the place, or at it if inclusive.
 */
MrScan *
mr_scan_begin_from(MrTable *table, const char *index, const MrPlace *place,
				   Snapshot snapshot)
{
	StrategyNumber strategy = place->backward ?
		(place->inclusive ? BTLessEqualStrategyNumber : BTLessStrategyNumber) :
		(place->inclusive ? BTGreaterEqualStrategyNumber : BTGreaterStrategyNumber);
	MrScan	   *scan = open_scan(table, index, snapshot);
	ScanKeyData keys[INDEX_MAX_KEYS + 1] = {0};
	int			nkeys = place->nequal;

	for (int i = 0; i < nkeys; i++)
		init_key(&keys[i], scan->index, i, BTEqualStrategyNumber, place->equal[i]);
	if (place->nplace == 1)
	{
		init_key(&keys[nkeys], scan->index, nkeys, strategy, place->place[0]);
		nkeys++;
	}
	else if (place->nplace > 1)
		init_row_key(&keys[nkeys++], scan->index, place, strategy);
	start_scan(scan, snapshot, keys, nkeys);
	return scan;
}

/* The index allocates what it needs until the end at any step, so not in the caller's memory. */
bool
mr_scan_next(MrScan *scan, bool backward)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(scan));
	bool		found;

	CHECK_FOR_INTERRUPTS();
	found = index_getnext_slot(scan->scan,
							   backward ? BackwardScanDirection : ForwardScanDirection,
							   scan->table->slot);
	MemoryContextSwitchTo(old);
	return found;
}

void
mr_scan_end(MrScan *scan)
{
	index_endscan(scan->scan);
	index_close(scan->index, NoLock);
	if (scan->latest != NULL)
		UnregisterSnapshot(scan->latest);
	pfree(scan);
}

/* Can the scan that found a row before find one by these keys? */
static bool
finder_fits(const MrTable *table, const char *index, int nkeys, Snapshot snapshot)
{
	return table->finder != NULL && strcmp(table->finder_index, index) == 0 &&
		table->finder->scan->numberOfKeys == nkeys &&
		table->finder->scan->xs_snapshot == snapshot;
}

/* Begin the scan anew with other values of its keys. */
static void
restart_scan(MrScan *scan, int nkeys, const Datum *keys)
{
	for (int i = 0; i < nkeys; i++)
		scan->scan->keyData[i].sk_argument = keys[i];
	index_rescan(scan->scan, NULL, nkeys, NULL, 0);
}

/*
 * Who reads mostly looks up one key after another: the scan stays open, as
 * opening one takes as long as a look-up of what is in the processor's cache.
 * It keeps what it allocates.
 */
static bool
find_to_read(MrTable *table, const char *index, int nkeys, const Datum *keys,
			 Snapshot snapshot)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	bool		found;

	if (finder_fits(table, index, nkeys, snapshot))
		restart_scan(table->finder, nkeys, keys);
	else
	{
		if (table->finder != NULL)
			mr_scan_end(table->finder);
		table->finder = NULL;
		table->finder = mr_scan_begin(table, index, nkeys, keys, snapshot);
		table->finder_index = index;
	}
	found = mr_scan_next(table->finder, false);
	MemoryContextSwitchTo(old);
	return found;
}

/*
 * Find the first row by the leading columns of an index, as a snapshot (NULL:
 * the latest) sees it, and leave it in the table's slot.
 */
bool
mr_table_find(MrTable *table, const char *index, int nkeys,
			  const Datum *keys, Snapshot snapshot)
{
	MrScan	   *scan;
	bool		found;

	if (table->estate == NULL && snapshot != NULL)
		return find_to_read(table, index, nkeys, keys, snapshot);
	scan = mr_scan_begin(table, index, nkeys, keys, snapshot);
	found = mr_scan_next(scan, false);
	/* who will write waits for locks, and must not keep the page from VACUUM */
	if (found && table->estate != NULL)
		ExecMaterializeSlot(table->slot);
	mr_scan_end(scan);
	return found;
}

/* The same as everything committed so far, and this transaction, sees it. */
bool
mr_table_find_latest(MrTable *table, const char *index, int nkeys,
					 const Datum *keys)
{
	return mr_table_find(table, index, nkeys, keys, NULL);
}

/* The next row that a table open for reading has by the keys found last. */
bool
mr_table_find_next(MrTable *table)
{
	return mr_scan_next(table->finder, false);
}

/*
 * The transaction in progress that inserts a row with the key, if there is
 * one; found says whether there is any row, committed or not.
 */
static TransactionId
find_inserter(MrTable *table, const char *index, int nkeys, const Datum *keys,
			  bool *found)
{
	SnapshotData dirty;
	MrScan	   *scan;
	TransactionId inserter = InvalidTransactionId;

	*found = false;
	InitDirtySnapshot(dirty);
	scan = mr_scan_begin(table, index, nkeys, keys, &dirty);
	while (!TransactionIdIsValid(inserter) && mr_scan_next(scan, false))
	{
		*found = true;
		inserter = dirty.xmin;
	}
	mr_scan_end(scan);
	ExecClearTuple(table->slot);
	return inserter;
}

/*
 * Wait until no other transaction in progress has inserted a row with the
 * key; true when there is such a row, committed or our own.
 */
bool
mr_table_await_key(MrTable *table, const char *index, int nkeys,
				   const Datum *keys)
{
	TransactionId inserter;
	bool		found;

	while (TransactionIdIsValid(inserter = find_inserter(table, index, nkeys,
														 keys, &found)))
		XactLockTableWait(inserter, NULL, NULL, XLTW_None);
	return found;
}

/* Error 40001. */
void
mr_table_raise_concurrent_update(MrTable *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update of modelreg.%s",
					table->name),
			 errhint("Repeat the transaction."),
			 mr_reason("concurrent_update")));
}

static bool
lock_found_row(MrTable *table, Snapshot snapshot, LockWaitPolicy wait,
			   bool repeatable)
{
	TM_FailureData failure;
	ItemPointerData tid = table->slot->tts_tid;
	uint8		flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS;
	TM_Result	result;

	if (!repeatable)
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	result = table_tuple_lock(table->rel, &tid, snapshot, table->slot,
							  GetCurrentCommandId(false),
							  LockTupleNoKeyExclusive, wait, flags,
							  &failure);
	if (result == TM_Ok)
		return true;
	if (result == TM_WouldBlock || (result == TM_Deleted && !repeatable))
		return false;
	if (result != TM_Updated && result != TM_Deleted)
		elog(ERROR, "unexpected result %d of locking a row of modelreg.%s",
			 (int) result, table->name);
	mr_table_raise_concurrent_update(table);
	return false;
}

/*
 * Find one row by its key and lock it until the end of the transaction,
 * waiting for whoever holds it; the slot then has its latest version.
 * Under REPEATABLE READ and above a row that changed since the transaction
 * began is 40001.
 */
bool
mr_table_lock(MrTable *table, const char *index, int nkeys, const Datum *keys)
{
	Snapshot	snapshot;
	bool		found;

	if (!IsolationUsesXactSnapshot())
		return mr_table_lock_latest(table, index, nkeys, keys);
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	found = mr_table_find(table, index, nkeys, keys, snapshot);
	if (found)
		found = lock_found_row(table, snapshot, LockWaitBlock, true);
	else if (mr_table_find_latest(table, index, nkeys, keys))
		mr_table_raise_concurrent_update(table);
	UnregisterSnapshot(snapshot);
	return found;
}

static bool
lock_latest(MrTable *table, const char *index, int nkeys, const Datum *keys,
			LockWaitPolicy wait)
{
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	bool		found = mr_table_find(table, index, nkeys, keys, snapshot) &&
		lock_found_row(table, snapshot, wait, false);

	UnregisterSnapshot(snapshot);
	return found;
}

/* The same, whatever changed since the transaction began. */
bool
mr_table_lock_latest(MrTable *table, const char *index, int nkeys,
					 const Datum *keys)
{
	return lock_latest(table, index, nkeys, keys, LockWaitBlock);
}

/* The same without waiting: false also when somebody else holds the row. */
bool
mr_table_try_lock(MrTable *table, const char *index, int nkeys,
				  const Datum *keys)
{
	return lock_latest(table, index, nkeys, keys, LockWaitSkip);
}

/* A column of the row in the slot. */
Datum
mr_table_get(MrTable *table, AttrNumber attno, bool *isnull)
{
	bool		dummy;

	return slot_getattr(table->slot, attno, isnull ? isnull : &dummy);
}

/* A column that is not NULL, which outlives the slot's row. */
Datum
mr_table_get_copy(MrTable *table, AttrNumber attno)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(table->rel),
											 attno - 1);

	return datumCopy(mr_table_get(table, attno, NULL), column->attbyval,
					 column->attlen);
}

/* All columns of the row in the slot; they live as long as the slot's row. */
void
mr_table_read(MrTable *table, Datum *values, bool *nulls)
{
	slot_getallattrs(table->slot);
	memcpy(values, table->slot->tts_values,
		   table->slot->tts_nvalid * sizeof(Datum));
	memcpy(nulls, table->slot->tts_isnull,
		   table->slot->tts_nvalid * sizeof(bool));
}

static void
fill_slot(MrTable *table, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = table->new_slot;
	int			natts = RelationGetDescr(table->rel)->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
}

/* What a unique violation says of its key is not for every caller. */
static void
rethrow_without_key(MrTable *table, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
		ReThrowError(error);
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("a row of modelreg.%s with the same key exists already",
					table->name),
			 errhint("Somebody else wrote it at the same time; repeat the transaction.")));
}

typedef enum
{
	WRITE_INSERT, WRITE_UPDATE, WRITE_DELETE
} WriteKind;

static void
write_row(MrTable *table, WriteKind kind)
{
	EPQState	epq;

	if (kind == WRITE_INSERT)
	{
		ExecSimpleRelationInsert(table->result_rel, table->estate,
								 table->new_slot);
		return;
	}
	mr_init_epq(&epq, table->estate);
	if (kind == WRITE_UPDATE)
		ExecSimpleRelationUpdate(table->result_rel, table->estate, &epq,
								 table->slot, table->new_slot);
	else
		ExecSimpleRelationDelete(table->result_rel, table->estate, &epq,
								 table->slot);
	EvalPlanQualEnd(&epq);
}

static void
arm(MrTable *table, WriteKind kind)
{
	if (kind == WRITE_INSERT)
		return;
	armed.relation = RelationGetRelid(table->rel);
	armed.tid = table->slot->tts_tid;
	armed.command = kind == WRITE_UPDATE ? CMD_UPDATE : CMD_DELETE;
}

static void
run_write(MrTable *table, WriteKind kind)
{
	MemoryContext context = CurrentMemoryContext;

	CHECK_FOR_INTERRUPTS();
	AfterTriggerBeginQuery();
	PushActiveSnapshot(GetLatestSnapshot());
	/* the guard's trigger has the executor lock the row once more */
	table->estate->es_snapshot = GetActiveSnapshot();
	table->estate->es_output_cid = GetCurrentCommandId(true);
	if (kind != WRITE_DELETE)
		mr_checks_prepare(table->result_rel, table->estate);
	arm(table, kind);
	PG_TRY();
	{
		write_row(table, kind);
	}
	PG_CATCH();
	{
		armed.relation = InvalidOid;
		rethrow_without_key(table, context);
	}
	PG_END_TRY();
	armed.relation = InvalidOid;
	PopActiveSnapshot();
	AfterTriggerEndQuery(table->estate);
	ResetPerTupleExprContext(table->estate);
}

/* Fill "hash" and "format", whose number is 1 for all tables so far. */
static bytea *
fill_hash(MrTable *table, Datum *values, bool *nulls)
{
	int			column = table->hash_attno - 1;
	bytea	   *hash = mr_row_hash(table->name, 1, RelationGetDescr(table->rel),
								   column, values, nulls);

	values[column] = PointerGetDatum(hash);
	values[column + 1] = Int16GetDatum(1);
	nulls[column] = nulls[column + 1] = false;
	return hash;
}

/*
 * Insert a row of as many values as the table has columns, computing its
 * hash, which is returned (NULL for a table without one).
 */
bytea *
mr_table_insert(MrTable *table, Datum *values, bool *nulls)
{
	bytea	   *hash = NULL;

	if (table->hash_attno > 0)
		hash = fill_hash(table, values, nulls);
	fill_slot(table, values, nulls);
	run_write(table, WRITE_INSERT);
	return hash;
}

/* Replace the row in the slot, which was locked. */
void
mr_table_update(MrTable *table, Datum *values, bool *nulls)
{
	fill_slot(table, values, nulls);
	run_write(table, WRITE_UPDATE);
}

/* Delete the row in the slot. */
void
mr_table_delete(MrTable *table)
{
	run_write(table, WRITE_DELETE);
}

/* Insert one row into a table that is not open yet. */
bytea *
mr_insert_row(const char *name, Datum *values, bool *nulls)
{
	MrTable    *table = mr_table_open(name);
	bytea	   *hash = mr_table_insert(table, values, nulls);

	mr_table_close(table);
	return hash;
}

/*
 * For the guard's trigger: is this the change that table.c makes now?  Asked
 * once; a second change is not let through.
 */
bool
mr_guard_passes(Oid relation, ItemPointer tid, CmdType command)
{
	bool		passes = OidIsValid(armed.relation) &&
		armed.relation == relation && armed.command == command &&
		ItemPointerEquals(&armed.tid, tid);

	if (passes)
		armed.relation = InvalidOid;
	return passes;
}
