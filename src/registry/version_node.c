/*
 * version_node.c
 *		The node of a version in the lineage, and the address of a version.
 *
 * A version's node is named by the model's permanent id, so names are put in
 * and taken out here.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "base/table.h"
#include "lineage/lineage.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "registry/version_node.h"
#include "types/model_uri.h"
#include "types/names.h"

static bool
may_see(int64 team, bool as_input)
{
	return mr_may_read(team) || (as_input && mr_team_is_discoverable(team));
}

/* The node of a version that is there, as a snapshot (NULL: the latest) sees it. */
int64
mr_version_node_id(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	int64		node;

	if (!mr_table_find(table, "version_pkey", 2, keys, snapshot))
		elog(ERROR, "version %d of model " INT64_FORMAT " does not exist",
			 version, model);
	node = DatumGetInt64(mr_table_get(table, VERSION_NODE_ID, NULL));
	mr_table_close(table);
	return node;
}

/* The node of a version that the caller may see; 0 for none. */
static int64
node_of(int64 model, int32 version, const pg_uuid_t *identity, bool as_input,
		Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	int64		node = 0;

	if (mr_table_find(table, "version_pkey", 2, keys, snapshot) &&
		may_see(DatumGetInt64(mr_table_get(table, VERSION_TEAM_ID, NULL)), as_input) &&
		(identity == NULL ||
		 memcmp(identity, DatumGetUUIDP(mr_table_get(table, VERSION_IDENTITY, NULL)),
				UUID_LEN) == 0))
		node = DatumGetInt64(mr_table_get(table, VERSION_NODE_ID, NULL));
	mr_table_close(table);
	return node;
}

/*
 * The node of a version by its address, models:/team.name/version or the
 * permanent id; 0 when there is none that the caller may read or, as_input,
 * name as an input.
 */
int64
mr_find_version_node(const char *address, bool as_input, Snapshot snapshot)
{
	MrTeam		team = {0};
	MrModelUri	uri;
	MrModel		model;

	(void) mr_model_uri_parse(address, NULL, &uri);
	if (uri.kind == MR_URI_PERMANENT)
		return node_of(uri.model_id, uri.version, &uri.identity, as_input,
					   snapshot);
	if (uri.kind != MR_URI_VERSION)
		return 0;
	team.id = mr_node_team(uri.team, as_input);
	if (team.id == 0 || !mr_model_find(&team, uri.name, snapshot, &model))
		return 0;
	return node_of(model.id, uri.version, NULL, as_input, snapshot);
}

static char *
permanent_id(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	char	   *id;

	if (!mr_table_find(table, "version_pkey", 2, keys, snapshot))
		elog(ERROR, "version %d of model " INT64_FORMAT " does not exist",
			 version, model);
	id = mr_permanent_id(mr_table_get(table, VERSION_IDENTITY, NULL), model,
						 version);
	mr_table_close(table);
	return id;
}

/*
 * Name (without the team), current version (0: none) and address of a
 * version's model.  The address of a version whose model was retired is its
 * permanent id, as the name may be another model's by now.
 */
void
mr_describe_version(const char *team, int64 model, int32 version,
					Snapshot snapshot, MrVersionName *out)
{
	MrTable    *table = mr_table_open_read("model");
	Datum		key = Int64GetDatum(model);
	bool		alive;
	bool		none;
	Datum		current;

	if (!mr_table_find(table, "model_pkey", 1, &key, snapshot))
		elog(ERROR, "model " INT64_FORMAT " does not exist", model);
	out->name = TextDatumGetCString(mr_table_get(table, MODEL_NAME, NULL));
	current = mr_table_get(table, MODEL_CURRENT_VERSION, &none);
	out->is_current = !none && DatumGetInt32(current) == version;
	(void) mr_table_get(table, MODEL_RETIRED_AT, &alive);
	mr_table_close(table);
	out->address = alive ?
		psprintf(MR_URI_MODELS "%s.%s/%d", team, out->name, version) :
		permanent_id(model, version, snapshot);
}

/* For the lineage: the address and the model's name of a version's node. */
char *
mr_find_version_address(int64 team_id, int64 model, int32 version,
						Snapshot snapshot, char **name)
{
	const MrTeam *team = mr_team_by_id(team_id);
	MrVersionName found;

	if (team == NULL)
		return NULL;
	mr_describe_version(pstrdup(team->name), model, version, snapshot, &found);
	*name = found.name;
	return found.address;
}

/* Of what a walk saw, the versions. */
bool
mr_want_version(const MrWalkStep *step, void *arg)
{
	return strcmp(step->kind, MR_NODE_KIND_VERSION) == 0;
}
