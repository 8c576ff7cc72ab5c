/*
 * route.c
 *		Which version answers the request of a key.
 *
 * The endpoint's row is found by its name, as production() finds a model's.
 * It has the hash of the present schedule.  A backend keeps, of each endpoint
 * that it was asked about, the step that is open with all that an answer says
 * of it, so that what is left is to hash the key and to find its segment.
 * Nothing here locks, and all of it works on a hot standby.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/row.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "serving/endpoint.h"
#include "serving/moment.h"
#include "serving/route.h"
#include "serving/schedule_row.h"
#include "serving/serving_tables.h"

PG_FUNCTION_INFO_V1(modelreg_route);
PG_FUNCTION_INFO_V1(modelreg_route_batch);

/* Columns of route(); route_batch() has the key before them. */
enum
{
	OUT_MODEL_ID, OUT_VERSION, OUT_PERMANENT_ID, OUT_SHARE, OUT_POSITION,
	OUT_SHADOW, OUT_RECEIPT, OUT_FINAL, OUT_COLUMNS
};

/* A version that has a share, as an answer names it. */
typedef struct Taker
{
	MrShare		share;
	Datum		permanent_id;
} Taker;

/* A step made ready to route by. */
typedef struct Step
{
	TimestampTz from;			/* open from this time, until that one */
	TimestampTz until;
	uint8		salt[MR_SALT_LEN];
	int			nsegments;
	int32	   *ends;			/* the position behind each segment */
	Taker	  **takers;			/* of each segment */
	Datum		shadow;
	Datum		receipt;
} Step;

/* The step of an endpoint that is open, by the schedule of a hash. */
typedef struct Known
{
	int64		endpoint;		/* hash key */
	uint8		hash[MR_HASH_LEN];
	MemoryContext context;		/* of what the step points at, or NULL */
	Step		step;
} Known;

/* More than so many endpoints are not kept at once. */
#define KNOWN_MAX 1000

static HTAB *known_steps = NULL;

int32
mr_route_position(const uint8 *salt, const char *key, Size len)
{
	char		small[1024];
	Size		total = MR_SALT_LEN + 1 + len;
	char	   *input = total <= sizeof(small) ? small : palloc(total);
	uint8		hash[MR_HASH_LEN];
	uint64		number;

	memcpy(input, salt, MR_SALT_LEN);
	input[MR_SALT_LEN] = '\0';
	memcpy(input + MR_SALT_LEN + 1, key, len);
	mr_sha256(input, total, hash);
	if (input != small)
		pfree(input);
	memcpy(&number, hash, sizeof(number));
	number = pg_ntoh64(number);
	/* number * 10^6 / 2^64, exactly, in two halves */
	return ((number >> 32) * MR_WHOLE +
			(((number & PG_UINT32_MAX) * MR_WHOLE) >> 32)) >> 32;
}

char *
mr_arm_permanent_id(const MrArm *arm, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(arm->model), Int32GetDatum(arm->version)};
	char	   *id;

	if (!mr_table_find(table, "version_pkey", 2, keys, snapshot))
		elog(ERROR, "version %d of model " INT64_FORMAT " is missing",
			 arm->version, arm->model);
	id = mr_permanent_id(mr_table_get(table, VERSION_IDENTITY, NULL), arm->model,
						 arm->version);
	mr_table_close(table);
	return id;
}

