/*
 * gate_evaluation.c
 *		Gates that ask for evaluations of the version: that there is one, what
 *		it measured, how slices compare, how well it is calibrated.
 *
 * Of each kind, data set and slice the latest evaluation counts, of those that
 * measured the metric if the gate names one.  What is missing, is no finite
 * number, is older than the gate allows, or was recorded by who registered the
 * version where the policy wants another, fails.  Values are compared as
 * decimals, as they are written, so that 0.35 is 0.01 more than 0.34.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_tables.h"
#include "base/decimal.h"
#include "base/grow.h"
#include "base/hash.h"
#include "governance/gate.h"
#include "governance/gate_texts.h"
#include "governance/person.h"
#include "lineage/lineage.h"
#include "registry/registry_tables.h"
#include "types/names.h"
#include "types/parse.h"

/* What a gate looks for among the evaluations of a node. */
typedef struct Search
{
	const char *kind;
	const char *metric;			/* or NULL */
	const char *slice;			/* or NULL: any but "" */
	const char *dataset;		/* an address, or NULL */
	MrNodeKey	key;			/* of the data set */
	int64		team;			/* of the data set */
} Search;

/* An evaluation, as far as gates ask. */
typedef struct Found
{
	int64		id;
	int64		dataset;		/* where the gate names no version; 0 for none */
	char	   *slice;
	bool		passed;
	bool		failed;
	float8		value;			/* of the metric */
	TimestampTz at;				/* when it was made, or else recorded */
	Jsonb	   *who;
	int			earlier;		/* how many came before it */
} Found;

typedef struct FoundList
{
	Found	   *items;
	int			n;
	int64		room;
} FoundList;

static char *
number_text(Numeric number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = number;
	return mr_json_canonical_cstring(JsonbValueToJsonb(&value));
}

/* The team that has, or had, a name; 0 for none. */
static int64
team_named(const char *name, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("team_name");
	Datum		key = CStringGetTextDatum(name);
	int64		team = 0;

	if (mr_table_find(table, "team_name_pkey", 1, &key, snapshot))
		team = DatumGetInt64(mr_table_get(table, TEAM_NAME_TEAM_ID, NULL));
	mr_table_close(table);
	return team;
}

static Search
search_of(const MrGateSubject *subject, const MrGate *gate)
{
	Search		search = {0};

	search.kind = mr_gate_evaluation_kind(gate);
	search.metric = mr_member_text(gate->definition, "metric");
	search.slice = mr_member_text(gate->definition, "slice");
	if (search.slice == NULL)
		search.slice = "";
	search.dataset = mr_member_text(gate->definition, "dataset");
	if (search.dataset != NULL)
	{
		mr_node_key_parse(search.dataset, NULL, &search.key);
		search.team = team_named(search.key.team, subject->snapshot);
	}
	return search;
}

/* A data set that the gate names without a version may have any. */
static bool
is_dataset(const Search *search, int64 id, Snapshot snapshot)
{
	MrNode		node;

	return id != 0 && mr_node_get(id, snapshot, &node) &&
		node.team == search->team &&
		strcmp(node.kind, search->key.kind) == 0 &&
		strcmp(node.name, search->key.name) == 0 &&
		(search->key.version[0] == '\0' || strcmp(node.version, search->key.version) == 0);
}

static bool
is_text(Datum value, const char *word)
{
	text	   *t = DatumGetTextPP(value);

	return VARSIZE_ANY_EXHDR(t) == strlen(word) &&
		memcmp(VARDATA_ANY(t), word, strlen(word)) == 0;
}

/* The value of a metric in the row of the slot. */
static bool
read_metric(MrTable *table, const char *metric, float8 *value)
{
	Datum	   *names;
	Datum	   *values;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(mr_table_get(table, EVALUATION_METRIC_NAMES, NULL)),
					  TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	deconstruct_array(DatumGetArrayTypeP(mr_table_get(table, EVALUATION_METRIC_VALUES, NULL)),
					  FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, NULL, &n);
	for (int i = 0; i < n; i++)
		if (is_text(names[i], metric))
		{
			*value = DatumGetFloat8(values[i]);
			return true;
		}
	return false;
}

