/*
 * gate_fairness.c
 *		Gate "fairness": of each data set and slice the latest evaluation; the
 *		worst value, the spread between the values, or, of no metric, that all
 *		passed.
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "base/decimal.h"
#include "governance/gate_found.h"

static const MrMember fairness_members[] = {
	{"evaluation", MR_MEMBER_TEXT, false},
	{"metric", MR_MEMBER_TEXT, false},
	{"at_least", MR_MEMBER_NUMBER, false},
	{"at_most", MR_MEMBER_NUMBER, false},
	{"max_spread", MR_MEMBER_NUMBER, false},
	{"slices", MR_MEMBER_TEXTS, false},
	{"dataset", MR_MEMBER_TEXT, false},
	{"max_age_days", MR_MEMBER_COUNT, false},
	{NULL}
};

static bool
has_bounds(JsonbContainer *definition)
{
	return mr_member_number(definition, "at_least") != NULL ||
		mr_member_number(definition, "at_most") != NULL ||
		mr_member_number(definition, "max_spread") != NULL;
}

static void
check_fairness(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	Numeric		spread = mr_member_number(definition, "max_spread");

	if ((mr_member_text(definition, "metric") != NULL) != has_bounds(definition))
		mr_mistake(mistakes, "%s needs \"metric\" and one of at_least, at_most and max_spread, or none of these.", where);
	if (spread != NULL && mr_decimal_compare(spread, int64_to_numeric(0)) < 0)
		mr_mistake(mistakes, "\"max_spread\" of %s must not be negative.", where);
	mr_gate_check_search(definition, where, mistakes);
	mr_gate_check_bounds(definition, where, mistakes);
}

static int
compare_slices(const void *a, const void *b)
{
	const MrFound *x = a;
	const MrFound *y = b;
	int			order = strcmp(x->slice, y->slice);

	return order != 0 ? order : (x->dataset > y->dataset) - (x->dataset < y->dataset);
}

/* A slice that the gate names and nobody evaluated; NULL for none. */
static char *
missing_slice(const MrGate *gate, const MrFoundList *list)
{
	int			n;
	char	  **slices = mr_member_texts(gate->definition, "slices", &n);

	for (int i = 0; i < n; i++)
	{
		bool		found = false;

		for (int j = 0; j < list->n; j++)
			found |= strcmp(list->items[j].slice, slices[i]) == 0;
		if (!found)
			return slices[i];
	}
	return NULL;
}

/* How many slices there are in a sorted list. */
static int
count_slices(const MrFoundList *list)
{
	int			n = 0;

	for (int i = 0; i < list->n; i++)
		n += i == 0 || strcmp(list->items[i].slice, list->items[i - 1].slice) != 0;
	return n;
}

/* What is wrong with the evaluation of a slice before its value is looked at. */
static char *
fault_of_slice(const MrGateSubject *subject, const MrGate *gate, const MrFound *found,
			   bool has_metric)
{
	char	   *fault = mr_gate_fault_of(subject, gate, found);

	if (fault != NULL)
		return fault;
	if (has_metric && (isnan(found->value) || isinf(found->value)))
		return "no finite number";
	return !has_metric && !found->passed ? "did not pass" : NULL;
}

/* The first slice that cannot be counted on, in words; NULL for none. */
static char *
slice_fault(const MrGateSubject *subject, const MrGate *gate, const MrFoundList *list,
			bool has_metric, MrGateResult *result)
{
	char	   *missing = missing_slice(gate, list);

	if (count_slices(list) < 2)
		return list->n == 0 ? "no slice" : "only one slice";
	if (missing != NULL)
		return psprintf("slice \"%s\" is missing", missing);
	for (int i = 0; i < list->n; i++)
	{
		char	   *fault = fault_of_slice(subject, gate, &list->items[i], has_metric);

		if (fault != NULL)
			return mr_gate_with_dataset(subject, &list->items[i],
								psprintf("slice \"%s\": %s", list->items[i].slice, fault), result);
	}
	return NULL;
}

/* The slices with the smallest and with the largest value. */
static void
find_extremes(const MrFoundList *list, const MrFound **least, const MrFound **most)
{
	*least = *most = &list->items[0];
	for (int i = 1; i < list->n; i++)
	{
		if (list->items[i].value < (*least)->value)
			*least = &list->items[i];
		if (list->items[i].value > (*most)->value)
			*most = &list->items[i];
	}
}

static void
judge_slices(const MrGateSubject *subject, const MrGate *gate, const MrFoundList *list,
			 MrGateResult *result)
{
	Numeric		spread = mr_member_number(gate->definition, "max_spread");
	const MrFound *least;
	const MrFound *most;
	Numeric		low;
	Numeric		high;
	StringInfoData ignored;

	initStringInfo(&ignored);
	find_extremes(list, &least, &most);
	low = mr_decimal(least->value);
	high = mr_decimal(most->value);
	result->holds = mr_gate_within_bounds(gate->definition, low, &ignored) &&
		mr_gate_within_bounds(gate->definition, high, &ignored) &&
		(spread == NULL || mr_decimal_compare(mr_calculate(numeric_sub, high, low), spread) <= 0);
	result->observed = psprintf("from %s (%s) to %s (%s) over %d slices", mr_gate_number_text(low),
								mr_gate_with_dataset(subject, least, psprintf("slice \"%s\"", least->slice), result),
								mr_gate_number_text(high),
								mr_gate_with_dataset(subject, most, psprintf("slice \"%s\"", most->slice), result),
								count_slices(list));
}

static char *
fairness_required(const MrGate *gate, const MrGateSearch *search)
{
	Numeric		spread = mr_member_number(gate->definition, "max_spread");
	StringInfoData buf;

	initStringInfo(&buf);
	if (search->metric == NULL)
		appendStringInfo(&buf, "%s passed for every slice", mr_gate_search_text(search));
	else
	{
		appendStringInfo(&buf, "%s of %s for every slice", search->metric, mr_gate_search_text(search));
		mr_gate_within_bounds(gate->definition, NULL, &buf);
	}
	if (spread != NULL)
		appendStringInfo(&buf, ", not more than %s apart", mr_gate_number_text(spread));
	mr_gate_append_age(&buf, gate);
	return buf.data;
}

static void
test_fairness(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	MrGateSearch search = mr_gate_search_of(subject, gate);
	MrFoundList	list;
	char	   *fault;

	search.slice = NULL;
	list = mr_gate_find_evaluations(subject->node, &search, subject->snapshot);
	if (list.n > 1)
		qsort(list.items, list.n, sizeof(MrFound), compare_slices);
	for (int i = 0; i < list.n; i++)
		mr_gate_saw_found(result, &list.items[i]);
	result->required = fairness_required(gate, &search);
	fault = slice_fault(subject, gate, &list, search.metric != NULL, result);
	if (fault != NULL)
		result->observed = fault;
	else if (search.metric == NULL)
	{
		result->holds = true;
		result->observed = psprintf("passed for %d slices", count_slices(&list));
	}
	else
		judge_slices(subject, gate, &list, result);
}

const MrGateKind mr_gate_fairness = {
	.name = "fairness",.members = fairness_members,.check = check_fairness,
	.test = test_fairness,.evaluation = "fairness"
};
