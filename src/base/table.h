/*
 * table.h
 *		Finding, locking and writing rows of the registry's own tables.
 */
#ifndef MODELREG_TABLE_H
#define MODELREG_TABLE_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/*
 * A table that is open for writing, or (estate NULL) for reading.  slot
 * holds the row found or locked last.
 */
typedef struct MrScan MrScan;

typedef struct MrTable
{
	const char *name;
	Relation	rel;
	TupleTableSlot *slot;
	AttrNumber	hash_attno;		/* of the column "hash", or 0 */
	EState	   *estate;
	ResultRelInfo *result_rel;
	TupleTableSlot *new_slot;
	MrScan	   *finder;			/* of mr_table_find(), or NULL */
	const char *finder_index;
} MrTable;

extern MrTable *mr_table_open(const char *name);
extern MrTable *mr_table_open_read(const char *name);
extern void mr_table_close(MrTable *table);

extern bool mr_table_find(MrTable *table, const char *index, int nkeys,
						  const Datum *keys, Snapshot snapshot);
extern bool mr_table_find_next(MrTable *table);
extern bool mr_table_find_latest(MrTable *table, const char *index,
								 int nkeys, const Datum *keys);
extern bool mr_table_await_key(MrTable *table, const char *index, int nkeys,
							   const Datum *keys);
extern void mr_table_raise_concurrent_update(MrTable *table);
extern bool mr_table_lock(MrTable *table, const char *index, int nkeys,
						  const Datum *keys);

extern bool mr_table_lock_latest(MrTable *table, const char *index,
								 int nkeys, const Datum *keys);
extern bool mr_table_try_lock(MrTable *table, const char *index, int nkeys,
							  const Datum *keys);

/* A scan by an index: a prefix of its columns is given. */
extern MrScan *mr_scan_begin(MrTable *table, const char *index, int nkeys,
							 const Datum *keys, Snapshot snapshot);
extern MrScan *mr_scan_begin_to(MrTable *table, const char *index, int nkeys,
								const Datum *keys, Snapshot snapshot);

/* Where a scan of a part of an index begins; see mr_scan_begin_from(). */
typedef struct MrPlace
{
	const Datum *equal;			/* values of the leading columns */
	int			nequal;
	const Datum *place;			/* values of the next ones */
	int			nplace;			/* 0: from the end that comes first */
	bool		inclusive;
	bool		backward;
} MrPlace;

extern MrScan *mr_scan_begin_from(MrTable *table, const char *index,
								  const MrPlace *place, Snapshot snapshot);
extern bool mr_scan_next(MrScan *scan, bool backward);
extern void mr_scan_end(MrScan *scan);

extern Datum mr_table_get(MrTable *table, AttrNumber attno, bool *isnull);
extern Datum mr_table_get_copy(MrTable *table, AttrNumber attno);
extern void mr_table_read(MrTable *table, Datum *values, bool *nulls);

extern bytea *mr_table_insert(MrTable *table, Datum *values, bool *nulls);
extern void mr_table_update(MrTable *table, Datum *values, bool *nulls);
extern void mr_table_delete(MrTable *table);

extern bytea *mr_insert_row(const char *name, Datum *values, bool *nulls);

extern bool mr_guard_passes(Oid relation, ItemPointer tid, CmdType command);

#endif							/* MODELREG_TABLE_H */
