/*
 * attestations.c
 *		Signing keys, which are a fold of the events, and attestations: what
 *		they are about, who signed them, and, for verify(deep), the signatures.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "attestation/attestation.h"
#include "base/hash.h"
#include "verify/verify.h"

/* In the settings' notation, which an interval takes. */
#define CLOCK_SKEW "current_setting('modelreg.max_clock_skew')::interval"

/* As the events tell it. */
#define TEXT_OF_TIME(column) \
	"replace((to_jsonb(" column " AT TIME ZONE 'UTC') #>> '{}') || '+00:00', ' BC+00:00', '+00:00 BC')"

static const char keys_sql[] =
"WITH told AS (SELECT e.team_id, e.kind, e.at, e.what, e.what->>'key_id' AS id FROM modelreg.event e "
"WHERE e.chain IN (1, 2) AND e.kind IN ('key_registered', 'key_revoked') AND ($1 IS NULL OR e.team_id = $1)), "
"revoked AS (SELECT t.team_id, t.id, min(t.at) AS at, min((t.what->>'compromised_since')::timestamptz) AS since "
"FROM told t WHERE t.kind = 'key_revoked' GROUP BY t.team_id, t.id) "
"SELECT concat('signing_key ', COALESCE(k.id::text, t.id)), "
"CASE WHEN k.id IS NULL THEN 'the row that the events tell of is missing' WHEN t.id IS NULL THEN 'no event tells of this row' "
"ELSE 'it is not as the events tell' END "
"FROM (SELECT t.*, r.at AS revoked_at, r.since FROM told t LEFT JOIN revoked r ON r.team_id = t.team_id AND r.id = t.id WHERE t.kind = 'key_registered') t "
"FULL JOIN (SELECT * FROM modelreg.signing_key k WHERE $1 IS NULL OR k.team_id = $1) k ON k.team_id = t.team_id AND k.id::text = t.id "
"WHERE (k.name = t.what->>'name' AND k.keyid = t.what->>'keyid' AND k.algorithm = t.what->>'algorithm' "
"AND encode(k.public_key, 'hex') = t.what->>'public_key' AND encode(sha256(k.public_key), 'hex') = k.keyid AND k.registered_at = t.at "
"AND " TEXT_OF_TIME("k.valid_from") " IS NOT DISTINCT FROM t.what->>'valid_from' AND " TEXT_OF_TIME("k.valid_until") " IS NOT DISTINCT FROM t.what->>'valid_until' "
"AND k.revoked_at IS NOT DISTINCT FROM t.revoked_at AND k.compromised_since IS NOT DISTINCT FROM t.since) IS NOT TRUE ORDER BY 1, 2";

static const char attestations_sql[] =
"SELECT concat('attestation ', a.id), w.wrong FROM modelreg.attestation a "
"LEFT JOIN modelreg.version v ON v.model_id = a.model_id AND v.version = a.version CROSS JOIN LATERAL (VALUES "
"(CASE WHEN a.team_id <> 0 AND v.version IS NULL THEN 'its version is missing' WHEN v.team_id <> a.team_id THEN 'its version is of another team' END), "
"(CASE WHEN a.team_id <> 0 AND a.batch IS NULL THEN 'no batch covers it' "
"WHEN a.team_id = 0 AND NOT EXISTS (SELECT FROM modelreg.event e WHERE e.chain = 1 AND e.kind = 'head_attested' "
"AND e.what->>'attestation_id' = a.id::text AND e.what->>'hash' = encode(a.hash, 'hex')) THEN 'no event tells of it' END), "
"(CASE WHEN CASE a.subject WHEN 'version' THEN a.digest = encode(v.hash, 'hex') "
"WHEN 'artifact' THEN EXISTS (SELECT FROM modelreg.artifact r WHERE r.model_id = a.model_id AND r.version = a.version AND r.digest::text = concat('sha256:', a.digest)) "
"WHEN 'artifacts' THEN a.digest = (SELECT encode(sha256(string_agg(decode(substr(r.digest::text, 8), 'hex'), '' ORDER BY translate(r.name, '/', '\x01') COLLATE \"C\")), 'hex') "
"FROM modelreg.artifact r WHERE r.model_id = a.model_id AND r.version = a.version) "
"ELSE a.subject = 'head' AND a.team_id = 0 END IS NOT TRUE THEN 'its digest is not that of its subject' END), "
"(CASE WHEN cardinality(a.keys) = 0 OR EXISTS (SELECT FROM unnest(a.keys) AS u(id) LEFT JOIN modelreg.signing_key k ON k.id = u.id "
"WHERE (k.team_id IN (0, a.team_id) AND a.recorded_at >= GREATEST(k.registered_at, k.valid_from) "
"AND a.recorded_at < COALESCE(k.valid_until, 'infinity') + " CLOCK_SKEW " AND a.recorded_at <= COALESCE(k.revoked_at, 'infinity') + " CLOCK_SKEW ") IS NOT TRUE) "
"THEN 'a key of it is missing, or was not valid when it was recorded' END)) AS w(wrong) "
"WHERE w.wrong IS NOT NULL AND ($1 IS NULL OR a.team_id = $1) AND ($2 IS NULL OR a.model_id = $2) "
"UNION ALL SELECT concat('attestation ', e.what->>'attestation_id'), format('event registry/1/%s tells of it, but the row is missing', e.seq) "
"FROM modelreg.event e WHERE $1 IS NULL AND e.chain = 1 AND e.kind = 'head_attested' "
"AND NOT EXISTS (SELECT FROM modelreg.attestation a WHERE a.id::text = e.what->>'attestation_id') ORDER BY 1, 2";

