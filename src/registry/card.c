/*
 * card.c
 *		Model cards: what people have to know of a version, by section.
 *
 * A card is a note about a version, whose value is an object of texts by the
 * names of sections; a newer one takes its place as a whole.  Sections are
 * named like intended_use, so that policies can ask for them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "registry/card.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "types/names.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_set_model_card);

#define SECTIONS_MAX 100

bool
mr_card_section_is_valid(const char *name, Size len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	return len >= 1 && len <= 63 && name[0] >= 'a' && name[0] <= 'z' &&
		strspn(name, letters) >= len;
}

/* Has the card a section in which there is something to be seen? */
bool
mr_card_has(Jsonb *card, const char *section)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(&card->root, section, strlen(section), &value) == NULL ||
		value.type != jbvString)
		return false;
	return mr_text_is_visible(mr_json_cstring(&value));
}

static void
check_section(const JsonbValue *key, const JsonbValue *value, StringInfo faults)
{
	char	   *name = mr_json_cstring(key);

	if (!mr_card_section_is_valid(name, key->val.string.len))
		appendStringInfo(faults, "%sThe name \"%s\" is not " MR_CARD_SECTION_RULE ".",
						 faults->len > 0 ? "\n" : "", mr_text_clip(name));
	else if (value->type != jbvString)
		appendStringInfo(faults, "%sSection \"%s\" is no text.",
						 faults->len > 0 ? "\n" : "", name);
}

static void
raise_invalid(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid model card"),
			 errdetail_internal("%s", detail),
			 errhint("Give texts by the names of sections, as in '{\"intended_use\": \"ranks the home page\", \"limitations\": \"...\"}'."),
			 mr_reason("invalid_card")));
}

/* Error 22023 that lists all that is wrong. */
static void
check_card(Jsonb *card)
{
	StringInfoData faults;
	JsonbIterator *it = JsonbIteratorInit(&card->root);
	JsonbValue	key;
	JsonbValue	value;

	if (JB_ROOT_COUNT(card) == 0 || JB_ROOT_COUNT(card) > SECTIONS_MAX)
		raise_invalid("It has 1 to 100 sections.");
	initStringInfo(&faults);
	(void) JsonbIteratorNext(&it, &key, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		check_section(&key, &value, &faults);
	}
	if (faults.len > 0)
		raise_invalid(faults.data);
}

/*
 * The card of a version, as a snapshot sees it (NULL: the latest): of the last
 * note of the kind.
 */
MrStoredJson
mr_card_find(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *notes = mr_table_open_read("note");
	Datum		keys[3] = {Int64GetDatum(model), Int32GetDatum(version),
	CStringGetTextDatum(MR_NOTE_MODEL_CARD)};
	MrScan	   *scan = mr_scan_begin(notes, "note_model", 3, keys, snapshot);
	MrStoredJson card = {0};

	if (mr_scan_next(scan, true))
		card = mr_stored_json(notes, NOTE_VALUE);
	mr_scan_end(scan);
	mr_table_close(notes);
	return card;
}

/* How many times the version was given a card, or its card taken away. */
int
mr_card_changes(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *notes = mr_table_open_read("note");
	Datum		keys[3] = {Int64GetDatum(model), Int32GetDatum(version),
	CStringGetTextDatum(MR_NOTE_MODEL_CARD)};
	MrScan	   *scan = mr_scan_begin(notes, "note_model", 3, keys, snapshot);
	int			n = 0;

	while (mr_scan_next(scan, false))
		n++;
	mr_scan_end(scan);
	mr_table_close(notes);
	return n;
}

/* Is that the card already?  What was redacted is none. */
static bool
is_card(int64 model, int32 version, const char *text)
{
	MrStoredJson card = mr_card_find(model, version, NULL);

	if (card.json == NULL || text == NULL)
		return card.json == NULL && text == NULL;
	return strcmp(mr_json_canonical_cstring(card.json), text) == 0;
}

static bool
set_card(MrVerb *verb, const MrModel *model, int32 version, const char *text)
{
	mr_require_version(model, version, NULL);
	mr_note_lock(MR_NOTE_MODEL_CARD, model->id, version, NULL);
	if (is_card(model->id, version, text))
		return false;
	mr_note_insert(verb, MR_NOTE_MODEL_CARD, model->id, version, NULL, text);
	CommandCounterIncrement();
	if (mr_version_news != NULL)
		mr_version_news(verb, model->id, version, MR_NEWS_CARD);
	return true;
}

/*
 * modelreg.set_model_card(model text, version integer, card jsonb,
 *		request_id text) returns boolean: does it change anything?
 *
 * card NULL takes it away.  Errors: 42704 for model or version, 42501 for who
 * is no contributor, 22023 for what is no card.
 */
Datum
modelreg_set_model_card(PG_FUNCTION_ARGS)
{
	Jsonb	   *card = mr_arg_object_or_null(fcinfo, 2, "card");
	char	   *text = NULL;
	MrModel		model;
	MrVerb		verb;
	bool		changed = false;

	mr_arg_require(fcinfo, 1, "version");
	if (card != NULL)
	{
		check_card(card);
		text = mr_json_canonical_cstring(card);
	}
	if (mr_model_verb_begin(&verb, fcinfo, "set_model_card", MR_CONTRIBUTOR, 3, &model))
		changed = set_card(&verb, &model, PG_GETARG_INT32(1), text);
	PG_RETURN_BOOL(mr_verb_end_int(&verb, "changed", changed) != 0);
}
