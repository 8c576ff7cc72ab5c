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

/* The first whose filters were all given is taken: the most selective first. */
static const Path paths[] = {
	{"rM", "version", "version_run", "i", {VERSION_VERSION}},
	{"r", "version", "version_run", "li", {VERSION_MODEL_ID, VERSION_VERSION}},
	{"To", "version", "version_registered", "zli", {VERSION_REGISTERED_AT, VERSION_MODEL_ID, VERSION_VERSION}},
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

/* A path being read for one team. */
typedef struct Reading
{
	MrSearch   *search;
	const Path *path;
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

/* The longest word is likely to be the rarest. */
static const char *
word_to_look_up(const MrWords *words)
{
	const char *longest = words->items[0];

	for (int i = 1; i < words->n; i++)
		if (strlen(words->items[i]) > strlen(longest))
			longest = words->items[i];
	return longest;
}

static Datum
filter_value(const MrSearchFilters *filters, char letter, int64 team)
{
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
			return CStringGetTextDatum(word_to_look_up(&filters->words));
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
	const MrSearchFilters *filters = &reading->search->filters;
	int			n = 0;

	for (const char *letter = reading->path->filters; *letter != '\0'; letter++)
		if (*letter != 'o')
			equal[n++] = filter_value(filters, *letter, team);
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
 * within one model has no model there.
 */
static void
read_place(Reading *reading, MrSearchRow *row)
{
	int			n = strlen(reading->path->types);

	for (int i = 0; i < n; i++)
		reading->place.values[i] = mr_table_get(reading->table, reading->path->order[i], NULL);
	reading->place.n = n;
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

/* Rows of a run may be other teams'; these count for nothing. */
static bool
is_hidden(const Reading *reading)
{
	return strchr(reading->path->filters, 'r') != NULL &&
		!mr_may_read(DatumGetInt64(mr_table_get(reading->table, VERSION_TEAM_ID, NULL)));
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
		if (in_range && !is_hidden(reading) && !is_same_place(reading, &before))
			more = look_at_row(reading, &row);
		before = reading->place;
		MemoryContextSwitchTo(old);
		MemoryContextReset(reading->search->row_context);
		if (!in_range)
			break;
	}
	return more;
}

/* Read one index for a team, behind a place or (NULL) from the beginning. */
static bool
read_index(Reading *reading, int64 team, const MrSearchPlace *after)
{
	MrSearch   *search = reading->search;
	Datum		equal[MR_SEARCH_ORDER_MAX + 2];
	Datum		begin;
	MrPlace		place = {.equal = equal,.backward = reading->backward};
	MrScan	   *scan;
	bool		more;

	place.nequal = set_equal(reading, team, equal);
	if (after != NULL)
	{
		place.place = after->values;
		place.nplace = after->n;
	}
	else if (!begin_of_range(reading, &place, &begin))
		place.nplace = 0;
	scan = mr_scan_begin_from(reading->table, reading->path->index, &place,
							  search->snapshot);
	more = read_rows(reading, scan);
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

/* Read all for one team; false when the page ended. */
static bool
read_team(MrSearch *search, int64 team, const MrSearchPlace *after)
{
	Reading		reading = {.search = search,.path = &paths[search->path]};
	bool		more;

	reading.place.team = team;
	reading.table = mr_table_open_read(reading.path->table);
	reading.backward = !(search->filters.lowest_first && reading.path->types[0] == 'f');
	more = strchr(reading.path->filters, 'n') != NULL ?
		read_names(&reading, team, after) : read_index(&reading, team, after);
	mr_table_close(reading.table);
	return more;
}

/* A version of a list. */
typedef struct Listed
{
	int64		team;
	TimestampTz registered_at;
	int64		model;
	int32		version;
} Listed;

/* As the index version_registered is read for one team after the other. */
static int
compare_listed(const void *a, const void *b)
{
	const Listed *x = a;
	const Listed *y = b;

	if (x->team != y->team)
		return x->team < y->team ? -1 : 1;
	if (x->registered_at != y->registered_at)
		return x->registered_at > y->registered_at ? -1 : 1;
	if (x->model != y->model)
		return x->model > y->model ? -1 : 1;
	return (x->version < y->version) - (x->version > y->version);
}

/* The versions of an origin that are seen, in order; returns how many. */
static int
load_list(MrSearch *search, const MrSearchOrigin *origin, Listed *list)
{
	MrTable    *table = search->versions;
	int			n = 0;

	for (int i = 0; i < origin->n; i++)
	{
		Datum		key = Int64GetDatum(origin->versions[i]);
		Listed	   *listed = &list[n];

		if (!mr_table_find(table, "version_node", 1, &key, search->snapshot))
			continue;
		listed->team = DatumGetInt64(mr_table_get(table, VERSION_TEAM_ID, NULL));
		listed->registered_at = DatumGetTimestampTz(mr_table_get(table, VERSION_REGISTERED_AT, NULL));
		listed->model = DatumGetInt64(mr_table_get(table, VERSION_MODEL_ID, NULL));
		listed->version = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
		if (mr_may_read(listed->team))
			n++;
	}
	qsort(list, n, sizeof(Listed), compare_listed);
	return n;
}

static void
read_list(MrSearch *search, const MrSearchOrigin *origin, const MrSearchPlace *after)
{
	Reading		reading = {.search = search,.path = &paths[search->path]};
	Listed	   *list = palloc_extended(Max(origin->n, 1) * sizeof(Listed), MCXT_ALLOC_HUGE);
	int			n = load_list(search, origin, list);
	bool		more = true;
	Listed		last = {0};

	if (after != NULL)
	{
		last.team = after->team;
		/* behind all that the team has: before every time */
		last.registered_at = after->n == 0 ? PG_INT64_MIN : DatumGetTimestampTz(after->values[0]);
		last.model = after->n == 0 ? 0 : DatumGetInt64(after->values[1]);
		last.version = after->n == 0 ? 0 : DatumGetInt32(after->values[2]);
	}
	for (int i = 0; i < n && more; i++)
	{
		MrSearchRow row = {.model = list[i].model,.version = list[i].version};
		MemoryContext old;

		if (after != NULL && compare_listed(&list[i], &last) <= 0)
			continue;
		old = MemoryContextSwitchTo(search->row_context);
		reading.place.team = list[i].team;
		reading.place.n = 3;
		reading.place.values[0] = TimestampTzGetDatum(list[i].registered_at);
		reading.place.values[1] = Int64GetDatum(row.model);
		reading.place.values[2] = Int32GetDatum(row.version);
		more = look_at_row(&reading, &row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(search->row_context);
	}
	pfree(list);
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
	if (strchr(paths[search->path].filters, 'r') != NULL)
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
