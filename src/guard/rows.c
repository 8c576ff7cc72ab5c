/*
 * rows.c
 *		The triggers that refuse every change of a row but a verb's own.
 *
 * Both are ENABLE ALWAYS, so they fire under session_replication_role =
 * replica and in an apply worker as well.  modelreg.allow_removal is no way
 * past them: nothing that an administrator has to do changes a row.  There is
 * no trigger on INSERT, because a restore inserts; a forged row is found by
 * verify().
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/errors.h"
#include "base/table.h"

PG_FUNCTION_INFO_V1(modelreg_guard_row);
PG_FUNCTION_INFO_V1(modelreg_guard_truncate);

static void
raise_immutable(Relation rel, const char *done)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of %s.%s cannot be %s",
					get_namespace_name(RelationGetNamespace(rel)),
					RelationGetRelationName(rel), done),
			 errhint("Only modelreg's functions change rows, and of those only what is meant to change; redact() removes free text."),
			 mr_reason("immutable")));
}

static void
require_protocol(FunctionCallInfo fcinfo, const char *name, bool fits)
{
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s() is a trigger function of modelreg's tables",
						name)));
}

/* BEFORE UPDATE OR DELETE FOR EACH ROW */
Datum
modelreg_guard_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		update;

	require_protocol(fcinfo, "guard_row",
					 CALLED_AS_TRIGGER(fcinfo) &&
					 TRIGGER_FIRED_BEFORE(trigdata->tg_event) &&
					 TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) &&
					 !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event));
	update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	if (!mr_guard_passes(RelationGetRelid(trigdata->tg_relation),
						 &trigdata->tg_trigtuple->t_self,
						 update ? CMD_UPDATE : CMD_DELETE))
		raise_immutable(trigdata->tg_relation, update ? "changed" : "deleted");
	return PointerGetDatum(update ? trigdata->tg_newtuple :
						   trigdata->tg_trigtuple);
}

/* BEFORE TRUNCATE FOR EACH STATEMENT */
Datum
modelreg_guard_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	require_protocol(fcinfo, "guard_truncate",
					 CALLED_AS_TRIGGER(fcinfo) &&
					 TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event));
	raise_immutable(trigdata->tg_relation, "truncated");
	PG_RETURN_NULL();
}
