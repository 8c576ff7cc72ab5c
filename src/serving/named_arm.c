/*
 * named_arm.c
 *		Arms and splits of an endpoint as text, by the present names.
 *
 * A version of the endpoint's own model is its number alone.
 */
#include "postgres.h"

#include "registry/registry.h"
#include "serving/named_arm.h"
#include "types/traffic_split.h"

static MrNamedArm
name_arm(const MrArm *arm, const MrEndpoint *endpoint, Snapshot snapshot)
{
	MrNamedArm	named = {NULL, arm->version};

	if (arm->model != endpoint->model)
		named.model = psprintf("%s.%s", endpoint->team.name,
							   mr_model_get(arm->model, snapshot).name);
	return named;
}

/* 14, or search.other-model/2. */
char *
mr_arm_text(const MrArm *arm, const MrEndpoint *endpoint, Snapshot snapshot)
{
	MrNamedArm	named = name_arm(arm, endpoint, snapshot);

	return mr_named_arm_print(&named);
}

static int
compare_shares(const void *a, const void *b)
{
	return mr_named_arm_compare(&((const MrNamedShare *) a)->arm,
								&((const MrNamedShare *) b)->arm);
}

/* {13: 95%, 14: 5%} */
char *
mr_split_text(const MrSplit *split, const MrEndpoint *endpoint, Snapshot snapshot)
{
	MrTrafficSplit *named = palloc(sizeof(MrTrafficSplit));

	named->n = split->n;
	for (int i = 0; i < split->n; i++)
		named->shares[i] = (MrNamedShare) {name_arm(&split->shares[i].arm, endpoint, snapshot),
			split->shares[i].weight};
	qsort(named->shares, named->n, sizeof(MrNamedShare), compare_shares);
	return mr_traffic_split_print(named);
}
