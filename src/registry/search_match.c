/*
 * search_match.c
 *		Holding a version against the filters of a search.
 *
 * Each filter is one probe of an index by the version's key.  Only models of
 * the search's teams match, and these are teams that the caller may read.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "registry/registry_tables.h"
#include "registry/search_scan.h"
#include "registry/search_tables.h"

/* Find the row of a version by an index that begins with its key. */
bool
mr_search_find(const MrSearch *search, MrTable *table, const char *index,
			   int64 model, int32 version)
{
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};

	return mr_table_find(table, index, 2, keys, search->snapshot);
}

/* A bigint or timestamptz of the row in the slot that is not NULL. */
int64
mr_search_int64(MrTable *table, AttrNumber column)
{
	return DatumGetInt64(mr_table_get(table, column, NULL));
}

/* Bytes of a pattern before its first wildcard. */
int
mr_search_name_prefix(const char *pattern)
{
	return (int) strcspn(pattern, "*?");
}

/* Does * stand for any characters, and ? for one, so that pattern is name? */
bool
mr_search_name_matches(const char *pattern, const char *name)
{
	const char *star = NULL;	/* the pattern behind the last * */
	const char *tried = NULL;	/* what that * may still swallow */

	while (*name != '\0')
	{
		if (*pattern == '*')
		{
			star = ++pattern;
			tried = name;
		}
		else if (*pattern == '?')
		{
			pattern++;
			name += pg_mblen(name);
		}
		else if (*pattern == *name)
		{
			pattern++;
			name++;
		}
		else if (star != NULL)
		{
			pattern = star;
			tried += pg_mblen(tried);
			name = tried;
		}
		else
			return false;
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
team_is_searched(const MrSearchFilters *filters, int64 team)
{
	for (int low = 0, high = filters->nteams; low < high;)
	{
		int			middle = (low + high) / 2;

		if (filters->teams[middle] == team)
			return true;
		if (filters->teams[middle] < team)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void
read_model(MrSearch *search, MrSearchModel *model, int64 id)
{
	MrSearchFilters *filters = &search->filters;
	MrTable    *table = search->models;
	Datum		key = Int64GetDatum(id);
	const MrTeam *team;
	bool		alive;

	model->id = id;
	model->matches = false;
	if (!mr_table_find(table, "model_pkey", 1, &key, search->snapshot))
		return;
	(void) mr_table_get(table, MODEL_RETIRED_AT, &alive);
	model->team = mr_search_int64(table, MODEL_TEAM_ID);
	text_to_cstring_buffer(DatumGetTextPP(mr_table_get(table, MODEL_NAME, NULL)),
						   model->name, sizeof(model->name));
	team = mr_team_by_id(model->team);
	if (team != NULL)
		strlcpy(model->team_name, team->name, sizeof(model->team_name));
	model->matches = alive && team != NULL &&
		team_is_searched(filters, model->team) &&
		(filters->model == NULL || filters->model->id == id) &&
		(filters->name_pattern == NULL ||
		 mr_search_name_matches(filters->name_pattern, model->name));
}

/* Is the model a live one of the searched teams, and of a searched name? */
bool
mr_search_model_matches(MrSearch *search, int64 model)
{
	search->model = &search->known[model % MR_SEARCH_KNOWN];
	if (search->model->id != model)
		read_model(search, search->model, model);
	return search->model->matches;
}

static bool
version_matches(MrSearch *search, MrSearchRow *row)
{
	const MrSearchFilters *filters = &search->filters;
	MrTable    *table = search->versions;
	bool		no_run;
	Datum		run;

	if (!mr_search_find(search, table, "version_pkey", row->model, row->version))
		return false;
	row->registered_at = mr_search_int64(table, VERSION_REGISTERED_AT);
	row->node = mr_search_int64(table, VERSION_NODE_ID);
	row->identity = mr_table_get_copy(table, VERSION_IDENTITY);
	run = mr_table_get(table, VERSION_RUN_ID, &no_run);
	return row->registered_at >= filters->since &&
		row->registered_at < filters->until &&
		(filters->run == 0 || (!no_run && DatumGetInt64(run) == filters->run));
}

static bool
stage_matches(MrSearch *search, MrSearchRow *row)
{
	MrStage		wanted = search->filters.stage;
	MrTable    *table = search->stages;

	if (!mr_search_find(search, table, "version_stage_pkey", row->model,
						row->version))
		return false;
	row->stage = DatumGetMrStage(mr_table_get(table, VERSION_STAGE_STAGE, NULL));
	return wanted == MR_STAGE_NONE || wanted == row->stage;
}

/* Has the version the key, with the value unless that is NULL? */
static bool
pair_matches(MrSearch *search, MrTable *table, const char *index,
			 AttrNumber column, const MrSearchRow *row, const char *key,
			 const char *value)
{
	Datum		keys[3];

	keys[0] = Int64GetDatum(row->model);
	keys[1] = Int32GetDatum(row->version);
	keys[2] = CStringGetTextDatum(key);
	if (!mr_table_find(table, index, 3, keys, search->snapshot))
		return false;
	return value == NULL ||
		strcmp(TextDatumGetCString(mr_table_get(table, column, NULL)),
			   value) == 0;
}

bool
mr_search_metric_in_range(const MrSearchFilters *filters, float8 value)
{
	return float8_cmp_internal(value, filters->metric_min) >= 0 &&
		float8_cmp_internal(value, filters->metric_max) <= 0;
}

/*
 * Of the version's values of the metric that lie in the range, there being
 * one for each kind of evaluation, data set and slice, the one that comes
 * first in the order of the search.
 */
bool
mr_search_best_metric(MrSearch *search, int64 model, int32 version,
					  float8 *value)
{
	const MrSearchFilters *filters = &search->filters;
	MrTable    *table = search->metrics;
	bool		found = false;

	for (bool more = mr_search_find(search, table, "metric_pkey", model, version);
		 more; more = mr_table_find_next(table))
	{
		float8		one = DatumGetFloat8(mr_table_get(table, METRIC_VALUE, NULL));
		Datum		name = mr_table_get(table, METRIC_METRIC, NULL);
		int			order = found ? float8_cmp_internal(one, *value) : 0;

		if (strcmp(TextDatumGetCString(name), filters->metric) != 0 ||
			!mr_search_metric_in_range(filters, one))
			continue;
		if (!found || (filters->lowest_first ? order < 0 : order > 0))
			*value = one;
		found = true;
	}
	return found;
}

static bool
words_match(MrSearch *search, const MrSearchRow *row)
{
	const MrWords *wanted = &search->filters.words;
	MrTable    *table = search->descriptions;
	MrWords		words;
	int			found = 0;

	if (!mr_search_find(search, table, "description_pkey", row->model,
						row->version))
		return false;
	words = mr_words_of_datum(mr_table_get(table, DESCRIPTION_WORDS, NULL));
	/* both are in byte order */
	for (int i = 0; i < words.n && found < wanted->n; i++)
		found += strcmp(words.items[i], wanted->items[found]) == 0;
	return found == wanted->n;
}

/*
 * Does the version match every filter?  guaranteed names those that the
 * index has answered, by the letters of search_path.c.  Fills the row.
 */
bool
mr_search_matches(MrSearch *search, const char *guaranteed, MrSearchRow *row)
{
	const MrSearchFilters *filters = &search->filters;

	if (!mr_search_model_matches(search, row->model) ||
		!version_matches(search, row) || !stage_matches(search, row))
		return false;
	if (filters->tag_key != NULL && strchr(guaranteed, 'k') == NULL &&
		!pair_matches(search, search->tags, "tag_pkey", TAG_VALUE, row,
					  filters->tag_key, filters->tag_value))
		return false;
	if (filters->param_key != NULL && strchr(guaranteed, 'p') == NULL &&
		!pair_matches(search, search->params, "param_pkey", PARAM_VALUE, row,
					  filters->param_key, filters->param_value))
		return false;
	if (filters->metric != NULL && strchr(guaranteed, 'm') == NULL &&
		!mr_search_best_metric(search, row->model, row->version, &row->value))
		return false;
	if (filters->words.n > (strchr(guaranteed, 'w') != NULL ? 1 : 0) &&
		!words_match(search, row))
		return false;
	return mr_search_derives(search, row->node);
}
