/*
 * gate_evaluation.c
 *		Gates that ask for evaluations of the version: that there is one, what
 *		it measured, how well it is calibrated.
 *
 * What is missing, is no finite
 * number, is older than the gate allows, or was recorded by who registered the
 * version where the policy wants another, fails.  Values are compared as
 * decimals, as they are written, so that 0.35 is 0.01 more than 0.34.
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "base/decimal.h"
#include "governance/gate_found.h"
#include "governance/gate_texts.h"

/* What is told of evaluations, one of each data set. */
typedef struct Told
{
	MrGateTexts failing;
	MrGateTexts holding;
} Told;

static void
tell(const MrGateSubject *subject, const MrFound *found, bool holds, char *text,
	 Told *told, MrGateResult *result)
{
	mr_gate_texts_add(holds ? &told->holding : &told->failing,
					  mr_gate_with_dataset(subject, found, text, result));
}

/* It holds if each holds; what fails is told, or else all. */
static void
conclude(const Told *told, MrGateResult *result)
{
	result->holds = told->failing.n == 0;
	result->observed = mr_gate_texts_join(result->holds ? &told->holding : &told->failing);
}

/* "evaluation": there is one, it did not fail, and passed if that is asked. */

static const MrMember evaluation_members[] = {
	{"evaluation", MR_MEMBER_TEXT, true},
	{"dataset", MR_MEMBER_TEXT, false},
	{"slice", MR_MEMBER_TEXT, false},
	{"passed", MR_MEMBER_BOOL, false},
	{"max_age_days", MR_MEMBER_COUNT, false},
	{NULL}
};

/* Judge one evaluation by its own verdict. */
static void
judge_passed(const MrGateSubject *subject, const MrGate *gate, bool must_pass,
			 const MrFound *found, Told *told, MrGateResult *result)
{
	char	   *fault = mr_gate_fault_of(subject, gate, found);

	mr_gate_saw_found(result, found);
	tell(subject, found, fault == NULL && !found->failed && (found->passed || !must_pass),
		 psprintf("%s%s%s", found->passed ? "passed" :
				  found->failed ? "did not pass" : "no verdict",
				  fault ? ", " : "", fault ? fault : ""), told, result);
}

/* Judge each evaluation that is searched for by its own verdict. */
static void
judge_all(const MrGateSubject *subject, const MrGate *gate, bool must_pass,
		  const MrGateSearch *search, MrGateResult *result)
{
	MrFoundList	list = mr_gate_find_evaluations(subject->node, search, subject->snapshot);
	Told		told = {0};
	StringInfoData required;

	initStringInfo(&required);
	appendStringInfo(&required, "%s %s", mr_gate_search_text(search),
					 must_pass ? "passed" : "exists and did not fail");
	mr_gate_append_age(&required, gate);
	result->required = required.data;
	result->observed = "none";
	for (int i = 0; i < list.n; i++)
		judge_passed(subject, gate, must_pass, &list.items[i], &told, result);
	if (list.n > 0)
		conclude(&told, result);
}

static void
test_evaluation(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	MrGateSearch search = mr_gate_search_of(subject, gate);

	judge_all(subject, gate, mr_member_bool(gate->definition, "passed", false), &search, result);
}

const MrGateKind mr_gate_evaluation = {
	.name = "evaluation",.members = evaluation_members,.check = mr_gate_check_search,
	.test = test_evaluation
};

/* "metric": a value within bounds, or against that of Production. */

static const MrMember metric_members[] = {
	{"metric", MR_MEMBER_TEXT, true},
	{"evaluation", MR_MEMBER_TEXT, true},
	{"dataset", MR_MEMBER_TEXT, false},
	{"slice", MR_MEMBER_TEXT, false},
	{"better", MR_MEMBER_TEXT, false},
	{"at_least", MR_MEMBER_NUMBER, false},
	{"at_most", MR_MEMBER_NUMBER, false},
	{"min_gain", MR_MEMBER_NUMBER, false},
	{"max_loss_percent", MR_MEMBER_NUMBER, false},
	{"max_age_days", MR_MEMBER_COUNT, false},
	{NULL}
};

