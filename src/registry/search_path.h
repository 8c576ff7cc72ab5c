/*
 * search_path.h
 *		The paths of a search, and reading one of them.
 */
#ifndef MODELREG_SEARCH_PATH_H
#define MODELREG_SEARCH_PATH_H

#include "registry/search_scan.h"

/*
 * A path is an index and the order in which a search reads it.
 *
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
typedef struct MrSearchPath
{
	const char *filters;
	const char *table;
	const char *index;
	const char *types;
	AttrNumber	order[MR_SEARCH_ORDER_MAX];
} MrSearchPath;

extern const MrSearchPath mr_search_paths[];
extern const int mr_search_npaths;

/* A path being read for one team. */
typedef struct MrReading
{
	MrSearch   *search;
	const MrSearchPath *path;
	int			word;			/* that is looked up, where one is */
	MrSearchPlace place;		/* of the row that was looked at last */
	MrTable    *table;
	bool		backward;
	struct met_hash *met;		/* versions, or NULL: see search_read.c */
} MrReading;

extern bool mr_search_path_fits(const MrSearchFilters *filters,
								const MrSearchPath *path);
extern bool mr_search_path_has(const MrSearchPath *path, char filter);
extern bool mr_search_path_has_teams(const MrSearchPath *path);
extern bool mr_search_path_is_by_number(const MrSearchPath *path);

extern MrScan *mr_reading_scan(MrReading *reading, int64 team,
							   const MrSearchPlace *after);
extern bool mr_reading_is_past_range(const MrReading *reading);
extern void mr_reading_place(MrReading *reading, MrSearchRow *row);

#endif							/* MODELREG_SEARCH_PATH_H */