/* Does the row in the slot match?  Then fill found. */
static bool
read_evaluation(MrTable *table, const Search *search, Snapshot snapshot, Found *found)
{
	bool		isnull;
	Datum		datum = mr_table_get(table, EVALUATION_DATASET_ID, &isnull);
	TimestampTz occurred_at;

	memset(found, 0, sizeof(Found));
	if (search->dataset != NULL &&
		!is_dataset(search, isnull ? 0 : DatumGetInt64(datum), snapshot))
		return false;
	if (!isnull && (search->dataset == NULL || search->key.version[0] == '\0'))
		found->dataset = DatumGetInt64(datum);
	found->slice = TextDatumGetCString(mr_table_get(table, EVALUATION_SLICE, NULL));
	if (search->slice == NULL ? found->slice[0] == '\0' :
		strcmp(found->slice, search->slice) != 0)
		return false;
	if (search->metric != NULL && !read_metric(table, search->metric, &found->value))
		return false;
	found->id = DatumGetInt64(mr_table_get(table, EVALUATION_ID, NULL));
	datum = mr_table_get(table, EVALUATION_PASSED, &isnull);
	found->passed = !isnull && DatumGetBool(datum);
	found->failed = !isnull && !DatumGetBool(datum);
	found->who = DatumGetJsonbP(mr_table_get(table, EVALUATION_WHO, NULL));
	found->at = DatumGetTimestampTz(mr_table_get(table, EVALUATION_RECORDED_AT, NULL));
	occurred_at = DatumGetTimestampTz(mr_table_get(table, EVALUATION_OCCURRED_AT, &isnull));
	if (!isnull && occurred_at < found->at)
		found->at = occurred_at;
	return true;
}

/*
 * Of each data set and slice the latest stays; what is found is copied from its
 * row.
 */
static void
add_found(FoundList *list, const Found *found)
{
	for (int i = 0; i < list->n; i++)
		if (list->items[i].dataset == found->dataset &&
			strcmp(list->items[i].slice, found->slice) == 0)
		{
			list->items[i].earlier++;
			return;
		}
	list->items = mr_grow(list->items, list->n, &list->room, sizeof(Found));
	list->items[list->n] = *found;
	list->items[list->n].slice = pstrdup(found->slice);
	list->items[list->n].who = DatumGetJsonbPCopy(JsonbPGetDatum(found->who));
	list->n++;
}

/* The latest evaluation of each data set and slice that is searched for. */
static FoundList
find_evaluations(int64 node, const Search *search, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("evaluation");
	Datum		keys[2] = {Int64GetDatum(node), CStringGetTextDatum(search->kind)};
	MrScan	   *scan = mr_scan_begin(table, "evaluation_node", 2, keys, snapshot);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg evaluation",
												  ALLOCSET_DEFAULT_SIZES);
	FoundList	list = {0};
	Found		found;

	while (mr_scan_next(scan, true))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		bool		matches = read_evaluation(table, search, snapshot, &found);

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(old);
		if (matches)
			add_found(&list, &found);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	mr_scan_end(scan);
	mr_table_close(table);
	return list;
}

/* NULL, or why the policy does not count what this person recorded. */
static char *
fault_of_evaluator(const MrGateSubject *subject, Jsonb *who)
{
	return subject->evaluator_differs && mr_same_person(subject->registrant, who) ?
		"recorded by who registered the version" : NULL;
}

/* What of an evaluation makes any gate fail; NULL for nothing. */
static char *
fault_of(const MrGateSubject *subject, const MrGate *gate, const Found *found)
{
	int			days = mr_member_count(gate->definition, "max_age_days", 0);
	char	   *fault = fault_of_evaluator(subject, found->who);

	if (fault != NULL)
		return fault;
	if (days > 0 && subject->now - found->at > days * USECS_PER_DAY)
		return psprintf("of %s, which is too old", mr_gate_time(found->at));
	return NULL;
}