static bool
lower_is_better(JsonbContainer *definition)
{
	const char *better = mr_member_text(definition, "better");

	return better != NULL && strcmp(better, "lower") == 0;
}

static void
check_better(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	const char *better = mr_member_text(definition, "better");

	if (better != NULL && strcmp(better, "higher") != 0 && strcmp(better, "lower") != 0)
		mr_mistake(mistakes, "\"better\" of %s must be higher or lower.", where);
}

static void
check_metric(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	static const char *const asks[] = {"at_least", "at_most", "min_gain", "max_loss_percent"};
	Numeric		zero = int64_to_numeric(0);
	int			n = 0;

	for (int i = 0; i < lengthof(asks); i++)
	{
		Numeric		number = mr_member_number(definition, asks[i]);

		n += number != NULL;
		if (i >= 2 && number != NULL && mr_decimal_compare(number, zero) < 0)
			mr_mistake(mistakes, "\"%s\" of %s must not be negative.", asks[i], where);
	}
	if (n == 0)
		mr_mistake(mistakes, "%s asks for nothing: give at_least, at_most, min_gain or max_loss_percent.", where);
	mr_gate_check_search(definition, where, mistakes);
	check_better(definition, where, mistakes);
	mr_gate_check_bounds(definition, where, mistakes);
}

/*
 * What of its value Production has to be bettered by: the bound is
 * Production's value, and so much in the direction that is better.
 */
static Numeric
needed_gain(JsonbContainer *definition, Numeric production)
{
	Numeric		gain = mr_member_number(definition, "min_gain");
	Numeric		percent = mr_member_number(definition, "max_loss_percent");
	Numeric		loss;

	if (gain != NULL)
		return gain;
	loss = mr_calculate(numeric_mul, DatumGetNumeric(DirectFunctionCall1(numeric_abs, NumericGetDatum(production))),
						mr_calculate(numeric_mul, percent, mr_decimal(0.01)));
	return DatumGetNumeric(DirectFunctionCall1(numeric_uminus, NumericGetDatum(loss)));
}

static bool
beats(JsonbContainer *definition, Numeric value, Numeric production)
{
	Numeric		gain = needed_gain(definition, production);

	if (lower_is_better(definition))
		return mr_decimal_compare(value, mr_calculate(numeric_sub, production, gain)) <= 0;
	return mr_decimal_compare(value, mr_calculate(numeric_add, production, gain)) >= 0;
}

static bool
asks_for_production(JsonbContainer *definition)
{
	return mr_member_number(definition, "min_gain") != NULL ||
		mr_member_number(definition, "max_loss_percent") != NULL;
}

static void
append_comparison(JsonbContainer *definition, StringInfo required)
{
	Numeric		gain = mr_member_number(definition, "min_gain");
	Numeric		percent = mr_member_number(definition, "max_loss_percent");
	const char *better = lower_is_better(definition) ? "lower" : "higher";

	if (gain != NULL)
		appendStringInfo(required, ", better than Production's by at least %s (%s is better)",
						 mr_gate_number_text(gain), better);
	if (percent != NULL)
		appendStringInfo(required, ", worse than Production's by at most %s%% (%s is better)",
						 mr_gate_number_text(percent), better);
}

/*
 * Hold a value against that of the version in Production, if there is one, of
 * the same data set.  Who registered the version does not set its bar either.
 */
static bool
compare_with_production(const MrGateSubject *subject, const MrGate *gate,
						const MrFoundList *list, int64 dataset, Numeric value,
						MrGateResult *result, StringInfo observed)
{
	const char *where = psprintf("%s%s", mr_gate_compared(subject),
								 subject->current_model != subject->model->id ? "" :
								 subject->model->current_version == 0 ?
								 ", the last in Production," : " in Production");
	const MrFound *found = NULL;
	char	   *fault;

	if (!asks_for_production(gate->definition))
		return true;
	if (subject->current == 0)
	{
		appendStringInfoString(observed, ", nothing to compare with in Production");
		return true;
	}
	for (int i = 0; i < list->n; i++)
		if (list->items[i].dataset == dataset)
			found = &list->items[i];
	if (found != NULL)
		mr_gate_saw_evaluation(result, found->id);
	if (found == NULL || isnan(found->value) || isinf(found->value))
	{
		appendStringInfo(observed, ", %s has no value", where);
		return false;
	}
	fault = mr_gate_fault_of_evaluator(subject, found->who);
	appendStringInfo(observed, ", %s has %s%s%s", where, mr_gate_number_text(mr_decimal(found->value)),
					 fault ? ", " : "", fault ? fault : "");
	return value != NULL && fault == NULL && beats(gate->definition, value, mr_decimal(found->value));
}

