/*
 * fleet.c
 *		What serving processes say they have, and who lags.
 *
 * A report is a row for each endpoint and instance, and no event.  It locks
 * nothing but itself, so that a fleet may report at once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/string.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/lock.h"
#include "serving/endpoint.h"
#include "serving/fleet_tables.h"
#include "serving/moment.h"
#include "serving/route.h"
#include "serving/serving_tables.h"
#include "types/model_uri.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_report_serving);
PG_FUNCTION_INFO_V1(modelreg_fleet_status);

#define INSTANCE_MAX 255		/* bytes */
#define LOADED_MAX 1000
#define ETAG_MAX 64

enum
{
	OUT_INSTANCE, OUT_ETAG, OUT_REPORTED_AT, OUT_BEHIND, OUT_LOADED,
	OUT_MISSING, OUT_LAGS_SINCE, OUT_SEEN_AT, OUT_SILENT, OUT_COLUMNS
};

/* Texts by their bytes, each once. */
typedef struct Names
{
	char	  **names;
	int			n;
} Names;

static void
raise_invalid(const char *what, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s \"%s\"", what, mr_text_clip(value)),
			 errhint("%s", hint),
			 mr_reason("invalid_argument")));
}

static void
sort_names(Names *names)
{
	int			kept = 0;

	qsort(names->names, names->n, sizeof(char *), pg_qsort_strcmp);
	for (int i = 0; i < names->n; i++)
		if (kept == 0 || strcmp(names->names[kept - 1], names->names[i]) != 0)
			names->names[kept++] = names->names[i];
	names->n = kept;
}

static bool
has_name(const Names *names, char *name)
{
	return names->n > 0 &&
		bsearch(&name, names->names, names->n, sizeof(char *), pg_qsort_strcmp) != NULL;
}

static Names
read_names(ArrayType *array)
{
	Names		names;
	Datum	   *elements;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls,
					  &names.n);
	names.names = palloc(Max(names.n, 1) * sizeof(char *));
	for (int i = 0; i < names.n; i++)
		names.names[i] = nulls[i] ? NULL : TextDatumGetCString(elements[i]);
	return names;
}

