/*
 * current.c
 *		The versions that are current now.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "registry/registry.h"
#include "registry/registry_tables.h"

/* The tables that are read for one team after another. */
typedef struct Current
{
	MrTable    *models;
	MrTable    *versions;
	Snapshot	snapshot;
} Current;

static int64
node_of(Current *current, int64 model, int32 version)
{
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};

	if (!mr_table_find(current->versions, "version_pkey", 2, keys, current->snapshot))
		elog(ERROR, "version %d of model " INT64_FORMAT " does not exist",
			 version, model);
	return DatumGetInt64(mr_table_get(current->versions, VERSION_NODE_ID, NULL));
}

/* What is current is not retired, so the index of live models has it. */
static void
visit_team(Current *current, int64 team, MrVersionVisit visit, void *arg)
{
	Datum		key = Int64GetDatum(team);
	MrScan	   *scan = mr_scan_begin(current->models, "model_live_name", 1, &key,
									 current->snapshot);

	while (mr_scan_next(scan, false))
	{
		MrCurrentVersion version = {.team = team};
		bool		none;
		Datum		number = mr_table_get(current->models, MODEL_CURRENT_VERSION, &none);

		if (none)
			continue;
		version.version = DatumGetInt32(number);
		version.model = DatumGetInt64(mr_table_get(current->models, MODEL_ID, NULL));
		version.name = TextDatumGetCString(mr_table_get(current->models, MODEL_NAME, NULL));
		version.node = node_of(current, version.model, version.version);
		visit(&version, arg);
	}
	mr_scan_end(scan);
}

/*
 * Visit each version that is current in Production and that the caller may
 * read, as the snapshot sees them.  Its name is the visitor's to keep.
 */
void
mr_each_current_version(Snapshot snapshot, MrVersionVisit visit, void *arg)
{
	Current		current = {mr_table_open_read("model"),
	mr_table_open_read("version"), snapshot};
	int			n;
	int64	   *teams = mr_readable_teams(&n);

	for (int i = 0; i < n; i++)
		visit_team(&current, teams[i], visit, arg);
	mr_table_close(current.versions);
	mr_table_close(current.models);
}
