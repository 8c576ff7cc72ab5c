/*
 * search_words.c
 *		The words of descriptions, kept so that a search finds them.
 *
 * Two folds are written with each change of a description: which text it is
 * now, and for a version one row per word.  Both go when the text is
 * redacted.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "registry/search.h"
#include "registry/search_tables.h"

/* What is beyond these is kept, but not found by a search. */
#define TEXT_MAX 16384			/* characters of a description */
#define WORD_MAX 255			/* bytes of a word */

static Oid
simple_configuration(void)
{
	return get_ts_config_oid(list_make2(makeString("pg_catalog"),
										makeString("simple")), false);
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The words of a text, each once, in byte order. */
MrWords
mr_search_words(const char *body)
{
	int			len = pg_mbcharcliplen(body, strlen(body), TEXT_MAX);
	text	   *start_of_body = cstring_to_text_with_len(body, len);
	Datum		words_of_body = DirectFunctionCall2(to_tsvector_byid,
												   ObjectIdGetDatum(simple_configuration()),
												   PointerGetDatum(start_of_body));
	TSVector	vector = DatumGetTSVector(words_of_body);
	WordEntry  *entry = ARRPTR(vector);
	char	   *start = STRPTR(vector);
	MrWords		words;

	words.n = 0;
	words.items = palloc(Max(vector->size, 1) * sizeof(char *));
	for (int i = 0; i < vector->size; i++, entry++)
		if (entry->len <= WORD_MAX)
			words.items[words.n++] = pnstrdup(start + entry->pos, entry->len);
	qsort(words.items, words.n, sizeof(char *), compare_words);
	return words;
}

static Datum
words_datum(const MrWords *words)
{
	Datum	   *elements = palloc(Max(words->n, 1) * sizeof(Datum));

	for (int i = 0; i < words->n; i++)
		elements[i] = CStringGetTextDatum(words->items[i]);
	return PointerGetDatum(construct_array(elements, words->n, TEXTOID, -1,
										   false, TYPALIGN_INT));
}

/* The words of an array of text. */
MrWords
mr_words_of_datum(Datum array)
{
	Datum	   *elements;
	MrWords		words;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &words.n);
	words.items = palloc(Max(words.n, 1) * sizeof(char *));
	for (int i = 0; i < words.n; i++)
		words.items[i] = TextDatumGetCString(elements[i]);
	return words;
}

static void
set_word_keys(Datum *values, int64 team, const char *word, int64 model,
			  int32 version)
{
	values[SEARCH_WORD_TEAM_ID - 1] = Int64GetDatum(team);
	values[SEARCH_WORD_WORD - 1] = CStringGetTextDatum(word);
	values[SEARCH_WORD_MODEL_ID - 1] = Int64GetDatum(model);
	values[SEARCH_WORD_VERSION - 1] = Int32GetDatum(version);
}

static void
insert_words(int64 team, int64 model, int32 version, const MrWords *words)
{
	MrTable    *table = mr_table_open("search_word");
	Datum		values[SEARCH_WORD_COLUMNS];
	bool		nulls[SEARCH_WORD_COLUMNS] = {false};

	for (int i = 0; i < words->n; i++)
	{
		set_word_keys(values, team, words->items[i], model, version);
		mr_table_insert(table, values, nulls);
	}
	mr_table_close(table);
}

static void
delete_words(int64 team, int64 model, int32 version, const MrWords *words)
{
	MrTable    *table = mr_table_open("search_word");
	Datum		keys[SEARCH_WORD_COLUMNS];

	for (int i = 0; i < words->n; i++)
	{
		set_word_keys(keys, team, words->items[i], model, version);
		if (mr_table_lock(table, "search_word_pkey", SEARCH_WORD_COLUMNS, keys))
			mr_table_delete(table);
	}
	mr_table_close(table);
}

/* Delete the description in the table's slot, and its words. */
static void
delete_found(MrTable *table)
{
	Datum		values[DESCRIPTION_COLUMNS];
	bool		nulls[DESCRIPTION_COLUMNS];
	MrWords		words;

	mr_table_read(table, values, nulls);
	words = mr_words_of_datum(values[DESCRIPTION_WORDS - 1]);
	delete_words(DatumGetInt64(values[DESCRIPTION_TEAM_ID - 1]),
				 DatumGetInt64(values[DESCRIPTION_MODEL_ID - 1]),
				 DatumGetInt32(values[DESCRIPTION_VERSION - 1]), &words);
	mr_table_delete(table);
	CommandCounterIncrement();
}

static void
insert_description(MrTable *table, int64 team, int64 model, int32 version,
				   const char *body, const bytea *payload)
{
	MrWords		words = version > 0 ? mr_search_words(body) : (MrWords) {0};
	Datum		values[DESCRIPTION_COLUMNS];
	bool		nulls[DESCRIPTION_COLUMNS] = {false};

	values[DESCRIPTION_MODEL_ID - 1] = Int64GetDatum(model);
	values[DESCRIPTION_VERSION - 1] = Int32GetDatum(version);
	values[DESCRIPTION_TEAM_ID - 1] = Int64GetDatum(team);
	values[DESCRIPTION_PAYLOAD - 1] = PointerGetDatum(payload);
	values[DESCRIPTION_WORDS - 1] = words_datum(&words);
	mr_table_insert(table, values, nulls);
	insert_words(team, model, version, &words);
}

/*
 * The description of a model (version 0) or of a version is now this text,
 * which was stored as a payload; both NULL for none.  Whoever may race with
 * another for the same description has taken its lock.
 */
void
mr_search_description_changed(MrVerb *verb, int64 model, int32 version,
							  const char *body, const bytea *payload)
{
	MrTable    *table = mr_table_open("description");
	Datum		keys[2];

	keys[0] = Int64GetDatum(model);
	keys[1] = Int32GetDatum(version);
	if (mr_table_lock(table, "description_pkey", 2, keys))
		delete_found(table);
	if (body != NULL)
		insert_description(table, verb->team.id, model, version, body, payload);
	mr_table_close(table);
}

/* The text of the payload was redacted: nor is it found any more. */
void
mr_search_payload_redacted(const bytea *payload)
{
	MrTable    *table = mr_table_open("description");
	Datum		key = PointerGetDatum(payload);

	while (mr_table_lock(table, "description_payload", 1, &key))
		delete_found(table);
	mr_table_close(table);
}
