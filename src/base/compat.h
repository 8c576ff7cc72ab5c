/*
 * compat.h
 *		Every difference between the supported server versions.
 */
#ifndef MODELREG_COMPAT_H
#define MODELREG_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/pg_auth_members.h"
#include "common/base64.h"
#include "executor/executor.h"
#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/parse_relation.h"
#include "tcop/dest.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#else

/*
 * Soft errors came with 16.  Before it escontext is always NULL, and an
 * error is an ERROR.
 */
#define ereturn(escontext, dummy_value, ...) \
	do { \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)

#endif							/* before 16 */

#ifndef pg_noreturn				/* came with 18, for the attribute behind */
#define pg_noreturn pg_attribute_noreturn()
#endif

/* A range table of one relation for an executor state of our own. */
static inline void
mr_init_range_table(EState *estate, RangeTblEntry *rte)
{
#if PG_VERSION_NUM >= 180000
	List	   *perminfos = NIL;

	addRTEPermissionInfo(&perminfos, rte);
	ExecInitRangeTable(estate, list_make1(rte), perminfos,
					   bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
	List	   *perminfos = NIL;

	addRTEPermissionInfo(&perminfos, rte);
	ExecInitRangeTable(estate, list_make1(rte), perminfos);
#else
	ExecInitRangeTable(estate, list_make1(rte));
#endif
}

/* Where EXPLAIN ANALYZE sends rows, but for those of a new table: nowhere, or to be measured. */
static inline bool
mr_is_explain_dest(CommandDest dest)
{
#if PG_VERSION_NUM >= 170000
	if (dest == DestExplainSerialize)
		return true;
#endif
	return dest == DestNone;
}

/* What ExecutorRun_hook is called with. */
#if PG_VERSION_NUM >= 180000
#define MR_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define MR_EXECUTOR_RUN_ARGUMENTS query, direction, count
#else
#define MR_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define MR_EXECUTOR_RUN_ARGUMENTS query, direction, count, once
#endif

/*
 * For whom the plan reads a relation that the query names; false for what it
 * does not name, as a partition, to which no policies of its own apply.
 */
static inline bool
mr_is_named(const PlannedStmt *plan, RangeTblEntry *rte, Oid *user)
{
#if PG_VERSION_NUM >= 160000
	if (rte->perminfoindex == 0)
		return false;
	*user = getRTEPermissionInfo(plan->permInfos, rte)->checkAsUser;
	return true;
#else
	*user = rte->checkAsUser;
	return rte->requiredPerms != 0;
#endif
}

static inline void
mr_init_epq(EPQState *epq, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL);
#else
	EvalPlanQualInit(epq, estate, NULL, NIL, -1);
#endif
}

/* index_beginscan() learned to count its searches in 18. */
static inline IndexScanDesc
mr_index_beginscan(Relation heap, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#endif
}

/* A CHECK can be NOT ENFORCED since 18, which also gave its state this name. */
#if PG_VERSION_NUM < 180000
#define ri_CheckConstraintExprs ri_ConstraintExprs
#endif

static inline bool
mr_is_enforced(const ConstrCheck *check)
{
#if PG_VERSION_NUM >= 180000
	return check->ccenforced;
#else
	return true;
#endif
}

/* The entries of a new row in the indexes of its table. */
static inline void
mr_insert_index_tuples(ResultRelInfo *result_rel, TupleTableSlot *slot, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	list_free(ExecInsertIndexTuples(result_rel, slot, estate, false, false,
									NULL, NIL, false));
#else
	list_free(ExecInsertIndexTuples(result_rel, slot, estate, false, false,
									NULL, NIL));
#endif
}

/* NULL where the columns of the partition have the order of its parent's. */
static inline TupleConversionMap *
mr_root_to_partition_map(ResultRelInfo *partition, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetRootToChildMap(partition, estate);
#else
	return partition->ri_RootToPartitionMap;
#endif
}

/* The next datum in order, a copy; tuplesort learned to lend it in 16. */
static inline bool
mr_tuplesort_getdatum(Tuplesortstate *state, Datum *value)
{
	bool		isnull;

#if PG_VERSION_NUM >= 160000
	return tuplesort_getdatum(state, true, true, value, &isnull, NULL);
#else
	return tuplesort_getdatum(state, true, value, &isnull, NULL);
#endif
}

/* The bytes of base64 became unsigned in 18. */
static inline int
mr_b64_decode(const char *text, int len, uint8 *bytes, int room)
{
#if PG_VERSION_NUM >= 180000
	return pg_b64_decode(text, len, bytes, room);
#else
	return pg_b64_decode(text, len, (char *) bytes, room);
#endif
}

static inline int
mr_b64_encode(const uint8 *bytes, int len, char *text, int room)
{
#if PG_VERSION_NUM >= 180000
	return pg_b64_encode(bytes, len, text, room);
#else
	return pg_b64_encode((const char *) bytes, len, text, room);
#endif
}

/*
 * Does a membership let the member do what the role may?  From 16 on one may
 * let him only give the role to others, as who makes a role gets it.
 */
static inline bool
mr_membership_lets(Form_pg_auth_members membership)
{
#if PG_VERSION_NUM >= 160000
	return membership->inherit_option || membership->set_option;
#else
	return true;
#endif
}

#endif							/* MODELREG_COMPAT_H */
