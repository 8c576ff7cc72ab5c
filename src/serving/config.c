/*
 * config.c
 *		What a serving process fetches: an endpoint's schedule, and all that is
 *		needed to serve it.
 *
 * Who has it and asks again gives its etag, and is answered by one probe of
 * the endpoint's row; with an old snapshot, and on a standby, two more tell
 * until when that is known.  Nothing here locks, and all of it works on a hot
 * standby.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "replication/walreceiver.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/pg_lsn.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "artifact/artifact_tables.h"
#include "base/args.h"
#include "base/row.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "registry/stored_json.h"
#include "serving/endpoint.h"
#include "serving/moment.h"
#include "serving/route.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"
#include "types/digest.h"

PG_FUNCTION_INFO_V1(modelreg_serving_config);

/* Where an endpoint does not say for how long a fetch holds. */
#define STALENESS_DEFAULT (INT64CONST(5) * 60 * USECS_PER_SEC)

enum
{
	OUT_ETAG, OUT_VALID_UNTIL, OUT_REPLAYED, OUT_DOCUMENT, OUT_COLUMNS
};

/*
 * The primary's time when it sent the last message, if a standby has replayed
 * all that there was then; else the beginning of time.  A receiver that only
 * tries to connect says that it streams, too, and that a message was sent and
 * received when it began: at one time, which no message is.
 */
static TimestampTz
told_by_primary(XLogRecPtr replayed)
{
	TimestampTz sent = DT_NOBEGIN;

	SpinLockAcquire(&WalRcv->mutex);
	if (WalRcv->walRcvState == WALRCV_STREAMING && replayed >= WalRcv->latestWalEnd &&
		WalRcv->lastMsgSendTime != WalRcv->lastMsgReceiptTime)
		sent = WalRcv->lastMsgSendTime;
	SpinLockRelease(&WalRcv->mutex);
	return sent;
}

/*
 * When the statement began.  Of a cursor that is when it was opened, and over
 * the extended protocol when it was bound: each is asked by the snapshot of then.
 */
static TimestampTz
statement_began(void)
{
	TimestampTz at = GetCurrentStatementStartTimestamp();

	return ActivePortal == NULL ? at : Min(at, ActivePortal->creation_time);
}

/*
 * Up to when this server knows what was decided.  On a standby not its own
 * time: one that is cut off does not know that anything happened since.
 */
static TimestampTz
server_knows_until(XLogRecPtr *replayed)
{
	TimestampTz decided;
	TimestampTz told;

	*replayed = InvalidXLogRecPtr;
	if (!RecoveryInProgress())
		return statement_began();
	*replayed = GetXLogReplayRecPtr(NULL);
	decided = GetLatestXTime();
	told = told_by_primary(*replayed);
	return Max(decided, told);
}

/*
 * Up to when it is known that the schedule held which is answered.  The
 * snapshot of a transaction may be older than what the server knows, and on a standby
 * that of any statement: what was replayed since may have replaced it.
 */
static TimestampTz
known_until(MrTable *table, XLogRecPtr *replayed)
{
	TimestampTz known = server_knows_until(replayed);
	TimestampTz replaced;

	if (!IsolationUsesXactSnapshot() && *replayed == InvalidXLogRecPtr)
		return known;
	replaced = mr_moment_replaced_at(DatumGetInt64(mr_table_get(table, ENDPOINT_ID, NULL)),
									 DatumGetInt64(mr_table_get(table, ENDPOINT_SCHEDULE_SEQ, NULL)),
									 NULL);
	return Min(known, replaced);
}

/* Until when what is answered now may be gone by without asking again. */
TimestampTz
mr_config_stale_at(MrTable *table, TimestampTz known)
{
	bool		by_default;
	Datum		staleness = mr_table_get(table, ENDPOINT_MAX_STALENESS, &by_default);

	if (by_default)
		return known + STALENESS_DEFAULT;
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(known), staleness));
}

/* 2026-06-03T14:00:00.000000+00:00 */
static void
add_time(MrJson *json, const char *key, TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	mr_json_add_text(json, key, psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00",
										 tm.tm_year, tm.tm_mon, tm.tm_mday,
										 tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec));
}

