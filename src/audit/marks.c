/*
 * marks.c
 *		What this transaction has to do before it commits.
 *
 * Facts that a transaction recorded become one event per team (and per
 * caller, should SET ROLE have changed him), appended when it commits, so
 * that recording never waits for another pipeline.  A transaction that
 * decided something has to reach its commit in time.  What later rooms have to
 * do then, they mark by kind.  A transaction that registered a version cannot
 * be prepared, because it could be committed after the registry, or a copy of
 * its files, began another identity.  Marks know their subtransaction: they go
 * when it aborts and are handed to the parent when it commits, in order, so
 * those of one subtransaction are always the last.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "audit/marks.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/settings.h"

typedef struct FactMark
{
	SubTransactionId subxact;
	int			batch;			/* index in batches */
	const char *table;
	int64		id;
	uint8		hash[MR_HASH_LEN];
} FactMark;

/* A decision, or at DT_NOEND a registration, which may take its time. */
typedef struct DecisionMark
{
	SubTransactionId subxact;
	TimestampTz at;
} DecisionMark;

/* The marks of a later room. */
typedef struct MarkList
{
	MrMark	   *marks;
	int64		n;
	int64		room;
} MarkList;

typedef struct Batch
{
	int64		id;
	MrTeam		team;
	Jsonb	   *who;
} Batch;

/* The marks of the transaction; context NULL when there is none. */
static struct
{
	MemoryContext context;
	Batch	   *batches;
	int			nbatches;
	int64		batch_room;
	FactMark   *facts;
	int64		nfacts;
	int64		fact_room;
	DecisionMark *decisions;
	int			ndecisions;
	int64		decision_room;
	MarkList	lists[MR_MARK_KINDS];
}			marks;

/* Who has to do with the marks of a kind; set when the library is loaded. */
static MrMarksRun runners[MR_MARK_KINDS];

static void run_marks(void);
static void append_facts(void);
static void check_decisions(void);

static bool
has_marks(void)
{
	int64		n = marks.nfacts + marks.ndecisions;

	for (int kind = 0; kind < MR_MARK_KINDS; kind++)
		n += marks.lists[kind].n;
	return n > 0;
}

static void
on_xact_event(XactEvent event, void *arg)
{
	if (marks.context == NULL)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			run_marks();
			append_facts();
			check_decisions();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (has_marks())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that registered, recorded or decided something in the registry"),
						 mr_reason("cannot_prepare")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			memset(&marks, 0, sizeof(marks));	/* the context goes by itself */
			break;
		default:
			break;
	}
}

static void
end_subxact(MarkList *list, SubXactEvent event, SubTransactionId mine,
			SubTransactionId parent)
{
	int64		n = list->n;

	for (; n > 0 && list->marks[n - 1].subxact == mine; n--)
		list->marks[n - 1].subxact = parent;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		list->n = n;
}

static void
on_subxact_event(SubXactEvent event, SubTransactionId mine,
				 SubTransactionId parent, void *arg)
{
	int64		f = marks.nfacts;
	int			d = marks.ndecisions;

	if (marks.context == NULL ||
		(event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB))
		return;
	for (; f > 0 && marks.facts[f - 1].subxact == mine; f--)
		marks.facts[f - 1].subxact = parent;
	for (; d > 0 && marks.decisions[d - 1].subxact == mine; d--)
		marks.decisions[d - 1].subxact = parent;
	for (int kind = 0; kind < MR_MARK_KINDS; kind++)
		end_subxact(&marks.lists[kind], event, mine, parent);
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		marks.nfacts = f;
		marks.ndecisions = d;
	}
}

/*
 * The first mark of a transaction.  Callbacks run last-registered first; we
 * register anew so that nobody, such as a foreign data wrapper that commits
 * on its remote side, runs before us.
 */
static void
begin_marks(void)
{
	if (marks.context != NULL)
		return;
	UnregisterXactCallback(on_xact_event, NULL);
	RegisterXactCallback(on_xact_event, NULL);
	UnregisterSubXactCallback(on_subxact_event, NULL);
	RegisterSubXactCallback(on_subxact_event, NULL);
	marks.context = AllocSetContextCreate(TopTransactionContext,
										  "modelreg marks",
										  ALLOCSET_DEFAULT_SIZES);
}

