/*
 * key.c
 *		Signing keys: registering and revoking them, and who signed what.
 *
 * A key is of a team, for its versions, or of the registry, for all.  Private
 * keys never come here: one that is given by mistake is refused.  Neither the
 * name nor the key itself is ever registered there again, so that a policy
 * that names a key means one, and a revoked one does not come back.
 *
 * A team's key may be the registry's too: then it is revoked in both once it
 * is in one of them, for the team's statements.
 *
 * When a key is revoked, what it signed before counts still.  So that "before"
 * has one meaning, the revocation takes its time while nobody looks at the
 * team's keys, and who looks waits for one that has begun.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "attestation/attestation.h"
#include "attestation/attestation_tables.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/lock.h"
#include "base/row.h"
#include "base/snapshot.h"
#include "types/names.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_register_key);
PG_FUNCTION_INFO_V1(modelreg_revoke_key);

static const MrTeam registry_team = {MR_NO_TEAM, "", 0, false};

/* What register_key() was given. */
typedef struct NewKey
{
	char	   *name;
	char	   *keyid;
	MrPublicKey public_key;
	TimestampTz valid_from;		/* DT_NOBEGIN for always */
	TimestampTz valid_until;	/* DT_NOEND for ever */
} NewKey;

/* The team that an argument names, or the registry for NULL; authorizes. */
static MrTeam
require_keys_of(FunctionCallInfo fcinfo, int n)
{
	if (!PG_ARGISNULL(n))
		return mr_require_team(text_to_cstring(PG_GETARG_TEXT_PP(n)), MR_MAINTAINER);
	mr_require_registry(MR_ADMIN);
	return registry_team;
}

static MrHead *
lock_head(MrVerb *verb)
{
	return verb->team.id == MR_NO_TEAM ? mr_registry_head_lock(verb) :
		mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
}

/* What the key is called in messages and views. */
static char *
print_key(const MrTeam *team, const char *name)
{
	return team->id == MR_NO_TEAM ? pstrdup(name) :
		psprintf("%s.%s", team->name, name);
}

/* Nothing of it is repeated in the message. */
static void
refuse_private_key(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("that is a private key"),
			 errdetail("The registry keeps public keys only. The server's log may hold the statement."),
			 errhint("Treat the private key as compromised: make another one, and register its public half, as openssl pkey -pubout prints it."),
			 mr_reason("private_key")));
}

static void
parse_public_key(const char *pem, MrPublicKey *key)
{
	const char *wrong;

	if (mr_is_private_key(pem))
		refuse_private_key();
	wrong = mr_public_key_from_pem(pem, key);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid public key"),
				 errdetail_internal("%s", wrong),
				 errhint("Give the public half of an Ed25519 or ECDSA P-256 key in PEM, as openssl pkey -pubout prints it."),
				 mr_reason("invalid_public_key")));
}

static TimestampTz
parse_bound(FunctionCallInfo fcinfo, int n, TimestampTz none)
{
	return PG_ARGISNULL(n) ? none : PG_GETARG_TIMESTAMPTZ(n);
}

static void
check_bounds(const NewKey *key)
{
	if (key->valid_from >= key->valid_until || key->valid_until <= GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key would never be valid"),
				 errdetail("valid_until must be later than valid_from and than now."),
				 mr_reason("invalid_time")));
}

/* Error 42710 when the team has, or had, the name or the key. */
static void
check_is_new(MrTable *table, MrVerb *verb, const NewKey *key)
{
	Datum		keys[2] = {Int64GetDatum(verb->team.id), CStringGetTextDatum(key->name)};
	bool		same_name = mr_table_find_latest(table, "signing_key_name", 2, keys);

	keys[1] = CStringGetTextDatum(key->keyid);
	if (same_name || mr_table_find_latest(table, "signing_key_keyid", 2, keys))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 same_name ? errmsg("key \"%s\" exists already", print_key(&verb->team, key->name)) :
				 errmsg("the key is registered already, as \"%s\"",
						print_key(&verb->team, TextDatumGetCString(mr_table_get(table, SIGNING_KEY_NAME, NULL)))),
				 errhint("A name is given to one key, and a key gets one name, also when it was revoked; make another one."),
				 mr_reason("key_exists")));
}

