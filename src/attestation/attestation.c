/*
 * attestation.c
 *		Recording signed statements: about versions, and about heads of the log.
 *
 * A statement is about a version if one of its subjects has the hash of the
 * version's row, which covers all that was registered with it; or the digest
 * of one of its artifacts; or the one digest of all artifacts that the tool
 * model-signing computes: over their digests, in the order of their paths.
 * What another version is named by is never taken for an artifact's.
 *
 * One about the log has the document of audit_head() for its predicate, so
 * that it can be compared with the chains now and later.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "artifact/artifact_tables.h"
#include "attestation/attestation.h"
#include "attestation/attestation_tables.h"
#include "audit/published.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/row.h"
#include "base/snapshot.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "types/digest.h"
#include "types/model_uri.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_record_attestation);
PG_FUNCTION_INFO_V1(modelreg_attest_head);

static const MrTeam registry_team = {MR_NO_TEAM, "", 0, false};

/* What a statement is about: kind and digest, as the row has them. */
typedef struct Subject
{
	const char *kind;
	char	   *digest;			/* hexadecimal */
} Subject;

typedef struct Artifact
{
	char	   *name;
	uint8		digest[MR_SHA256_LENGTH];
} Artifact;

typedef struct Artifacts
{
	Artifact   *items;
	int64		n;
	int64		room;
} Artifacts;

/* How statements name a version. */
typedef struct VersionNames
{
	char	   *hash;			/* of its row, in hexadecimal */
	char	   *permanent_id;
} VersionNames;

/* Error 42704 if there is no such version. */
static VersionNames
names_of_version(const MrModel *model, int32 version)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(model->id), Int32GetDatum(version)};
	VersionNames names = {0};

	if (!mr_table_find_latest(table, "version_pkey", 2, keys))
		mr_require_version(model, version, NULL);
	else
	{
		names.hash = mr_hash_to_hex((uint8 *) VARDATA_ANY(DatumGetByteaPP(mr_table_get(table, VERSION_HASH, NULL))));
		names.permanent_id = mr_model_uri_permanent(DatumGetUUIDP(mr_table_get(table, VERSION_IDENTITY, NULL)),
													model->id, version);
	}
	mr_table_close(table);
	return names;
}

/* Is a digest in hexadecimal the hash of some version's row? */
static bool
is_hash_of_version(const char *hex)
{
	MrTable    *table = mr_table_open_read("version");
	uint8		hash[MR_HASH_LEN];
	Datum		key;
	bool		found;

	(void) hex_decode(hex, 2 * MR_HASH_LEN, (char *) hash);
	key = PointerGetDatum(mr_hash_datum(hash));
	found = mr_table_find_latest(table, "version_by_hash", 1, &key);
	mr_table_close(table);
	return found;
}

static void
load_artifacts(int64 model, int32 version, Artifacts *artifacts)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	MrScan	   *scan = mr_scan_begin(table, "artifact_pkey", 2, keys, NULL);

	while (mr_scan_next(scan, false))
	{
		Artifact   *artifact;
		MrDigest   *digest;

		CHECK_FOR_INTERRUPTS();
		artifacts->items = mr_grow(artifacts->items, artifacts->n, &artifacts->room, sizeof(Artifact));
		artifact = &artifacts->items[artifacts->n++];
		artifact->name = TextDatumGetCString(mr_table_get(table, ARTIFACT_NAME, NULL));
		digest = DatumGetMrDigest(mr_table_get(table, ARTIFACT_DIGEST, NULL));
		memcpy(artifact->digest, mr_digest_bytes(digest), MR_SHA256_LENGTH);
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

/* In the order of paths, whose parts are compared one after the other. */
static int
compare_paths(const void *a, const void *b)
{
	const char *x = ((const Artifact *) a)->name;
	const char *y = ((const Artifact *) b)->name;

	while (*x != '\0' && *x == *y)
	{
		x++;
		y++;
	}
	if (*x == '\0' || *y == '\0')
		return (*x != '\0') - (*y != '\0');
	if (*x == '/' || *y == '/')
		return *x == '/' ? -1 : 1;
	return (unsigned char) *x - (unsigned char) *y;
}

/* The digest of all artifacts, as model-signing has it. */
static char *
digest_of_all(Artifacts *artifacts)
{
	uint8	   *digests = palloc(Max(artifacts->n, 1) * MR_SHA256_LENGTH);
	uint8		hash[MR_HASH_LEN];

	if (artifacts->n > 1)
		qsort(artifacts->items, artifacts->n, sizeof(Artifact), compare_paths);
	for (int64 i = 0; i < artifacts->n; i++)
		memcpy(digests + i * MR_SHA256_LENGTH, artifacts->items[i].digest, MR_SHA256_LENGTH);
	mr_sha256(digests, artifacts->n * MR_SHA256_LENGTH, hash);
	return mr_hash_to_hex(hash);
}

/* The artifact that the statement is about, or all, or else nothing. */
static bool
find_artifact(const MrEnvelope *envelope, Artifacts *artifacts, Subject *subject)
{
	subject->kind = "artifact";
	for (int64 i = 0; i < artifacts->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		subject->digest = mr_hash_to_hex(artifacts->items[i].digest);
		if (mr_statement_is_about(envelope, subject->digest))
			return true;
	}
	subject->kind = "artifacts";
	subject->digest = digest_of_all(artifacts);
	return artifacts->n > 0 && mr_statement_is_about(envelope, subject->digest);
}

/*
 * Why the statement is not about the artifacts in which its digest was found,
 * or NULL.  Digests of external artifacts are as somebody declared them, and
 * bytes are whatever somebody uploaded: with the digest of another version,
 * what was said of that one would be said of this one.
 */
static const char *
why_not_artifacts(const MrEnvelope *envelope, const Subject *subject, const char *permanent_id)
{
	const char *other = mr_statement_other_name(envelope, MR_URI_PERMANENT_SCHEME, permanent_id);

	if (other != NULL)
		return psprintf("A subject is named \"%s\", which is another version.", mr_text_clip(other));
	if (is_hash_of_version(subject->digest))
		return "The digest is that of another version, which was given to an artifact.";
	return NULL;
}

static Subject
require_subject(const MrEnvelope *envelope, const MrModel *model, int32 version)
{
	VersionNames names = names_of_version(model, version);
	Subject		subject = {"version", names.hash};
	Artifacts	artifacts = {0};
	const char *wrong;

	if (mr_statement_is_about(envelope, names.hash))
		return subject;
	load_artifacts(model->id, version, &artifacts);
	if (find_artifact(envelope, &artifacts, &subject))
		wrong = why_not_artifacts(envelope, &subject, names.permanent_id);
	else
		wrong = psprintf("No subject has the digest sha256 of the version, %s, or of one of its artifacts.", names.hash);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the statement is not about version %d of \"%s\"",
						version, mr_model_address(model)),
				 errdetail_internal("%s", wrong),
				 errhint("The column hash of the view modelreg.versions has the digest of a version."),
				 mr_reason("subject_differs")));
	return subject;
}

