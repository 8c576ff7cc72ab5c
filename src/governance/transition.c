/*
 * transition.c
 *		One decision about a model: stages that move, and what is current.
 *
 * Whatever moves a version goes through here: under the lock of the model's
 * decisions one event tells all moves and what is current after them, and
 * the folds (stages, the row of production, the model's own row) follow it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "artifact/artifact.h"
#include "audit/marks.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hooks.h"
#include "governance/leaving.h"
#include "governance/quarantine.h"
#include "governance/retention.h"
#include "governance/transition.h"
#include "registry/former_name.h"
#include "registry/quarantine.h"
#include "registry/registry_tables.h"
#include "registry/version_node.h"

/* Under the lock: what is current stays so until said. */
static MrTransition *
begin(MrVerb *verb, MrModel *model, MrHead *head, const char *reason)
{
	MrTransition *transition = palloc0(sizeof(MrTransition));

	transition->verb = verb;
	transition->model = model;
	transition->reason = reason;
	transition->head = head;
	mr_model_renew(model, head);
	transition->current = model->current_version;
	return transition;
}

/*
 * Lock the model's decisions; what is current and the policy are as they are
 * under the lock.
 */
MrTransition *
mr_transition_begin(MrVerb *verb, MrModel *model, const char *reason)
{
	return begin(verb, model, mr_model_lock(model), reason);
}

/*
 * The same without waiting: NULL when somebody else decides about the model
 * now, or it was retired.
 */
MrTransition *
mr_transition_try_begin(MrVerb *verb, MrModel *model, const char *reason)
{
	MrHead	   *head = mr_head_try_lock(MR_CHAIN_DECISIONS, model->id);

	if (head != NULL && !head->nulls[MODEL_RETIRED_AT - 1])
	{
		mr_head_release(head);
		head = NULL;
	}
	return head == NULL ? NULL : begin(verb, model, head, reason);
}

/* The stage of a version now.  Error 42704 when there is none. */
static MrStage
require_stage(MrTransition *transition, int32 version)
{
	MrStage		stage = mr_version_stage(transition->model->id, version, NULL, NULL);

	if (stage == MR_STAGE_NONE)
		mr_require_version(transition->model, version, NULL);
	return stage;
}

static void
add_move(MrTransition *transition, int32 version, MrStage from, MrStage to)
{
	transition->moves = mr_grow(transition->moves, transition->nmoves,
								&transition->room, sizeof(MrMove));
	transition->moves[transition->nmoves++] =
		(MrMove) {.version = version,.from = from,.to = to};
}

/* The endpoints where the version has traffic that the stage does not permit. */
static char *
traffic_against(MrTransition *transition, int32 version, MrStage to)
{
	return mr_traffic_refused == NULL ? NULL :
		mr_traffic_refused(transition->model, version, to, transition->back);
}

static void
refuse_what_serves(const MrTransition *transition, int32 version, MrStage to,
				   const char *endpoints)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("version %d of \"%s\" serves, and stage %s does not permit it",
					version, mr_model_address(transition->model), mr_stage_name(to)),
			 errdetail("Endpoints: %s.", endpoints),
			 errhint("Take it out of their traffic first, with modelreg.start_rollout() of another version or modelreg.rollback()."),
			 mr_reason("serves")));
}

/*
 * Add a move to the transition; a version that is there already stays.  Error
 * 55000 for one that serves what the stage does not permit.
 */
void
mr_transition_move(MrTransition *transition, int32 version, MrStage to)
{
	MrStage		from = require_stage(transition, version);
	char	   *endpoints;

	if (from == to)
		return;
	endpoints = traffic_against(transition, version, to);
	if (endpoints != NULL)
		refuse_what_serves(transition, version, to, endpoints);
	add_move(transition, version, from, to);
}

static bool
moves(const MrTransition *transition, int32 version)
{
	for (int i = 0; i < transition->nmoves; i++)
		if (transition->moves[i].version == version)
			return true;
	return false;
}

