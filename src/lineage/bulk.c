/*
 * bulk.c
 *		record_nodes(): many nodes in one call.
 *
 * All nodes are read and checked, with their inputs, before the first is
 * written; a node may name those that come before it in the call.  They are
 * then written one after the other, so ids ascend with their places.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "lineage/request.h"
#include "types/names.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_record_nodes);

enum
{
	ARG_NODES, ARG_INPUTS, ARG_PROPERTIES, ARG_URIS, ARG_DIGESTS, ARG_ROWS,
	ARG_SUPERSEDES, ARG_OCCURRED_AT, ARG_REQUEST_ID
};

typedef struct Bulk
{
	int			n;
	MrColumn	columns[ARG_REQUEST_ID];
	MrNodeRequest *requests;
	MrNode	  **nodes;			/* what is known of them */
	MrKnown    *known;
	List	   *missing;		/* of all nodes' inputs */
	int			current;		/* for error messages */
	char	   *address;
} Bulk;

static void
add_context(void *arg)
{
	Bulk	   *bulk = arg;

	if (bulk->address != NULL)
		errcontext("node %d of the call, \"%s\"", bulk->current + 1,
				   mr_text_clip(bulk->address));
}

static void
read_column(FunctionCallInfo fcinfo, Bulk *bulk, int arg, Oid type,
			const char *name)
{
	mr_arg_column(fcinfo, arg, name, type, arg == ARG_NODES ? MR_ANY_LENGTH : bulk->n,
				  "nodes", &bulk->columns[arg]);
}

static void
read_columns(FunctionCallInfo fcinfo, Bulk *bulk)
{
	mr_arg_require(fcinfo, ARG_NODES, "nodes");
	read_column(fcinfo, bulk, ARG_NODES, TEXTOID, "nodes");
	bulk->n = bulk->columns[ARG_NODES].n;
	read_column(fcinfo, bulk, ARG_INPUTS, JSONBOID, "inputs");
	read_column(fcinfo, bulk, ARG_PROPERTIES, JSONBOID, "properties");
	read_column(fcinfo, bulk, ARG_URIS, TEXTOID, "uris");
	read_column(fcinfo, bulk, ARG_DIGESTS, TEXTOID, "digests");
	read_column(fcinfo, bulk, ARG_ROWS, INT8OID, "rows");
	read_column(fcinfo, bulk, ARG_SUPERSEDES, TEXTOID, "supersedes");
	read_column(fcinfo, bulk, ARG_OCCURRED_AT, TIMESTAMPTZOID, "occurred_at");
	if (bulk->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"nodes\" must not be empty"),
				 mr_reason("invalid_argument")));
}

/* Does the current node have an element in the argument?  NULL stands for no. */
static bool
has(const Bulk *bulk, int arg)
{
	return bulk->columns[arg].n > 0 && !bulk->columns[arg].nulls[bulk->current];
}

static Datum
element(const Bulk *bulk, int arg)
{
	return bulk->columns[arg].values[bulk->current];
}

static char *
text_element(const Bulk *bulk, int arg)
{
	return has(bulk, arg) ? TextDatumGetCString(element(bulk, arg)) : NULL;
}

/* All nodes are of the team of the first: rights are asked for once. */
static void
read_key(Bulk *bulk, MrNodeRequest *request)
{
	const MrTeam *team = &bulk->requests[0].team;
	MrNodeKey	key;

	mr_node_key_parse(bulk->address, NULL, &key);
	mr_request_set_kind(request, key.kind);
	if (bulk->current == 0)
		mr_request_set_key(request, psprintf("%s.%s", key.team, key.name),
						   key.version);
	else if (strcmp(key.team, team->name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all nodes of one call belong to one team"),
				 errdetail("The first is of team \"%s\", this one of team \"%s\".",
						   team->name, key.team),
				 errhint("Call record_nodes() once per team."),
				 mr_reason("invalid_argument")));
	request->team = *team;
	request->spec.team = team->id;
	request->spec.name = key.name;
	request->spec.version = key.version;
	bulk->address = mr_node_key_print(&key);
}

static void
read_inputs(Bulk *bulk, MrNodeRequest *request)
{
	request->inputs = mr_inputs_begin();
	request->inputs->known = bulk->known;
	if (has(bulk, ARG_INPUTS))
		mr_inputs_add_json(request->inputs, DatumGetJsonbP(element(bulk, ARG_INPUTS)));
	bulk->missing = list_concat(bulk->missing, request->inputs->missing);
	request->spec.inputs = request->inputs;
}

static void
read_supersedes(Bulk *bulk, MrNodeRequest *request)
{
	char	   *address = text_element(bulk, ARG_SUPERSEDES);
	const MrNode *node;
	bool		asked_before;

	if (address == NULL)
		return;
	node = mr_known_find(bulk->known, address, &asked_before);
	if (node == NULL)
		mr_node_raise_missing(address);
	mr_request_set_supersedes(request, node, address);
}

