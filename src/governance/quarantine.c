/*
 * quarantine.c
 *		The verbs quarantine and lift_quarantine, and what they keep out.
 *
 * A quarantine is never refused for what the node touches, and moves nothing.
 * From when it is committed on, no version that derives from the node comes
 * into Staging or Production.  Who lets one in looks under the lock of the
 * model's decisions, and once more before the transaction commits, holding a
 * lock shared by all who do so; who quarantines takes that lock alone before
 * the commit.  So either the one sees the quarantine, or the other waits
 * until the version is in and then tells of it.  Nobody holds the lock while a
 * transaction is open.  It is not a lock of the table, because the row that a
 * quarantine writes holds one there until its transaction ends: two open ones
 * would wait for each other.
 */
#include "postgres.h"

#include "commands/async.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/marks.h"
#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/snapshot.h"
#include "governance/quarantine.h"
#include "lineage/lineage.h"
#include "lineage/walk.h"
#include "registry/quarantine.h"
#include "registry/registry_tables.h"
#include "registry/version_node.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_quarantine);
PG_FUNCTION_INFO_V1(modelreg_lift_quarantine);

/* Whom LISTEN tells of a quarantine: the node's id. */
#define CHANNEL "modelreg_quarantine"

/* How many nodes downstream to look at, at most, for models to be told of. */
#define NOTIFY_NODES_MAX 50000

/* The version's address, for the current user. */
static char *
address_of(int64 node)
{
	MrNode		version;
	char	   *address;

	if (!mr_node_get(node, NULL, &version))
		elog(ERROR, "node " INT64_FORMAT " does not exist", node);
	address = mr_node_address(&version, NULL);
	return address == NULL ? pstrdup("the version") : address;
}

/* The addresses are those that the current user may read. */
static void
refuse(int64 node, const MrQuarantined *found)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("\"%s\" derives from what is quarantined", address_of(node)),
			 errdetail("Quarantined: %s.", mr_quarantined_addresses(found, NULL)),
			 errhint("Register a version that does not derive from it, or end the quarantine with modelreg.lift_quarantine(); the view modelreg.quarantined has the reasons."),
			 mr_reason("quarantined")));
}

static void
refuse_at_commit(int64 node, const MrQuarantined *found)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("what \"%s\" derives from was quarantined meanwhile", address_of(node)),
			 errdetail("Quarantined: %s.", mr_quarantined_addresses(found, NULL)),
			 errhint("Repeat the transaction."),
			 mr_reason("quarantined")));
}

/* What is quarantined upstream of a version, in the roles that count. */
static MrQuarantined
find_upstream(const MrMark *mark)
{
	int			n = 0;
	char	  **roles = mark->what == NULL ? NULL :
		mr_member_texts(&mark->what->root, "roles", &n);

	return mr_upstream_quarantined(mark->node, (const char *const *) roles, n, NULL, NULL);
}

/* Would the version of a mark of MR_MARK_QUARANTINE be refused before the commit? */
bool
mr_quarantine_touches(const MrMark *mark)
{
	return find_upstream(mark).n > 0;
}

/*
 * Nothing but quarantine refuses the version?  Then that is the error, which
 * names the nodes.
 */
void
mr_quarantine_refuse_alone(MrTransition *transition, const MrLook *look)
{
	MrMark		mark = {.node = look->subject.node};
	MrQuarantined found;

	for (int i = 0; i < look->gates.n; i++)
	{
		const MrGateResult *result = &look->gates.items[i];

		if (!result->holds && result->gate->blocks &&
			result->gate->kind != &mr_gate_quarantine)
			return;
	}
	mark.what = mr_quarantine_roles(look->policy, look->way);
	found = find_upstream(&mark);
	if (found.n == 0)
		return;
	mr_owner_end(&transition->verb->scope);
	refuse(mark.node, &found);
}

/*
 * A decision lets the version into Staging or Production: 55000 if it derives
 * from a quarantined node, and another look before the commit.
 */
