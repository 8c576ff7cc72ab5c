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

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/row.h"
#include "base/snapshot.h"
#include "base/table.h"
#include "lineage/lineage.h"
#include "lineage/lineage_tables.h"
#include "types/names.h"

struct MrNodeWriter
{
	MrVerb	   *verb;
	MemoryContext context;
	MemoryContext row_context;	/* of one node */
	MrTable    *nodes;
	MrTable    *edges;			/* NULL until they are needed */
	MrTable    *payloads;
};

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
		ids[i] = Int64GetDatum(inputs->items[i].node->id);
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
	nulls[NODE_SUPERSEDES - 1] = spec->supersedes == NULL;
	values[NODE_SUPERSEDES - 1] = Int64GetDatum(spec->supersedes ? spec->supersedes->id : 0);
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
		level = Max(level, inputs->items[i].node->level + 1);
		low = Min(low, inputs->items[i].node->low);
	}
	values[NODE_LEVEL - 1] = Int32GetDatum(level);
	values[NODE_LOW - 1] = Int64GetDatum(low);
}

/* Open a table that not every call writes; it lives as long as the writer. */
static MrTable *
open_when_needed(MrNodeWriter *writer, MrTable **table, const char *name)
{
	MemoryContext old;

	if (*table == NULL)
	{
		old = MemoryContextSwitchTo(writer->context);
		*table = mr_table_open(name);
		MemoryContextSwitchTo(old);
	}
	return *table;
}

static bytea *
write_properties(MrNodeWriter *writer, const MrNodeSpec *spec)
{
	if (spec->properties == NULL)
		return NULL;
	return mr_payload_write(open_when_needed(writer, &writer->payloads, "payload"),
							spec->team, spec->properties);
}

static bytea *
write_node_row(MrNodeWriter *writer, const MrNodeSpec *spec, int64 batch,
			   MrNode *node)
{
	Datum		values[NODE_COLUMNS] = {0};
	bool		nulls[NODE_COLUMNS] = {false};

	set_content(values, nulls, spec);
	set_labels(values, spec->inputs, node->id);
	node->level = DatumGetInt32(values[NODE_LEVEL - 1]);
	node->low = DatumGetInt64(values[NODE_LOW - 1]);
	values[NODE_ID - 1] = Int64GetDatum(node->id);
	values[NODE_BATCH - 1] = Int64GetDatum(batch);
	nulls[NODE_BATCH - 1] = batch == 0;
	mr_set_bytes(values, nulls, NODE_PROPERTIES - 1,
				 write_properties(writer, spec));
	values[NODE_WHO - 1] = JsonbPGetDatum(writer->verb->who);
	values[NODE_RECORDED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	return mr_table_insert(writer->nodes, values, nulls);
}

static void
write_edges(MrNodeWriter *writer, const MrNodeSpec *spec, int64 id)
{
	MrTable    *table;
	Datum		values[EDGE_COLUMNS];
	bool		nulls[EDGE_COLUMNS] = {false};

	if (spec->inputs->n == 0)
		return;
	table = open_when_needed(writer, &writer->edges, "edge");
	values[EDGE_CHILD - 1] = Int64GetDatum(id);
	values[EDGE_CHILD_TEAM - 1] = Int64GetDatum(spec->team);
	values[EDGE_CHILD_KIND - 1] = CStringGetTextDatum(spec->kind);
	for (int i = 0; i < spec->inputs->n; i++)
	{
		const MrNode *parent = spec->inputs->items[i].node;

		values[EDGE_PARENT - 1] = Int64GetDatum(parent->id);
		values[EDGE_PARENT_LOW - 1] = Int64GetDatum(parent->low);
		values[EDGE_PARENT_TEAM - 1] = Int64GetDatum(parent->team);
		values[EDGE_PARENT_LEVEL - 1] = Int32GetDatum(parent->level);
		values[EDGE_ROLE - 1] = CStringGetTextDatum(spec->inputs->items[i].role);
		values[EDGE_PARENT_KIND - 1] = CStringGetTextDatum(parent->kind);
		mr_table_insert(table, values, nulls);
	}
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

static void
raise_other_content(const MrTeam *team, const MrNodeSpec *spec,
					const char *differences)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("node \"%s\" is recorded already, with other content",
					print_key(team, spec)),
			 errdetail("What differs: %s.", differences),
			 errhint("Nodes are written once. Record the right content under another name or version, with supersedes naming this node."),
			 mr_reason("node_differs")));
}

