/*
 * sweep.c
 *		Removing what nobody needs: stale uploads, bytes that no version names.
 *
 * A sweep works on a bounded number of uploads and waits for nobody: an
 * upload that somebody works on, or whose bytes a transaction is registering,
 * is left for the next.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "artifact/purge.h"
#include "artifact/upload.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/settings.h"
#include "base/stmt.h"

PG_FUNCTION_INFO_V1(modelreg_sweep_uploads);
PG_FUNCTION_INFO_V1(modelreg_drop_all_bytes);

/* Each object that is dropped holds a lock until the end of the transaction. */
#define MAX_BATCH 1000

static MrStmt find_stale = {
	"SELECT u.id FROM modelreg.upload u"
	" WHERE NOT u.used AND u.state <> 'aborted' AND u.touched_at < $1"
	" AND ($2 = 0 OR u.team_id = $2)"
	" ORDER BY u.touched_at, u.id LIMIT $3",
	3, {TIMESTAMPTZOID, INT8OID, INT4OID}, NULL
};

static MrStmt find_open = {
	"SELECT u.id FROM modelreg.upload u"
	" WHERE NOT u.used AND u.state = 'open' AND u.state <> 'aborted' LIMIT $1",
	1, {INT4OID}, NULL
};

static MrStmt find_present = {
	"SELECT b.id FROM modelreg.blob b WHERE b.object IS NOT NULL LIMIT $1",
	1, {INT4OID}, NULL
};

/* The ids that a statement finds, palloc'd. */
static int64 *
find_ids(MrStmt *stmt, Datum *values, int *n)
{
	int64	   *ids;

	*n = (int) mr_stmt_read(stmt, values, NULL, 0);
	ids = palloc((*n + 1) * sizeof(int64));
	for (int i = 0; i < *n; i++)
	{
		bool		isnull;

		ids[i] = DatumGetInt64(mr_stmt_value(i, 1, &isnull));
	}
	return ids;
}

/* A sealed upload goes unless a version of its team needs its bytes. */
static bool
sweep_sealed(MrUpload *upload)
{
	MrDigest   *digest = DatumGetMrDigest(mr_table_get_copy(upload->table, UPLOAD_DIGEST));
	const MrExcept nothing = {0};

	if (!mr_bytes_try_release(digest))
	{
		mr_upload_release(upload);
		return false;
	}
	if (mr_bytes_needed(digest, DatumGetInt64(upload->values[UPLOAD_TEAM_ID - 1]), &nothing))
	{
		upload->values[UPLOAD_USED - 1] = BoolGetDatum(true);
		mr_upload_save(upload);
		return true;
	}
	mr_upload_abort(upload);
	CommandCounterIncrement();
	if (!mr_bytes_uploaded(digest) && !mr_bytes_needed(digest, MR_NO_TEAM, &nothing))
		mr_bytes_remove(digest);
	return true;
}

/* Deal with one upload; false if it was left for the next sweep. */
static bool
sweep_upload(int64 id, TimestampTz before)
{
	MrUpload	upload;

	if (!mr_upload_try_lock(&upload, id))
		return false;
	if (DatumGetTimestampTz(upload.values[UPLOAD_TOUCHED_AT - 1]) < before)
	{
		if (mr_upload_is(&upload, "sealed"))
			return sweep_sealed(&upload);
		if (mr_upload_is(&upload, "open"))
		{
			mr_upload_abort(&upload);
			return true;
		}
	}
	mr_upload_release(&upload);
	return false;
}

/*
 * The time before which an upload is stale; 22023 for one to come.  By way of
 * seconds, because a difference that no timestamp can hold is an error of the
 * server's, and here it means older than everything.
 */
static TimestampTz
stale_before(Datum older_than)
{
	TimestampTz now = GetCurrentTimestamp();
	double		age = DatumGetFloat8(DirectFunctionCall2(interval_part,
														 CStringGetTextDatum("epoch"),
														 older_than)) * USECS_PER_SEC;

	if (age < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must not be negative"),
				 mr_reason("invalid_age")));
	return age < now - MIN_TIMESTAMP ? now - (TimestampTz) age : DT_NOBEGIN;
}

static int32
batch_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	int32		batch;

	mr_arg_require(fcinfo, n, name);
	batch = PG_GETARG_INT32(n);
	if (batch < 1 || batch > MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be 1 to %d", name, MAX_BATCH),
				 errhint("Call again until it returns 0."),
				 mr_reason("invalid_batch")));
	return batch;
}