/* A time in UTC, whatever the session's settings; infinite ones are null. */
static void
add_time(MrJson *json, const char *key, TimestampTz time)
{
	char		buf[MAXDATELEN + 1];
	int			utc = 0;

	if (TIMESTAMP_NOT_FINITE(time))
		mr_json_add_null(json, key);
	else
		mr_json_add_text(json, key,
						 pstrdup(JsonEncodeDateTime(buf, TimestampTzGetDatum(time), TIMESTAMPTZOID, &utc)));
}

static bytea *
print_der(const MrPublicKey *key)
{
	bytea	   *der = palloc(VARHDRSZ + key->len);

	SET_VARSIZE(der, VARHDRSZ + key->len);
	memcpy(VARDATA(der), key->der, key->len);
	return der;
}

static void
set_time(Datum *values, bool *nulls, int column, TimestampTz time)
{
	values[column - 1] = TimestampTzGetDatum(time);
	nulls[column - 1] = TIMESTAMP_NOT_FINITE(time);
}

static void
insert_key(MrTable *table, MrVerb *verb, const NewKey *key, int64 id, TimestampTz at)
{
	Datum		values[SIGNING_KEY_COLUMNS];
	bool		nulls[SIGNING_KEY_COLUMNS] = {false};

	values[SIGNING_KEY_ID - 1] = Int64GetDatum(id);
	values[SIGNING_KEY_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[SIGNING_KEY_NAME - 1] = CStringGetTextDatum(key->name);
	values[SIGNING_KEY_KEYID - 1] = CStringGetTextDatum(key->keyid);
	values[SIGNING_KEY_ALGORITHM - 1] = CStringGetTextDatum(key->public_key.algorithm);
	values[SIGNING_KEY_PUBLIC_KEY - 1] = PointerGetDatum(print_der(&key->public_key));
	values[SIGNING_KEY_REGISTERED_AT - 1] = TimestampTzGetDatum(at);
	set_time(values, nulls, SIGNING_KEY_VALID_FROM, key->valid_from);
	set_time(values, nulls, SIGNING_KEY_VALID_UNTIL, key->valid_until);
	nulls[SIGNING_KEY_REVOKED_AT - 1] = nulls[SIGNING_KEY_COMPROMISED_SINCE - 1] = true;
	mr_table_insert(table, values, nulls);
}

static Jsonb *
describe_key(const NewKey *key, int64 id)
{
	MrJson		json;
	char		hex[2 * MR_PUBLIC_KEY_MAX + 1] = "";

	hex_encode((const char *) key->public_key.der, key->public_key.len, hex);
	mr_json_begin(&json);
	mr_json_add_int(&json, "key_id", id);
	mr_json_add_text(&json, "name", key->name);
	mr_json_add_text(&json, "keyid", key->keyid);
	mr_json_add_text(&json, "algorithm", key->public_key.algorithm);
	mr_json_add_text(&json, "public_key", hex);
	add_time(&json, "valid_from", key->valid_from);
	add_time(&json, "valid_until", key->valid_until);
	return mr_json_end(&json);
}

static void
register_key(MrVerb *verb, const NewKey *key)
{
	MrHead	   *head = lock_head(verb);
	MrTable    *table = mr_table_open("signing_key");
	int64		id;
	TimestampTz at;

	check_is_new(table, verb, key);
	id = mr_nextval("signing_key_id_seq");
	at = mr_event_append(head, verb, "key_registered", describe_key(key, id), NULL);
	insert_key(table, verb, key, id, at);
	mr_table_close(table);
	mr_head_save(head);
}

/*
 * modelreg.register_key(name text, public_key text, team text,
 *		valid_from timestamptz, valid_until timestamptz, request_id text)
 *		returns text, the keyid.
 *
 * Errors: 42501 for who is no maintainer of the team, without one no admin;
 * 22023 for name, key and times; 42710 for a name or key that is known.
 */
Datum
modelreg_register_key(PG_FUNCTION_ARGS)
{
	NewKey		key = {.name = mr_arg_text(fcinfo, 0, "name")};
	char	   *pem = mr_arg_text(fcinfo, 1, "public_key");
	MrTeam		team = require_keys_of(fcinfo, 2);
	MrVerb		verb;

	/* a registry's key has no dot, which a team's address has */
	if (team.id == MR_NO_TEAM)
		mr_check_team_name(key.name, NULL);
	else
		mr_check_object_name(key.name, NULL);
	parse_public_key(pem, &key.public_key);
	key.keyid = mr_public_key_id(&key.public_key);
	key.valid_from = parse_bound(fcinfo, 3, DT_NOBEGIN);
	key.valid_until = parse_bound(fcinfo, 4, DT_NOEND);
	mr_verb_begin(&verb, fcinfo, "register_key", &team, 5);
	if (!mr_verb_repeats(&verb))
	{
		check_bounds(&key);
		register_key(&verb, &key);
	}
	PG_RETURN_TEXT_P(cstring_to_text(mr_verb_end_text(&verb, "keyid", key.keyid)));
}

static Jsonb *
describe_revocation(MrTable *table, TimestampTz compromised_since)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "key_id", DatumGetInt64(mr_table_get(table, SIGNING_KEY_ID, NULL)));
	add_time(&json, "compromised_since", compromised_since);
	return mr_json_end(&json);
}

