/*
 * chain.c
 *		Chains, their heads, and appending an event.
 *
 * A chain has one mutable row, its head, with the chain's position and state.
 * The head is the lock: a verb locks the heads that it changes, in the order
 * registry, teams, registrations, decisions, endpoints, each by id; the
 * facts' head comes last, when the transaction commits.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "audit/history.h"
#include "audit/marks.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/row.h"
#include "base/settings.h"
#include "base/snapshot.h"

static const struct
{
	const char *name;
	const char *table;
	const char *index;
}			chains[] = {
	{NULL, NULL, NULL},
	{"registry", "registry", "registry_pkey"},
	{"team", "team", "team_pkey"},
	{"facts", "fact_head", "fact_head_pkey"},
	{"registrations", "registration_head", "registration_head_pkey"},
	{"decisions", "model", "model_pkey"},
	{"endpoint", "endpoint", "endpoint_pkey"},
};

const char *
mr_chain_name(MrChain chain)
{
	return chains[chain].name;
}

/* The chain of a name, if audit_head() tells of such; else 0. */
MrChain
mr_chain_by_name(const char *name)
{
	for (int i = MR_CHAIN_REGISTRY; i <= MR_CHAIN_LAST; i++)
		if (strcmp(chains[i].name, name) == 0)
			return i;
	return 0;
}

/* The number of a chain's last event; -1 where there is no such chain. */
int64
mr_chain_position(MrChain chain, int64 id, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read(chains[chain].table);
	Datum		key = Int64GetDatum(id);
	int64		seq = -1;

	if (mr_table_find(table, chains[chain].index, 1, &key, snapshot))
		seq = DatumGetInt64(mr_table_get(table, HEAD_SEQ, NULL));
	mr_table_close(table);
	return seq;
}

/*
 * Does the snapshot see the chain's last event, and is no other on its way?
 * An old snapshot does not know what happened since it was taken.
 */
static bool
sees_last_event(MrChain chain, int64 id, Snapshot snapshot)
{
	int64		seen = mr_chain_position(chain, id, snapshot);
	MrTable    *table = mr_table_open_read(chains[chain].table);
	Datum		key = Int64GetDatum(id);
	SnapshotData dirty;
	MrScan	   *scan;
	bool		sees = true;

	InitDirtySnapshot(dirty);
	scan = mr_scan_begin(table, chains[chain].index, 1, &key, &dirty);
	while (sees && mr_scan_next(scan, false))
		sees = !TransactionIdIsValid(dirty.xmin) &&
			!TransactionIdIsValid(dirty.xmax) &&
			DatumGetInt64(mr_table_get(table, HEAD_SEQ, NULL)) == seen;
	mr_scan_end(scan);
	mr_table_close(table);
	return sees;
}

/*
 * Can an answer about a chain at a time still change?  Not when the time is
 * older than any decision that may yet commit, and all that were made are
 * seen; on a standby only when replay has passed that point too.
 */
bool
mr_chain_is_final(MrChain chain, int64 id, TimestampTz at, Snapshot snapshot)
{
	int64		margin = ((int64) mr_max_decision_delay + mr_max_clock_skew) * 1000;
	TimestampTz known = RecoveryInProgress() ? GetLatestXTime() :
		GetCurrentTimestamp();

	return at < known - margin && sees_last_event(chain, id, snapshot);
}

/* The free text given with an event; NULL for none, also where it was redacted. */
char *
mr_event_reason(MrChain chain, int64 id, int64 seq, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("event");
	Datum		keys[3] = {Int16GetDatum(chain), Int64GetDatum(id), Int64GetDatum(seq)};
	bytea	   *digest = NULL;
	bool		none = true;

	if (mr_table_find(table, "event_pkey", 3, keys, snapshot))
	{
		Datum		prose = mr_table_get(table, EVENT_PROSE, &none);

		digest = none ? NULL : DatumGetByteaPCopy(prose);
	}
	mr_table_close(table);
	return digest == NULL ? NULL : mr_payload_fetch(digest);
}

static MrHead *
make_head(MrChain chain, int64 id)
{
	MrHead	   *head = palloc0(sizeof(MrHead));

	head->chain = chain;
	head->id = id;
	head->table = mr_table_open(chains[chain].table);
	Assert(RelationGetDescr(head->table->rel)->natts <= MR_HEAD_MAX_COLUMNS);
	return head;
}

/*
 * Lock a head until the end of the transaction; returns it as it is after
 * the wait.  The object was found before; if it is gone, that is 40001.
 */
MrHead *
mr_head_lock(MrChain chain, int64 id)
{
	MrHead	   *head = make_head(chain, id);
	Datum		key = Int64GetDatum(id);
	bool		found;

	/* Who only appends facts reads nothing that others' facts could change. */
	if (chain == MR_CHAIN_FACTS)
		found = mr_table_lock_latest(head->table, chains[chain].index, 1, &key);
	else
		found = mr_table_lock(head->table, chains[chain].index, 1, &key);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("head " INT64_FORMAT " of chain %s is gone",
						id, chains[chain].name),
				 mr_reason("concurrent_update")));
	mr_table_read(head->table, head->values, head->nulls);
	return head;
}

