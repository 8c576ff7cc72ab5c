/*
 * prediction.c
 *		record_predictions(): the log of what endpoints answered.
 *
 * Whole batches come in arrays and are loaded as COPY loads them.  They are
 * observations: no event tells of them and no hash covers them.  A
 * partition that is missing is an error and not made on the way, since
 * whoever makes it holds a lock until the end of his transaction, and a time
 * that somebody mistyped would make one, too.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/load.h"
#include "registry/registry.h"
#include "serving/endpoint.h"
#include "serving/prediction.h"
#include "serving/receipt.h"
#include "serving/serving_tables.h"
#include "types/names.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_record_predictions);

enum
{
	ARG_ENDPOINT, ARG_REQUEST_KEYS, ARG_VERSIONS, ARG_AT, ARG_RECEIPTS,
	ARG_OUTPUTS, ARG_MODEL, ARG_REQUEST_ID
};

/* What fits into an index beside others, whatever it is. */
#define REQUEST_KEY_MAX 1000	/* bytes */

/* What is nested too deep to be stored is longer than this. */
#define DEEP_BYTES 2048

/* What has to be there, and was looked up. */
typedef struct Looked
{
	int64		first;			/* a model or an event */
	int32		second;			/* its version or step */
	int32		is_receipt;
} Looked;

typedef struct Batch
{
	int			n;
	int			current;		/* for error messages */
	MrColumn	columns[ARG_MODEL];
	MrEndpoint	endpoint;
	int64		model;
	TimestampTz now;
	HTAB	   *looked;
	MrTable    *versions;
	Datum		values[PREDICTION_COLUMNS];
	bool		nulls[PREDICTION_COLUMNS];
} Batch;

static void
add_context(void *arg)
{
	Batch	   *batch = arg;

	if (batch->current >= 0)
		errcontext("prediction %d of the call", batch->current + 1);
}

static void
read_column(FunctionCallInfo fcinfo, Batch *batch, int arg, Oid type,
			const char *name)
{
	mr_arg_column(fcinfo, arg, name, type, arg == ARG_REQUEST_KEYS ? MR_ANY_LENGTH : batch->n,
				  "predictions", &batch->columns[arg]);
}

static void
read_columns(FunctionCallInfo fcinfo, Batch *batch)
{
	mr_arg_require(fcinfo, ARG_REQUEST_KEYS, "request_keys");
	mr_arg_require(fcinfo, ARG_VERSIONS, "versions");
	read_column(fcinfo, batch, ARG_REQUEST_KEYS, TEXTOID, "request_keys");
	batch->n = batch->columns[ARG_REQUEST_KEYS].n;
	read_column(fcinfo, batch, ARG_VERSIONS, INT4OID, "versions");
	read_column(fcinfo, batch, ARG_AT, TIMESTAMPTZOID, "at");
	read_column(fcinfo, batch, ARG_RECEIPTS, TEXTOID, "receipts");
	read_column(fcinfo, batch, ARG_OUTPUTS, JSONBOID, "outputs");
}

/* Does the current prediction have an element?  NULL stands for no. */
static bool
has(const Batch *batch, int arg)
{
	return batch->columns[arg].n > 0 && !batch->columns[arg].nulls[batch->current];
}

static Datum
element(const Batch *batch, int arg)
{
	return batch->columns[arg].values[batch->current];
}

static void
require_element(const Batch *batch, int arg, const char *name)
{
	if (!has(batch, arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not contain nulls", name),
				 mr_reason("null_argument")));
}

/* True the first time that it is asked about. */
static bool
is_new(Batch *batch, int64 first, int32 second, bool is_receipt)
{
	Looked		key = {first, second, is_receipt};
	bool		found;

	(void) hash_search(batch->looked, &key, HASH_ENTER, &found);
	return !found;
}

static void
check_version(Batch *batch, int32 version)
{
	Datum		keys[2] = {Int64GetDatum(batch->model), Int32GetDatum(version)};

	if (!is_new(batch, batch->model, version, false) ||
		mr_table_find_latest(batch->versions, "version_pkey", 2, keys))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no version %d", version),
			 errhint("The view modelreg.versions lists them; versions are of the argument model, else of the endpoint's own."),
			 mr_reason("version_not_found")));
}

