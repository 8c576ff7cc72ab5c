/*
 * record.c
 *		Recording a node with its edges.
 *
 * A node is written once, with its inputs in its own row, so that its hash
 * covers them; its edges repeat them for walks.  Who records a node that
 * exists already either says the same of it, and nothing happens, or is told
 * what differs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/row.h"
#include "base/table.h"
#include "lineage/lineage.h"
#include "lineage/lineage_tables.h"
#include "types/names.h"

static StringInfoData
encode_key(const MrNodeSpec *spec)
{
	StringInfoData key;

	initStringInfo(&key);
	mr_encode_datum(&key, INT8OID, Int64GetDatum(spec->team), false);
	mr_encode_bytes(&key, spec->kind, strlen(spec->kind));
	mr_encode_bytes(&key, spec->name, strlen(spec->name));
	mr_encode_bytes(&key, spec->version, strlen(spec->version));
	return key;
}

static void
set_inputs(Datum *values, const MrInputs *inputs)
{
	Datum	   *roles = palloc(Max(inputs->n, 1) * sizeof(Datum));
	Datum	   *ids = palloc(Max(inputs->n, 1) * sizeof(Datum));

	for (int i = 0; i < inputs->n; i++)
	{
		roles[i] = CStringGetTextDatum(inputs->items[i].role);
		ids[i] = Int64GetDatum(inputs->items[i].node.id);
	}
	values[NODE_INPUT_ROLES - 1] =
		PointerGetDatum(construct_array(roles, inputs->n, TEXTOID, -1, false,
										TYPALIGN_INT));
	values[NODE_INPUT_IDS - 1] =
		PointerGetDatum(construct_array(ids, inputs->n, INT8OID, sizeof(int64),
										FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* What the caller said, as columns; properties are stored apart. */
static void
set_content(Datum *values, bool *nulls, const MrNodeSpec *spec)
{
	mr_set_text(values, nulls, NODE_KIND - 1, spec->kind);
	mr_set_text(values, nulls, NODE_NAME - 1, spec->name);
	mr_set_text(values, nulls, NODE_VERSION - 1, spec->version);
	mr_set_text(values, nulls, NODE_URI - 1, spec->uri);
	mr_set_text(values, nulls, NODE_DIGEST - 1, spec->digest);
	set_inputs(values, spec->inputs);
	values[NODE_TEAM_ID - 1] = Int64GetDatum(spec->team);
	values[NODE_SUPERSEDES - 1] = Int64GetDatum(spec->supersedes);
	nulls[NODE_SUPERSEDES - 1] = spec->supersedes == 0;
	values[NODE_ROWS - 1] = Int64GetDatum(spec->rows ? *spec->rows : 0);
	nulls[NODE_ROWS - 1] = spec->rows == NULL;
	values[NODE_OCCURRED_AT - 1] =
		TimestampTzGetDatum(spec->occurred_at ? *spec->occurred_at : 0);
	nulls[NODE_OCCURRED_AT - 1] = spec->occurred_at == NULL;
}

/*
 * Reachability labels.  Whatever derives from a node has a greater level
 * than it, and a low that is not greater than its.
 */
static void
set_labels(Datum *values, const MrInputs *inputs, int64 id)
{
	int32		level = 0;
	int64		low = id;

	for (int i = 0; i < inputs->n; i++)
	{
		level = Max(level, inputs->items[i].node.level + 1);
		low = Min(low, inputs->items[i].node.low);
	}
	values[NODE_LEVEL - 1] = Int32GetDatum(level);
	values[NODE_LOW - 1] = Int64GetDatum(low);
}

static bytea *
insert_node_row(MrVerb *verb, const MrNodeSpec *spec, int64 id, int64 batch)
{
	Datum		values[NODE_COLUMNS] = {0};
	bool		nulls[NODE_COLUMNS] = {false};

	set_content(values, nulls, spec);
	set_labels(values, spec->inputs, id);
	values[NODE_ID - 1] = Int64GetDatum(id);
	values[NODE_BATCH - 1] = Int64GetDatum(batch);
	nulls[NODE_BATCH - 1] = batch == 0;
	mr_set_bytes(values, nulls, NODE_PROPERTIES - 1,
				 mr_payload_store(spec->team, spec->properties));
	values[NODE_WHO - 1] = JsonbPGetDatum(verb->who);
	values[NODE_RECORDED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	return mr_insert_row("node", values, nulls);
}

static void
insert_edges(const MrNodeSpec *spec, int64 id)
{
	MrTable    *table;
	Datum		values[EDGE_COLUMNS];
	bool		nulls[EDGE_COLUMNS] = {false};

	if (spec->inputs->n == 0)
		return;
	table = mr_table_open("edge");
	values[EDGE_CHILD - 1] = Int64GetDatum(id);
	values[EDGE_CHILD_TEAM - 1] = Int64GetDatum(spec->team);
	values[EDGE_CHILD_KIND - 1] = CStringGetTextDatum(spec->kind);
	for (int i = 0; i < spec->inputs->n; i++)
	{
		const MrInput *input = &spec->inputs->items[i];

		values[EDGE_PARENT - 1] = Int64GetDatum(input->node.id);
		values[EDGE_PARENT_LOW - 1] = Int64GetDatum(input->node.low);
		values[EDGE_PARENT_TEAM - 1] = Int64GetDatum(input->node.team);
		values[EDGE_PARENT_LEVEL - 1] = Int32GetDatum(input->node.level);
		values[EDGE_ROLE - 1] = CStringGetTextDatum(input->role);
		values[EDGE_PARENT_KIND - 1] = CStringGetTextDatum(input->node.kind);
		mr_table_insert(table, values, nulls);
	}
	mr_table_close(table);
}

static void
add_difference(StringInfo list, const char *what)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "", what);
}

