/*
 * verbs.c
 *		The functions that upload bytes.
 *
 * An upload is begun, appended to at offsets, and finished, each in a short
 * transaction of its own and from any session.  Each of them can be repeated
 * when its answer was lost.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/xact.h"

#include "artifact/object.h"
#include "artifact/upload.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/settings.h"

PG_FUNCTION_INFO_V1(modelreg_begin_upload);
PG_FUNCTION_INFO_V1(modelreg_append_upload);
PG_FUNCTION_INFO_V1(modelreg_finish_upload);
PG_FUNCTION_INFO_V1(modelreg_abort_upload);
PG_FUNCTION_INFO_V1(modelreg_copy_large_object);

static MrDigest *
digest_or_null(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_MRDIGEST(n);
}

static void
require_size(int64 size)
{
	int64		max = (int64) mr_max_artifact_size * 1024 * 1024;

	if (size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("size must not be negative"),
				 mr_reason("invalid_size")));
	if (size > max)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("an artifact of " INT64_FORMAT " bytes is too large", size),
				 errdetail("modelreg.max_artifact_size allows " INT64_FORMAT " bytes.", max),
				 errhint("Split it, or register it as an external artifact with its uri."),
				 mr_reason("artifact_too_large")));
}

/*
 * modelreg.begin_upload(team text, size bigint, digest modelreg.digest,
 *		request_id text) returns bigint: the upload's id
 *
 * Level contributor.  Errors: 53400 beyond modelreg.max_artifact_size or the
 * team's quota.
 */
Datum
modelreg_begin_upload(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team(mr_arg_text(fcinfo, 0, "team"), MR_CONTRIBUTOR);
	MrDigest   *digest = digest_or_null(fcinfo, 2);
	MrVerb		verb;
	int64		size;
	int64		id = 0;

	mr_arg_require(fcinfo, 1, "size");
	size = PG_GETARG_INT64(1);
	mr_object_require_privileges();
	mr_verb_begin(&verb, fcinfo, "begin_upload", &team, 3);
	if (!mr_verb_repeats(&verb))
	{
		require_size(size);
		mr_team_bytes_add(&team, size);
		id = mr_upload_insert(&verb, size, digest);
	}
	PG_RETURN_INT64(mr_verb_end_int(&verb, "upload", id));
}

static void
raise_aborted(const MrUpload *upload)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("upload " INT64_FORMAT " was aborted", upload->id),
			 errhint("Begin another with modelreg.begin_upload(), under a new request id."),
			 mr_reason("upload_aborted")));
}

/* Error that says where to go on from, which is for programs to read too. */
static void
raise_offset(const MrUpload *upload, int64 received, int64 at_offset)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("upload " INT64_FORMAT " has " INT64_FORMAT " bytes and cannot be appended to at offset " INT64_FORMAT,
					upload->id, received, at_offset),
			 errhint("Go on from offset " INT64_FORMAT ".", received),
			 mr_reason("upload_gap")));
}

static void
raise_conflict(const MrUpload *upload, int64 received)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("upload " INT64_FORMAT " has other bytes at this offset", upload->id),
			 errhint("Go on from offset " INT64_FORMAT ", or abort the upload and begin another.",
					 received),
			 mr_reason("upload_conflict")));
}

static void
require_within(const MrUpload *upload, int64 at_offset, int len)
{
	int64		size = DatumGetInt64(upload->values[UPLOAD_SIZE - 1]);

	if (at_offset < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset must not be negative"),
				 mr_reason("invalid_offset")));
	if (at_offset > size || len > size - at_offset)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("upload " INT64_FORMAT " was begun with " INT64_FORMAT " bytes, and these would be more",
						upload->id, size),
				 errhint("Abort it and begin another with the right size."),
				 mr_reason("upload_too_long")));
}

/* The object with what was uploaded so far, or with the sealed bytes. */
static Oid
object_of(const MrUpload *upload)
{
	MrBlob		blob;

	if (!upload->nulls[UPLOAD_OBJECT - 1])
		return DatumGetObjectId(upload->values[UPLOAD_OBJECT - 1]);
	if (!mr_blob_find(DatumGetMrDigest(upload->values[UPLOAD_DIGEST - 1]), NULL, &blob))
		return InvalidOid;
	return blob.object;
}

