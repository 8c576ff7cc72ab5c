/*
 * pins.c
 *		The fold of policies that models are pinned to.
 *
 * It keeps the revision that each model was created under, and the one that it
 * was moved to last, in about 150 bytes.
 */
#include "postgres.h"

#include "audit/fold.h"
#include "base/hash.h"
#include "utils/builtins.h"
#include "verify/kept.h"
#include "verify/verify.h"

/* A revision, by the hash of its name and its digest. */
typedef struct Pin
{
	uint8		name[MR_HASH_LEN];
	uint8		digest[MR_HASH_LEN];
} Pin;

typedef struct Model
{
	int64		id;				/* hash key */
	bool		born;
	bool		moved;
	Pin			birth;
	Pin			last;
} Model;

static void *
begin(MemoryContext context)
{
	HASHCTL		control = {.keysize = sizeof(int64),.entrysize = sizeof(Model),.hcxt = context};

	return hash_create("modelreg verify pins", 1024, &control,
					   HASH_ELEM | HASH_CONTEXT | HASH_BLOBS);
}

static bool
read_pin(const JsonbValue *name, const JsonbValue *digest, Pin *pin)
{
	if (name->type != jbvString || !mr_verify_read_hex(digest, pin->digest))
		return false;
	mr_sha256(name->val.string.val, name->val.string.len, pin->name);
	return true;
}

/* The first event of a model's birth counts. */
static bool
take_created(void *models, const MrEventRow *event)
{
	static const char *const names[] = {"policy", "model_id", "policy_digest"};
	JsonbValue	values[lengthof(names)];
	Model	   *model;
	int64		id;

	if (!mr_json_read(&event->what->root, names, lengthof(names), values) ||
		!mr_json_to_int(&values[1], &id))
		return false;
	model = mr_verify_keep(models, &id, sizeof(id), sizeof(Model));
	if (model == NULL || model->born)
		return false;
	model->born = true;
	return read_pin(&values[0], &values[2], &model->birth);
}

static bool
take_changed(void *models, const MrEventRow *event)
{
	static const char *const names[] = {"policy", "policy_digest"};
	JsonbValue	values[lengthof(names)];
	Model	   *model;

	if (!mr_json_read(&event->what->root, names, lengthof(names), values))
		return false;
	model = mr_verify_keep(models, &event->chain_id, sizeof(int64), sizeof(Model));
	if (model == NULL)
		return false;
	model->moved = true;
	return read_pin(&values[0], &values[1], &model->last);
}

static bool
take_row(void *models, const Datum *values, const bool *nulls)
{
	int64		id;
	Model	   *model;
	Pin			pin;
	const text *name;

	if (nulls[0] || nulls[1] || !mr_verify_read_hash(values[2], nulls[2], pin.digest))
		return false;
	id = DatumGetInt64(values[0]);
	name = DatumGetTextPP(values[1]);
	mr_sha256(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), pin.name);
	model = hash_search(models, &id, HASH_FIND, NULL);
	return model != NULL && model->born &&
		memcmp(&pin, model->moved ? &model->last : &model->birth, sizeof(Pin)) == 0;
}

static bool
end(void *models)
{
	return true;
}

static const char *const shows[] = {"policies pinned"};
static const MrFoldStep steps[] = {
	{MR_CHAIN_TEAM, "model_created", take_created},
	{MR_CHAIN_DECISIONS, "policy_changed", take_changed},
};
static const MrFoldRows rows[] = {
	{"SELECT m.id, m.policy, m.policy_digest FROM modelreg.model m", take_row}
};

const MrFold mr_verify_pins_fold = {
	shows, lengthof(shows), steps, lengthof(steps), rows, lengthof(rows), begin, end
};
