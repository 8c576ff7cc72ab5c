/*
 * node.c
 *		Finding nodes by id, key and address.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/hooks.h"
#include "base/owner.h"
#include "base/snapshot.h"
#include "base/table.h"
#include "lineage/cursor.h"
#include "lineage/lineage.h"
#include "lineage/lineage_tables.h"
#include "types/model_uri.h"
#include "types/names.h"
#include "types/parse.h"

static void
read_node(MrTable *table, MrNode *node)
{
	bool		isnull;
	Datum		supersedes = mr_table_get(table, NODE_SUPERSEDES, &isnull);

	node->id = DatumGetInt64(mr_table_get(table, NODE_ID, NULL));
	node->team = DatumGetInt64(mr_table_get(table, NODE_TEAM_ID, NULL));
	node->kind = TextDatumGetCString(mr_table_get(table, NODE_KIND, NULL));
	node->name = TextDatumGetCString(mr_table_get(table, NODE_NAME, NULL));
	node->version = TextDatumGetCString(mr_table_get(table, NODE_VERSION, NULL));
	node->supersedes = isnull ? 0 : DatumGetInt64(supersedes);
	node->level = DatumGetInt32(mr_table_get(table, NODE_LEVEL, NULL));
	node->low = DatumGetInt64(mr_table_get(table, NODE_LOW, NULL));
	node->recorded_at = DatumGetTimestampTz(mr_table_get(table, NODE_RECORDED_AT, NULL));
}

/* The node of an id; false when the snapshot does not see it. */
bool
mr_node_get(int64 id, Snapshot snapshot, MrNode *node)
{
	MrTable    *table = mr_table_open_read("node");
	Datum		key = Int64GetDatum(id);
	bool		found = mr_table_find(table, "node_pkey", 1, &key, snapshot);

	if (found)
		read_node(table, node);
	mr_table_close(table);
	return found;
}

/* So many ids in ascending order that are near each other are read in one scan. */
#define NEAR 16
#define STREAK 4

struct MrNodeReader
{
	MemoryContext context;		/* a scan keeps what it allocates */
	MrTable    *table;
	MrCursor   *cursor;
	int64		id;				/* of the entry under the cursor, or 0 */
	int			streak;			/* of ids shortly behind the one before */
	bool		in_order;		/* it goes on to the next ids */
};

MrNodeReader *
mr_node_reader_open(Snapshot snapshot)
{
	MrNodeReader *reader = palloc0(sizeof(MrNodeReader));

	reader->context = CurrentMemoryContext;
	reader->table = mr_table_open_read("node");
	reader->cursor = mr_cursor_open("node", "node_pkey", snapshot, 1);
	return reader;
}

/* Go before an id: on from where the cursor is, or anew. */
static void
seek(MrNodeReader *reader, int64 id)
{
	bool		near = reader->id != 0 && id > reader->id && id - reader->id <= NEAR;

	reader->streak = near ? reader->streak + 1 : 0;
	if (reader->streak < STREAK)
		mr_cursor_seek(reader->cursor, id);
	else if (!reader->in_order)
		mr_cursor_seek_from(reader->cursor, id, false);
	reader->in_order = reader->streak >= STREAK;
}

/* Bring the cursor to an id, or to where it would be. */
static void
go_to(MrNodeReader *reader, int64 id)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	seek(reader, id);
	do
		reader->id = mr_cursor_next(reader->cursor) ?
			DatumGetInt64(mr_cursor_get(reader->cursor, 1)) : 0;
	while (reader->in_order && reader->id != 0 && reader->id < id);
	MemoryContextSwitchTo(old);
}

/* The node of an id; false when the snapshot does not see it. */
bool
mr_node_read(MrNodeReader *reader, int64 id, MrNode *node)
{
	if (reader->id != id)
		go_to(reader, id);
	if (reader->id != id)
		return false;
	mr_cursor_fetch(reader->cursor, reader->table->slot);
	read_node(reader->table, node);
	return true;
}

void
mr_node_reader_close(MrNodeReader *reader)
{
	mr_cursor_close(reader->cursor);
	mr_table_close(reader->table);
	pfree(reader);
}

/* Find the row of a key and leave it in the table's slot. */
bool
mr_node_find_row(MrTable *table, int64 team, const char *kind,
				 const char *name, const char *version, Snapshot snapshot)
{
	Datum		keys[4];

	keys[0] = Int64GetDatum(team);
	keys[1] = CStringGetTextDatum(kind);
	keys[2] = CStringGetTextDatum(name);
	keys[3] = CStringGetTextDatum(version);
	return mr_table_find(table, "node_key", 4, keys, snapshot);
}

/*
 * Wait for whoever records a node with that key at this time; true when
 * there is one then.
 */
bool
mr_node_await(MrTable *table, int64 team, const char *kind, const char *name,
			  const char *version)
{
	Datum		keys[4] = {Int64GetDatum(team), CStringGetTextDatum(kind),
	CStringGetTextDatum(name), CStringGetTextDatum(version)};

	return mr_table_await_key(table, "node_key", 4, keys);
}