static Datum
names_datum(const Names *names)
{
	Datum	   *elements = palloc(Max(names->n, 1) * sizeof(Datum));

	for (int i = 0; i < names->n; i++)
		elements[i] = CStringGetTextDatum(names->names[i]);
	return PointerGetDatum(construct_array(elements, names->n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* As mr_model_uri_print() writes it, so that texts compare. */
static char *
canonical_id(char *text)
{
	static const char *const hint = "Name versions by their permanent ids, as serving_config() does.";
	MrModelUri	uri;
	MrFault		fault;

	if (text == NULL)
		raise_invalid("loaded version", "null", hint);
	if (!mr_model_uri_scan(text, &uri, &fault) || uri.kind != MR_URI_PERMANENT)
		raise_invalid("loaded version", text, hint);
	return mr_model_uri_print(&uri);
}

/* Permanent ids, in order, each once. */
static Names
parse_loaded(FunctionCallInfo fcinfo, int n)
{
	Names		names = {0};

	if (PG_ARGISNULL(n))
		return names;
	names = read_names(PG_GETARG_ARRAYTYPE_P(n));
	if (names.n > LOADED_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("more than %d loaded versions", LOADED_MAX),
				 mr_reason("invalid_argument")));
	for (int i = 0; i < names.n; i++)
		names.names[i] = canonical_id(names.names[i]);
	sort_names(&names);
	return names;
}

static char *
parse_instance(FunctionCallInfo fcinfo, int n)
{
	char	   *instance = mr_arg_text(fcinfo, n, "instance");

	if (*instance == '\0' || strlen(instance) > INSTANCE_MAX)
		raise_invalid("instance", instance, "Give a name of 1 to 255 bytes.");
	return instance;
}

/* The number and the digits of an etag; false for what is none. */
static bool
scan_etag(const char *etag, int64 *seq)
{
	const char *dash = strchr(etag, '-');
	MrFault		fault;

	return dash != NULL && strlen(etag) <= ETAG_MAX && dash[1] != '\0' &&
		mr_number_scan(etag, dash - etag, PG_INT64_MAX - 1, "number", seq, &fault) &&
		strspn(dash + 1, "0123456789abcdef") == strlen(dash + 1);
}

/* NULL for an instance that goes. */
static char *
parse_etag(FunctionCallInfo fcinfo, int n)
{
	char	   *etag = mr_arg_text_or_null(fcinfo, n);
	int64		seq;

	if (etag != NULL && !scan_etag(etag, &seq))
		raise_invalid("etag", etag, "Give the etag that serving_config() returned.");
	return etag;
}

/* Two reports of one instance come one after the other. */
static void
lock_instance(const MrEndpoint *endpoint, const char *instance)
{
	StringInfoData key;

	initStringInfo(&key);
	appendStringInfo(&key, INT64_FORMAT " %s", endpoint->id, instance);
	mr_lock_key(MR_LOCK_INSTANCE, key.data, key.len);
}

static bool
find_report(MrTable *table, const MrEndpoint *endpoint, const char *instance)
{
	Datum		keys[2] = {Int64GetDatum(endpoint->id), CStringGetTextDatum(instance)};

	return mr_table_lock_latest(table, "instance_report_pkey", 2, keys);
}

/* Does the report in the table's slot say the same already? */
static bool
says_the_same(MrTable *table, const char *etag, const Names *loaded)
{
	Names		before = read_names(DatumGetArrayTypeP(mr_table_get(table, INSTANCE_REPORT_LOADED, NULL)));

	if (strcmp(TextDatumGetCString(mr_table_get(table, INSTANCE_REPORT_ETAG, NULL)), etag) != 0 ||
		before.n != loaded->n)
		return false;
	for (int i = 0; i < before.n; i++)
		if (strcmp(before.names[i], loaded->names[i]) != 0)
			return false;
	return true;
}

static void
write_report(MrTable *table, const MrEndpoint *endpoint, const char *instance,
			 const char *etag, const Names *loaded, const char *role, bool found)
{
	Datum		values[INSTANCE_REPORT_COLUMNS];
	bool		nulls[INSTANCE_REPORT_COLUMNS] = {false};
	TimestampTz now = GetCurrentTimestamp();

	values[INSTANCE_REPORT_ENDPOINT_ID - 1] = Int64GetDatum(endpoint->id);
	values[INSTANCE_REPORT_INSTANCE - 1] = CStringGetTextDatum(instance);
	values[INSTANCE_REPORT_TEAM_ID - 1] = Int64GetDatum(endpoint->team.id);
	values[INSTANCE_REPORT_ETAG - 1] = CStringGetTextDatum(etag);
	values[INSTANCE_REPORT_LOADED - 1] = names_datum(loaded);
	values[INSTANCE_REPORT_ROLE - 1] = CStringGetTextDatum(role);
	values[INSTANCE_REPORT_REPORTED_AT - 1] = TimestampTzGetDatum(now);
	values[INSTANCE_REPORT_SEEN_AT - 1] = TimestampTzGetDatum(now);
	if (found)
		mr_table_update(table, values, nulls);
	else
		mr_table_insert(table, values, nulls);
}

/* For how long a process of the endpoint may go on without asking. */
static int64
patience_of(int64 endpoint, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("endpoint");
	Datum		key = Int64GetDatum(endpoint);
	int64		patience;

	if (!mr_table_find(table, "endpoint_pkey", 1, &key, snapshot))
		elog(ERROR, "endpoint " INT64_FORMAT " does not exist", endpoint);
	patience = mr_config_stale_at(table, 0);
	mr_table_close(table);
	return patience;
}

/* The report in the table's slot was repeated.  Few of so many are worth a write. */
static void
note_sign_of_life(MrTable *table, const MrEndpoint *endpoint)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz seen = DatumGetTimestampTz(mr_table_get(table, INSTANCE_REPORT_SEEN_AT, NULL));
	Datum		values[INSTANCE_REPORT_COLUMNS];
	bool		nulls[INSTANCE_REPORT_COLUMNS];

	if (now - seen < patience_of(endpoint->id, NULL) / 5)
		return;
	mr_table_read(table, values, nulls);
	values[INSTANCE_REPORT_SEEN_AT - 1] = TimestampTzGetDatum(now);
	mr_table_update(table, values, nulls);
}

static bool
report(MrVerb *verb, const MrEndpoint *endpoint, const char *instance,
	   const char *etag, const Names *loaded)
{
	MrTable    *table = mr_table_open("instance_report");
	bool		found;
	bool		changes;

	lock_instance(endpoint, instance);
	found = find_report(table, endpoint, instance);
	changes = etag == NULL ? found :
		!(found && says_the_same(table, etag, loaded));
	if (changes && etag == NULL)
		mr_table_delete(table);
	else if (changes)
		write_report(table, endpoint, instance, etag, loaded,
					 mr_json_get_text(verb->who, "role"), found);
	else if (found)
		note_sign_of_life(table, endpoint);
	mr_table_close(table);
	return changes;
}

/*
 * modelreg.report_serving(endpoint text, instance text, etag text,
 *		loaded text[]) returns boolean: does it say anything new?
 *
 * etag NULL: the instance is gone.  Errors: 22004, 22023, 42704, 42501.
 */
Datum
modelreg_report_serving(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "endpoint");
	char	   *instance = parse_instance(fcinfo, 1);
	char	   *etag = parse_etag(fcinfo, 2);
	Names		loaded = parse_loaded(fcinfo, 3);
	MrEndpoint	endpoint = mr_require_endpoint(name, MR_CONTRIBUTOR | MR_EVALUATOR,
											   GetActiveSnapshot());
	MrVerb		verb;
	bool		changes;

	mr_verb_begin(&verb, fcinfo, "report_serving", &endpoint.team, -1);
	changes = report(&verb, &endpoint, instance, etag, &loaded);
	mr_verb_end(&verb);
	PG_RETURN_BOOL(changes);
}