void
mr_quarantine_let_in(MrTransition *transition, int32 version)
{
	MrMark		mark = {.model = transition->model->id,.version = version,
	.what = transition->quarantine_roles};
	MrQuarantined found;

	mark.node = mr_version_node_id(mark.model, version, NULL);
	found = find_upstream(&mark);
	if (found.n > 0)
	{
		mr_owner_end(&transition->verb->scope);
		/* nobody asked for it: what was recorded may be recorded again */
		if (transition->by_policy)
			refuse_at_commit(mark.node, &found);
		refuse(mark.node, &found);
	}
	mr_mark(MR_MARK_QUARANTINE, &mark);
}

/* A mark is of a version that was let in, or of a node. */
static bool
is_version(const MrMark *mark)
{
	return mark->version != 0;
}

static void
lock_key(bool alone)
{
	static const char key[] = "quarantine";

	if (alone)
		mr_lock_key(MR_LOCK_QUARANTINE, key, sizeof(key));
	else
		mr_lock_key_shared(MR_LOCK_QUARANTINE, key, sizeof(key));
}

/* The nodes that this transaction quarantined itself, in order. */
static MrQuarantined
own_nodes(const MrMark *marks, int64 n)
{
	MrQuarantined own = {palloc_extended(n * sizeof(int64), MCXT_ALLOC_HUGE), 0};

	for (int64 i = 0; i < n; i++)
		if (!is_version(&marks[i]))
			own.nodes[own.n++] = marks[i].node;
	qsort(own.nodes, own.n, sizeof(int64), mr_id_compare);
	return own;
}

/* Leave out what the transaction quarantined after it let versions in. */
static void
leave_out(MrQuarantined *found, const MrQuarantined *own)
{
	int64		kept = 0;

	for (int64 i = 0; i < found->n; i++)
		if (bsearch(&found->nodes[i], own->nodes, own->n, sizeof(int64),
					mr_id_compare) == NULL)
			found->nodes[kept++] = found->nodes[i];
	found->n = kept;
}