/* Does the row in the slot tell that already? */
static bool
is_revoked(MrTable *table, TimestampTz compromised_since)
{
	bool		valid;
	bool		none;
	TimestampTz since;

	(void) mr_table_get(table, SIGNING_KEY_REVOKED_AT, &valid);
	since = DatumGetTimestampTz(mr_table_get(table, SIGNING_KEY_COMPROMISED_SINCE, &none));
	return !valid && (none ? compromised_since == DT_NOEND : since <= compromised_since);
}

static void
write_revocation(MrTable *table, TimestampTz at, TimestampTz compromised_since)
{
	Datum		values[SIGNING_KEY_COLUMNS];
	bool		nulls[SIGNING_KEY_COLUMNS];

	mr_table_read(table, values, nulls);
	if (nulls[SIGNING_KEY_REVOKED_AT - 1])
		set_time(values, nulls, SIGNING_KEY_REVOKED_AT, at);
	if (compromised_since != DT_NOEND)
		set_time(values, nulls, SIGNING_KEY_COMPROMISED_SINCE, compromised_since);
	mr_table_update(table, values, nulls);
}

static bool
revoke_key(MrVerb *verb, const char *name, const char *reason,
		   TimestampTz compromised_since)
{
	MrHead	   *head = lock_head(verb);
	MrTable    *table = mr_table_open("signing_key");
	Datum		keys[2] = {Int64GetDatum(verb->team.id), CStringGetTextDatum(name)};
	bool		changes;

	if (!mr_table_lock(table, "signing_key_name", 2, keys))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no key \"%s\"", mr_text_clip(print_key(&verb->team, name))),
				 errhint("The view modelreg.signing_keys lists them."),
				 mr_reason("key_not_found")));
	changes = !is_revoked(table, compromised_since);
	if (changes)
	{
		mr_lock_key(MR_LOCK_SIGNING_KEYS, &verb->team.id, sizeof(int64));
		write_revocation(table,
						 mr_event_append(head, verb, "key_revoked",
										 describe_revocation(table, compromised_since), reason),
						 compromised_since);
	}
	mr_table_close(table);
	if (changes)
		mr_head_save(head);
	else
		mr_head_release(head);
	return changes;
}

/*
 * modelreg.revoke_key(name text, reason text, team text,
 *		compromised_since timestamptz, request_id text)
 *		returns boolean: does it change anything?
 *
 * Errors: 42501 as for register_key(), 42704 for the key, 22023 for a time
 * that is infinite.
 */