/* What was redacted cannot be verified again. */
static const char signatures_sql[] =
"SELECT a.id, a.predicate_type, a.digest, p.body, (SELECT array_agg(k.public_key ORDER BY u.nr) "
"FROM unnest(a.keys) WITH ORDINALITY AS u(id, nr) JOIN modelreg.signing_key k ON k.id = u.id) "
"FROM modelreg.attestation a JOIN modelreg.payload p ON p.digest = a.envelope WHERE p.body IS NOT NULL "
"AND ($1 IS NULL OR a.team_id = $1) AND ($2 IS NULL OR a.model_id = $2) ORDER BY a.id";

enum
{
	SIGNED_ID, SIGNED_PREDICATE_TYPE, SIGNED_DIGEST, SIGNED_BODY, SIGNED_KEYS
};

static bool
key_signed(Datum der, const MrEnvelope *envelope, const MrSignature *signature)
{
	bytea	   *bytes = DatumGetByteaPP(der);
	MrPublicKey key;

	return mr_public_key_from_der(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &key) == NULL &&
		mr_signature_verifies(&key, envelope->signed_bytes, envelope->signed_len,
							  signature->bytes, signature->len);
}

static bool
keys_signed(Datum array, const MrEnvelope *envelope)
{
	Datum	   *keys;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), BYTEAOID, -1, false, TYPALIGN_INT,
					  &keys, &nulls, &n);
	if (n != envelope->nsignatures)
		return false;
	for (int i = 0; i < n; i++)
		if (nulls[i] || !key_signed(keys[i], envelope, &envelope->signatures[i]))
			return false;
	return true;
}

static const char *
find_wrong(const Datum *values, const bool *nulls)
{
	char	   *body = TextDatumGetCString(values[SIGNED_BODY]);
	Jsonb	   *json = mr_jsonb_from_text(body);
	MrEnvelope	envelope;

	if (json == NULL || mr_envelope_read(json, &envelope) != NULL ||
		strcmp(envelope.normal, body) != 0)
		return "its envelope is none";
	if (strcmp(envelope.predicate_type, TextDatumGetCString(values[SIGNED_PREDICATE_TYPE])) != 0 ||
		!mr_statement_is_about(&envelope, TextDatumGetCString(values[SIGNED_DIGEST])))
		return "its statement is another one";
	if (nulls[SIGNED_KEYS] || !keys_signed(values[SIGNED_KEYS], &envelope))
		return "a signature is not its key's";
	return NULL;
}

static void
check_signatures(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	const char *wrong = find_wrong(slot->tts_values, slot->tts_isnull);

	if (wrong != NULL)
		mr_verify_report(verify, "signature",
						 psprintf("attestation " INT64_FORMAT, DatumGetInt64(slot->tts_values[SIGNED_ID])),
						 "%s", wrong);
}

static void
verify_keys(MrVerify *verify, const void *arg)
{
	mr_verify_findings(verify, "fold", keys_sql);
}

static void
verify_attestations(MrVerify *verify, const void *arg)
{
	mr_verify_findings(verify, "reference", attestations_sql);
}

static void
verify_signatures(MrVerify *verify, const void *arg)
{
	mr_verify_scan(verify, signatures_sql, check_signatures, NULL);
}

void
mr_verify_attestations(MrVerify *verify)
{
	if (verify->scope != MR_VERIFY_MODEL)
		mr_verify_run(verify, "signing keys", verify_keys, NULL);
	mr_verify_run(verify, "attestations", verify_attestations, NULL);
	if (verify->deep)
		mr_verify_run(verify, "signatures", verify_signatures, NULL);
}