static void
add_leaving(MrTransition *transition, int32 version)
{
	transition->leaving = mr_grow(transition->leaving, transition->nleaving,
								  &transition->leaving_room, sizeof(int32));
	transition->leaving[transition->nleaving++] = version;
}

/*
 * What was archived returns to Production, for an endpoint that goes back to
 * it: unless it is current it leaves as soon as it serves no more.  Several
 * endpoints may go back to it at once.
 */
void
mr_transition_return(MrTransition *transition, int32 version)
{
	if (moves(transition, version))
		return;
	mr_transition_move(transition, version, MR_STAGE_PRODUCTION);
	if (version != transition->current)
		add_leaving(transition, version);
}

/*
 * A version of stage Production is to be archived; while an endpoint serves
 * it, it stays and leaves when none does.
 */
void
mr_transition_archive(MrTransition *transition, int32 version)
{
	if (traffic_against(transition, version, MR_STAGE_ARCHIVED) == NULL)
		add_move(transition, version, MR_STAGE_PRODUCTION, MR_STAGE_ARCHIVED);
	else if (!mr_leaving_has(transition->model->id, version))
		add_leaving(transition, version);
}

/* What was leaving and serves nowhere any more goes with this decision. */
static void
archive_left(MrTransition *transition)
{
	int			n;
	int32	   *leaving = mr_leaving_of(transition->model->id, &n);

	for (int i = 0; i < n; i++)
		if (leaving[i] != transition->current && !moves(transition, leaving[i]))
			mr_transition_archive(transition, leaving[i]);
}

static Jsonb *
describe_move(const MrMove *move)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "version", move->version);
	mr_json_add_text(&json, "from", mr_stage_name(move->from));
	mr_json_add_text(&json, "to", mr_stage_name(move->to));
	return mr_json_end(&json);
}

static void
describe_leaving(const MrTransition *transition, MrJson *json)
{
	if (transition->nleaving == 0)
		return;
	mr_json_begin_array(json, "leaving");
	for (int i = 0; i < transition->nleaving; i++)
		mr_json_add_int_element(json, transition->leaving[i]);
	mr_json_end_array(json);
}

static Jsonb *
describe(MrTransition *transition)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_begin_array(&json, "moves");
	for (int i = 0; i < transition->nmoves; i++)
		mr_json_add_element(&json, describe_move(&transition->moves[i]));
	mr_json_end_array(&json);
	describe_leaving(transition, &json);
	mr_json_add_id(&json, "current", transition->current);
	mr_json_add_id(&json, "replaced", transition->model->current_version);
	mr_json_add_id(&json, "previous_seq", transition->previous_seq);
	mr_json_add_text(&json, "policy", transition->model->policy);
	mr_json_add_hash(&json, "policy_digest", transition->model->policy_digest);
	mr_json_add_hash(&json, "evidence", transition->evidence);
	mr_json_add_id(&json, "request", transition->request);
	if (transition->napprovals > 0)
		mr_json_add_ints(&json, "approvals", transition->approvals, transition->napprovals);
	if (transition->by_policy)
		mr_json_add_bool(&json, "by_policy", true);
	return mr_json_end(&json);
}

static void
write_stage(MrTransition *transition, MrTable *table, const MrMove *move,
			TimestampTz at)
{
	Datum		values[VERSION_STAGE_COLUMNS];
	bool		nulls[VERSION_STAGE_COLUMNS];
	Datum		keys[2];

	keys[0] = Int64GetDatum(transition->model->id);
	keys[1] = Int32GetDatum(move->version);
	if (!mr_table_lock(table, "version_stage_pkey", 2, keys))
		elog(ERROR, "stage of version %d is missing", move->version);
	mr_table_read(table, values, nulls);
	values[VERSION_STAGE_STAGE - 1] = MrStageGetDatum(move->to);
	values[VERSION_STAGE_SINCE - 1] = TimestampTzGetDatum(at);
	mr_table_update(table, values, nulls);
}