/* Remember that the transaction decided something at a time. */
void
mr_mark_decision(TimestampTz at)
{
	MemoryContext old;

	begin_marks();
	old = MemoryContextSwitchTo(marks.context);
	marks.decisions = mr_grow(marks.decisions, marks.ndecisions,
							  &marks.decision_room, sizeof(DecisionMark));
	MemoryContextSwitchTo(old);
	marks.decisions[marks.ndecisions].subxact = GetCurrentSubTransactionId();
	marks.decisions[marks.ndecisions++].at = at;
}

/* Remember that the transaction registered a version. */
void
mr_mark_registration(void)
{
	mr_mark_decision(DT_NOEND);
}

/* Who is called for the marks of a kind, from the library's init on. */
void
mr_marks_run_by(MrMarkKind kind, MrMarksRun run)
{
	runners[kind] = run;
}

static bool
same_json(Jsonb *a, Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

/* A copy, or what the mark before has, which mostly is the same. */
static Jsonb *
copy_json(Jsonb *json, Jsonb *before)
{
	if (same_json(json, before))
		return before;
	if (json == NULL)
		return NULL;
	return (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(json));
}

/* Is it the same once more, and would it go when the one before goes? */
static bool
repeats(const MrMark *mark, const MrMark *before)
{
	return before->subxact == GetCurrentSubTransactionId() &&
		before->team == mark->team && before->model == mark->model &&
		before->version == mark->version && before->node == mark->node &&
		before->observation == mark->observation &&
		same_json(mark->who, before->who) && same_json(mark->what, before->what);
}

/* Remember something that a later room has to do before the commit. */
void
mr_mark(MrMarkKind kind, const MrMark *mark)
{
	MarkList   *list = &marks.lists[kind];
	MemoryContext old;
	MrMark		before = {0};
	MrMark	   *added;

	if (list->n > 0)
		before = list->marks[list->n - 1];
	if (list->n > 0 && repeats(mark, &before))
		return;
	begin_marks();
	old = MemoryContextSwitchTo(marks.context);
	list->marks = mr_grow(list->marks, list->n, &list->room, sizeof(MrMark));
	added = &list->marks[list->n++];
	*added = *mark;
	added->subxact = GetCurrentSubTransactionId();
	added->who = copy_json(mark->who, before.who);
	added->what = copy_json(mark->what, before.what);
	MemoryContextSwitchTo(old);
}

/* What later rooms have to do, kind by kind. */
static void
run_marks(void)
{
	MemoryContext old = MemoryContextSwitchTo(marks.context);

	for (int kind = 0; kind < MR_MARK_KINDS; kind++)
	{
		if (marks.lists[kind].n == 0 || runners[kind] == NULL)
			continue;
		PushActiveSnapshot(GetTransactionSnapshot());
		runners[kind] (marks.lists[kind].marks, marks.lists[kind].n);
		PopActiveSnapshot();
	}
	MemoryContextSwitchTo(old);
}

/*
 * The batch under which facts of a team are recorded by this caller in this
 * transaction; rows of facts carry its number.
 */
int64
mr_fact_batch(MrVerb *verb, int64 team)
{
	Batch	   *batch;
	MemoryContext old;

	begin_marks();
	for (int i = 0; i < marks.nbatches; i++)
		if (marks.batches[i].team.id == team &&
			same_json(marks.batches[i].who, verb->who))
			return marks.batches[i].id;
	old = MemoryContextSwitchTo(marks.context);
	marks.batches = mr_grow(marks.batches, marks.nbatches, &marks.batch_room,
							sizeof(Batch));
	batch = &marks.batches[marks.nbatches];
	batch->id = mr_nextval("batch_seq");
	batch->team = verb->team;
	batch->team.id = team;
	batch->team.name = pstrdup(verb->team.name);
	batch->who = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(verb->who));
	MemoryContextSwitchTo(old);
	marks.nbatches++;
	return batch->id;
}

/* Will this transaction append the batch's event when it commits? */
bool
mr_fact_batch_is_open(int64 batch)
{
	for (int i = 0; i < marks.nbatches; i++)
		if (marks.batches[i].id == batch)
			return true;
	return false;
}