/* A node with the same key is there: it is left in the table's slot. */
static void
load_same_key(MrNodeWriter *writer, const MrNodeSpec *spec)
{
	MrTable    *table = writer->nodes;
	Snapshot	own = mr_own_snapshot();

	/* it may be of this very command */
	CommandCounterIncrement();
	if (own != NULL &&
		!mr_node_find_row(table, spec->team, spec->kind, spec->name, spec->version, own))
		mr_table_raise_concurrent_update(table);
	if (!mr_node_find_row(table, spec->team, spec->kind, spec->name, spec->version, NULL))
		elog(ERROR, "node \"%s\" is there and cannot be seen",
			 print_key(&writer->verb->team, spec));
}

/*
 * Is a node with the same key there, which says the same?  One that says
 * something else is error 23505.
 */
static bool
find_same_node(MrNodeWriter *writer, const MrNodeSpec *spec, MrNode *node)
{
	MrTable    *table = writer->nodes;
	char	   *differences;

	if (!mr_node_await(table, spec->team, spec->kind, spec->name, spec->version))
		return false;
	load_same_key(writer, spec);
	differences = list_differences(table, spec);
	if (differences[0] != '\0')
		raise_other_content(&writer->verb->team, spec, differences);
	node->id = DatumGetInt64(mr_table_get(table, NODE_ID, NULL));
	node->level = DatumGetInt32(mr_table_get(table, NODE_LEVEL, NULL));
	node->low = DatumGetInt64(mr_table_get(table, NODE_LOW, NULL));
	return true;
}

static bytea *
write_new_node(MrNodeWriter *writer, const MrNodeSpec *spec, MrNode *node)
{
	int64		batch = spec->is_fact ? mr_fact_batch(writer->verb, spec->team) : 0;
	bytea	   *hash;

	node->id = mr_nextval("node_id_seq");
	hash = write_node_row(writer, spec, batch, node);
	write_edges(writer, spec, node->id);
	if (spec->is_fact)
		mr_fact_recorded(batch, "node", node->id, hash);
	return hash;
}

/* The tables are opened once for all nodes of a call. */
MrNodeWriter *
mr_node_writer_open(MrVerb *verb)
{
	MrNodeWriter *writer = palloc0(sizeof(MrNodeWriter));

	writer->verb = verb;
	writer->context = CurrentMemoryContext;
	writer->row_context = AllocSetContextCreate(CurrentMemoryContext,
												"modelreg node",
												ALLOCSET_DEFAULT_SIZES);
	writer->nodes = mr_table_open("node");
	return writer;
}

/*
 * Record a node and its edges, and note its id and labels; false when it was
 * recorded already, and nothing is written.  Whoever records the same key
 * waits for its lock until our row is there, and then for our transaction.
 */
bool
mr_node_write(MrNodeWriter *writer, const MrNodeSpec *spec, MrNode *node,
			  bytea **hash)
{
	MemoryContext old = MemoryContextSwitchTo(writer->row_context);
	StringInfoData key = encode_key(spec);
	bytea	   *written = NULL;
	bool		found;

	mr_lock_key(MR_LOCK_NODE, key.data, key.len);
	found = find_same_node(writer, spec, node);
	if (!found)
		written = write_new_node(writer, spec, node);
	mr_unlock_key(MR_LOCK_NODE, key.data, key.len);
	MemoryContextSwitchTo(old);
	if (hash != NULL)
		*hash = found ? NULL : DatumGetByteaPCopy(PointerGetDatum(written));
	MemoryContextReset(writer->row_context);
	return !found;
}

void
mr_node_writer_close(MrNodeWriter *writer)
{
	if (writer->edges != NULL)
		mr_table_close(writer->edges);
	if (writer->payloads != NULL)
		mr_table_close(writer->payloads);
	mr_table_close(writer->nodes);
	MemoryContextDelete(writer->row_context);
	pfree(writer);
}

/*
 * Record one node; returns its id.  If it is recorded already nothing is
 * written, and hash becomes NULL.
 */
int64
mr_node_insert(MrVerb *verb, const MrNodeSpec *spec, bytea **hash)
{
	MrNodeWriter *writer = mr_node_writer_open(verb);
	MrNode		node;

	mr_node_write(writer, spec, &node, hash);
	mr_node_writer_close(writer);
	return node.id;
}
