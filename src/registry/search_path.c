/*
 * search_path.c
 *		The paths of a search: which index drives it, from where to where.
 *
 * One index is read in its order, a team after the other, and each row is
 * held against the other filters, until the page is full or as many rows
 * as modelreg.search_scan_limit allows were looked at.  The order ends with
 * model and version, so that a place in it is exact.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "registry/registry_tables.h"
#include "registry/search_scan.h"
#include "registry/search_tables.h"

/*
 * The filters that the leading columns of an index answer are letters:
 *
 *		T	team				M	model
 *		r	run					m	metric
 *		w	word				s	stage
 *		k	tag's key			v	tag's value
 *		p	param's name		q	param's value
 *		n	name or pattern		(a range, and not a value)
 *		o	origin				(a list, where that is known)
 *
 * The columns behind them are the order, by their types: l bigint,
 * i integer, t text, f float8, z timestamptz.
 */
typedef struct Path
{
	const char *filters;
	const char *table;
	const char *index;
	const char *types;
	AttrNumber	order[MR_SEARCH_ORDER_MAX];
} Path;

/*
 * The first whose filters were all given sets the order, the most selective
 * first; see also take_sparsest().
 */
static const Path paths[] = {
	{"rM", "version", "version_run", "i", {VERSION_VERSION}},
	{"r", "version", "version_run", "li", {VERSION_MODEL_ID, VERSION_VERSION}},
	{"o", "version", "version_node", "l", {VERSION_NODE_ID}},
	{"Mm", "metric", "metric_of_model", "fi", {METRIC_VALUE, METRIC_VERSION}},
	{"Tm", "metric", "metric_search", "fli", {METRIC_VALUE, METRIC_MODEL_ID, METRIC_VERSION}},
	{"TwM", "search_word", "search_word_pkey", "i", {SEARCH_WORD_VERSION}},
	{"Tw", "search_word", "search_word_pkey", "li", {SEARCH_WORD_MODEL_ID, SEARCH_WORD_VERSION}},
	{"TkvM", "tag", "tag_search", "i", {TAG_VERSION}},
	{"Tkv", "tag", "tag_search", "li", {TAG_MODEL_ID, TAG_VERSION}},
	{"TpqM", "param", "param_search", "i", {PARAM_VERSION}},
	{"Tpq", "param", "param_search", "li", {PARAM_MODEL_ID, PARAM_VERSION}},
	{"Mk", "tag", "tag_of_model", "ti", {TAG_VALUE, TAG_VERSION}},
	{"Ms", "version_stage", "version_stage_of_model", "i", {VERSION_STAGE_VERSION}},
	{"M", "version", "version_pkey", "i", {VERSION_VERSION}},
	{"Tk", "tag", "tag_search", "tli", {TAG_VALUE, TAG_MODEL_ID, TAG_VERSION}},
	{"Ts", "version_stage", "version_stage_by_stage", "li", {VERSION_STAGE_MODEL_ID, VERSION_STAGE_VERSION}},
	{"Tn", "model", "model_live_name", "ti", {MODEL_NAME}},
	{"T", "version", "version_registered", "zli", {VERSION_REGISTERED_AT, VERSION_MODEL_ID, VERSION_VERSION}},
};

/* How many rows of a list tell how dense it is, and of how many words. */
#define SAMPLE_ROWS 16
#define SAMPLE_WORDS 8

/* A path being read for one team. */
typedef struct Reading
{
	MrSearch   *search;
	const Path *path;
	int			word;			/* that is looked up, where one is */
	MrSearchPlace place;		/* of the row that was looked at last */
	MrTable    *table;
	bool		backward;
} Reading;

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

static bool
path_fits(const MrSearchFilters *filters, const Path *path)
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

	while (!path_fits(filters, &paths[path]))
		path++;
	return path;
}

/* The types of the path's order, a letter each. */
const char *
mr_search_path_types(int path)
{
	return paths[path].types;
}

/* Is the path read for one team after the other? */
static bool
has_teams(const Path *path)
{
	return strpbrk(path->filters, "TM") != NULL;
}

static Datum
filter_value(const Reading *reading, char letter, int64 team)
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
set_equal(const Reading *reading, int64 team, Datum *equal)
{
	int			n = 0;

	for (const char *letter = reading->path->filters; *letter != '\0'; letter++)
		if (*letter != 'o')
			equal[n++] = filter_value(reading, *letter, team);
	return n;
}

/* The path of a whole model, whose versions were registered one by one. */
static bool
is_by_number(const Path *path)
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
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};

	if (!mr_table_find(search->versions, "version_pkey", 2, keys, search->snapshot))
		return DT_NOBEGIN;
	return DatumGetTimestampTz(mr_table_get(search->versions, VERSION_REGISTERED_AT, NULL));
}

