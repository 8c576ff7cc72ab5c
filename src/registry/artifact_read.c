/*
 * artifact_read.c
 *		The artifacts of a version: reading, re-hashing, checks of external ones.
 *
 * Reading locks nothing, writes nothing, and sees what the statement's
 * snapshot sees, so that it works on a standby too.  No call returns more than
 * a chunk, so that an artifact of any size needs little memory.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "artifact/artifact.h"
#include "artifact/artifact_tables.h"
#include "artifact/object.h"
#include "audit/audit.h"
#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "registry/registry.h"

PG_FUNCTION_INFO_V1(modelreg_read_artifact);
PG_FUNCTION_INFO_V1(modelreg_artifact_chunks);
PG_FUNCTION_INFO_V1(modelreg_verify_artifact);
PG_FUNCTION_INFO_V1(modelreg_record_artifact_check);

typedef struct Artifact
{
	MrModel		model;
	int32		version;
	char	   *name;
	MrDigest   *digest;
	int64		size;
	char	   *uri;			/* or NULL */
} Artifact;

static void
raise_not_found(const Artifact *artifact)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("version %d of model \"%s\" has no artifact \"%s\"",
					artifact->version, mr_model_address(&artifact->model),
					mr_text_clip(artifact->name)),
			 errhint("The view modelreg.artifacts lists them."),
			 mr_reason("artifact_not_found")));
}

/*
 * The artifact that the first three arguments name, in a model in which the
 * caller has one of the rights, as a snapshot sees them.
 */
static Artifact
artifact_args(FunctionCallInfo fcinfo, MrRights level, Snapshot snapshot)
{
	Artifact	artifact = {.name = mr_arg_text(fcinfo, 2, "name")};
	MrTable    *table;
	Datum		keys[3];
	bool		stored;
	Datum		uri;

	artifact.model = mr_require_model(mr_arg_text(fcinfo, 0, "model"), level,
									  snapshot);
	mr_arg_require(fcinfo, 1, "version");
	artifact.version = PG_GETARG_INT32(1);
	mr_require_version(&artifact.model, artifact.version, snapshot);
	table = mr_table_open_read("artifact");
	keys[0] = Int64GetDatum(artifact.model.id);
	keys[1] = Int32GetDatum(artifact.version);
	keys[2] = CStringGetTextDatum(artifact.name);
	if (!mr_table_find(table, "artifact_pkey", 3, keys, snapshot))
		raise_not_found(&artifact);
	artifact.digest = DatumGetMrDigest(mr_table_get_copy(table, ARTIFACT_DIGEST));
	artifact.size = DatumGetInt64(mr_table_get(table, ARTIFACT_SIZE, NULL));
	uri = mr_table_get(table, ARTIFACT_URI, &stored);
	if (!stored)
		artifact.uri = TextDatumGetCString(uri);
	mr_table_close(table);
	return artifact;
}

static void
raise_purged(const Artifact *artifact)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the bytes of artifact \"%s\" were purged", artifact->name),
			 mr_reason("artifact_purged")));
}

/* The large object with the bytes; an error where there is none. */
static Oid
require_object(const Artifact *artifact)
{
	MrBlob		blob;

	if (artifact->uri != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("artifact \"%s\" is external", artifact->name),
				 errdetail("It is at %s.", artifact->uri),
				 errhint("Fetch it from there, and compare its digest."),
				 mr_reason("artifact_external")));
	if (mr_version_is_purged(artifact->model.id, artifact->version, GetActiveSnapshot()))
		raise_purged(artifact);
	if (!mr_blob_find(artifact->digest, GetActiveSnapshot(), &blob))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the bytes of artifact \"%s\" are missing", artifact->name),
				 errhint("modelreg.verify() tells what else is."),
				 mr_reason("artifact_missing")));
	if (!OidIsValid(blob.object))
		raise_purged(artifact);
	return blob.object;
}

/* Read len bytes, which must be there, as the owner. */
static bytea *
read_bytes(const Artifact *artifact, Oid object, int64 offset, int len)
{
	bytea	   *result = palloc(VARHDRSZ + len);
	MrOwnerScope scope;
	int			got;

	SET_VARSIZE(result, VARHDRSZ + len);
	if (len == 0)
		return result;			/* the offset may be anywhere */
	mr_owner_begin(&scope);
	got = mr_object_read(object, false, offset, VARDATA(result), len);
	mr_owner_end(&scope);
	if (got != len)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("bytes of artifact \"%s\" are missing", artifact->name),
				 errhint("modelreg.verify() tells what else is."),
				 mr_reason("artifact_missing")));
	return result;
}

static void
require_chunk(int64 len)
{
	if (len < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("length must not be negative"),
				 mr_reason("invalid_length")));
	if (len > MR_CHUNK_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg(INT64_FORMAT " bytes are too many to read at once", len),
				 errhint("Give at_offset and a length of at most %d, or use modelreg.artifact_chunks().",
						 MR_CHUNK_MAX),
				 mr_reason("chunk_too_large")));
}

/*
 * modelreg.read_artifact(model text, version integer, name text,
 *		at_offset bigint, length integer) returns bytea
 *
 * Level reader.  Past the end there are no bytes.  Errors: 42704 for an
 * unknown one, 54000 for more than a chunk, 55000 for an external or a purged
 * one.
 */
Datum
modelreg_read_artifact(PG_FUNCTION_ARGS)
{
	Artifact	artifact = artifact_args(fcinfo, MR_READER, GetActiveSnapshot());
	Oid			object = require_object(&artifact);
	int64		offset;
	int64		rest;

	mr_arg_require(fcinfo, 3, "at_offset");
	offset = PG_GETARG_INT64(3);
	if (offset < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset must not be negative"),
				 mr_reason("invalid_offset")));
	rest = Max(artifact.size - offset, 0);
	if (!PG_ARGISNULL(4))
	{
		require_chunk(PG_GETARG_INT32(4));
		rest = Min(rest, PG_GETARG_INT32(4));
	}
	require_chunk(rest);
	PG_RETURN_BYTEA_P(read_bytes(&artifact, object, offset, (int) rest));
}