/* Write the row of an attestation of a version, or of model 0 for a head. */
static bytea *
insert_attestation(MrVerb *verb, int64 id, int64 batch, int64 model, int32 version,
				   const MrEnvelope *envelope, const MrSigners *signers, const Subject *subject)
{
	Datum		values[ATTESTATION_COLUMNS];
	bool		nulls[ATTESTATION_COLUMNS] = {false};

	values[ATTESTATION_ID - 1] = Int64GetDatum(id);
	values[ATTESTATION_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[ATTESTATION_BATCH - 1] = Int64GetDatum(batch);
	values[ATTESTATION_MODEL_ID - 1] = Int64GetDatum(model);
	values[ATTESTATION_VERSION - 1] = Int32GetDatum(version);
	nulls[ATTESTATION_BATCH - 1] = nulls[ATTESTATION_MODEL_ID - 1] =
		nulls[ATTESTATION_VERSION - 1] = model == 0;
	values[ATTESTATION_SUBJECT - 1] = CStringGetTextDatum(subject->kind);
	values[ATTESTATION_DIGEST - 1] = CStringGetTextDatum(subject->digest);
	values[ATTESTATION_PREDICATE_TYPE - 1] = CStringGetTextDatum(envelope->predicate_type);
	values[ATTESTATION_KEYS - 1] = signers->keys;
	mr_set_bytes(values, nulls, ATTESTATION_ENVELOPE - 1,
				 mr_payload_store(verb->team.id, envelope->normal));
	values[ATTESTATION_WHO - 1] = JsonbPGetDatum(verb->who);
	values[ATTESTATION_RECORDED_AT - 1] = TimestampTzGetDatum(signers->at);
	return mr_insert_row("attestation", values, nulls);
}

static int64
record_attestation(MrVerb *verb, const MrModel *model, int32 version,
				   const MrEnvelope *envelope)
{
	Subject		subject = require_subject(envelope, model, version);
	MrSigners	signers = mr_signers_require(envelope, &verb->team);
	int64		batch = mr_fact_batch(verb, verb->team.id);
	int64		id = mr_nextval("attestation_id_seq");

	mr_fact_recorded(batch, "attestation", id,
					 insert_attestation(verb, id, batch, model->id, version,
										envelope, &signers, &subject));
	if (mr_version_news != NULL)
		mr_version_news(verb, model->id, version, MR_NEWS_STATEMENT);
	return id;
}

/*
 * modelreg.record_attestation(model text, version integer, envelope jsonb,
 *		request_id text) returns bigint, its id.
 *
 * Errors: 22023 for the envelope, its signatures and what it is about, 55000
 * for a key that is not valid now, 42704 for model and version, 42501.
 */
Datum
modelreg_record_attestation(PG_FUNCTION_ARGS)
{
	MrEnvelope	envelope;
	MrModel		model;
	MrVerb		verb;
	int64		id = 0;

	mr_arg_require(fcinfo, 1, "version");
	mr_arg_require(fcinfo, 2, "envelope");
	mr_envelope_parse(PG_GETARG_JSONB_P(2), &envelope);
	if (mr_model_verb_begin(&verb, fcinfo, "record_attestation",
							MR_CONTRIBUTOR | MR_EVALUATOR | MR_REVIEWER, 3, &model))
		id = record_attestation(&verb, &model, PG_GETARG_INT32(1), &envelope);
	PG_RETURN_INT64(mr_verb_end_int(&verb, "attestation_id", id));
}

static void
raise_head_differs(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the log does not go on from that head"),
			 errdetail_internal("%s", detail),
			 errhint("Sign a document that modelreg.audit_head() returned here; modelreg.verify_head() says what became of one."),
			 mr_reason("head_differs")));
}

