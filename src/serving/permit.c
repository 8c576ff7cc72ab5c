/*
 * permit.c
 *		Which versions may take which traffic: by their stages, their models'
 *		policies, and what is quarantined.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "artifact/artifact.h"
#include "audit/marks.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/snapshot.h"
#include "governance/quarantine.h"
#include "governance/transition.h"
#include "registry/quarantine.h"
#include "registry/version_node.h"
#include "serving/permit.h"
#include "serving/serving_tables.h"

/* A share below all that stands or falls: canary or linear will do. */
#define NEED_EITHER (1 << 4)

static const struct
{
	uint32		bit;
	const char *name;
}			kinds[] = {
	{MR_TRAFFIC_SHADOW, "shadow"},
	{MR_TRAFFIC_CANARY, "canary"},
	{MR_TRAFFIC_LINEAR, "linear"},
	{MR_TRAFFIC_FULL, "full"},
};

void
mr_need_add(MrNeeds *needs, MrArm arm, uint32 traffic, bool grows)
{
	for (int i = 0; i < needs->n; i++)
		if (mr_arm_compare(&needs->needs[i].arm, &arm) == 0)
		{
			needs->needs[i].traffic |= traffic;
			needs->needs[i].grows |= grows;
			return;
		}
	needs->needs = mr_grow(needs->needs, needs->n, &needs->room, sizeof(MrNeed));
	needs->needs[needs->n++] = (MrNeed) {arm, traffic, grows};
}

static void
add_split(MrNeeds *needs, const MrSplit *split, const MrSplit *before, uint32 growing)
{
	for (int i = 0; i < split->n; i++)
	{
		const MrShare *share = &split->shares[i];
		bool		grows = share->weight > mr_split_weight(before, &share->arm);

		mr_need_add(needs, share->arm, share->weight == MR_WHOLE ? MR_TRAFFIC_FULL :
				 grows ? growing : NEED_EITHER, grows);
	}
}

static void
add_step(MrNeeds *needs, const MrStep *step, const MrSplit *before, uint32 growing)
{
	MrSplit		split = mr_split_of(&step->segments);

	add_split(needs, &split, before, growing);
	for (int i = 0; i < step->nshadow; i++)
		mr_need_add(needs, step->shadow[i], MR_TRAFFIC_SHADOW, true);
}

/* An abort takes the traffic back to where the rollout started, which so stays permitted. */
static void
add_start(MrNeeds *needs, const MrSplit *from)
{
	for (int i = 0; i < from->n; i++)
		mr_need_add(needs, from->shares[i].arm,
				 from->shares[i].weight == MR_WHOLE ? MR_TRAFFIC_FULL : NEED_EITHER, false);
}

/* What a schedule asks from a time on, where another split stood before. */
MrNeeds
mr_needs_of_schedule(const MrSchedule *schedule, TimestampTz time, const MrSplit *before)
{
	MrNeeds		needs = {0};
	uint32		growing = schedule->plan == NULL ? NEED_EITHER :
		schedule->plan->linear ? MR_TRAFFIC_LINEAR : MR_TRAFFIC_CANARY;

	for (int i = mr_schedule_present_step(schedule, time); i < schedule->nsteps; i++)
		add_step(&needs, &schedule->steps[i], before, growing);
	for (int i = 0; i < schedule->nwaiting; i++)
		add_step(&needs, &schedule->waiting[i], before, growing);
	if (mr_schedule_runs(schedule, time))
		add_start(&needs, &schedule->from);
	return needs;
}

/* What a split asks that is to stand. */
MrNeeds
mr_needs_of_split(const MrSplit *split)
{
	static const MrSplit nothing = {NULL, 0};
	MrNeeds		needs = {0};

	add_split(&needs, split, &nothing, NEED_EITHER);
	return needs;
}