/* The node of a version, by models:/team.name/version or permanent id. */
static bool
resolve_version(const char *address, bool as_input, Snapshot snapshot,
				MrNode *node)
{
	int64		id = mr_version_node == NULL ? 0 :
		mr_version_node(address, as_input, snapshot);

	return id != 0 && mr_node_get(id, snapshot, node);
}

/*
 * The team of that name whose nodes the caller may read or, as_input, name as
 * inputs; 0 for none.
 */
int64
mr_node_team(const char *name, bool as_input)
{
	const MrTeam *team = mr_team_by_name(name);

	if (team != NULL)
		return team->id;
	return as_input ? mr_discoverable_team(name) : 0;
}

static bool
resolve_as_of(MrTable *table, const char *address, bool as_input,
			  Snapshot snapshot, MrNode *node)
{
	MrNodeKey	key;
	int64		team;

	if (strncmp(address, MR_URI_PERMANENT_SCHEME, strlen(MR_URI_PERMANENT_SCHEME)) == 0)
		return resolve_version(address, as_input, snapshot, node);
	mr_node_key_parse(address, NULL, &key);
	if (strcmp(key.kind, MR_NODE_KIND_VERSION) == 0)
		return resolve_version(mr_node_key_print(&key), as_input, snapshot, node);
	team = mr_node_team(key.team, as_input);
	if (team == 0 ||
		!mr_node_find_row(table, team, key.kind, key.name, key.version, snapshot))
		return false;
	read_node(table, node);
	return true;
}

/*
 * The node of an address that the caller may read or, as_input, name as an
 * input; false when the snapshot sees none.  Malformed addresses are errors.
 * Without a snapshot it is one to build on.
 */
static bool
resolve(MrTable *table, const char *address, bool as_input, Snapshot snapshot,
		MrNode *node)
{
	Snapshot	own = snapshot == NULL ? mr_own_snapshot() : NULL;
	bool		found = resolve_as_of(table, address, as_input, snapshot, node);
	MrNode		seen;

	if (own != NULL &&
		(resolve_as_of(table, address, as_input, own, &seen) != found ||
		 (found && seen.id != node->id)))
		mr_table_raise_concurrent_update(table);
	return found;
}

/*
 * The node of an address that the caller may name as an input: one to read,
 * or any one of a discoverable team.  table is modelreg.node.
 */
bool
mr_node_find_input(MrTable *table, const char *address, MrNode *node)
{
	return resolve(table, address, true, NULL, node);
}

/* Error 42704. */
void
mr_node_raise_missing(const char *address)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("node \"%s\" does not exist or you may not read it",
					mr_text_clip(address)),
			 errhint("modelreg.lineage_nodes lists the nodes that you may read."),
			 mr_reason("node_not_found")));
}

/* The node of an address that the caller may read, or error 42704. */
void
mr_node_load(const char *address, Snapshot snapshot, MrNode *node)
{
	MrTable    *table = mr_table_open_read("node");
	bool		found = resolve(table, address, false, snapshot, node);

	mr_table_close(table);
	if (!found)
		mr_node_raise_missing(address);
}

/* The same; returns only the id. */
int64
mr_node_require(const char *address, Snapshot snapshot)
{
	MrNode		node;

	mr_node_load(address, snapshot, &node);
	return node.id;
}

/*
 * The team of a node that need not have this address any more, as a verb asks
 * for it that may repeat an earlier call.  Error 42704 for a team that the
 * caller may not read.
 */
MrTeam
mr_node_team_of(const char *address)
{
	const MrTeam *found;
	MrTeam		team;
	MrNodeKey	key;
	MrNode		node;

	if (strncmp(address, MR_URI_PERMANENT_SCHEME, strlen(MR_URI_PERMANENT_SCHEME)) == 0)
	{
		mr_node_load(address, NULL, &node);
		found = mr_team_by_id(node.team);
	}
	else
	{
		mr_node_key_parse(address, NULL, &key);
		found = mr_team_by_name(key.team);
	}
	if (found == NULL)
		mr_node_raise_missing(address);
	team = *found;
	team.name = pstrdup(team.name);
	return team;
}

/*
 * The address of a node, NULL when the caller may not read its team.  The
 * name of a version's node becomes that of its model, as the snapshot sees it.
 */
char *
mr_node_address(MrNode *node, Snapshot snapshot)
{
	const MrTeam *team = mr_team_by_id(node->team);

	return team == NULL ? NULL : mr_node_address_in(team->name, node, snapshot);
}

/* The same, of a team that the caller may read, by its name. */
char *
mr_node_address_in(char *team, MrNode *node, Snapshot snapshot)
{
	MrNodeKey	key;

	if (strcmp(node->kind, MR_NODE_KIND_VERSION) == 0 && mr_version_address != NULL)
		return mr_version_address(node->team, pg_strtoint64(node->name),
								  pg_strtoint32(node->version), snapshot,
								  &node->name);
	key.kind = node->kind;
	key.team = team;
	key.name = node->name;
	key.version = node->version;
	return mr_node_key_print(&key);
}
