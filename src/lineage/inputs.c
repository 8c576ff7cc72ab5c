/*
 * inputs.c
 *		The inputs of a node that is to be recorded.
 *
 * Inputs are found with the caller's rights (or in a discoverable team), before anything is written and
 * before the node's id is drawn: so a parent's id is smaller than a child's.
 * All that were not found are reported at once.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "lineage/lineage.h"
#include "types/parse.h"

#define ROLE_MAX 63				/* bytes */
#define INPUTS_MAX 65536
#define MISSING_SHOWN 1000

/* Error 22023 unless the text is a role: a-z, 0-9, "_" and "-". */
static void
check_role(const char *role)
{
	size_t		len = strlen(role);

	if (len >= 1 && len <= ROLE_MAX &&
		strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid role of an input: \"%s\"", mr_text_clip(role)),
			 errdetail("A role has 1 to %d bytes: lower-case letters, digits, \"_\" and \"-\".",
					   ROLE_MAX),
			 mr_reason("invalid_name")));
}

MrInputs *
mr_inputs_begin(void)
{
	return palloc0(sizeof(MrInputs));
}

static void
append_input(MrInputs *inputs, const char *role, const MrNode *node)
{
	if (inputs->n == INPUTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a node cannot have more than %d inputs", INPUTS_MAX),
				 errhint("Record a node for the collection, and name that."),
				 mr_reason("too_many_inputs")));
	inputs->items = mr_grow(inputs->items, inputs->n, &inputs->room,
							sizeof(MrInput));
	inputs->items[inputs->n].role = pstrdup(role);
	inputs->items[inputs->n++].node = node;
}

static const MrNode *
find_input(MrInputs *inputs, const char *address, bool *asked_before)
{
	MrTable    *table;
	MrNode	   *node;
	bool		found;

	*asked_before = false;
	if (inputs->known != NULL)
		return mr_known_find(inputs->known, address, asked_before);
	node = palloc(sizeof(MrNode));
	table = mr_table_open_read("node");
	found = mr_node_find_input(table, address, node);
	mr_table_close(table);
	return found ? node : NULL;
}

/* Add the node of an address, which may have any kind. */
void
mr_inputs_add(MrInputs *inputs, const char *role, const char *address)
{
	bool		asked_before;
	const MrNode *node;

	check_role(role);
	node = find_input(inputs, address, &asked_before);
	if (node != NULL)
		append_input(inputs, role, node);
	else if (!asked_before)
		inputs->missing = lappend(inputs->missing,
								  psprintf("\"%s\" (%s)", mr_text_clip(address), role));
}

static void
raise_wrong_shape(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("inputs must be a JSON object of roles with lists of nodes"),
			 errdetail("%s", detail),
			 errhint("Such as {\"training\": [\"snapshot:team.name@version\"]}."),
			 mr_reason("invalid_inputs")));
}

static void
add_address(MrInputs *inputs, const char *role, const JsonbValue *value)
{
	char	   *address;

	if (value->type != jbvString)
		raise_wrong_shape(psprintf("Role \"%s\" has something else than texts.",
								   mr_text_clip(role)));
	address = mr_json_cstring(value);
	mr_inputs_add(inputs, role, address);
	pfree(address);
}

/* The nodes of one role: an array of addresses, or a single one. */
static void
add_addresses(MrInputs *inputs, const char *role, const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbValue	item;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
	{
		add_address(inputs, role, value);
		return;
	}
	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &item, true); /* WJB_BEGIN_ARRAY */
	while (JsonbIteratorNext(&it, &item, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		add_address(inputs, role, &item);
	}
}

/* Add what {"role": ["address", ...], ...} names; NULL names nothing. */
void
mr_inputs_add_json(MrInputs *inputs, Jsonb *json)
{
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		raise_wrong_shape("This is no object.");
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &key, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *role = mr_json_cstring(&key);

		check_role(role);
		(void) JsonbIteratorNext(&it, &value, true);
		add_addresses(inputs, role, &value);
	}
}

/* Error 42704, which lists what was not found. */
void
mr_inputs_raise_missing(List *missing)
{
	StringInfoData list;
	ListCell   *cell;
	int			n = list_length(missing);

	initStringInfo(&list);
	foreach(cell, missing)
	{
		if (foreach_current_index(cell) == MISSING_SHOWN)
		{
			appendStringInfo(&list, ", and %d more", n - MISSING_SHOWN);
			break;
		}
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
						 (char *) lfirst(cell));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg_plural("%d input does not exist or you may not read it",
						   "%d inputs do not exist or you may not read them",
						   n, n),
			 errdetail("Not found: %s.", list.data),
			 errhint("Record the inputs first, with record_node(), record_snapshot() or record_run()."),
			 mr_reason("input_not_found")));
}

static int
compare_inputs(const void *a, const void *b)
{
	const MrInput *x = a;
	const MrInput *y = b;
	int			order = strcmp(x->role, y->role);

	if (order != 0)
		return order;
	return (x->node->id > y->node->id) - (x->node->id < y->node->id);
}

/* Order the inputs by role and id; those that were named twice are one. */
void
mr_inputs_sort(MrInputs *inputs)
{
	int			kept = 0;

	if (inputs->n > 1)
		qsort(inputs->items, inputs->n, sizeof(MrInput), compare_inputs);
	for (int i = 0; i < inputs->n; i++)
		if (kept == 0 ||
			compare_inputs(&inputs->items[kept - 1], &inputs->items[i]) != 0)
			inputs->items[kept++] = inputs->items[i];
	inputs->n = kept;
}

/* All inputs were added: raise what was not found, and put them in order. */
void
mr_inputs_finish(MrInputs *inputs)
{
	if (inputs->missing != NIL)
		mr_inputs_raise_missing(inputs->missing);
	mr_inputs_sort(inputs);
}

/* The first input in a role, of the smallest id; 0 when there is none. */
int64
mr_inputs_first(const MrInputs *inputs, const char *role)
{
	for (int i = 0; i < inputs->n; i++)
		if (strcmp(inputs->items[i].role, role) == 0)
			return inputs->items[i].node->id;
	return 0;
}