/* Judge the value of an evaluation, or that there is none (NULL). */
static void
judge_metric(const MrGateSubject *subject, const MrGate *gate, const MrFoundList *production,
			 const MrFound *found, Told *told, MrGateResult *result)
{
	bool		has_value = found != NULL && !isnan(found->value) && !isinf(found->value);
	Numeric		value = has_value ? mr_decimal(found->value) : NULL;
	char	   *fault = found != NULL ? mr_gate_fault_of(subject, gate, found) : NULL;
	StringInfoData observed;
	StringInfoData ignored;
	bool		holds;

	initStringInfo(&observed);
	initStringInfo(&ignored);
	appendStringInfoString(&observed, found == NULL ? "no value" :
						   !has_value ? "no finite number" : mr_gate_number_text(value));
	if (fault != NULL)
		appendStringInfo(&observed, ", %s", fault);
	if (found != NULL)
		mr_gate_saw_found(result, found);
	holds = mr_gate_within_bounds(gate->definition, value, &ignored) && fault == NULL;
	holds &= compare_with_production(subject, gate, production, found ? found->dataset : 0,
									 value, result, &observed);
	tell(subject, found, holds, observed.data, told, result);
}

static char *
metric_required(const MrGate *gate, const MrGateSearch *search)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s of %s", search->metric, mr_gate_search_text(search));
	mr_gate_within_bounds(gate->definition, NULL, &buf);
	append_comparison(gate->definition, &buf);
	mr_gate_append_age(&buf, gate);
	return buf.data;
}

static void
test_metric(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	MrGateSearch search = mr_gate_search_of(subject, gate);
	MrFoundList	list = mr_gate_find_evaluations(subject->node, &search, subject->snapshot);
	MrFoundList	production = {0};
	Told		told = {0};

	if (subject->current != 0 && asks_for_production(gate->definition))
		production = mr_gate_find_evaluations(subject->current_node, &search, subject->snapshot);
	for (int i = 0; i < list.n; i++)
		judge_metric(subject, gate, &production, &list.items[i], &told, result);
	if (list.n == 0)
		judge_metric(subject, gate, &production, NULL, &told, result);
	conclude(&told, result);
	result->required = metric_required(gate, &search);
}

const MrGateKind mr_gate_metric = {
	.name = "metric",.members = metric_members,.check = check_metric,
	.test = test_metric
};

/*
 * "calibration": the error at most so much, or, of no metric, that the
 * evaluation passed.
 */

static const MrMember calibration_members[] = {
	{"evaluation", MR_MEMBER_TEXT, false},
	{"metric", MR_MEMBER_TEXT, false},
	{"at_most", MR_MEMBER_NUMBER, false},
	{"dataset", MR_MEMBER_TEXT, false},
	{"slice", MR_MEMBER_TEXT, false},
	{"max_age_days", MR_MEMBER_COUNT, false},
	{NULL}
};

static void
check_calibration(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	if ((mr_member_text(definition, "metric") == NULL) !=
		(mr_member_number(definition, "at_most") == NULL))
		mr_mistake(mistakes, "%s needs both \"metric\" and \"at_most\", or neither.", where);
	mr_gate_check_search(definition, where, mistakes);
}

static void
test_calibration(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	MrGateSearch search = mr_gate_search_of(subject, gate);

	if (search.metric == NULL)
		judge_all(subject, gate, true, &search, result);
	else
		test_metric(subject, gate, result);
}

const MrGateKind mr_gate_calibration = {
	.name = "calibration",.members = calibration_members,
	.check = check_calibration,.test = test_calibration,.evaluation = "calibration"
};