/* Remember a row of facts that was written; table is a string constant. */
void
mr_fact_recorded(int64 batch, const char *table, int64 id, const bytea *hash)
{
	MemoryContext old = MemoryContextSwitchTo(marks.context);
	FactMark   *mark;

	marks.facts = mr_grow(marks.facts, marks.nfacts, &marks.fact_room,
						  sizeof(FactMark));
	MemoryContextSwitchTo(old);
	mark = &marks.facts[marks.nfacts++];
	mark->subxact = GetCurrentSubTransactionId();
	for (mark->batch = 0; marks.batches[mark->batch].id != batch;)
		mark->batch++;
	mark->table = table;
	mark->id = id;
	memcpy(mark->hash, VARDATA_ANY(hash), MR_HASH_LEN);
}

static int
compare_facts(const void *a, const void *b)
{
	const FactMark *x = a;
	const FactMark *y = b;
	int64		tx = marks.batches[x->batch].team.id;
	int64		ty = marks.batches[y->batch].team.id;
	int			order;

	if (tx != ty)
		return tx < ty ? -1 : 1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	order = strcmp(x->table, y->table);
	if (order != 0)
		return order;
	return (x->id > y->id) - (x->id < y->id);
}

/* How many of the n facts each table has: {"edge": 3, "node": 1}. */
static Jsonb *
count_rows(const FactMark *facts, int64 n)
{
	MrJson		json;
	int64		start = 0;

	mr_json_begin(&json);
	for (int64 i = 1; i <= n; i++)
		if (i == n || strcmp(facts[i].table, facts[start].table) != 0)
		{
			mr_json_add_int(&json, facts[start].table, i - start);
			start = i;
		}
	return mr_json_end(&json);
}

/* SHA-256 over (table, id, hash) of each fact, by table and id. */
static bytea *
hash_facts(const FactMark *facts, int64 n)
{
	StringInfoData buf;
	uint8		running[MR_HASH_LEN] = {0};

	initStringInfo(&buf);
	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&buf);
		mr_encode_row_start(&buf, "facts", 1);
		mr_encode_bytes(&buf, running, MR_HASH_LEN);
		mr_encode_bytes(&buf, facts[i].table, strlen(facts[i].table));
		mr_encode_datum(&buf, INT8OID, Int64GetDatum(facts[i].id), false);
		mr_encode_bytes(&buf, facts[i].hash, MR_HASH_LEN);
		mr_sha256(buf.data, buf.len, running);
	}
	pfree(buf.data);
	return mr_hash_datum(running);
}

/* One event for the n facts of a batch; the team's facts head is locked last. */
static void
append_batch(const FactMark *facts, int64 n)
{
	Batch	   *batch = &marks.batches[facts[0].batch];
	MrVerb		verb = {.name = "facts",.team = batch->team,.who = batch->who};
	MrJson		json;
	MrHead	   *head;

	mr_json_begin(&json);
	mr_json_add_int(&json, "batch", batch->id);
	mr_json_add_json(&json, "rows", count_rows(facts, n));
	mr_json_add_hash(&json, "digest", hash_facts(facts, n));
	head = mr_head_lock(MR_CHAIN_FACTS, batch->team.id);
	mr_event_append(head, &verb, "facts_recorded", mr_json_end(&json), NULL);
	mr_head_save(head);
}

/* The events of all batches, teams by id. */
static void
append_facts(void)
{
	MrOwnerScope scope;
	MemoryContext old;

	if (marks.nfacts == 0)
		return;
	old = MemoryContextSwitchTo(marks.context);
	qsort(marks.facts, marks.nfacts, sizeof(FactMark), compare_facts);
	PushActiveSnapshot(GetTransactionSnapshot());
	mr_owner_begin(&scope);
	for (int64 start = 0, i = 1; i <= marks.nfacts; i++)
		if (i == marks.nfacts || marks.facts[i].batch != marks.facts[start].batch)
		{
			append_batch(&marks.facts[start], i - start);
			start = i;
		}
	mr_owner_end(&scope);
	PopActiveSnapshot();
	MemoryContextSwitchTo(old);
}

/* Error 40001 when the first decision is too long ago. */
static void
check_decisions(void)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < marks.ndecisions; i++)
		if (marks.decisions[i].at < now - (int64) mr_max_decision_delay * 1000)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("transaction was open for too long after a decision"),
					 errdetail("It decided at %s, more than %d ms ago.",
							   timestamptz_to_str(marks.decisions[i].at),
							   mr_max_decision_delay),
					 errhint("Decide at the end of a transaction, and repeat it."),
					 mr_reason("decision_too_old")));
}
