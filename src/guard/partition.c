/*
 * partition.c
 *		Which tables may be partitions of the registry's, and their triggers.
 *
 * Partitions are made by a function of ours and, by ordinary commands, by a
 * restore; these two cannot be told apart from anybody else's.  So it is the
 * form that counts: a partition runs nobody's code when a verb writes to it,
 * and nobody but superusers can read it past the policy of its parent.  A
 * default partition would be in the way of all to come.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "guard/guard.h"

static bool
has_trigger_of_others(Relation rel)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
		if (!mr_guard_owns(ProcedureRelationId, rel->trigdesc->triggers[i].tgfoid))
			return true;
	return false;
}

static bool
has_other_index(Relation rel)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
		if (!mr_guard_index_is_harmless(lfirst_oid(cell)))
			return true;
	return false;
}

static bool
has_expression(Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	return constr != NULL &&
		(constr->num_check > 0 || constr->num_defval > 0 || constr->has_generated_stored);
}

/* Why a table may not be a partition; NULL where it may. */
static const char *
find_fault(Relation rel, Oid parent)
{
	Form_pg_class form = rel->rd_rel;

	if (form->relkind != RELKIND_RELATION || form->relpersistence != RELPERSISTENCE_PERMANENT)
		return "It is not a plain table that outlives a crash.";
	if (form->relnamespace != get_rel_namespace(parent))
		return "It is not in the schema modelreg.";
	if (!superuser_arg(form->relowner))
		return "Its owner, who could read all of it, is not a superuser.";
	if (get_default_partition_oid(parent) == RelationGetRelid(rel))
		return "It is to be the default partition.";
	if (form->relhasrules || has_trigger_of_others(rel) || has_expression(rel) ||
		has_other_index(rel))
		return "It has a rule, a trigger, a CHECK, a default, or an index that is unique or has an expression or a predicate.";
	return NULL;
}

/* A table has become a partition of one of ours, by the command that ran. */
void
mr_guard_check_partition(Oid partition)
{
	Oid			parent = get_partition_parent(partition, true);
	Relation	rel = relation_open(partition, AccessShareLock);
	const char *fault = find_fault(rel, parent);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s.%s cannot be a partition of modelreg.%s",
						get_namespace_name(RelationGetNamespace(rel)),
						RelationGetRelationName(rel), get_rel_name(parent)),
				 errdetail_internal("%s", fault),
				 errhint("modelreg.add_prediction_partitions() makes partitions."),
				 mr_reason("protected")));
	relation_close(rel, NoLock);
}

/* Is it one of the guard's triggers, which fires always once it was altered? */
bool
mr_guard_trigger_passes(Oid trigger, bool altered)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		passes = false;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, SnapshotSelf, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		passes = mr_guard_owns(ProcedureRelationId, form->tgfoid) &&
			heap_attisnull(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(catalog)) &&
			(!altered || form->tgenabled == TRIGGER_FIRES_ALWAYS);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return passes;
}
