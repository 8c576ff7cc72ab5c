/*
 * catalog.c
 *		What everybody is told of the models of discoverable teams.
 *
 * As little as is of use: that there is such a model, what it is said to be
 * for, and whom to ask.  No version, no id, no time.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "access/access_tables.h"
#include "base/table.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"

PG_FUNCTION_INFO_V1(modelreg_discoverable_models);

/* Columns of the result. */
enum
{
	OUT_TEAM, OUT_NAME, OUT_MODEL, OUT_DESCRIPTION, OUT_MAINTAINERS, OUT_COLUMNS
};

/* Names of the roles that maintain a team: those whose rights count. */
static Datum
maintainers_of(int64 team, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("membership");
	Datum		key = Int64GetDatum(team);
	MrScan	   *scan = mr_scan_begin(table, "membership_pkey", 1, &key, snapshot);
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (mr_scan_next(scan, false))
	{
		char	   *name = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_ROLE_NAME, NULL));
		char	   *level = TextDatumGetCString(mr_table_get(table, MEMBERSHIP_LEVEL, NULL));
		JsonbValue	value;

		if (mr_level_parse(level) != MR_MAINTAINER ||
			!mr_role_is_named(DatumGetObjectId(mr_table_get(table, MEMBERSHIP_ROLE_OID, NULL)),
							  name))
			continue;
		value.type = jbvString;
		value.val.string.val = name;
		value.val.string.len = strlen(name);
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

static char *
description_of(int64 model, Snapshot snapshot)
{
	bytea	   *digest = mr_description_digest(model, 0, snapshot);

	return digest == NULL ? NULL : mr_payload_fetch(digest);
}

static void
put_models(ReturnSetInfo *rsinfo, int64 team, const char *team_name,
		   Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(team);
	MrScan	   *scan = mr_scan_begin(table, "model_live_name", 1, &key, snapshot);
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS] = {false};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg catalog row",
												  ALLOCSET_DEFAULT_SIZES);

	values[OUT_TEAM] = CStringGetTextDatum(team_name);
	values[OUT_MAINTAINERS] = maintainers_of(team, snapshot);
	while (mr_scan_next(scan, false))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		char	   *name = TextDatumGetCString(mr_table_get(table, MODEL_NAME, NULL));
		char	   *description = description_of(DatumGetInt64(mr_table_get(table, MODEL_ID, NULL)),
												 snapshot);

		CHECK_FOR_INTERRUPTS();
		values[OUT_NAME] = CStringGetTextDatum(name);
		values[OUT_MODEL] = CStringGetTextDatum(psprintf("%s.%s", team_name, name));
		nulls[OUT_DESCRIPTION] = description == NULL;
		values[OUT_DESCRIPTION] = description ? CStringGetTextDatum(description) : (Datum) 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	mr_scan_end(scan);
	mr_table_close(table);
}

/*
 * modelreg.discoverable_models(), which the view catalog shows.  It asks for
 * no right: a maintainer of each team decided that this is everybody's.
 */
Datum
modelreg_discoverable_models(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Snapshot	snapshot = GetActiveSnapshot();
	MrTable    *table;
	MrScan	   *scan;

	InitMaterializedSRF(fcinfo, 0);
	table = mr_table_open_read("team");
	scan = mr_scan_begin(table, "team_pkey", 0, NULL, snapshot);
	while (mr_scan_next(scan, false))
	{
		bool		alive;

		(void) mr_table_get(table, TEAM_RETIRED_AT, &alive);
		if (alive && DatumGetBool(mr_table_get(table, TEAM_DISCOVERABLE, NULL)))
			put_models(rsinfo, DatumGetInt64(mr_table_get(table, TEAM_ID, NULL)),
					   TextDatumGetCString(mr_table_get(table, TEAM_NAME, NULL)),
					   snapshot);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return (Datum) 0;
}