/* shadow and canary */
static char *
list_kinds(uint32 traffic)
{
	StringInfoData list;
	int			left = 0;

	for (int i = 0; i < lengthof(kinds); i++)
		left += (traffic & kinds[i].bit) != 0;
	if (left == 0)
		return "none";
	initStringInfo(&list);
	for (int i = 0; i < lengthof(kinds); i++)
		if (traffic & kinds[i].bit)
			appendStringInfo(&list, "%s%s", kinds[i].name,
							 --left == 0 ? "" : left == 1 ? " and " : ", ");
	return list.data;
}

/* The model of an arm with the name of its team, which its reader may read. */
static bool
load_model(int64 id, Snapshot snapshot, MrModel *model)
{
	const MrTeam *known;
	bool		live;

	*model = mr_model_get(id, snapshot);
	live = mr_model_by_id(&model->team, id, snapshot, model);
	known = mr_team_by_id(model->team.id);
	if (known != NULL)
		model->team.name = pstrdup(known->name);
	return live;
}

/* team.model/version */
char *
mr_permit_address(const MrArm *arm, Snapshot snapshot)
{
	MrModel		model;

	(void) load_model(arm->model, snapshot, &model);
	return psprintf("%s/%d", mr_model_address(&model), arm->version);
}

static void
add_sentence(StringInfo text, const char *sentence)
{
	appendStringInfo(text, "%s%s", text->len == 0 ? "" : "\n", sentence);
}

/* The traffic that is asked for, as far as it is not among what an arm may take. */
uint32
mr_need_missing(const MrNeed *need, uint32 may)
{
	uint32		missing = need->traffic & ~may;

	if ((missing & NEED_EITHER) == 0)
		return missing;
	return (missing & ~NEED_EITHER) |
		((may & (MR_TRAFFIC_CANARY | MR_TRAFFIC_LINEAR)) != 0 ? 0 : MR_TRAFFIC_CANARY);
}

/* What keeps an arm from its traffic, were it in a stage; NULL for nothing. */
static char *
refusal_in_stage(const MrNeed *need, MrStage stage, Snapshot snapshot)
{
	MrModel		model;
	bool		live = load_model(need->arm.model, snapshot, &model);
	int32		version = need->arm.version;
	uint32		may = stage == MR_STAGE_NONE ? 0 : mr_policy_of(&model, snapshot)->traffic[stage];
	uint32		missing = mr_need_missing(need, may);
	const char *name = mr_model_address(&model);

	if (!live)
		return psprintf("%s was retired.", name);
	if (stage == MR_STAGE_NONE)
		return psprintf("%s has no version %d.", name, version);
	if (mr_version_is_purged(model.id, version, snapshot))
		return psprintf("%s/%d was purged.", name, version);
	if (missing == 0)
		return NULL;
	return psprintf("%s/%d in %s takes %s by policy \"%s\", and %s is asked for.", name, version,
					mr_stage_name(stage), list_kinds(may), model.policy,
					list_kinds(missing));
}

static char *
refusal_of(const MrNeed *need, Snapshot snapshot)
{
	return refusal_in_stage(need, mr_version_stage(need->arm.model, need->arm.version, snapshot, NULL),
							snapshot);
}

/* What stages and policies do not permit, a line for each arm; NULL for nothing. */
char *
mr_permit_refusal(const MrNeeds *needs, Snapshot snapshot)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < needs->n; i++)
	{
		char	   *refusal = refusal_of(&needs->needs[i], snapshot);

		if (refusal != NULL)
			add_sentence(&text, refusal);
	}
	return text.len == 0 ? NULL : text.data;
}

static MrMark
quarantine_mark(const MrArm *arm, Snapshot snapshot)
{
	MrMark		mark = {.model = arm->model,.version = arm->version};
	MrModel		model = mr_model_get(arm->model, snapshot);
	MrStage		stage;

	stage = mr_version_stage(arm->model, arm->version, snapshot, NULL);
	mark.node = mr_version_node_id(arm->model, arm->version, snapshot);
	mark.what = mr_quarantine_roles_in(mr_policy_of(&model, snapshot),
									   stage == MR_STAGE_ARCHIVED ? MR_STAGE_PRODUCTION : stage);
	return mark;
}

