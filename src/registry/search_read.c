/*
 * search_read.c
 *		Reading a path: one index in its order, a team after the other.
 *
 * Each row is held against the other filters, until the page is full or as
 * many rows as modelreg.search_scan_limit allows were looked at.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "registry/registry_tables.h"
#include "registry/search_path.h"

/* How many rows of a list tell how dense it is, and of how many words. */
#define SAMPLE_ROWS 16
#define SAMPLE_WORDS 8

#define MET_MAX 10000			/* versions to remember */

/* A version that a reading in the order of a metric has met. */
typedef struct MetKey
{
	int64		model;
	int64		version;
} MetKey;

typedef struct MetEntry
{
	MetKey		key;
	char		status;			/* for simplehash */
} MetEntry;

#define SH_PREFIX met
#define SH_ELEMENT_TYPE MetEntry
#define SH_KEY_TYPE MetKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) \
	hash_combine(murmurhash32((uint32) key.model), murmurhash32((uint32) key.version))
#define SH_EQUAL(table, a, b) ((a).model == (b).model && (a).version == (b).version)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Is the version met for the first time?  When there are too many, none is remembered. */
static bool
meet(MrReading *reading, const MrSearchRow *row)
{
	MetKey		key = {row->model, row->version};
	bool		found;

	(void) met_insert(reading->met, key, &found);
	if (reading->met->members > MET_MAX)
	{
		met_destroy(reading->met);
		reading->met = NULL;
	}
	return !found;
}

/*
 * A version stands in the index of metrics once for each kind, data set and
 * slice; it is shown where the first of these stands.  Who reads from where the
 * range begins has met it there; else its values are looked up.
 */
static bool
is_first_of_version(MrReading *reading, const MrSearchRow *row)
{
	float8		best;

	if (reading->met != NULL)
		return meet(reading, row);
	return mr_search_best_metric(reading->search, row->model, row->version, &best) &&
		float8_cmp_internal(best, row->value) == 0;
}

/* The same place again: another kind, data set or slice with this value. */
static bool
is_same_place(const MrReading *reading, const MrSearchPlace *before)
{
	int			n = strlen(reading->path->types);

	if (before->n != n || reading->path->types[0] != 'f' ||
		float8_cmp_internal(DatumGetFloat8(before->values[0]),
							DatumGetFloat8(reading->place.values[0])) != 0)
		return false;
	for (int i = 1; i < n; i++)
		if (before->values[i] != reading->place.values[i])
			return false;
	return true;
}

/* Look at the row in the slot; false when the page ends with it. */
static bool
look_at_row(MrReading *reading, MrSearchRow *row)
{
	MrSearch   *search = reading->search;
	bool		by_metric = reading->path->types[0] == 'f';

	search->scanned++;
	if (by_metric)
		row->value = DatumGetFloat8(reading->place.values[0]);
	if (row->version > 0 &&
		(!by_metric || is_first_of_version(reading, row)) &&
		mr_search_matches(search, reading->path->filters, row) &&
		!mr_search_emit(search, row, &reading->place))
		return false;
	return mr_search_pause(search, &reading->place);
}

/* Rows that no team leads to may be of any. */
static bool
is_hidden(const MrReading *reading)
{
	return !mr_search_path_has_teams(reading->path) &&
		!mr_may_read(mr_search_int64(reading->table, VERSION_TEAM_ID));
}

/*
 * Pass a row of another team.  A place in a run would name its model, so there
 * it counts for nothing; the number of a node says nothing.
 */
static bool
pass_hidden_row(MrReading *reading)
{
	if (!mr_search_path_has(reading->path, 'o'))
		return true;
	reading->search->scanned++;
	return mr_search_pause(reading->search, &reading->place);
}

/* Read the scan to the end of the range or of the page (false). */
static bool
read_rows(MrReading *reading, MrScan *scan)
{
	MemoryContext context = reading->search->row_context;
	MrSearchPlace before = {0};
	bool		more = true;

	while (more && mr_scan_next(scan, reading->backward))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		MrSearchRow row = {0};
		bool		in_range;

		mr_reading_place(reading, &row);
		in_range = !mr_reading_is_past_range(reading);
		if (in_range && is_hidden(reading))
			more = pass_hidden_row(reading);
		else if (in_range && !is_same_place(reading, &before))
			more = look_at_row(reading, &row);
		before = reading->place;
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		if (!in_range)
			break;
	}
	return more;
}