Datum
modelreg_revoke_key(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "name");
	char	   *reason = mr_reason_arg(fcinfo, 1);
	MrTeam		team = require_keys_of(fcinfo, 2);
	TimestampTz compromised_since = parse_bound(fcinfo, 3, DT_NOEND);
	MrVerb		verb;
	bool		changed = false;

	if (!PG_ARGISNULL(3) && TIMESTAMP_NOT_FINITE(compromised_since))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("compromised_since must be finite"),
				 mr_reason("invalid_time")));
	mr_verb_begin(&verb, fcinfo, "revoke_key", &team, 4);
	if (!mr_verb_repeats(&verb))
		changed = revoke_key(&verb, name, reason, compromised_since);
	PG_RETURN_BOOL(mr_verb_end_int(&verb, "changed", changed) != 0);
}

/* A key that a signature may be of. */
typedef struct Candidate
{
	int64		id;
	char	   *name;
	char	   *keyid;
	MrPublicKey public_key;
	TimestampTz registered_at;
	bool		revoked;
	const char *why_not;		/* it is not valid; NULL if it is */
} Candidate;

typedef struct Candidates
{
	Candidate  *items;
	int64		n;
	int64		room;
	TimestampTz at;
} Candidates;

/* A time of the row in the slot, or what stands for none. */
TimestampTz
mr_key_time(MrTable *table, AttrNumber column, TimestampTz none)
{
	bool		isnull;
	Datum		value = mr_table_get(table, column, &isnull);

	return isnull ? none : DatumGetTimestampTz(value);
}

static const char *
why_not_valid(MrTable *table, TimestampTz at)
{
	if (at < mr_key_time(table, SIGNING_KEY_VALID_FROM, DT_NOBEGIN))
		return "is not valid yet";
	if (at >= mr_key_time(table, SIGNING_KEY_VALID_UNTIL, DT_NOEND))
		return "is not valid any more";
	return NULL;
}

static void
add_candidate(Candidates *c, MrTable *table, const MrTeam *team)
{
	bytea	   *der = DatumGetByteaPP(mr_table_get(table, SIGNING_KEY_PUBLIC_KEY, NULL));
	Candidate  *candidate;
	const char *wrong;

	c->items = mr_grow(c->items, c->n, &c->room, sizeof(Candidate));
	candidate = &c->items[c->n];
	wrong = mr_public_key_from_der(VARDATA_ANY(der), VARSIZE_ANY_EXHDR(der), &candidate->public_key);
	if (wrong != NULL)
		return;					/* somebody forged it; verify() tells */
	candidate->id = DatumGetInt64(mr_table_get(table, SIGNING_KEY_ID, NULL));
	candidate->name = print_key(team, TextDatumGetCString(mr_table_get(table, SIGNING_KEY_NAME, NULL)));
	candidate->keyid = TextDatumGetCString(mr_table_get(table, SIGNING_KEY_KEYID, NULL));
	candidate->registered_at = DatumGetTimestampTz(mr_table_get(table, SIGNING_KEY_REGISTERED_AT, NULL));
	candidate->revoked = mr_key_time(table, SIGNING_KEY_REVOKED_AT, DT_NOEND) != DT_NOEND;
	candidate->why_not = candidate->revoked ? "was revoked" : why_not_valid(table, c->at);
	c->n++;
}