/* What is searched for, for texts. */
static char *
search_text(const Search *search)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "evaluation \"%s\"", search->kind);
	if (search->dataset != NULL)
		appendStringInfo(&buf, " on \"%s\"", search->dataset);
	if (search->slice != NULL && search->slice[0] != '\0')
		appendStringInfo(&buf, " of slice \"%s\"", search->slice);
	return buf.data;
}

static void
append_age(StringInfo buf, const MrGate *gate)
{
	int			days = mr_member_count(gate->definition, "max_age_days", 0);

	if (days > 0)
		appendStringInfo(buf, ", not older than %d days", days);
}

static void
saw(MrGateResult *result, const Found *found)
{
	mr_gate_saw_evaluation(result, found->id);
	result->earlier += found->earlier;
}

/* What is told of evaluations, one of each data set. */
typedef struct Told
{
	MrGateTexts failing;
	MrGateTexts holding;
} Told;

/* A text about an evaluation, and what data set it is of. */
static char *
with_dataset(const MrGateSubject *subject, const Found *found, char *text, MrGateResult *result)
{
	MrNode		node;
	bool		seen = false;

	if (found == NULL || found->dataset == 0)
		return text;
	if (!mr_node_get(found->dataset, subject->snapshot, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", found->dataset);
	for (int i = 0; i < result->nnodes && !seen; i++)
		seen = result->nodes[i] == node.id;
	if (!seen)
		mr_gate_saw_node(result, node.id);
	return psprintf("%s on %s", text, mr_gate_tell_node(subject, &node));
}

static void
tell(const MrGateSubject *subject, const Found *found, bool holds, char *text,
	 Told *told, MrGateResult *result)
{
	mr_gate_texts_add(holds ? &told->holding : &told->failing,
					  with_dataset(subject, found, text, result));
}

/* It holds if each holds; what fails is told, or else all. */
static void
conclude(const Told *told, MrGateResult *result)
{
	result->holds = told->failing.n == 0;
	result->observed = mr_gate_texts_join(result->holds ? &told->holding : &told->failing);
}

static void
check_dataset(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	const char *dataset = mr_member_text(definition, "dataset");
	MrNodeKey	key;
	MrFault		fault;

	if (dataset == NULL)
		return;
	if (!mr_node_key_scan(dataset, &key, &fault))
		mr_mistake(mistakes, "\"dataset\" of %s: %s", where, fault.what);
	else if (strcmp(key.kind, MR_NODE_KIND_VERSION) == 0)
		mr_mistake(mistakes, "\"dataset\" of %s must not be a model version.", where);
}

static void
check_kind(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	mr_gate_check_evaluation_kind(definition, where, mistakes);
	check_dataset(definition, where, mistakes);
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
			 const Found *found, Told *told, MrGateResult *result)
{
	char	   *fault = fault_of(subject, gate, found);

	saw(result, found);
	tell(subject, found, fault == NULL && !found->failed && (found->passed || !must_pass),
		 psprintf("%s%s%s", found->passed ? "passed" :
				  found->failed ? "did not pass" : "no verdict",
				  fault ? ", " : "", fault ? fault : ""), told, result);
}

/* Judge each evaluation that is searched for by its own verdict. */
static void
judge_all(const MrGateSubject *subject, const MrGate *gate, bool must_pass,
		  const Search *search, MrGateResult *result)
{
	FoundList	list = find_evaluations(subject->node, search, subject->snapshot);
	Told		told = {0};
	StringInfoData required;

	initStringInfo(&required);
	appendStringInfo(&required, "%s %s", search_text(search),
					 must_pass ? "passed" : "exists and did not fail");
	append_age(&required, gate);
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
	Search		search = search_of(subject, gate);

	judge_all(subject, gate, mr_member_bool(gate->definition, "passed", false), &search, result);
}

const MrGateKind mr_gate_evaluation = {
	.name = "evaluation",.members = evaluation_members,.check = check_kind,
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
check_bounds(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	Numeric		at_least = mr_member_number(definition, "at_least");
	Numeric		at_most = mr_member_number(definition, "at_most");

	if (at_least != NULL && at_most != NULL && mr_decimal_compare(at_least, at_most) > 0)
		mr_mistake(mistakes, "no value is within the bounds of %s.", where);
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
	check_kind(definition, where, mistakes);
	check_better(definition, where, mistakes);
	check_bounds(definition, where, mistakes);
}

/* Is the value within the bounds?  Adds them to what is required. */
static bool
within_bounds(JsonbContainer *definition, Numeric value, StringInfo required)
{
	Numeric		at_least = mr_member_number(definition, "at_least");
	Numeric		at_most = mr_member_number(definition, "at_most");

	if (at_least != NULL)
		appendStringInfo(required, " at least %s", number_text(at_least));
	if (at_most != NULL)
		appendStringInfo(required, "%s at most %s", at_least ? " and" : "", number_text(at_most));
	return value != NULL && (at_least == NULL || mr_decimal_compare(value, at_least) >= 0) &&
		(at_most == NULL || mr_decimal_compare(value, at_most) <= 0);
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
						 number_text(gain), better);
	if (percent != NULL)
		appendStringInfo(required, ", worse than Production's by at most %s%% (%s is better)",
						 number_text(percent), better);
}

/*
 * Hold a value against that of the version in Production, if there is one, of
 * the same data set.  Who registered the version does not set its bar either.
 */
static bool
compare_with_production(const MrGateSubject *subject, const MrGate *gate,
						const FoundList *list, int64 dataset, Numeric value,
						MrGateResult *result, StringInfo observed)
{
	const char *where = psprintf(subject->model->current_version == 0 ?
								 "version %d, the last in Production," : "version %d in Production",
								 subject->current);
	const Found *found = NULL;
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
	fault = fault_of_evaluator(subject, found->who);
	appendStringInfo(observed, ", %s has %s%s%s", where, number_text(mr_decimal(found->value)),
					 fault ? ", " : "", fault ? fault : "");
	return value != NULL && fault == NULL && beats(gate->definition, value, mr_decimal(found->value));
}

/* Judge the value of an evaluation, or that there is none (NULL). */
static void
judge_metric(const MrGateSubject *subject, const MrGate *gate, const FoundList *production,
			 const Found *found, Told *told, MrGateResult *result)
{
	bool		has_value = found != NULL && !isnan(found->value) && !isinf(found->value);
	Numeric		value = has_value ? mr_decimal(found->value) : NULL;
	char	   *fault = found != NULL ? fault_of(subject, gate, found) : NULL;
	StringInfoData observed;
	StringInfoData ignored;
	bool		holds;

	initStringInfo(&observed);
	initStringInfo(&ignored);
	appendStringInfoString(&observed, found == NULL ? "no value" :
						   !has_value ? "no finite number" : number_text(value));
	if (fault != NULL)
		appendStringInfo(&observed, ", %s", fault);
	if (found != NULL)
		saw(result, found);
	holds = within_bounds(gate->definition, value, &ignored) && fault == NULL;
	holds &= compare_with_production(subject, gate, production, found ? found->dataset : 0,
									 value, result, &observed);
	tell(subject, found, holds, observed.data, told, result);
}

static char *
metric_required(const MrGate *gate, const Search *search)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s of %s", search->metric, search_text(search));
	within_bounds(gate->definition, NULL, &buf);
	append_comparison(gate->definition, &buf);
	append_age(&buf, gate);
	return buf.data;
}

static void
test_metric(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	Search		search = search_of(subject, gate);
	FoundList	list = find_evaluations(subject->node, &search, subject->snapshot);
	FoundList	production = {0};
	Told		told = {0};

	if (subject->current != 0 && asks_for_production(gate->definition))
		production = find_evaluations(subject->current_node, &search, subject->snapshot);
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
	check_kind(definition, where, mistakes);
}

static void
test_calibration(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	Search		search = search_of(subject, gate);

	if (search.metric == NULL)
		judge_all(subject, gate, true, &search, result);
	else
		test_metric(subject, gate, result);
}

const MrGateKind mr_gate_calibration = {
	.name = "calibration",.members = calibration_members,
	.check = check_calibration,.test = test_calibration,.evaluation = "calibration"
};

/*
 * "fairness": of each data set and slice the latest evaluation; the worst
 * value, the spread between the values, or, of no metric, that all passed.
 */

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
	check_kind(definition, where, mistakes);
	check_bounds(definition, where, mistakes);
}

