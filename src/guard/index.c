/*
 * index.c
 *		Which indexes may be added to the registry's tables.
 *
 * A plain one only makes queries faster.  One with an expression or a
 * predicate runs somebody's code inside a verb, with the owner's rights, and
 * a unique one is a constraint.  A copy of an index that stands already is
 * let pass: REINDEX CONCURRENTLY makes one.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_index.h"
#include "nodes/nodes.h"
#include "nodes/readfuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "guard/guard.h"

/* What two indexes must share to be copies; the last two are expressions. */
static const AttrNumber copied_columns[] = {
	Anum_pg_index_indkey, Anum_pg_index_indclass,
	Anum_pg_index_indcollation, Anum_pg_index_indoption,
	Anum_pg_index_indexprs, Anum_pg_index_indpred
};

static bool
is_harmless(HeapTuple tuple)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);

	return !form->indisunique && !form->indisexclusion &&
		heap_attisnull(tuple, Anum_pg_index_indexprs, NULL) &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
}

static bool
same_expressions(Datum one, Datum other)
{
	return equal(stringToNode(TextDatumGetCString(one)),
				 stringToNode(TextDatumGetCString(other)));
}

/* Vectors of oid and int2 have no short header and are never toasted here. */
static bool
same_vectors(Datum one, Datum other)
{
	struct varlena *a = PG_DETOAST_DATUM(one);
	struct varlena *b = PG_DETOAST_DATUM(other);

	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static bool
same_column(TupleDesc desc, HeapTuple one, HeapTuple other, AttrNumber column)
{
	bool		one_null;
	bool		other_null;
	Datum		a = heap_getattr(one, column, desc, &one_null);
	Datum		b = heap_getattr(other, column, desc, &other_null);

	if (one_null || other_null)
		return one_null && other_null;
	if (column == Anum_pg_index_indexprs || column == Anum_pg_index_indpred)
		return same_expressions(a, b);
	return same_vectors(a, b);
}

static bool
is_copy(TupleDesc desc, HeapTuple one, HeapTuple other)
{
	Form_pg_index a = (Form_pg_index) GETSTRUCT(one);
	Form_pg_index b = (Form_pg_index) GETSTRUCT(other);

	if (a->indexrelid == b->indexrelid ||
		a->indisunique != b->indisunique ||
		a->indisexclusion != b->indisexclusion ||
		a->indnkeyatts != b->indnkeyatts)
		return false;
	for (int i = 0; i < lengthof(copied_columns); i++)
		if (!same_column(desc, one, other, copied_columns[i]))
			return false;
	return true;
}

/* A row of pg_index by one of its two OIDs, as the running command sees it. */
static SysScanDesc
scan_indexes(Relation catalog, Oid catalog_index, AttrNumber column, Oid value)
{
	ScanKeyData key;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(value));
	return systable_beginscan(catalog, catalog_index, true, SnapshotSelf, 1,
							  &key);
}

static bool
has_original(Relation catalog, HeapTuple index)
{
	Oid			table = ((Form_pg_index) GETSTRUCT(index))->indrelid;
	SysScanDesc scan = scan_indexes(catalog, IndexIndrelidIndexId,
									Anum_pg_index_indrelid, table);
	HeapTuple	other;
	bool		found = false;

	while (!found && HeapTupleIsValid(other = systable_getnext(scan)))
		found = is_copy(RelationGetDescr(catalog), index, other);
	systable_endscan(scan);
	return found;
}

bool
mr_guard_index_is_harmless(Oid index)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan = scan_indexes(catalog, IndexRelidIndexId,
									Anum_pg_index_indexrelid, index);
	HeapTuple	tuple = systable_getnext(scan);
	bool		result = !HeapTupleIsValid(tuple) || is_harmless(tuple);

	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Called for every new relation; most are no index of a table of ours. */
void
mr_guard_check_index(Oid index)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan = scan_indexes(catalog, IndexRelidIndexId,
									Anum_pg_index_indexrelid, index);
	HeapTuple	tuple = systable_getnext(scan);
	Oid			table = InvalidOid;

	if (HeapTupleIsValid(tuple))
		table = ((Form_pg_index) GETSTRUCT(tuple))->indrelid;
	if (OidIsValid(table) && mr_guard_owns(RelationRelationId, table) &&
		!is_harmless(tuple) && !has_original(catalog, tuple))
		mr_guard_refuse(RelationRelationId, table,
						"given an index that is unique or has an expression or a predicate");
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}
