/*
 * search_origin.c
 *		Filters through the lineage: versions that derive from a node.
 *
 * What lies downstream of the node is walked as far as one search may look.
 * If that is all, the versions there are known.  If it is not, each version
 * that another index offers is asked for the node upstream of it.
 */
#include "postgres.h"


#include "base/errors.h"
#include "base/grow.h"
#include "base/settings.h"
#include "registry/search_scan.h"
#include "registry/version_node.h"
#include "types/names.h"

static bool
collect_version(const MrWalkStep *step, void *arg)
{
	MrSearchOrigin *origin = arg;

	origin->versions = mr_grow(origin->versions, origin->n, &origin->room,
							   sizeof(int64));
	origin->versions[origin->n++] = step->node;
	return true;
}

/*
 * The versions are to derive from the node of that address and kind.  Errors:
 * 22023 for another kind, 42704 for a node that the caller may not read.
 */
void
mr_search_origin_add(MrSearch *search, const char *kind, const char *address)
{
	MrSearchFilters *filters = &search->filters;
	MrSearchOrigin *origin = &filters->origins[filters->norigins++];
	MrWalkOptions options = {.direction = MR_DOWNSTREAM,
		.snapshot = search->snapshot,.max_depth = MR_NO_DEPTH_LIMIT,
	.max_nodes = mr_search_scan_limit};

	mr_node_load(address, search->snapshot, &origin->node);
	if (strcmp(origin->node.kind, kind) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" is no %s", address, kind),
				 mr_reason("invalid_filter")));
	origin->complete = mr_walk_from(&origin->node, &options, mr_want_version,
									collect_version, origin);
	if (!origin->complete)
		origin->bounds = mr_bounds_towards(&origin->node, search->snapshot);
	if (origin->n > 1)
		qsort(origin->versions, origin->n, sizeof(int64), mr_id_compare);
}

static bool
derives_from(MrSearch *search, const MrSearchOrigin *origin, int64 node)
{
	MrNode		version;

	if (origin->complete)
		return origin->n > 0 &&
			bsearch(&node, origin->versions, origin->n, sizeof(int64),
					mr_id_compare) != NULL;
	return mr_node_get(node, search->snapshot, &version) &&
		mr_derives(&version, &origin->bounds, search->snapshot, 0, &search->scanned, NULL);
}

/* Does the version with that node derive from all origins? */
bool
mr_search_derives(MrSearch *search, int64 node)
{
	for (int i = 0; i < search->filters.norigins; i++)
		if (!derives_from(search, &search->filters.origins[i], node))
			return false;
	return true;
}

/* Of the origins whose versions are known, the one with the fewest; or NULL. */
const MrSearchOrigin *
mr_search_listed_origin(const MrSearch *search)
{
	const MrSearchOrigin *fewest = NULL;

	for (int i = 0; i < search->filters.norigins; i++)
	{
		const MrSearchOrigin *origin = &search->filters.origins[i];

		if (origin->complete && (fewest == NULL || origin->n < fewest->n))
			fewest = origin;
	}
	return fewest;
}