/* From here on the nodes that follow may name this one. */
static void
make_known(Bulk *bulk, const MrNodeRequest *request)
{
	MrNode	   *node = mr_known_add(bulk->known, bulk->address);

	node->team = request->spec.team;
	node->kind = unconstify(char *, request->spec.kind);
	node->name = unconstify(char *, request->spec.name);
	node->version = unconstify(char *, request->spec.version);
	bulk->nodes[bulk->current] = node;
}

static void
read_address(Bulk *bulk)
{
	if (!has(bulk, ARG_NODES))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"nodes\" must not contain nulls"),
				 mr_reason("null_argument")));
	bulk->address = text_element(bulk, ARG_NODES);
}

static void
read_node(Bulk *bulk, MrNodeRequest *request)
{
	read_address(bulk);
	read_key(bulk, request);
	read_inputs(bulk, request);
	read_supersedes(bulk, request);
	mr_request_set_uri(request, text_element(bulk, ARG_URIS));
	mr_request_set_digest(request, text_element(bulk, ARG_DIGESTS));
	if (has(bulk, ARG_ROWS))
		mr_request_set_rows(request, DatumGetInt64(element(bulk, ARG_ROWS)));
	if (has(bulk, ARG_PROPERTIES))
		mr_request_set_properties(request, DatumGetJsonbP(element(bulk, ARG_PROPERTIES)));
	if (has(bulk, ARG_OCCURRED_AT))
		mr_request_set_occurred_at(request, DatumGetTimestampTz(element(bulk, ARG_OCCURRED_AT)));
	mr_request_print_properties(request);
	make_known(bulk, request);
	bulk->address = NULL;
}

/* Read all nodes, as the caller; one error lists all unknown inputs. */
static void
read_nodes(Bulk *bulk)
{
	bulk->nodes = palloc(bulk->n * sizeof(MrNode *));
	bulk->known = mr_known_begin();
	for (bulk->current = 0; bulk->current < bulk->n; bulk->current++)
	{
		CHECK_FOR_INTERRUPTS();
		read_node(bulk, &bulk->requests[bulk->current]);
	}
	mr_known_end(bulk->known);
	if (bulk->missing != NIL)
		mr_inputs_raise_missing(bulk->missing);
}

/* Write all nodes; returns how many were new. */
static int64
write_nodes(Bulk *bulk, MrVerb *verb)
{
	MrNodeWriter *writer = mr_node_writer_open(verb);
	int64		recorded = 0;

	for (bulk->current = 0; bulk->current < bulk->n; bulk->current++)
	{
		MrNodeRequest *request = &bulk->requests[bulk->current];

		CHECK_FOR_INTERRUPTS();
		/* only now do all inputs have their ids */
		mr_inputs_sort(request->inputs);
		recorded += mr_node_write(writer, &request->spec,
								  bulk->nodes[bulk->current], NULL);
	}
	mr_node_writer_close(writer);
	return recorded;
}

/* The team of the first node, and so of all, in which the caller may record. */
static const MrTeam *
read_team(Bulk *bulk)
{
	bulk->requests = MemoryContextAllocExtended(CurrentMemoryContext,
												bulk->n * sizeof(MrNodeRequest),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	read_address(bulk);
	read_key(bulk, &bulk->requests[0]);
	bulk->address = NULL;
	return &bulk->requests[0].team;
}

static int64
record_all(FunctionCallInfo fcinfo, Bulk *bulk)
{
	const MrTeam *team = read_team(bulk);
	MrVerb		verb;
	int64		recorded = 0;

	if (!mr_verb_repeated(&verb, fcinfo, "record_nodes", team, ARG_REQUEST_ID))
	{
		read_nodes(bulk);
		mr_verb_begin(&verb, fcinfo, "record_nodes", team, ARG_REQUEST_ID);
		if (!mr_verb_repeats(&verb))
			recorded = write_nodes(bulk, &verb);
	}
	return mr_verb_end_int(&verb, "recorded", recorded);
}

/*
 * modelreg.record_nodes(nodes, inputs, properties, uris, digests, rows,
 *		supersedes, occurred_at, request_id) returns bigint, how many are new
 *
 * Errors: those of record_node(), with the node's place in the context;
 * 2202E for arrays of different lengths, 22023 for nodes of several teams.
 */
Datum
modelreg_record_nodes(PG_FUNCTION_ARGS)
{
	Bulk		bulk = {0};
	ErrorContextCallback callback = {.callback = add_context,.arg = &bulk};
	int64		recorded;

	read_columns(fcinfo, &bulk);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	recorded = record_all(fcinfo, &bulk);
	error_context_stack = callback.previous;
	PG_RETURN_INT64(recorded);
}