/* Is the arm to have more, and derives from what is quarantined? */
bool
mr_permit_is_quarantined(const MrNeed *need, Snapshot snapshot)
{
	MrMark		mark;

	if (!need->grows)
		return false;
	mark = quarantine_mark(&need->arm, snapshot);
	return mr_quarantine_touches(&mark);
}

/*
 * The versions that are to have more and derive from quarantined nodes, a line
 * for each; NULL for none.
 */
char *
mr_permit_quarantine(const MrNeeds *needs, Snapshot snapshot)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < needs->n; i++)
	{
		if (mr_permit_is_quarantined(&needs->needs[i], snapshot))
			add_sentence(&text, psprintf("%s derives from what is quarantined.",
										 mr_permit_address(&needs->needs[i].arm, snapshot)));
	}
	return text.len == 0 ? NULL : text.data;
}

bool
mr_permit_is_archived(const MrArm *arm, Snapshot snapshot)
{
	return mr_version_stage(arm->model, arm->version, snapshot, NULL) == MR_STAGE_ARCHIVED;
}

/* Out of Archived a version comes back only as rollback_model() lets it: if it was current. */
static char *
return_refusal_of(const MrNeed *need, MrRights rights, Snapshot snapshot)
{
	MrModel		model;
	char	   *refusal;

	if (!mr_permit_is_archived(&need->arm, snapshot))
		return refusal_of(need, snapshot);
	refusal = refusal_in_stage(need, MR_STAGE_PRODUCTION, snapshot);
	if (refusal != NULL)
		return refusal;
	(void) load_model(need->arm.model, snapshot, &model);
	if (!mr_tenure_was_current(need->arm.model, need->arm.version, snapshot))
		return psprintf("%s/%d is archived, and never was current in Production.",
						mr_model_address(&model), need->arm.version);
	if ((mr_policy_of(&model, snapshot)->return_levels & rights) != 0)
		return NULL;
	return psprintf("%s/%d is archived, and policy \"%s\" does not let you return it.",
					mr_model_address(&model), need->arm.version, model.policy);
}

/*
 * What keeps arms from traffic that they had, if those that were archived are
 * returned to Production by who has these rights; NULL for nothing.
 */
char *
mr_permit_return_refusal(const MrNeeds *needs, MrRights rights, Snapshot snapshot)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < needs->n; i++)
	{
		char	   *refusal = return_refusal_of(&needs->needs[i], rights, snapshot);

		if (refusal != NULL)
			add_sentence(&text, refusal);
	}
	return text.len > 0 ? text.data : mr_permit_quarantine(needs, snapshot);
}

/* Error 55000 for what is not permitted now; all of it is told. */
void
mr_permit_require(const MrNeeds *needs)
{
	char	   *refusal = mr_permit_refusal(needs, NULL);
	char	   *quarantine;

	if (refusal != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("not every version may take this traffic"),
				 errdetail_internal("%s", refusal),
				 errhint("Promote the version first, or choose another plan; modelreg.policy_document() tells which stage takes what."),
				 mr_reason("traffic_not_permitted")));
	quarantine = mr_permit_quarantine(needs, NULL);
	if (quarantine != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("not every version may take this traffic"),
				 errdetail_internal("%s", quarantine),
				 errhint("The view modelreg.quarantined has the reasons."),
				 mr_reason("quarantined")));
}

/*
 * Look again before the commit whether what is to have more was quarantined;
 * mr_endpoint_change() has the rest looked at.
 */
void
mr_permit_mark(const MrNeeds *needs)
{
	for (int i = 0; i < needs->n; i++)
		if (needs->needs[i].grows)
		{
			MrMark		quarantine = quarantine_mark(&needs->needs[i].arm, NULL);

			mr_mark(MR_MARK_QUARANTINE, &quarantine);
		}
}
