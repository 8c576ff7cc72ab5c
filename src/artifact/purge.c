/*
 * purge.c
 *		Who needs bytes, and what becomes of those that nobody needs.
 *
 * A purge is of a version, and it is final: nothing reads the version's bytes
 * again, whoever else has them.  The bytes themselves go when no other version
 * that was not purged, of any team, and no upload has them.  Which of the two
 * happened is told to nobody, because it would tell of other teams.  Uploads
 * from which the version was made are given back to the team's quota.
 *
 * Who registers a version with the bytes keeps them by a shared lock; a purge
 * does not wait for him, but says that somebody is busy.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "artifact/object.h"
#include "artifact/purge.h"
#include "artifact/upload.h"
#include "base/grow.h"

/* Were the version's bytes purged? */
bool
mr_version_is_purged(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("purged_version");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	bool		found = mr_table_find(table, "purged_version_pkey", 2, keys, snapshot);

	mr_table_close(table);
	return found;
}

/* Does the artifact in the table's slot still have its bytes here? */
static bool
has_bytes(MrTable *artifacts, const MrExcept *except)
{
	int64		model = DatumGetInt64(mr_table_get(artifacts, ARTIFACT_MODEL_ID, NULL));
	int32		version = DatumGetInt32(mr_table_get(artifacts, ARTIFACT_VERSION, NULL));
	bool		stored;

	(void) mr_table_get(artifacts, ARTIFACT_URI, &stored);
	if (!stored || (model == except->model && version == except->version))
		return false;
	return !mr_version_is_purged(model, version, NULL);
}

/* Does a version, of a team or of any, have these bytes and was not purged? */
bool
mr_bytes_needed(const MrDigest *digest, int64 team, const MrExcept *except)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		keys[2] = {MrDigestGetDatum(digest), Int64GetDatum(team)};
	MrScan	   *scan = mr_scan_begin(table, "artifact_digest",
									 team == MR_NO_TEAM ? 1 : 2, keys, NULL);
	bool		needed = false;

	while (!needed && mr_scan_next(scan, false))
		needed = has_bytes(table, except);
	mr_scan_end(scan);
	mr_table_close(table);
	return needed;
}

/* Has any team an upload of these bytes that is sealed? */
bool
mr_bytes_uploaded(const MrDigest *digest)
{
	MrTable    *table = mr_table_open_read("upload");
	Datum		key = MrDigestGetDatum(digest);
	MrScan	   *scan = mr_scan_begin(table, "upload_digest", 1, &key, NULL);
	bool		held = false;

	while (!held && mr_scan_next(scan, false))
		held = strcmp(TextDatumGetCString(mr_table_get(table, UPLOAD_STATE, NULL)),
					  "sealed") == 0;
	mr_scan_end(scan);
	mr_table_close(table);
	return held;
}

/* Was any version ever registered with these bytes? */
static bool
were_registered(const MrDigest *digest)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		key = MrDigestGetDatum(digest);
	MrScan	   *scan = mr_scan_begin(table, "artifact_digest", 1, &key, NULL);
	bool		stored = false;

	while (!stored && mr_scan_next(scan, false))
		(void) mr_table_get(table, ARTIFACT_URI, &stored);
	mr_scan_end(scan);
	mr_table_close(table);
	return stored;
}