static void
check_receipt(Batch *batch, const MrReceipt *receipt, const char *text)
{
	if (is_new(batch, receipt->event, receipt->step, true) &&
		!mr_receipt_is_known(receipt, batch->endpoint.id, NULL))
		mr_receipt_raise_unknown(text, &batch->endpoint);
}

static void
set_key(Batch *batch)
{
	text	   *key;

	require_element(batch, ARG_REQUEST_KEYS, "request_keys");
	key = DatumGetTextPP(element(batch, ARG_REQUEST_KEYS));
	if (VARSIZE_ANY_EXHDR(key) > REQUEST_KEY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key of a request must have at most %d bytes", REQUEST_KEY_MAX),
				 errdetail("This one has %zu.", (size_t) VARSIZE_ANY_EXHDR(key)),
				 mr_reason("invalid_argument")));
	batch->values[PREDICTION_REQUEST_KEY - 1] = PointerGetDatum(key);
}

static void
set_receipt(Batch *batch)
{
	bool		given = has(batch, ARG_RECEIPTS);
	MrReceipt	receipt;

	batch->nulls[PREDICTION_EVENT - 1] = batch->nulls[PREDICTION_STEP - 1] = !given;
	if (!given)
		return;
	receipt = mr_receipt_parse(DatumGetTextPP(element(batch, ARG_RECEIPTS)));
	check_receipt(batch, &receipt, TextDatumGetCString(element(batch, ARG_RECEIPTS)));
	batch->values[PREDICTION_EVENT - 1] = Int64GetDatum(receipt.event);
	batch->values[PREDICTION_STEP - 1] = Int32GetDatum(receipt.step);
}

static void
set_output(Batch *batch)
{
	bool		given = has(batch, ARG_OUTPUTS);
	Jsonb	   *output;

	batch->nulls[PREDICTION_OUTPUT - 1] = !given;
	if (!given)
		return;
	output = DatumGetJsonbP(element(batch, ARG_OUTPUTS));
	if (VARSIZE(output) > DEEP_BYTES)
		mr_json_check_depth(output, "outputs");
	batch->values[PREDICTION_OUTPUT - 1] = JsonbPGetDatum(output);
}

static TimestampTz
time_of(const Batch *batch)
{
	return has(batch, ARG_AT) ? DatumGetTimestampTz(element(batch, ARG_AT)) : batch->now;
}

static void
set_row(Batch *batch)
{
	set_key(batch);
	require_element(batch, ARG_VERSIONS, "versions");
	check_version(batch, DatumGetInt32(element(batch, ARG_VERSIONS)));
	batch->values[PREDICTION_VERSION - 1] = element(batch, ARG_VERSIONS);
	set_receipt(batch);
	batch->values[PREDICTION_AT - 1] = TimestampTzGetDatum(time_of(batch));
	set_output(batch);
}

/* The columns that all rows share. */
static void
set_common(Batch *batch)
{
	memset(batch->nulls, 0, sizeof(batch->nulls));
	batch->values[PREDICTION_ENDPOINT_ID - 1] = Int64GetDatum(batch->endpoint.id);
	batch->values[PREDICTION_TEAM_ID - 1] = Int64GetDatum(batch->endpoint.team.id);
	batch->values[PREDICTION_MODEL_ID - 1] = Int64GetDatum(batch->model);
	batch->values[PREDICTION_RECORDED_AT - 1] = TimestampTzGetDatum(batch->now);
}

/* Days without a partition, with how many predictions are of them. */
static void
raise_missing(int missing, int n, TimestampTz first, TimestampTz last)
{
	const char *since = mr_day_text(mr_day_of(first));
	const char *until = mr_day_text(mr_day_of(last) + 1);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("there is no partition for predictions of %s", since),
			 errdetail("%d of %d predictions are of times in UTC that no partition has, the last of them before %s.",
					   missing, n, until),
			 errhint("Partitions are made ahead of time, by an admin: SELECT modelreg.add_prediction_partitions(until => '%s', since => '%s').",
					 until, since),
			 mr_reason("prediction_partition_missing")));
}