static int32
last_version(MrSearch *search, int64 model)
{
	Datum		key = Int64GetDatum(model);
	MrScan	   *scan = mr_scan_begin(search->versions, "version_pkey", 1, &key, search->snapshot);
	int32		last = 0;

	if (mr_scan_next(scan, true))
		last = DatumGetInt32(mr_table_get(search->versions, VERSION_VERSION, NULL));
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
begin_of_range(const Reading *reading, MrPlace *place, Datum *value)
{
	const MrSearchFilters *filters = &reading->search->filters;

	if (is_by_number(reading->path) && filters->until != DT_NOEND)
	{
		*value = Int32GetDatum(last_version_before(reading->search, filters->model->id,
												   filters->until));
		place->inclusive = true;
		place->place = value;
		place->nplace = 1;
		return true;
	}

	place->place = value;
	place->nplace = 1;
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
static bool
is_past_range(const Reading *reading)
{
	const MrSearchFilters *filters = &reading->search->filters;
	Datum		first = reading->place.values[0];

	if (is_by_number(reading->path) && filters->since != DT_NOBEGIN)
		return DatumGetTimestampTz(mr_table_get(reading->table, VERSION_REGISTERED_AT, NULL)) <
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
static void
read_place(Reading *reading, MrSearchRow *row)
{
	int			n = strlen(reading->path->types);

	for (int i = 0; i < n; i++)
		reading->place.values[i] = mr_table_get(reading->table, reading->path->order[i], NULL);
	reading->place.n = n;
	if (strcmp(reading->path->types, "l") == 0)
	{
		row->model = DatumGetInt64(mr_table_get(reading->table, VERSION_MODEL_ID, NULL));
		row->version = DatumGetInt32(mr_table_get(reading->table, VERSION_VERSION, NULL));
		return;
	}
	row->version = DatumGetInt32(reading->place.values[n - 1]);
	row->model = n > 1 && reading->path->types[n - 2] == 'l' ?
		DatumGetInt64(reading->place.values[n - 2]) :
		reading->search->filters.model->id;
}

/*
 * A version stands in the index of metrics once for each kind, data set and
 * slice; it is shown where the first of these stands.
 */
static bool
is_first_of_version(MrSearch *search, const MrSearchRow *row, float8 value)
{
	float8		best;

	return mr_search_best_metric(search, row->model, row->version, &best) &&
		float8_cmp_internal(best, value) == 0;
}

/* The same place again: another kind, data set or slice with this value. */
static bool
is_same_place(const Reading *reading, const MrSearchPlace *before)
{
	int			n = strlen(reading->path->types);

	if (before->n != n || reading->path->types[0] != 'f')
		return false;
	for (int i = 0; i < n; i++)
		if (before->values[i] != reading->place.values[i])
			return false;
	return true;
}

/* Look at the row in the slot; false when the page ends with it. */
static bool
look_at_row(Reading *reading, MrSearchRow *row)
{
	MrSearch   *search = reading->search;
	bool		by_metric = reading->path->types[0] == 'f';

	search->scanned++;
	if (by_metric)
		row->value = DatumGetFloat8(reading->place.values[0]);
	if (row->version > 0 &&
		(!by_metric || is_first_of_version(search, row, row->value)) &&
		mr_search_matches(search, reading->path->filters, row) &&
		!mr_search_emit(search, row, &reading->place))
		return false;
	return mr_search_pause(search, &reading->place);
}

/* Rows that no team leads to may be of any. */
static bool
is_hidden(const Reading *reading)
{
	return !has_teams(reading->path) &&
		!mr_may_read(DatumGetInt64(mr_table_get(reading->table, VERSION_TEAM_ID, NULL)));
}

/*
 * Pass a row of another team.  A place in a run would name its model, so there
 * it counts for nothing; the number of a node says nothing.
 */
static bool
pass_hidden_row(Reading *reading)
{
	if (strchr(reading->path->filters, 'o') == NULL)
		return true;
	reading->search->scanned++;
	return mr_search_pause(reading->search, &reading->place);
}

/* Read the scan to the end of the range or of the page (false). */
static bool
read_rows(Reading *reading, MrScan *scan)
{
	MrSearchPlace before = {0};
	bool		more = true;

	while (more && mr_scan_next(scan, reading->backward))
	{
		MemoryContext old = MemoryContextSwitchTo(reading->search->row_context);
		MrSearchRow row = {0};
		bool		in_range;

		read_place(reading, &row);
		in_range = !is_past_range(reading);
		if (in_range && is_hidden(reading))
			more = pass_hidden_row(reading);
		else if (in_range && !is_same_place(reading, &before))
			more = look_at_row(reading, &row);
		before = reading->place;
		MemoryContextSwitchTo(old);
		MemoryContextReset(reading->search->row_context);
		if (!in_range)
			break;
	}
	return more;
}

/* Scan one index for a team, behind a place or (NULL) from the beginning. */
static MrScan *
begin_scan(Reading *reading, int64 team, const MrSearchPlace *after)
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

static bool
read_index(Reading *reading, int64 team, const MrSearchPlace *after)
{
	MrScan	   *scan = begin_scan(reading, team, after);
	bool		more = read_rows(reading, scan);

	mr_scan_end(scan);
	return more;
}

/* Show the versions of one model, the newest first, below a number unless 0. */
static bool
read_model_versions(Reading *reading, int64 model, int32 below)
{
	Datum		key = Int64GetDatum(model);
	Datum		number = Int32GetDatum(below);
	MrPlace		place = {.equal = &key,.nequal = 1,.place = &number,.backward = true};
	MrTable    *table = mr_table_open_read("version");
	MrScan	   *scan;
	bool		more = true;

	place.nplace = below > 0 ? 1 : 0;
	scan = mr_scan_begin_from(table, "version_pkey", &place, reading->search->snapshot);
	while (more && mr_scan_next(scan, true))
	{
		MemoryContext old = MemoryContextSwitchTo(reading->search->row_context);
		MrSearchRow row = {.model = model};

		row.version = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
		reading->place.values[1] = Int32GetDatum(row.version);
		more = look_at_row(reading, &row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(reading->search->row_context);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return more;
}

/* Show the model in the slot; `after` is NULL or a place in this model. */
static bool
read_named_model(Reading *reading, const MrSearchPlace *after)
{
	MrSearch   *search = reading->search;
	int64		model = DatumGetInt64(mr_table_get(reading->table, MODEL_ID, NULL));

	reading->place.n = 2;
	reading->place.values[0] = mr_table_get_copy(reading->table, MODEL_NAME);
	if (mr_search_model_matches(search, model) &&
		!read_model_versions(reading, model, after ? DatumGetInt32(after->values[1]) : 0))
		return false;
	search->scanned++;
	reading->place.values[1] = Int32GetDatum(0);	/* behind all its versions */
	return mr_search_pause(search, &reading->place);
}

/* Is the name behind all names that the pattern matches? */
static bool
is_past_pattern(const char *pattern, const char *name)
{
	int			prefix = mr_search_name_prefix(pattern);

	return strncmp(name, pattern, prefix) != 0 ||
		(pattern[prefix] == '\0' && name[prefix] != '\0');
}

/* Read the live models of a team by name, and the versions of each. */
static bool
read_names(Reading *reading, int64 team, const MrSearchPlace *after)
{
	MrSearch   *search = reading->search;
	const char *pattern = search->filters.name_pattern;
	Datum		equal = Int64GetDatum(team);
	Datum		begin = PointerGetDatum(cstring_to_text_with_len(pattern,
																mr_search_name_prefix(pattern)));
	MrPlace		place = {.equal = &equal,.nequal = 1,.place = &begin,.nplace = 1,
	.inclusive = after == NULL || DatumGetInt32(after->values[1]) > 0};
	char	   *after_name = after ? TextDatumGetCString(after->values[0]) : NULL;
	bool		more = true;
	MrScan	   *scan;

	if (after != NULL)
		place.place = after->values;
	scan = mr_scan_begin_from(reading->table, reading->path->index, &place, search->snapshot);
	while (more && mr_scan_next(scan, false))
	{
		char	   *name = TextDatumGetCString(mr_table_get(reading->table, MODEL_NAME, NULL));
		bool		same = after_name != NULL && strcmp(name, after_name) == 0;

		if (is_past_pattern(pattern, name))
			break;
		more = read_named_model(reading, same ? after : NULL);
		pfree(name);
	}
	mr_scan_end(scan);
	return more;
}

/*
 * How far some rows of the reading's index reach: the last one's model and
 * version, or 0 when it has no more rows than these.
 */
static MrSearchRow
reach_of_sample(Reading *reading, int64 team, const MrSearchPlace *after)
{
	MrTable    *table = mr_table_open_read(reading->path->table);
	MrSearchRow row = {0};
	MrScan	   *scan;
	int			n = 0;

	reading->table = table;
	scan = begin_scan(reading, team, after);
	while (n < SAMPLE_ROWS && mr_scan_next(scan, reading->backward))
		n++;
	if (n == SAMPLE_ROWS)
		read_place(reading, &row);
	mr_scan_end(scan);
	mr_table_close(table);
	return row;
}

/*
 * Of the lists in the order of models and versions that answer one of the
 * filters each, take the one that is sparsest from here on: the same number
 * of rows reaches farthest.  All have the same places, so that the next page
 * may take another.
 */
static void
take_sparsest(Reading *reading, int64 team, const MrSearchPlace *after)
{
	const MrSearchFilters *filters = &reading->search->filters;
	Reading		candidate = *reading;
	MrSearchRow best = {.model = PG_INT64_MAX};

	if (strcmp(reading->path->types, "i") != 0 && strcmp(reading->path->types, "li") != 0)
		return;
	for (int i = 0; i < lengthof(paths); i++)
	{
		int			lists = strchr(paths[i].filters, 'w') == NULL ? 1 :
		Min(filters->words.n, SAMPLE_WORDS);

		if (strcmp(paths[i].types, reading->path->types) != 0 || is_by_number(&paths[i]) ||
			!has_teams(&paths[i]) || !path_fits(filters, &paths[i]))
			continue;
		candidate.path = &paths[i];
		for (candidate.word = 0; candidate.word < lists; candidate.word++)
		{
			MrSearchRow row = reach_of_sample(&candidate, team, after);

			if (row.model > best.model ||
				(row.model == best.model && row.version >= best.version))
				continue;
			best = row;
			reading->path = candidate.path;
			reading->word = candidate.word;
		}
	}
}

/* Are there several filters that an index answers in the same order? */
static bool
has_choice(const MrSearchFilters *filters)
{
	return (filters->run != 0) + filters->words.n + (filters->tag_value != NULL) +
		(filters->param_key != NULL) + (filters->stage != MR_STAGE_NONE) > 1;
}

/* Read all for one team; false when the page ended. */
static bool
read_team(MrSearch *search, int64 team, const MrSearchPlace *after)
{
	Reading		reading = {.search = search,.path = &paths[search->path]};
	bool		more;

	reading.place.team = team;
	reading.backward = !(search->filters.lowest_first && reading.path->types[0] == 'f');
	if (has_choice(&search->filters))
		take_sparsest(&reading, team, after);
	reading.table = mr_table_open_read(reading.path->table);
	more = strchr(reading.path->filters, 'n') != NULL ?
		read_names(&reading, team, after) : read_index(&reading, team, after);
	mr_table_close(reading.table);
	return more;
}

/* Find the version that has a node. */
static bool
find_by_node(Reading *reading, int64 node, MrSearchRow *row)
{
	MrSearch   *search = reading->search;
	Datum		key = Int64GetDatum(node);

	if (!mr_table_find(reading->table, "version_node", 1, &key, search->snapshot))
		return false;
	read_place(reading, row);
	return true;
}

/* Read the versions of an origin that are known, the newest node first. */
static void
read_list(MrSearch *search, const MrSearchOrigin *origin, const MrSearchPlace *after)
{
	Reading		reading = {.search = search,.path = &paths[search->path]};
	int64		below = after == NULL ? PG_INT64_MAX : DatumGetInt64(after->values[0]);
	bool		more = true;

	reading.table = mr_table_open_read(reading.path->table);
	for (int i = origin->n - 1; i >= 0 && more; i--)
	{
		MrSearchRow row = {0};
		MemoryContext old;

		if (origin->versions[i] >= below)
			continue;
		old = MemoryContextSwitchTo(search->row_context);
		if (find_by_node(&reading, origin->versions[i], &row) && !is_hidden(&reading))
			more = look_at_row(&reading, &row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(search->row_context);
	}
	mr_table_close(reading.table);
}

/* Read on from a place, or (NULL) from the beginning. */
void
mr_search_run(MrSearch *search, const MrSearchPlace *after)
{
	const MrSearchFilters *filters = &search->filters;
	const MrSearchOrigin *listed = strchr(paths[search->path].filters, 'o') == NULL ?
		NULL : mr_search_listed_origin(search);
	MrSearchPlace place = {0};

	if (listed != NULL)
	{
		read_list(search, listed, after);
		return;
	}
	if (!has_teams(&paths[search->path]))
	{
		(void) read_team(search, MR_NO_TEAM, after);
		return;
	}
	for (int i = 0; i < filters->nteams; i++)
	{
		bool		here = after != NULL && after->team == filters->teams[i];

		place.team = filters->teams[i];
		if (after != NULL && (place.team < after->team || (here && after->n == 0)))
			continue;
		if (!read_team(search, place.team, here ? after : NULL))
			return;
		search->scanned++;
		if (i < filters->nteams - 1 && !mr_search_pause(search, &place))
			return;
	}
}