static void
add_text_if(MrJson *json, const char *key, MrTable *table, AttrNumber attno)
{
	bool		none;
	Datum		value = mr_table_get(table, attno, &none);

	if (!none)
		mr_json_add_text(json, key, TextDatumGetCString(value));
}

static Jsonb *
artifact_json(MrTable *table)
{
	MrJson		json;

	mr_json_begin(&json);
	add_text_if(&json, "name", table, ARTIFACT_NAME);
	mr_json_add_text(&json, "digest",
					 mr_digest_to_cstring((MrDigest *) DatumGetPointer(mr_table_get(table, ARTIFACT_DIGEST, NULL))));
	mr_json_add_int(&json, "size", DatumGetInt64(mr_table_get(table, ARTIFACT_SIZE, NULL)));
	add_text_if(&json, "media_type", table, ARTIFACT_MEDIA_TYPE);
	add_text_if(&json, "uri", table, ARTIFACT_URI);
	add_text_if(&json, "store_version", table, ARTIFACT_STORE_VERSION);
	return mr_json_end(&json);
}

static void
add_artifacts(MrJson *json, const MrArm *arm, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		keys[2] = {Int64GetDatum(arm->model), Int32GetDatum(arm->version)};
	MrScan	   *scan = mr_scan_begin(table, "artifact_pkey", 2, keys, snapshot);

	mr_json_begin_array(json, "artifacts");
	while (mr_scan_next(scan, false))
		mr_json_add_element(json, artifact_json(table));
	mr_json_end_array(json);
	mr_scan_end(scan);
	mr_table_close(table);
}

static void
add_signature(MrJson *json, const MrArm *arm, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(arm->model), Int32GetDatum(arm->version)};
	MrStoredJson signature = {0};

	if (mr_table_find(table, "version_pkey", 2, keys, snapshot))
		signature = mr_stored_json(table, VERSION_SIGNATURE);
	mr_table_close(table);
	if (signature.json != NULL)
		mr_json_add_json(json, "signature", signature.json);
}

static Jsonb *
version_json(const char *team, const MrArm *arm, Snapshot snapshot)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "permanent_id", mr_arm_permanent_id(arm, snapshot));
	mr_json_add_int(&json, "model_id", arm->model);
	mr_json_add_text(&json, "model",
					 psprintf("%s.%s", team, mr_model_get(arm->model, snapshot).name));
	mr_json_add_int(&json, "version", arm->version);
	add_signature(&json, arm, snapshot);
	add_artifacts(&json, arm, snapshot);
	return mr_json_end(&json);
}

/* A version is its place among those of the document. */
static void
add_place(MrJson *json, const MrArmSet *arms, const MrArm *arm)
{
	mr_json_add_int_element(json, mr_arm_set_place(arms, arm));
}

static void
add_places(MrJson *json, const char *key, const MrArmSet *arms,
		   const MrArm *of, int n)
{
	mr_json_begin_array(json, key);
	for (int i = 0; i < n; i++)
		add_place(json, arms, &of[i]);
	mr_json_end_array(json);
}

static void
add_segments(MrJson *json, const MrArmSet *arms, const MrSegments *segments)
{
	mr_json_begin_array(json, "segments");
	for (int i = 0; i < segments->n; i++)
	{
		pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
		add_place(json, arms, &segments->segments[i].arm);
		mr_json_add_int_element(json, segments->segments[i].width);
		pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
	}
	mr_json_end_array(json);
}

static Jsonb *
step_json(const MrSchedule *schedule, int n, const MrArmSet *arms)
{
	const MrStep *step = &schedule->steps[n];
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "step", n);
	add_time(&json, "opens", step->opens);
	add_segments(&json, arms, &step->segments);
	add_places(&json, "shadow", arms, step->shadow, step->nshadow);
	add_places(&json, "warm", arms, step->warm, step->nwarm);
	return mr_json_end(&json);
}

static Jsonb *
endpoint_json(int64 id, const char *team, const char *name)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "id", id);
	mr_json_add_text(&json, "name", psprintf("%s.%s", team, name));
	return mr_json_end(&json);
}

static char *
salt_hex(const MrSchedule *schedule)
{
	char	   *hex = palloc(2 * MR_SALT_LEN + 1);

	hex[hex_encode((const char *) schedule->salt, MR_SALT_LEN, hex)] = '\0';
	return hex;
}

