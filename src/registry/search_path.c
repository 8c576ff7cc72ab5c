/*
 * search_path.c
 *		The paths of a search: which index drives it, from where to where.
 *
 * The order of each index ends with model and version, or is that of the
 * nodes, so that a place in it is exact.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "registry/registry_tables.h"
#include "registry/search_path.h"
#include "registry/search_tables.h"

/*
 * The first whose filters were all given sets the order, the most selective
 * first; see also take_sparsest().
 */
const MrSearchPath mr_search_paths[] = {
	{"rM", "version", "version_run", "i", {VERSION_VERSION}},
	{"r", "version", "version_run", "li", {VERSION_MODEL_ID, VERSION_VERSION}},
	{"o", "version", "version_node", "l", {VERSION_NODE_ID}},
	{"Mm", "metric", "metric_of_model", "fi", {METRIC_VALUE, METRIC_VERSION}},
	{"Tm", "metric", "metric_search", "fli",
	{METRIC_VALUE, METRIC_MODEL_ID, METRIC_VERSION}},
	{"TwM", "search_word", "search_word_pkey", "i", {SEARCH_WORD_VERSION}},
	{"Tw", "search_word", "search_word_pkey", "li",
	{SEARCH_WORD_MODEL_ID, SEARCH_WORD_VERSION}},
	{"TkvM", "tag", "tag_search", "i", {TAG_VERSION}},
	{"Tkv", "tag", "tag_search", "li", {TAG_MODEL_ID, TAG_VERSION}},
	{"TpqM", "param", "param_search", "i", {PARAM_VERSION}},
	{"Tpq", "param", "param_search", "li", {PARAM_MODEL_ID, PARAM_VERSION}},
	{"Mk", "tag", "tag_of_model", "ti", {TAG_VALUE, TAG_VERSION}},
	{"Ms", "version_stage", "version_stage_of_model", "i",
	{VERSION_STAGE_VERSION}},
	{"M", "version", "version_pkey", "i", {VERSION_VERSION}},
	{"Tk", "tag", "tag_search", "tli", {TAG_VALUE, TAG_MODEL_ID, TAG_VERSION}},
	{"Ts", "version_stage", "version_stage_by_stage", "li",
	{VERSION_STAGE_MODEL_ID, VERSION_STAGE_VERSION}},
	{"Tn", "model", "model_live_name", "ti", {MODEL_NAME}},
	{"T", "version", "version_registered", "zli",
	{VERSION_REGISTERED_AT, VERSION_MODEL_ID, VERSION_VERSION}},
};
const int	mr_search_npaths = lengthof(mr_search_paths);

static bool
is_given(const MrSearchFilters *filters, char letter)
{
	switch (letter)
	{
		case 'M':
			return filters->model != NULL;
		case 'r':
			return filters->run != 0;
		case 'm':
			return filters->metric != NULL;
		case 'w':
			return filters->words.n > 0;
		case 's':
			return filters->stage != MR_STAGE_NONE;
		case 'k':
			return filters->tag_key != NULL;
		case 'v':
			return filters->tag_value != NULL;
		case 'p':
			return filters->param_key != NULL;
		case 'q':
			return filters->param_value != NULL;
		case 'o':
			return filters->norigins > 0;
		case 'n':
			return filters->name_pattern != NULL;
		default:
			return letter == 'T';
	}
}

bool
mr_search_path_fits(const MrSearchFilters *filters, const MrSearchPath *path)
{
	for (const char *letter = path->filters; *letter != '\0'; letter++)
		if (!is_given(filters, *letter))
			return false;
	return true;
}

/* The number of the path that drives a search with these filters. */
int
mr_search_choose_path(const MrSearchFilters *filters)
{
	int			path = 0;

	while (!mr_search_path_fits(filters, &mr_search_paths[path]))
		path++;
	return path;
}

/* The types of the path's order, a letter each. */
const char *
mr_search_path_types(int path)
{
	return mr_search_paths[path].types;
}

/* Does the index answer the filter? */
bool
mr_search_path_has(const MrSearchPath *path, char filter)
{
	return strchr(path->filters, filter) != NULL;
}

/* Is the path read for one team after the other? */
bool
mr_search_path_has_teams(const MrSearchPath *path)
{
	return strpbrk(path->filters, "TM") != NULL;
}

static Datum
filter_value(const MrReading *reading, char letter, int64 team)
{
	const MrSearchFilters *filters = &reading->search->filters;

	switch (letter)
	{
		case 'T':
			return Int64GetDatum(team);
		case 'M':
			return Int64GetDatum(filters->model->id);
		case 'r':
			return Int64GetDatum(filters->run);
		case 's':
			return MrStageGetDatum(filters->stage);
		case 'm':
			return CStringGetTextDatum(filters->metric);
		case 'w':
			return CStringGetTextDatum(filters->words.items[reading->word]);
		case 'k':
			return CStringGetTextDatum(filters->tag_key);
		case 'v':
			return CStringGetTextDatum(filters->tag_value);
		case 'p':
			return CStringGetTextDatum(filters->param_key);
		default:
			return CStringGetTextDatum(filters->param_value);
	}
}

