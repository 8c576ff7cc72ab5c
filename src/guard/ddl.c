/*
 * ddl.c
 *		Protection of the registry's objects against DDL.
 *
 * Two things work together.  The object access hook sees every object that is
 * created, altered or dropped, by OID, on whatever way: DROP EXTENSION,
 * DROP SCHEMA, DROP OWNED, REASSIGN OWNED, lo_unlink() alike.  The event
 * trigger on ddl_command_end sees what the hook is not told or cannot tell
 * apart: ALTER TABLE with all its subcommands, of which the harmless ones
 * pass.  The event trigger on ddl_command_start loads the library, so that
 * the hook stands before the command runs, and refuses what is committed
 * before its end.
 *
 * The few commands that fire no event trigger (ALTER EVENT TRIGGER, REASSIGN
 * OWNED, lo_unlink() as it is a function) are refused where the library has
 * been loaded already: always, if shared_preload_libraries or
 * session_preload_libraries names it.
 *
 * A superuser can get past all this: by disabling the event triggers in a
 * session without the library (17 has a setting for it, event_triggers), by
 * writing to the catalogs, by lo_put(), on disk, or with
 * modelreg.allow_removal.  verify() finds what was done then.
 *
 * If the library's file is missing, all DDL in the database fails, as the
 * event triggers cannot be called; that is meant, for without it nothing
 * protects the tables.  Put the file back, or, to get rid of the registry,
 * ALTER EVENT TRIGGER modelreg_ddl_start DISABLE, the same for
 * modelreg_ddl_end, and DROP EXTENSION modelreg CASCADE.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "tcop/deparse_utility.h"
#include "utils/lsyscache.h"

#include "artifact/artifact.h"
#include "base/errors.h"
#include "guard/guard.h"
#include "serving/prediction.h"

PG_FUNCTION_INFO_V1(modelreg_guard_ddl_start);
PG_FUNCTION_INFO_V1(modelreg_guard_ddl_end);

static object_access_hook_type previous_object_access_hook = NULL;

/* The server's own doing on the way of a command that is allowed. */
static bool
is_internal(ObjectAccessType access, Oid catalog, void *arg)
{
	switch (access)
	{
		case OAT_POST_CREATE:
			/* a foreign key that refers to us makes triggers on our table */
			return catalog != TriggerRelationId && arg != NULL &&
				((ObjectAccessPostCreate *) arg)->is_internal;
		case OAT_POST_ALTER:
			return arg != NULL && ((ObjectAccessPostAlter *) arg)->is_internal;
		case OAT_DROP:
			/* REINDEX CONCURRENTLY drops the index that it replaced */
			return catalog == RelationRelationId &&
				(((ObjectAccessDrop *) arg)->dropflags & PERFORM_DELETION_INTERNAL);
		default:
			return true;
	}
}

/* A relation itself: dropped, indexed, or else the event trigger's matter. */
static void
check_relation(ObjectAccessType access, Oid relation)
{
	if (access == OAT_POST_CREATE)
		mr_guard_check_index(relation);
	else if (access == OAT_DROP && !mr_partition_drop_passes(relation) &&
			 mr_guard_owns(RelationRelationId, relation))
		mr_guard_refuse(RelationRelationId, relation, "dropped");
}

/* A partition gets the guard's triggers, from its parent or by a restore. */
static bool
part_passes(ObjectAccessType access, Oid catalog, Oid object, Oid relation)
{
	if (access == OAT_DROP)
		return mr_partition_drop_passes(relation);
	return catalog == TriggerRelationId && mr_guard_is_partition(relation) &&
		mr_guard_trigger_passes(object, access == OAT_POST_ALTER);
}

static void
check_object(ObjectAccessType access, Oid catalog, Oid object)
{
	bool		drop = access == OAT_DROP;
	Oid			relation;

	if (mr_guard_owns_part(catalog, object, &relation) &&
		!part_passes(access, catalog, object, relation))
		mr_guard_refuse(RelationRelationId, relation,
						drop ? "altered or dropped" : "altered");
	if (mr_guard_owns(catalog, object))
		mr_guard_refuse(catalog, object, drop ? "dropped" : "altered");
}

/*
 * The bytes of artifacts go by the artifact room's own functions alone.  A
 * new owner is let pass, since pg_restore sets the owner after the rows that
 * name the object are there; verify() tells of an owner who is not ours.
 */
static void
check_large_object(ObjectAccessType access, Oid object)
{
	if (access == OAT_DROP && !mr_object_drop_passes(object) &&
		mr_object_is_ours(object))
		mr_guard_refuse(LargeObjectRelationId, object, "dropped");
}

static void
guard_object_access(ObjectAccessType access, Oid catalog, Oid object,
					int column, void *arg)
{
	if (previous_object_access_hook != NULL)
		previous_object_access_hook(access, catalog, object, column, arg);

	if (is_internal(access, catalog, arg) || mr_guard_is_off())
		return;
	if (catalog == RelationRelationId)
		check_relation(access, object);
	else if (catalog == LargeObjectRelationId)
		check_large_object(access, object);
	else if (catalog != ExtensionRelationId || access == OAT_DROP)
		check_object(access, catalog, object);
}

void
mr_guard_init(void)
{
	previous_object_access_hook = object_access_hook;
	object_access_hook = guard_object_access;
	mr_verify_protection = mr_guard_verify;
}

static void
require_event(FunctionCallInfo fcinfo, const char *event)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) ||
		strcmp(((EventTriggerData *) fcinfo->context)->event, event) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this is modelreg's event trigger for %s", event)));
}

/*
 * Storage, statistics, and what only makes a table tighter, as a restore does
 * with partitions; a view has no harmless options.
 */