/*
 * The same without waiting: NULL when somebody else holds it.  It is the
 * latest, whatever changed since the transaction began.
 */
MrHead *
mr_head_try_lock(MrChain chain, int64 id)
{
	MrHead	   *head = make_head(chain, id);
	Datum		key = Int64GetDatum(id);

	if (!mr_table_try_lock(head->table, chains[chain].index, 1, &key))
	{
		mr_head_release(head);
		return NULL;
	}
	mr_table_read(head->table, head->values, head->nulls);
	return head;
}

/*
 * Fill the first columns of a new head's row: position 0, the hash of 32
 * zero bytes that the first event's prev is, and a time before all others.
 */
void
mr_head_init(MrChain chain, int64 id, Datum *values, bool *nulls)
{
	bytea	   *zero = palloc0(VARHDRSZ + MR_HASH_LEN);

	SET_VARSIZE(zero, VARHDRSZ + MR_HASH_LEN);
	values[HEAD_ID - 1] = Int64GetDatum(id);
	values[HEAD_SEQ - 1] = Int64GetDatum(0);
	values[HEAD_HASH - 1] = PointerGetDatum(zero);
	values[HEAD_AT - 1] = TimestampTzGetDatum(DT_NOBEGIN);
	memset(nulls, false, HEAD_AT * sizeof(bool));
}

/* Let go of a head that was not changed; its lock stays. */
void
mr_head_release(MrHead *head)
{
	mr_table_close(head->table);
	pfree(head);
}

/* Write a head that was changed. */
void
mr_head_save(MrHead *head)
{
	mr_table_update(head->table, head->values, head->nulls);
	CommandCounterIncrement();
	mr_head_release(head);
}

/* The first event of all tells the registry's identity. */
static void
append_birth(MrVerb *verb, Datum identity)
{
	MrVerb		birth = {.name = verb->name,.who = verb->who};
	MrHead	   *head = mr_head_lock(MR_CHAIN_REGISTRY, 1);
	MrJson		what;

	mr_json_begin(&what);
	mr_json_add_text(&what, "identity",
					 DatumGetCString(DirectFunctionCall1(uuid_out, identity)));
	mr_event_append(head, &birth, "registry_created", mr_json_end(&what), NULL);
	mr_head_save(head);
}

static void
create_registry(MrVerb *verb)
{
	Datum		values[REGISTRY_COLUMNS];
	bool		nulls[REGISTRY_COLUMNS] = {false};

	mr_head_init(MR_CHAIN_REGISTRY, 1, values, nulls);
	values[REGISTRY_IDENTITY - 1] = OidFunctionCall0(F_GEN_RANDOM_UUID);
	mr_history_stamp(values, nulls);
	mr_insert_row("registry", values, nulls);
	CommandCounterIncrement();
	append_birth(verb, values[REGISTRY_IDENTITY - 1]);
}

/*
 * Lock the registry's head, which the first call of all makes.  Those who
 * race to make it wait for each other on the table's lock.
 */
MrHead *
mr_registry_head_lock(MrVerb *verb)
{
	Datum		key = Int64GetDatum(1);
	MrTable    *table = mr_table_open_read("registry");
	bool		exists = mr_table_find_latest(table, "registry_pkey", 1, &key);

	if (!exists)
	{
		LockRelation(table->rel, ShareRowExclusiveLock);
		if (!mr_table_find_latest(table, "registry_pkey", 1, &key))
			create_registry(verb);
	}
	mr_table_close(table);
	return mr_head_lock(MR_CHAIN_REGISTRY, 1);
}

/* The identity that a snapshot sees, or NULL. */
static pg_uuid_t *
read_identity(MrTable *table, Snapshot snapshot)
{
	Datum		key = Int64GetDatum(1);
	pg_uuid_t  *identity = NULL;

	snapshot = RegisterSnapshot(snapshot);
	if (mr_table_find(table, "registry_pkey", 1, &key, snapshot))
		identity = DatumGetUUIDP(datumCopy(mr_table_get(table, REGISTRY_IDENTITY, NULL),
										   false, UUID_LEN));
	UnregisterSnapshot(snapshot);
	return identity;
}

/*
 * The registry's identity (uuid), which its first team brought to be.  Where
 * a transaction has one snapshot and another identity was begun since, that
 * is 40001: under the former nothing is registered any more, and of the
 * latter the transaction sees no event.
 */
