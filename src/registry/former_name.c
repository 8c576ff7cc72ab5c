/*
 * former_name.c
 *		Which models had a name before, and which of them were in Production.
 *
 * Gates compare a version with what is in Production.  A model that has a name
 * which another one had before stands in that one's place, so a name is as
 * little a way past such gates as it is past a policy.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/grow.h"
#include "registry/former_name.h"
#include "registry/registry_tables.h"

/* Ids, each once. */
typedef struct Holders
{
	int64	   *ids;
	int			n;
	int64		room;
} Holders;

static void
add_holder(Holders *holders, int64 id)
{
	for (int i = 0; i < holders->n; i++)
		if (holders->ids[i] == id)
			return;
	holders->ids = mr_grow(holders->ids, holders->n, &holders->room, sizeof(int64));
	holders->ids[holders->n++] = id;
}

/* Those that had a name before a model, which has it in the slot, got it. */
static void
add_holders_before(Holders *holders, MrTable *got, int64 model, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("model_name");
	TimestampTz since = DatumGetTimestampTz(mr_table_get(got, MODEL_NAME_SINCE, NULL));
	Datum		keys[2] = {mr_table_get(got, MODEL_NAME_TEAM_ID, NULL),
		mr_table_get_copy(got, MODEL_NAME_NAME)};
	MrScan	   *scan = mr_scan_begin(table, "model_name_pkey", 2, keys, snapshot);

	while (mr_scan_next(scan, false) &&
		   DatumGetTimestampTz(mr_table_get(table, MODEL_NAME_SINCE, NULL)) < since)
	{
		int64		id = DatumGetInt64(mr_table_get(table, MODEL_NAME_MODEL_ID, NULL));

		CHECK_FOR_INTERRUPTS();
		if (id != model)
			add_holder(holders, id);
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

/* The other models that had, before this one, any name that it has or had. */
int64 *
mr_model_former_holders(int64 model, Snapshot snapshot, int *n)
{
	MrTable    *table = mr_table_open_read("model_name");
	Datum		key = Int64GetDatum(model);
	MrScan	   *scan = mr_scan_begin(table, "model_name_model", 1, &key, snapshot);
	Holders		holders = {0};

	while (mr_scan_next(scan, false))
		add_holders_before(&holders, table, model, snapshot);
	mr_scan_end(scan);
	mr_table_close(table);
	*n = holders.n;
	return holders.ids;
}

/* Was any version of the model ever current? */
static bool
was_in_production(int64 model)
{
	MrTable    *table = mr_table_open_read("production");
	Datum		key = Int64GetDatum(model);
	MrScan	   *scan = mr_scan_begin(table, "production_pkey", 1, &key, NULL);
	bool		was = mr_scan_next(scan, false);

	mr_scan_end(scan);
	mr_table_close(table);
	return was;
}

/* The last model that had a name, of those that are wanted, NULL for all; 0 for none. */
int64
mr_model_last_holder(int64 team, const char *name, bool (*wanted) (int64 model))
{
	MrTable    *table = mr_table_open_read("model_name");
	Datum		keys[2] = {Int64GetDatum(team), CStringGetTextDatum(name)};
	MrScan	   *scan = mr_scan_begin(table, "model_name_pkey", 2, keys, NULL);
	int64		found = 0;

	while (found == 0 && mr_scan_next(scan, true))
	{
		int64		id = DatumGetInt64(mr_table_get(table, MODEL_NAME_MODEL_ID, NULL));

		CHECK_FOR_INTERRUPTS();
		if (wanted == NULL || wanted(id))
			found = id;
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return found;
}

/*
 * Error 42501 where a model that came to Production under another name would
 * take the place of one that was there: no gate compared the two.  The team's
 * head and the model's are locked.
 */
void
mr_model_check_takes_place(const MrModel *model, const char *new_name)
{
	int64		last = mr_model_last_holder(model->team.id, new_name, was_in_production);

	if (last == 0 || last == model->id || !was_in_production(model->id))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the name \"%s.%s\" belonged to a model that was in Production",
					model->team.name, new_name),
			 errdetail("So was \"%s\", which no gate has compared with it.",
					   mr_model_address(model)),
			 errhint("Create a model of that name and promote its versions there, or ask an admin."),
			 mr_reason("name_in_production")));
}