/* The log is open, so no partition goes before the batch is committed. */
static void
check_partitions(Batch *batch, Relation parent)
{
	MrPartitions partitions = mr_partitions_of(parent);
	const MrPartition *known = NULL;
	TimestampTz first = DT_NOEND;
	TimestampTz last = DT_NOBEGIN;
	int			missing = 0;

	for (batch->current = 0; batch->current < batch->n; batch->current++)
	{
		TimestampTz at = time_of(batch);

		if (at < MR_FIRST_DAY * USECS_PER_DAY || at >= MR_LAST_DAY * USECS_PER_DAY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the time of a prediction must be in the years 1000 to 9998"),
					 mr_reason("invalid_argument")));
		if (known != NULL && at >= known->since && at < known->until)
			continue;
		known = mr_partition_at(&partitions, at);
		if (known != NULL)
			continue;
		missing++;
		first = Min(first, at);
		last = Max(last, at);
	}
	batch->current = -1;
	if (missing > 0)
		raise_missing(missing, batch->n, first, last);
}

static void
load_rows(Batch *batch, MrTable *predictions)
{
	MrLoad	   *load = mr_load_begin(predictions);

	set_common(batch);
	for (batch->current = 0; batch->current < batch->n; batch->current++)
	{
		set_row(batch);
		mr_load_row(load, batch->values, batch->nulls);
	}
	batch->current = -1;
	mr_load_end(load);
}

static void
write_batch(Batch *batch)
{
	HASHCTL		control = {.keysize = sizeof(Looked),.entrysize = sizeof(Looked),
	.hcxt = CurrentMemoryContext};
	MrTable    *predictions = mr_table_open("prediction");

	batch->looked = hash_create("modelreg looked", 64, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	batch->versions = mr_table_open_read("version");
	check_partitions(batch, predictions->rel);
	load_rows(batch, predictions);
	mr_table_close(batch->versions);
	mr_table_close(predictions);
	hash_destroy(batch->looked);
}

/*
 * The model that the versions are of: the endpoint's own, or one of its team,
 * in which the caller's rights were asked for.
 */
static int64
read_model(FunctionCallInfo fcinfo, const MrEndpoint *endpoint)
{
	char	   *qualified = mr_arg_text_or_null(fcinfo, ARG_MODEL);
	char	   *team;
	char	   *name;
	MrModel		model;

	if (qualified == NULL)
		return endpoint->model;
	mr_split_qualified_name(qualified, &team, &name, NULL);
	if (strcmp(team, endpoint->team.name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("endpoint \"%s\" serves models of its own team",
						mr_endpoint_address(endpoint)),
				 errdetail("The model \"%s\" would be of another one.", mr_text_clip(qualified)),
				 mr_reason("invalid_argument")));
	if (!mr_model_find(&endpoint->team, name, NULL, &model))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist or you may not read it",
						mr_text_clip(qualified)),
				 mr_reason("model_not_found")));
	return model.id;
}

/*
 * modelreg.record_predictions(endpoint, request_keys, versions, at, receipts,
 *		outputs, model, request_id) returns bigint, how many were recorded
 *
 * Errors: 22004, 22023 and 2202E for arguments, 42704 for an endpoint,
 * model, version or receipt that is not there, 42501 without the level, 55000
 * for times without a partition.
 */
Datum
modelreg_record_predictions(PG_FUNCTION_ARGS)
{
	Batch		batch = {.current = -1,.now = GetCurrentTimestamp()};
	ErrorContextCallback callback = {.callback = add_context,.arg = &batch};
	MrVerb		verb;

	read_columns(fcinfo, &batch);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	if (mr_endpoint_verb_begin(&verb, fcinfo, "record_predictions",
							   MR_CONTRIBUTOR | MR_EVALUATOR, ARG_REQUEST_ID,
							   &batch.endpoint))
	{
		batch.model = read_model(fcinfo, &batch.endpoint);
		write_batch(&batch);
	}
	error_context_stack = callback.previous;
	PG_RETURN_INT64(mr_verb_end_int(&verb, "recorded", batch.n));
}
