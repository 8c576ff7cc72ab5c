/*
 * settings.c
 *		What of an endpoint its team sets, and the verb set_endpoint.
 *
 * For how long a serving process may go on with what it fetched, and for how
 * many days recorded predictions are kept.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "serving/endpoint.h"
#include "serving/serving_tables.h"
#include "serving/settings.h"

PG_FUNCTION_INFO_V1(modelreg_set_endpoint);

#define DAYS_MAX 36500

/* Only what has the same length at any time: no months. */
static Interval *
staleness_arg(FunctionCallInfo fcinfo, int n)
{
	Interval   *given;
	Interval   *staleness;

	if (PG_ARGISNULL(n))
		return NULL;
	given = PG_GETARG_INTERVAL_P(n);
	if (given->month != 0 || given->day < 0 || given->day > DAYS_MAX ||
		given->time < 0 || given->time > DAYS_MAX * USECS_PER_DAY ||
		(given->day == 0 && given->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_staleness must be longer than nothing, and have no months"),
				 mr_reason("invalid_argument")));
	staleness = palloc0(sizeof(Interval));
	staleness->time = given->time + given->day * USECS_PER_DAY;
	return staleness;
}

static int32
days_arg(FunctionCallInfo fcinfo, int n)
{
	int32		days = PG_ARGISNULL(n) ? 0 : PG_GETARG_INT32(n);

	if (!PG_ARGISNULL(n) && (days < 1 || days > DAYS_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("prediction_days must be between 1 and %d", DAYS_MAX),
				 mr_reason("invalid_argument")));
	return days;
}

/* The arguments max_staleness and prediction_days, which follow each other. */
MrSettings
mr_settings_args(FunctionCallInfo fcinfo, int first)
{
	MrSettings	settings = {staleness_arg(fcinfo, first), days_arg(fcinfo, first + 1)};

	return settings;
}

/* Into the row of an endpoint. */
void
mr_settings_put(const MrSettings *settings, Datum *values, bool *nulls)
{
	nulls[ENDPOINT_MAX_STALENESS - 1] = settings->max_staleness == NULL;
	values[ENDPOINT_MAX_STALENESS - 1] = PointerGetDatum(settings->max_staleness);
	nulls[ENDPOINT_PREDICTION_DAYS - 1] = settings->prediction_days == 0;
	values[ENDPOINT_PREDICTION_DAYS - 1] = Int32GetDatum(settings->prediction_days);
}

static void
tell(MrJson *what, const char *name, bool given, int64 value)
{
	if (given)
		mr_json_add_int(what, name, value);
	else
		mr_json_add_null(what, name);
}

/* What an event tells of them. */
void
mr_settings_tell(const MrSettings *settings, MrJson *what)
{
	const Interval *staleness = settings->max_staleness;

	tell(what, "max_staleness", staleness != NULL, staleness != NULL ? staleness->time : 0);
	tell(what, "prediction_days", settings->prediction_days != 0, settings->prediction_days);
}

static bool
are_set(const MrSettings *settings, const MrHead *head)
{
	bool		stale = !head->nulls[ENDPOINT_MAX_STALENESS - 1];
	bool		days = !head->nulls[ENDPOINT_PREDICTION_DAYS - 1];

	if (stale != (settings->max_staleness != NULL) || days != (settings->prediction_days != 0))
		return false;
	return (!stale ||
			DatumGetIntervalP(head->values[ENDPOINT_MAX_STALENESS - 1])->time == settings->max_staleness->time) &&
		(!days ||
		 DatumGetInt32(head->values[ENDPOINT_PREDICTION_DAYS - 1]) == settings->prediction_days);
}

/* Returns the number of the event, 0 when all is so already. */
static int64
set_endpoint(MrVerb *verb, MrEndpoint *endpoint, const MrSettings *settings,
			 const char *expected, const char *reason)
{
	MrHead	   *head = mr_endpoint_lock_expected(endpoint, expected);
	MrJson		what;

	if (are_set(settings, head))
	{
		mr_head_release(head);
		return 0;
	}
	mr_settings_put(settings, head->values, head->nulls);
	mr_json_begin(&what);
	mr_settings_tell(settings, &what);
	return mr_endpoint_change(head, verb, "endpoint_set", NULL, &what, reason);
}

/*
 * modelreg.set_endpoint(endpoint text, max_staleness interval,
 *		prediction_days integer, reason text, expected text, request_id text)
 *		returns bigint: the number of the event, NULL when all is so already
 *
 * Level maintainer.  Errors: 42704, 42501, 22023 for a value, 55000 when
 * another schedule holds than was expected.
 */
Datum
modelreg_set_endpoint(PG_FUNCTION_ARGS)
{
	MrSettings	settings = mr_settings_args(fcinfo, 1);
	char	   *reason = mr_arg_text_or_null(fcinfo, 3);
	char	   *expected = mr_arg_text_or_null(fcinfo, 4);
	MrEndpoint	endpoint;
	MrVerb		verb;
	int64		number = 0;

	if (mr_endpoint_verb_begin(&verb, fcinfo, "set_endpoint", MR_MAINTAINER, 5, &endpoint))
		number = set_endpoint(&verb, &endpoint, &settings, expected, reason);
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}
