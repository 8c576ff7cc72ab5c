/*
 * production.c
 *		What is current, what was, and what was before.
 *
 * The present is one probe of the model's row; a moment of the past is one
 * probe of production by time.  Nothing here locks, and all of it works on a
 * hot standby.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/row.h"
#include "governance/transition.h"
#include "registry/registry_tables.h"

PG_FUNCTION_INFO_V1(modelreg_production);
PG_FUNCTION_INFO_V1(modelreg_previous);

/* Columns of production(). */
enum
{
	OUT_VERSION, OUT_SINCE, OUT_URI, OUT_PERMANENT_ID,
	OUT_REGISTERED_AT, OUT_ETAG, OUT_FINAL, OUT_COLUMNS
};

/* What does not depend on whether a version is current. */
static void
set_frame(int64 etag, bool final, Datum *values, bool *nulls)
{
	memset(nulls, true, OUT_COLUMNS * sizeof(bool));
	values[OUT_ETAG] = Int64GetDatum(etag);
	values[OUT_FINAL] = BoolGetDatum(final);
	nulls[OUT_ETAG] = nulls[OUT_FINAL] = false;
}

static void
set_version(const MrModel *model, int32 version, TimestampTz since,
			Datum identity, TimestampTz registered_at, Datum *values,
			bool *nulls)
{
	values[OUT_VERSION] = Int32GetDatum(version);
	values[OUT_SINCE] = TimestampTzGetDatum(since);
	values[OUT_URI] = CStringGetTextDatum(mr_version_uri(model, version));
	values[OUT_PERMANENT_ID] =
		CStringGetTextDatum(mr_permanent_id(identity, model->id, version));
	values[OUT_REGISTERED_AT] = TimestampTzGetDatum(registered_at);
	memset(&nulls[OUT_VERSION], false,
		   (OUT_REGISTERED_AT - OUT_VERSION + 1) * sizeof(bool));
}

/* The answer for now: one probe of the model's own row. */
static Datum
production_now(FunctionCallInfo fcinfo, const char *name)
{
	MrTable    *table = mr_table_open_read("model");
	MrModel		model = {0};
	Datum		row[MODEL_COLUMNS];
	bool		row_nulls[MODEL_COLUMNS];
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS];
	Datum		result;

	model.team = mr_model_open(table, name, GetActiveSnapshot());
	mr_table_read(table, row, row_nulls);
	model.id = DatumGetInt64(row[MODEL_ID - 1]);
	model.name = TextDatumGetCString(row[MODEL_NAME - 1]);
	set_frame(DatumGetInt64(row[MODEL_SEQ - 1]), false, values, nulls);
	if (!row_nulls[MODEL_CURRENT_VERSION - 1])
		set_version(&model, DatumGetInt32(row[MODEL_CURRENT_VERSION - 1]),
					DatumGetTimestampTz(row[MODEL_CURRENT_SINCE - 1]),
					row[MODEL_CURRENT_IDENTITY - 1],
					DatumGetTimestampTz(row[MODEL_CURRENT_REGISTERED_AT - 1]),
					values, nulls);
	result = mr_make_record(fcinfo, values, nulls);
	mr_table_close(table);
	return result;
}

static void
set_past_version(const MrModel *model, const MrTenure *tenure, Datum *values,
				 bool *nulls)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2];

	keys[0] = Int64GetDatum(model->id);
	keys[1] = Int32GetDatum(tenure->version);
	if (!mr_table_find(table, "version_pkey", 2, keys, GetActiveSnapshot()))
		elog(ERROR, "version %d is missing", tenure->version);
	set_version(model, tenure->version, tenure->at,
				mr_table_get(table, VERSION_IDENTITY, NULL),
				DatumGetTimestampTz(mr_table_get(table, VERSION_REGISTERED_AT, NULL)),
				values, nulls);
	mr_table_close(table);
}

static Datum
production_then(FunctionCallInfo fcinfo, const MrModel *model, TimestampTz at)
{
	bool		final = mr_chain_is_final(MR_CHAIN_DECISIONS, model->id, at,
										  GetActiveSnapshot());
	MrTenure	tenure = {0};
	bool		found = mr_tenure_at(model->id, at, GetActiveSnapshot(), &tenure);
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS];

	set_frame(tenure.seq, final, values, nulls);
	if (found && tenure.version != 0)
		set_past_version(model, &tenure, values, nulls);
	return mr_make_record(fcinfo, values, nulls);
}

/*
 * modelreg.production(model text, at timestamptz) returns record
 *
 * at NULL: now, by the model's present name.  Otherwise the name is the one of
 * that time.  version is NULL when none was current.  Errors: 42704.
 */
Datum
modelreg_production(PG_FUNCTION_ARGS)
{
	char	   *name = mr_arg_text(fcinfo, 0, "model");
	MrModel		model;

	if (PG_ARGISNULL(1))
		return production_now(fcinfo, name);
	model = mr_require_model_at(name, PG_GETARG_TIMESTAMPTZ(1));
	return production_then(fcinfo, &model, PG_GETARG_TIMESTAMPTZ(1));
}

/*
 * modelreg.previous(model text) returns record (version, uri, since): what
 * rollback_model() would go back to; NULLs when there is nothing.
 */
Datum
modelreg_previous(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MrModel		model = mr_require_model(mr_arg_text(fcinfo, 0, "model"),
										 MR_READER, snapshot);
	MrTenure	latest;
	MrTenure	previous;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (mr_tenure_latest(model.id, snapshot, &latest) &&
		mr_tenure_previous(model.id, snapshot, &latest, &previous))
	{
		values[0] = Int32GetDatum(previous.version);
		values[1] = CStringGetTextDatum(mr_version_uri(&model, previous.version));
		values[2] = TimestampTzGetDatum(previous.at);
		memset(nulls, false, sizeof(nulls));
	}
	return mr_make_record(fcinfo, values, nulls);
}
