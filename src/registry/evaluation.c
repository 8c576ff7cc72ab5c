/*
 * evaluation.c
 *		Evaluations of nodes: what was measured, on what, by whom.
 *
 * One row holds all values of one evaluation and is never edited.  For a
 * version the latest value of each metric is kept in a fold as well, which
 * search and views read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/row.h"
#include "lineage/lineage.h"
#include "registry/evaluation.h"
#include "registry/registry_tables.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_record_evaluation);

#define METRIC_NAME_MAX 255		/* bytes */
#define METRICS_MAX 10000
#define SLICE_MAX 255			/* bytes */

/* A JSON number as float8; false for one that float8 cannot tell from 0 or infinity. */
static bool
parse_number(Numeric number, float8 *result)
{
	Datum		value = DirectFunctionCall1(numeric_float8_no_overflow,
											NumericGetDatum(number));

	*result = DatumGetFloat8(value);
	return !isinf(*result) &&
		(*result != 0 ||
		 DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(number),
										  NumericGetDatum(int64_to_numeric(0)))));
}

/*
 * A number, or one of the strings that JSON has no numbers for.  Returns what
 * is wrong with it, NULL for nothing.
 */
static const char *
parse_value(const JsonbValue *value, float8 *result)
{
	static const char *const names[] = {"NaN", "Infinity", "-Infinity"};

	if (value->type == jbvNumeric)
		return parse_number(value->val.numeric, result) ? NULL :
			"has a value out of the range of double precision";
	for (int i = 0; value->type == jbvString && i < lengthof(names); i++)
		if (value->val.string.len == strlen(names[i]) &&
			memcmp(value->val.string.val, names[i], strlen(names[i])) == 0)
		{
			*result = i == 0 ? get_float8_nan() :
				i == 1 ? get_float8_infinity() : -get_float8_infinity();
			return NULL;
		}
	return "has a value that is no number";
}

static int
compare_metrics(const void *a, const void *b)
{
	return strcmp(((const MrMetric *) a)->name, ((const MrMetric *) b)->name);
}

static void
raise_bad_metrics(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid metrics"),
			 errdetail("%s", detail),
			 errhint("Metrics are a JSON object of names and numbers; the strings \"NaN\", \"Infinity\" and \"-Infinity\" stand for those."),
			 mr_reason("invalid_metrics")));
}

static void
note_fault(StringInfo faults, const char *name, const char *what)
{
	if (faults->len > 0)
		appendStringInfoChar(faults, '\n');
	appendStringInfo(faults, "Metric \"%.*s\" %s.",
					 pg_mbcliplen(name, strlen(name), 64), name, what);
}

/*
 * Metrics from a JSON object, sorted by the bytes of their names.  Error 22023
 * that lists all that is wrong.
 */
MrMetrics
mr_metrics_parse(Jsonb *json)
{
	MrMetrics	metrics = {0};
	StringInfoData faults;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (json == NULL)
		return metrics;
	if (!JB_ROOT_IS_OBJECT(json))
		raise_bad_metrics("It is not an object.");
	if (JB_ROOT_COUNT(json) > METRICS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an evaluation cannot have more than %d metrics", METRICS_MAX),
				 errhint("Record several, each with a slice of its own."),
				 mr_reason("too_many_metrics")));
	initStringInfo(&faults);
	metrics.items = palloc(Max(1, JB_ROOT_COUNT(json)) * sizeof(MrMetric));
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		MrMetric   *metric = &metrics.items[metrics.n++];
		const char *fault;

		(void) JsonbIteratorNext(&it, &value, true);
		metric->name = mr_json_cstring(&key);
		if (key.val.string.len == 0 || key.val.string.len > METRIC_NAME_MAX)
			note_fault(&faults, metric->name, "has a name of no or of more than 255 bytes");
		fault = parse_value(&value, &metric->value);
		if (fault != NULL)
			note_fault(&faults, metric->name, fault);
	}
	if (faults.len > 0)
		raise_bad_metrics(faults.data);
	qsort(metrics.items, metrics.n, sizeof(MrMetric), compare_metrics);
	return metrics;
}

static Datum
names_array(const MrMetrics *metrics)
{
	Datum	   *names = palloc(Max(1, metrics->n) * sizeof(Datum));

	for (int i = 0; i < metrics->n; i++)
		names[i] = CStringGetTextDatum(metrics->items[i].name);
	return PointerGetDatum(construct_array(names, metrics->n, TEXTOID, -1,
										   false, TYPALIGN_INT));
}