static int
compare_slices(const void *a, const void *b)
{
	const Found *x = a;
	const Found *y = b;
	int			order = strcmp(x->slice, y->slice);

	return order != 0 ? order : (x->dataset > y->dataset) - (x->dataset < y->dataset);
}

/* A slice that the gate names and nobody evaluated; NULL for none. */
static char *
missing_slice(const MrGate *gate, const FoundList *list)
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
count_slices(const FoundList *list)
{
	int			n = 0;

	for (int i = 0; i < list->n; i++)
		n += i == 0 || strcmp(list->items[i].slice, list->items[i - 1].slice) != 0;
	return n;
}

/* What is wrong with the evaluation of a slice before its value is looked at. */
static char *
fault_of_slice(const MrGateSubject *subject, const MrGate *gate, const Found *found,
			   bool has_metric)
{
	char	   *fault = fault_of(subject, gate, found);

	if (fault != NULL)
		return fault;
	if (has_metric && (isnan(found->value) || isinf(found->value)))
		return "no finite number";
	return !has_metric && !found->passed ? "did not pass" : NULL;
}

/* The first slice that cannot be counted on, in words; NULL for none. */
static char *
slice_fault(const MrGateSubject *subject, const MrGate *gate, const FoundList *list,
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
			return with_dataset(subject, &list->items[i],
								psprintf("slice \"%s\": %s", list->items[i].slice, fault), result);
	}
	return NULL;
}