/* Values of the leading columns for a team; returns how many. */
static int
set_equal(const MrReading *reading, int64 team, Datum *equal)
{
	int			n = 0;

	for (const char *letter = reading->path->filters; *letter != '\0'; letter++)
		if (*letter != 'o')
			equal[n++] = filter_value(reading, *letter, team);
	return n;
}

/* The path of a whole model, whose versions were registered one by one. */
bool
mr_search_path_is_by_number(const MrSearchPath *path)
{
	return strcmp(path->filters, "M") == 0;
}

/*
 * How far the times of registration may stray from the order of the numbers:
 * they come from a clock that may have been behind by as much.
 */
static TimestampTz
margin(void)
{
	return (TimestampTz) mr_max_clock_skew * 1000;
}

/* When a version was registered; -infinity when there is none. */
static TimestampTz
registered_at(MrSearch *search, int64 model, int32 version)
{
	if (!mr_search_find(search, search->versions, "version_pkey", model, version))
		return DT_NOBEGIN;
	return mr_search_int64(search->versions, VERSION_REGISTERED_AT);
}

static int32
last_version(MrSearch *search, int64 model)
{
	Datum		key = Int64GetDatum(model);
	MrTable    *table = search->versions;
	MrScan	   *scan = mr_scan_begin(table, "version_pkey", 1, &key,
									 search->snapshot);
	int32		last = 0;

	if (mr_scan_next(scan, true))
		last = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
	mr_scan_end(scan);
	return last;
}

/* The last version of a model that may have been registered before a time. */
static int32
last_version_before(MrSearch *search, int64 model, TimestampTz until)
{
	int32		low = 0;
	int32		high = last_version(search, model);

	while (low < high)
	{
		int32		middle = high - (high - low) / 2;

		if (registered_at(search, model, middle) < until + margin())
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/*
 * Where the range of the filters begins, in the direction of reading; false
 * when it begins where the index does.
 */
static bool
begin_of_range(const MrReading *reading, MrPlace *place, Datum *value)
{
	const MrSearchFilters *filters = &reading->search->filters;

	place->place = value;
	place->nplace = 1;
	if (mr_search_path_is_by_number(reading->path) && filters->until != DT_NOEND)
	{
		*value = Int32GetDatum(last_version_before(reading->search,
												   filters->model->id,
												   filters->until));
		place->inclusive = true;
		return true;
	}
	switch (reading->path->types[0])
	{
		case 'f':
			place->inclusive = true;
			*value = Float8GetDatum(filters->lowest_first ?
									filters->metric_min : filters->metric_max);
			return true;
		case 'z':
			*value = TimestampTzGetDatum(filters->until);
			return filters->until != DT_NOEND;
		default:
			return false;
	}
}

/* Is the row behind the end of the range? */
bool
mr_reading_is_past_range(const MrReading *reading)
{
	const MrSearchFilters *filters = &reading->search->filters;
	Datum		first = reading->place.values[0];

	if (mr_search_path_is_by_number(reading->path) &&
		filters->since != DT_NOBEGIN)
		return mr_search_int64(reading->table, VERSION_REGISTERED_AT) <
			filters->since - margin();
	switch (reading->path->types[0])
	{
		case 'f':
			return !mr_search_metric_in_range(filters, DatumGetFloat8(first));
		case 'z':
			return DatumGetTimestampTz(first) < filters->since;
		default:
			return false;
	}
}

/*
 * Read the place of the row in the slot.  Model and version end it; a path
 * within one model has no model there, and a node stands for both.
 */
void
mr_reading_place(MrReading *reading, MrSearchRow *row)
{
	const MrSearchPath *path = reading->path;
	MrTable    *table = reading->table;
	Datum	   *values = reading->place.values;
	int			n = strlen(path->types);

	for (int i = 0; i < n; i++)
		values[i] = mr_table_get(table, path->order[i], NULL);
	reading->place.n = n;
	if (mr_search_path_has(path, 'o'))
	{
		row->model = mr_search_int64(table, VERSION_MODEL_ID);
		row->version = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
		return;
	}
	row->version = DatumGetInt32(values[n - 1]);
	row->model = n > 1 && path->types[n - 2] == 'l' ?
		DatumGetInt64(values[n - 2]) : reading->search->filters.model->id;
}

/* Scan one index for a team, behind a place or (NULL) from the beginning. */
MrScan *
mr_reading_scan(MrReading *reading, int64 team, const MrSearchPlace *after)
{
	Datum		equal[MR_SEARCH_ORDER_MAX + 2];
	Datum		begin;
	MrPlace		place = {.equal = equal,.backward = reading->backward};

	place.nequal = set_equal(reading, team, equal);
	if (after != NULL)
	{
		place.place = after->values;
		place.nplace = after->n;
	}
	else if (!begin_of_range(reading, &place, &begin))
		place.nplace = 0;
	return mr_scan_begin_from(reading->table, reading->path->index, &place,
							  reading->search->snapshot);
}