/* Is the version current?  Then those who LISTEN for its model are told. */
static void
notify_if_current(int64 id)
{
	MrTable    *table = mr_table_open_read("model");
	MrNode		node;
	Datum		key;
	bool		none;
	Datum		current;

	if (!mr_node_get(id, NULL, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", id);
	key = Int64GetDatum(pg_strtoint64(node.name));
	if (!mr_table_find_latest(table, "model_pkey", 1, &key))
		elog(ERROR, "model %s does not exist", node.name);
	current = mr_table_get(table, MODEL_CURRENT_VERSION, &none);
	if (!none && DatumGetInt32(current) == pg_strtoint32(node.version))
		mr_model_notify(DatumGetInt64(key));
	mr_table_close(table);
}

static bool
visit(const MrWalkStep *step, void *arg)
{
	notify_if_current(step->node);
	return true;
}

/*
 * The models whose current version derives from the node, unless so much does
 * that it would keep others from their commit.
 */
static void
notify_models(int64 id)
{
	MrWalkOptions options = {.direction = MR_DOWNSTREAM,
	.max_depth = MR_NO_DEPTH_LIMIT,.max_nodes = NOTIFY_NODES_MAX};
	MrNode		node;

	if (!mr_node_get(id, NULL, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", id);
	options.snapshot = RegisterSnapshot(mr_latest_snapshot());
	if (strcmp(node.kind, MR_NODE_KIND_VERSION) == 0)
		notify_if_current(id);
	(void) mr_walk_from(&node, &options, mr_want_version, visit, NULL);
	UnregisterSnapshot(options.snapshot);
}

/* What this transaction quarantined and did not lift again must not be let in elsewhere. */
static void
look_elsewhere(const MrQuarantined *own)
{
	if (mr_quarantine_look == NULL)
		return;
	for (int64 i = 0; i < own->n; i++)
		if (mr_node_is_quarantined(own->nodes[i], NULL))
		{
			mr_quarantine_look();
			return;
		}
}

/* Before the commit; a transaction takes the stronger lock, and takes it once. */
static void
check_marks(const MrMark *marks, int64 n)
{
	MrQuarantined own = own_nodes(marks, n);

	lock_key(own.n > 0);
	look_elsewhere(&own);
	for (int64 i = 0; i < n; i++)
	{
		MrQuarantined found;

		CHECK_FOR_INTERRUPTS();
		if (!is_version(&marks[i]))
		{
			notify_models(marks[i].node);
			continue;
		}
		found = find_upstream(&marks[i]);
		leave_out(&found, &own);
		if (found.n > 0)
			refuse_at_commit(marks[i].node, &found);
	}
}

static void
notify_node(int64 node)
{
	char		payload[32];

	snprintf(payload, sizeof(payload), INT64_FORMAT, node);
	Async_Notify(CHANNEL, payload);
}

static void
insert_row(int64 node, int64 team, int64 seq, TimestampTz at)
{
	Datum		values[QUARANTINE_COLUMNS];
	bool		nulls[QUARANTINE_COLUMNS] = {false};

	values[QUARANTINE_NODE_ID - 1] = Int64GetDatum(node);
	values[QUARANTINE_TEAM_ID - 1] = Int64GetDatum(team);
	values[QUARANTINE_SINCE - 1] = TimestampTzGetDatum(at);
	values[QUARANTINE_SEQ - 1] = Int64GetDatum(seq);
	mr_insert_row("quarantine", values, nulls);
}

static void
delete_row(int64 node)
{
	MrTable    *table = mr_table_open("quarantine");
	Datum		key = Int64GetDatum(node);

	if (!mr_table_lock_latest(table, "quarantine_pkey", 1, &key))
		elog(ERROR, "quarantine of node " INT64_FORMAT " is missing", node);
	mr_table_delete(table);
	mr_table_close(table);
}

/* Returns the number of the event, 0 when the node is so already. */
static int64
change(MrVerb *verb, int64 node, bool lift, const char *reason)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrMark		mark = {.team = verb->team.id,.node = node};
	TimestampTz at;
	int64		seq;
	MrJson		what;

	if (mr_node_is_quarantined(node, NULL) != lift)
	{
		mr_head_release(head);
		return 0;
	}
	mr_json_begin(&what);
	mr_json_add_int(&what, "node_id", node);
	at = mr_event_append(head, verb, lift ? "quarantine_lifted" : "quarantined",
						 mr_json_end(&what), reason);
	seq = DatumGetInt64(head->values[HEAD_SEQ - 1]);
	if (lift)
		delete_row(node);
	else
	{
		insert_row(node, verb->team.id, seq, at);
		mr_mark(MR_MARK_QUARANTINE, &mark);
	}
	notify_node(node);
	mr_head_save(head);
	if (!lift && mr_quarantined != NULL)
		mr_quarantined(verb, node);
	return seq;
}

/* Retired or not: what a team has left behind can still do harm. */
static MrTeam
require_level(const char *address, MrRights level)
{
	MrTeam		team = mr_node_team_of(address);

	team.retired = false;
	mr_require_rights(&team, level);
	return team;
}

/* The frame of both verbs: returns the event's number, NULL for none. */
static Datum
run(FunctionCallInfo fcinfo, const char *name, MrRights level, bool lift)
{
	char	   *address = mr_arg_text(fcinfo, 0, "node");
	char	   *reason = mr_reason_arg(fcinfo, 1);
	MrTeam		team = require_level(address, level);
	MrVerb		verb;
	int64		number = 0;

	if (!mr_verb_repeated(&verb, fcinfo, name, &team, 2))
	{
		int64		node = mr_node_require(address, NULL);

		mr_verb_begin(&verb, fcinfo, name, &team, 2);
		if (!mr_verb_repeats(&verb))
			number = change(&verb, node, lift, reason);
	}
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

/*
 * modelreg.quarantine(node text, reason text, request_id text) returns bigint
 *
 * Returns the number of the event in the team's chain, NULL when the node is
 * quarantined already.  Errors: 42704 for a node that is not there or not
 * readable, 42501, and 40001 under REPEATABLE READ and above; nothing that the
 * node touches is one.
 */
Datum
modelreg_quarantine(PG_FUNCTION_ARGS)
{
	return run(fcinfo, "quarantine", MR_EVALUATOR | MR_REVIEWER | MR_MAINTAINER, false);
}

/*
 * modelreg.lift_quarantine(node text, reason text, request_id text) returns
 *		bigint, NULL when the node is not quarantined; errors as quarantine().
 */
Datum
modelreg_lift_quarantine(PG_FUNCTION_ARGS)
{
	return run(fcinfo, "lift_quarantine", MR_REVIEWER | MR_MAINTAINER, true);
}

void
mr_quarantine_init(void)
{
	mr_marks_run_by(MR_MARK_QUARANTINE, check_marks);
}
