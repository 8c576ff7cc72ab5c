/*
 * stored_json.c
 *		JSON that rows name by its digest.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "audit/audit.h"
#include "lineage/lineage_tables.h"
#include "registry/stored_json.h"

/* The JSON of a column with a payload, of the row in the slot. */
MrStoredJson
mr_stored_json(MrTable *table, AttrNumber attno)
{
	MrStoredJson result = {NULL, false};
	bool		isnull;
	Datum		digest = mr_table_get(table, attno, &isnull);
	char	   *body = isnull ? NULL : mr_payload_fetch(DatumGetByteaPP(digest));

	result.redacted = !isnull && body == NULL;
	if (body != NULL)
	{
		result.json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(body)));
		pfree(body);
	}
	return result;
}

/* Member schema of a node's properties. */
MrStoredJson
mr_stored_schema(int64 node, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("node");
	Datum		key = Int64GetDatum(node);
	MrStoredJson result;
	Jsonb	   *properties;
	JsonbValue	schema;

	if (!mr_table_find(table, "node_pkey", 1, &key, snapshot))
		elog(ERROR, "node " INT64_FORMAT " does not exist", node);
	result = mr_stored_json(table, NODE_PROPERTIES);
	mr_table_close(table);
	properties = result.json;
	result.json = NULL;
	if (properties != NULL &&
		getKeyJsonValueFromContainer(&properties->root, "schema", strlen("schema"), &schema) != NULL)
		result.json = JsonbValueToJsonb(&schema);
	if (properties != NULL)
		pfree(properties);
	return result;
}