static bool
is_harmless(AlterTableCmd *command, char relkind)
{
	switch (command->subtype)
	{
		case AT_SetRelOptions:
		case AT_ResetRelOptions:
			return relkind != RELKIND_VIEW;
		case AT_AttachPartition:
		case AT_EnableAlwaysTrig:
		case AT_EnableRowSecurity:
		case AT_SetStatistics:
		case AT_SetOptions:
		case AT_ResetOptions:
		case AT_SetStorage:
		case AT_SetCompression:
		case AT_ClusterOn:
		case AT_DropCluster:
		case AT_SetTableSpace:
		case AT_ReplicaIdentity:
			return true;
		default:
			return false;
	}
}

/* The rows of a child would be seen in its parent. */
static void
refuse_child(Oid relation)
{
	Oid			parent = mr_guard_parent(relation);

	if (OidIsValid(parent))
		mr_guard_refuse(RelationRelationId, parent, "inherited from");
}

/* The command has locked the table, so the name means that one still. */
static void
check_attached(AlterTableCmd *command)
{
	if (command->subtype == AT_AttachPartition)
		mr_guard_check_partition(RangeVarGetRelid(castNode(PartitionCmd, command->def)->name,
												  NoLock, false));
}

static void
check_alter_table(CollectedCommand *command)
{
	Oid			relation = command->d.alterTable.objectId;
	ListCell   *cell;

	refuse_child(relation);
	if (!mr_guard_owns(RelationRelationId, relation))
		return;
	foreach(cell, command->d.alterTable.subcmds)
	{
		CollectedATSubcmd *subcommand = lfirst(cell);

		if (!is_harmless((AlterTableCmd *) subcommand->parsetree,
						 get_rel_relkind(relation)))
			mr_guard_refuse(RelationRelationId, relation, "altered");
		check_attached((AlterTableCmd *) subcommand->parsetree);
	}
}

/*
 * CREATE TABLE tells of its parents, ALTER EXTENSION of the extension; an
 * index is the hook's matter.  Anything else that a command did to one of our
 * relations (rename, move, alter a sequence) weakens it.
 */
static void
check_simple(CollectedCommand *command)
{
	ObjectAddress *address = &command->d.simple.address;
	ObjectAddress *secondary = &command->d.simple.secondaryObject;

	switch (nodeTag(command->parsetree))
	{
		case T_CreateStmt:
			refuse_child(address->objectId);
			/* a restore attaches; from 18 on the hook refuses this before */
			if (mr_guard_is_partition(address->objectId))
				mr_guard_refuse(RelationRelationId, address->objectId, "made in this way");
			break;
		case T_AlterObjectDependsStmt:
			/* the mark by which we know our indexes */
			if (mr_guard_owns(secondary->classId, secondary->objectId))
				mr_guard_refuse(address->classId, address->objectId,
								"altered");
			break;
		case T_RenameStmt:
		case T_AlterObjectSchemaStmt:
		case T_AlterSeqStmt:
		case T_AlterExtensionContentsStmt:
			if (mr_guard_owns(address->classId, address->objectId))
				mr_guard_refuse(address->classId, address->objectId,
								"altered");
			break;
		default:
			break;
	}
}

/* Most commands never have anything to say here, and pay nothing. */
static bool
is_interesting(Node *parsetree)
{
	switch (nodeTag(parsetree))
	{
		case T_CreateStmt:
			return ((CreateStmt *) parsetree)->inhRelations != NIL;
		case T_AlterTableStmt:
		case T_CreateSchemaStmt:
		case T_RenameStmt:
		case T_AlterObjectSchemaStmt:
		case T_AlterObjectDependsStmt:
		case T_AlterSeqStmt:
		case T_AlterExtensionContentsStmt:
			return true;
		default:
			return false;
	}
}

/* The commands that the server has collected, known by OID. */
static void
check_collected(void)
{
	SPI_connect();
	if (SPI_execute("SELECT command FROM pg_catalog.pg_event_trigger_ddl_commands()",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the commands that ran");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1, &isnull);
		CollectedCommand *command = (CollectedCommand *) DatumGetPointer(value);

		if (command->type == SCT_AlterTable)
			check_alter_table(command);
		else if (command->type == SCT_Simple)
			check_simple(command);
	}
	SPI_finish();
}

/* Half of DETACH PARTITION CONCURRENTLY is committed before its end. */
static void
refuse_detach(AlterTableStmt *stmt)
{
	Oid			relation = RangeVarGetRelid(stmt->relation, NoLock, true);
	ListCell   *cell;

	foreach(cell, stmt->cmds)
		if (lfirst_node(AlterTableCmd, cell)->subtype == AT_DetachPartition &&
			OidIsValid(relation) && mr_guard_owns(RelationRelationId, relation))
			mr_guard_refuse(RelationRelationId, relation, "altered");
}

/* modelreg.guard_ddl_start(): its call has loaded the library. */
Datum
modelreg_guard_ddl_start(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = (EventTriggerData *) fcinfo->context;

	require_event(fcinfo, "ddl_command_start");
	if (IsA(trigdata->parsetree, AlterTableStmt) && !mr_guard_is_off())
		refuse_detach(castNode(AlterTableStmt, trigdata->parsetree));
	PG_RETURN_NULL();
}

/* modelreg.guard_ddl_end(): refuses what the hook was not told of. */
Datum
modelreg_guard_ddl_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = (EventTriggerData *) fcinfo->context;

	require_event(fcinfo, "ddl_command_end");
	if (is_interesting(trigdata->parsetree) && !mr_guard_is_off())
		check_collected();
	PG_RETURN_NULL();
}
