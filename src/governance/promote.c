/*
 * promote.c
 *		The verbs that move a version: promote, rollback_model.
 */
#include "postgres.h"


#include "base/args.h"
#include "base/errors.h"
#include "governance/governance.h"
#include "governance/transition.h"
#include "registry/registry_tables.h"

PG_FUNCTION_INFO_V1(modelreg_promote);
PG_FUNCTION_INFO_V1(modelreg_rollback_model);

/* Who may decide under the policy open. */
#define DECIDERS (MR_CONTRIBUTOR | MR_REVIEWER | MR_MAINTAINER)

/* What the caller of promote() asked for. */
typedef struct Promotion
{
	int32		version;
	MrStage		to;
	bool		archive_others;
	bool		leave_none;
	bool		has_expected;
	int32		expected;		/* 0: none is current */
} Promotion;

static void
check_expected(MrTransition *transition, const Promotion *promotion)
{
	if (!promotion->has_expected ||
		promotion->expected == transition->model->current_version)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("current version of \"%s\" is %d, not %d",
					mr_model_address(transition->model),
					transition->model->current_version, promotion->expected),
			 errdetail("0 stands for no version."),
			 errhint("Look at modelreg.production() again and decide anew."),
			 mr_reason("current_differs")));
}

/* Every other version in stage Production goes to Archived. */
static void
archive_others(MrTransition *transition, int32 version)
{
	MrTable    *table = mr_table_open_read("version_stage");
	Datum		keys[2] = {Int64GetDatum(transition->model->id),
	MrStageGetDatum(MR_STAGE_PRODUCTION)};
	MrScan	   *scan = mr_scan_begin(table, "version_stage_of_model", 2, keys, NULL);

	while (mr_scan_next(scan, false))
	{
		int32		other = DatumGetInt32(mr_table_get(table, VERSION_STAGE_VERSION, NULL));

		if (other != version)
			mr_transition_move(transition, other, MR_STAGE_ARCHIVED);
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

static void
make_current(MrTransition *transition, int32 version)
{
	MrTenure	tenure;

	transition->current = version;
	if (mr_tenure_latest(transition->model->id, NULL, &tenure))
		transition->previous_seq = tenure.seq;
}

/* Never zero by accident. */
static void
leave_production(MrTransition *transition, const Promotion *promotion)
{
	if (promotion->version != transition->model->current_version)
		return;
	if (!promotion->leave_none)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d is current in Production, and no other would be",
						promotion->version),
				 errhint("Promote another version to Production, call modelreg.rollback_model(), or pass leave_none => true."),
				 mr_reason("would_leave_none")));
	make_current(transition, 0);
}

/* Returns the number of the event, 0 when all is as asked already. */
static int64
run_promotion(MrVerb *verb, MrModel *model, const Promotion *promotion,
			  const char *reason)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);

	check_expected(transition, promotion);
	mr_transition_move(transition, promotion->version, promotion->to);
	if (promotion->to != MR_STAGE_PRODUCTION)
		leave_production(transition, promotion);
	else
	{
		if (promotion->archive_others)
			archive_others(transition, promotion->version);
		if (promotion->version != model->current_version)
			make_current(transition, promotion->version);
	}
	if (transition->nmoves == 0 && transition->current == model->current_version)
	{
		mr_transition_abandon(transition);
		return 0;
	}
	return mr_transition_commit(transition,
								promotion->to == MR_STAGE_PRODUCTION ?
								"promoted" : "stage_changed");
}

/*
 * modelreg.promote(model text, version integer, stage modelreg.stage,
 *		reason text, archive_others boolean, leave_none boolean,
 *		expected_current integer, request_id text) returns bigint
 *
 * Returns the number of the decision in the model's chain, NULL when the
 * version was there already.  Errors: 42704 for model or version, 42501, 55000
 * for a transition that the policy refuses, for what would leave no version in
 * Production, and when another version is current than was expected; 40001
 * under REPEATABLE READ and above.
 */
Datum
modelreg_promote(PG_FUNCTION_ARGS)
{
	Promotion	promotion = {0};
	char	   *reason = mr_arg_text_or_null(fcinfo, 3);
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	mr_arg_require(fcinfo, 1, "version");
	mr_arg_require(fcinfo, 2, "stage");
	promotion.version = PG_GETARG_INT32(1);
	promotion.to = PG_GETARG_MRSTAGE(2);
	promotion.archive_others = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
	promotion.leave_none = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	promotion.has_expected = !PG_ARGISNULL(6);
	promotion.expected = promotion.has_expected ? PG_GETARG_INT32(6) : 0;
	if (mr_model_verb_begin(&verb, fcinfo, "promote", DECIDERS, 7, &model))
		number = run_promotion(&verb, &model, &promotion, reason);
	number = mr_verb_end_int(&verb, "number", number);
	if (number == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(number);
}

/* Where a rollback goes, or an error. */
static MrTenure
find_previous(MrTransition *transition)
{
	MrTenure	latest;
	MrTenure	previous;
	int64		model = transition->model->id;

	if (!mr_tenure_latest(model, NULL, &latest) ||
		!mr_tenure_previous(model, NULL, &latest, &previous))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no version of \"%s\" was current before",
						mr_model_address(transition->model)),
				 errhint("Choose a version and call modelreg.promote()."),
				 mr_reason("no_previous")));
	return previous;
}

/*
 * Back to what was current before: what is left is archived, and the link of
 * the one returned to is taken over, so that a second rollback goes further.
 */
static int32
run_rollback(MrVerb *verb, MrModel *model, const char *reason,
			 const Promotion *expectation)
{
	MrTransition *transition = mr_transition_begin(verb, model, reason);
	MrTenure	previous;

	check_expected(transition, expectation);
	previous = find_previous(transition);
	mr_transition_move(transition, previous.version, MR_STAGE_PRODUCTION);
	if (model->current_version != 0)
		mr_transition_move(transition, model->current_version, MR_STAGE_ARCHIVED);
	transition->current = previous.version;
	transition->previous_seq = previous.previous_seq;
	mr_transition_commit(transition, "rolled_back");
	return previous.version;
}

/*
 * modelreg.rollback_model(model text, reason text, expected_current integer,
 *		request_id text) returns integer, the version that is current now.
 *
 * Errors: 42704, 42501, 55000 when nothing was current before or another
 * version is current than was expected.
 */
Datum
modelreg_rollback_model(PG_FUNCTION_ARGS)
{
	char	   *reason = mr_arg_text(fcinfo, 1, "reason");
	Promotion	expectation = {0};
	MrModel		model;
	MrVerb		verb;
	int32		version = 0;

	expectation.has_expected = !PG_ARGISNULL(2);
	expectation.expected = expectation.has_expected ? PG_GETARG_INT32(2) : 0;
	if (mr_model_verb_begin(&verb, fcinfo, "rollback_model", DECIDERS, 3,
							&model))
		version = run_rollback(&verb, &model, reason, &expectation);
	PG_RETURN_INT32((int32) mr_verb_end_int(&verb, "number", version));
}