/* Where a call of artifact_chunks() is. */
typedef struct Chunks
{
	Artifact	artifact;
	Oid			object;
	int64		offset;
	int32		size;
} Chunks;

static Chunks *
begin_chunks(FunctionCallInfo fcinfo, FuncCallContext *context)
{
	MemoryContext old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
	Chunks	   *chunks = palloc0(sizeof(Chunks));

	chunks->artifact = artifact_args(fcinfo, MR_READER, GetActiveSnapshot());
	chunks->object = require_object(&chunks->artifact);
	mr_arg_require(fcinfo, 3, "chunk_size");
	chunks->size = PG_GETARG_INT32(3);
	require_chunk(chunks->size);
	if (chunks->size == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chunk_size must not be 0"),
				 mr_reason("invalid_length")));
	if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	context->tuple_desc = BlessTupleDesc(context->tuple_desc);
	MemoryContextSwitchTo(old);
	return chunks;
}

/*
 * modelreg.artifact_chunks(model text, version integer, name text,
 *		chunk_size integer) returns a row (at_offset, data) for each chunk
 *
 * Level reader; errors as read_artifact().  Nothing stays open between rows.
 */
Datum
modelreg_artifact_chunks(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Chunks	   *chunks;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			len;

	if (SRF_IS_FIRSTCALL())
	{
		context = SRF_FIRSTCALL_INIT();
		context->user_fctx = begin_chunks(fcinfo, context);
	}
	context = SRF_PERCALL_SETUP();
	chunks = context->user_fctx;
	len = (int) Min(chunks->artifact.size - chunks->offset, chunks->size);
	if (len <= 0)
		SRF_RETURN_DONE(context);
	values[0] = Int64GetDatum(chunks->offset);
	values[1] = PointerGetDatum(read_bytes(&chunks->artifact, chunks->object,
										   chunks->offset, len));
	chunks->offset += len;
	SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc,
															   values, nulls)));
}

/*
 * modelreg.verify_artifact(model text, version integer, name text) returns
 *		text: ok, altered, missing, exposed, purged or external
 *
 * Level reader.  Hashes the bytes again.
 */
Datum
modelreg_verify_artifact(PG_FUNCTION_ARGS)
{
	Artifact	artifact = artifact_args(fcinfo, MR_READER, GetActiveSnapshot());
	MrOwnerScope scope;
	MrBytesState state;

	if (artifact.uri != NULL)
		PG_RETURN_TEXT_P(cstring_to_text("external"));
	if (mr_version_is_purged(artifact.model.id, artifact.version, GetActiveSnapshot()))
		PG_RETURN_TEXT_P(cstring_to_text(mr_bytes_state_name(MR_BYTES_PURGED)));
	mr_owner_begin(&scope);
	state = mr_bytes_check(artifact.digest, artifact.size, true);
	mr_owner_end(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(mr_bytes_state_name(state)));
}

/* What a client found, as the note keeps it. */
static char *
describe_check(const MrDigest *digest, int64 size, bool matches)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "digest", mr_digest_to_cstring(digest));
	mr_json_add_int(&json, "size", size);
	mr_json_add_bool(&json, "matches", matches);
	return mr_json_canonical_cstring(mr_json_end(&json));
}

static void
require_external(const Artifact *artifact)
{
	if (artifact->uri == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("artifact \"%s\" is not external", artifact->name),
				 errhint("modelreg.verify_artifact() checks what the registry holds."),
				 mr_reason("artifact_not_external")));
}

static void
record_check(MrVerb *verb, const Artifact *artifact, const char *found)
{
	mr_note_insert(verb, MR_NOTE_ARTIFACT_CHECK, artifact->model.id,
				   artifact->version, artifact->name, found);
	if (mr_version_news != NULL)
		mr_version_news(verb, artifact->model.id, artifact->version, MR_NEWS_ARTIFACT_CHECK);
}

/*
 * modelreg.record_artifact_check(model text, version integer, name text,
 *		digest modelreg.digest, size bigint, request_id text) returns boolean:
 *		does what the client fetched match what was registered?
 *
 * Level contributor or evaluator.  Errors: 55000 for one that is not external.
 */
Datum
modelreg_record_artifact_check(PG_FUNCTION_ARGS)
{
	MrRights	level = MR_CONTRIBUTOR | MR_EVALUATOR;
	char	   *name;
	MrTeam		team = mr_require_team_of_model(mr_arg_text(fcinfo, 0, "model"), level, &name);
	MrVerb		verb;
	bool		matches = false;

	mr_arg_require(fcinfo, 3, "digest");
	mr_arg_require(fcinfo, 4, "size");
	if (!mr_verb_repeated(&verb, fcinfo, "record_artifact_check", &team, 5))
	{
		Artifact	artifact = artifact_args(fcinfo, level, NULL);
		MrDigest   *digest = PG_GETARG_MRDIGEST(3);
		int64		size = PG_GETARG_INT64(4);

		require_external(&artifact);
		matches = size == artifact.size && mr_digest_equal(digest, artifact.digest);
		mr_verb_begin(&verb, fcinfo, "record_artifact_check", &team, 5);
		if (!mr_verb_repeats(&verb))
			record_check(&verb, &artifact, describe_check(digest, size, matches));
	}
	PG_RETURN_BOOL(mr_verb_end_int(&verb, "matches", matches) != 0);
}