/* One team for a maintainer, or all of them for an admin. */
static MrTeam
sweeping_team(FunctionCallInfo fcinfo, int n)
{
	MrTeam		all = {MR_NO_TEAM, "", 0, false};

	if (!PG_ARGISNULL(n))
		return mr_require_team(mr_arg_text(fcinfo, n, "team"), MR_MAINTAINER);
	mr_require_registry(MR_ADMIN);
	return all;
}

/*
 * modelreg.sweep_uploads(team text, older_than interval, max_uploads integer)
 *		returns integer: how many uploads it dealt with
 *
 * Level maintainer, or admin for all teams (team NULL).
 */
Datum
modelreg_sweep_uploads(PG_FUNCTION_ARGS)
{
	MrTeam		team = sweeping_team(fcinfo, 0);
	int32		batch = batch_argument(fcinfo, 2, "max_uploads");
	TimestampTz before;
	MrVerb		verb;
	Datum		values[3];
	int64	   *ids;
	int			n;
	int32		done = 0;

	mr_arg_require(fcinfo, 1, "older_than");
	before = stale_before(PG_GETARG_DATUM(1));
	mr_verb_begin(&verb, fcinfo, "sweep_uploads", &team, -1);
	values[0] = TimestampTzGetDatum(before);
	values[1] = Int64GetDatum(team.id);
	values[2] = Int32GetDatum(batch);
	ids = find_ids(&find_stale, values, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (sweep_upload(ids[i], before))
			done++;
		CommandCounterIncrement();
	}
	mr_verb_end(&verb);
	PG_RETURN_INT32(done);
}

static void
require_removal(const char *confirm)
{
	char	   *database = get_database_name(MyDatabaseId);

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only a superuser may drop the registry's bytes"),
				 mr_reason("permission_denied")));
	if (!mr_allow_removal)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the registry's bytes are protected"),
				 errhint("SET modelreg.allow_removal TO on first."),
				 mr_reason("protected")));
	if (strcmp(confirm, database) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" does not confirm it", confirm),
				 errhint("Confirm with the name of the database."),
				 mr_reason("not_confirmed")));
}

/* Drop one blob's object, as a purge does. */
static void
empty_blob(int64 id)
{
	MrTable    *table = mr_table_open("blob");
	Datum		key = Int64GetDatum(id);

	if (mr_table_lock_latest(table, "blob_pkey", 1, &key))
		mr_blob_empty(table);
	mr_table_close(table);
}

static void
append_dropped(MrVerb *verb, MrHead *head, int n)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "objects", n);
	mr_event_append(head, verb, "bytes_dropped", mr_json_end(&json), NULL);
	mr_head_save(head);
}

/* Open uploads first, then what is stored; returns how many objects went. */
static int
drop_batch(int32 batch)
{
	Datum		limit = Int32GetDatum(batch);
	int			nuploads;
	int			nblobs;
	int64	   *uploads = find_ids(&find_open, &limit, &nuploads);
	int64	   *blobs;

	limit = Int32GetDatum(batch - nuploads);
	blobs = find_ids(&find_present, &limit, &nblobs);
	for (int i = 0; i < nuploads; i++)
	{
		MrUpload	upload;

		CHECK_FOR_INTERRUPTS();
		mr_upload_lock(&upload, uploads[i]);
		if (mr_upload_is(&upload, "open"))
			mr_upload_abort(&upload);
		else
			mr_upload_release(&upload);
		CommandCounterIncrement();
	}
	for (int i = 0; i < nblobs; i++)
	{
		CHECK_FOR_INTERRUPTS();
		empty_blob(blobs[i]);
	}
	return nuploads + nblobs;
}

/*
 * modelreg.drop_all_bytes(confirm text, max_objects integer) returns integer:
 *		how many large objects it dropped
 *
 * Superusers, with modelreg.allow_removal on, before DROP EXTENSION, which
 * would leave the large objects behind.
 */
Datum
modelreg_drop_all_bytes(PG_FUNCTION_ARGS)
{
	static const MrTeam registry = {MR_NO_TEAM, "", 0, false};
	MrVerb		verb;
	MrHead	   *head;
	int32		batch = batch_argument(fcinfo, 1, "max_objects");
	int			n;

	require_removal(mr_arg_text(fcinfo, 0, "confirm"));
	mr_verb_begin(&verb, fcinfo, "drop_all_bytes", &registry, -1);
	head = mr_registry_head_lock(&verb);
	n = drop_batch(batch);
	if (n > 0)
		append_dropped(&verb, head, n);
	else
		mr_head_release(head);
	mr_verb_end(&verb);
	PG_RETURN_INT32(n);
}
