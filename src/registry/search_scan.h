/*
 * search_scan.h
 *		What the parts of a search share: its filters, its place, its progress.
 */
#ifndef MODELREG_SEARCH_SCAN_H
#define MODELREG_SEARCH_SCAN_H

#include "lib/stringinfo.h"
#include "nodes/execnodes.h"

#include "lineage/walk.h"
#include "registry/registry.h"
#include "registry/search.h"
#include "types/stage.h"

#define MR_SEARCH_ORDER_MAX 3	/* columns of a place within an index */
#define MR_SEARCH_PRINT_LEN 8	/* bytes of the filters' fingerprint */

/*
 * A node from which the versions are to derive.  complete: all versions
 * downstream of it are known, else too many nodes are.
 */
typedef struct MrSearchOrigin
{
	MrNode		node;
	MrBounds	bounds;			/* of walks towards it, if not complete */
	bool		complete;
	int64	   *versions;		/* their nodes, in order */
	int			n;
	int64		room;
} MrSearchOrigin;

#define MR_SEARCH_ORIGINS 2		/* a snapshot and a commit */

/* A place in a path's order; n 0: behind all that the team has. */
typedef struct MrSearchPlace
{
	int64		team;
	int			n;
	Datum		values[MR_SEARCH_ORDER_MAX];
} MrSearchPlace;

/* What is asked for; what is not asked for is NULL, 0 or as said. */
typedef struct MrSearchFilters
{
	MrModel    *model;
	int64	   *teams;			/* readable ones alone, in order */
	int			nteams;
	char	   *name_pattern;
	MrWords		words;
	MrStage		stage;
	char	   *tag_key;
	char	   *tag_value;
	char	   *param_key;
	char	   *param_value;
	char	   *metric;
	float8		metric_min;
	float8		metric_max;
	bool		lowest_first;
	int64		run;
	MrSearchOrigin origins[MR_SEARCH_ORIGINS];
	int			norigins;
	TimestampTz since;			/* DT_NOBEGIN for none */
	TimestampTz until;			/* DT_NOEND for none */
} MrSearchFilters;

/* A model that was looked at. */
typedef struct MrSearchModel
{
	int64		id;
	int64		team;
	bool		matches;
	char		team_name[64];	/* of 63 bytes at most */
	char		name[256];		/* of 255 bytes at most */
} MrSearchModel;

/* A version that is being looked at. */
typedef struct MrSearchRow
{
	int64		model;
	int32		version;
	int64		node;
	TimestampTz registered_at;
	Datum		identity;
	MrStage		stage;
	float8		value;			/* of the metric */
} MrSearchRow;

typedef struct MrSearch
{
	MrSearchFilters filters;
	uint8		print[MR_SEARCH_PRINT_LEN]; /* of the filters */
	int			path;
	Snapshot	snapshot;
	int			page_size;
	int			emitted;
	int64		shown_at;		/* scanned, when a row was shown last */
	int64		scanned;
	ReturnSetInfo *rsinfo;
	MemoryContext row_context;
	MrSearchModel *model;		/* of the row that was looked at last */
	MrSearchModel *known;		/* others that were, by id */
	Snapshot	latest;			/* for payloads */
	MrTable    *models;
	MrTable    *versions;
	MrTable    *stages;
	MrTable    *tags;
	MrTable    *params;
	MrTable    *metrics;
	MrTable    *descriptions;
	MrTable    *payloads;
} MrSearch;

#define MR_SEARCH_KNOWN 64		/* models to keep */

/* search_key.c */
extern char *mr_search_key_print(const MrSearch *search,
								 const MrSearchPlace *place);
extern void mr_search_key_parse(const MrSearch *search, const char *key,
								MrSearchPlace *place);

/* search_path.c */
extern int	mr_search_choose_path(const MrSearchFilters *filters);
extern const char *mr_search_path_types(int path);

/* search_read.c */
extern void mr_search_run(MrSearch *search, const MrSearchPlace *after);

/* search_match.c */
extern bool mr_search_find(const MrSearch *search, MrTable *table,
						   const char *index, int64 model, int32 version);
extern int64 mr_search_int64(MrTable *table, AttrNumber column);
extern bool mr_search_model_matches(MrSearch *search, int64 model);
extern bool mr_search_matches(MrSearch *search, const char *guaranteed,
							  MrSearchRow *row);
extern bool mr_search_metric_in_range(const MrSearchFilters *filters,
									  float8 value);
extern bool mr_search_best_metric(MrSearch *search, int64 model,
								  int32 version, float8 *value);
extern bool mr_search_name_matches(const char *pattern, const char *name);
extern int	mr_search_name_prefix(const char *pattern);

/* search_origin.c */
extern void mr_search_origin_add(MrSearch *search, const char *kind,
								 const char *address);
extern bool mr_search_derives(MrSearch *search, int64 node);
extern const MrSearchOrigin *mr_search_listed_origin(const MrSearch *search);

/* search.c */
extern bool mr_search_emit(MrSearch *search, const MrSearchRow *row,
						   const MrSearchPlace *place);
extern bool mr_search_pause(MrSearch *search, const MrSearchPlace *place);

#endif							/* MODELREG_SEARCH_SCAN_H */
