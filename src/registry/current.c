/*
 * current.c
 *		The versions that are current now.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "registry/registry.h"
#include "registry/registry_tables.h"

/* What is current is not retired, so the index of live models has it. */
static void
visit_team(MrTable *models, int64 team, Snapshot snapshot,
		   MrVersionVisit visit, void *arg)
{
	Datum		key = Int64GetDatum(team);
	MrScan	   *scan = mr_scan_begin(models, "model_live_name", 1, &key, snapshot);

	while (mr_scan_next(scan, false))
	{
		MrCurrentVersion version = {.team = team};
		bool		none;
		Datum		number = mr_table_get(models, MODEL_CURRENT_VERSION, &none);

		if (none)
			continue;
		version.version = DatumGetInt32(number);
		version.model = DatumGetInt64(mr_table_get(models, MODEL_ID, NULL));
		version.name = TextDatumGetCString(mr_table_get(models, MODEL_NAME, NULL));
		version.node = DatumGetInt64(mr_table_get(models, MODEL_CURRENT_NODE_ID, NULL));
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
	MrTable    *models = mr_table_open_read("model");
	int			n;
	int64	   *teams = mr_readable_teams(&n);

	for (int i = 0; i < n; i++)
		visit_team(models, teams[i], snapshot, visit, arg);
	mr_table_close(models);
}