/* Redacted properties are no longer known, so whatever is said now passes. */
static bool
same_properties(MrTable *table, const char *given)
{
	bool		isnull;
	Datum		digest = mr_table_get(table, NODE_PROPERTIES, &isnull);
	char	   *body;

	if (isnull || given == NULL)
		return isnull == (given == NULL);
	body = mr_payload_fetch(DatumGetByteaPP(digest));
	return body == NULL || strcmp(body, given) == 0;
}

/* Is a column of the row in the slot another value than the given one? */
static bool
column_differs(MrTable *table, AttrNumber attno, Datum value, bool isnull)
{
	Oid			type = TupleDescAttr(RelationGetDescr(table->rel), attno - 1)->atttypid;
	StringInfoData ours;
	StringInfoData given;
	bool		our_null;
	Datum		our_value = mr_table_get(table, attno, &our_null);

	initStringInfo(&ours);
	initStringInfo(&given);
	mr_encode_datum(&ours, type, our_value, our_null);
	mr_encode_datum(&given, type, value, isnull);
	return ours.len != given.len || memcmp(ours.data, given.data, ours.len) != 0;
}

/* What the caller says otherwise than the row in the slot. */
static char *
list_differences(MrTable *table, const MrNodeSpec *spec)
{
	static const struct
	{
		AttrNumber	attno;
		const char *name;
	}			columns[] = {
		{NODE_INPUT_ROLES, "the roles of its inputs"},
		{NODE_INPUT_IDS, "its inputs"},
		{NODE_SUPERSEDES, "supersedes"},
		{NODE_URI, "uri"},
		{NODE_DIGEST, "digest"},
		{NODE_ROWS, "rows"},
		{NODE_OCCURRED_AT, "occurred_at"},
	};
	Datum		values[NODE_COLUMNS] = {0};
	bool		nulls[NODE_COLUMNS] = {false};
	StringInfoData list;

	initStringInfo(&list);
	set_content(values, nulls, spec);
	for (int i = 0; i < lengthof(columns); i++)
	{
		int			column = columns[i].attno - 1;

		if (column_differs(table, columns[i].attno, values[column], nulls[column]))
			add_difference(&list, columns[i].name);
	}
	if (!same_properties(table, spec->properties))
		add_difference(&list, "properties");
	return list.data;
}

static char *
print_key(const MrTeam *team, const MrNodeSpec *spec)
{
	MrNodeKey	key;

	key.kind = pstrdup(spec->kind);
	key.team = team->name;
	key.name = pstrdup(spec->name);
	key.version = pstrdup(spec->version);
	return mr_node_key_print(&key);
}

/*
 * The id of a node with the same key that says the same, 0 when there is
 * none; one that says something else is error 23505.
 */
static int64
find_same_node(const MrTeam *team, const MrNodeSpec *spec)
{
	MrTable    *table = mr_table_open_read("node");
	int64		id = 0;

	mr_node_await(table, spec->team, spec->kind, spec->name, spec->version);
	if (mr_node_find_row(table, spec->team, spec->kind, spec->name, spec->version, NULL))
	{
		char	   *differences = list_differences(table, spec);

		if (differences[0] != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("node \"%s\" is recorded already, with other content",
							print_key(team, spec)),
					 errdetail("What differs: %s.", differences),
					 errhint("Nodes are written once. Record the right content under another name or version, with supersedes naming this node."),
					 mr_reason("node_differs")));
		id = DatumGetInt64(mr_table_get(table, NODE_ID, NULL));
	}
	mr_table_close(table);
	return id;
}

static int64
insert_node(MrVerb *verb, const MrNodeSpec *spec, bytea **hash)
{
	int64		batch;
	int64		id;

	batch = spec->is_fact ? mr_fact_batch(verb, spec->team) : 0;
	id = mr_nextval("node_id_seq");
	*hash = insert_node_row(verb, spec, id, batch);
	insert_edges(spec, id);
	if (spec->is_fact)
		mr_fact_recorded(batch, "node", id, *hash);
	return id;
}

/*
 * Record a node and its edges; returns its id.  If it is recorded already
 * nothing is written, and hash becomes NULL.  Whoever records the same key
 * waits for its lock until our row is there, and then for our transaction.
 */
int64
mr_node_insert(MrVerb *verb, const MrNodeSpec *spec, bytea **hash)
{
	StringInfoData key = encode_key(spec);
	int64		id;

	*hash = NULL;
	mr_lock_key(MR_LOCK_NODE, key.data, key.len);
	id = find_same_node(&verb->team, spec);
	if (id == 0)
		id = insert_node(verb, spec, hash);
	mr_unlock_key(MR_LOCK_NODE, key.data, key.len);
	pfree(key.data);
	return id;
}