/* What all instances of an endpoint are held against. */
typedef struct Wanted
{
	MrMoment	moment;
	Names		loaded;			/* permanent ids */
	int64		patience;		/* with who says nothing */
	Snapshot	snapshot;
} Wanted;

static Wanted
find_wanted(MrMoment moment, Snapshot snapshot)
{
	Wanted		wanted = {.moment = moment,.snapshot = snapshot};
	MrArmSet	arms = mr_arms_from(wanted.moment.schedule, wanted.moment.step);

	wanted.patience = 2 * patience_of(moment.endpoint, snapshot);
	wanted.loaded.names = palloc(arms.n * sizeof(char *));
	wanted.loaded.n = arms.n;
	for (int i = 0; i < arms.n; i++)
		wanted.loaded.names[i] = mr_arm_permanent_id(&arms.arms[i], snapshot);
	sort_names(&wanted.loaded);
	return wanted;
}

/* Does the endpoint have, or had it, a schedule of that etag? */
static bool
is_of_endpoint(const Wanted *wanted, const char *etag, int64 seq)
{
	MrTable    *table = mr_table_open_read("traffic_schedule");
	Datum		keys[2] = {Int64GetDatum(wanted->moment.endpoint), Int64GetDatum(seq)};
	bool		is;

	is = mr_table_find(table, "traffic_schedule_pkey", 2, keys, wanted->snapshot) &&
		strcmp(etag, mr_endpoint_etag(seq, DatumGetByteaPP(mr_table_get(table, TRAFFIC_SCHEDULE_HASH, NULL)))) == 0;
	mr_table_close(table);
	return is;
}

/* How many schedules were laid down after one, and when the first of them. */
static int32
count_after(const Wanted *wanted, int64 seq, TimestampTz *first)
{
	MrTable    *table = mr_table_open_read("traffic_schedule");
	Datum		endpoint = Int64GetDatum(wanted->moment.endpoint);
	Datum		number = Int64GetDatum(seq);
	MrPlace		place = {.equal = &endpoint,.nequal = 1,.place = &number,.nplace = 1};
	MrScan	   *scan = mr_scan_begin_from(table, "traffic_schedule_pkey", &place,
										  wanted->snapshot);
	int32		n = 0;

	while (mr_scan_next(scan, false))
		if (n++ == 0)
			*first = DatumGetTimestampTz(mr_table_get(table, TRAFFIC_SCHEDULE_AT, NULL));
	mr_scan_end(scan);
	mr_table_close(table);
	return n;
}