Datum
mr_registry_identity(void)
{
	MrTable    *table = mr_table_open_read("registry");
	pg_uuid_t  *identity = read_identity(table, mr_latest_snapshot());
	pg_uuid_t  *seen = identity;

	if (identity == NULL)
		elog(ERROR, "the registry has no identity yet");
	if (IsolationUsesXactSnapshot())
		seen = read_identity(table, GetTransactionSnapshot());
	if (seen == NULL || memcmp(seen, identity, UUID_LEN) != 0)
		mr_table_raise_concurrent_update(table);
	mr_table_close(table);
	return UUIDPGetDatum(identity);
}

/*
 * 55000 for a clock that fell behind an event by more than modelreg.max_clock_skew.
 */
void
mr_clock_require(TimestampTz last, TimestampTz now)
{
	if (last > now && last - now > (int64) mr_max_clock_skew * 1000)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the server's clock is behind the last event"),
				 errdetail("The last event is of %s.", timestamptz_to_str(last)),
				 errhint("Set the clock right, or raise modelreg.max_clock_skew."),
				 mr_reason("clock_behind")));
}

/*
 * The time of the next event: now, but later than the event before, by a
 * microsecond if need be.  A clock that fell behind by more than the setting
 * is an error.
 */
TimestampTz
mr_event_time(const MrHead *head)
{
	TimestampTz last = DatumGetTimestampTz(head->values[HEAD_AT - 1]);
	TimestampTz now = GetCurrentTimestamp();

	mr_clock_require(last, now);
	return now > last ? now : last + 1;
}

/* The client's address as text, or NULL for a local socket. */
static Datum
client_address(bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 0);
	Datum		address;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	address = inet_client_addr(fcinfo);
	*isnull = fcinfo->isnull;
	return fcinfo->isnull ? (Datum) 0 :
		DirectFunctionCall1(network_host, address);
}

/* From where an event comes is told to the team whose client it is. */
static void
set_client(const MrVerb *verb, Datum *values, bool *nulls)
{
	nulls[EVENT_APPLICATION_NAME - 1] = nulls[EVENT_CLIENT_ADDR - 1] = true;
	if (verb->on_behalf)
		return;
	mr_set_text(values, nulls, EVENT_APPLICATION_NAME - 1, application_name);
	values[EVENT_CLIENT_ADDR - 1] = client_address(&nulls[EVENT_CLIENT_ADDR - 1]);
}

/*
 * Append an event, with a reason or NULL, to a locked head and return its
 * time.  It is the verb's team's; the registry's are nobody's.  The head has to be
 * saved after.  An event of a model's decisions or of an endpoint starts the
 * clock of modelreg.max_decision_delay.
 */
TimestampTz
mr_event_append(MrHead *head, MrVerb *verb, const char *kind, Jsonb *what,
				const char *reason)
{
	return mr_event_append_at(head, verb, mr_event_time(head), kind, what, reason);
}

/* The same at a time of mr_event_time(), for what has to know it before. */
TimestampTz
mr_event_append_at(MrHead *head, MrVerb *verb, TimestampTz at,
				   const char *kind, Jsonb *what, const char *reason)
{
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS] = {false};
	int64		team = head->chain == MR_CHAIN_REGISTRY ? MR_NO_TEAM : verb->team.id;
	int64		seq = DatumGetInt64(head->values[HEAD_SEQ - 1]) + 1;

	values[EVENT_CHAIN - 1] = Int16GetDatum(head->chain);
	values[EVENT_CHAIN_ID - 1] = Int64GetDatum(head->id);
	values[EVENT_SEQ - 1] = Int64GetDatum(seq);
	values[EVENT_AT - 1] = TimestampTzGetDatum(at);
	values[EVENT_KIND - 1] = CStringGetTextDatum(kind);
	values[EVENT_TEAM_ID - 1] = Int64GetDatum(team);
	values[EVENT_WHO - 1] = JsonbPGetDatum(verb->who);
	set_client(verb, values, nulls);
	mr_set_text(values, nulls, EVENT_REQUEST_ID - 1, verb->request_id);
	values[EVENT_WHAT - 1] = JsonbPGetDatum(what);
	mr_set_bytes(values, nulls, EVENT_PROSE - 1,
				 mr_payload_store(team, reason));
	values[EVENT_PREV - 1] = head->values[HEAD_HASH - 1];
	head->values[HEAD_HASH - 1] = PointerGetDatum(mr_insert_row("event", values, nulls));
	head->values[HEAD_SEQ - 1] = Int64GetDatum(seq);
	head->values[HEAD_AT - 1] = TimestampTzGetDatum(at);
	if (head->chain == MR_CHAIN_REGISTRY)
		mr_history_stamp(head->values, head->nulls);
	if (head->chain == MR_CHAIN_DECISIONS || head->chain == MR_CHAIN_ENDPOINT)
		mr_mark_decision(at);
	else if (head->chain == MR_CHAIN_REGISTRATIONS)
		mr_mark_registration();
	return at;
}