/* The slices with the smallest and with the largest value. */
static void
find_extremes(const FoundList *list, const Found **least, const Found **most)
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
judge_slices(const MrGateSubject *subject, const MrGate *gate, const FoundList *list,
			 MrGateResult *result)
{
	Numeric		spread = mr_member_number(gate->definition, "max_spread");
	const Found *least;
	const Found *most;
	Numeric		low;
	Numeric		high;
	StringInfoData ignored;

	initStringInfo(&ignored);
	find_extremes(list, &least, &most);
	low = mr_decimal(least->value);
	high = mr_decimal(most->value);
	result->holds = within_bounds(gate->definition, low, &ignored) &&
		within_bounds(gate->definition, high, &ignored) &&
		(spread == NULL || mr_decimal_compare(mr_calculate(numeric_sub, high, low), spread) <= 0);
	result->observed = psprintf("from %s (%s) to %s (%s) over %d slices", number_text(low),
								with_dataset(subject, least, psprintf("slice \"%s\"", least->slice), result),
								number_text(high),
								with_dataset(subject, most, psprintf("slice \"%s\"", most->slice), result),
								count_slices(list));
}

static char *
fairness_required(const MrGate *gate, const Search *search)
{
	Numeric		spread = mr_member_number(gate->definition, "max_spread");
	StringInfoData buf;

	initStringInfo(&buf);
	if (search->metric == NULL)
		appendStringInfo(&buf, "%s passed for every slice", search_text(search));
	else
	{
		appendStringInfo(&buf, "%s of %s for every slice", search->metric, search_text(search));
		within_bounds(gate->definition, NULL, &buf);
	}
	if (spread != NULL)
		appendStringInfo(&buf, ", not more than %s apart", number_text(spread));
	append_age(&buf, gate);
	return buf.data;
}

static void
test_fairness(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	Search		search = search_of(subject, gate);
	FoundList	list;
	char	   *fault;

	search.slice = NULL;
	list = find_evaluations(subject->node, &search, subject->snapshot);
	if (list.n > 1)
		qsort(list.items, list.n, sizeof(Found), compare_slices);
	for (int i = 0; i < list.n; i++)
		saw(result, &list.items[i]);
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