static Names
missing(const Wanted *wanted, const Names *loaded)
{
	Names		missing = {palloc(Max(wanted->loaded.n, 1) * sizeof(char *)), 0};

	for (int i = 0; i < wanted->loaded.n; i++)
		if (!has_name(loaded, wanted->loaded.names[i]))
			missing.names[missing.n++] = wanted->loaded.names[i];
	return missing;
}

/*
 * How far an instance is behind, and since when it does not have what it
 * should: since another schedule took the place of the one it goes by, or
 * else since the present one wants what it lacks.
 */
static void
set_lag(const Wanted *wanted, const char *etag, bool lacks, Datum *values,
		bool *nulls)
{
	TimestampTz since = wanted->moment.schedule->at;
	int64		seq;
	int32		behind = 0;
	bool		known = scan_etag(etag, &seq) && is_of_endpoint(wanted, etag, seq);

	if (known)
		behind = count_after(wanted, seq, &since);
	nulls[OUT_BEHIND] = !known;
	values[OUT_BEHIND] = Int32GetDatum(behind);
	nulls[OUT_LAGS_SINCE] = known && behind == 0 && !lacks;
	values[OUT_LAGS_SINCE] = TimestampTzGetDatum(since);
}

static void
put_instance(ReturnSetInfo *rsinfo, MrTable *table, const Wanted *wanted)
{
	Names		loaded = read_names(DatumGetArrayTypeP(mr_table_get(table, INSTANCE_REPORT_LOADED, NULL)));
	Names		lacking = missing(wanted, &loaded);
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};

	values[OUT_INSTANCE] = mr_table_get(table, INSTANCE_REPORT_INSTANCE, NULL);
	values[OUT_ETAG] = mr_table_get(table, INSTANCE_REPORT_ETAG, NULL);
	values[OUT_REPORTED_AT] = mr_table_get(table, INSTANCE_REPORT_REPORTED_AT, NULL);
	values[OUT_LOADED] = mr_table_get(table, INSTANCE_REPORT_LOADED, NULL);
	values[OUT_MISSING] = names_datum(&lacking);
	values[OUT_SEEN_AT] = mr_table_get(table, INSTANCE_REPORT_SEEN_AT, NULL);
	values[OUT_SILENT] = BoolGetDatum(GetCurrentTimestamp() - DatumGetTimestampTz(values[OUT_SEEN_AT]) > wanted->patience);
	set_lag(wanted, TextDatumGetCString(values[OUT_ETAG]), lacking.n > 0, values, nulls);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The endpoint is named, or is there by its id. */
static MrMoment
moment_arg(FunctionCallInfo fcinfo, Snapshot snapshot)
{
	if (get_fn_expr_argtype(fcinfo->flinfo, 0) != INT8OID)
		return mr_moment_now(mr_arg_text(fcinfo, 0, "endpoint"), snapshot);
	mr_arg_require(fcinfo, 0, "endpoint_id");
	return mr_moment_now_of(PG_GETARG_INT64(0), snapshot);
}

/*
 * modelreg.fleet_status(endpoint text) and (endpoint_id bigint) return setof
 * record: a row for each instance that reported.
 *
 * Errors: 22004, 22023, 42704.
 */
Datum
modelreg_fleet_status(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	Wanted		wanted = find_wanted(moment_arg(fcinfo, snapshot), snapshot);
	MrTable    *table = mr_table_open_read("instance_report");
	Datum		key = Int64GetDatum(wanted.moment.endpoint);
	MrScan	   *scan;

	InitMaterializedSRF(fcinfo, 0);
	scan = mr_scan_begin(table, "instance_report_pkey", 1, &key, snapshot);
	while (mr_scan_next(scan, false))
		put_instance((ReturnSetInfo *) fcinfo->resultinfo, table, &wanted);
	mr_scan_end(scan);
	mr_table_close(table);
	return (Datum) 0;
}
