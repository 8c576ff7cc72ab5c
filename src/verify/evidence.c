/*
 * evidence.c
 *		The fold of evidence: what decisions name is there, and nothing else.
 *
 * It keeps the digest of each piece of evidence that was ever named, which is
 * one for each state that gates have looked at, in about 100 bytes.
 */
#include "postgres.h"

#include "audit/fold.h"
#include "base/hash.h"
#include "verify/kept.h"
#include "verify/verify.h"

typedef struct EvidenceKey
{
	int64		team;
	int64		model;
	uint8		digest[MR_HASH_LEN];
} EvidenceKey;

typedef struct Evidence
{
	EvidenceKey key;
	bool		seen;			/* its row */
} Evidence;

typedef struct State
{
	HTAB	   *named;
	int64		missing;		/* whose row was not seen */
} State;

static void *
begin(MemoryContext context)
{
	State	   *state = MemoryContextAllocZero(context, sizeof(State));
	HASHCTL		control = {.keysize = sizeof(EvidenceKey),.entrysize = sizeof(Evidence),
	.hcxt = context};

	state->named = hash_create("modelreg verify evidence", 1024, &control,
							   HASH_ELEM | HASH_CONTEXT | HASH_BLOBS);
	return state;
}

static bool
take_decision(void *arg, const MrEventRow *event)
{
	State	   *state = arg;
	JsonbContainer *what = &event->what->root;
	EvidenceKey key = {.team = event->team,.model = event->chain_id};
	JsonbValue	value;
	int64		before = hash_get_num_entries(state->named);

	if (!JsonContainerIsObject(what))
		return false;
	if (getKeyJsonValueFromContainer(what, "evidence", strlen("evidence"), &value) == NULL ||
		value.type == jbvNull)
		return true;
	if (!mr_verify_read_hex(&value, key.digest) ||
		mr_verify_keep(state->named, &key, sizeof(key), sizeof(Evidence)) == NULL)
		return false;
	state->missing += hash_get_num_entries(state->named) - before;
	return true;
}

/* A member of the document says what the row's column does. */
static bool
tells(Jsonb *document, const char *name, int64 number)
{
	JsonbValue	value;
	int64		told;

	return JsonContainerIsObject(&document->root) &&
		getKeyJsonValueFromContainer(&document->root, name, strlen(name), &value) != NULL &&
		mr_json_to_int(&value, &told) && told == number;
}

static bool
take_row(void *arg, const Datum *values, const bool *nulls)
{
	State	   *state = arg;
	EvidenceKey key;
	Evidence   *evidence;
	Jsonb	   *document;

	for (int i = 0; i < 5; i++)
		if (nulls[i])
			return false;
	key.team = DatumGetInt64(values[0]);
	key.model = DatumGetInt64(values[1]);
	document = DatumGetJsonbP(values[4]);
	if (!mr_verify_read_hash(values[3], false, key.digest) ||
		memcmp(VARDATA(mr_json_hash(document)), key.digest, MR_HASH_LEN) != 0 ||
		!tells(document, "model_id", key.model) ||
		!tells(document, "version", DatumGetInt32(values[2])))
		return false;
	evidence = hash_search(state->named, &key, HASH_FIND, NULL);
	if (evidence == NULL || evidence->seen)
		return false;
	evidence->seen = true;
	state->missing--;
	return true;
}

static bool
end(void *arg)
{
	return ((State *) arg)->missing == 0;
}

static const char *const shows[] = {"evidence"};
static const MrFoldStep steps[] = {{MR_CHAIN_DECISIONS, NULL, take_decision}};
static const MrFoldRows rows[] = {
	{"SELECT v.team_id, v.model_id, v.version, v.digest, v.document FROM modelreg.evidence v", take_row}
};

const MrFold mr_verify_evidence_fold = {
	shows, lengthof(shows), steps, lengthof(steps), rows, lengthof(rows), begin, end
};
