/*
 * explain.c
 *		EXPLAIN is for who may read everything.
 *
 * Row-level security takes rows away, but the server tells of them all the
 * same: its estimates come from the values of all rows, and EXPLAIN ANALYZE
 * counts what a condition of the caller's chose before the policy was asked,
 * as operators that are LEAKPROOF may be.  Asked often enough, both spell out
 * what is hidden, letter by letter.
 *
 * Hooks of the executor see every form of EXPLAIN, of a prepared statement
 * too.  They are there in time in a session that has called nothing of
 * ours yet, since planning a policy loads the library: the function that
 * policies call has a support function for that alone.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "access/access.h"
#include "base/compat.h"
#include "base/errors.h"

PG_FUNCTION_INFO_V1(modelreg_readable_teams_support);

static ExecutorStart_hook_type previous_executor_start = NULL;
static ExecutorRun_hook_type previous_executor_run = NULL;

/*
 * Whose session it is may lay down a role that he took on, but not while a
 * function runs as somebody else, who may have written it.
 */
static bool
reads_everything(void)
{
	if (mr_registry_rights() & MR_AUDITOR)
		return true;
	return !InLocalUserIdChange() && !InSecurityRestrictedOperation() &&
		(mr_role_registry_rights(GetSessionUserId()) & MR_AUDITOR);
}

static void
refuse(Oid relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("EXPLAIN of what reads \"modelreg.%s\" is for who may read everything",
					get_rel_name(relation)),
			 mr_reason("explain_denied"),
			 errdetail("Estimates are made from all rows, and ANALYZE counts rows before row-level security takes them away, so both tell of teams that role \"%s\" may not read.",
					   GetUserNameFromId(GetUserId(), false)),
			 errhint("Have a superuser or an auditor of the registry explain it, after SET ROLE \"%s\" for the same plan.",
					 GetUserNameFromId(GetUserId(), false))));
}

/* Error 42501 where a plan reads what row-level security filters for the caller. */
static void
check_plan(const PlannedStmt *plan)
{
	Oid			schema = get_namespace_oid("modelreg", true);
	ListCell   *cell;

	if (!OidIsValid(schema) || !OidIsValid(get_extension_oid("modelreg", true)))
		return;
	foreach(cell, plan->rtable)
	{
		const RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_RELATION && get_rel_namespace(rte->relid) == schema &&
			check_enable_rls(rte->relid, InvalidOid, true) == RLS_ENABLED &&
			!reads_everything())
			refuse(rte->relid);
	}
}

/*
 * EXPLAIN, and EXPLAIN ANALYZE of CREATE TABLE AS.  Rows are counted for
 * auto_explain too, whose log is not the caller's to read: so not whoever has
 * them counted is refused, but who does so and is given none.
 */
static void
explain_executor_start(QueryDesc *query, int flags)
{
	if ((flags & EXEC_FLAG_EXPLAIN_ONLY) ||
		(query->instrument_options != 0 && query->dest->mydest == DestIntoRel))
		check_plan(query->plannedstmt);
	if (previous_executor_start != NULL)
		previous_executor_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

/* Any other EXPLAIN ANALYZE; where rows go to is known only now. */
static void
explain_executor_run(MR_EXECUTOR_RUN_PARAMETERS)
{
	if (query->instrument_options != 0 && mr_is_explain_dest(query->dest->mydest))
		check_plan(query->plannedstmt);
	if (previous_executor_run != NULL)
		previous_executor_run(MR_EXECUTOR_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(MR_EXECUTOR_RUN_ARGUMENTS);
}

/* When the library is loaded. */
void
mr_access_init(void)
{
	previous_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = explain_executor_start;
	previous_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = explain_executor_run;
}

/* modelreg.readable_teams_support(internal) returns internal: nothing, but the library is loaded. */
Datum
modelreg_readable_teams_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
