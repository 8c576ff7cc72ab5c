/*
 * bytes.c
 *		Artifacts: the hash over a version's, and the bytes that the registry
 *		holds.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "artifact/artifact.h"
#include "base/hash.h"
#include "types/digest.h"
#include "verify/verify.h"

/* The version whose artifacts are being read. */
typedef struct Bundle
{
	bool		present;
	int64		model;
	int32		version;
	bool		has_hash;
	uint8		told[MR_HASH_LEN];
	StringInfoData fields;		/* what its artifacts' hash is computed over */
} Bundle;

/*
 * A version without artifacts comes once, with NULLs.  The number of its node
 * comes first because versions are stored nearly in that order, and comparing
 * it suffices for all but the names.
 */
static const char bundles_sql[] =
"SELECT v.model_id, v.version, v.artifacts_hash, a.hash "
"FROM modelreg.version v LEFT JOIN modelreg.artifact a ON a.model_id = v.model_id AND a.version = v.version "
"WHERE ($1 IS NULL OR v.team_id = $1) AND ($2 IS NULL OR v.model_id = $2) "
"ORDER BY v.node_id, v.model_id, v.version, a.name COLLATE \"C\"";

static void
finish_bundle(MrVerify *verify, Bundle *bundle)
{
	uint8		hash[MR_HASH_LEN];

	if (!bundle->present)
		return;
	mr_sha256(bundle->fields.data, bundle->fields.len, hash);
	if (!bundle->has_hash || memcmp(hash, bundle->told, MR_HASH_LEN) != 0)
		mr_verify_report(verify, "registration",
						 psprintf("version " INT64_FORMAT "/%d",
								  bundle->model, bundle->version),
						 "its artifacts are not those that it was registered with");
}

static void
start_bundle(Bundle *bundle, const Datum *values, const bool *nulls)
{
	bytea	   *told = nulls[2] ? NULL : DatumGetByteaPP(values[2]);

	bundle->present = true;
	bundle->model = DatumGetInt64(values[0]);
	bundle->version = DatumGetInt32(values[1]);
	bundle->has_hash = told != NULL && VARSIZE_ANY_EXHDR(told) == MR_HASH_LEN;
	if (bundle->has_hash)
		memcpy(bundle->told, VARDATA_ANY(told), MR_HASH_LEN);
	resetStringInfo(&bundle->fields);
	mr_encode_row_start(&bundle->fields, "artifacts", 1);
}

static void
walk_artifact(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	Bundle	   *bundle = state;
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;

	if (!bundle->present || bundle->model != DatumGetInt64(values[0]) ||
		bundle->version != DatumGetInt32(values[1]))
	{
		finish_bundle(verify, bundle);
		start_bundle(bundle, values, nulls);
	}
	if (!nulls[3])
		mr_encode_datum(&bundle->fields, BYTEAOID, values[3], false);
}

static void
verify_bundles(MrVerify *verify, const void *arg)
{
	Bundle		bundle = {0};

	initStringInfo(&bundle.fields);
	mr_verify_scan(verify, bundles_sql, walk_artifact, &bundle);
	finish_bundle(verify, &bundle);
	pfree(bundle.fields.data);
}

/*
 * The bytes that artifacts of versions need that were not purged, each once, with the first artifact that
 * names them.  Bytes that are gone have to have an event that tells of it.
 */
static const char bytes_sql[] =
"SELECT a.object, a.digest, a.size, b.purged_at <= (SELECT max(e.at) FROM modelreg.event e WHERE e.chain = 1 AND e.kind = 'bytes_dropped') "
"FROM (SELECT min(concat('artifact ', a.model_id, '/', a.version, '/', a.name)) AS object, a.digest, a.size "
"FROM modelreg.artifact a WHERE a.uri IS NULL "
"AND NOT EXISTS (SELECT FROM modelreg.purged_version x WHERE x.model_id = a.model_id AND x.version = a.version) AND ($1 IS NULL OR a.team_id = $1) AND ($2 IS NULL OR a.model_id = $2) "
"GROUP BY a.digest, a.size) a LEFT JOIN modelreg.blob b ON b.digest::text = a.digest::text ORDER BY 1";

static void
report_bytes(MrVerify *verify, const char *object, MrBytesState state)
{
	static const char *const texts[] = {
		[MR_BYTES_PURGED] = "its bytes were purged, and no event tells of it",
		[MR_BYTES_MISSING] = "its bytes are missing",
		[MR_BYTES_ALTERED] = "its bytes are not those of its digest",
		[MR_BYTES_EXPOSED] = "others were given rights on its bytes",
	};

	mr_verify_report(verify, "bytes", object, "%s", texts[state]);
}

static void
check_bytes(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;
	MrBytesState found;

	if (nulls[1] || nulls[2])
		return;					/* its row is a finding */
	found = mr_bytes_check(DatumGetMrDigest(values[1]), DatumGetInt64(values[2]),
						   verify->deep);
	if (found == MR_BYTES_PURGED && !nulls[3] && DatumGetBool(values[3]))
		verify->purged++;
	else if (found != MR_BYTES_OK)
		report_bytes(verify, TextDatumGetCString(values[0]), found);
}

/* The digests of versions that were purged: no findings, but told of. */
static const char purged_sql[] =
"SELECT count(DISTINCT a.digest::text) FROM modelreg.purged_version x JOIN modelreg.artifact a ON a.model_id = x.model_id AND a.version = x.version "
"WHERE a.uri IS NULL AND ($1 IS NULL OR x.team_id = $1) AND ($2 IS NULL OR x.model_id = $2)";

static void
count_purged(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	verify->purged += DatumGetInt64(slot->tts_values[0]);
}

static void
verify_bytes(MrVerify *verify, const void *arg)
{
	mr_verify_scan(verify, bytes_sql, check_bytes, NULL);
	mr_verify_scan(verify, purged_sql, count_purged, NULL);
}

void
mr_verify_bytes(MrVerify *verify)
{
	mr_verify_run(verify, "artifacts", verify_bundles, NULL);
	mr_verify_run(verify, "bytes", verify_bytes, NULL);
}
