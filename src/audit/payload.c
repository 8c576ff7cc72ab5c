/*
 * payload.c
 *		Free text and JSON, kept apart from the rows that it belongs to.
 *
 * A row holds the digest of salt and text.  When the text has to go, an admin
 * redacts it: salt and text are removed, the digest stays, and because of
 * the salt nobody can guess the text from it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"

PG_FUNCTION_INFO_V1(modelreg_redact);

MrPayloadRedactedHook mr_payload_redacted = NULL;

#define SALT_LEN 16

/* A row that COPY could not print as one line would break every dump. */
#define BODY_MAX (16 * 1024 * 1024)

static bytea *
make_salt(void)
{
	bytea	   *salt = palloc(VARHDRSZ + SALT_LEN);

	SET_VARSIZE(salt, VARHDRSZ + SALT_LEN);
	if (!pg_strong_random(VARDATA(salt), SALT_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	return salt;
}

/* As modelreg.row_hash('payload', 1, salt, body). */
static bytea *
hash_payload(bytea *salt, text *body)
{
	StringInfoData buf;
	bytea	   *digest;

	initStringInfo(&buf);
	mr_encode_row_start(&buf, "payload", 1);
	mr_encode_datum(&buf, BYTEAOID, PointerGetDatum(salt), false);
	mr_encode_datum(&buf, TEXTOID, PointerGetDatum(body), false);
	digest = mr_sha256_bytea(buf.data, buf.len);
	pfree(buf.data);
	return digest;
}

/* Error 54000 for a text that is too long to be kept. */
void
mr_payload_check_size(size_t len)
{
	if (len > BODY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a text of %zu bytes is longer than %d", len, BODY_MAX),
				 errhint("Store it as an artifact."),
				 mr_reason("text_too_long")));
}

/* Keep a text for a team in modelreg.payload; returns its salted digest. */
bytea *
mr_payload_write(MrTable *payload, int64 team, const char *body)
{
	Datum		values[PAYLOAD_COLUMNS];
	bool		nulls[PAYLOAD_COLUMNS] = {false};
	bytea	   *salt;
	bytea	   *digest;
	text	   *value;

	mr_payload_check_size(strlen(body));
	salt = make_salt();
	value = cstring_to_text(body);
	digest = hash_payload(salt, value);
	values[PAYLOAD_DIGEST - 1] = PointerGetDatum(digest);
	values[PAYLOAD_TEAM_ID - 1] = Int64GetDatum(team);
	values[PAYLOAD_SALT - 1] = PointerGetDatum(salt);
	values[PAYLOAD_BODY - 1] = PointerGetDatum(value);
	mr_table_insert(payload, values, nulls);
	return digest;
}

/* The same for one text; NULL stays NULL. */
bytea *
mr_payload_store(int64 team, const char *body)
{
	MrTable    *table;
	bytea	   *digest;

	if (body == NULL)
		return NULL;
	table = mr_table_open("payload");
	digest = mr_payload_write(table, team, body);
	mr_table_close(table);
	return digest;
}

/*
 * The text of a digest from the open table; NULL when it was redacted, which
 * counts whatever the caller's snapshot is: it is asked under the latest.
 */
char *
mr_payload_read(MrTable *payloads, const bytea *digest, Snapshot latest)
{
	Datum		key = PointerGetDatum(digest);
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (mr_table_find(payloads, "payload_pkey", 1, &key, latest))
		value = mr_table_get(payloads, PAYLOAD_BODY, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

/* The text of a digest; NULL when it was redacted. */
char *
mr_payload_fetch(const bytea *digest)
{
	MrTable    *table = mr_table_open_read("payload");
	char	   *body = mr_payload_read(table, digest, NULL);

	mr_table_close(table);
	return body;
}

static bytea *
parse_payload_digest(const char *hex)
{
	bytea	   *digest = palloc(VARHDRSZ + MR_HASH_LEN);

	if (strlen(hex) != 2 * MR_HASH_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the digest of a payload has %d hexadecimal digits",
						2 * MR_HASH_LEN),
				 mr_reason("invalid_digest")));
	SET_VARSIZE(digest, VARHDRSZ + MR_HASH_LEN);
	hex_decode(hex, 2 * MR_HASH_LEN, VARDATA(digest));
	return digest;
}

static void
append_redaction(MrVerb *verb, MrHead *head, const bytea *digest,
				 const char *reason)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_hash(&json, "payload", digest);
	mr_event_append(head, verb, "payload_redacted", mr_json_end(&json), reason);
	mr_head_save(head);
}

/* Remove salt and body of a payload; false if they were gone already. */
static bool
blank_payload(const bytea *digest)
{
	MrTable    *table = mr_table_open("payload");
	Datum		values[PAYLOAD_COLUMNS];
	bool		nulls[PAYLOAD_COLUMNS];
	Datum		key = PointerGetDatum(digest);
	bool		present;

	if (!mr_table_lock(table, "payload_pkey", 1, &key))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no payload with this digest"),
				 errhint("The views show the digests of descriptions, reasons and other free text."),
				 mr_reason("payload_not_found")));
	mr_table_read(table, values, nulls);
	present = !nulls[PAYLOAD_BODY - 1];
	nulls[PAYLOAD_SALT - 1] = nulls[PAYLOAD_BODY - 1] = true;
	if (present)
		mr_table_update(table, values, nulls);
	mr_table_close(table);
	return present;
}

static void
redact(MrVerb *verb, const bytea *digest, const char *reason)
{
	MrHead	   *head = mr_registry_head_lock(verb);

	if (!blank_payload(digest))
	{
		mr_head_release(head);
		return;
	}
	if (mr_payload_redacted != NULL)
		mr_payload_redacted(digest);
	append_redaction(verb, head, digest, reason);
}

/*
 * modelreg.redact(payload text, reason text, request_id text) returns void
 *
 * payload: digest in hexadecimal.  Errors: 42501 for who is no admin, 22023
 * for no digest, 42704 for an unknown one.
 */
Datum
modelreg_redact(PG_FUNCTION_ARGS)
{
	static const MrTeam registry = {MR_NO_TEAM, "", 0, false};
	bytea	   *digest = parse_payload_digest(mr_arg_text(fcinfo, 0, "payload"));
	char	   *reason = mr_reason_arg(fcinfo, 1);
	MrVerb		verb;

	mr_require_registry(MR_ADMIN);
	mr_verb_begin(&verb, fcinfo, "redact", &registry, 2);
	if (!mr_verb_repeats(&verb))
		redact(&verb, digest, reason);
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}
