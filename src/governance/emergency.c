/*
 * emergency.c
 *		emergency_promote: past gates and approvals, and loudly.
 */
#include "postgres.h"

#include "commands/async.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/snapshot.h"
#include "governance/promotion.h"

PG_FUNCTION_INFO_V1(modelreg_emergency_promote);

#define CHANNEL "modelreg_emergency"

/* Some gates hold in an emergency too. */
static void
require_absolute(const MrLook *look)
{
	for (int i = 0; i < look->gates.n; i++)
		if (!look->gates.items[i].holds && look->gates.items[i].gate->kind->absolute &&
			look->gates.items[i].gate->blocks)
			mr_gates_raise_refused(&look->subject, &look->gates);
}

/* What the gates say where no transition of the policy leads. */
static const MrPolicyTransition *
any_way(const MrPolicy *policy, MrStage to)
{
	for (MrStage from = MR_STAGE_ARCHIVED; from > MR_STAGE_NONE; from--)
		if (mr_policy_transition(policy, from, to) != NULL)
			return mr_policy_transition(policy, from, to);
	return NULL;
}

static void
notify(int64 model)
{
	char		payload[32];

	snprintf(payload, sizeof(payload), INT64_FORMAT, model);
	Async_Notify(CHANNEL, payload);
}

/* Returns the number of the event, 0 when the version is there already. */
static int64
emergency_promote(MrVerb *verb, MrModel *model, const MrPromotion *promotion,
				  const char *reason)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	MrLook		look = mr_look_at_way(model, promotion, snapshot);
	int64		number = 0;

	mr_policy_require_level(model->policy, look.policy->emergency_levels,
							verb->team.rights, "promote in an emergency");
	if (look.done)
		mr_transition_abandon(transition);
	else
	{
		if (look.way == NULL)
			look.way = any_way(look.policy, promotion->to);
		mr_look_at_gates(&look, 0);
		require_absolute(&look);
		number = mr_promotion_decide(transition, promotion, &look, "emergency_promoted");
		notify(model->id);
	}
	UnregisterSnapshot(snapshot);
	return number;
}

/*
 * modelreg.emergency_promote(model text, version integer,
 *		stage modelreg.stage, reason text, request_id text) returns bigint
 *
 * The number of the decision, NULL when the version was there already.
 * Errors: 42704, 42501, 22023 for an empty reason, 55000 for what holds in an
 * emergency too.
 */
Datum
modelreg_emergency_promote(PG_FUNCTION_ARGS)
{
	MrPromotion promotion = mr_promotion_args(fcinfo, 1, 2);
	char	   *reason = mr_reason_arg(fcinfo, 3);
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	if (mr_model_verb_begin(&verb, fcinfo, "emergency_promote", MR_DECIDERS, 4, &model))
		number = emergency_promote(&verb, &model, &promotion, reason);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}