/* Permanent ids of arms, as an array. */
static Datum
permanent_ids(const MrArm *arms, int n, Snapshot snapshot)
{
	Datum	   *ids = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		ids[i] = CStringGetTextDatum(mr_arm_permanent_id(&arms[i], snapshot));
	return PointerGetDatum(construct_array(ids, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static int
compare_takers(const void *a, const void *b)
{
	return mr_arm_compare(&((const Taker *) a)->share.arm,
						  &((const Taker *) b)->share.arm);
}

/* Who takes which segments. */
static void
set_segments(Step *step, const MrSegments *segments, Snapshot snapshot)
{
	MrSplit		split = mr_split_of(segments);
	Taker	   *takers = palloc(split.n * sizeof(Taker));
	int32		end = 0;

	for (int i = 0; i < split.n; i++)
	{
		takers[i].share = split.shares[i];
		takers[i].permanent_id =
			CStringGetTextDatum(mr_arm_permanent_id(&split.shares[i].arm, snapshot));
	}
	step->nsegments = segments->n;
	step->ends = palloc(segments->n * sizeof(int32));
	step->takers = palloc(segments->n * sizeof(Taker *));
	for (int i = 0; i < segments->n; i++)
	{
		Taker		key = {.share.arm = segments->segments[i].arm};

		end += segments->segments[i].width;
		step->ends[i] = end;
		step->takers[i] = bsearch(&key, takers, split.n, sizeof(Taker), compare_takers);
	}
}

/* Make the step ready that is open at a time, in the current context. */
static void
prepare(Step *step, const MrSchedule *schedule, TimestampTz at, Snapshot snapshot)
{
	int			n = Max(mr_schedule_step_at(schedule, at), 0);
	const MrStep *open = &schedule->steps[n];

	step->from = n == 0 ? DT_NOBEGIN : open->opens;
	step->until = mr_schedule_next_opening(schedule, Max(at, open->opens));
	memcpy(step->salt, schedule->salt, MR_SALT_LEN);
	set_segments(step, &open->segments, snapshot);
	step->shadow = permanent_ids(open->shadow, open->nshadow, snapshot);
	step->receipt = CStringGetTextDatum(psprintf(INT64_FORMAT ".%d", schedule->seq, n));
}

static void
forget_all(void)
{
	HASH_SEQ_STATUS status;
	Known	   *known;

	hash_seq_init(&status, known_steps);
	while ((known = hash_seq_search(&status)) != NULL)
		if (known->context != NULL)
			MemoryContextDelete(known->context);
	hash_destroy(known_steps);
	known_steps = NULL;
}

/* The entry of an endpoint, which may have no step yet. */
static Known *
known_of(int64 endpoint)
{
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(Known)};
	Known	   *known;
	bool		found;

	if (known_steps != NULL && hash_get_num_entries(known_steps) >= KNOWN_MAX)
		forget_all();
	if (known_steps == NULL)
		known_steps = hash_create("modelreg routes", 64, &control, HASH_ELEM | HASH_BLOBS);
	known = hash_search(known_steps, &endpoint, HASH_ENTER, &found);
	if (!found)
		known->context = NULL;
	return known;
}

/* Keep the step that is open at a time; what an error leaves is of no harm. */
static const Step *
learn(int64 endpoint, int64 seq, const bytea *hash, TimestampTz at,
	  Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg route",
												  ALLOCSET_SMALL_SIZES);
	const MrSchedule *schedule = mr_schedule_load(endpoint, seq, hash, snapshot);
	MemoryContext old = MemoryContextSwitchTo(context);
	Step		step;
	Known	   *known;

	prepare(&step, schedule, at, snapshot);
	MemoryContextSwitchTo(old);
	known = known_of(endpoint);
	if (known->context != NULL)
		MemoryContextDelete(known->context);
	MemoryContextSetParent(context, TopMemoryContext);
	known->context = context;
	known->step = step;
	memcpy(known->hash, VARDATA_ANY(hash), MR_HASH_LEN);
	return &known->step;
}

/*
 * The step of the endpoint in the table's slot that is open at a time, by its
 * present schedule.  A hash tells one schedule from all others, those of
 * transactions that were rolled back among them.
 */
static const Step *
present_step(MrTable *table, TimestampTz at, Snapshot snapshot)
{
	int64		endpoint = DatumGetInt64(mr_table_get(table, ENDPOINT_ID, NULL));
	bytea	   *hash = DatumGetByteaPP(mr_table_get(table, ENDPOINT_SCHEDULE_HASH, NULL));
	Known	   *known = known_steps == NULL ? NULL :
		hash_search(known_steps, &endpoint, HASH_FIND, NULL);

	if (known != NULL && known->context != NULL &&
		memcmp(known->hash, VARDATA_ANY(hash), MR_HASH_LEN) == 0 &&
		known->step.from <= at && at < known->step.until)
		return &known->step;
	return learn(endpoint,
				 DatumGetInt64(mr_table_get(table, ENDPOINT_SCHEDULE_SEQ, NULL)),
				 hash, at, snapshot);
}

static const Step *
step_now(const char *endpoint)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MrTable    *table = mr_table_open_read("endpoint");
	const Step *step;

	mr_endpoint_open(table, endpoint, snapshot);
	step = present_step(table, GetCurrentStatementStartTimestamp(), snapshot);
	mr_table_close(table);
	return step;
}