static void
write_stages(MrTransition *transition, TimestampTz at)
{
	MrTable    *table = mr_table_open("version_stage");

	for (int i = 0; i < transition->nmoves; i++)
		write_stage(transition, table, &transition->moves[i], at);
	mr_table_close(table);
}

static void
write_tenure(MrTransition *transition, TimestampTz at)
{
	Datum		values[PRODUCTION_COLUMNS];
	bool		nulls[PRODUCTION_COLUMNS] = {false};

	values[PRODUCTION_MODEL_ID - 1] = Int64GetDatum(transition->model->id);
	values[PRODUCTION_SEQ - 1] = transition->head->values[HEAD_SEQ - 1];
	values[PRODUCTION_TEAM_ID - 1] = Int64GetDatum(transition->model->team.id);
	values[PRODUCTION_AT - 1] = TimestampTzGetDatum(at);
	values[PRODUCTION_VERSION - 1] = Int32GetDatum(transition->current);
	nulls[PRODUCTION_VERSION - 1] = transition->current == 0;
	values[PRODUCTION_PREVIOUS_SEQ - 1] = Int64GetDatum(transition->previous_seq);
	nulls[PRODUCTION_PREVIOUS_SEQ - 1] = transition->previous_seq == 0;
	mr_insert_row("production", values, nulls);
}

/* Copy what production() and impact() answer of the version into the model's row. */
static void
fill_current(MrTransition *transition, TimestampTz at)
{
	MrHead	   *head = transition->head;
	MrTable    *table;
	Datum		keys[2];

	for (int i = MODEL_CURRENT_VERSION; i <= MODEL_CURRENT_NODE_ID; i++)
		head->nulls[i - 1] = transition->current == 0;
	if (transition->current == 0)
		return;
	table = mr_table_open_read("version");
	keys[0] = Int64GetDatum(transition->model->id);
	keys[1] = Int32GetDatum(transition->current);
	if (!mr_table_find_latest(table, "version_pkey", 2, keys))
		elog(ERROR, "version %d is missing", transition->current);
	head->values[MODEL_CURRENT_VERSION - 1] = Int32GetDatum(transition->current);
	head->values[MODEL_CURRENT_SINCE - 1] = TimestampTzGetDatum(at);
	head->values[MODEL_CURRENT_REGISTERED_AT - 1] =
		mr_table_get(table, VERSION_REGISTERED_AT, NULL);
	head->values[MODEL_CURRENT_IDENTITY - 1] =
		mr_table_get_copy(table, VERSION_IDENTITY);
	head->values[MODEL_CURRENT_NODE_ID - 1] =
		mr_table_get(table, VERSION_NODE_ID, NULL);
	mr_table_close(table);
}

/*
 * What comes into Staging or Production, or is current from now on, must not
 * have been purged, nor derive from what is quarantined, whatever the policy
 * says.
 */
static void
let_in(MrTransition *transition)
{
	bool		moved = false;

	for (int i = 0; i < transition->nmoves; i++)
	{
		const MrMove *move = &transition->moves[i];

		if (move->to == MR_STAGE_STAGING || move->to == MR_STAGE_PRODUCTION)
		{
			mr_require_unpurged(transition->model, move->version);
			mr_quarantine_let_in(transition, move->version);
		}
		moved = moved || move->version == transition->current;
	}
	if (!moved && transition->current != 0 &&
		transition->current != transition->model->current_version)
		mr_quarantine_let_in(transition, transition->current);
}

/* Whoever lets versions into splits looks at their stages again before he commits. */
static void
mark_traffic(MrTransition *transition, TimestampTz at)
{
	MrMark		mark = {.team = transition->model->team.id,.model = transition->model->id,.at = at};

	for (int i = 0; i < transition->nmoves; i++)
	{
		mark.version = transition->moves[i].version;
		mr_mark(MR_MARK_TRAFFIC, &mark);
	}
}