typedef struct Comparison
{
	MrTable    *event;
	Snapshot	snapshot;
} Comparison;

static void
require_chain(const MrPublished *p, void *state)
{
	Comparison *c = state;
	int64		seq;

	if (mr_published_compare(c->event, p, c->snapshot, &seq) != MR_CHAIN_EXTENDS)
		raise_head_differs(psprintf("Chain %s/" INT64_FORMAT " has no such event " INT64_FORMAT ".",
									p->chain, p->id, p->seq));
}

/*
 * The registry's head is locked, so there is an identity.  From that of an
 * empty registry, without one, every log goes on.
 */
static void
require_head(Jsonb *document)
{
	char	   *identity = mr_published_identity(document);
	Comparison	c;

	if (identity != NULL &&
		strcmp(identity, DatumGetCString(DirectFunctionCall1(uuid_out, mr_registry_identity()))) != 0)
		raise_head_differs("Its identity is not the registry's.");
	c.event = mr_table_open_read("event");
	c.snapshot = RegisterSnapshot(mr_latest_snapshot());
	mr_published_each(document, require_chain, &c);
	UnregisterSnapshot(c.snapshot);
	mr_table_close(c.event);
}

/* The document that a statement about a head of the log has. */
static Jsonb *
require_document(const MrEnvelope *envelope, Subject *subject)
{
	JsonbValue	predicate;
	Jsonb	   *document;
	const char *wrong = NULL;

	if (getKeyJsonValueFromContainer(&envelope->statement->root, "predicate", 9, &predicate) == NULL ||
		predicate.type != jbvBinary || !JsonContainerIsObject(predicate.val.binary.data))
		wrong = "Its predicate is no document of audit_head().";
	else if (strcmp(envelope->predicate_type, MR_PREDICATE_HEAD) != 0)
		wrong = "Its predicateType is not \"" MR_PREDICATE_HEAD "\".";
	if (wrong == NULL)
	{
		document = JsonbValueToJsonb(&predicate);
		mr_published_check(document);
		subject->kind = "head";
		subject->digest = mr_json_digest(document) + strlen("sha256:");
		if (mr_statement_is_about(envelope, subject->digest))
			return document;
		wrong = "No subject has the digest sha256 of the document that is its predicate.";
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the statement is not about a head of the log"),
			 errdetail_internal("%s", wrong),
			 errhint("modelreg.audit_head() returns the document, and its digest."),
			 mr_reason("subject_differs")));
}

static void
append_attestation(MrVerb *verb, MrHead *head, int64 id, const bytea *hash)
{
	MrJson		what;

	mr_json_begin(&what);
	mr_json_add_int(&what, "attestation_id", id);
	mr_json_add_hash(&what, "hash", hash);
	mr_event_append(head, verb, "head_attested", mr_json_end(&what), NULL);
	mr_head_save(head);
}

static int64
attest_head(MrVerb *verb, const MrEnvelope *envelope, Jsonb *document,
			const Subject *subject)
{
	MrHead	   *head = mr_registry_head_lock(verb);
	MrSigners	signers = mr_signers_require(envelope, &registry_team);
	int64		id;

	require_head(document);
	id = mr_nextval("attestation_id_seq");
	append_attestation(verb, head, id,
					   insert_attestation(verb, id, 0, 0, 0, envelope, &signers, subject));
	return id;
}

/*
 * modelreg.attest_head(envelope jsonb, request_id text) returns bigint, the
 * attestation's id.
 *
 * Errors: 42501 for who is no admin; as record_attestation(), and 55000 when
 * the log does not go on from that head.
 */
Datum
modelreg_attest_head(PG_FUNCTION_ARGS)
{
	MrEnvelope	envelope;
	Subject		subject;
	Jsonb	   *document;
	MrVerb		verb;
	int64		id = 0;

	mr_require_registry(MR_ADMIN);
	mr_arg_require(fcinfo, 0, "envelope");
	mr_envelope_parse(PG_GETARG_JSONB_P(0), &envelope);
	document = require_document(&envelope, &subject);
	mr_verb_begin(&verb, fcinfo, "attest_head", &registry_team, 1);
	if (!mr_verb_repeats(&verb))
		id = attest_head(&verb, &envelope, document, &subject);
	PG_RETURN_INT64(mr_verb_end_int(&verb, "attestation_id", id));
}
