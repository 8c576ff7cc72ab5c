/*
 * upload.c
 *		Rows of uploads: locked, saved, sealed, aborted.
 *
 * The lock of its row makes writers of one upload take turns.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "artifact/object.h"
#include "artifact/upload.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/owner.h"
#include "base/row.h"

static void
raise_not_found(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("upload " INT64_FORMAT " does not exist or you may not read it", id),
			 errhint("The view modelreg.uploads has the uploads of your teams."),
			 mr_reason("upload_not_found")));
}

/* The team of an upload, if the caller may read it: else 42704. */
MrTeam
mr_upload_team(int64 id)
{
	MrTable    *table = mr_table_open_read("upload");
	Datum		key = Int64GetDatum(id);
	const MrTeam *found = NULL;
	MrTeam		team;

	if (mr_table_find_latest(table, "upload_pkey", 1, &key))
		found = mr_team_by_id(DatumGetInt64(mr_table_get(table, UPLOAD_TEAM_ID, NULL)));
	if (found == NULL)
		raise_not_found(id);
	team = *found;
	team.name = pstrdup(found->name);
	mr_table_close(table);
	return team;
}

static bool
lock_upload(MrUpload *upload, int64 id, bool wait)
{
	Datum		key = Int64GetDatum(id);

	upload->id = id;
	upload->table = mr_table_open("upload");
	if (wait ? mr_table_lock_latest(upload->table, "upload_pkey", 1, &key) :
		mr_table_try_lock(upload->table, "upload_pkey", 1, &key))
	{
		mr_table_read(upload->table, upload->values, upload->nulls);
		return true;
	}
	mr_table_close(upload->table);
	return false;
}

/* Lock the row of an upload that was there a moment ago. */
void
mr_upload_lock(MrUpload *upload, int64 id)
{
	if (!lock_upload(upload, id, true))
		raise_not_found(id);
}

/* The same, but false when somebody else has it. */
bool
mr_upload_try_lock(MrUpload *upload, int64 id)
{
	return lock_upload(upload, id, false);
}