/* What leaves from now on, and what does so no longer. */
static void
write_leaving(MrTransition *transition, TimestampTz at, int64 seq)
{
	MrMark		mark = {.team = transition->model->team.id,
	.model = transition->model->id,.who = transition->verb->who};
	int			n;

	for (int i = 0; i < transition->nmoves; i++)
		mr_leaving_end(transition->model->id, transition->moves[i].version);
	if (transition->current != 0)
		mr_leaving_end(transition->model->id, transition->current);
	for (int i = 0; i < transition->nleaving; i++)
		mr_leaving_begin(transition->model, transition->leaving[i], at, seq);
	(void) mr_leaving_of(transition->model->id, &n);
	if (n > 0 || transition->nleaving > 0)
		mr_mark(MR_MARK_LEAVING, &mark);
}

/* Tell those who want to know that another version is current. */
static void
notify(MrTransition *transition)
{
	mr_model_notify(transition->model->id);
	if (mr_production_changed != NULL)
		mr_production_changed(transition->verb, transition->model->id,
							  transition->current, transition->back,
							  transition->reason);
}

/* Write the transition; returns the number of its event. */
int64
mr_transition_commit(MrTransition *transition, const char *kind)
{
	bool		changed = transition->current != transition->model->current_version;
	TimestampTz at;
	int64		seq;

	archive_left(transition);
	let_in(transition);
	at = mr_event_append(transition->head, transition->verb, kind,
						 describe(transition), transition->reason);
	seq = DatumGetInt64(transition->head->values[HEAD_SEQ - 1]);
	write_stages(transition, at);
	mark_traffic(transition, at);
	write_leaving(transition, at, seq);
	if (changed)
	{
		write_tenure(transition, at);
		fill_current(transition, at);
	}
	mr_head_save(transition->head);
	if (changed)
		notify(transition);
	return seq;
}

/* Nothing is to be changed after all. */
void
mr_transition_abandon(MrTransition *transition)
{
	mr_head_release(transition->head);
}

/* The row of production in the table's slot. */
static void
read_tenure(MrTable *table, MrTenure *tenure)
{
	bool		isnull;
	Datum		value;

	tenure->seq = DatumGetInt64(mr_table_get(table, PRODUCTION_SEQ, NULL));
	tenure->at = DatumGetTimestampTz(mr_table_get(table, PRODUCTION_AT, NULL));
	value = mr_table_get(table, PRODUCTION_VERSION, &isnull);
	tenure->version = isnull ? 0 : DatumGetInt32(value);
	value = mr_table_get(table, PRODUCTION_PREVIOUS_SEQ, &isnull);
	tenure->previous_seq = isnull ? 0 : DatumGetInt64(value);
}

/* The last row of a scan of production, which ends here. */
static bool
read_last(MrTable *table, MrScan *scan, MrTenure *tenure)
{
	bool		found = mr_scan_next(scan, true);

	if (found)
		read_tenure(table, tenure);
	mr_scan_end(scan);
	mr_table_close(table);
	return found;
}

/* The last change of what is current; false when there never was one. */
bool
mr_tenure_latest(int64 model, Snapshot snapshot, MrTenure *tenure)
{
	MrTable    *table = mr_table_open_read("production");
	Datum		key = Int64GetDatum(model);

	return read_last(table, mr_scan_begin(table, "production_pkey", 1, &key, snapshot),
					 tenure);
}

/* The last one up to a time. */
bool
mr_tenure_at(int64 model, TimestampTz at, Snapshot snapshot, MrTenure *tenure)
{
	MrTable    *table = mr_table_open_read("production");
	Datum		keys[2] = {Int64GetDatum(model), TimestampTzGetDatum(at)};

	return read_last(table, mr_scan_begin_to(table, "production_at", 2, keys, snapshot),
					 tenure);
}

