/*
 * tag.c
 *		Tags: free labels of models and versions.
 *
 * Each change is a note; the table tag is what they amount to.  A tag of the
 * model itself has version 0 there, which is no version's number.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_set_tag);
PG_FUNCTION_INFO_V1(modelreg_remove_tag);

/* In bytes.  Both stand in an index, together with three numbers. */
#define TAG_KEY_MAX 255
#define TAG_VALUE_MAX 1000

static void
check_tag(const char *key, const char *value)
{
	size_t		key_len = strlen(key);

	if (key_len == 0 || key_len > TAG_KEY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid key of a tag: \"%s\"", mr_text_clip(key)),
				 errdetail("A key has 1 to %d bytes, and this one has %zu.",
						   TAG_KEY_MAX, key_len),
				 mr_reason("invalid_tag")));
	if (strlen(value) > TAG_VALUE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value of tag \"%s\" is too long", mr_text_clip(key)),
				 errdetail("A value has at most %d bytes, and this one has %zu.",
						   TAG_VALUE_MAX, strlen(value)),
				 errhint("modelreg.set_description() takes a text of any length."),
				 mr_reason("invalid_tag")));
}

static void
insert_tag(MrVerb *verb, int64 model, int32 version, const char *key,
		   const char *value)
{
	Datum		values[TAG_COLUMNS];
	bool		nulls[TAG_COLUMNS] = {false};

	values[TAG_MODEL_ID - 1] = Int64GetDatum(model);
	values[TAG_VERSION - 1] = Int32GetDatum(version);
	values[TAG_KEY - 1] = CStringGetTextDatum(key);
	values[TAG_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[TAG_VALUE - 1] = CStringGetTextDatum(value);
	values[TAG_PAYLOAD - 1] =
		PointerGetDatum(mr_note_insert(verb, MR_NOTE_TAG, model, version, key, value));
	mr_insert_row("tag", values, nulls);
}

static bool
lock_tag(MrTable *table, int64 model, int32 version, const char *key)
{
	Datum		keys[3];

	mr_note_lock(MR_NOTE_TAG, model, version, key);
	keys[0] = Int64GetDatum(model);
	keys[1] = Int32GetDatum(version);
	keys[2] = CStringGetTextDatum(key);
	return mr_table_lock(table, "tag_pkey", 3, keys);
}

static void
update_tag(MrVerb *verb, MrTable *table, int64 model, int32 version,
		   const char *key, const char *value)
{
	Datum		values[TAG_COLUMNS];
	bool		nulls[TAG_COLUMNS];

	mr_table_read(table, values, nulls);
	values[TAG_VALUE - 1] = CStringGetTextDatum(value);
	values[TAG_PAYLOAD - 1] =
		PointerGetDatum(mr_note_insert(verb, MR_NOTE_TAG, model, version, key, value));
	mr_table_update(table, values, nulls);
}

/* Returns whether that changes anything. */
static bool
set_tag(MrVerb *verb, int64 model, int32 version, const char *key,
		const char *value)
{
	MrTable    *table = mr_table_open("tag");
	bool		exists = lock_tag(table, model, version, key);
	bool		same = exists &&
		strcmp(TextDatumGetCString(mr_table_get(table, TAG_VALUE, NULL)), value) == 0;

	if (!exists)
		insert_tag(verb, model, version, key, value);
	else if (!same)
		update_tag(verb, table, model, version, key, value);
	mr_table_close(table);
	CommandCounterIncrement();
	return !same;
}

static bool
remove_tag(MrVerb *verb, int64 model, int32 version, const char *key)
{
	MrTable    *table = mr_table_open("tag");
	bool		exists = lock_tag(table, model, version, key);

	if (exists)
	{
		mr_note_insert(verb, MR_NOTE_UNTAG, model, version, key, NULL);
		mr_table_delete(table);
	}
	mr_table_close(table);
	CommandCounterIncrement();
	return exists;
}

/* The text of a tag's value: a string as it is, else its canonical JSON. */
static char *
tag_text(const char *key, JsonbValue *value)
{
	if (value->type == jbvString)
		return mr_json_cstring(value);
	if (value->type == jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("value of tag \"%s\" must not be null", mr_text_clip(key)),
				 errhint("A label without a value has an empty string."),
				 mr_reason("invalid_tag")));
	return mr_json_canonical_cstring(JsonbValueToJsonb(value));
}

/* Check each tag of an object, and with a verb set it. */
static void
each_tag(Jsonb *tags, MrVerb *verb, int64 model, int32 version)
{
	JsonbIterator *it = JsonbIteratorInit(&tags->root);
	JsonbValue	key;
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &key, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = mr_json_cstring(&key);
		char	   *text;

		(void) JsonbIteratorNext(&it, &value, true);
		text = tag_text(name, &value);
		if (verb == NULL)
			check_tag(name, text);
		else
			insert_tag(verb, model, version, name, text);
	}
}

/* Error 22023 unless it is an object of tags, each within its limits. */
void
mr_tags_check(Jsonb *tags)
{
	if (!JB_ROOT_IS_OBJECT(tags))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tags must be a JSON object"),
				 errhint("Give them as in '{\"family\": \"two-tower\"}'."),
				 mr_reason("invalid_tag")));
	each_tag(tags, NULL, 0, 0);
}

/*
 * Set the tags of a version that this transaction registers, so that nobody
 * else can set one yet.  mr_tags_check() has passed them.
 */
void
mr_tags_set(MrVerb *verb, int64 model, int32 version, Jsonb *tags)
{
	each_tag(tags, verb, model, version);
}

/*
 * modelreg.set_tag(model text, key text, value text, version integer,
 *		request_id text) returns boolean: does it change anything?
 *
 * Errors: 42704 for model or version, 42501, 22023 for what is too long.
 */
Datum
modelreg_set_tag(PG_FUNCTION_ARGS)
{
	char	   *key = mr_arg_text(fcinfo, 1, "key");
	char	   *value = mr_arg_text(fcinfo, 2, "value");
	bool		changed = false;
	MrModel		model;
	MrVerb		verb;

	check_tag(key, value);
	if (mr_model_verb_begin(&verb, fcinfo, "set_tag", MR_CONTRIBUTOR, 4,
							&model))
		changed = set_tag(&verb, model.id, mr_version_arg(fcinfo, 3, &model),
						  key, value);
	PG_RETURN_BOOL(mr_verb_end_int(&verb, "changed", changed) != 0);
}

/*
 * modelreg.remove_tag(model text, key text, version integer, request_id text)
 * returns boolean: was there such a tag?
 *
 * Errors: 42704 for model or version, 42501.
 */
Datum
modelreg_remove_tag(PG_FUNCTION_ARGS)
{
	char	   *key = mr_arg_text(fcinfo, 1, "key");
	bool		changed = false;
	MrModel		model;
	MrVerb		verb;

	check_tag(key, "");
	if (mr_model_verb_begin(&verb, fcinfo, "remove_tag", MR_CONTRIBUTOR, 3,
							&model))
		changed = remove_tag(&verb, model.id, mr_version_arg(fcinfo, 2, &model),
							 key);
	PG_RETURN_BOOL(mr_verb_end_int(&verb, "changed", changed) != 0);
}