/* Write the row and end the work on it; the lock stays. */
void
mr_upload_save(MrUpload *upload)
{
	upload->values[UPLOAD_TOUCHED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	mr_table_update(upload->table, upload->values, upload->nulls);
	mr_upload_release(upload);
}

/* End the work on it without a change. */
void
mr_upload_release(MrUpload *upload)
{
	mr_table_close(upload->table);
	upload->table = NULL;
}

bool
mr_upload_is(const MrUpload *upload, const char *state)
{
	text	   *value = DatumGetTextPP(upload->values[UPLOAD_STATE - 1]);

	return VARSIZE_ANY_EXHDR(value) == strlen(state) &&
		memcmp(VARDATA_ANY(value), state, strlen(state)) == 0;
}

static void
set_state(MrUpload *upload, const char *state)
{
	upload->values[UPLOAD_STATE - 1] = CStringGetTextDatum(state);
	upload->values[UPLOAD_OBJECT - 1] = (Datum) 0;
	upload->nulls[UPLOAD_OBJECT - 1] = true;
}

static void
insert_blob(const MrDigest *digest, int64 size, Oid object)
{
	Datum		values[BLOB_COLUMNS];
	bool		nulls[BLOB_COLUMNS] = {false};

	values[BLOB_ID - 1] = Int64GetDatum(mr_nextval("blob_id_seq"));
	values[BLOB_DIGEST - 1] = MrDigestGetDatum(digest);
	values[BLOB_SIZE - 1] = Int64GetDatum(size);
	values[BLOB_OBJECT - 1] = ObjectIdGetDatum(object);
	values[BLOB_SEALED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[BLOB_PURGED_AT - 1] = (Datum) 0;
	nulls[BLOB_PURGED_AT - 1] = true;
	mr_insert_row("blob", values, nulls);
}

/* Bytes that were purged are here again. */
static void
refill_blob(int64 id, Oid object)
{
	MrTable    *table = mr_table_open("blob");
	Datum		key = Int64GetDatum(id);
	Datum		values[BLOB_COLUMNS];
	bool		nulls[BLOB_COLUMNS];

	if (!mr_table_lock_latest(table, "blob_pkey", 1, &key))
		elog(ERROR, "blob " INT64_FORMAT " has gone", id);
	mr_table_read(table, values, nulls);
	values[BLOB_OBJECT - 1] = ObjectIdGetDatum(object);
	values[BLOB_SEALED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[BLOB_OBJECT - 1] = false;
	nulls[BLOB_PURGED_AT - 1] = true;
	mr_table_update(table, values, nulls);
	mr_table_close(table);
}

/* The object becomes the digest's, or goes if there is one already. */
static void
store_object(const MrDigest *digest, int64 size, Oid object)
{
	MrBlob		blob;

	mr_bytes_keep(digest);
	mr_lock_key(MR_LOCK_BLOB, VARDATA_ANY(digest), VARSIZE_ANY_EXHDR(digest));
	if (!mr_blob_find(digest, NULL, &blob))
		insert_blob(digest, size, object);
	else if (OidIsValid(blob.object))
		mr_object_drop(object);
	else
		refill_blob(blob.id, object);
}

/* What was uploaded has this digest and is complete: it is sealed now. */
void
mr_upload_seal(MrUpload *upload, const MrDigest *digest)
{
	store_object(digest, DatumGetInt64(upload->values[UPLOAD_SIZE - 1]),
				 DatumGetObjectId(upload->values[UPLOAD_OBJECT - 1]));
	set_state(upload, "sealed");
	upload->values[UPLOAD_DIGEST - 1] = MrDigestGetDatum(digest);
	upload->nulls[UPLOAD_DIGEST - 1] = false;
	mr_upload_save(upload);
}

/* Give up an upload, its object if it has one, and its charge. */
void
mr_upload_abort(MrUpload *upload)
{
	if (!upload->nulls[UPLOAD_OBJECT - 1])
		mr_object_drop(DatumGetObjectId(upload->values[UPLOAD_OBJECT - 1]));
	mr_team_bytes_subtract(DatumGetInt64(upload->values[UPLOAD_TEAM_ID - 1]),
						   DatumGetInt64(upload->values[UPLOAD_SIZE - 1]));
	set_state(upload, "aborted");
	mr_upload_save(upload);
}

/* A new upload and its object, uncharged; declared may be NULL. */
int64
mr_upload_insert(MrVerb *verb, int64 size, MrDigest *declared)
{
	Datum		values[UPLOAD_COLUMNS];
	bool		nulls[UPLOAD_COLUMNS] = {false};
	TimestampTz now = GetCurrentTimestamp();
	int64		id = mr_nextval("upload_id_seq");

	values[UPLOAD_ID - 1] = Int64GetDatum(id);
	values[UPLOAD_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	mr_set_text(values, nulls, UPLOAD_REQUEST_ID - 1, verb->request_id);
	values[UPLOAD_SIZE - 1] = Int64GetDatum(size);
	nulls[UPLOAD_DIGEST - 1] = declared == NULL;
	values[UPLOAD_DIGEST - 1] = MrDigestGetDatum(declared);
	values[UPLOAD_OBJECT - 1] = ObjectIdGetDatum(mr_object_create());
	values[UPLOAD_RECEIVED - 1] = Int64GetDatum(0);
	values[UPLOAD_STATE - 1] = CStringGetTextDatum("open");
	values[UPLOAD_WHO - 1] = JsonbPGetDatum(verb->who);
	values[UPLOAD_BEGUN_AT - 1] = TimestampTzGetDatum(now);
	values[UPLOAD_TOUCHED_AT - 1] = TimestampTzGetDatum(now);
	values[UPLOAD_USED - 1] = BoolGetDatum(false);
	mr_insert_row("upload", values, nulls);
	return id;
}