static void
add_candidates(Candidates *c, const MrTeam *team)
{
	MrTable    *table = mr_table_open_read("signing_key");
	Datum		key = Int64GetDatum(team->id);
	MrScan	   *scan = mr_scan_begin(table, "signing_key_name", 1, &key, NULL);

	while (mr_scan_next(scan, false))
	{
		CHECK_FOR_INTERRUPTS();
		add_candidate(c, table, team);
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

/* Who can sign with a key that was revoked can with all that are the same. */
static void
spread_revocations(Candidates *c)
{
	for (int64 i = 0; i < c->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 k = 0; c->items[i].revoked && k < c->n; k++)
			if (c->items[k].why_not == NULL && strcmp(c->items[k].keyid, c->items[i].keyid) == 0)
				c->items[k].why_not = "was revoked under another name";
	}
}

/* All keys of a team, first, and of the registry, as they are now. */
static void
find_candidates(Candidates *c, const MrTeam *team)
{
	const MrTeam *teams[] = {team, &registry_team};
	int			n = team->id == MR_NO_TEAM ? 1 : 2;

	/* the registry's first, as whoever revokes keys of both locks its chain first */
	for (int i = n - 1; i >= 0; i--)
		mr_lock_key_shared(MR_LOCK_SIGNING_KEYS, &teams[i]->id, sizeof(int64));
	c->at = GetCurrentTimestamp();
	for (int i = 0; i < n; i++)
		add_candidates(c, teams[i]);
	spread_revocations(c);
	for (int i = 0; i < n; i++)
		mr_unlock_key_shared(MR_LOCK_SIGNING_KEYS, &teams[i]->id, sizeof(int64));
}

/* Is it the candidate that a keyid names, or may it be any? */
static bool
may_be(const Candidates *c, const Candidate *candidate, const char *keyid)
{
	if (strcmp(candidate->keyid, keyid) == 0)
		return true;
	for (int64 i = 0; i < c->n; i++)
		if (strcmp(c->items[i].keyid, keyid) == 0)
			return false;
	return true;
}

static Candidate *
find_signer(const Candidates *c, const MrEnvelope *envelope, const MrSignature *signature)
{
	Candidate  *invalid = NULL;

	for (int64 i = 0; i < c->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!may_be(c, &c->items[i], signature->keyid) ||
			!mr_signature_verifies(&c->items[i].public_key, envelope->signed_bytes,
								   envelope->signed_len, signature->bytes, signature->len))
			continue;
		if (c->items[i].why_not == NULL)
			return &c->items[i];
		invalid = &c->items[i];
	}
	return invalid;
}

static Candidate *
require_signer(const Candidates *c, const MrEnvelope *envelope, int nr)
{
	Candidate  *signer = find_signer(c, envelope, &envelope->signatures[nr]);

	if (signer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no registered key made signature %d over this statement", nr + 1),
				 errdetail("Its keyid is \"%s\", which is a hint and no proof.", mr_text_clip(envelope->signatures[nr].keyid)),
				 errhint("The view modelreg.signing_keys lists the keys; modelreg.register_key() registers one."),
				 mr_reason("signature_refused")));
	if (signer->why_not != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("key \"%s\", which made signature %d, %s", signer->name, nr + 1, signer->why_not),
				 mr_reason("key_not_valid")));
	return signer;
}

/* Error 40001 for a key that the transaction's one snapshot does not show. */
static void
require_seen(const Candidate *signer)
{
	Snapshot	own = mr_own_snapshot();
	MrTable    *table;
	Datum		key = Int64GetDatum(signer->id);

	if (own == NULL)
		return;
	table = mr_table_open_read("signing_key");
	if (!mr_table_find(table, "signing_key_pkey", 1, &key, own))
		mr_table_raise_concurrent_update(table);
	mr_table_close(table);
}

/*
 * The keys of a team, or of the registry, that signed an envelope: each
 * signature is by another one of them that is valid now, or an error.
 */
MrSigners
mr_signers_require(const MrEnvelope *envelope, const MrTeam *team)
{
	Candidates	c = {0};
	MrSigners	signers;
	Datum	   *keys = palloc(envelope->nsignatures * sizeof(Datum));

	find_candidates(&c, team);
	signers.at = c.at;
	for (int i = 0; i < envelope->nsignatures; i++)
	{
		Candidate  *signer = require_signer(&c, envelope, i);

		for (int k = 0; k < i; k++)
			if (DatumGetInt64(keys[k]) == signer->id)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("key \"%s\" made two of the signatures", signer->name),
						 mr_reason("signature_refused")));
		require_seen(signer);
		keys[i] = Int64GetDatum(signer->id);
		/* a clock that was set back since */
		signers.at = Max(signers.at, signer->registered_at);
	}
	signers.keys = PointerGetDatum(construct_array(keys, envelope->nsignatures, INT8OID,
												   sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	return signers;
}