static Datum
values_array(const MrMetrics *metrics)
{
	Datum	   *values = palloc(Max(1, metrics->n) * sizeof(Datum));

	for (int i = 0; i < metrics->n; i++)
		values[i] = Float8GetDatum(metrics->items[i].value);
	return PointerGetDatum(construct_array(values, metrics->n, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static void
set_row(MrVerb *verb, const MrEvaluation *evaluation, int64 id, int64 batch,
		Datum *values, bool *nulls)
{
	values[EVALUATION_ID - 1] = Int64GetDatum(id);
	values[EVALUATION_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[EVALUATION_BATCH - 1] = Int64GetDatum(batch);
	nulls[EVALUATION_BATCH - 1] = batch == 0;
	values[EVALUATION_NODE_ID - 1] = Int64GetDatum(evaluation->node);
	values[EVALUATION_KIND - 1] = CStringGetTextDatum(evaluation->kind);
	values[EVALUATION_DATASET_ID - 1] = Int64GetDatum(evaluation->dataset);
	nulls[EVALUATION_DATASET_ID - 1] = evaluation->dataset == 0;
	values[EVALUATION_SLICE - 1] = CStringGetTextDatum(evaluation->slice);
	values[EVALUATION_METRIC_NAMES - 1] = names_array(&evaluation->metrics);
	values[EVALUATION_METRIC_VALUES - 1] = values_array(&evaluation->metrics);
	nulls[EVALUATION_PASSED - 1] = evaluation->passed == NULL;
	values[EVALUATION_PASSED - 1] = BoolGetDatum(evaluation->passed && *evaluation->passed);
	mr_set_bytes(values, nulls, EVALUATION_PROPERTIES - 1,
				 mr_payload_store(verb->team.id, evaluation->properties));
	values[EVALUATION_WHO - 1] = JsonbPGetDatum(verb->who);
	values[EVALUATION_RECORDED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[EVALUATION_OCCURRED_AT - 1] = evaluation->occurred_at == NULL;
	if (evaluation->occurred_at != NULL)
		values[EVALUATION_OCCURRED_AT - 1] = TimestampTzGetDatum(*evaluation->occurred_at);
}

/* Put one metric into the fold, where a later evaluation wins. */
static void
fold_metric(MrTable *table, MrVerb *verb, const MrEvaluation *evaluation,
			const MrMetric *metric, int64 id)
{
	Datum		values[METRIC_COLUMNS];
	bool		nulls[METRIC_COLUMNS] = {false};
	bool		exists;

	values[METRIC_MODEL_ID - 1] = Int64GetDatum(evaluation->model);
	values[METRIC_VERSION - 1] = Int32GetDatum(evaluation->version);
	values[METRIC_KIND - 1] = CStringGetTextDatum(evaluation->kind);
	values[METRIC_DATASET_ID - 1] = Int64GetDatum(evaluation->dataset);
	values[METRIC_SLICE - 1] = CStringGetTextDatum(evaluation->slice);
	values[METRIC_METRIC - 1] = CStringGetTextDatum(metric->name);
	values[METRIC_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[METRIC_VALUE - 1] = Float8GetDatum(metric->value);
	values[METRIC_EVALUATION_ID - 1] = Int64GetDatum(id);
	/* a version's first evaluation comes with its registration */
	exists = evaluation->is_fact &&
		mr_table_lock_latest(table, "metric_pkey", 6, values);
	if (exists)
		mr_table_update(table, values, nulls);
	else
		mr_table_insert(table, values, nulls);
}

static void
fold_metrics(MrVerb *verb, const MrEvaluation *evaluation, int64 id)
{
	MrTable    *table = mr_table_open("metric");

	for (int i = 0; i < evaluation->metrics.n; i++)
		fold_metric(table, verb, evaluation, &evaluation->metrics.items[i], id);
	mr_table_close(table);
}

/*
 * Record an evaluation of a node of the verb's team; returns its id, and its
 * row's hash where hash is not NULL.
 */
int64
mr_evaluation_insert(MrVerb *verb, const MrEvaluation *evaluation, bytea **hash)
{
	Datum		values[EVALUATION_COLUMNS];
	bool		nulls[EVALUATION_COLUMNS] = {false};
	int64		batch = 0;
	int64		id;
	bytea	   *row_hash;

	if (evaluation->is_fact)
	{
		/* whose id is larger is later: two sessions take their ids in turn */
		mr_lock_key(MR_LOCK_EVALUATION, &evaluation->node, sizeof(int64));
		batch = mr_fact_batch(verb, verb->team.id);
	}
	id = mr_nextval("evaluation_id_seq");
	set_row(verb, evaluation, id, batch, values, nulls);
	row_hash = mr_insert_row("evaluation", values, nulls);
	if (evaluation->is_fact)
		mr_fact_recorded(batch, "evaluation", id, row_hash);
	if (evaluation->model != 0)
		fold_metrics(verb, evaluation, id);
	if (hash != NULL)
		*hash = row_hash;
	return id;
}

/* The model and version of a version's node; else 0. */
static void
set_version(MrEvaluation *evaluation, const MrNode *node)
{
	if (strcmp(node->kind, MR_NODE_KIND_VERSION) != 0)
		return;
	evaluation->model = strtoll(node->name, NULL, 10);
	evaluation->version = atoi(node->version);
}

static void
check_slice(const char *slice)
{
	if (strlen(slice) > SLICE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slice must have at most %d bytes", SLICE_MAX),
				 mr_reason("invalid_slice")));
}

/* What record_evaluation() was given. */
static void
parse_evaluation(FunctionCallInfo fcinfo, const char *subject, MrEvaluation *evaluation)
{
	char	   *dataset = mr_arg_text_or_null(fcinfo, 3);
	Jsonb	   *properties = mr_arg_object_or_null(fcinfo, 6, "properties");
	MrNode		node;

	mr_node_load(subject, NULL, &node);
	evaluation->node = node.id;
	set_version(evaluation, &node);
	evaluation->kind = mr_arg_text(fcinfo, 1, "kind");
	mr_check_node_kind(evaluation->kind, NULL);
	mr_arg_require(fcinfo, 2, "metrics");
	evaluation->metrics = mr_metrics_parse(PG_GETARG_JSONB_P(2));
	if (dataset != NULL)
		evaluation->dataset = mr_node_require(dataset, NULL);
	evaluation->slice = PG_ARGISNULL(4) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(4));
	check_slice(evaluation->slice);
	evaluation->properties = properties == NULL ? NULL :
		mr_json_canonical_cstring(properties);
}

static int64
record_evaluation(MrVerb *verb, const MrEvaluation *evaluation)
{
	int64		id = mr_evaluation_insert(verb, evaluation, NULL);

	if (evaluation->model != 0 && mr_version_news != NULL)
		mr_version_news(verb, evaluation->model, evaluation->version, MR_NEWS_EVALUATION);
	return id;
}

/*
 * modelreg.record_evaluation(subject text, kind text, metrics jsonb,
 *		dataset text, slice text, passed boolean, properties jsonb,
 *		occurred_at timestamptz, request_id text) returns bigint, its id.
 *
 * subject and dataset are addresses of nodes.  Errors: 42704 for nodes, 42501
 * for who is no evaluator in the subject's team, 22023 for metrics or kind.
 */
Datum
modelreg_record_evaluation(PG_FUNCTION_ARGS)
{
	MrEvaluation evaluation = {.is_fact = true};
	char	   *subject = mr_arg_text(fcinfo, 0, "subject");
	MrTeam		team = mr_node_team_of(subject);
	bool		passed = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	TimestampTz occurred_at;
	MrVerb		verb;
	int64		id = 0;

	mr_require_rights(&team, MR_EVALUATOR);
	evaluation.passed = PG_ARGISNULL(5) ? NULL : &passed;
	evaluation.occurred_at = mr_arg_occurred_at(fcinfo, 7, &occurred_at) ? &occurred_at : NULL;
	if (!mr_verb_repeated(&verb, fcinfo, "record_evaluation", &team, 8))
	{
		parse_evaluation(fcinfo, subject, &evaluation);
		mr_verb_begin(&verb, fcinfo, "record_evaluation", &team, 8);
		if (!mr_verb_repeats(&verb))
			id = record_evaluation(&verb, &evaluation);
	}
	PG_RETURN_INT64(mr_verb_end_int(&verb, "evaluation_id", id));
}
