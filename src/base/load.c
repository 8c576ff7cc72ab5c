/*
 * load.c
 *		Loading many rows into a partitioned table.
 *
 * As COPY does it: rows gather by partition and are written many at a time,
 * so that a page is locked and logged once for all that go into it.  CHECKs and
 * indexes hold; there is no hash, and triggers of INSERT, of which the
 * registry's tables have none, are not run.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/load.h"

#define LOAD_ROWS 500			/* to gather for one partition */
#define LOAD_PARTITIONS 32		/* for which rows are gathered at once */

/* Rows that wait to be written into one partition. */
typedef struct Waiting
{
	ResultRelInfo *partition;
	BulkInsertState state;
	int			n;
	TupleTableSlot *slots[LOAD_ROWS];	/* made as they are needed */
} Waiting;

struct MrLoad
{
	MrTable    *table;
	ModifyTableState *modify;
	PartitionTupleRouting *routing;
	MemoryContext context;
	Waiting    *waiting[LOAD_PARTITIONS];
	int			nwaiting;
};

/*
 * Begin to load rows into a partitioned table that is open for writing.  What
 * values point to stays until mr_load_end().
 */
MrLoad *
mr_load_begin(MrTable *table)
{
	MrLoad	   *load = palloc0(sizeof(MrLoad));

	load->table = table;
	load->context = CurrentMemoryContext;
	load->modify = makeNode(ModifyTableState);
	load->modify->ps.state = table->estate;
	load->modify->operation = CMD_INSERT;
	load->modify->mt_nrels = 1;
	load->modify->resultRelInfo = table->result_rel;
	load->modify->rootResultRelInfo = table->result_rel;
	load->routing = ExecSetupPartitionTupleRouting(table->estate, table->rel);
	return load;
}

static void
write_index_entries(MrLoad *load, Waiting *waiting)
{
	for (int i = 0; i < waiting->n; i++)
	{
		mr_insert_index_tuples(waiting->partition, waiting->slots[i],
							   load->table->estate);
		ResetPerTupleExprContext(load->table->estate);
	}
}

static void
write_waiting(MrLoad *load, Waiting *waiting)
{
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	if (waiting->n == 0)
		return;
	/* it leaves things behind, such as what was toasted */
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(load->table->estate));
	table_multi_insert(waiting->partition->ri_RelationDesc, waiting->slots,
					   waiting->n, GetCurrentCommandId(true), 0, waiting->state);
	MemoryContextSwitchTo(old);
	if (waiting->partition->ri_NumIndices > 0)
		write_index_entries(load, waiting);
	for (int i = 0; i < waiting->n; i++)
		ExecClearTuple(waiting->slots[i]);
	waiting->n = 0;
}

static void
end_waiting(MrLoad *load, Waiting *waiting)
{
	write_waiting(load, waiting);
	table_finish_bulk_insert(waiting->partition->ri_RelationDesc, 0);
	FreeBulkInsertState(waiting->state);
	for (int i = 0; i < LOAD_ROWS && waiting->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(waiting->slots[i]);
	pfree(waiting);
}

static Waiting *
begin_waiting(MrLoad *load, ResultRelInfo *partition)
{
	Waiting    *waiting;

	if (load->nwaiting == LOAD_PARTITIONS)
		end_waiting(load, load->waiting[--load->nwaiting]);
	waiting = palloc0(sizeof(Waiting));
	waiting->partition = partition;
	waiting->state = GetBulkInsertState();
	return waiting;
}

/* The place of a partition; the one that was used last comes first. */
static Waiting *
waiting_for(MrLoad *load, ResultRelInfo *partition)
{
	Waiting    *found;
	int			i = 0;

	while (i < load->nwaiting && load->waiting[i]->partition != partition)
		i++;
	found = i < load->nwaiting ? load->waiting[i] : NULL;
	if (found == NULL)
	{
		found = begin_waiting(load, partition);
		i = load->nwaiting++;
	}
	memmove(&load->waiting[1], &load->waiting[0], i * sizeof(Waiting *));
	load->waiting[0] = found;
	return found;
}

/* The row as the table has it, which tells where it belongs. */
static TupleTableSlot *
fill_slot(MrLoad *load, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = load->table->new_slot;
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, natts * sizeof(bool));
	return ExecStoreVirtualTuple(slot);
}

/* A slot of the partition with the row, whose columns may have another order. */
static TupleTableSlot *
add_slot(Waiting *waiting, TupleTableSlot *row, EState *estate)
{
	TupleConversionMap *map = mr_root_to_partition_map(waiting->partition, estate);
	TupleTableSlot *slot = waiting->slots[waiting->n];

	if (slot == NULL)
		slot = waiting->slots[waiting->n] =
			table_slot_create(waiting->partition->ri_RelationDesc, NULL);
	if (map != NULL)
		slot = execute_attr_map_slot(map->attrMap, row, slot);
	else
	{
		ExecClearTuple(slot);
		memcpy(slot->tts_values, row->tts_values, row->tts_nvalid * sizeof(Datum));
		memcpy(slot->tts_isnull, row->tts_isnull, row->tts_nvalid * sizeof(bool));
		ExecStoreVirtualTuple(slot);
	}
	slot->tts_tableOid = RelationGetRelid(waiting->partition->ri_RelationDesc);
	return slot;
}

/* Load a row.  Error 23514 where no partition takes it. */
void
mr_load_row(MrLoad *load, const Datum *values, const bool *nulls)
{
	EState	   *estate = load->table->estate;
	MemoryContext old = MemoryContextSwitchTo(load->context);
	TupleTableSlot *row = fill_slot(load, values, nulls);
	Waiting    *waiting;
	TupleTableSlot *slot;

	ResetPerTupleExprContext(estate);
	waiting = waiting_for(load, ExecFindPartition(load->modify, load->table->result_rel,
												  load->routing, row, estate));
	slot = add_slot(waiting, row, estate);
	if (waiting->partition->ri_RelationDesc->rd_att->constr != NULL)
		ExecConstraints(waiting->partition, slot, estate);
	if (++waiting->n == LOAD_ROWS)
		write_waiting(load, waiting);
	MemoryContextSwitchTo(old);
}

/* Write what waits.  Locks stay until the end of the transaction. */
void
mr_load_end(MrLoad *load)
{
	for (int i = 0; i < load->nwaiting; i++)
		end_waiting(load, load->waiting[i]);
	ExecCleanupTupleRouting(load->modify, load->routing);
	pfree(load);
}