static void
add_steps(MrJson *json, const MrSchedule *schedule, int first,
		  const MrArmSet *arms)
{
	mr_json_begin_array(json, "steps");
	for (int i = first; i < schedule->nsteps; i++)
		mr_json_add_element(json, step_json(schedule, i, arms));
	mr_json_end_array(json);
	mr_json_add_int(json, "waiting", schedule->nwaiting);
}

static void
add_versions(MrJson *json, const char *team, const MrArmSet *arms,
			 Snapshot snapshot)
{
	mr_json_begin_array(json, "versions");
	for (int i = 0; i < arms->n; i++)
		mr_json_add_element(json, version_json(team, &arms->arms[i], snapshot));
	mr_json_end_array(json);
}

/* What is so at a time of the endpoint in the table's slot, and is to come. */
static Datum
document(MrTable *table, const char *team, TimestampTz now, Snapshot snapshot)
{
	int64		id = DatumGetInt64(mr_table_get(table, ENDPOINT_ID, NULL));
	const MrSchedule *schedule = mr_schedule_load(id,
												  DatumGetInt64(mr_table_get(table, ENDPOINT_SCHEDULE_SEQ, NULL)),
												  DatumGetByteaPP(mr_table_get(table, ENDPOINT_SCHEDULE_HASH, NULL)),
												  snapshot);
	int			step = Max(mr_schedule_step_at(schedule, now), 0);
	TimestampTz next = mr_schedule_next_opening(schedule, Max(now, schedule->at));
	MrArmSet	arms = mr_arms_from(schedule, step);
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "format", 1);
	mr_json_add_json(&json, "endpoint",
					 endpoint_json(id, team, TextDatumGetCString(mr_table_get(table, ENDPOINT_NAME, NULL))));
	mr_json_add_int(&json, "event", schedule->seq);
	mr_json_add_text(&json, "salt", salt_hex(schedule));
	mr_json_add_int(&json, "step", step);
	if (next != DT_NOEND)
		add_time(&json, "next", next);
	add_steps(&json, schedule, step, &arms);
	add_versions(&json, team, &arms, snapshot);
	return JsonbPGetDatum(mr_json_end(&json));
}

static bool
is_etag(FunctionCallInfo fcinfo, int n, const char *etag)
{
	text	   *given;

	if (PG_ARGISNULL(n))
		return false;
	given = PG_GETARG_TEXT_PP(n);
	return VARSIZE_ANY_EXHDR(given) == strlen(etag) &&
		memcmp(VARDATA_ANY(given), etag, strlen(etag)) == 0;
}

/*
 * modelreg.serving_config(endpoint text, etag text) returns record
 *
 * document is NULL when the etag is that of the present schedule.  Errors:
 * 22004, 22023, 42704.
 */
Datum
modelreg_serving_config(PG_FUNCTION_ARGS)
{
	char	   *endpoint = mr_arg_text(fcinfo, 0, "endpoint");
	Snapshot	snapshot = GetActiveSnapshot();
	MrTable    *table = mr_table_open_read("endpoint");
	MrTeam		team = mr_endpoint_open(table, endpoint, snapshot);
	Datum		values[OUT_COLUMNS] = {0};
	bool		nulls[OUT_COLUMNS] = {false};
	XLogRecPtr	replayed;
	TimestampTz known = known_until(table, &replayed);
	char	   *etag = mr_endpoint_etag(DatumGetInt64(mr_table_get(table, ENDPOINT_SCHEDULE_SEQ, NULL)),
										DatumGetByteaPP(mr_table_get(table, ENDPOINT_SCHEDULE_HASH, NULL)));
	Datum		result;

	values[OUT_ETAG] = CStringGetTextDatum(etag);
	values[OUT_VALID_UNTIL] = TimestampTzGetDatum(mr_config_stale_at(table, known));
	values[OUT_REPLAYED] = LSNGetDatum(replayed);
	nulls[OUT_REPLAYED] = replayed == InvalidXLogRecPtr;
	nulls[OUT_DOCUMENT] = is_etag(fcinfo, 1, etag);
	if (!nulls[OUT_DOCUMENT])
		values[OUT_DOCUMENT] = document(table, team.name,
										GetCurrentStatementStartTimestamp(), snapshot);
	result = mr_make_record(fcinfo, values, nulls);
	mr_table_close(table);
	return result;
}