static bool
get_tenure(int64 model, int64 seq, Snapshot snapshot, MrTenure *tenure)
{
	MrTable    *table = mr_table_open_read("production");
	Datum		keys[2];
	bool		found;

	keys[0] = Int64GetDatum(model);
	keys[1] = Int64GetDatum(seq);
	found = mr_table_find(table, "production_pkey", 2, keys, snapshot);
	if (found)
		read_tenure(table, tenure);
	mr_table_close(table);
	return found;
}

/*
 * The last time that a version was current which is not this one (0: any),
 * following the links past the times when nothing was.
 */
static bool
last_tenure_of_other(int64 model, int32 version, Snapshot snapshot, MrTenure *tenure)
{
	bool		found = mr_tenure_latest(model, snapshot, tenure);

	while (found && (tenure->version == 0 || tenure->version == version))
	{
		CHECK_FOR_INTERRUPTS();
		found = tenure->previous_seq != 0 &&
			get_tenure(model, tenure->previous_seq, snapshot, tenure);
	}
	return found;
}

/* That version; 0 when there was none. */
int32
mr_tenure_last_other(int64 model, int32 version, Snapshot snapshot)
{
	MrTenure	tenure;

	return last_tenure_of_other(model, version, snapshot, &tenure) ? tenure.version : 0;
}

/*
 * The version that was current last of the models that had, before this one, a
 * name that this one has or had, and its model; 0 when there was none.
 */
int32
mr_tenure_before_name(int64 model, Snapshot snapshot, int64 *former)
{
	int			n;
	int64	   *holders = mr_model_former_holders(model, snapshot, &n);
	MrTenure	last = {0};

	for (int i = 0; i < n; i++)
	{
		MrTenure	tenure;

		if (!last_tenure_of_other(holders[i], 0, snapshot, &tenure) ||
			(last.version != 0 && tenure.at <= last.at))
			continue;
		last = tenure;
		*former = holders[i];
	}
	return last.version;
}

/* Was the version ever current? */
bool
mr_tenure_was_current(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("production");
	Datum		key = Int64GetDatum(model);
	MrScan	   *scan = mr_scan_begin(table, "production_pkey", 1, &key, snapshot);
	bool		was = false;
	MrTenure	tenure;

	while (!was && mr_scan_next(scan, true))
	{
		CHECK_FOR_INTERRUPTS();
		read_tenure(table, &tenure);
		was = tenure.version == version;
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return was;
}

/* Not the version itself, nor one that is not to come back. */
static bool
can_return(int64 model, int32 version, const MrTenure *tenure, Snapshot snapshot)
{
	return version != 0 && version != tenure->version &&
		!mr_version_is_purged(model, version, snapshot) &&
		!mr_derives_from_quarantined(mr_version_node_id(model, version, snapshot),
									 snapshot);
}

/*
 * What was current before, following the links past the times when nothing
 * was, past the version itself, past what was purged and past what derives from
 * a quarantined node; false when there was nothing.
 */
bool
mr_tenure_previous(int64 model, Snapshot snapshot, const MrTenure *tenure,
				   MrTenure *previous)
{
	int64		seq = tenure->previous_seq;

	while (seq != 0 && get_tenure(model, seq, snapshot, previous))
	{
		CHECK_FOR_INTERRUPTS();
		if (can_return(model, previous->version, tenure, snapshot))
			return true;
		seq = previous->previous_seq;
	}
	return false;
}

/*
 * Would a rollback go back to the version, now or once a quarantine that it
 * passes over is lifted?
 */
bool
mr_tenure_may_return(int64 model, int32 version)
{
	MrTenure	latest;
	MrTenure	past;

	if (!mr_tenure_latest(model, NULL, &latest) || latest.version == version)
		return false;
	past = latest;
	while (past.previous_seq != 0 &&
		   get_tenure(model, past.previous_seq, NULL, &past))
	{
		CHECK_FOR_INTERRUPTS();
		if (past.version == version)
			return true;
		if (can_return(model, past.version, &latest, NULL))
			return false;
	}
	return false;
}