/* By the names and the schedule of that time. */
static const Step *
step_then(const char *endpoint, TimestampTz at, bool *final)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MrMoment	moment = mr_moment_then(endpoint, at, snapshot);
	Step	   *step = palloc(sizeof(Step));

	*final = moment.final;
	prepare(step, moment.schedule, at, snapshot);
	return step;
}

/* The step that the arguments of either function ask for. */
static const Step *
step_asked(FunctionCallInfo fcinfo, bool *final)
{
	char	   *endpoint = mr_arg_text(fcinfo, 0, "endpoint");

	*final = false;
	return PG_ARGISNULL(2) ? step_now(endpoint) :
		step_then(endpoint, PG_GETARG_TIMESTAMPTZ(2), final);
}

/* Whose segment a position is in. */
static const Taker *
taker_of(const Step *step, int32 position)
{
	int			low = 0;
	int			high = step->nsegments - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (position < step->ends[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return step->takers[low];
}

/* The answer for a key; what is the same for all of a step is set_step()'s. */
static void
set_answer(const Step *step, const text *key, Datum *values)
{
	int32		position = mr_route_position(step->salt, VARDATA_ANY(key),
											 VARSIZE_ANY_EXHDR(key));
	const Taker *taker = taker_of(step, position);

	values[OUT_MODEL_ID] = Int64GetDatum(taker->share.arm.model);
	values[OUT_VERSION] = Int32GetDatum(taker->share.arm.version);
	values[OUT_PERMANENT_ID] = taker->permanent_id;
	values[OUT_SHARE] = Int32GetDatum(taker->share.weight);
	values[OUT_POSITION] = Int32GetDatum(position);
}

static void
set_step(const Step *step, bool final, Datum *values)
{
	values[OUT_SHADOW] = step->shadow;
	values[OUT_RECEIPT] = step->receipt;
	values[OUT_FINAL] = BoolGetDatum(final);
}

/*
 * modelreg.route(endpoint text, request_key text, at timestamptz)
 *		returns record
 *
 * at NULL: now, which is when the statement began, by the present schedule.
 * Errors: 22004, 22023, 42704.
 */
Datum
modelreg_route(PG_FUNCTION_ARGS)
{
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	const Step *step;
	bool		final;

	mr_arg_require(fcinfo, 1, "request_key");
	step = step_asked(fcinfo, &final);
	set_step(step, final, values);
	set_answer(step, PG_GETARG_TEXT_PP(1), values);
	return mr_make_record(fcinfo, values, nulls);
}

static void
put_answers(ReturnSetInfo *rsinfo, const Step *step, bool final,
			ArrayType *keys)
{
	ArrayIterator it = array_create_iterator(keys, 0, NULL);
	Datum		values[1 + OUT_COLUMNS];
	bool		nulls[1 + OUT_COLUMNS] = {false};

	set_step(step, final, values + 1);
	while (array_iterate(it, &values[0], &nulls[0]))
	{
		text	   *key;

		CHECK_FOR_INTERRUPTS();
		if (nulls[0])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a request key must not be null"),
					 mr_reason("null_argument")));
		key = DatumGetTextPP(values[0]);
		set_answer(step, key, values + 1);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	array_free_iterator(it);
}

/*
 * modelreg.route_batch(endpoint text, request_keys text[], at timestamptz)
 *		returns setof record: in the order of the keys, by one step.
 *
 * Errors: as route().
 */
Datum
modelreg_route_batch(PG_FUNCTION_ARGS)
{
	const Step *step;
	bool		final;

	mr_arg_require(fcinfo, 1, "request_keys");
	InitMaterializedSRF(fcinfo, 0);
	step = step_asked(fcinfo, &final);
	put_answers((ReturnSetInfo *) fcinfo->resultinfo, step, final,
				PG_GETARG_ARRAYTYPE_P(1));
	return (Datum) 0;
}
