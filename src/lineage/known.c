/*
 * known.c
 *		Addresses that one call has looked up, and nodes that it will record.
 *
 * A call that records many nodes names the same inputs again and again, and
 * also nodes that it records itself: each address is looked up once, and a
 * node of the call is found before it has an id.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "base/table.h"
#include "lineage/lineage.h"
#include "types/model_uri.h"
#include "types/names.h"

typedef struct KnownEntry
{
	const char *address;
	MrNode	   *node;			/* NULL: there is none */
	char		status;			/* for simplehash */
} KnownEntry;

#define SH_PREFIX addresses
#define SH_ELEMENT_TYPE KnownEntry
#define SH_KEY_TYPE const char *
#define SH_KEY address
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct MrKnown
{
	addresses_hash *entries;
	MrTable    *nodes;
};

MrKnown *
mr_known_begin(void)
{
	MrKnown    *known = palloc(sizeof(MrKnown));

	known->entries = addresses_create(CurrentMemoryContext, 256, NULL);
	known->nodes = mr_table_open_read("node");
	return known;
}

/*
 * A node that the call records; the caller fills in what he knows of it.  A
 * second node of one address is the first.
 */
MrNode *
mr_known_add(MrKnown *known, const char *address)
{
	bool		found;
	KnownEntry *entry = addresses_insert(known->entries, address, &found);

	if (!found)
		entry->address = pstrdup(address);
	if (!found || entry->node == NULL)
		entry->node = palloc0(sizeof(MrNode));
	return entry->node;
}

/* The address as mr_known_add() was given it, if it is one of a node's key. */
static const char *
canonical(const char *address)
{
	MrNodeKey	key;

	if (strncmp(address, MR_URI_PERMANENT_SCHEME, strlen(MR_URI_PERMANENT_SCHEME)) == 0)
		return address;
	mr_node_key_parse(address, NULL, &key);
	return mr_node_key_print(&key);
}

/*
 * The node of an address; NULL when there is none that the caller may name,
 * and then asked_before says whether that was the answer before.
 */
const MrNode *
mr_known_find(MrKnown *known, const char *address, bool *asked_before)
{
	KnownEntry *entry = addresses_lookup(known->entries, address);
	MrNode	   *node;

	if (entry == NULL)
	{
		address = canonical(address);
		entry = addresses_lookup(known->entries, address);
	}
	*asked_before = entry != NULL;
	if (entry != NULL)
		return entry->node;
	node = palloc(sizeof(MrNode));
	if (!mr_node_find_input(known->nodes, address, node))
	{
		pfree(node);
		node = NULL;
	}
	entry = addresses_insert(known->entries, pstrdup(address), asked_before);
	entry->node = node;
	return node;
}

/* No address is looked up any more; the nodes stay as long as their memory. */
void
mr_known_end(MrKnown *known)
{
	mr_table_close(known->nodes);
	addresses_destroy(known->entries);
	pfree(known);
}
