/*
 * serves.c
 *		Where versions serve, in words, for who would take that from them.
 *
 * An endpoint serves models of its own team, so who may decide about a model
 * may read of every endpoint that serves it.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/hooks.h"
#include "governance/policy.h"
#include "serving/follow.h"
#include "serving/in_use.h"
#include "serving/permit.h"
#include "serving/serves.h"

/* What is looked for, and the endpoints where it was found. */
typedef struct Search
{
	int64		model;
	int32		version;		/* 0 for all */
	MrStage		stage;			/* that is to permit it; MR_STAGE_NONE: its own */
	const MrPolicy *policy;
	bool		but_followers;
	TimestampTz now;
	StringInfoData found;
} Search;

static bool
is_sought(const Search *search, const MrArm *arm)
{
	return arm->model == search->model &&
		(search->version == 0 || arm->version == search->version);
}

static bool
is_follower(const Search *search, const MrEndpoint *endpoint)
{
	return endpoint->follows && endpoint->model == search->model;
}

/* search.homepage (5%) */
static void
add_found(Search *search, const MrEndpoint *endpoint, const MrArm *arm, const char *how)
{
	const MrTeam *team = mr_team_by_id(endpoint->team.id);
	StringInfo	found = &search->found;

	appendStringInfo(found, "%s%s.%s (", found->len > 0 ? ", " : "",
					 team == NULL ? "?" : team->name, endpoint->name);
	if (search->version == 0 && arm != NULL)
		appendStringInfo(found, "version %d: ", arm->version);
	appendStringInfo(found, "%s)", how);
}

/* 2.5%; without a share now, what is to come. */
static char *
share_text(const MrSchedule *schedule, const MrNeed *need, TimestampTz now)
{
	MrSplit		split = mr_schedule_present_split(schedule, now);
	int32		weight = mr_split_weight(&split, &need->arm);

	if (weight > 0)
	{
		StringInfoData text;

		initStringInfo(&text);
		mr_percent_append(&text, weight);
		return text.data;
	}
	return need->traffic == MR_TRAFFIC_SHADOW ? pstrdup("shadow") :
		pstrdup("0% now, more in a coming step");
}

/* The traffic of an arm that the stage does not permit. */
static bool
is_refused(const Search *search, const MrNeed *need)
{
	MrStage		stage = search->stage;

	if (stage == MR_STAGE_NONE)
		stage = mr_version_stage(need->arm.model, need->arm.version, NULL, NULL);
	return mr_need_missing(need, search->policy->traffic[stage]) != 0;
}

/* Would the policy refuse the next rollout of a follower? */
static bool
cannot_follow(const Search *search, const MrEndpoint *endpoint)
{
	uint32		may = search->policy->traffic[MR_STAGE_PRODUCTION];

	return search->version == 0 && is_follower(search, endpoint) &&
		(mr_follow_traffic(mr_plan_read(&endpoint->plan->root)) & ~may) != 0;
}

static void
find_refused(const MrEndpoint *endpoint, void *arg)
{
	Search	   *search = arg;
	const MrSchedule *schedule = mr_endpoint_schedule(endpoint, NULL);
	MrNeeds		needs;

	if (search->but_followers && is_follower(search, endpoint))
		return;
	if (cannot_follow(search, endpoint))
		add_found(search, endpoint, NULL, "follows by a plan with other traffic");
	needs = mr_needs_of_schedule(schedule, search->now, &schedule->from);
	for (int i = 0; i < needs.n; i++)
		if (is_sought(search, &needs.needs[i].arm) && is_refused(search, &needs.needs[i]))
			add_found(search, endpoint, &needs.needs[i].arm,
					  share_text(schedule, &needs.needs[i], search->now));
}

/* For mr_traffic_refused. */
static char *
traffic_refused(const MrModel *model, int32 version, int stage, bool but_followers)
{
	Search		search = {.model = model->id,.version = version,.stage = stage,
	.but_followers = but_followers,.now = GetCurrentTimestamp()};

	search.policy = mr_policy_of(model, NULL);
	initStringInfo(&search.found);
	mr_each_live_endpoint(model->team.id, NULL, find_refused, &search);
	return search.found.len > 0 ? search.found.data : NULL;
}

/* One that serves is named with its share. */
static void
find_use(const MrEndpoint *endpoint, void *arg)
{
	Search	   *search = arg;
	const MrSchedule *schedule = mr_endpoint_schedule(endpoint, NULL);
	MrArm		arm = {search->model, search->version};
	MrNeeds		needs = mr_needs_of_schedule(schedule, search->now, &schedule->from);
	int			before = search->found.len;

	for (int i = 0; i < needs.n; i++)
		if (is_sought(search, &needs.needs[i].arm))
			add_found(search, endpoint, &needs.needs[i].arm,
					  share_text(schedule, &needs.needs[i], search->now));
	if (search->found.len > before)
		return;
	if (search->version == 0 && is_follower(search, endpoint))
		add_found(search, endpoint, NULL, "follows it");
	else if (search->version != 0 &&
			 mr_schedule_use(schedule, &arm, search->now) == MR_USE_WARM)
		add_found(search, endpoint, NULL, "warm");
}

/* For mr_version_in_use. */
static char *
version_in_use(int64 model, int32 version)
{
	Search		search = {.model = model,.version = version,
	.now = GetCurrentTimestamp()};

	initStringInfo(&search.found);
	mr_each_live_endpoint(mr_model_get(model, NULL).team.id, NULL, find_use, &search);
	return search.found.len > 0 ? search.found.data : NULL;
}

void
mr_serves_init(void)
{
	mr_version_in_use = version_in_use;
	mr_traffic_refused = traffic_refused;
}