static void
require_same(const MrUpload *upload, int64 received, int64 at_offset,
			 const char *data, int len)
{
	Oid			object = object_of(upload);
	char	   *stored = palloc(len + 1);

	if (len > 0 &&
		(!OidIsValid(object) ||
		 mr_object_read(object, true, at_offset, stored, len) != len ||
		 memcmp(stored, data, len) != 0))
		raise_conflict(upload, received);
	pfree(stored);
}

/* What is there already must be the same; the rest is written. */
static int64
append_bytes(MrUpload *upload, int64 at_offset, const char *data, int len)
{
	int64		received = DatumGetInt64(upload->values[UPLOAD_RECEIVED - 1]);
	int			known;

	require_within(upload, at_offset, len);
	if (at_offset > received)
		raise_offset(upload, received, at_offset);
	known = (int) Min(received - at_offset, len);
	require_same(upload, received, at_offset, data, known);
	if (known == len)
	{
		mr_upload_release(upload);
		return received;
	}
	mr_object_write(DatumGetObjectId(upload->values[UPLOAD_OBJECT - 1]),
					received, data + known, len - known);
	received = at_offset + len;
	upload->values[UPLOAD_RECEIVED - 1] = Int64GetDatum(received);
	mr_upload_save(upload);
	return received;
}

/* Before the bytes are unpacked: are they few enough? */
static bytea *
chunk_argument(FunctionCallInfo fcinfo, int n)
{
	Size		size;

	mr_arg_require(fcinfo, n, "data");
	size = toast_raw_datum_size(PG_GETARG_DATUM(n)) - VARHDRSZ;
	if (size > MR_CHUNK_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a chunk of %zu bytes is too large", size),
				 errhint("Append at most %d bytes at once; 1 MB is a good size.",
						 MR_CHUNK_MAX),
				 mr_reason("chunk_too_large")));
	return PG_GETARG_BYTEA_PP(n);
}

/* Authorize for an upload, become the owner, lock its row. */
static void
begin_upload_verb(FunctionCallInfo fcinfo, const char *name, MrVerb *verb,
				  MrUpload *upload)
{
	int64		id;
	MrTeam		team;

	mr_arg_require(fcinfo, 0, "upload");
	id = PG_GETARG_INT64(0);
	team = mr_upload_team(id);
	mr_require_rights(&team, MR_CONTRIBUTOR);
	mr_object_require_privileges();
	mr_verb_begin(verb, fcinfo, name, &team, -1);
	mr_upload_lock(upload, id);
}

/*
 * modelreg.append_upload(upload bigint, at_offset bigint, data bytea)
 *		returns bigint: how many bytes the upload has now
 *
 * Level contributor.  The same bytes again are no change.  Errors: 55000 for
 * a gap or other bytes, with the offset to go on from; 22023 beyond the
 * declared size; 54000 for more than a chunk.
 */
Datum
modelreg_append_upload(PG_FUNCTION_ARGS)
{
	bytea	   *data = chunk_argument(fcinfo, 2);
	MrVerb		verb;
	MrUpload	upload;
	int64		received;

	mr_arg_require(fcinfo, 1, "at_offset");
	begin_upload_verb(fcinfo, "append_upload", &verb, &upload);
	if (mr_upload_is(&upload, "aborted"))
		raise_aborted(&upload);
	received = append_bytes(&upload, PG_GETARG_INT64(1), VARDATA_ANY(data),
							VARSIZE_ANY_EXHDR(data));
	mr_verb_end(&verb);
	PG_RETURN_INT64(received);
}

static void
require_complete(const MrUpload *upload)
{
	int64		received = DatumGetInt64(upload->values[UPLOAD_RECEIVED - 1]);
	int64		size = DatumGetInt64(upload->values[UPLOAD_SIZE - 1]);

	if (received < size)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("upload " INT64_FORMAT " is not complete", upload->id),
				 errdetail("It has " INT64_FORMAT " of " INT64_FORMAT " bytes.", received, size),
				 errhint("Go on from offset " INT64_FORMAT ".", received),
				 mr_reason("upload_incomplete")));
}

/* What was computed, held against what was declared, if anything was. */
static void
require_digest(const MrDigest *declared, int64 declared_size,
			   const MrDigest *digest, int64 size)
{
	if (size != declared_size)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the large object has " INT64_FORMAT " bytes, not " INT64_FORMAT,
						size, declared_size),
				 mr_reason("upload_damaged")));
	if (declared != NULL && !mr_digest_equal(declared, digest))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the bytes do not have the declared digest"),
				 errdetail("Declared is %s, computed %s.",
						   mr_digest_to_cstring(declared),
						   mr_digest_to_cstring(digest)),
				 errhint("Abort the upload and begin another."),
				 mr_reason("digest_mismatch")));
}

