/*
 * owned.c
 *		What of the catalogs is the registry's.
 *
 * Everything is told by OID: a member of the extension, an index that the
 * install script marked as depending on it, or a trigger, rule, policy,
 * constraint or default of a relation that is one of these.  What somebody
 * else puts into the schema, or an index that an administrator adds, is not
 * ours.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/errors.h"
#include "base/settings.h"
#include "guard/guard.h"

/* Catalogs whose rows belong to a relation; their oid is column 1. */
typedef struct PartCatalog
{
	Oid			catalog;
	Oid			oid_index;
	AttrNumber	relation;
} PartCatalog;

static const PartCatalog part_catalogs[] = {
	{TriggerRelationId, TriggerOidIndexId, Anum_pg_trigger_tgrelid},
	{RewriteRelationId, RewriteOidIndexId, Anum_pg_rewrite_ev_class},
	{PolicyRelationId, PolicyOidIndexId, Anum_pg_policy_polrelid},
	{ConstraintRelationId, ConstraintOidIndexId, Anum_pg_constraint_conrelid},
	{AttrDefaultRelationId, AttrDefaultOidIndexId, Anum_pg_attrdef_adrelid}
};

static Oid
extension_oid(void)
{
	return get_extension_oid("modelreg", true);
}

/*
 * True while nothing is protected: where the extension is not installed, in
 * its own scripts, in pg_upgrade, and for an administrator who says so.
 */
bool
mr_guard_is_off(void)
{
	Oid			extension;

	if (IsBinaryUpgrade || mr_allow_removal)
		return true;
	extension = extension_oid();
	return !OidIsValid(extension) ||
		(creating_extension && CurrentExtensionObject == extension);
}

static bool
is_index(Oid relation)
{
	char		kind = get_rel_relkind(relation);

	return kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX;
}

/*
 * Is it a member of the extension, an index marked by its script, or a
 * partition?
 */
bool
mr_guard_owns(Oid catalog, Oid object)
{
	Oid			extension = extension_oid();

	if (catalog == ExtensionRelationId)
		return object == extension;
	if (getExtensionOfObject(catalog, object) == extension)
		return OidIsValid(extension);
	if (catalog != RelationRelationId)
		return false;
	return is_index(object) ?
		list_member_oid(getAutoExtensionsOfObject(catalog, object), extension) :
		mr_guard_is_partition(object);
}

/* The row may have been made by the command that runs now. */
static Oid
relation_of_part(const PartCatalog *part, Oid object)
{
	Relation	rel = table_open(part->catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;
	bool		isnull;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object));
	scan = systable_beginscan(rel, part->oid_index, true, SnapshotSelf, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = DatumGetObjectId(heap_getattr(tuple, part->relation,
											   RelationGetDescr(rel),
											   &isnull));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* Is it a trigger, rule, policy, ... of a relation of ours, and of which? */
bool
mr_guard_owns_part(Oid catalog, Oid object, Oid *relation)
{
	for (int i = 0; i < lengthof(part_catalogs); i++)
	{
		const PartCatalog *part = &part_catalogs[i];

		if (part->catalog != catalog)
			continue;
		*relation = relation_of_part(part, object);
		return OidIsValid(*relation) &&
			mr_guard_owns(RelationRelationId, *relation);
	}
	return false;
}

/* The relation of ours and of that kind that a relation inherits from. */
static Oid
owned_parent(Oid relation, char relkind)
{
	Relation	rel = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(rel, InheritsRelidSeqnoIndexId, true, NULL, 1,
							  &key);
	while (!OidIsValid(result) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;

		if (get_rel_relkind(parent) == relkind &&
			mr_guard_owns(RelationRelationId, parent))
			result = parent;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * The table of ours that a relation inherits from, if it does.  A partition
 * of a partitioned table is meant to.
 */
Oid
mr_guard_parent(Oid relation)
{
	return owned_parent(relation, RELKIND_RELATION);
}

/* Is it a partition of a partitioned table of ours? */
bool
mr_guard_is_partition(Oid relation)
{
	return get_rel_relispartition(relation) && !is_index(relation) &&
		OidIsValid(owned_parent(relation, RELKIND_PARTITIONED_TABLE));
}

/* Refuse to do with an object what would weaken the registry. */
void
mr_guard_refuse(Oid catalog, Oid object, const char *what)
{
	ObjectAddress address;
	char	   *description;

	ObjectAddressSet(address, catalog, object);
	description = getObjectDescription(&address, true);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s belongs to modelreg and cannot be %s",
					description == NULL ? "this object" : description, what),
			 errhint("To remove or rebuild the registry, a superuser sets modelreg.allow_removal to on in the session."),
			 mr_reason("protected")));
}