/* The blob in the slot, locked, loses its object. */
void
mr_blob_empty(MrTable *table)
{
	Datum		values[BLOB_COLUMNS];
	bool		nulls[BLOB_COLUMNS];

	mr_table_read(table, values, nulls);
	if (nulls[BLOB_OBJECT - 1])
		return;
	mr_object_drop(DatumGetObjectId(values[BLOB_OBJECT - 1]));
	values[BLOB_PURGED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[BLOB_PURGED_AT - 1] = false;
	nulls[BLOB_OBJECT - 1] = true;
	mr_table_update(table, values, nulls);
}

/*
 * Remove bytes that nobody needs.  Where a version had them the row stays, and
 * says that they were purged.
 */
void
mr_bytes_remove(const MrDigest *digest)
{
	MrTable    *table = mr_table_open("blob");
	Datum		key = MrDigestGetDatum(digest);

	if (mr_table_lock_latest(table, "blob_digest", 1, &key))
	{
		bool		purged;
		Oid			object = DatumGetObjectId(mr_table_get(table, BLOB_OBJECT, &purged));

		if (were_registered(digest))
			mr_blob_empty(table);
		else
		{
			if (!purged)
				mr_object_drop(object);
			mr_table_delete(table);
		}
	}
	mr_table_close(table);
}

/* The digests of a version's bytes, each once. */
static MrDigest **
digests_of(int64 model, int32 version, int64 *n)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	MrScan	   *scan = mr_scan_begin(table, "artifact_pkey", 2, keys, NULL);
	MrDigest  **digests = NULL;
	int64		room = 0;

	*n = 0;
	while (mr_scan_next(scan, false))
	{
		bool		stored;

		(void) mr_table_get(table, ARTIFACT_URI, &stored);
		if (!stored)
			continue;
		digests = mr_grow(digests, *n, &room, sizeof(MrDigest *));
		digests[(*n)++] = DatumGetMrDigest(mr_table_get_copy(table, ARTIFACT_DIGEST));
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return digests;
}

/* A sealed upload of the team's from which a version may have been made. */
static bool
is_used_up(MrTable *uploads, TimestampTz registered_at)
{
	return strcmp(TextDatumGetCString(mr_table_get(uploads, UPLOAD_STATE, NULL)), "sealed") == 0 &&
		(DatumGetBool(mr_table_get(uploads, UPLOAD_USED, NULL)) ||
		 DatumGetTimestampTz(mr_table_get(uploads, UPLOAD_TOUCHED_AT, NULL)) <= registered_at);
}

/* The ids of those with the digest. */
static int64 *
uploads_used_up(int64 team, const MrDigest *digest, TimestampTz registered_at,
				int64 *n)
{
	MrTable    *table = mr_table_open_read("upload");
	Datum		keys[2] = {MrDigestGetDatum(digest), Int64GetDatum(team)};
	MrScan	   *scan = mr_scan_begin(table, "upload_digest", 2, keys, NULL);
	int64	   *ids = NULL;
	int64		room = 0;

	*n = 0;
	while (mr_scan_next(scan, false))
		if (is_used_up(table, registered_at))
		{
			ids = mr_grow(ids, *n, &room, sizeof(int64));
			ids[(*n)++] = DatumGetInt64(mr_table_get(table, UPLOAD_ID, NULL));
		}
	mr_scan_end(scan);
	mr_table_close(table);
	return ids;
}

/* Lock what would go with the digest; false when somebody has it. */
static bool
try_lock(int64 team, const MrDigest *digest, TimestampTz registered_at)
{
	int64		n;
	int64	   *ids;
	MrUpload	upload;

	if (!mr_bytes_try_release(digest))
		return false;
	ids = uploads_used_up(team, digest, registered_at, &n);
	for (int64 i = 0; i < n; i++)
	{
		if (!mr_upload_try_lock(&upload, ids[i]))
			return false;
		mr_upload_release(&upload);
	}
	return true;
}

/* Is nobody busy with the version's bytes?  Until the end of the transaction. */
bool
mr_purge_try_begin(int64 team, int64 model, int32 version,
				   TimestampTz registered_at)
{
	int64		n;
	MrDigest  **digests = digests_of(model, version, &n);

	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!try_lock(team, digests[i], registered_at))
			return false;
	}
	return true;
}

/* The quota gets back what no other version of the team needs. */
static void
abort_uploads(int64 team, const MrDigest *digest, TimestampTz registered_at)
{
	int64		n;
	int64	   *ids = uploads_used_up(team, digest, registered_at, &n);

	for (int64 i = 0; i < n; i++)
	{
		MrUpload	upload;

		mr_upload_lock(&upload, ids[i]);
		mr_upload_abort(&upload);
		CommandCounterIncrement();
	}
}

/* Remove what only this version needed. */
void
mr_purge_bytes(int64 team, int64 model, int32 version,
			   TimestampTz registered_at)
{
	MrExcept	itself = {model, version};
	int64		n;
	MrDigest  **digests = digests_of(model, version, &n);

	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (mr_bytes_needed(digests[i], team, &itself))
			continue;
		abort_uploads(team, digests[i], registered_at);
		if (!mr_bytes_uploaded(digests[i]) &&
			!mr_bytes_needed(digests[i], MR_NO_TEAM, &itself))
			mr_bytes_remove(digests[i]);
		CommandCounterIncrement();
	}
}

/* The version's row, of the event that tells of its purge. */
void
mr_purge_record(int64 team, int64 model, int32 version, TimestampTz at,
				int64 seq)
{
	Datum		values[PURGED_VERSION_COLUMNS];
	bool		nulls[PURGED_VERSION_COLUMNS] = {false};

	values[PURGED_VERSION_MODEL_ID - 1] = Int64GetDatum(model);
	values[PURGED_VERSION_VERSION - 1] = Int32GetDatum(version);
	values[PURGED_VERSION_TEAM_ID - 1] = Int64GetDatum(team);
	values[PURGED_VERSION_AT - 1] = TimestampTzGetDatum(at);
	values[PURGED_VERSION_SEQ - 1] = Int64GetDatum(seq);
	mr_insert_row("purged_version", values, nulls);
}