static MrDigest *
finish(MrUpload *upload)
{
	MrDigest   *declared = upload->nulls[UPLOAD_DIGEST - 1] ? NULL :
		DatumGetMrDigest(upload->values[UPLOAD_DIGEST - 1]);
	MrDigest   *digest;
	int64		size;

	require_complete(upload);
	digest = mr_object_digest(DatumGetObjectId(upload->values[UPLOAD_OBJECT - 1]),
							  true, &size);
	require_digest(declared, DatumGetInt64(upload->values[UPLOAD_SIZE - 1]),
				   digest, size);
	mr_upload_seal(upload, digest);
	return digest;
}

/*
 * modelreg.finish_upload(upload bigint) returns modelreg.digest
 *
 * Level contributor.  Hashes what was uploaded, compares, and seals it; a
 * sealed one is no error.  Errors: 55000 for one that is not complete, 22000
 * for another digest than was declared.
 */
Datum
modelreg_finish_upload(PG_FUNCTION_ARGS)
{
	MrVerb		verb;
	MrUpload	upload;
	MrDigest   *digest;

	begin_upload_verb(fcinfo, "finish_upload", &verb, &upload);
	if (mr_upload_is(&upload, "aborted"))
		raise_aborted(&upload);
	if (mr_upload_is(&upload, "sealed"))
	{
		digest = DatumGetMrDigest(mr_table_get_copy(upload.table, UPLOAD_DIGEST));
		mr_upload_release(&upload);
	}
	else
		digest = finish(&upload);
	mr_verb_end(&verb);
	PG_RETURN_MRDIGEST(digest);
}

/*
 * modelreg.abort_upload(upload bigint) returns void
 *
 * Level contributor.  An aborted one is no error; a sealed one is 55000.
 */
Datum
modelreg_abort_upload(PG_FUNCTION_ARGS)
{
	MrVerb		verb;
	MrUpload	upload;

	begin_upload_verb(fcinfo, "abort_upload", &verb, &upload);
	if (mr_upload_is(&upload, "sealed"))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("upload " INT64_FORMAT " is sealed", upload.id),
				 errhint("modelreg.sweep_uploads() removes what no version uses."),
				 mr_reason("upload_sealed")));
	if (mr_upload_is(&upload, "aborted"))
		mr_upload_release(&upload);
	else
		mr_upload_abort(&upload);
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

/* Copy, hash, compare; only then charge, which locks the team's counter. */
static int64
copy_object(MrVerb *verb, Oid source, int64 size, MrDigest *declared)
{
	int64		id;
	int64		copied;
	MrUpload	upload;
	MrDigest   *digest;

	require_size(size);
	mr_team_bytes_check(&verb->team, size);
	id = mr_upload_insert(verb, size, declared);
	CommandCounterIncrement();
	mr_upload_lock(&upload, id);
	digest = mr_object_copy(source, DatumGetObjectId(upload.values[UPLOAD_OBJECT - 1]),
							&copied);
	require_digest(declared, size, digest, copied);
	upload.values[UPLOAD_RECEIVED - 1] = Int64GetDatum(size);
	mr_upload_seal(&upload, digest);
	mr_team_bytes_add(&verb->team, size);
	return id;
}

/*
 * modelreg.copy_large_object(team text, object oid, digest modelreg.digest,
 *		request_id text) returns bigint: the id of a sealed upload
 *
 * Level contributor, and SELECT on the large object, which the caller is asked
 * for himself; but not again by a repeated call, for he may have unlinked it.
 */
Datum
modelreg_copy_large_object(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team(mr_arg_text(fcinfo, 0, "team"), MR_CONTRIBUTOR);
	MrDigest   *digest = digest_or_null(fcinfo, 2);
	MrVerb		verb;
	int64		id = 0;

	mr_arg_require(fcinfo, 1, "object");
	mr_object_require_privileges();
	mr_verb_begin(&verb, fcinfo, "copy_large_object", &team, 3);
	if (!mr_verb_repeats(&verb))
	{
		int64		size;

		mr_owner_end(&verb.scope);
		size = mr_object_size(PG_GETARG_OID(1));	/* as the caller */
		mr_owner_begin(&verb.scope);
		id = copy_object(&verb, PG_GETARG_OID(1), size, digest);
	}
	PG_RETURN_INT64(mr_verb_end_int(&verb, "upload", id));
}