static bool
read_index(MrReading *reading, int64 team, const MrSearchPlace *after)
{
	MrScan	   *scan = mr_reading_scan(reading, team, after);
	bool		more;

	if (reading->path->types[0] == 'f' && after == NULL)
		reading->met = met_create(CurrentMemoryContext, 64, NULL);
	more = read_rows(reading, scan);
	mr_scan_end(scan);
	if (reading->met != NULL)
		met_destroy(reading->met);
	return more;
}

/* Show the versions of a model, the newest first, below a number unless 0. */
static bool
read_model_versions(MrReading *reading, int64 model, int32 below)
{
	MrSearch   *search = reading->search;
	Datum		key = Int64GetDatum(model);
	Datum		number = Int32GetDatum(below);
	MrPlace		place = {.equal = &key,.nequal = 1,.place = &number};
	MrTable    *table = mr_table_open_read("version");
	MrScan	   *scan;
	bool		more = true;

	place.nplace = below > 0 ? 1 : 0;
	place.backward = true;
	scan = mr_scan_begin_from(table, "version_pkey", &place, search->snapshot);
	while (more && mr_scan_next(scan, true))
	{
		MemoryContext old = MemoryContextSwitchTo(search->row_context);
		MrSearchRow row = {.model = model};

		row.version = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
		reading->place.values[1] = Int32GetDatum(row.version);
		more = look_at_row(reading, &row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(search->row_context);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return more;
}

/* Show the model in the slot; `after` is NULL or a place in this model. */
static bool
read_named_model(MrReading *reading, const MrSearchPlace *after)
{
	MrSearch   *search = reading->search;
	int64		model = mr_search_int64(reading->table, MODEL_ID);
	int32		below = after ? DatumGetInt32(after->values[1]) : 0;

	reading->place.n = 2;
	reading->place.values[0] = mr_table_get_copy(reading->table, MODEL_NAME);
	if (mr_search_model_matches(search, model) &&
		!read_model_versions(reading, model, below))
		return false;
	search->scanned++;
	reading->place.values[1] = Int32GetDatum(0);	/* behind all of them */
	return mr_search_pause(search, &reading->place);
}

/* The first text that the pattern could match: what precedes its wildcards. */
static Datum
begin_of_pattern(const char *pattern)
{
	int			len = mr_search_name_prefix(pattern);

	return PointerGetDatum(cstring_to_text_with_len(pattern, len));
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
read_names(MrReading *reading, int64 team, const MrSearchPlace *after)
{
	const char *pattern = reading->search->filters.name_pattern;
	Datum		equal = Int64GetDatum(team);
	Datum		begin = begin_of_pattern(pattern);
	MrPlace		place = {.equal = &equal,.nequal = 1,.place = &begin,.nplace = 1};
	char	   *last = after ? TextDatumGetCString(after->values[0]) : NULL;
	bool		more = true;
	MrScan	   *scan;

	place.inclusive = after == NULL || DatumGetInt32(after->values[1]) > 0;
	if (after != NULL)
		place.place = after->values;
	scan = mr_scan_begin_from(reading->table, reading->path->index, &place,
							  reading->search->snapshot);
	while (more && mr_scan_next(scan, false))
	{
		Datum		value = mr_table_get(reading->table, MODEL_NAME, NULL);
		char	   *name = TextDatumGetCString(value);
		bool		same = last != NULL && strcmp(name, last) == 0;

		if (is_past_pattern(pattern, name))
			break;
		more = read_named_model(reading, same ? after : NULL);
		pfree(DatumGetPointer(reading->place.values[0]));
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
reach_of_sample(MrReading *reading, int64 team, const MrSearchPlace *after)
{
	MrTable    *table = mr_table_open_read(reading->path->table);
	MrSearchRow row = {0};
	MrScan	   *scan;
	int			n = 0;

	reading->table = table;
	scan = mr_reading_scan(reading, team, after);
	while (n < SAMPLE_ROWS && mr_scan_next(scan, reading->backward))
		n++;
	if (n == SAMPLE_ROWS)
		mr_reading_place(reading, &row);
	mr_scan_end(scan);
	mr_table_close(table);
	return row;
}

/* Is the path a list in the order of models and versions, or of versions? */
static bool
is_list(const MrSearchPath *path)
{
	return (strcmp(path->types, "i") == 0 || strcmp(path->types, "li") == 0) &&
		mr_search_path_has_teams(path) && !mr_search_path_is_by_number(path);
}

/* Take the candidate's list if it reaches farther than the best so far. */
static void
compare_reach(MrReading *reading, MrReading *candidate, int64 team,
			  const MrSearchPlace *after, MrSearchRow *best)
{
	MrSearchRow row = reach_of_sample(candidate, team, after);

	if (row.model > best->model ||
		(row.model == best->model && row.version >= best->version))
		return;
	*best = row;
	reading->path = candidate->path;
	reading->word = candidate->word;
}

/*
 * Of the lists that answer one of the filters each, take the one that is
 * sparsest from here on: the same number of its rows reaches farthest.  All
 * have the same places, so that the next page may take another.
 */
static void
take_sparsest(MrReading *reading, int64 team, const MrSearchPlace *after)
{
	const MrSearchFilters *filters = &reading->search->filters;
	const MrSearchPath *chosen = reading->path;
	MrReading	candidate = *reading;
	MrSearchRow best = {.model = PG_INT64_MAX};

	for (int i = 0; i < mr_search_npaths && is_list(chosen); i++)
	{
		const MrSearchPath *path = &mr_search_paths[i];
		int			words = mr_search_path_has(path, 'w') ?
		Min(filters->words.n, SAMPLE_WORDS) : 1;

		if (!is_list(path) || strcmp(path->types, chosen->types) != 0 ||
			!mr_search_path_fits(filters, path))
			continue;
		candidate.path = path;
		for (candidate.word = 0; candidate.word < words; candidate.word++)
			compare_reach(reading, &candidate, team, after, &best);
	}
}

/* Are there several filters that an index answers in the same order? */
static bool
has_choice(const MrSearchFilters *filters)
{
	return (filters->run != 0) + filters->words.n +
		(filters->tag_value != NULL) + (filters->param_key != NULL) +
		(filters->stage != MR_STAGE_NONE) > 1;
}

/* Read all for one team; false when the page ended. */
static bool
read_team(MrSearch *search, int64 team, const MrSearchPlace *after)
{
	const MrSearchPath *path = &mr_search_paths[search->path];
	MrReading	reading = {.search = search,.path = path};
	bool		more;

	reading.place.team = team;
	reading.backward = !(search->filters.lowest_first && path->types[0] == 'f');
	if (has_choice(&search->filters))
		take_sparsest(&reading, team, after);
	reading.table = mr_table_open_read(reading.path->table);
	more = mr_search_path_has(path, 'n') ?
		read_names(&reading, team, after) : read_index(&reading, team, after);
	mr_table_close(reading.table);
	return more;
}

/* Find the version that has a node. */
static bool
find_by_node(MrReading *reading, int64 node, MrSearchRow *row)
{
	Datum		key = Int64GetDatum(node);

	if (!mr_table_find(reading->table, reading->path->index, 1, &key,
					   reading->search->snapshot))
		return false;
	mr_reading_place(reading, row);
	return true;
}

/* Read the versions of an origin that are known, the newest node first. */
static void
read_origin(MrSearch *search, const MrSearchOrigin *origin,
			const MrSearchPlace *after)
{
	MrReading	reading = {.search = search,.path = &mr_search_paths[search->path]};
	int64		below = after ? DatumGetInt64(after->values[0]) : PG_INT64_MAX;
	bool		more = true;

	reading.table = mr_table_open_read(reading.path->table);
	for (int i = origin->n - 1; i >= 0 && more; i--)
	{
		MrSearchRow row = {0};
		MemoryContext old;

		if (origin->versions[i] >= below)
			continue;
		old = MemoryContextSwitchTo(search->row_context);
		if (find_by_node(&reading, origin->versions[i], &row) &&
			!is_hidden(&reading))
			more = look_at_row(&reading, &row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(search->row_context);
	}
	mr_table_close(reading.table);
}

static void
read_teams(MrSearch *search, const MrSearchPlace *after)
{
	const MrSearchFilters *filters = &search->filters;

	for (int i = 0; i < filters->nteams; i++)
	{
		MrSearchPlace place = {.team = filters->teams[i]};
		bool		here = after != NULL && after->team == place.team;

		if (after != NULL &&
			(place.team < after->team || (here && after->n == 0)))
			continue;
		if (!read_team(search, place.team, here ? after : NULL))
			return;
		search->scanned++;
		if (i < filters->nteams - 1 && !mr_search_pause(search, &place))
			return;
	}
}

/* Read on from a place, or (NULL) from the beginning. */
void
mr_search_run(MrSearch *search, const MrSearchPlace *after)
{
	const MrSearchPath *path = &mr_search_paths[search->path];
	const MrSearchOrigin *origin = mr_search_path_has(path, 'o') ?
	mr_search_listed_origin(search) : NULL;

	if (origin != NULL)
		read_origin(search, origin, after);
	else if (mr_search_path_has_teams(path))
		read_teams(search, after);
	else
		(void) read_team(search, MR_NO_TEAM, after);
}
