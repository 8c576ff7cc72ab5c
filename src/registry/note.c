/*
 * note.c
 *		Notes: rows of facts about a model or version that are said later.
 *
 * Also what the verbs that say them have in common.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/row.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"

/*
 * Record a note about a model (version 0) or a version; returns the salted
 * digest of its value, NULL for none.
 */
bytea *
mr_note_insert(MrVerb *verb, const char *kind, int64 model, int32 version,
			   const char *key, const char *value)
{
	Datum		values[NOTE_COLUMNS];
	bool		nulls[NOTE_COLUMNS] = {false};
	bytea	   *payload = mr_payload_store(verb->team.id, value);
	int64		batch = mr_fact_batch(verb, verb->team.id);
	int64		id = mr_nextval("note_id_seq");

	values[NOTE_ID - 1] = Int64GetDatum(id);
	values[NOTE_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[NOTE_BATCH - 1] = Int64GetDatum(batch);
	values[NOTE_KIND - 1] = CStringGetTextDatum(kind);
	values[NOTE_MODEL_ID - 1] = Int64GetDatum(model);
	values[NOTE_VERSION - 1] = Int32GetDatum(version);
	mr_set_text(values, nulls, NOTE_KEY - 1, key);
	mr_set_bytes(values, nulls, NOTE_VALUE - 1, payload);
	values[NOTE_WHO - 1] = JsonbPGetDatum(verb->who);
	values[NOTE_RECORDED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	mr_fact_recorded(batch, "note", id, mr_insert_row("note", values, nulls));
	return payload;
}

/*
 * Wait for whoever says something else of a model or version under the same
 * key, so that the notes of a key are in the order of their ids and what is
 * folded from them agrees with the last one.
 */
void
mr_note_lock(const char *kind, int64 model, int32 version, const char *key)
{
	StringInfoData buf;

	initStringInfo(&buf);
	mr_encode_row_start(&buf, kind, 1);
	mr_encode_datum(&buf, INT8OID, Int64GetDatum(model), false);
	mr_encode_datum(&buf, INT4OID, Int32GetDatum(version), false);
	if (key != NULL)
		mr_encode_bytes(&buf, key, strlen(key));
	mr_lock_key(MR_LOCK_NOTE, buf.data, buf.len);
	pfree(buf.data);
}

/* Argument n of a verb: a version, or NULL for the model itself, which is 0. */
int32
mr_version_arg(FunctionCallInfo fcinfo, int n, const MrModel *model)
{
	int32		version = 0;

	if (!PG_ARGISNULL(n))
	{
		version = PG_GETARG_INT32(n);
		mr_require_version(model, version, NULL);
	}
	return version;
}
